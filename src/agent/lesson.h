/*
 * What a finished task has to teach, by rules over what is on record of it: no model is asked. A
 * lesson that holds words which others wrote (the model, a check's output) is untrusted; one that is
 * made of the user's words and ours alone is not. The same record gives the same lessons with the
 * same ids, so that a task which is killed while it learns learns nothing twice.
 */
#ifndef SPK_AGENT_LESSON_H
#define SPK_AGENT_LESSON_H

#include "agent/agent.h"

typedef struct {
	char *id; /* "TASK.success" */
	const char *
		kind; /* "success", "failure", "repo", "preference", "fact", or the user's own */
	const char *source; /* "task"; "user": their own words */
	char *text;
	gboolean of_user;   /* in the scope of the user, not of the repository */
	gboolean untrusted; /* it holds what others wrote */
	/* It tells the same of the repository as an older one that begins so, whose place it takes;
	 * NULL: it stands beside all others. */
	const char *slot;
} Lesson;
void lesson_free(Lesson *lesson);

/* GPtrArray of Lesson; may be empty. `to`: DONE, FAILED or ROLLED_BACK. Of a task that has read
 * text from outside nothing is learned that holds others' words. */
GPtrArray *lessons_of(SpkRun *run, const SpkTask *task, SpkState to);

#endif
