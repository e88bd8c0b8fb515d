/* What the judge of shell lines says besides its verdict, and how rules meet lines. */
#include "test_guard.h"

#include <string.h>

#include "base/error.h"
#include "guard/command.h"
#include "test_command.h"

static const char *const none[] = { NULL };

static SpkCommandRules *rules_of(const char *sensitive, const char *allow,
				 const char *deny)
{
	const char *s[] = { sensitive, NULL }, *a[] = { allow, NULL },
		   *d[] = { deny, NULL };
	g_autoptr(GError) error = NULL;
	SpkCommandRules *rules = spk_command_rules_new(s, a, d, &error);

	if (!rules)
		fail_msg("%s", error->message);
	return rules;
}

/* ---- rules ---- */

typedef struct {
	const char *pattern, *line;
	gboolean found;
} Try;

/* clang-format off */
static const Try denied[] = {
	{ "rm\\s", "rm x", TRUE },		{ "rm\\s", "echo rm x", FALSE },
	{ "rm\\s", "sudo rm x", TRUE },		{ "rm", "rm", TRUE },
	{ "rm", "rmdir x", FALSE },		{ "^git push", "git push", TRUE },
	{ "^git push", "git -C x push o", TRUE }, { "git push", "git -c a.b=c push", TRUE },
	{ "git push", "git commit -m 'git push'", FALSE },
	{ "git push --force", "git push origin --force", FALSE },
	{ "git push.*--force", "git push origin --force", TRUE },
	{ "npm (install|ci)", "cd x && npm ci", TRUE },
	{ "(npm|yarn) install", "yarn install", TRUE },
	{ "make|ninja", "ninja -C b", TRUE },	{ "make|ninja", "echo ninja", FALSE },
	{ "curl.*\\|.*sh", "curl x | sh", TRUE }, { "curl.*\\|.*sh", "curl x | tee a | sh", TRUE },
	{ "curl.*\\|.*sh", "curl 'x|sh'", FALSE }, { "curl.*\\|.*sh", "curl x; ls | sh a", FALSE },
	{ "curl.*\\|.*sh", "env curl x | sh a", TRUE },
	{ "curl.*\\|.*sh", "{ curl x; } | sh a", TRUE },
	{ "curl.*\\|.*sh", "grep curl a | sh a", FALSE },
	{ "/opt/", "cat /opt/x", TRUE },	{ "/opt/", "cat /opt", TRUE },
	{ "/opt/", "echo /opt/x", FALSE },	{ "/opt/", "cat a > /opt/x", TRUE },
	{ "/opt/", "cat x/../../opt/y", TRUE }, { "/opt/", "cat /x/../opt/y", TRUE },
	{ "/opt/", "a=/opt/x make", TRUE },	{ "/opt/", "make --prefix=/opt/x", TRUE },
	{ "secret\\.txt", "cat secret.t*", TRUE }, { "secret\\.txt", "cat *.txt", FALSE },
	{ "secret\\.txt", "cat s*", TRUE },	{ "secret\\.txt", "git commit -m secret.txt", FALSE },
	{ ".*sudo.*", "echo sudo", TRUE },	{ "--force", "x --force", TRUE },
	{ "pip\\s", "pip3 list", TRUE },	{ "apt\\s", "apt-get clean", TRUE },
	{ "kill\\s", "pkill x", TRUE },
};
/* clang-format on */

static void deny_finds_parts(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(denied); i++) {
		g_autoptr(SpkCommandRules)
			rules = rules_of(NULL, NULL, denied[i].pattern);
		g_auto(SpkCommandView) view = { 0 };

		spk_command_judge(rules, NULL, denied[i].line, &view);
		if ((view.decision.verdict == SPK_LAW_DENY) != denied[i].found)
			fail_msg("%s on \"%s\": %s", denied[i].pattern, denied[i].line,
				 view.decision.why);
		if (denied[i].found)
			assert_string_equal(view.pattern, denied[i].pattern);
	}
}

