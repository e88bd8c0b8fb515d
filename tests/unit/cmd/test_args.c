/* The parser, with a table of its own. */
#include "base/error.h"
#include "test_cmd.h"

static int never(const SpkArgs *args)
{
	return 99;
}

static const SpkCmdOpt run_options[] = {
	{ "check", NULL, 'c', SPK_CMD_STRINGS, "CMD", .sentence = "." },
	{ "ghost", "spark", 0, SPK_CMD_STRING, "NAME", .sentence = "." },
	{ "json", NULL, 'j', SPK_CMD_FLAG, .sentence = "." },
	{ "lane", NULL, 0, SPK_CMD_STRING, "LANE", .sentence = ".",
	  .unbuilt = "leave it out" },
	{ "mode", NULL, 0, SPK_CMD_STRING, "MODE", "fast|slow", .sentence = "." },
	{ "steps", NULL, 'n', SPK_CMD_INT, "N", NULL, -5, 50, "." },
	{ NULL },
};
static const SpkCmd run_cmd = { .name = "run",
				.usage = "GOAL",
				.summary = ".",
				.example = ".",
				.options = run_options,
				.min_args = 1,
				.max_args = 1,
				.run = never };
static const SpkCmd exec_cmd = { .name = "exec",
				 .usage = "CMD",
				 .summary = ".",
				 .example = ".",
				 .options = run_options,
				 .min_args = 1,
				 .max_args = -1,
				 .rest = TRUE,
				 .run = never };
static const SpkCmd list_cmd = {
	.name = "list", .usage = "", .summary = ".", .example = ".", .run = never
};
static const SpkCmd *const subs[] = { &list_cmd, NULL };
static const SpkCmd tasks_cmd = {
	.name = "tasks", .summary = ".", .example = ".", .subs = subs
};
static const SpkCmd *const commands[] = { &exec_cmd, &run_cmd, &tasks_cmd, NULL };

static const SpkCmdLater later[] = { { "chat", "later" }, { NULL } };
static const SpkProgram program = { commands, later };

static SpkArgs *parse(const char *line, char ***ret_argv, GError **error)
{
	int argc;

	assert_true(g_shell_parse_argv(line, &argc, ret_argv, NULL));
	return spk_args_parse(&program, argc, *ret_argv, error);
}

/* "path|config|set,…|yes|ghost|mode|steps|json|check,…|rest,…", as far as it applies. */
static char *dump(const SpkArgs *args)
{
	g_autofree char *set = g_strjoinv(",", (char **)spk_args_set(args));
	g_autofree char *rest = g_strjoinv(",", (char **)spk_args_rest(args));
	g_autofree char *check = NULL;
	const char *config = spk_args_config(args);

	if (!args->cmd || args->cmd->options != run_options)
		return g_strdup_printf("%s|%s|%s|%d|%s", args->path,
				       config ? config : "-", set, spk_args_yes(args),
				       rest);
	check = g_strjoinv(",", (char **)spk_args_list(args, "check"));
	return g_strdup_printf(
		"%s|%s|%s|%d|%s|%s|%d|%d|%s|%s", args->path, config ? config : "-", set,
		spk_args_yes(args),
		spk_args_has(args, "ghost") ? spk_args_str(args, "ghost") : "-",
		spk_args_has(args, "mode") ? spk_args_str(args, "mode") : "-",
		(int)spk_args_int(args, "steps", -99), spk_args_flag(args, "json"), check,
		rest);
}

