/*
 * `sparks init`: writes a config file with every option, commented. On a terminal it asks
 * three things, each with an answer that works; elsewhere it takes these answers.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/cmd_all.h"
#include "cmd/optdoc.h"
#include "cmd/ui.h"
#include "conf/secret.h"

enum { TRIES = 3, ANSWER_MAX = 512 };

static const SpkOpt *option(const char *name)
{
	return &spk_conf_options()[spk_conf_find(name)];
}

/* The first whose key is at hand in the environment; else the default. */
static const char *likely_provider(void)
{
	static const char *const with_key[] = { "openai", "anthropic", "openrouter",
						"zen" };

	for (gsize i = 0; i < G_N_ELEMENTS(with_key); i++) {
		g_autofree char *key = g_strconcat(with_key[i], ".api_key", NULL);
		const SpkSecret *secret = spk_secret_find(key);
		const char *value = secret ? g_getenv(secret->env) : NULL;

		if (value && *value)
			return with_key[i];
	}
	return option("llm.provider")->fallback;
}

/* Sets values[name]; an empty answer is `likely`. Not asked, or wrong thrice: likewise. */
static void ask(GHashTable *values, gboolean asks, const char *question, const char *name,
		const char *likely)
{
	const char *value = likely;
	char answer[ANSWER_MAX];

	for (int i = 0; asks && i < TRIES; i++) {
		g_autofree char *why = NULL;

		fprintf(stderr, "%s [%s] ", question, likely);
		fflush(stderr);
		if (!fgets(answer, sizeof(answer), stdin))
			break;
		g_strstrip(answer);
		why = *answer ? spk_conf_unfit(option(name), answer) : NULL;
		if (!why) {
			value = *answer ? answer : likely;
			break;
		}
		fprintf(stderr, "  that %s\n", why);
	}
	if (strcmp(value, option(name)->fallback) != 0)
		g_hash_table_insert(values, g_strdup(name), g_strdup(value));
}

static const char *chosen(GHashTable *values, const char *name)
{
	const char *value = g_hash_table_lookup(values, name);

	return value ? value : option(name)->fallback;
}

static void ask_all(GHashTable *values, gboolean asks)
{
	g_autofree char *model = NULL;

	ask(values, asks, "Whose models? openai, anthropic, ollama, openrouter or zen",
	    "llm.provider", likely_provider());
	model = g_strconcat(chosen(values, "llm.provider"), ".model", NULL);
	if (spk_conf_find(model) >= 0)
		ask(values, asks, "Which model?", model, option(model)->fallback);
	ask(values, asks, "How many tokens may one task use at most? (0: no limit)",
	    "task.max_tokens", option("task.max_tokens")->fallback);
}

/* FALSE: the file stays, with the reason. */
static gboolean may_write(const char *path, gboolean force, GError **error)
{
	g_autofree char *question = g_strdup_printf("%s is there. Write it anew?", path);

	if (force || !g_file_test(path, G_FILE_TEST_EXISTS) || spk_ui_ask(question))
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT,
		      "--force writes it anew, --path PATH another one",
		      "%s is there already, and stays as it is", path);
	return FALSE;
}

static gboolean write_file(const char *path, GHashTable *values, GError **error)
{
	g_autofree char *text = spk_optdoc_sample_with(values);
	g_autofree char *folder = g_path_get_dirname(path);

	return spk_fs_mkdirs(folder, 0700, error) &&
	       spk_fs_write_atomic(path, text, strlen(text), 0600, error);
}

/* elsewhere: not where it is looked for unasked. */
static void say_next(const char *path, gboolean elsewhere, GHashTable *values)
{
	g_autofree char *key =
		g_strconcat(chosen(values, "llm.provider"), ".api_key", NULL);
	const SpkSecret *secret = spk_secret_find(key);

	printf("wrote %s\nnext:\n", path);
	if (secret && !g_getenv(secret->env))
		printf("  sparks secrets set %s\n", secret->key);
	printf("  sparks doctor%s%s\n  sparks do \"what should be true afterwards\"%s%s\n",
	       elsewhere ? " --config " : "", elsewhere ? path : "",
	       elsewhere ? " --config " : "", elsewhere ? path : "");
}

static int run(const SpkArgs *args)
{
	const char *given = spk_args_str(args, "path");
	g_autofree char *path = spk_fs_expand(given ? given : "~/.sparks/config.toml");
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(GHashTable)
		values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(json_t) object = NULL;
	g_autoptr(GError) error = NULL;

	if (!may_write(path, spk_args_flag(args, "force"), &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	ask_all(values, spk_ui_can_ask() && !spk_args_yes(args));
	if (!write_file(path, values, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!json) {
		say_next(path, given != NULL, values);
		return 0;
	}
	object = json_pack("{s:o,s:s}", "file", spk_json_text(path), "provider",
			   chosen(values, "llm.provider"));
	spk_cmd_print_json(object);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "force", .type = SPK_CMD_FLAG, .sentence = "write over a file that is there" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON object on stdout" },
	{ "path", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "where to write (default: ~/.sparks/config.toml)" },
	{ NULL },
};

const SpkCmd spk_cmd_init = {
	.name = "init",
	.usage = "",
	.summary = "Write a commented config file.",
	.details =
		"Asks for provider, model and the limit of a task; without a terminal, or "
		"with --yes, it takes what it would have proposed. A file that is there "
		"stays unless you say otherwise.",
	.example = "sparks init",
	.options = options,
	.run = run,
};
