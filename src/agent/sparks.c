/* The built-in sparks. Profiles from the configuration come beside these rows later. */
#include "agent/agent.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static const char *const coder_tools[] = {
	/* clang-format off */
	"file_read", "file_write", "file_edit", "file_list", "file_search",
	"shell", "git", "finish", NULL,
	/* clang-format on */
};
static const char *const scout_tools[] = {
	"file_read", "file_list", "file_search", "shell", "git", "finish", NULL,
};

static const SpkSpark sparks[] = {
	{
		.name = "coder",
		.description = "reads, edits and tests code until its checks pass",
		.tools = coder_tools,
		.role = "coder",
		.strategy = "react",
		.soul = "You are coder, a careful software engineer. Make the smallest change that "
			"really reaches the goal, in the style of the code around it. Look before you "
			"edit, run the tests before you finish, and never weaken a test to make it pass.",
	},
	{
		.name = "scout",
		.description = "reads and explains; cannot change files",
		.tools = scout_tools,
		.role = "worker",
		.strategy = "react",
		.read_only = TRUE,
		.soul = "You are scout. You explore and answer; you change nothing. Say what you "
			"found, where it stands (path and line), and what you could not find out.",
	},
	{ .name = NULL },
};

const SpkSpark *spk_sparks(void)
{
	return sparks;
}

const SpkSpark *spk_spark_find(const char *name, GError **error)
{
	const char *names[G_N_ELEMENTS(sparks)] = { NULL };
	g_autofree char *hint = NULL;
	gsize n = 0;

	for (const SpkSpark *spark = sparks; spark->name; spark++) {
		if (!strcmp(spark->name, name))
			return spark;
		names[n++] = spark->name;
	}
	hint = spk_text_did_you_mean(name, names);
	spk_error_set(error, SPK_ERR_NOT_FOUND, "`sparks ghosts` lists them",
		      "there is no spark \"%s\"%s", name, hint);
	return NULL;
}
