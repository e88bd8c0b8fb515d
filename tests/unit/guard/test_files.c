#include "test_guard.h"

#include "guard/guard.h"

static void sensitive(void **state)
{
	static const char *const yes[] = {
		".env",
		"a/.env",
		".ENV",
		".env.local",
		".env.production",
		"x/.env/bin/y",
		"server.pem",
		"tls/Server.KEY",
		"id_rsa",
		"home/id_ed25519",
		"id_rsa.bak",
		"credentials.json",
		"conf/Credentials.JSON",
		"secrets.toml",
		".netrc",
		".ssh/config",
		"a/.ssh/known_hosts",
		".aws/credentials",
		"x/.docker/config.json",
		"store.p12",
		".git-credentials",
		"service-account-prod.json",
		".pgpass",
		"id_ecdsa_sk",
	};
	static const char *const no[] = {
		".env.example",
		"a/.env.sample",
		".ENV.TEMPLATE",
		".env.dist",
		"env",
		".envrc",
		"environment.c",
		"id_rsa.pub",
		"keys/id_ed25519.pub",
		"key.c",
		"monkey",
		"pem.go",
		"config.toml",
		".cargo/config.toml",
		".npmrc",
		"credentials.go",
		".aws/config",
		"docker/config.json",
		"src/.ssh",
		"secrets.tf",
		"a.pem.txt",
		"",
		".env_test.go",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(yes); i++)
		if (!spk_guard_sensitive(yes[i]))
			fail_msg("%s should be sensitive", yes[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(no); i++)
		if (spk_guard_sensitive(no[i]))
			fail_msg("%s matches %s", no[i], spk_guard_sensitive(no[i]));
}

static void patterns_of_callers(void **state)
{
	static const char *const patterns[] = { "*.secret", "!public.secret", "deep/a?b",
						NULL };

	assert_string_equal(spk_guard_match(patterns, "x.secret"), "*.secret");
	assert_null(spk_guard_match(patterns, "d/public.secret"));
	assert_string_equal(spk_guard_match(patterns, "x/deep/acb/y"), "deep/a?b");
	assert_null(spk_guard_match(patterns, "deep/a/b"));
	assert_null(spk_guard_match(patterns, "deep"));
	assert_null(spk_guard_match((const char *const[]){ NULL }, "x"));
}

static void risky(void **state)
{
	static const struct {
		const char *path, *kind;
	} rows[] = {
		{ ".github/workflows/ci.yml", "CI definition" },
		{ ".GitHub/Workflows/ci.yml", "CI definition" },
		{ "sub/.github/workflows/x/y.sh", "CI definition" },
		{ ".gitlab-ci.yml", "CI definition" },
		{ ".circleci/config.yml", "CI definition" },
		{ "Jenkinsfile", "CI definition" },
		{ "azure-pipelines.yml", "CI definition" },
		{ ".travis.yml", "CI definition" },
		{ ".ci/run", "CI definition" },
		{ ".husky/pre-commit", "git hook" },
		{ ".githooks/x", "git hook" },
		{ "tools/hooks/pre-push", "git hook" },
		{ ".pre-commit-config.yaml", "git hook" },
		{ "lefthook.yml", "git hook" },
		{ ".gitattributes", "git setting" },
		{ "a/.gitmodules", "git setting" },
		{ "Makefile", "build script" },
		{ "src/makefile", "build script" },
		{ "CMakeLists.txt", "build script" },
		{ "meson.build", "build script" },
		{ "configure", "build script" },
		{ "build.rs", "build script" },
		{ "app/build.gradle", "build script" },
		{ "pom.xml", "build script" },
		{ ".bazelrc", "build script" },
		{ "x/BUILD", "build script" },
		{ "Rakefile", "build script" },
		{ "package.json", "package script" },
		{ ".npmrc", "package script" },
		{ ".yarnrc.yml", "package script" },
		{ "setup.py", "package script" },
		{ "pyproject.toml", "package script" },
		{ "tests/conftest.py", "test set-up" },
		{ "tox.ini", "test set-up" },
		{ "noxfile.py", "test set-up" },
		{ "Dockerfile", "container definition" },
		{ "docker-compose.dev.yml", "container definition" },
		{ ".devcontainer/devcontainer.json", "container definition" },
		{ "Vagrantfile", "container definition" },
		{ ".vscode/tasks.json", "editor task" },
		{ ".envrc", "shell set-up" },
		{ "main.c", NULL },
		{ "src/build/main.c", NULL },
		{ "configure/notes.md", NULL },
		{ "run.sh", NULL },
		{ "README.md", NULL },
		{ ".github/CODEOWNERS", NULL },
		{ "workflows/ci.yml", NULL },
		{ "hooks/useState.ts", NULL },
		{ "package.json.md", NULL },
		{ "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (g_strcmp0(spk_guard_risky(rows[i].path), rows[i].kind))
			fail_msg("%s: %s", rows[i].path, spk_guard_risky(rows[i].path));
}

/* Deep and long names cost no more than their length allows. */
static void hostile_names(void **state)
{
	g_autoptr(GString) deep = g_string_new("a");
	g_autofree char *stars = g_strnfill(4000, '*');

	for (int i = 0; i < 1000; i++)
		g_string_append(deep, "/a");
	assert_null(spk_guard_sensitive(deep->str));
	assert_null(spk_guard_risky(deep->str));
	g_string_append(deep, "/.env");
	assert_non_null(spk_guard_sensitive(deep->str));
	assert_null(spk_guard_sensitive(stars));
	assert_non_null(spk_guard_sensitive("new\nline/\xff/.env"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sensitive),
	cmocka_unit_test(patterns_of_callers),
	cmocka_unit_test(risky),
	cmocka_unit_test(hostile_names),
};
SUITE(files_suite, tests);
