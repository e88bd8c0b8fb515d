#include "test_guard.h"

#include <string.h>

#include "guard/guard.h"
#include "guard/path.h"

typedef struct {
	const char *path, *rule;
	const char *words; /* in the reason; NULL: any */
} Row;

/* clang-format off */
static const Row refused[] = {
	/* out of the tree */
	{ "..", "path.outside", "\"..\" leads out" },
	{ "../x", "path.outside", "\"..\" leads out" },
	{ "../../etc/passwd", "path.outside", NULL },
	{ "a/../../x", "path.outside", NULL },
	{ "a/b/../../../x", "path.outside", NULL },
	{ "./../x", "path.outside", NULL },
	{ ".//..//x", "path.outside", NULL },
	{ "a/./../../x", "path.outside", NULL },
	{ "a/../..", "path.outside", NULL },
	{ "../work/x", "path.outside", NULL },
	{ "/", "path.outside", "absolute" },
	{ "/etc/passwd", "path.outside", "absolute" },
	{ "//etc/passwd", "path.outside", "absolute" },
	{ "/work/../etc/passwd", "path.outside", "absolute" },
	{ "/../../etc/passwd", "path.outside", "absolute" },
	{ "/root/.ssh/id_rsa", "path.outside", "absolute" },
	{ "~", "path.outside", "home" },
	{ "~/.ssh/id_rsa", "path.outside", "home" },
	{ "C:\\Windows\\x", "path.outside", "drive" },
	{ "c:/Windows/x", "path.outside", "drive" },
	{ "file:///etc/passwd", "path.outside", "URL" },
	{ "FILE:///etc/passwd", "path.outside", "URL" },
	{ "http://x/y", "path.outside", "URL" },

	/* what the kernel hands out */
	{ "/proc/self/fd/3", "path.kernel", "/proc" },
	{ "/proc/self/root/etc/shadow", "path.kernel", "/proc" },
	{ "/proc/self/cwd/.env", "path.kernel", "/proc" },
	{ "/proc/self/environ", "path.kernel", "/proc" },
	{ "/proc/1/environ", "path.kernel", "/proc" },
	{ "/proc/thread-self/root/x", "path.kernel", "/proc" },
	{ "/proc/self/map_files/x", "path.kernel", "/proc" },
	{ "/proc", "path.kernel", "/proc" },
	{ "//proc//self/mem", "path.kernel", "/proc" },
	{ "/x/../proc/self/mem", "path.kernel", "/proc" },
	{ "/./proc/self/mem", "path.kernel", "/proc" },
	{ "/dev/fd/3", "path.kernel", "/dev" },
	{ "/dev/stdin", "path.kernel", "/dev" },
	{ "/dev/mem", "path.kernel", "/dev" },
	{ "/dev/shm/x", "path.kernel", "/dev" },
	{ "/dev/tcp/127.0.0.1/80", "path.kernel", "/dev" },
	{ "/sys/kernel/x", "path.kernel", "/sys" },

	/* no paths */
	{ "", "path.form", "empty" },
	{ "a\nb", "path.form", "control" },
	{ "a\tb", "path.form", "control" },
	{ "a\rb", "path.form", "control" },
	{ "\x1b[2Jx", "path.form", "control" },
	{ "a\x7f", "path.form", "control" },
	{ "a\x01", "path.form", "control" },
	{ "a\xc2\x9bx", "path.form", "control" },
	{ "a\xc2\x85x", "path.form", "control" },
	{ "a\xff", "path.form", "UTF-8" },
	{ "\xc0\xae\xc0\xae/x", "path.form", "UTF-8" },	  /* overlong dots */
	{ "..\xc0\xafx", "path.form", "UTF-8" },	  /* overlong slash */
	{ "..\xe0\x80\xafx", "path.form", "UTF-8" },
	{ "a\xed\xa0\x80", "path.form", "UTF-8" },	  /* a surrogate */
	{ "a\xe2\x80", "path.form", "UTF-8" },
	{ ".env\n", "path.form", "control" },
	{ "x\xe2\x80\x8by", "path.form", "U+200B" },	  /* zero width space */
	{ "x\xe2\x80\x8cy", "path.form", "U+200C" },
	{ "x\xe2\x80\x8dy", "path.form", "U+200D" },
	{ "x\xe2\x80\x8ey", "path.form", "U+200E" },
	{ "cod\xe2\x80\xae" "txt.exe", "path.form", "U+202E" }, /* right to left */
	{ "x\xe2\x81\xa6y", "path.form", "U+2066" },
	{ "x\xe2\x81\xa0y", "path.form", "U+2060" },
	{ "\xef\xbb\xbfx", "path.form", "U+FEFF" },
	{ "so\xc2\xad" "ft", "path.form", "U+00AD" },
	{ "x\xe2\x80\xa8y", "path.form", "U+2028" },
	{ "x\xf3\xa0\x81\x81", "path.form", "U+E0041" },  /* a tag */
	{ "x\xe3\x85\xa4", "path.form", "U+3164" },	  /* Hangul filler */

	/* git's own folder */
	{ ".git", "path.git", NULL },
	{ ".git/config", "path.git", NULL },
	{ ".git/hooks/pre-commit", "path.git", NULL },
	{ ".GIT/config", "path.git", NULL },
	{ ".Git", "path.git", NULL },
	{ "a/.git/config", "path.git", NULL },
	{ "./.git/config", "path.git", NULL },
	{ "a/../.git/config", "path.git", NULL },
	{ "vendor/x/.gIT", "path.git", NULL },
	{ "git~1/config", "path.lookalike", ".git" },
	{ "GIT~1", "path.lookalike", ".git" },
	{ "a/Git~2/x", "path.lookalike", ".git" },
	{ ".git./config", "path.lookalike", ".git" },
	{ ".git /config", "path.lookalike", ".git" },
	{ ".git.. ./config", "path.lookalike", ".git" },
	{ ".git::$INDEX_ALLOCATION/config", "path.lookalike", ".git" },
	{ ".g\xe2\x80\x8cit/config", "path.lookalike", ".git" },
	{ ".gi\xe2\x80\x8dt", "path.lookalike", ".git" },
	{ "\xef\xbb\xbf.git", "path.lookalike", ".git" },
	{ ".g\xd1\x96t/config", "path.lookalike", ".git" }, /* a Cyrillic i */
	{ "．ｇｉｔ/config", "path.lookalike", ".git" },
	{ ".ɡit/config", "path.lookalike", ".git" },
	{ ".gıt/config", "path.lookalike", ".git" },
	{ "%2egit/config", "path.lookalike", ".git" },
	{ "a\\.git\\config", "path.lookalike", ".git" },

	/* sensitive files */
	{ ".env", "path.secret", "matches .env" },
	{ ".ENV", "path.secret", NULL },
	{ ".Env", "path.secret", NULL },
	{ "./.env", "path.secret", NULL },
	{ ".//.env", "path.secret", NULL },
	{ ".env/", "path.secret", NULL },
	{ ".env/.", "path.secret", NULL },
	{ "a/../.env", "path.secret", NULL },
	{ "a/b/../../.env", "path.secret", NULL },
	{ "config/.env.production", "path.secret", ".env.*" },
	{ ".env.local", "path.secret", NULL },
	{ "server.pem", "path.secret", "*.pem" },
	{ "SERVER.PEM", "path.secret", NULL },
	{ "tls/x.key", "path.secret", NULL },
	{ "id_rsa", "path.secret", NULL },
	{ "keys/id_ed25519", "path.secret", NULL },
	{ "credentials.json", "path.secret", NULL },
	{ "Credentials.JSON", "path.secret", NULL },
	{ ".aws/credentials", "path.secret", NULL },
	{ "home/.ssh/config", "path.secret", NULL },
	{ ".netrc", "path.secret", NULL },
	{ ".kube/config", "path.secret", NULL },
	{ "secrets.toml", "path.secret", NULL },
	{ "x.p12", "path.secret", NULL },

	/* what passes for one of these */
	{ ".env.", "path.secret", NULL }, /* ".env.*" */
	{ ".env ", "path.lookalike", "\".env\"" },
	{ ".env . .", "path.lookalike", "\".env\"" },
	{ " .env", "path.lookalike", "\".env\"" },
	{ ".env\xc2\xa0", "path.lookalike", "\".env\"" },
	{ ".env::$DATA", "path.lookalike", "\".env\"" },
	{ ".env:x", "path.lookalike", "\".env\"" },
	{ "id_rsa.", "path.secret", NULL },
	{ "credentials.json.", "path.lookalike", "credentials.json" },
	{ "server.pem ", "path.lookalike", "*.pem" },
	{ "．env", "path.lookalike", "\".env\"" },
	{ ".ｅｎｖ", "path.lookalike", "\".env\"" },
	{ "․env", "path.lookalike", "\".env\"" },	/* one dot leader */
	{ "。env", "path.lookalike", "\".env\"" },
	{ "﹒env", "path.lookalike", "\".env\"" },
	{ ".𝐞𝐧𝐯", "path.lookalike", "\".env\"" },
	{ ".ⓔⓝⓥ", "path.lookalike", "\".env\"" },
	{ ".еnv", "path.lookalike", "\".env\"" },	/* a Cyrillic e */
	{ ".enν", "path.lookalike", "\".env\"" },	/* a Greek nu */
	{ ".eոv", "path.lookalike", "\".env\"" },	/* an Armenian vo */
	{ ".ЕNV", "path.lookalike", "\".env\"" },
	{ ".e\xcc\x81nv", "path.lookalike", "\".env\"" }, /* a combining accent */
	{ ".e\xcd\x8fnv", "path.lookalike", "\".env\"" }, /* a grapheme joiner */
	{ ".énv", "path.lookalike", "\".env\"" },
	{ ".e\xe2\x80\x8bnv", "path.lookalike", "\".env\"" },
	{ ".en\xc2\xadv", "path.lookalike", "\".env\"" },
	{ "\xe2\x80\xae.env", "path.lookalike", "\".env\"" },
	{ ".env\xef\xb8\x8f", "path.lookalike", "\".env\"" }, /* a variation selector */
	{ "x.рem", "path.lookalike", "*.pem" },
	{ "x.ᵖem", "path.lookalike", "*.pem" },
	{ "x.\xe2\x84\xaa" "ey", "path.lookalike", "*.key" }, /* the Kelvin sign */
	{ "id＿rsa", "path.lookalike", "id_rsa*" },
	{ ".ſsh/x", "path.lookalike", ".ssh/" },
	{ "credentials．json", "path.lookalike", NULL },
	{ "%2eenv", "path.lookalike", "\".env\"" },
	{ "%252eenv", "path.lookalike", "\".env\"" },
	{ ".%65nv", "path.lookalike", "\".env\"" },
	{ "a\\.env", "path.lookalike", ".env" },
	{ "%2e%2e/x", "path.lookalike", "outside" },
	{ "%2e%2e%2fetc%2fpasswd", "path.lookalike", "outside" },
	{ "..%2fx", "path.lookalike", "outside" },
	{ "%252e%252e/x", "path.lookalike", "outside" },
	{ "..\\x", "path.lookalike", "outside" },
	{ "..\\..\\etc\\passwd", "path.lookalike", "outside" },
	{ "\\\\server\\share", "path.lookalike", "outside" },
	{ "．．/x", "path.lookalike", "outside" },
	{ "‥/x", "path.lookalike", "outside" },		/* two dot leader */
	{ "․․/x", "path.lookalike", "outside" },
	{ "。。/x", "path.lookalike", "outside" },
	{ "..／x", "path.lookalike", "outside" },
	{ "..∕x", "path.lookalike", "outside" },
	{ "..⁄x", "path.lookalike", "outside" },
	{ "／etc／passwd", "path.lookalike", "outside" },
	{ ".\xe2\x80\x8b./x", "path.lookalike", "outside" },
	{ "..\xe2\x80\x8b/x", "path.lookalike", "outside" },
	{ ".. /x", "path.lookalike", NULL },
};

