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
#include "cmd/config/optdoc.h"
#include "cmd/config/suggest.h"
#include "cmd/ui.h"
#include "conf/prices.h"
#include "conf/secret.h"

enum { TRIES = 3, MODEL_SHOWN = 80 };
enum {
	ANSWER_MAX = 5000
}; /* more than a value may have, so that what is cut is refused */

typedef struct {
	GHashTable *
		values; /* option -> value as TOML takes it: what will not be commented out */
	const char *model; /* of --model; NULL */
	gboolean asks;
	gboolean here;	/* its server is on this machine */
	gboolean ready; /* the provider has what it needs, but perhaps a model's name */
} Answers;

static const SpkOpt *option(const char *name)
{
	return &spk_conf_options()[spk_conf_find(name)];
}

static void put(GHashTable *values, const SpkOpt *opt, const char *value)
{
	g_hash_table_insert(values, g_strdup(opt->name), spk_conf_canon(opt, value));
}

static gboolean has_control(const char *text)
{
	for (; *text; text++)
		if (g_ascii_iscntrl(*text))
			return TRUE;
	return FALSE;
}

/* Why it can't be the option's value, in words; NULL: it can. */
static char *unfit(const SpkOpt *opt, const char *text)
{
	return has_control(text) ? g_strdup("has a control character")
				 : spk_conf_unfit(opt, text);
}

/* One line without the blanks around it; FALSE: nobody types any more. */
static gboolean read_answer(char *answer, int size)
{
	if (!fgets(answer, size, stdin))
		return FALSE;
	if (!strchr(answer, '\n')) /* the rest must not answer what comes next */
		for (int c = getchar(); c != '\n' && c != EOF; c = getchar())
			;
	g_strstrip(answer);
	return TRUE;
}

/* NULL: nothing was typed, or thrice what can't be, and `shown` is taken. */
static char *ask(const char *question, const SpkOpt *opt, const char *shown)
{
	char answer[ANSWER_MAX];

	for (int i = 0; i < TRIES; i++) {
		g_autofree char *why = NULL;

		fprintf(stderr, "%s [%s] ", question, shown);
		fflush(stderr);
		if (!read_answer(answer, sizeof(answer)) || !*answer)
			return NULL;
		why = unfit(opt, answer);
		if (!why)
			return g_strdup(answer);
		fprintf(stderr, "  that %s\n", why);
	}
	fprintf(stderr, "  taking %s\n", shown);
	return NULL;
}

/* One of the three: given by a flag, else asked, else `likely`, which is written only where
 * it isn't the default: what is typed is meant. */
static void settle(Answers *answers, const char *question, const char *name,
		   const char *likely)
{
	const SpkOpt *opt = option(name);
	g_autofree char *typed = NULL;

	if (g_hash_table_contains(answers->values, name))
		return;
	if (answers->asks)
		typed = ask(question, opt, *likely ? likely : "none");
	if (typed)
		put(answers->values, opt, typed);
	else if (*likely && strcmp(likely, opt->fallback) != 0)
		put(answers->values, opt, likely);
}

static const char *chosen(GHashTable *values, const char *name)
{
	const char *value = g_hash_table_lookup(values, name);

	return value ? value : option(name)->fallback;
}

/* The model and the address that go with the provider, where it is the one proposed. */
static void settle_model(Answers *answers, const SpkSuggestion *found)
{
	const char *provider = chosen(answers->values, "llm.provider");
	gboolean proposed = !strcmp(provider, found->provider);
	g_autofree char *model = g_strconcat(provider, ".model", NULL);
	g_autofree char *url = g_strconcat(provider, ".url", NULL);

	if (proposed && found->url && !g_hash_table_contains(answers->values, url))
		put(answers->values, option(url), found->url);
	if (answers->model && spk_conf_find(model) >= 0)
		put(answers->values, option(model), answers->model);
	if (spk_conf_find(model) >= 0)
		settle(answers, "Which model?", model,
		       proposed && found->model ? found->model : option(model)->fallback);
}

static void settle_all(Answers *answers)
{
	g_auto(SpkSuggestion) found = { NULL };

	spk_suggest(&found);
	settle(answers, "Whose models? openai, anthropic, ollama, openrouter or zen",
	       "llm.provider", found.provider);
	settle_model(answers, &found);
	answers->ready = found.ready &&
			 !strcmp(chosen(answers->values, "llm.provider"), found.provider);
	answers->here = !strcmp(chosen(answers->values, "llm.provider"), "ollama") ||
			(answers->ready && found.url);
	settle(answers, "How many dollars may all tasks of a day cost? (empty: no limit)",
	       "budget.day_usd", "");
}

/* ---- what was given on the command line ---- */
static gboolean give(Answers *answers, const char *name, const char *value,
		     const char *flag, GError **error)
{
	g_autofree char *why = unfit(option(name), value);

	if (why) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "`sparks help init` tells what it takes", "%s %s", flag,
			      why);
		return FALSE;
	}
	put(answers->values, option(name), value);
	return TRUE;
}

