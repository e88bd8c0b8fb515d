/* What a run keeps for the law: law_state.c, and on top of it law.c. */
#ifndef SPK_AGENT_LAW_PRIV_H
#define SPK_AGENT_LAW_PRIV_H

#include "guard/law.h"

struct RunLaw {
	SpkLaw *law; /* NULL: to be made (anew) */
	SpkTaintMark taint;
	GPtrArray *hosts; /* char *: opened for the rest of the task by an answer */
	guint64 reached;  /* requests that were let through before the last call */
};

/* Hosts that an answer has opened for the rest of the task, as a record says. */
void run_law_open_hosts(struct RunLaw *law, const json_t *record);

#endif
