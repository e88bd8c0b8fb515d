#include "box/toolchains.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "box/box_priv.h"

#define VERSIONS  ".tool-versions"
#define PATHS_MAX 32 /* folders of PATH that are taken over */
#define MASKS_MAX 256
#define INSTALLS \
	"installs/*/*/etc/npmrc:installs/*/*/lib/node_modules/npm/npmrc:installs/*/*/pip.conf"

/* clang-format off */
/* Where a tool keeps its things: below HOME, unless a variable says otherwise. */
typedef struct {
	const char *variable;	/* NULL: none */
	const char *folder;
} Place;

static const Place rustup = { "RUSTUP_HOME", ".rustup" };
static const Place cargo = { "CARGO_HOME", ".cargo" };
static const Place gopath = { "GOPATH", "go" };
static const Place pyenv = { "PYENV_ROOT", ".pyenv" };
static const Place rbenv = { "RBENV_ROOT", ".rbenv" };
static const Place nvm = { "NVM_DIR", ".nvm" };
static const Place asdf = { "ASDF_DATA_DIR", ".asdf" };
static const Place mise = { "MISE_DATA_DIR", ".local/share/mise" };
static const Place gradle = { "GRADLE_USER_HOME", ".gradle" };
static const Place sdkman = { "SDKMAN_DIR", ".sdkman" };

/* Programs and their libraries, read-only at the same path: many have it built in. */
static const struct {
	const Place *place;
	const char *part;	/* of it: this, and no more */
	const char *set;	/* variable that is set to the place in the box; NULL: none */
	gboolean bin;		/* a folder for PATH, also where the user's PATH lacks it */
	/* patterns, with : between them, of files below the place that may hold tokens; NULL */
	const char *masked;
} shown[] = {
	/* compilers; settings.toml names the default one; the last has to be there */
	{ &rustup, "toolchains",    "RUSTUP_HOME", FALSE, NULL },
	{ &rustup, "settings.toml", NULL, FALSE, NULL },
	{ &rustup, "update-hashes", NULL, FALSE, NULL },
	/* cargo, rustc and what `cargo install` made. credentials.toml and config.toml beside
	 * it can hold tokens of registries */
	{ &cargo, "bin", NULL, TRUE, NULL },
	/* what `go install` made; other versions of Go are in the cache of modules */
	{ &gopath, "bin", NULL, TRUE, NULL },
	{ &pyenv, "versions", "PYENV_ROOT", FALSE, "versions/*/pip.conf:versions/*/envs/*/pip.conf" },
	{ &pyenv, "shims",    NULL, TRUE, NULL },
	{ &pyenv, "libexec",  NULL, FALSE, NULL },
	{ &pyenv, "bin",      NULL, FALSE, NULL },
	{ &pyenv, "pyenv.d",  NULL, FALSE, NULL },	/* hooks of `pyenv exec` */
	{ &pyenv, "plugins",  NULL, FALSE, NULL },
	{ &pyenv, "version",  NULL, FALSE, NULL },	/* which one is the default */
	{ &rbenv, "versions", "RBENV_ROOT", FALSE, "versions/*/etc/gemrc" },
	{ &rbenv, "shims",    NULL, TRUE, NULL },
	{ &rbenv, "libexec",  NULL, FALSE, NULL },
	{ &rbenv, "bin",      NULL, FALSE, NULL },
	{ &rbenv, "version",  NULL, FALSE, NULL },
	/* which one: by the user's PATH. `npm config --global` writes into etc/npmrc */
	{ &nvm, "versions", NULL, FALSE, "versions/*/*/etc/npmrc:versions/*/*/lib/node_modules/npm/npmrc" },
	{ &asdf, "installs", "ASDF_DATA_DIR", FALSE, INSTALLS },
	{ &asdf, "shims",    NULL, TRUE, NULL },
	{ &asdf, "bin",      NULL, FALSE, NULL },
	{ &asdf, "lib",      NULL, FALSE, NULL },
	{ &asdf, "plugins",  NULL, FALSE, NULL },
	{ &mise, "installs", NULL, FALSE, INSTALLS },
	{ &sdkman, "candidates", NULL, FALSE, NULL },
	/* up to 6.0 Gradle remembers packages by their whole path, wherever its cache is */
	{ &gradle, "caches/modules-2/files-2.1", NULL, FALSE, NULL },
};

/* What a build would fetch or make again, in the box's HOME where the tools look for it. The
 * host's is below, read-only; what is written is the task's own. */
