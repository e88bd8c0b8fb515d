/* Markdown on a terminal: what a reader sees, and what must never reach the terminal. */
#include "cmd/chat/markdown.h"
#include "base/text.h"
#include "test_cmd.h"

static void collect(const char *text, gsize len, gpointer user)
{
	g_string_append_len(user, text, len);
}

/* Every line: no wider than the screen, its style closed, no escape but SGR. */
static char *checked(const char *source, int columns)
{
	g_autofree char *text = spk_markdown_render(source, strlen(source), columns);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GString) plain = g_string_new(NULL);

	for (char **line = lines; *line; line++) {
		gsize start = plain->len;
		gboolean styled = FALSE;

		for (const char *p = *line; *p; p++) {
			if (*p != '\033') {
				g_string_append_c(plain, *p);
				continue;
			}
			assert_int_equal(p[1], '[');
			styled = !g_str_has_prefix(p, "\033[0m");
			p += 2 + strspn(p + 2, "0123456789;");
			assert_int_equal(*p, 'm');
		}
		assert_false(styled);
		assert_true(spk_text_width(plain->str + start) <= columns);
		if (line[1])
			g_string_append_c(plain, '\n');
	}
	return g_string_free(g_steal_pointer(&plain), FALSE);
}

static void test_constructs(void **state)
{
	static const struct {
		const char *source, *plain;
	} cases[] = {
		{ "# Title\n\nA **bold** and *thin* `word`.\n",
		  "Title\n\nA bold and thin word.\n" },
		{ "- one\n- two\n  - three\n", "• one\n• two\n  • three\n" },
		{ "9. nine\n10. ten\n", "9. nine\n10. ten\n" },
		{ "> quoted\n> text\n", "│ quoted text\n" },
		{ "```c\nint x;\n```\n", "  int x;\n" },
		{ "[site](https://a.example)\n", "site (https://a.example)\n" },
		{ "<https://a.example>\n", "https://a.example\n" },
		{ "| a | b |\n|---|---|\n| 1 | two |\n", "a  b\n──────\n1  two\n" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *wide = checked(cases[i].source, 80);
		g_autofree char *narrow = checked(cases[i].source, 40);

		assert_string_equal(wide, cases[i].plain);
		assert_string_equal(narrow, cases[i].plain);
	}
}

/* A word, a mark or a nesting as wide as the screen still leaves every line within it. */
static void test_narrow(void **state)
{
	static const char *const sources[] = {
		"`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`\n",
		"**漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字**\n",
		"999999999. one that goes on over more than a line of it\n",
		"> > > > > > > > > > > > > > deep and on and on and on\n",
		"- a\n  - b\n    - c\n      - d\n        - e\n          - 999999999. f g h\n",
		"```\n\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\n```\n",
		"| aaaaaaaaaaaaaaaaaaaaaaaa | bbbbbbbbbbbbbbbbbbbbbbbbb |\n|-|-|\n| c | d |\n",
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
		for (int columns = 20; columns < 90; columns += 7)
			g_free(checked(sources[i], columns));
}

/* Without style the text passes clean, wherever its pieces are cut. */
static void test_cuts(void **state)
{
	static const char source[] = "é **漢** \033[31mred\033[0m end\n";

	(void)state;
	for (gsize cut = 0; cut < sizeof(source); cut++) {
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(SpkMarkdown) markdown = spk_markdown_new(FALSE, collect, out);
		g_autofree char *head = g_strndup(source, cut);

		spk_markdown_feed(markdown, head);
		spk_markdown_feed(markdown, source + cut);
		spk_markdown_finish(markdown);
		assert_string_equal(out->str, "é **漢** red end\n");
	}
}

/* Escape sequences in pieces of any size leave nothing of themselves on the screen. */
static void test_cut_escapes(void **state)
{
	g_autofree char *long_title = g_strnfill(5000, 'x');
	g_autofree char *endless = g_strconcat("a \033]0;", long_title, NULL);
	g_autofree char *all = g_strconcat(
		"a \033]0;owned\ab \033]8;;http://x\033\\c\033]8;;\033\\ ",
		"\033Pq \033[1m\302\234\302\23331md \302\2350;title\ae \033]0;",
		long_title, "\af \033[1;2;",
		"3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;21;22;23;",
		"24;25;26mg \033(Bh\033]0;line\ni é\033\033[0mj", NULL);
	const char *const sources[] = { all, endless };
	const char *const want[] = { "a b c d e f g h\ni éj\n", "a \n" };

	(void)state;
	for (gsize step = 1; step < 80; step++) {
		const char *source = sources[step % 2];
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(SpkMarkdown) markdown = spk_markdown_new(FALSE, collect, out);

		for (gsize at = 0; at < strlen(source); at += step / 2 + 1) {
			g_autofree char *piece = g_strndup(source + at, step / 2 + 1);

			spk_markdown_feed(markdown, piece);
		}
		spk_markdown_finish(markdown);
		assert_string_equal(out->str, want[step % 2]);
	}
}

/* Up beyond the top of the screen no cursor goes: a tall paragraph is broken before. */
static void test_tall(void **state)
{
	g_autoptr(GString) source = g_string_new(NULL), out = g_string_new(NULL);
	g_autoptr(SpkMarkdown) markdown = spk_markdown_new(TRUE, collect, out);

	(void)state;
	for (int i = 0; i < 400; i++)
		g_string_append_printf(source, "word%d ", i);
	g_string_append(source, "end.\n\nNext.\n");
	spk_markdown_screen(markdown, 40, 10);
	spk_markdown_feed(markdown, source->str);
	spk_markdown_finish(markdown);
	for (const char *p = out->str; (p = strstr(p, "\033[")); p++)
		assert_true(p[2 + strspn(p + 2, "0123456789")] != 'A' ||
			    g_ascii_strtoull(p + 2, NULL, 10) < 10);
	assert_non_null(strstr(out->str, "end.\n\n"));
}

/* A screen that became narrower below what is shown: that stays, nothing above it is lost. */
static void test_narrower(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(SpkMarkdown) markdown = spk_markdown_new(TRUE, collect, out);

	(void)state;
	spk_markdown_screen(markdown, 80, 24);
	spk_markdown_feed(
		markdown,
		"Done.\n\nSome **bold** words that fill most of this line, and");
	spk_markdown_screen(markdown, 40, 24);
	g_string_truncate(out, 0);
	spk_markdown_feed(markdown, " more of them, and more\n\nThe **end**.\n");
	spk_markdown_finish(markdown);
	assert_string_equal(out->str,
			    "\n more of them, and more\n\n"
			    "The **end**.\n\r\033[1A\033[JThe \033[0;1mend\033[0m.\n");
}

/* A megabyte of what a parser may look at twice ends soon. */
static void test_hostile(void **state)
{
	static const char *const units[] = { "[[[[", "****", "> > ", "`a``", "|a|\n" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		g_autoptr(GString) source = g_string_new(NULL);
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(SpkMarkdown) markdown = spk_markdown_new(TRUE, collect, out);
		gint64 start = g_get_monotonic_time();

		while (source->len < 1 << 20)
			g_string_append(source, units[i]);
		spk_markdown_feed(markdown, source->str);
		spk_markdown_finish(markdown);
		assert_true(out->len > 0);
		print_message("# %s: %d ms\n", i == 4 ? "table" : units[i],
			      (int)((g_get_monotonic_time() - start) / 1000));
		assert_true(g_get_monotonic_time() - start < 15 * G_USEC_PER_SEC);
	}
}

const struct CMUnitTest markdown_tests[] = {
	cmocka_unit_test(test_constructs), cmocka_unit_test(test_narrow),
	cmocka_unit_test(test_cuts),	   cmocka_unit_test(test_cut_escapes),
	cmocka_unit_test(test_tall),	   cmocka_unit_test(test_narrower),
	cmocka_unit_test(test_hostile),
};
const size_t n_markdown_tests = G_N_ELEMENTS(markdown_tests);