/* "NAME=VALUE" */
static gboolean give_set(Answers *answers, const char *set, GError **error)
{
	const char *equals = strchr(set, '=');
	g_autofree char *name =
		g_strndup(set, equals ? (gsize)(equals - set) : strlen(set));
	g_autofree char *flag = g_strconcat("--set ", name, NULL);
	g_autofree char *nearest = NULL;

	if (equals && spk_conf_find(name) >= 0)
		return give(answers, name, equals + 1, flag, error);
	nearest = spk_secret_find(name) ? NULL : spk_conf_nearest(name);
	spk_error_set(error, SPK_ERR_USAGE,
		      spk_secret_find(name) ? "`sparks secrets set` keeps keys"
					    : "write --set NAME=VALUE; `sparks config "
					      "show` lists the options",
		      "%s sets no option%s", flag, nearest ? nearest : "");
	return FALSE;
}

static gboolean read_flags(Answers *answers, const SpkArgs *args, GError **error)
{
	const char *provider = spk_args_str(args, "provider");
	const char *usd = spk_args_str(args, "day-usd");
	g_autofree char *why = NULL;

	for (const char *const *set = spk_args_set(args); *set; set++)
		if (!give_set(answers, *set, error))
			return FALSE;
	answers->model = spk_args_str(args, "model");
	why = answers->model ? unfit(option("openai.model"), answers->model) : NULL;
	if (why) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "--model %s", why);
		return FALSE;
	}
	return (!provider ||
		give(answers, "llm.provider", provider, "--provider", error)) &&
	       (!usd || give(answers, "budget.day_usd", usd, "--day-usd", error));
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

/* A limit in dollars cannot hold for a model without a price. */
static void say_price(const Answers *answers, const char *provider, const char *model)
{
	g_autofree char *home = spk_fs_expand("~/.sparks");
	g_autofree char *clean = spk_ui_line(model, MODEL_SHOWN);
	g_autoptr(SpkPrices) prices = spk_prices_load(home, NULL);

	if (*model && prices &&
	    g_hash_table_contains(answers->values, "budget.day_usd") &&
	    !spk_prices_of(prices, provider, model, answers->here))
		printf("  put the price of %s into ~/.sparks/prices.toml, so that the limit "
		       "counts it\n",
		       clean);
}

/* elsewhere: not where it is looked for unasked. */
static void say_next(const char *path, gboolean elsewhere, const Answers *answers)
{
	GHashTable *values = answers->values;
	const char *provider = chosen(values, "llm.provider");
	g_autofree char *key = g_strconcat(provider, ".api_key", NULL);
	g_autofree char *model = g_strconcat(provider, ".model", NULL);
	const SpkSecret *secret = spk_secret_find(key);

	printf("wrote %s\nnext:\n", path);
	if (secret && !answers->ready)
		printf("  sparks secrets set %s\n", secret->key);
	if (spk_conf_find(model) >= 0 && !*chosen(values, model))
		printf("  put the name of a model into that file: [%s] model\n",
		       provider);
	if (spk_conf_find(model) >= 0)
		say_price(answers, provider, chosen(values, model));
	printf("  sparks doctor%s%s\n  sparks do \"what should be true afterwards\"%s%s\n",
	       elsewhere ? " --config " : "", elsewhere ? path : "",
	       elsewhere ? " --config " : "", elsewhere ? path : "");
}

static void print_json(const char *path, GHashTable *values)
{
	const char *provider = chosen(values, "llm.provider");
	g_autofree char *model = g_strconcat(provider, ".model", NULL);
	double usd = g_ascii_strtod(chosen(values, "budget.day_usd"), NULL);
	g_autoptr(json_t) object =
		json_pack("{s:o,s:s,s:o,s:o}", "file", spk_json_text(path), "provider",
			  provider, "model",
			  spk_conf_find(model) >= 0 ? spk_json_text(chosen(values, model))
						    : json_null(),
			  "day_usd", usd > 0 ? json_real(usd) : json_null());

	spk_cmd_print_json(object);
}

static int run(const SpkArgs *args)
{
	const char *given = spk_args_str(args, "path");
	g_autofree char *path = spk_fs_expand(given ? given : "~/.sparks/config.toml");
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(GHashTable)
		values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	Answers answers = { values, NULL, spk_ui_can_ask() && !spk_args_yes(args) };
	g_autoptr(GError) error = NULL;

	if (!read_flags(&answers, args, &error) ||
	    !may_write(path, spk_args_flag(args, "force"), &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	settle_all(&answers);
	if (!write_file(path, values, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (json)
		print_json(path, values);
	else
		say_next(path, given != NULL, &answers);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "day-usd", .type = SPK_CMD_STRING, .value = "USD",
	  .sentence = "dollars that all tasks of a day may cost; 0: no limit" },
	{ "force", .type = SPK_CMD_FLAG, .sentence = "write over a file that is there" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON object on stdout" },
	{ "model", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "model of the provider" },
	{ "path", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "where to write (default: ~/.sparks/config.toml)" },
	{ "provider", .type = SPK_CMD_STRING, .value = "NAME",
	  .choices = "openai|anthropic|ollama|openrouter|zen",
	  .sentence = "whose models" },
	{ NULL },
};

const SpkCmd spk_cmd_init = {
	.name = "init",
	.usage = "",
	.summary = "Write a commented config file.",
	.details =
		"Asks for provider, model and the dollars of a day, and proposes what is here: "
		"a key in the environment or kept by `sparks secrets`, else a server on this "
		"machine that has a model. Without a terminal, or with --yes, it takes what it "
		"would have proposed. What is given by an option or by --set is not asked. A "
		"file that is there stays unless you say otherwise.",
	.example =
		"sparks init\nsparks init --yes --provider ollama --model qwen2.5-coder:14b "
		"--day-usd 5",
	.options = options,
	.run = run,
};