static const struct {
	const char *name;
	const char *program;	/* without it and without a folder of the host there is no use */
	const Place place;
	const char *part;	/* of the place; NULL: all of it */
	const char *to;		/* below the box's HOME */
	gboolean closed;	/* the host's is not shown */
	const char *masked;	/* below it; NULL: nothing */
	const char *signs;	/* files of a project that uses it, with : between them */
	gboolean by_link;	/* of use also where nothing can be written over it */
	const char *set;	/* variable that is set to where it is in the box; NULL: none */
} caches[] = {
	/* sources and the index; tokens are in files of ~/.cargo itself */
	{ "cargo-registry", "cargo", { "CARGO_HOME", ".cargo" }, "registry", ".cargo/registry", FALSE, NULL, "Cargo.toml", TRUE, NULL },
	/* git remembers addresses, which can hold passwords, where it fetched from */
	{ "cargo-git",      "cargo", { "CARGO_HOME", ".cargo" }, "git", ".cargo/git", TRUE, NULL, "Cargo.toml", FALSE, NULL },
	/* cache/vcs has git's repositories: as above */
	{ "go-modules",     "go",    { "GOMODCACHE", "go/pkg/mod" }, NULL, "go/pkg/mod", FALSE, "cache/vcs", "go.mod:go.work", TRUE, NULL },
	{ "go-build",       "go",    { "GOCACHE", ".cache/go-build" }, NULL, ".cache/go-build", FALSE, NULL, "go.mod:go.work", FALSE, NULL },
	/* packages by their hash; _logs beside it, and ~/.npmrc, have what was asked and by whom */
	{ "npm",            "npm",   { "npm_config_cache", ".npm" }, "_cacache", ".npm/_cacache", FALSE, NULL, "package.json", TRUE, NULL },
	{ "yarn",           "yarn",  { "YARN_CACHE_FOLDER", ".cache/yarn" }, NULL, ".cache/yarn", FALSE, NULL, "yarn.lock", FALSE, NULL },
	/* from version 2 on; ~/.yarnrc.yml has tokens */
	{ "yarn-berry",     "yarn",  { "YARN_GLOBAL_FOLDER", ".yarn/berry" }, "cache", ".yarn/berry/cache", FALSE, NULL, "yarn.lock:.yarnrc.yml", FALSE, NULL },
	/* it would make a store of its own in the work tree, as HOME is another file system */
	{ "pnpm",           "pnpm",  { "PNPM_HOME", ".local/share/pnpm" }, "store", ".local/share/pnpm/store", FALSE, NULL, "pnpm-lock.yaml:pnpm-workspace.yaml", FALSE, "npm_config_store_dir" },
	{ "pip",            "pip3",  { "PIP_CACHE_DIR", ".cache/pip" }, NULL, ".cache/pip", FALSE, NULL, "requirements.txt:pyproject.toml:setup.py:setup.cfg", TRUE, NULL },
	{ "uv",             "uv",    { "UV_CACHE_DIR", ".cache/uv" }, NULL, ".cache/uv", FALSE, NULL, "uv.lock:uv.toml:pyproject.toml:requirements.txt", FALSE, NULL },
	/* settings.xml and settings-security.xml beside it have passwords of servers */
	{ "maven",          "mvn",   { NULL, ".m2" }, "repository", ".m2/repository", FALSE, NULL, "pom.xml", TRUE, NULL },
	/* gradle.properties and init.d beside them may have such, too */
	{ "gradle",         "gradle", { "GRADLE_USER_HOME", ".gradle" }, "caches", ".gradle/caches", FALSE, NULL, "build.gradle:build.gradle.kts:settings.gradle:settings.gradle.kts", FALSE, NULL },
	{ "gradle-wrapper", "gradle", { "GRADLE_USER_HOME", ".gradle" }, "wrapper", ".gradle/wrapper", FALSE, NULL, "gradlew", FALSE, NULL },
	/* its configuration can name a remote store, with a password */
	{ "ccache",         "ccache", { "CCACHE_DIR", ".cache/ccache" }, NULL, ".cache/ccache", FALSE, "ccache.conf", "Makefile:CMakeLists.txt:configure:meson.build", FALSE, NULL },
};
/* clang-format on */

typedef struct {
	const char *home, *state;
	char **env;
	gboolean can_mask;
	SpkToolchains *tools;
	GPtrArray *masked, *set, *path, *late;
} Search;

static gboolean is_below(const char *path, const char *folder)
{
	gsize len = strlen(folder);

	return !strncmp(path, folder, len) && (path[len] == '/' || !path[len]);
}