static void test_lines(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "sparks", "sparks|-||0|" },
		{ "sparks tasks", "sparks tasks|-||0|" },
		{ "sparks tasks list", "sparks tasks list|-||0|" },
		{ "sparks --config a -y tasks --set x=1 list --set=y=2 --yes",
		  "sparks tasks list|a|x=1,y=2|1|" },
		{ "sparks run g", "sparks run|-||0|-|-|-99|0||g" },
		{ "sparks run --ghost a g --steps 5 --json --mode=slow",
		  "sparks run|-||0|a|slow|5|1||g" },
		{ "sparks run --spark a g", "sparks run|-||0|a|-|-99|0||g" },
		{ "sparks run --ghost a --spark=b g", "sparks run|-||0|b|-|-99|0||g" },
		{ "sparks run --check a -c b -cc --check=d g",
		  "sparks run|-||0|-|-|-99|0|a,b,c,d|g" },
		{ "sparks run -yjn7 g", "sparks run|-||1|-|-|7|1||g" },
		{ "sparks run -n -3 g", "sparks run|-||0|-|-|-3|0||g" },
		{ "sparks run -- --json", "sparks run|-||0|-|-|-99|0||--json" },
		{ "sparks run -", "sparks run|-||0|-|-|-99|0||-" },
		{ "sparks run --ghost= ''", "sparks run|-||0||-|-99|0||" },
		{ "sparks run --check=--fast g", "sparks run|-||0|-|-|-99|0|--fast|g" },
		{ "sparks run -c - g", "sparks run|-||0|-|-|-99|0|-|g" },
		{ "sparks exec --json ls --all -y --",
		  "sparks exec|-||0|-|-|-99|1||ls,--all,-y,--" },
		{ "sparks exec -- --json", "sparks exec|-||0|-|-|-99|0||--json" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) argv = NULL;
		g_autoptr(GError) error = NULL;
		g_autoptr(SpkArgs) args = parse(rows[i].line, &argv, &error);
		g_autofree char *got = NULL;

		if (!args)
			print_error("%s: %s\n", rows[i].line, error->message);
		assert_non_null(args);
		got = dump(args);
		assert_string_equal(got, rows[i].want);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "sparks run g --check ' '", "run: --check is empty: --check CMD" },
		{ "sparks rum g", "unknown command \"rum\" (did you mean \"run\"?)" },
		{ "sparks tasks lst",
		  "tasks: unknown command \"lst\" (did you mean \"list\"?)" },
		{ "sparks chat", "`sparks chat` is not in this version" },
		{ "sparks tasks chat", "tasks: unknown command \"chat\"" },
		{ "sparks run --jsn g",
		  "run: unknown option --jsn (did you mean \"--json\"?)" },
		{ "sparks run --jsn=1 g", "unknown option --jsn (did" },
		{ "sparks run --sprak x g", "(did you mean \"--spark\"?)" },
		{ "sparks run -x g", "run: unknown option -x" },
		{ "sparks run -jé g", "run: unknown option -é" },
		{ "sparks --json run g", "options of a command stand after its name" },
		{ "sparks tasks list --json", "tasks list: unknown option --json" },
		{ "sparks run", "run: GOAL is missing: sparks run GOAL" },
		{ "sparks run a b",
		  "\"b\" is one word too many; put text with blanks in quotes" },
		{ "sparks tasks list x", "\"x\" is one word too many" },
		{ "sparks run g --ghost", "--ghost needs a value: --ghost NAME" },
		{ "sparks run g --ghost --json",
		  "--ghost needs a value, but --json follows" },
		{ "sparks run g -c -j", "--check needs a value, but -j follows" },
		{ "sparks run g --json=1", "--json takes no value" },
		{ "sparks run g -n 51",
		  "--steps is \"51\", but must be a whole number from -5 to 50" },
		{ "sparks run g -n 1x", "--steps is \"1x\"" },
		{ "sparks run g --steps=", "--steps is \"\"" },
		{ "sparks run g --mode fst",
		  "--mode is \"fst\", but must be one of fast, slow (did you mean \"fast\"?)" },
		{ "sparks run g --lane x", "--lane is not in this version" },
		{ "sparks run g --lane", "--lane is not in this version" },
		{ "sparks run g --lane=x", "--lane is not in this version" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) argv = NULL;
		g_autoptr(GError) error = NULL;

		assert_null(parse(rows[i].line, &argv, &error));
		assert_true(spk_error_is(error, SPK_ERR_USAGE));
		assert_non_null(spk_error_hint(error));
		if (!strstr(error->message, rows[i].message))
			print_error("%s: %s\n", rows[i].line, error->message);
		assert_has(error->message, rows[i].message);
	}
}

/* Help and version need nothing else to be right. */
static void test_help_anywhere(void **state)
{
	static const char *const lines[] = {
		"sparks --help", "sparks run --help",	"sparks --help run",
		"sparks run -h", "sparks run a b c -h", "sparks tasks --help"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_auto(GStrv) argv = NULL;
		g_autoptr(SpkArgs) args = parse(lines[i], &argv, NULL);

		assert_non_null(args);
		assert_true(args->help);
		assert_false(args->version);
	}
}

static void test_help_is_not_taken_from_the_rest(void **state)
{
	g_auto(GStrv) argv = NULL;
	g_autoptr(SpkArgs) args = parse("sparks exec ls --help", &argv, NULL);

	assert_non_null(args);
	assert_false(args->help);
}

const struct CMUnitTest args_tests[] = {
	cmocka_unit_test(test_lines),
	cmocka_unit_test(test_refusals),
	cmocka_unit_test(test_help_anywhere),
	cmocka_unit_test(test_help_is_not_taken_from_the_rest),
};
const size_t n_args_tests = G_N_ELEMENTS(args_tests);
