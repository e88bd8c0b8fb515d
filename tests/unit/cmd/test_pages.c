/* What the table of commands turns into: help, the manual page, completions. */
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cmd/config/optdoc.h"
#include "test_cmd.h"

typedef void (*Visit)(const char *path, const SpkCmd *cmd, gpointer data);

static void walk(const char *prefix, const SpkCmd *const *commands, Visit visit,
		 gpointer data)
{
	for (; *commands; commands++) {
		g_autofree char *path =
			g_strdup_printf("%s %s", prefix, (*commands)->name);

		visit(path, *commands, data);
		if ((*commands)->subs)
			walk(path, (*commands)->subs, visit, data);
	}
}

static void check_options(const SpkCmdOpt *opt)
{
	for (; opt && opt->name; opt++) {
		assert_non_null(opt->sentence);
		assert_int_equal(opt->value != NULL, opt->type != SPK_CMD_FLAG);
		assert_true(opt->type != SPK_CMD_INT || opt->min < opt->max ||
			    opt->unbuilt);
		for (const SpkCmdOpt *other = opt + 1; other->name; other++) {
			assert_string_not_equal(opt->name, other->name);
			assert_true(!opt->letter || opt->letter != other->letter);
		}
		for (const SpkCmdOpt *global = spk_cmd_globals; global->name; global++) {
			assert_string_not_equal(opt->name, global->name);
			assert_true(!opt->letter || opt->letter != global->letter);
		}
	}
}

static void check_command(const char *path, const SpkCmd *cmd, gpointer data)
{
	assert_non_null(cmd->summary);
	assert_non_null(cmd->example);
	assert_has(cmd->example, "sparks ");
	assert_true(cmd->subs || cmd->run);
	assert_int_equal(cmd->run == NULL, cmd->usage == NULL);
	assert_true(cmd->max_args < 0 || cmd->min_args <= cmd->max_args);
	check_options(cmd->options);
	for (const SpkCmd *const *sub = cmd->subs; sub && sub[0] && sub[1]; sub++)
		assert_true(strcmp(sub[0]->name, sub[1]->name) < 0);
}

static void test_table(void **state)
{
	for (const SpkCmd *const *cmd = spk_program.commands; cmd[0] && cmd[1]; cmd++)
		assert_true(strcmp(cmd[0]->name, cmd[1]->name) < 0);
	walk("sparks", spk_program.commands, check_command, NULL);
}

/* --help of each command: usage, every option, the example, within the width. */
static void check_help(const char *path, const SpkCmd *cmd, gpointer data)
{
	g_auto(GStrv) words = g_strsplit(path + strlen("sparks "), " ", -1);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_auto(Ran) ran = { 0 };
	g_autofree char *usage = g_strconcat("usage: ", path, NULL);

	for (char **word = words; *word; word++)
		g_ptr_array_add(argv, *word);
	g_ptr_array_add(argv, (gpointer) "--help");
	g_ptr_array_add(argv, NULL);
	ran = run_sparks((const char *const *)argv->pdata);
	assert_int_equal(ran.exit_code, 0);
	assert_string_equal(ran.err, "");
	assert_true(g_str_has_prefix(ran.out, usage));
	assert_has(ran.out, "\nexample:\n");
	for (const SpkCmdOpt *opt = cmd->options; opt && opt->name; opt++) {
		g_autofree char *name = g_strconcat("--", opt->name, NULL);

		assert_has(ran.out, name);
	}
}

static void test_help_of_every_command(void **state)
{
	walk("sparks", spk_program.commands, check_help, NULL);
}

static void test_help_is_wrapped(void **state)
{
	g_autofree char *text =
		spk_help_text("sparks config", spk_program.commands[0], 60);
	g_autofree char *program = spk_help_program(&spk_program, 100);
	g_auto(GStrv) lines = g_strsplit(program, "\n", -1);

	for (char **line = lines; *line; line++)
		assert_true(spk_text_width(*line) < 92);
	assert_has(text, "usage: sparks config");
	for (const SpkCmd *const *cmd = spk_program.commands; *cmd; cmd++)
		assert_has(program, (*cmd)->name);
}

/* ---- manual page ---- */
static char *escaped(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "-", -1);

	return g_strjoinv("\\-", parts);
}

static void check_in_page(const char *path, const SpkCmd *cmd, gpointer page)
{
	g_autofree char *name = escaped(path + strlen("sparks "));
	g_autofree char *heading = g_strconcat(".SS ", name, NULL);

	if (cmd->run)
		assert_has((char *)page, heading);
	for (const SpkCmdOpt *opt = cmd->options; opt && opt->name; opt++) {
		g_autofree char *long_name = g_strconcat("--", opt->name, NULL);
		g_autofree char *tag = escaped(long_name);

		assert_has((char *)page, tag);
	}
}