/* Where it really is; NULL: nowhere, or it would show more than a toolchain. */
static char *real_path(const Search *search, const char *path)
{
	g_autofree char *home = realpath(search->home, NULL);
	g_autofree char *state = search->state ? realpath(search->state, NULL) : NULL;
	g_autofree char *real = realpath(path, NULL);

	if (!real || !strcmp(real, "/") || (home && is_below(home, real)) ||
	    (state && (is_below(state, real) || is_below(real, state))))
		return NULL;
	return g_steal_pointer(&real);
}

static char *place_of(const Search *search, const Place *place)
{
	const char *set = place->variable ? g_environ_getenv(search->env, place->variable)
					  : NULL;

	if (set && g_path_is_absolute(set))
		return g_canonicalize_filename(set, NULL);
	return g_build_filename(search->home, place->folder, NULL);
}

/* ---- toolchains ---- */

static gboolean is_shown(const SpkToolchains *tools, const char *path)
{
	for (guint i = 0; i < tools->shown->len; i++)
		if (is_below(path, ((SpkShown *)tools->shown->pdata[i])->to))
			return TRUE;
	return FALSE;
}

/* A place whose name has a star in it matches itself, too. */
static void find_masked(const char *place, const char *pattern, GPtrArray *found)
{
	g_autofree char *whole = g_build_filename(place, pattern, NULL);
	glob_t paths = { 0 };

	if (glob(whole, GLOB_NOSORT, NULL, &paths) == 0)
		for (size_t i = 0; i < paths.gl_pathc && found->len < MASKS_MAX; i++)
			g_ptr_array_add(found, g_strdup(paths.gl_pathv[i]));
	globfree(&paths);
}

/* FALSE: there are some, and they could not be masked. */
static gboolean mask(Search *search, const char *place, const char *patterns)
{
	g_auto(GStrv) all = g_strsplit(patterns ? patterns : "", ":", -1);
	guint before = search->masked->len;

	for (char **pattern = all; *pattern; pattern++)
		find_masked(place, *pattern, search->masked);
	if (search->can_mask || search->masked->len == before)
		return TRUE;
	g_ptr_array_set_size(search->masked, before);
	return FALSE;
}

static void add_shown(SpkToolchains *tools, const char *from, const char *to)
{
	SpkShown *one = g_new(SpkShown, 1);

	*one = (SpkShown){ g_strdup(from), g_strdup(to) };
	g_ptr_array_add(tools->shown, one);
}

static void show(Search *search, gsize row)
{
	g_autofree char *place = place_of(search, shown[row].place);
	g_autofree char *path = g_build_filename(place, shown[row].part, NULL);
	g_autofree char *real = real_path(search, path);

	if (!real || !mask(search, place, shown[row].masked))
		return;
	add_shown(search->tools, real, path);
	if (shown[row].set)
		g_ptr_array_add(search->set,
				g_strdup_printf("%s=%s", shown[row].set, place));
	if (shown[row].bin)
		g_ptr_array_add(search->late, g_steal_pointer(&path));
}

/* Which versions are the default ones, for asdf and mise; in the box's HOME, as they look for
 * it there. */
static void show_versions(Search *search)
{
	g_autofree char *path = g_build_filename(search->home, VERSIONS, NULL);
	g_autofree char *real = real_path(search, path);

	if (real && g_file_test(real, G_FILE_TEST_IS_REGULAR))
		add_shown(search->tools, real, SPK_BOX_HOME "/" VERSIONS);
}

/* ---- PATH ---- */

static gboolean holds(const GPtrArray *list, const char *path)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)list, path, g_str_equal,
						NULL);
}

static gboolean is_system(const char *path)
{
	return is_below(path, "/usr") || is_below(path, "/opt");
}

/* The user's own order: what is found first there is found first here. */
static void take_path(Search *search)
{
	const char *theirs = g_environ_getenv(search->env, "PATH");
	g_auto(GStrv) all = g_strsplit(theirs ? theirs : "", ":", -1);
	g_auto(GStrv) known = g_strsplit(SPK_BOX_PATH, ":", -1);
	g_autoptr(GString) path = g_string_new(NULL);

	for (char **one = all; *one && search->path->len < PATHS_MAX; one++) {
		g_autofree char *folder = g_path_is_absolute(*one)
						  ? g_canonicalize_filename(*one, NULL)
						  : NULL;

		if (folder && !g_strv_contains((const char *const *)known, folder) &&
		    (is_system(folder) || is_shown(search->tools, folder)) &&
		    g_file_test(folder, G_FILE_TEST_IS_DIR) &&
		    !holds(search->path, folder))
			g_ptr_array_add(search->path, g_steal_pointer(&folder));
	}
	for (guint i = 0; i < search->path->len; i++)
		g_string_append_printf(path, "%s:", (char *)search->path->pdata[i]);
	g_string_append(path, SPK_BOX_PATH);
	for (guint i = 0; i < search->late->len; i++)
		if (!holds(search->path, search->late->pdata[i]))
			g_string_append_printf(path, ":%s",
					       (char *)search->late->pdata[i]);
	search->tools->path = g_string_free(g_steal_pointer(&path), FALSE);
}