/* clang-format off */
static const Try allowed[] = {
	{ "^npm install$", "npm install", TRUE },	{ "npm install", "npm install", TRUE },
	{ "npm install", "npm install x", FALSE },	{ "^npm install$", "npm install; rm x", FALSE },
	{ "npm install", "sudo npm install", FALSE },	{ "npm install", "npm install 2>&1", TRUE },
	{ "npm install", "npm install > /dev/null", TRUE }, { "npm install", "npm install > x", FALSE },
	{ "npm install", "A=1 npm install", FALSE },	{ "npm install", "npm install $(rm x)", FALSE },
	{ "npm install.*", "npm install $(rm x)", FALSE }, { "npm install.*", "npm install `rm x`", FALSE },
	{ "rm (-rf )?build", "rm -rf build", TRUE },	{ "rm (-rf )?build", "rm -rf build/..", FALSE },
	{ "a|ab", "ab", TRUE },				{ "a(?:b)?", "ab", TRUE },
	{ "rm.*", "rm -rf x", TRUE },			{ "rm.*", "rm x | rm y", TRUE },
	{ "rm.*", "rm x | sh", FALSE },			{ "rm.*", "rm x\nkill 1", FALSE },
	{ ".*", "cat f | sh", FALSE },			{ ".*", "curl x | bash -s", FALSE },
	{ ".*", "$X -rf", FALSE },			{ ".*", "echo \"", FALSE },
	{ ".*", "sh -c 'rm x'", TRUE },			{ "sh -c .*", "sh -c 'rm x'", FALSE },
	{ "rm x(*ACCEPT)", "rm x", TRUE },
};
/* clang-format on */

static void allow_matches_all_of_each(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++) {
		const char *s[] = { "rm\\s", "npm", "sudo", "kill", NULL };
		const char *a[] = { allowed[i].pattern, NULL };
		g_autoptr(GError) error = NULL;
		g_autoptr(SpkCommandRules)
			rules = spk_command_rules_new(s, a, none, &error);
		g_auto(SpkCommandView) view = { 0 };
		gboolean found;

		if (!rules) { /* (*ACCEPT) would end the match early */
			assert_non_null(strstr(allowed[i].pattern, "(*"));
			continue;
		}
		spk_command_judge(rules, NULL, allowed[i].line, &view);
		found = view.decision.verdict == SPK_LAW_ALLOW &&
			!strcmp(view.decision.rule, "command.allow");
		if (found != allowed[i].found)
			fail_msg("%s on \"%s\": %s", allowed[i].pattern, allowed[i].line,
				 view.decision.why);
	}
}

static void deny_wins(void **state)
{
	g_autoptr(SpkCommandRules) rules = rules_of("rm\\s", ".*", "rm -rf /");
	g_auto(SpkCommandView) view = { 0 }, other = { 0 };

	spk_command_judge(rules, NULL, "ls; rm -rf /", &view);
	assert_int_equal(view.decision.verdict, SPK_LAW_DENY);
	assert_string_equal(view.decision.rule, "command.deny");
	assert_string_equal(view.pattern, "rm -rf /");
	assert_non_null(view.decision.hint);
	spk_command_judge(rules, NULL, "ls; rm -rf x", &other);
	assert_string_equal(other.decision.rule, "command.allow");
}

static void patterns_are_checked(void **state)
{
	static const char *const bad[] = { "a(", "[", "", "*", "\xff", "a\\" };
	g_autofree char *longer = g_strnfill(2000, 'a');

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *list[] = { "ok", bad[i], NULL };
		g_autoptr(GError) error = NULL, second = NULL;

		assert_null(spk_command_rules_new(list, NULL, NULL, &error));
		assert_true(spk_error_is(error, SPK_ERR_CONFIG));
		assert_false(spk_command_pattern_check(bad[i], &second));
	}
	assert_false(spk_command_pattern_check(longer, NULL));
	assert_true(spk_command_pattern_check("^npm install$", NULL));
}

/* A pattern that takes for ever on a text is no hole: it asks, and it allows nothing. */
static void hard_patterns(void **state)
{
	g_autofree char *many = g_strnfill(4000, 'a');
	g_autofree char *line = g_strconcat("x ", many, "!", NULL);
	g_autoptr(SpkCommandRules)
		asks = rules_of("x (a|aa)+(a|aa)+(a|aa)+$", NULL, NULL);
	g_autoptr(SpkCommandRules)
		allows = rules_of("x", "x (a|aa)+(a|aa)+(a|aa)+$", NULL);
	g_auto(SpkCommandView) first = { 0 }, second = { 0 };

	spk_command_judge(asks, NULL, line, &first);
	assert_int_equal(first.decision.verdict, SPK_LAW_ASK);
	spk_command_judge(allows, NULL, line, &second);
	assert_int_equal(second.decision.verdict, SPK_LAW_ASK);
}

