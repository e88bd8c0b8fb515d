/*
 * Sparks (named agents), their strategy, and verification. A strategy is straight-line
 * code over steps: spk_step_model() and spk_step_tool() return what the journal recorded
 * until they reach the first step that is missing, then do it for real and record it.
 */
#ifndef SPK_AGENT_AGENT_H
#define SPK_AGENT_AGENT_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "box/box.h"
#include "box/tree.h"
#include "box/way_out.h"
#include "conf/conf.h"
#include "guard/scan.h"
#include "guard/taint.h"
#include "llm/llm.h"
#include "memory/memory.h"
#include "store/store.h"

/* ---- sparks ---- */
typedef struct {
	const char *name;
	const char *description;
	const char *const *tools;
	const char *role;     /* coordinator | coder | critic | worker */
	const char *strategy; /* name of a strategy */
	gboolean read_only;
	const char *const *allow; /* hosts its commands may reach, too; NULL: none */
	const char *soul;	  /* part of the system prompt */
	const char *origin;	  /* "built in", or "file:line" */
	/* Of one that isn't built in nor recorded: paths of the files that `soul` is made of
	 * (soul_file may be NULL), and where the one stands whose place it took, or NULL. */
	const char *soul_file;
	const char *const *skill_files;
	const char *instead;
	/* Paths of the files of [persona] that `soul` is made of, too; NULL: of one recorded. */
	const char *const *persona_files;
	GPtrArray *mounts;    /* SpkBoxMount; NULL: none */
	const char *image;    /* of its containers; NULL: as configured */
	const char *autonomy; /* name of its level; NULL: as configured */
	/* Rules for its commands, besides those of [manager]; NULL: none. */
	const char *const *auto_approve, *const *deny;
} SpkSpark;

void spk_spark_free(SpkSpark *spark);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkSpark, spk_spark_free)

/* All of them as SpkSpark: [[ghosts]] of the configuration add to those built in, or stand in
 * their place. NULL: CONFIG with file, line and key. */
GPtrArray *spk_sparks(const SpkConf *conf, GError **error);
/* Every error of the above, as GError, added to `problems`. */
void spk_sparks_check(const SpkConf *conf, GPtrArray *problems);
/* NOT_FOUND with "did you mean"; CONFIG as above. */
SpkSpark *spk_spark_find(const SpkConf *conf, const char *name, GError **error);
/* What a task keeps of a spark that isn't wholly built in, so that it goes on as it began
 * whatever becomes of the files; NULL: it is. */
json_t *spk_spark_record(const SpkSpark *spark);
/* NULL: this is no such record. */
SpkSpark *spk_spark_recorded(const json_t *record);

/* ---- one run of a task by its holder ---- */
typedef struct {
	SpkStore *store;
	SpkConf *conf;
	SpkLlm *llm;
	/* Where the work is done. NULL until open_place() has been called, which is at once, or
	 * with `lazy` by the first tool call that needs it. */
	SpkBox *box;
	SpkTree *tree;
	SpkWayOut *way; /* NULL: commands have no network */
	gboolean (*open_place)(gpointer user, SpkTree **ret_tree, SpkBox **ret_box,
			       SpkWayOut **ret_way, GError **error);
	/* The same as `way`, with more hosts, for the setup; *ret_way may be NULL. */
	gboolean (*open_way)(gpointer user, const char *const *more, SpkWayOut **ret_way,
			     GError **error);
	/* Opens the memory when it is first asked for; borrowed. NULL: the run is to do without. */
	SpkMemory *(*open_memory)(gpointer user, GError **error);
	gboolean lazy;
	const SpkLlmSink *sink; /* hears answers as they stream; NULL: nobody does */
	const SpkTask *task;
	const SpkSpark *spark;
	gint64 token; /* of the lease */
	const char *home;
	SpkCancel *cancel;
	/* Asked before every live step; FALSE with *error ends the run there (pause, drain). */
	gboolean (*may_go_on)(gpointer user, GError **error);
	gpointer user;
} SpkRunEnv;

typedef struct SpkRun SpkRun;
/* Loads the task's journal; what it holds will be returned instead of done again. */
SpkRun *spk_run_new(const SpkRunEnv *env, GError **error);
void spk_run_free(SpkRun *run);
/* What the journal knows: the payload of kind `kind` whose keys say so, or NULL (borrowed). */
const json_t *spk_run_recorded(SpkRun *run, const char *kind, gint64 number);
/* Appends a journal entry of this run, fenced; takes payload. */
gboolean spk_run_record(SpkRun *run, const char *kind, gint64 number, SpkEffect effect,
			json_t *take_payload, GError **error);
/* Raw tree of the last finished step (the base at first); NULL: there is no private copy. */
const char *spk_run_last_tree(SpkRun *run);
/* TRUE: it stopped at a limit of tokens or money, and goes on when that is raised. */
gboolean spk_run_at_budget(const SpkRun *run);
/* Working time of the task so far, over all its runs. */
double spk_run_seconds(SpkRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkRun, spk_run_free)

