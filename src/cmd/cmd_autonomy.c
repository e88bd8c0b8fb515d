/* `sparks autonomy`: what each level may do, which level holds where, and setting one for good. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"
#include "cmd/submit.h"
#include "guard/autonomy.h"

/* The folder that --repo names; NULL and *ret_ok TRUE: it was not given. */
static char *folder_of(const SpkArgs *args, gboolean *ret_ok, GError **error)
{
	const char *given = spk_args_str(args, "repo"), *label = NULL;
	g_autofree char *folder = given ? spk_submit_folder(given, &label, error) : NULL;

	*ret_ok = !given || (folder && !label);
	if (label)
		spk_error_set(error, SPK_ERR_USAGE, "as in --repo .",
			      "--repo %s is no folder, and levels are kept by folder",
			      given);
	return *ret_ok ? g_steal_pointer(&folder) : NULL;
}

/* ---- show ---- */

static void print_ladder(void)
{
	static const char *const marks[] = { "alone", "asks", "never" };

	printf("%-46s", "a call that");
	for (guint level = 0; level < SPK_N_LEVELS; level++)
		printf(" %-10s", spk_level_name(level));
	putchar('\n');
	for (guint does = 0; does < SPK_N_DOES; does++) {
		printf("%-46s", spk_does_sentence(does));
		for (guint level = 0; level < SPK_N_LEVELS; level++) {
			SpkLawVerdict low = spk_ladder_verdict(level, does, SPK_RISK_LOW);
			SpkLawVerdict high =
				spk_ladder_verdict(level, does, SPK_RISK_HIGH);

			printf(" %s%-*s", marks[low], 10 - (int)strlen(marks[low]),
			       low == high ? "" : "*");
		}
		putchar('\n');
	}
	puts("* asks at high risk. Deny rules, sensitive files and taint hold at every level "
	     "(docs/law.md).");
}

static json_t *row_to_json(const SpkLevelRow *row)
{
	return json_pack("{s:o,s:o,s:s,s:o,s:I}", "spark",
			 *row->spark ? spk_json_text(row->spark) : json_null(), "repo",
			 *row->repo ? spk_json_text(row->repo) : json_null(), "level",
			 row->level, "by", spk_json_text(row->by), "set_us",
			 (json_int_t)row->set_us);
}

/* One entry for each spark: the level in force in `folder`, and why. */
static json_t *in_force(const SpkConf *conf, const GPtrArray *sparks,
			const GPtrArray *rows, const char *folder)
{
	json_t *list = json_array();

	for (guint i = 0; i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		g_auto(SpkLevelHeld) held = { 0 };

		spk_autonomy_find(conf, rows, spark->name, spark->autonomy, folder,
				  &held);
		json_array_append_new(list,
				      json_pack("{s:s,s:i,s:s,s:o}", "spark", spark->name,
						"level", (int)held.level, "name",
						spk_level_name(held.level), "from",
						spk_json_text(held.from)));
	}
	return list;
}

static void print_in_force(const json_t *list, const char *folder)
{
	g_autofree char *clean = spk_text_clean(folder, -1, SPK_CLEAN_LINE);
	const json_t *item;
	size_t i;

	printf("\nin force in %s:\n", clean);
	json_array_foreach(list, i, item) {
		g_autofree char *from =
			spk_text_clean(spk_json_str(item, "from"), -1, SPK_CLEAN_LINE);

		printf("  %-20s %" JSON_INTEGER_FORMAT " %-11s %s\n",
		       spk_json_str(item, "spark"),
		       (json_int_t)spk_json_int(item, "level", 0),
		       spk_json_str(item, "name"), from);
	}
}

static void print_rows(const GPtrArray *rows)
{
	if (rows->len)
		puts("\nset (`sparks autonomy reset` drops one):");
	for (guint i = 0; i < rows->len; i++) {
		const SpkLevelRow *row = rows->pdata[i];
		g_autofree char *repo = spk_text_clean(row->repo, -1, SPK_CLEAN_LINE);

		printf("  %-11s %s%s%s%s, by %s\n", row->level,
		       *row->spark ? "--spark " : "", row->spark,
		       *repo ? (*row->spark ? " --repo " : "--repo ") : "", repo,
		       row->by);
	}
}

