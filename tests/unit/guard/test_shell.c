/*
 * The shell's lexer against the shells: what bash and dash take for a line it takes for one,
 * words come out as they do there, and its work grows with the text alone.
 */
#include "test_guard.h"

#include <string.h>

#include "guard/command/command_priv.h"
#include "guard/shell.h"
#include "test_command.h"

/* ---- which texts are lines ---- */

/* clang-format off */
static const char *const syntax[] = {
	"", "#", "# x", "\n", ";", "&", "|", "a;", "a;;", "a&", "a&;", "a & b", "a &&", "a && \n b", "a ||\n\nb", "&& a", "a |", "a |\nb", "a | | b",
	"()", "(a)", "(a;)", "(a", "a)", "(a) b", "(a) > b", "( (a) )", "((1))", "((1)", "{ a; }", "{ a }", "{ a; } > b", "{a;}", "}", "{ }", "{ a; } b", "a }",
	"if a; then b; fi", "if a then b; fi", "if a; then fi", "if; then a; fi", "if a; then b; else c; fi", "if a; then b; elif c; then d; fi", "if a; then b", "fi", "then", "if a\nthen b\nfi > c", "echo if then fi", "if a; then b; fi c", "if a; then b; fi; c", "(if a; then b; fi)", "if (a) then b; fi", "if { a; } then b; fi",
	"while a; do b; done", "until a; do b; done", "while a; b; done", "while a; do done", "while a; do b", "done", "do", "while a; do b; done < c | d", "while ! a; do b; done",
	"for i in a b; do c; done", "for i; do c; done", "for i do c; done", "for i in; do c; done", "for i in a b do c; done", "for in in in; do a; done", "for i\nin a\ndo b\ndone", "for 1 in a; do b; done\n", "for i in a; b; done", "for",
	"case a in b) c;; esac", "case a in (b) c;; esac", "case a in b|c) d;; *) e; esac", "case a in esac", "case a in b) esac", "case a in b) c esac", "case a in b) c;; d) e;; esac > f", "case a\nin\nb)\nc\n;;\nesac", "case", "case a", "case a in b c) d;; esac", "esac", "case a in b);; c) d;; esac", "case if in then) else;; esac",
	"f() { a; }", "f () { a; }", "f()\n{ a; }", "f() (a)", "f() { a; } > b", "f() if a; then b; fi", "f(", "f()", "f) a", "f(a) { b; }", "a f() { b; }",
	"a > b", "a >b", "a > b > c", "> b", "a >", "a > > b", "a 2> b", "a 2>&1", "a >&-", "a 2>&-", "a <&3", "a <> b", "a >| b", "a < b > c", "2>&1 a", "a >& b", "< a b", "a > 2>b", "a 2 > b",
	"cat <<E\na\nE", "cat <<E", "cat <<E\na", "cat << E\na\nE\n", "cat <<'E'\n$(\nE", "cat <<-E\n\ta\n\tE", "cat <<E <<F\na\nE\nb\nF", "cat <<E | b\na\nE", "(cat <<E\na\nE\n)", "cat <<E; a\nb\nE\nc", "cat <<E\n$(a)\nE", "cat <<E\n$(a\nE", "cat <<E\n`a\nE", "cat <<\"E F\"\na\nE F", "cat <<E && (a\nb\nE\n)", "cat <<", "cat <<E\n${x\nE", "cat <<E\n\\$(\nE", "cat <<\\E\n$(\nE", "cat <<E\na\\\nE\nE",
	"'", "\"", "'a", "\"a", "a'b'c", "a\"b\"c", "\"a'b\"", "'a\"b'", "\\", "a\\", "a\\\nb", "\"\\\"\"", "\"\\", "'\\'", "\"$\"", "$", "a$", "\"`a`\"", "\"`a\"", "`", "`a", "`a`", "`a;`", "``", "`a \\`b\\``", "`(`", "`)`", "\"$(a \"b\")\"", "\"$(a 'b)\"",
	"$(", "$(a", "$(a)", "$(a;)", "$()", "$( )", "$(a)b", "$(a))", "$((1))", "$((1)", "$((1+(2)))", "$(( (a) ))", "$(((1)))", "$(case a in b) c;; esac)", "$(case a in (b) c;; esac)", "$(# a\nb)", "$(a # )\n)", "$(cat <<E\na\nE\n)", "echo $(a) $(b", "$(if a; then b; fi)", "$(if a; then b)", "$(\")\")",
	"${", "${a", "${a}", "${a:-b}", "${a:-$b}", "${a:-${b}}", "${a:-$(b)}", "${a:-'}'}", "${a:-\"}\"}", "${a#b}", "${a##*/}", "${a%%b}", "${#a}", "${#}", "${a-}", "${a:=b}", "${a:?b c}", "\"${a:-b c}\"", "\"${a:-\"b\"}\"", "${a:-(}", "${a:-b;c}", "$a$b${c}", "$1", "$10", "${10}", "$@", "$#", "$?", "$$", "$!", "$-", "$*",
	"a=b", "a= b", "a=b c", "a=b c=d e", "a=", "a=$(b)", "a=`b`", "1=a", "a+b=c", "=a", "a=b > c", "a=(", "a b=c",
	"! a", "! ! a", "!a", "a | ! b", "! (a)", "a && ! b", "time a", "-a b", "[ a ]", "[ a", "test", ". a", ": a", "a\tb", "a\r", "*", "a*b?[c]", "~/a", "a~b", "{a,b}", "a{b", "a}b", "{", "\xff", "\xc3\xa4", "a\x01", "%a", "a%", "^a", "a^b", "a,b", "a@b:c/d.e-f_g+h", "a;b;c;d", "a\n\n\nb", "a # b\nc", "a#b", "a;#b", "a&#b", "(#b\na)",
	/* of bash */
	"[[ a ]]", "[[ a == b ]]", "[[ a && b || ! c ]]", "[[ (a) ]]", "[[ a =~ ^(b|c)$ ]]", "[[ -f a ]] && b", "[[ a < b ]]", "[[ $a == b* ]]", "[[", "[[ a ]] > b", "((a))", "((a++))", "((a)) && b", "((a", "for ((i=0;i<3;i++)); do a; done", "for ((;;)) { a; }", "for i in a; { b; }", "select a in b; do c; done", "function f { a; }", "function f() { a; }", "function f () (a)", "function f",
	"a <(b)", "a >(b)", "a < <(b)", "a <<<b", "a <<< \"b c\"", "a <<<", "a &>b", "a &>>b", "a |& b", "a {fd}>b", "exec {fd}<&-", "a=(b c)", "a=(b\nc)", "a=()", "a=([1]=b)", "a+=(b)", "a[1]=b", "declare -a a=(b)", "local a=(b)", "a (b)", "$'a'", "$'a\\'b'", "$\"a\"", "$'a", "coproc a", "coproc a { b; }", "case a in b) c;& d) e;;& esac", "{a..c}", "a=b c=(d) e", "time -p a", "f() { a; } 2>&1", "a;b |& c &", "${a/b/c}", "${a:1:2}", "${a^^}", "${a[@]}", "${!a}", "${a@Q}", "$[1+1]",
};