static void other_tools(void **state)
{
	g_autoptr(SpkCommandRules) rules =
		rules_of("file_write", "file_write src/.*", "file_write .*\\.yml");
	g_autoptr(SpkCommandRules) empty = rules_of("x", NULL, NULL);
	g_auto(SpkDecision) decision = { 0 };
	g_autofree char *pattern = NULL, *other = NULL;

	assert_true(
		spk_command_rules_try(rules, "file_write src/a.c", &decision, &pattern));
	assert_int_equal(decision.verdict, SPK_LAW_ALLOW);
	assert_string_equal(pattern, "file_write src/.*");
	assert_true(
		spk_command_rules_try(rules, "file_write src/a.yml", &decision, &other));
	assert_int_equal(decision.verdict, SPK_LAW_DENY);
	assert_false(
		spk_command_rules_try(rules, "file_read src/a.c", &decision, &other));
	assert_false(spk_command_rules_try(empty, "file_write x", &decision, &other));
}

/* ---- the view ---- */

static const char *judged_normal(const char *line, SpkCommandView *view)
{
	spk_command_judge(NULL, NULL, line, view);
	return view->normal;
}

static void normal_lines(void **state)
{
	static const char *const pairs[][2] = {
		{ "  ls   -l  ", "ls -l" },
		{ "'ls' \"-l\"", "ls -l" },
		{ "echo 'a b'", "echo 'a b'" },
		{ "echo \"it's\"", "echo \"it's\"" },
		{ "ls;\n\n pwd", "ls; pwd" },
		{ "a&&b||c", "a && b || c" },
		{ "a|b&", "a | b &" },
		{ "(a;b)", "(a; b)" },
		{ "if a\nthen b\nfi", "if a; then b; fi" },
		{ "for i in 1 2\ndo a\ndone", "for i in 1 2; do a; done" },
		{ "echo $x \"$y\" ${z:-1}", "echo $x \"$y\" ${z:-1}" },
		{ "echo `date`", "echo $(date)" },
		{ "a # b", "a" },
		{ "a > b 2>&1", "a > b 2>&1" },
		{ "cat <<E\nx\nE", "cat <<E" },
		{ "sh -c 'ls -l'", "sh -c 'ls -l'  # runs: ls -l" },
		{ "eval ls", "eval ls  # runs: ls" },
		{ "echo 'a\nb'", "echo $'a\\nb'" },
		{ "echo 'a|b;c'", "echo 'a|b;c'" },
		{ "printf '\033[2J'", "printf $'\\x1b[2J'" },
		{ "", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_auto(SpkCommandView) view = { 0 };

		assert_string_equal(judged_normal(pairs[i][0], &view), pairs[i][1]);
	}
}

static void parts_of_a_line(void **state)
{
	g_auto(SpkCommandView) view = { 0 };
	const SpkCommandPart *part;

	spk_command_judge(NULL, NULL, "cd x && sudo rm -rf y | tee $(ls z)", &view);
	assert_int_equal(view.parts->len, 5);
	part = view.parts->pdata[1];
	assert_string_equal(part->line, "sudo rm -rf y");
	assert_int_equal(part->at, 8);
	assert_string_equal(part->way, "");
	part = view.parts->pdata[2];
	assert_string_equal(part->line, "rm -rf y");
	assert_string_equal(part->way, "sudo");
	part = view.parts->pdata[3];
	assert_string_equal(part->line, "tee $(ls z)");
	assert_string_equal(part->way, "pipe");
	part = view.parts->pdata[4];
	assert_string_equal(part->line, "ls z");
	assert_string_equal(part->way, "pipe, substitution");
	assert_true(part->read_only);
	assert_false(view.read_only);
}

/* clang-format off */
static const struct {
	const char *line;
	SpkDoesSet does;
	const char *urls; /* blanks between */
} effects[] = {
	{ "curl https://a.example/x", SPK_DOES(EGRESS), "https://a.example/x" },
	{ "curl -s -o f a.example/x", SPK_DOES(EGRESS), "a.example/x" },
	{ "curl -d a=1 https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "curl -X POST https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "curl -XPUT https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "curl -F f=@x https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "curl -T x https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "curl --data-binary @x https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "wget --post-data=x https://a.example", SPK_DOES(EGRESS) | SPK_DOES(POST), "https://a.example" },
	{ "curl \"$URL\"", SPK_DOES(EGRESS), "$URL" },
	{ "env wget https://a.example", SPK_DOES(EGRESS), "https://a.example" },
	{ "sh -c 'curl https://a.example'", SPK_DOES(EGRESS), "https://a.example" },
	{ "nc a.example 80", SPK_DOES(EGRESS), "a.example:80" },
	{ "nc a.example 80 < f", SPK_DOES(EGRESS) | SPK_DOES(POST), "a.example:80" },
	{ "cat f | nc a.example 80", SPK_DOES(EGRESS) | SPK_DOES(POST), "a.example:80" },
	{ "ssh me@a.example ls", SPK_DOES(EGRESS) | SPK_DOES(OUTSIDE), "a.example" },
	{ "scp f me@a.example:x", SPK_DOES(EGRESS) | SPK_DOES(OUTSIDE), "a.example" },
	{ "rsync -a x a.example:y", SPK_DOES(EGRESS) | SPK_DOES(OUTSIDE), "a.example" },
	{ "rsync -a x y", 0, "" },
	{ "git clone https://a.example/r", SPK_DOES(EGRESS), "https://a.example/r" },
	{ "git clone git@a.example:r", SPK_DOES(EGRESS), "a.example" },
	{ "git -C x fetch", SPK_DOES(EGRESS), "" },
	{ "git push origin main", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "" },
	{ "git -C x push", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "" },
	{ "git commit -m 'https://a.example'", SPK_DOES(COMMIT), "" },
	{ "npm install", SPK_DOES(EGRESS), "registry.npmjs.org" },
	{ "npm publish", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "registry.npmjs.org" },
	{ "npm test", 0, "" },
	{ "pip install x", SPK_DOES(EGRESS), "pypi.org files.pythonhosted.org" },
	{ "python3 -m pip install x", SPK_DOES(EGRESS), "pypi.org files.pythonhosted.org" },
	{ "twine upload d", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "upload.pypi.org" },
	{ "cargo publish", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "index.crates.io static.crates.io crates.io" },
	{ "docker push a/b", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "registry-1.docker.io auth.docker.io" },
	{ "gh release create v1", SPK_DOES(EGRESS) | SPK_DOES(PUSH), "api.github.com" },
	{ "gh issue create -t x", SPK_DOES(EGRESS) | SPK_DOES(POST), "api.github.com" },
	{ "gh pr comment 1 -b x", SPK_DOES(EGRESS) | SPK_DOES(POST), "api.github.com" },
	{ "mail -s x a@b", SPK_DOES(EGRESS) | SPK_DOES(POST), "" },
	{ "echo x | sendmail a@b", SPK_DOES(EGRESS) | SPK_DOES(POST), "" },
	{ "echo x > /dev/tcp/a.example/80", SPK_DOES(EGRESS) | SPK_DOES(POST), "a.example:80" },
	{ "cat < /dev/tcp/a.example/80", SPK_DOES(EGRESS), "a.example:80" },
	{ "python3 -c 'import urllib.request as u; u.urlopen(\"http://a.example\")'", SPK_DOES(EGRESS), "http://a.example" },
	{ "python3 -c 'import socket'", SPK_DOES(EGRESS), "" },
	{ "node -e 'fetch(\"http://a.example\")'", SPK_DOES(EGRESS), "http://a.example" },
	{ "./get https://a.example", SPK_DOES(EGRESS), "https://a.example" },
	{ "echo https://a.example", 0, "" }, { "grep https://a.example f", 0, "" },
	{ "echo x > f", SPK_DOES(EDIT), "" }, { "make > /dev/null", 0, "" }, { "crontab f", SPK_DOES(OUTSIDE), "" },
};
/* clang-format on */

static void what_goes_out(void **state)
{
	const SpkDoesSet about = ~(SpkDoesSet)(SPK_DOES(COMMAND) | SPK_DOES(UNKNOWN));

	for (gsize i = 0; i < G_N_ELEMENTS(effects); i++) {
		g_auto(SpkCommandView) view = { 0 };
		g_autofree char *urls = NULL;

		spk_command_judge(NULL, NULL, effects[i].line, &view);
		g_ptr_array_add(view.urls, NULL);
		urls = g_strjoinv(" ", (char **)view.urls->pdata);
		g_ptr_array_set_size(view.urls, view.urls->len - 1);
		if ((view.does & about) != effects[i].does ||
		    strcmp(urls, effects[i].urls))
			fail_msg("%s: does %x, urls %s", effects[i].line, view.does,
				 urls);
	}
}

/* clang-format off */
static const char *const not_reading[] = {
	"ls > f", "sort -o f g", "sort --output=f g", "sort --out f g", "find . -delete", "find . -fprint f",
	"sed -i s/a/b/ f", "sed -n 'w f' g", "awk '{print > \"f\"}' g", "git diff --output=f", "git diff --ext-diff",
	"git grep -O x", "git grep --open-files-in-pager x", "git branch -D x", "git branch x", "git branch --dele x", "git tag v1",
	"git remote add o x", "git config a.b c", "git -c a.b=c status", "git -p log", "git stash", "./ls", "bin/ls",
	"PATH=. ls", "LD_LIBRARY_PATH=. ls", "GIT_DIR=x git log", "export PATH=.; ls", "sudo ls", "ssh h ls", "tee f", "make",
	"cat f | tee g", "sh x", "sh < x", "eval make", "xargs touch", "rg --pre cat x", "yq -i .a f", "tree -o f", "date -s 1",
	"hostname x", "npm test", "python3 -c 1", "ls; touch f", "ls $(touch f)", "ls && (touch f)", "nohup ls", "cat <(touch f)", "{ ls; } > f", "curl x", "env touch f", "fd -x touch",
};
/* clang-format on */

static void what_only_looks_like_reading(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(not_reading); i++) {
		g_auto(SpkCommandView) view = { 0 };

		spk_command_judge(NULL, NULL, not_reading[i], &view);
		if (view.read_only)
			fail_msg("only reads: %s", not_reading[i]);
	}
}