static void test_page_has_everything(void **state)
{
	g_autofree char *page = spk_help_man(&spk_program);
	g_autofree char *options = spk_optdoc_man();

	walk("sparks", spk_program.commands, check_in_page, page);
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		assert_has(options, opt->name);
	for (int code = 0; code < SPK_N_ERRS; code++) {
		g_autofree char *tag = g_strdup_printf(
			"\\fB%d\\fR", spk_err_info((SpkErr)code)->exit_code);

		assert_has(page, tag);
	}
}

/* Each line is text or one of the requests that we mean. */
static void test_page_is_well_formed(void **state)
{
	static const char *const known[] = { ".TH", ".SH", ".SS", ".TP", ".PP",
					     ".RS", ".RE", ".nf", ".fi", ".B",
					     ".I",  ".RI", NULL };
	g_autofree char *page = spk_help_man(&spk_program);
	g_auto(GStrv) lines = g_strsplit(page, "\n", -1);

	assert_true(g_utf8_validate(page, -1, NULL));
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", 2);

		if (**line == '.')
			assert_true(g_strv_contains(known, words[0]));
		assert_true(**line != '\'' && (**line || !line[1]));
	}
}

/* Where groff is installed it must have nothing to say. */
static void render(const char *page, const char *want)
{
	g_autofree char *groff = g_find_program_in_path("groff");
	const char *argv[] = { groff, "-man",	 "-ww",	   "-Tutf8",
			       "-k",  "-P-cbou", "page.1", NULL };
	g_autofree char *out = NULL;
	g_autofree char *err = NULL;
	int status;

	if (!groff)
		return;
	assert_true(g_file_set_contents("page.1", page, -1, NULL));
	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
				 &out, &err, &status, NULL));
	assert_string_equal(err, "");
	assert_int_equal(status, 0);
	assert_has(out, want);
}

static void test_page_renders(void **state)
{
	g_autofree char *page = spk_help_man(&spk_program);
	g_autofree char *options = spk_optdoc_man();

	render(page, "EXIT STATUS");
	render(options, "PRECEDENCE");
}

/* ---- completions ---- */
static char *complete(const char *words)
{
	g_auto(Ran) ran = RUN("completions", "bash");
	g_autofree char *script = NULL;
	const char *argv[] = { "bash", "-uec", NULL, NULL };
	g_autofree char *out = NULL;
	g_autofree char *err = NULL;

	assert_int_equal(ran.exit_code, 0);
	script = g_strdup_printf(
		"%s\nCOMP_WORDS=(%s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
		"_sparks\nprintf '%%s ' \"${COMPREPLY[@]}\"\n",
		ran.out, words);
	argv[2] = script;
	assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
				 NULL, &out, &err, NULL, NULL));
	assert_string_equal(err, "");
	return g_steal_pointer(&out);
}

static void test_bash(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
		{ "sparks conf", "config " },
		{ "sparks --config x config sh", "show " },
		{ "sparks config --config config tr", "trust " },
		{ "sparks config show --js", "--json " },
		{ "sparks nonsense config ch", "check " },
		{ "sparks --config ''", " " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = complete(rows[i].words);

		assert_string_equal(got, rows[i].want);
	}
}

static void check_in_script(const char *path, const SpkCmd *cmd, gpointer script)
{
	assert_has((char *)script, cmd->name);
	for (const SpkCmdOpt *opt = cmd->options; opt && opt->name; opt++)
		if (!opt->unbuilt)
			assert_has((char *)script, opt->name);
}

static void test_every_shell(void **state)
{
	static const char *const shells[] = { "bash", "fish", "zsh" };
	g_auto(Ran) other = RUN("completions", "csh");

	for (gsize i = 0; i < G_N_ELEMENTS(shells); i++) {
		g_auto(Ran) ran = RUN("completions", shells[i]);

		assert_int_equal(ran.exit_code, 0);
		walk("sparks", spk_program.commands, check_in_script, ran.out);
	}
	assert_int_equal(other.exit_code, 2);
	assert_has(other.err, "choose bash, fish or zsh");
}

#define T(f) cmocka_unit_test_setup_teardown(f, cmd_setup, cmd_teardown)
const struct CMUnitTest pages_tests[] = {
	T(test_table),
	T(test_help_of_every_command),
	T(test_help_is_wrapped),
	T(test_page_has_everything),
	T(test_page_is_well_formed),
	T(test_page_renders),
	T(test_bash),
	T(test_every_shell),
};
const size_t n_pages_tests = G_N_ELEMENTS(pages_tests);