/* Lines that one of the shells takes and ours doesn't, or the other way round, and why. */
static const struct {
	const char *line, *why;
} known[] = {
	{ "echo $((rm -rf x) )", "dash has nothing but arithmetic behind \"$((\"" },
	{ "echo ${x", "never a line; here so that the list is read" },
	{ "$((1)", "dash: as above" },
	{ "${a@Q}", "dash finds out when it runs" },
	{ "for 1 in a; do b; done\n", "dash wants a name there" },
	{ "! ! a", "dash takes one" },
	{ "for i in a; { b; }", "braces there are bash's" },
	{ "case a in b) c;& d) e;;& esac", "these ends are bash's" },
	{ "cat <<E\n$(a\nE", "bash finds out when it runs" },
	{ "cat <<E\n`a\nE", "bash: as above" },
	{ "cat <<E\n${x\nE", "bash: as above" },
	{ "`(`", "bash: as above" },
	{ "`)`", "both: as above" },
};
/* clang-format on */

static gboolean is_known(const char *line)
{
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		if (!strcmp(known[i].line, line))
			return TRUE;
	return FALSE;
}

static gboolean takes(const char *shell, const char *line)
{
	const char *argv[] = { shell, "-n", "-c", "--", line, NULL };
	g_autofree char *err = NULL;
	int status = -1;

	assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
				 G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
				 NULL, NULL, &err, &status, NULL));
	/* in [[ ]] bash -n says so, and returns 0 */
	return status == 0 && !strstr(err, "rror") && !strstr(err, "conditional");
}

static gboolean we_take(const char *line, gboolean posix)
{
	g_autoptr(SpkShell) shell = spk_shell_parse(line, strlen(line), posix);

	return shell->error == NULL;
}

static guint compare(const char *line)
{
	guint wrong = 0;

	for (guint posix = 0; posix < 2; posix++) {
		const char *shell = posix ? "dash" : "bash";
		gboolean theirs = takes(shell, line), ours = we_take(line, posix);

		if (theirs == ours || is_known(line))
			continue;
		print_message("%s %s: %s\n", shell, theirs ? "takes" : "refuses", line);
		wrong++;
	}
	return wrong;
}

