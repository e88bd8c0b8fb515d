/* A demo that is being shown: what it holds, how it speaks, and the promises it checks. */
#ifndef SPK_CMD_DEMO_RUN_H
#define SPK_CMD_DEMO_RUN_H

#include "cmd/demo/demo.h"
#include "cmd/show/trail.h"
#include "core/core.h"

typedef struct {
	const char *id; /* at most 9 columns */
	gboolean ok;
	char *text;
} SpkProof;

typedef struct {
	SpkDemo world;
	SpkConf *conf;
	SpkCore *core;
	SpkStore *store; /* borrowed */
	SpkCancel *cancel;
	SpkTask *task; /* as it stands at the end */
	SpkTrail *trail;
	json_t *report;
	GArray *proofs; /* SpkProof */
	gboolean json;
	int fd; /* stdout; stderr with --json */
	gint64 started_us;
} SpkDemoRun;

/* A line in the colour of the role; NULL: plain. */
void spk_demo_say(const SpkDemoRun *demo, const char *role, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* "  label   text", folded; "" for a paragraph without one. */
void spk_demo_row(const SpkDemoRun *demo, const char *label, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* Checks and shows every promise, adds them to proofs; at the end apply and undo have been
 * done. FALSE when one could not be checked at all. */
gboolean spk_demo_prove(SpkDemoRun *demo, GError **error);
gboolean spk_demo_all_hold(const SpkDemoRun *demo);

/* `demo --prepare`: the world in `folder`, and folder/command with the words that give the
 * task, as a JSON array. Returns the exit code. */
int spk_demo_prepare_only(const char *folder, gboolean json);

#endif