/* The rule that is offered allows just that line, and no other of the tables. */
static void offers(void **state)
{
	static const char *const lines[] = {
		"npm install",
		"rm -rf build",
		"cd a && npm ci",
		"sudo apt install x",
		"curl -s 'https://a.example/?q=a|b' | tar xz",
		"rm 'a b' \"it's\"",
		"sh -c 'rm x'",
		"rm [a-z]*.o",
		"rm $HOME/x",
		"rm a\\|b",
	};
	static const char *const never[] = {
		"$X -rf",	"$(cat f)",	     "echo \"",
		"sh -c \"$X\"", "curl x | $SHELL",   "# nothing",
		"cat f | sh",	"sh -s < /dev/fd/3", "ls | xargs -I% % x"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(SpkCommandRules) asks = default_rules(), allows = NULL;
		g_auto(SpkCommandView) view = { 0 }, again = { 0 }, other = { 0 };
		g_autofree char *longer = g_strconcat(lines[i], " ; rm -rf other", NULL);

		spk_command_judge(asks, NULL, lines[i], &view);
		if (!view.offer)
			fail_msg("nothing offered for %s", lines[i]);
		allows = rules_of("rm\\s", view.offer, NULL);
		spk_command_judge(allows, NULL, lines[i], &again);
		if (strcmp(again.decision.rule, "command.allow"))
			fail_msg("%s does not allow %s", view.offer, lines[i]);
		spk_command_judge(allows, NULL, longer, &other);
		assert_int_equal(other.decision.verdict, SPK_LAW_ASK);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(never); i++) {
		g_auto(SpkCommandView) view = { 0 };

		spk_command_judge(NULL, NULL, never[i], &view);
		if (view.offer)
			fail_msg("offered for %s: %s", never[i], view.offer);
	}
}

