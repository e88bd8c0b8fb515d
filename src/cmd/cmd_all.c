/* The table of commands: a new one is a file cmd_NAME.c, a line in cmd_all.h, a row here. */
#include "cmd/cmd_all.h"

static const SpkCmd *const commands[] = {
	/* clang-format off */
	&spk_cmd_approvals,
	&spk_cmd_autonomy,
	&spk_cmd_chat,
	&spk_cmd_completions,
	&spk_cmd_config,
	&spk_cmd_cost,
	&spk_cmd_demo,
	&spk_cmd_dispatch,
	&spk_cmd_do,
	&spk_cmd_doctor,
	&spk_cmd_ghosts,
	&spk_cmd_help,
	&spk_cmd_init,
	&spk_cmd_knobs,
	&spk_cmd_memory,
	&spk_cmd_policy,
	&spk_cmd_sandbox,
	&spk_cmd_scan,
	&spk_cmd_secrets,
	&spk_cmd_setup,
	&spk_cmd_stop,
	&spk_cmd_store,
	&spk_cmd_tasks,
	&spk_cmd_up,
	&spk_cmd_version,
	NULL,
	/* clang-format on */
};

/* Commands that users of the reference program know, or that this program will have. */
static const SpkCmdLater later[] = {
	{ "ci-monitor", "look at the task itself: sparks tasks show ID" },
	{ "dashboard", "list the tasks with their verdicts: sparks tasks list" },
	{ "eval", "replay a recorded task instead: sparks tasks replay ID" },
	{ "feature",
	  "give each part as a task with its check: sparks do GOAL --check CMD" },
	{ "jobs", "start tasks from cron: sparks do GOAL" },
	{ "kpi", "verdicts of past tasks: sparks tasks list" },
	{ "leaderboard", "verdicts of past tasks: sparks tasks list" },
	{ "observe", "follow one task instead: sparks tasks log ID --follow" },
	{ "openai", "log in by key: sparks secrets set openai.api_key" },
	{ "self-build", "run a task on a clone: sparks do GOAL --repo PATH" },
	{ "slack", "give the goal directly: sparks do \"GOAL\"" },
	{ "snapshot",
	  "a task keeps its own: sparks tasks diff ID, sparks tasks undo ID" },
	{ "teams", "give the goal directly: sparks do \"GOAL\"" },
	{ "telegram", "give the goal directly: sparks do \"GOAL\"" },
	{ NULL },
};

/* Words that other programs have for what ours calls otherwise. A word that is a command of a
 * group (`show`) needs no row. */
static const SpkCmdLater others[] = {
	{ "auth", "`sparks secrets set openai.api_key`" },
	{ "down", "Ctrl-C where `sparks up` runs, or `systemctl --user stop sparks`" },
	{ "login", "`sparks secrets set openai.api_key`" },
	{ "logs", "`sparks tasks log ID`" },
	{ "models", "`sparks doctor`: it says which one is asked" },
	{ "ps", "`sparks tasks list`" },
	{ "run", "`sparks do \"GOAL\"`" },
	{ "serve", "`sparks up`" },
	{ "start", "`sparks up`" },
	{ "status", "`sparks tasks list`" },
	{ NULL },
};

const SpkProgram spk_program = { commands, later, "chat", others };