static const char *const allowed[] = {
	"a", "a/b.c", "./a", "a/../b", "a/./b", ".", "./", "a//b", "...a", "..a", "a..", "a..b",
	".gitignore", ".github/workflows/ci.yml", ".gitattributes", "git", "git~", "x.git.txt",
	".env.example", "a/.env.sample", ".envrc", "env", "id_rsa.pub", "key.c", "monkey",
	"with blank.txt", "Übung/größe.md", "日本語.txt", "файл.txt", "ελληνικά.md", "50%.txt",
	"100%25.txt", "a:b", "a~b", "~x", "what?.c", "star*.c", "[x].c", "quote\"'.c", "$HOME",
	"-rf", "--", "👩\xe2\x80\x8d👩.md", "می\xe2\x80\x8cخواهم.txt", "e\xcc\x81.txt", "C", "c.d:e",
	"proc/self/fd", "dev/null", "etc/passwd", "sub/proc", "#x#", "x.", "x ", "tsx/[id].tsx",
	"a,b;c", "(paren)", "{brace}", "a@b", "config.toml", ".npmrc",
};
/* clang-format on */

static void judge_row(const Row *row, gboolean write)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge(row->path, write, NULL, &decision);
	if (decision.verdict != SPK_LAW_DENY || g_strcmp0(decision.rule, row->rule))
		fail_msg("%s: %s by %s (%s), wanted %s", row->path,
			 spk_law_name(decision.verdict), decision.rule, decision.why,
			 row->rule);
	if (row->words && !strstr(decision.why, row->words))
		fail_msg("%s: \"%s\" does not say \"%s\"", row->path, decision.why,
			 row->words);
	assert_true(!decision.what || g_utf8_validate(decision.what, -1, NULL));
	for (const char *at = decision.what; at && *at; at++)
		assert_false(g_ascii_iscntrl(*at));
}

