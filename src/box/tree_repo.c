/*
 * The user's repository: where it is, who they are, and what of their configuration decides
 * about bytes and names. Two git commands read it with the user's own configuration; neither
 * runs a program, whatever that configuration says.
 */
#include "box/tree_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"

#define SMALL_FILE (4u << 20)

void tree_repo_clear(TreeRepo *repo)
{
	g_free(repo->folder);
	g_free(repo->top);
	g_free(repo->subdir);
	g_free(repo->git_dir);
	g_free(repo->common_dir);
	g_free(repo->format);
	g_free(repo->head);
	g_free(repo->name);
	g_free(repo->email);
	*repo = (TreeRepo){ 0 };
}

void tree_config_clear(TreeConfig *config)
{
	g_free(config->config);
	g_free(config->exclude);
	g_free(config->attributes);
	g_free(config->global_attributes);
	*config = (TreeConfig){ 0 };
}

/* ---- where it is ---- */

static gboolean unsupported(GError **error, const char *hint, const char *folder,
			    const char *why)
{
	spk_error_set(error, SPK_ERR_REPO_UNSUPPORTED, hint, "%s: %s", folder, why);
	return FALSE;
}

/* The nearest folder, from here up, that has a `.git`. A hostile core.worktree could make git
 * name any other place. */
static char *nearest_top(const char *folder)
{
	g_autofree char *at = g_strdup(folder);

	for (;;) {
		g_autofree char *git = g_build_filename(at, ".git", NULL);
		char *up;

		if (g_file_test(git, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&at);
		if (!strcmp(at, "/"))
			return NULL;
		up = g_path_get_dirname(at);
		g_free(at);
		at = up;
	}
}

char *spk_tree_top(const char *folder, char **ret_below)
{
	g_autofree char *real = realpath(folder, NULL);
	const char *from = real ? real : folder;
	char *top = nearest_top(from);

	if (!top)
		top = g_strdup(from);
	*ret_below = g_strdup(from + strlen(top) + (from[strlen(top)] == '/'));
	return top;
}

static gboolean explain_refusal(const char *folder, const GError *why, GError **error)
{
	g_autofree char *hint = NULL;

	if (!strstr(why->message, "dubious ownership")) {
		g_propagate_error(error, g_error_copy(why));
		g_prefix_error(error, "%s: ", folder);
		return FALSE;
	}
	hint = g_strdup_printf(
		"if you trust it: git config --global --add safe.directory '%s'", folder);
	return unsupported(error, hint, folder, "the repository belongs to another user");
}

/* FALSE without *error: there is no repository here. */
static gboolean check_kind(const SpkGit *git, const char *folder, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *line =
		spk_git_line(git, &why, "rev-parse", "--is-bare-repository",
			     "--is-inside-git-dir", "--is-inside-work-tree", NULL);

	if (!line && strstr(why->message, "not a git repository (or any"))
		return FALSE;
	if (!line)
		return explain_refusal(folder, why, error);
	if (g_str_has_prefix(line, "true"))
		return unsupported(error, "run in a clone of it", folder,
				   "this is a bare repository, without files to work on");
	if (!g_str_has_prefix(line, "false\nfalse"))
		return unsupported(error, "run in the folder above it", folder,
				   "this is inside of a .git folder");
	if (!g_str_has_suffix(line, "true"))
		return unsupported(error, "unset core.worktree or run there", folder,
				   "its work tree is elsewhere");
	return TRUE;
}

static gboolean read_places(const SpkGit *git, TreeRepo *repo, GError **error)
{
	g_autofree char *text =
		spk_git_line(git, error, "rev-parse", "--path-format=absolute",
			     "--show-object-format", "--git-dir", "--git-common-dir",
			     "--show-toplevel", "--show-prefix", NULL);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
	g_autofree char *nearest = nearest_top(repo->folder);
	gsize len;

	if (!lines)
		return FALSE;
	/* the prefix is empty at the top, and its line end then is the one cut off */
	if (g_strv_length(lines) != 5)
		return unsupported(error, "move it", repo->folder,
				   "its path has a line break in it");
	if (g_strcmp0(nearest, lines[3]))
		return unsupported(error, "unset core.worktree", repo->folder,
				   "core.worktree points away from the repository");
	repo->format = g_strdup(lines[0]);
	repo->git_dir = g_strdup(lines[1]);
	repo->common_dir = g_strdup(lines[2]);
	repo->top = g_strdup(lines[3]);
	len = strlen(lines[4]);
	repo->subdir = g_strndup(lines[4], len ? len - 1 : 0);
	return TRUE;
}

gboolean tree_repo_find(const char *folder, TreeRepo *repo, GError **error)
{
	char real[PATH_MAX];
	SpkGit git = { .cwd = real, .users_config = TRUE };
	g_autoptr(GError) why = NULL;

	if (!realpath(folder, real) || !g_file_test(real, G_FILE_TEST_IS_DIR)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "%s is not a folder",
			      folder);
		return FALSE;
	}
	repo->folder = g_strdup(real);
	if (check_kind(&git, real, &why))
		return read_places(&git, repo, error);
	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (!strcmp(real, "/"))
		return unsupported(
			error,
			"go to the folder that the task is about, or name it with "
			"--repo",
			real, "this is the whole system");
	repo->top = g_strdup(real);
	repo->subdir = g_strdup("");
	repo->format = g_strdup("sha1");
	return TRUE;
}

