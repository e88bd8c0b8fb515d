/*
 * What a person states about how they like things done, out of a message of theirs: rules, no
 * model. Only sentences that begin with the statement itself count ("always use tabs", "I prefer
 * short answers", "from now on ..."); questions, code, quotes, what is about the work at hand ("I
 * prefer the second one") and long, pasted messages don't. English only. Pure.
 */
#ifndef SPK_AGENT_STATED_H
#define SPK_AGENT_STATED_H

#include <glib.h>

#define STATED_MAX 3 /* of one message */
#define STATED_MESSAGE_MAX \
	1500 /* bytes; what is longer is pasted, and says nothing of a person */

typedef struct {
	char *text; /* the sentence, one clean line of at most 240 bytes */
	gboolean
		fact; /* "remember that …": something to know, not how things are to be done */
	gboolean here; /* said of this repository alone */
} Stated;
void stated_free(Stated *stated);

/* GPtrArray of Stated, in the order of the message; may be empty. Never more than STATED_MAX. */
GPtrArray *stated_find(const char *message);

#endif