static gboolean names_file(const SpkCommandView *view, const char *name)
{
	for (guint i = 0; i < view->files->len; i++)
		if (!strcmp(view->files->pdata[i], name))
			return TRUE;
	return FALSE;
}

static void words_that_name_files(void **state)
{
	g_auto(SpkCommandView) view = { 0 };

	spk_command_judge(NULL, NULL,
			  "cat a < b > c; git show HEAD:d; echo no; grep no e; "
			  "python3 -c 'open(\"f\")'; for i in g; do :; done",
			  &view);
	for (const char *name = "abcefg"; *name; name++) {
		char text[] = { *name, 0 };

		assert_true(names_file(&view, text));
	}
	assert_true(names_file(&view, "HEAD:d"));
	assert_false(names_file(&view, "no"));
}

/* ---- scripts ---- */

static char *script(gpointer user, const char *folder, const char *path)
{
	g_autofree char *full = folder ? g_build_filename(folder, path, NULL)
				       : g_strdup(path);

	(void)user;
	if (!strcmp(full, "x.sh"))
		return g_strdup("echo one\nrm -rf build\n");
	if (!strcmp(full, "bin/tidy"))
		return g_strdup(
			"#!/usr/bin/env python3\nimport os\nos.system('rm -rf b')\n");
	if (!strcmp(full, "again.sh"))
		return g_strdup("sh again.sh\n");
	if (!strcmp(full, "big.sh"))
		return g_strnfill(1 << 20, '#');
	return NULL;
}