static void refuses(void **state)
{
	assert_true(G_N_ELEMENTS(refused) >= 150);
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		judge_row(&refused[i], FALSE);
		judge_row(&refused[i], TRUE);
	}
}

static void allows(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++) {
		g_auto(SpkDecision) decision = { 0 };

		spk_path_judge(allowed[i], FALSE, NULL, &decision);
		if (decision.verdict != SPK_LAW_ALLOW)
			fail_msg("%s: %s: %s", allowed[i], decision.rule, decision.why);
		assert_string_equal(decision.rule, "path.tree");
	}
}

/* Files of such names are there and may be read; new ones would be others elsewhere. */
static void writing_is_stricter(void **state)
{
	static const char *const names[] = { "x.", "x ", "a./b", "a /b", "x..", "x. ." };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_auto(SpkDecision) decision = { 0 };

		spk_path_judge(names[i], TRUE, NULL, &decision);
		assert_int_equal(decision.verdict, SPK_LAW_DENY);
		assert_string_equal(decision.rule, "path.form");
	}
}

static void the_operators_list(void **state)
{
	static const char *const patterns[] = { "*.secret", "!public.secret", ".env",
						NULL };
	static const Row rows[] = {
		{ "x.secret", "path.secret", "*.secret" },
		{ "x.secrеt", "path.lookalike", "*.secret" },
		{ "a/.env", "path.secret", ".env" },
		{ "public.secret", "path.tree", NULL },
		{ "server.pem", "path.tree", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(SpkDecision) decision = { 0 };

		spk_path_judge(rows[i].path, FALSE, patterns, &decision);
		if (g_strcmp0(decision.rule, rows[i].rule))
			fail_msg("%s: %s", rows[i].path, decision.rule);
	}
}

static void long_ones(void **state)
{
	g_autofree char *name = g_strnfill(256, 'a');
	g_autofree char *dots = g_strnfill(300000, '.');
	g_autoptr(GString) deep = g_string_new("a");
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge(name, FALSE, NULL, &decision);
	assert_string_equal(decision.rule, "path.form");
	spk_path_judge(name + 1, FALSE, NULL, &decision);
	assert_string_equal(decision.rule, "path.tree");
	spk_path_judge(dots, FALSE, NULL, &decision);
	assert_string_equal(decision.rule, "path.form");
	while (deep->len < 4000)
		g_string_append(deep, "/a");
	spk_path_judge(deep->str, FALSE, NULL, &decision);
	assert_string_equal(decision.rule, "path.tree");
}

static void words(void **state)
{
	static const struct {
		const char *word, *pattern;
	} rows[] = {
		{ ".env", ".env" },
		{ "./.env", ".env" },
		{ "/home/x/.env", ".env" },
		{ "../../.env", ".env" },
		{ "~/.ssh/id_rsa", ".ssh/" },
		{ "--file=.env", ".env" },
		{ "-f.env", ".env" },
		{ "@.env", ".env" },
		{ "<.env", ".env" },
		{ "if=.env", ".env" },
		{ "file=@/x/.env", ".env" },
		{ "HEAD:.env", ".env" },
		{ "HEAD~3:conf/server.pem", "*.pem" },
		{ "stash@{0}:.env", ".env" },
		{ ":.env", ".env" },
		{ ":(icase).ENV", ".env" },
		{ "{a,.env}", ".env" },
		{ "file:///x/.env", ".env" },
		{ "user@host:.env", ".env" },
		{ ".env:/x", ".env" },
		{ "./a/../.env", ".env" },
		{ ".ENV", ".env" },
		{ ".en*", ".env" },
		{ ".e?v", ".env" },
		{ ".[e]nv", ".env" },
		{ "conf/.[a-z]nv", ".env" },
		{ "id_r*", "id_rsa*" },
		{ "cred*.json", "credentials.json" },
		{ "*.pem", "*.pem" },
		{ ".ss*/config", ".ssh/" },
		{ "．env", ".env" },
		{ ".еnv", ".env" },
		{ "*", NULL },
		{ "*.c", NULL },
		{ ".*", NULL },
		{ "src/*.js", NULL },
		{ "", NULL },
		{ "-", NULL },
		{ "--", NULL },
		{ "-e", NULL },
		{ "HEAD", NULL },
		{ ".env.example", NULL },
		{ "cp .env", NULL },
		{ "document the .env file", NULL },
		{ "environment", NULL },
		{ "process.env", NULL },
		{ "process.env.HOME", NULL },
		{ "id_rsa.pub", NULL },
		{ "https://example.com/x", NULL },
		{ "/etc/hosts", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *pattern = spk_path_word(rows[i].word, NULL);
		g_auto(SpkDecision) decision = { 0 };

		if (g_strcmp0(pattern, rows[i].pattern))
			fail_msg("%s: %s", rows[i].word, pattern);
		spk_path_judge_word(rows[i].word, NULL, &decision);
		assert_int_equal(decision.verdict,
				 pattern ? SPK_LAW_DENY : SPK_LAW_ALLOW);
	}
}

static void wildcards(void **state)
{
	static const struct {
		const char *pattern, *path;
		gboolean matches;
	} rows[] = {
		{ "a?c", "abc", TRUE },	       { "a?c", "aéc", TRUE },
		{ "a?c", "a/c", FALSE },       { "*a*b*", "xxaxxbxx", TRUE },
		{ "*a*b*c", "abcbc", TRUE },   { "*aab", "aaaab", TRUE },
		{ "[a-c]x", "Bx", TRUE },      { "[!a-c]x", "bx", FALSE },
		{ "[!a-c]x", "dx", TRUE },     { "[]]x", "]x", TRUE },
		{ "[x", "[x", TRUE },	       { "\\*", "*", TRUE },
		{ "\\*", "a", FALSE },	       { "d/*.x", "d/a.x", TRUE },
		{ "d/*.x", "d/a/b.x", FALSE }, { "*", "", FALSE },
		{ "**", "abc", TRUE },	       { "a\\", "a\\", TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const patterns[] = { rows[i].pattern, NULL };

		if ((spk_guard_match(patterns, rows[i].path) != NULL) != rows[i].matches)
			fail_msg("%s, %s", rows[i].pattern, rows[i].path);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(refuses),
	cmocka_unit_test(allows),
	cmocka_unit_test(writing_is_stricter),
	cmocka_unit_test(the_operators_list),
	cmocka_unit_test(long_ones),
	cmocka_unit_test(words),
	cmocka_unit_test(wildcards),
};
SUITE(path_suite, tests);