/* ---- configuration ---- */

/* Key -> last value, as git counts it. */
static GHashTable *read_config(const TreeRepo *repo, GError **error)
{
	static const char *const args[] = { "config", "-z", "--list", NULL };
	SpkGit git = { .cwd = repo->top, .users_config = TRUE };
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) items = NULL;
	GHashTable *table;

	if (!spk_git_run(&git, args, NULL, 0, SMALL_FILE, NULL, &out, NULL, error))
		return NULL;
	items = tree_split_z(out);
	table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; i < items->len; i++) {
		const char *item = items->pdata[i];
		const char *end = strchrnul(item, '\n');

		g_hash_table_replace(table, g_strndup(item, end - item),
				     g_strdup(*end ? end + 1 : "true"));
	}
	return table;
}

/* Settings that decide how bytes become blobs; each with the values it may take (NULL: any
 * boolean). What a value could be beyond that is dropped. */
static const struct {
	const char *key;
	const char *values;
} carried[] = {
	{ "autocrlf", "true false input yes no on off 1 0" },
	{ "eol", "lf crlf native" },
	{ "filemode", "true false yes no on off 1 0" },
	{ "symlinks", "true false yes no on off 1 0" },
	{ "ignorecase", "true false yes no on off 1 0" },
	{ "precomposeunicode", "true false yes no on off 1 0" },
	{ "trustctime", "true false yes no on off 1 0" },
	{ "checkstat", "default minimal" },
};

static char *carried_config(GHashTable *table)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(carried); i++) {
		g_autofree char *key = g_strconcat("core.", carried[i].key, NULL);
		const char *value = g_hash_table_lookup(table, key);
		g_auto(GStrv) values = g_strsplit(carried[i].values, " ", -1);
		g_autofree char *low = value ? g_ascii_strdown(value, -1) : NULL;

		if (low && g_strv_contains((const char *const *)values, low))
			g_string_append_printf(text, "\t%s = %s\n", carried[i].key, low);
	}
	return g_string_free(text, FALSE);
}

/* A file named by core.KEY, else the one git takes by default. Relative names and "~user"
 * are not followed. */
static char *global_file(GHashTable *table, const char *key, const char *otherwise)
{
	const char *value = g_hash_table_lookup(table, key);
	const char *xdg = g_getenv("XDG_CONFIG_HOME");
	const char *home = g_getenv("HOME");
	g_autofree char *path = NULL;

	if (value && g_str_has_prefix(value, "~/") && home)
		path = g_build_filename(home, value + 2, NULL);
	else if (value)
		path = g_strdup(value);
	else if (xdg && *xdg)
		path = g_build_filename(xdg, "git", otherwise, NULL);
	else if (home)
		path = g_build_filename(home, ".config/git", otherwise, NULL);
	return path && g_path_is_absolute(path) ? tree_read_optional(path, SMALL_FILE)
						: NULL;
}

static char *info_file(const TreeRepo *repo, const char *name)
{
	g_autofree char *path = NULL;

	if (!repo->git_dir)
		return NULL;
	path = g_build_filename(repo->common_dir, "info", name, NULL);
	return tree_read_optional(path, SMALL_FILE);
}

static gboolean has_filters(GHashTable *table)
{
	GHashTableIter iter;
	gpointer key;

	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (g_str_has_prefix(key, "filter.") &&
		    (g_str_has_suffix(key, ".clean") ||
		     g_str_has_suffix(key, ".process")))
			return TRUE;
	return FALSE;
}

/* An identity git would refuse or that breaks the commit's lines falls back to ours. */
static char *identity_part(GHashTable *table, const char *key, const char *otherwise)
{
	const char *value = g_hash_table_lookup(table, key);

	return g_strdup(value && *value && !strpbrk(value, "<>\n") ? value : otherwise);
}

gboolean tree_repo_config(TreeRepo *repo, TreeConfig *ret_config, GError **error)
{
	g_autoptr(GHashTable) table = read_config(repo, error);
	g_autofree char *global = NULL, *own = NULL;

	if (!table)
		return FALSE;
	repo->name = identity_part(table, "user.name", "sparks");
	repo->email = identity_part(table, "user.email", "sparks@localhost");
	global = global_file(table, "core.excludesfile", "ignore");
	own = info_file(repo, "exclude");
	ret_config->exclude =
		g_strdup_printf("%s\n%s\n", global ? global : "", own ? own : "");
	ret_config->attributes = info_file(repo, "attributes");
	ret_config->global_attributes =
		global_file(table, "core.attributesfile", "attributes");
	ret_config->config = carried_config(table);
	ret_config->has_filters = has_filters(table);
	return TRUE;
}

gboolean tree_repo_head(SpkTree *tree, char **ret_head, GError **error)
{
	static const char *const args[] = { "rev-parse", "-q", "--verify", "HEAD", NULL };
	SpkGit git = tree_their_git(tree);
	g_autoptr(GString) out = NULL;
	int status;

	if (!spk_git_run(&git, args, NULL, 0, 0, NULL, &out, &status, error))
		return FALSE;
	*ret_head = status == 0 ? g_strdup(g_strchomp(out->str)) : NULL;
	return TRUE;
}
