/*
 * The parts of the task machine: what a step needs (machine_parts.c), the step that verifies
 * (machine_verify.c), and on top of them the other steps and the loop (machine.c).
 */
#ifndef SPK_CORE_MACHINE_PRIV_H
#define SPK_CORE_MACHINE_PRIV_H

#include "core/core_priv.h"

typedef struct {
	const MachineEnv *env;
	Held *held;
	SpkTask *task;
	SpkSpark *spark;
	const SpkStrategy *strategy;
	SpkTree *tree;
	SpkWayOut *way;
	SpkBox *box; /* borrowed; set with a tree, for what is kept warm in it */
	SpkLlm *llm;
	SpkRun *run;
	SpkMemory *memory; /* NULL until it is asked for */
	guint round;	   /* of verification */
	char *reason;	   /* for the move that follows */
} Machine;

/* The reason of the move that follows. */
void machine_because(Machine *machine, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Fields of the task's row. */
gboolean machine_update(Machine *machine, json_t *take_fields, GError **error);
gboolean machine_journal(Machine *machine, const char *kind, json_t *take_payload,
			 GError **error);
/* That of the task, else of its spark. */
gboolean machine_find_strategy(Machine *machine, GError **error);
/* Without a model. */
SpkRunEnv machine_run_env(Machine *machine);
gboolean machine_open_run(Machine *machine, GError **error);
/* Opens the run, and runs the strategy over the rounds that are on record. */
gboolean machine_catch_up(Machine *machine, GError **error);

/* What it has shown is remembered, before it ends in that state. */
gboolean machine_learn(Machine *machine, SpkState to, GError **error);

/* ---- intake.c ---- */
/* The prompt scanner on goal (or message of a chat) and context. What is found is on record as
 * `scan`; POLICY where it is blocked. */
gboolean intake_scan(Machine *machine, GError **error);

/* ---- machine_verify.c ---- */
json_t *machine_paths(const GPtrArray *paths, gboolean only_risky);
gboolean machine_verify(Machine *machine, SpkState *next, GError **error);
/* The latest round before this one that the checks let pass: its result is there to be kept. */
gboolean machine_passed(Machine *machine, guint *ret_round);
/* Its result is the task's; `why` tells what became of this round. */
gboolean machine_keep(Machine *machine, guint round, const char *why, GError **error);
gboolean machine_is_kept(Machine *machine);

#endif