static int run_show(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL, sparks = NULL;
	g_autoptr(json_t) held = NULL, set = json_array(), object = NULL;
	g_autofree char *folder = NULL;
	gboolean ok;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	folder = folder_of(args, &ok, &error);
	if (ok && !folder)
		folder = g_get_current_dir();
	rows = ok ? spk_levels_list(session.store, &error) : NULL;
	sparks = rows ? spk_sparks(session.conf, &error) : NULL;
	if (!sparks)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	held = in_force(session.conf, sparks, rows, folder);
	if (!session.json) {
		print_ladder();
		print_in_force(held, folder);
		print_rows(rows);
		return 0;
	}
	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(set, row_to_json(rows->pdata[i]));
	object = json_pack("{s:o,s:o,s:O,s:O}", "levels", spk_ladder_to_json(), "repo",
			   spk_json_text(folder), "in_force", held, "set", set);
	spk_cmd_print_json(object);
	return 0;
}

/* ---- set, reset ---- */

static gboolean check_spark(const SpkSession *session, const char *name, GError **error)
{
	g_autoptr(SpkSpark) spark = name ? spk_spark_find(session->conf, name, error)
					 : NULL;

	return !name || spark;
}

static void say_set(const SpkSession *session, const SpkLevelRow *row)
{
	g_autoptr(json_t) object = row_to_json(row);
	SpkLevel level;

	if (session->json) {
		spk_cmd_print_json(object);
		return;
	}
	(void)spk_level_parse(row->level, &level); /* it is one */
	printf("level %s: a spark %s\n", row->level, spk_level_sentence(level));
	puts("Tasks that were given before keep theirs.");
}

static int run_set(const SpkArgs *args)
{
	const char *spark = spk_args_str(args, "spark");
	const char *word = spk_args_rest(args)[0];
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = NULL, *hint = NULL;
	SpkLevel level;
	gboolean ok;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	folder = folder_of(args, &ok, &error);
	if (ok && !spk_level_parse(word, &level)) {
		hint = spk_level_hint(word);
		spk_error_set(&error, SPK_ERR_USAGE, hint, "\"%s\" is no level", word);
	}
	if (error || !check_spark(&session, spark, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);

	SpkLevelRow row = { .spark = (char *)(spark ? spark : ""),
			    .repo = folder ? folder : (char *)"",
			    .level = (char *)spk_level_name(level),
			    .by = (char *)g_get_user_name() };

	if (!spk_levels_put(session.store, &row, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	say_set(&session, &row);
	return 0;
}

static int run_reset(const SpkArgs *args)
{
	const char *spark = spk_args_str(args, "spark");
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *folder = NULL;
	gboolean ok, was;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	folder = folder_of(args, &ok, &error);
	if (!ok || !spk_levels_drop(session.store, spark ? spark : "",
				    folder ? folder : "", &was, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	object = json_pack("{s:o,s:o,s:b}", "spark", spk_json_text(spark), "repo",
			   spk_json_text(folder), "was_set", was);
	if (session.json)
		spk_cmd_print_json(object);
	else
		puts(was ? "reset: what else is configured holds again"
			 : "nothing was set for that; `sparks autonomy show` lists what is");
	return 0;
}

static const SpkCmdOpt of_whom[] = {
	{ "spark", "ghost", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "of this spark; without: of every one" },
	{ "repo", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "in this folder and below; without: everywhere" },
	SPK_OPT_JSON,
	{ NULL },
};

static const SpkCmdOpt show_options[] = {
	{ "repo", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "the levels in force there; without: here" },
	SPK_OPT_JSON,
	{ NULL },
};

static const SpkCmd show = {
	.name = "show",
	.usage = "",
	.summary =
		"Show what each level may do, and which level holds for each spark here.",
	.example = "sparks autonomy show --json",
	.options = show_options,
	.run = run_show,
};

static const SpkCmd set = {
	.name = "set",
	.usage = "LEVEL",
	.summary = "Set a level for good: for a spark, for a repository, or for all.",
	.details =
		"LEVEL is observe, propose, assist, deliver or autonomous, or 0 to 4. What "
		"names the spark and the repository wins; else the least of what names one of "
		"them; else what holds for all. `sparks do --level` lowers it for one task.",
	.example = "sparks autonomy set propose --repo .",
	.options = of_whom,
	.min_args = 1,
	.max_args = 1,
	.run = run_set,
};

static const SpkCmd reset = {
	.name = "reset",
	.usage = "",
	.summary = "Drop a level that was set.",
	.example = "sparks autonomy reset --repo .",
	.options = of_whom,
	.run = run_reset,
};

static const SpkCmd *const subs[] = { &reset, &set, &show, NULL };

const SpkCmd spk_cmd_autonomy = {
	.name = "autonomy",
	.summary = "What sparks may do alone, ask for, and never do.",
	.example = "sparks autonomy show",
	.subs = subs,
};