/* A script that the caller knows is read like code of the line; others are not. */
static void scripts_are_read(void **state)
{
	static const char *const sensitive[] = { "rm\\s", NULL };
	static const struct {
		const char *line, *rule, *what;
	} rows[] = {
		{ "sh x.sh", "command.sensitive", "rm -rf build" },
		{ "sudo bash -e ./x.sh", "command.sensitive", "rm -rf build" },
		{ ". x.sh", "command.sensitive", "rm -rf build" },
		{ "./x.sh a b", "command.sensitive", "rm -rf build" },
		{ "cd bin && ./tidy", "command.sensitive", "rm -rf b" },
		{ "sh again.sh", "command.unreadable", NULL },
		{ "sh big.sh", "command.unreadable", NULL },
		{ "sh other.sh", "command.plain", NULL },
		{ "cat x.sh", "command.read_only", NULL },
	};
	SpkScripts scripts = { script, NULL };
	g_autoptr(SpkCommandRules)
		rules = spk_command_rules_new(sensitive, NULL, NULL, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(SpkCommandView) view = { 0 };

		spk_command_judge(rules, &scripts, rows[i].line, &view);
		assert_string_equal(view.decision.rule, rows[i].rule);
		if (rows[i].what)
			assert_string_equal(view.decision.what, rows[i].what);
	}
}

static void files_that_are_made(void **state)
{
	g_auto(SpkCommandView) view = { 0 };
	static const char *const made[] = { "a", "b/c", "d", "e f" };

	(void)state;
	spk_command_judge(NULL, NULL,
			  "gen > a; cat <<E >> b/c\nx\nE\ncp x d && mv y 'e f'; ls 2>&1",
			  &view);
	assert_int_equal(view.made->len, G_N_ELEMENTS(made));
	for (guint i = 0; i < view.made->len; i++)
		assert_string_equal(view.made->pdata[i], made[i]);
}

/* ---- bounds ---- */

static void too_much(void **state)
{
	g_autofree char *big = g_strnfill(SPK_COMMAND_MAX_LINE + 1, 'a');
	g_autoptr(GString) deep = g_string_new(NULL), many = g_string_new(NULL);
	g_auto(SpkCommandView) first = { 0 }, second = { 0 }, third = { 0 };

	spk_command_judge(NULL, NULL, big, &first);
	assert_string_equal(first.decision.rule, "command.unreadable");
	for (guint i = 0; i < 1000; i++)
		g_string_append(deep, "$(");
	spk_command_judge(NULL, NULL, deep->str, &second);
	assert_string_equal(second.decision.rule, "command.unreadable");
	for (guint i = 0; i < 5000; i++)
		g_string_append(many, "a;");
	spk_command_judge(NULL, NULL, many->str, &third);
	assert_string_equal(third.decision.rule, "command.unreadable");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(deny_finds_parts),
	cmocka_unit_test(allow_matches_all_of_each),
	cmocka_unit_test(deny_wins),
	cmocka_unit_test(patterns_are_checked),
	cmocka_unit_test(hard_patterns),
	cmocka_unit_test(other_tools),
	cmocka_unit_test(normal_lines),
	cmocka_unit_test(parts_of_a_line),
	cmocka_unit_test(what_goes_out),
	cmocka_unit_test(what_only_looks_like_reading),
	cmocka_unit_test(offers),
	cmocka_unit_test(words_that_name_files),
	cmocka_unit_test(scripts_are_read),
	cmocka_unit_test(files_that_are_made),
	cmocka_unit_test(too_much),
};

SUITE(command_suite, tests);
