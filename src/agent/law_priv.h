/* What a run keeps for the law: law_state.c, and on top of it law.c. */
#ifndef SPK_AGENT_LAW_PRIV_H
#define SPK_AGENT_LAW_PRIV_H

#include "agent/law.h"
#include "guard/law.h"

struct RunLaw {
	SpkLaw *law; /* NULL: to be made (anew) */
	SpkTaintMark taint;
	GPtrArray *hosts; /* char *: opened for the rest of the task by an answer */
	GHashTable *
		made; /* set of char *: files that calls of the task made, as they told them */
	guint64 reached; /* requests that were let through before the last call */
};

/* Relative to the top of the work tree, where the text tells; else as it was given. */
char *law_path_in_tree(SpkRun *run, const char *path);

/* ---- law_scripts.c ---- */
/* `made` of the record of a call that may be done. */
void law_scripts_made(struct RunLaw *law, const json_t *record);
/* A `read` of SpkScripts. */
typedef struct {
	SpkRun *run;
	GChecksum *sum; /* over all that was read; NULL: nothing was */
} LawReading;
char *law_scripts_read(gpointer reading, const char *folder, const char *path);

/* Hosts that an answer has opened for the rest of the task, as a record says. */
void run_law_open_hosts(struct RunLaw *law, const json_t *record);

#endif