static gboolean has_program(const SpkToolchains *tools, const char *name)
{
	g_auto(GStrv) folders = g_strsplit(tools->path ? tools->path : "", ":", -1);

	for (char **folder = folders; *folder; folder++) {
		g_autofree char *path = g_build_filename(*folder, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
			return TRUE;
	}
	return FALSE;
}

/* ---- caches ---- */

static void cache_free(gpointer data)
{
	SpkCache *cache = data;

	g_free(cache->from);
	g_free(cache->to);
	g_free(cache->masked);
	g_free(cache);
}

static void add_cache(Search *search, gsize row)
{
	g_autofree char *place = place_of(search, &caches[row].place);
	g_autofree char *path =
		g_build_filename(place, caches[row].part ? caches[row].part : "", NULL);
	g_autofree char *real = caches[row].closed ? NULL : real_path(search, path);
	g_autofree char *hidden = NULL;
	SpkCache *cache;

	if (real && !g_file_test(real, G_FILE_TEST_IS_DIR))
		g_clear_pointer(&real, g_free);
	if (!real && !has_program(search->tools, caches[row].program))
		return;
	cache = g_new0(SpkCache, 1);
	cache->name = caches[row].name;
	cache->signs = caches[row].signs;
	cache->by_link = caches[row].by_link;
	cache->to = g_build_filename(SPK_BOX_HOME, caches[row].to, NULL);
	if (caches[row].set)
		g_ptr_array_add(search->set,
				g_strdup_printf("%s=%s", caches[row].set, cache->to));
	hidden = real && caches[row].masked
			 ? g_build_filename(real, caches[row].masked, NULL)
			 : NULL;
	if (hidden && g_file_test(hidden, G_FILE_TEST_EXISTS)) {
		cache->masked = g_build_filename(cache->to, caches[row].masked, NULL);
		cache->folder = g_file_test(hidden, G_FILE_TEST_IS_DIR);
	}
	cache->from = g_steal_pointer(&real);
	g_ptr_array_add(search->tools->caches, cache);
}

/* ---- all ---- */

static void shown_free(gpointer data)
{
	SpkShown *one = data;

	g_free(one->from);
	g_free(one->to);
	g_free(one);
}

static char **take_list(GPtrArray *list)
{
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

static SpkToolchains *find(Search *search, gboolean all)
{
	SpkToolchains *tools = search->tools = g_new0(SpkToolchains, 1);

	search->masked = g_ptr_array_new_with_free_func(g_free);
	search->set = g_ptr_array_new();
	search->path = g_ptr_array_new_with_free_func(g_free);
	search->late = g_ptr_array_new_with_free_func(g_free);
	tools->shown = g_ptr_array_new_with_free_func(shown_free);
	tools->caches = g_ptr_array_new_with_free_func(cache_free);
	for (gsize i = 0; all && search->home && i < G_N_ELEMENTS(shown); i++)
		show(search, i);
	if (all && search->home)
		show_versions(search);
	if (all)
		take_path(search);
	for (gsize i = 0; search->home && i < G_N_ELEMENTS(caches); i++)
		add_cache(search, i);
	tools->masked = take_list(search->masked);
	tools->env = take_list(search->set);
	g_ptr_array_unref(search->path);
	g_ptr_array_unref(search->late);
	return tools;
}

SpkToolchains *spk_toolchains_find(const char *home, char **env, const char *state,
				   gboolean can_mask)
{
	Search search = {
		.home = home, .state = state, .env = env, .can_mask = can_mask
	};

	return find(&search, TRUE);
}

SpkToolchains *spk_toolchains_caches(const char *home, char **env, const char *state)
{
	Search search = { .home = home, .state = state, .env = env, .can_mask = TRUE };

	return find(&search, FALSE);
}

void spk_toolchains_free(SpkToolchains *tools)
{
	if (!tools)
		return;
	g_ptr_array_unref(tools->shown);
	g_ptr_array_unref(tools->caches);
	g_strfreev(tools->masked);
	g_strfreev(tools->env);
	g_free(tools->path);
	g_free(tools);
}