static gboolean has_shells(void)
{
	g_autofree char *bash = g_find_program_in_path("bash");
	g_autofree char *dash = g_find_program_in_path("dash");

	return bash && dash;
}

static void same_lines_as_the_shells(void **state)
{
	guint wrong = 0;

	if (!has_shells())
		skip();
	for (gsize i = 0; i < G_N_ELEMENTS(syntax); i++)
		wrong += compare(syntax[i]);
	for (gsize i = 0; table_line(i); i += 3)
		wrong += compare(table_line(i));
	assert_int_equal(wrong, 0);
}

/* ---- words ---- */

static const char *const pieces[] = {
	"a",	      "bc",	  "'d e'",    "\"f g\"",   "\\h",	"\\ ",
	"\"i\\\"j\"", "'k\"l'",	  "\"m'n\"",  "\\\\",	   "\"\\\\o\"", "\"\\p\"",
	"x\\\ny",     "=",	  "-",	      "+",	   "@",		",",
	"'#'",	      "q#r",	  "\"$\"",    "\\$s",	   "'$t'",	"'`'",
	"\\\"",	      "\\'",	  "''",	      "\"\"",	   "{u,v}",	"{w,x{y,z}}",
	"{1..3}",     "{c..a}",	  "{one}",    "\"{a,b}\"", "\\{a,b}",	"$'\\x41\\n'",
	"$'it\\'s'",  "$'\\101'", "\xc3\xa4", "]",
};

/* Words of pieces, with blanks between; the same for the same seed. */
static char *make_words(GRand *rand)
{
	GString *line = g_string_new(NULL);
	guint n = g_rand_int_range(rand, 1, 9);

	for (guint i = 0; i < n; i++) {
		if (i && g_rand_boolean(rand))
			g_string_append(line, g_rand_boolean(rand) ? " " : "  ");
		g_string_append(line,
				pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
	}
	return g_string_free(line, FALSE);
}

/* NULL: it refuses the line. */
static char *words_of_shell(const char *name, const char *words)
{
	g_autofree char *line = g_strconcat("set -f; printf '%s\\001' ", words, NULL);
	const char *argv[] = { name, "-c", line, NULL };
	char *out = NULL;
	int status = -1;

	assert_true(g_spawn_sync("/", (char **)argv, NULL,
				 G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
				 NULL, &out, NULL, &status, NULL));
	if (status != 0)
		g_clear_pointer(&out, g_free);
	return out;
}

static char *words_of_ours(const char *text, gboolean posix)
{
	g_autofree char *line = g_strconcat("x ", text, NULL);
	g_autoptr(SpkShell) shell = spk_shell_parse(line, strlen(line), posix);
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	GString *out = g_string_new(NULL);
	const SpkShellCommand *command = shell->commands->pdata[0];
	Words words = { NULL };

	if (shell->error)
		fail_msg("%s: %s", shell->error, line);
	words_init(&words, shell, posix);
	for (guint i = 1; i < command->n_words; i++)
		words_expand(&words, command->words[i], TRUE, list);
	for (guint i = 0; i < list->len; i++) {
		const SpkShellWord *word = list->pdata[i];

		assert_int_equal(word->n_open, 0);
		g_string_append_len(out, word->text, word->len);
		g_string_append_c(out, '\001');
	}
	words_clear(&words);
	return g_string_free(out, FALSE);
}

static void same_words_as_the_shells(void **state)
{
	GRand *rand = g_rand_new_with_seed(29);

	if (!has_shells())
		skip();
	for (guint i = 0; i < 300; i++) {
		gboolean posix = i % 3 == 0;
		g_autofree char *words = make_words(rand), *theirs = NULL, *ours = NULL;

		theirs = words_of_shell(posix ? "dash" : "bash", words);
		if (!theirs) { /* dash: a quote of $'it\'s' stays open */
			assert_true(posix && !we_take(words, TRUE));
			continue;
		}
		ours = words_of_ours(words, posix);
		if (strcmp(theirs, ours))
			fail_msg("%s\n  %s\n  %s", words, theirs, ours);
	}
	g_rand_free(rand);
}

/* What is printed reads as the same words again. */
static void printed_words_read_alike(void **state)
{
	GRand *rand = g_rand_new_with_seed(7);

	for (guint i = 0; i < 2000; i++) {
		g_autofree char *words = make_words(rand);
		g_autofree char *first = words_of_ours(words, FALSE), *second = NULL;
		g_auto(GStrv) list = g_strsplit(first, "\001", -1);
		g_autoptr(GString) quoted = g_string_new(NULL);

		for (char **word = list; word[0] && word[1]; word++) {
			g_autofree char *one = spk_shell_quote(*word);

			g_string_append_printf(quoted, " %s", one);
		}
		second = words_of_ours(quoted->str, FALSE);
		assert_string_equal(first, second);
	}
	g_rand_free(rand);
}

/* ---- what is known of a command ---- */

static void places_and_pipes(void **state)
{
	static const char line[] = "a; b | (c < d) | e 2>&1; $(f)";
	g_autoptr(SpkShell) shell = spk_shell_parse(line, strlen(line), FALSE);
	const SpkShellCommand *a = shell->commands->pdata[0],
			      *b = shell->commands->pdata[1];
	const SpkShellCommand *c = shell->commands->pdata[2],
			      *e = shell->commands->pdata[3];

	assert_null(shell->error);
	assert_false(shell->dialect);
	assert_int_equal(shell->commands->len, 6);
	assert_int_equal(a->at, 0);
	assert_true(a->sure);
	assert_int_equal(b->at, 3);
	assert_false(b->sure);
	assert_string_equal(b->tail, " | (c < d) | e 2>&1");
	assert_string_equal(c->way, "pipe, subshell");
	assert_int_equal(c->in, SPK_STDIN_PIPE);
	assert_int_equal(c->n_redirs, 1);
	assert_int_equal(e->redirs[0]->kind, SPK_REDIR_COPY);
	assert_int_equal(e->redirs[0]->fd, 2);
}

static void heredocs(void **state)
{
	static const char line[] = "a <<E <<-'F' b\n$x\nE\n\t$y\n\tF\nc";
	g_autoptr(SpkShell) shell = spk_shell_parse(line, strlen(line), FALSE);
	const SpkShellCommand *a = shell->commands->pdata[0];

	assert_int_equal(shell->commands->len, 2);
	assert_int_equal(a->n_words, 2);
	assert_int_equal(a->n_redirs, 2);
	assert_int_equal(a->redirs[0]->target->n_open, 1);
	assert_string_equal(a->redirs[1]->target->text, "$y\n");
	assert_int_equal(a->redirs[1]->target->n_open, 0);
}

/* ---- bounds ---- */

static guint64 work_of(const char *unit, guint n, const char *end)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(SpkShell) shell = NULL;

	while (text->len + strlen(unit) + strlen(end) < n)
		g_string_append(text, unit);
	g_string_append(text, end);
	shell = spk_shell_parse(text->str, text->len, FALSE);
	return shell->work;
}