/* Who works on a task that names no spark, decided once (docs/journal.md, `routed`); *ret_why in
 * words. The run is one of the default spark, without a place. */
SpkSpark *spk_route(SpkRun *run, char **ret_why, GError **error);

typedef enum {
	SPK_END_FINISHED, /* the model called `finish` (or just answered) */
	SPK_END_STEPS,
	SPK_END_TOKENS,
	SPK_END_TIME, /* a limit was reached */
	SPK_END_LOOP, /* the loop guard stopped it */
} SpkEnd;

typedef struct {
	SpkEnd end;
	char *summary; /* the model's words; NULL */
	char *reason;  /* why it ended, when not finished */
} SpkOutcome;
void spk_outcome_clear(SpkOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkOutcome, spk_outcome_clear)

typedef struct {
	const char *name;
	/* May end without having needed the private copy: it is made for the first tool call,
	 * and checks run only when files were changed. */
	gboolean lazy;
	gboolean alone; /* asks no model of ours: SpkRunEnv's llm may be NULL */
	/* FALSE only when the task cannot go on now (cancelled, paused, provider gone, …). */
	gboolean (*run)(SpkRun *run, SpkOutcome *ret_outcome, GError **error);
	/* More words for the model after a failed verification; then run() again. */
	void (*feedback)(SpkRun *run, const char *text);
} SpkStrategy;
extern const SpkStrategy *const spk_strategies[];
const SpkStrategy *spk_strategy_find(const char *name);

/* ---- the law ---- */
/* Whether the result may stand on a branch of the user's repository: a decision about
 * SPK_DOES_COMMIT. */
void spk_law_of_commit(SpkRun *run, SpkDecision *ret);
/* The model is about to be told what the repository's programs said: its taint rises first. */
gboolean spk_run_heard(SpkRun *run, const char *what, GError **error);
/* What the model has read so far. Borrowed. */
const SpkTaintMark *spk_run_taint(SpkRun *run);

/* ---- the second judge of what the scanner has looked at ---- */
typedef struct {
	const char *what; /* "what the tool file_read brought" */
	const char *text;
	gboolean untrusted; /* not the operator's own words */
} SpkJudgeText;
/* By [prompt_scanner] judge: asks, unless that is on record, and changes the verdict. What goes
 * wrong with it leaves the verdict as it is; FALSE only when the task cannot go on now. */
gboolean spk_judge_look(SpkRun *run, const SpkJudgeText *text, SpkScanResult *found,
			GError **error);

/* ---- the memory ---- */
/* Remembers what the task has shown, once (docs/journal.md, `learn.result`). `task`: its row as it
 * is now, `to`: the state that follows. What goes wrong with the memory is logged and on record;
 * FALSE only when that could not be written. */
gboolean spk_learn(SpkRun *run, const SpkTask *task, SpkState to, GError **error);

/* ---- setup ---- */
/* Runs the task's setup, unless it has none or that is done. FAILED: it failed. */
gboolean spk_setup_run(SpkRun *run, GError **error);

/* ---- verification ---- */
typedef struct {
	SpkVerdict verdict;
	char *reason;	/* in words, one line */
	char *feedback; /* for the model when verdict is FAILED: what failed, with output */
	GPtrArray *changed; /* paths (char *) */
} SpkVerification;
void spk_verification_clear(SpkVerification *verification);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkVerification, spk_verification_clear)

/* The checks of a task: --check, else the repository's own test command, else none. */
char **spk_verify_checks(SpkRun *run, GError **error);
/* Runs each check on the untouched tree (recorded once). */
gboolean spk_verify_before(SpkRun *run, GError **error);
/* Runs the checks on the final tree and, where needed, with tests and build files as they
 * were (interface.md, Tasks). round: 0, then +1 per heal. */
gboolean spk_verify_after(SpkRun *run, guint round, SpkVerification *ret_verification,
			  GError **error);
/* ---- the critic: another model's look at a change that the checks let pass ---- */
/* Asks for this round's, unless it is on record, no verify model is configured or nothing was
 * changed. `again`: objections may send the model back to work. What goes wrong is on record as
 * an opinion `none`; FALSE only when the task cannot go on now. */
gboolean spk_critic_look(SpkRun *run, guint round, const SpkVerification *verification,
			 gboolean again, GError **error);
/* docs/journal.md, `critic`; NULL: nobody was asked. Borrowed. */
const json_t *spk_critic_recorded(SpkRun *run, guint round);
/* For the model: its objections. */
char *spk_critic_feedback(const json_t *opinion);
/* The result is that of `round`, whose critic is on record: what came after it has not become
 * better. The private copy is set back to it. On record as `kept`. */
gboolean spk_critic_keep(SpkRun *run, guint round, const char *why, GError **error);

/* The repository's own test command, recognised from its files; NULL when none. */
char *spk_verify_recognise(const char *const *paths, const char *work);

#endif