/* Counted in steps, not by the clock: twice the text is at most twice the work. */
static void work_is_linear(void **state)
{
	static const char *const units[] = {
		"a ",	      "a;",	      "a|",    "a&&",	    "'a' ",
		"\"a$b\" ",   "$(",	      "$((",   "((",	    "`",
		"${a:-",      "{ ",	      "( ",    "\\\n",	    "a\\\n",
		"<<E ",	      "<<E\n",	      "$x",    "[[ ",	    "a=(",
		"if a;then ", "case a in b)", "f(){ ", "<(",	    "\"$(",
		"$'\\",	      "{a,",	      "\"`",   "#\n",	    "$((a)|(",
		"((a)|(",     "! ",	      "2>&1 ", "for i in ", "x[",
		"<<-'E'\n\t",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		guint64 half = work_of(units[i], 16384, ""),
			full = work_of(units[i], 32768, "");

		if (full > 2 * half + 4096 || full > 32768u * SPK_SHELL_WORK + 2048)
			fail_msg("\"%s\": %" G_GUINT64_FORMAT
				 " steps, then %" G_GUINT64_FORMAT,
				 units[i], half, full);
	}
}

static void nothing_crashes_it(void **state)
{
	static const char *const odd[] = { "\\",   "$",		"${",	"$((",	   "`\\",
					   "$'\\", "<<",	"<<E",	"[[ a =~", "a=(",
					   "((",   "case a in", "f(",	"{",	   "2>",
					   "{a}",  "{a}>",	"\"\\", "$'\\x",   "${#",
					   "${!",  "$[" };

	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
		for (guint posix = 0; posix < 2; posix++) {
			g_autoptr(SpkShell)
				shell = spk_shell_parse(odd[i], strlen(odd[i]), posix);

			assert_non_null(shell->normal);
		}
	for (gsize i = 0; table_line(i); i++)
		for (gsize len = 0; len <= strlen(table_line(i)); len++) {
			g_autoptr(SpkShell)
				shell = spk_shell_parse(table_line(i), len, len % 2);

			assert_non_null(shell->normal);
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(same_lines_as_the_shells),
	cmocka_unit_test(same_words_as_the_shells),
	cmocka_unit_test(printed_words_read_alike),
	cmocka_unit_test(places_and_pipes),
	cmocka_unit_test(heredocs),
	cmocka_unit_test(work_is_linear),
	cmocka_unit_test(nothing_crashes_it),
};

SUITE(shell_suite, tests);
