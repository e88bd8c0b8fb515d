/*
 * work/ as a raw tree. Normally one `git add -A`; where a command left repositories of its
 * own in the tree, git gets a list of paths instead and never opens them.
 */
#include "box/tree_priv.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

typedef struct {
	SpkTree *tree;
	SpkGit git;
	SpkCancel *cancel;
} Recording;

static gboolean run(Recording *rec, const char *const *args, const GString *input,
		    GString **ret_out, GError **error)
{
	return spk_git_run(&rec->git, args, input ? input->str : NULL,
			   input ? input->len : 0, TREE_LIST_MAX, rec->cancel, ret_out,
			   NULL, error);
}

static gboolean update_index(Recording *rec, const char *how, const GString *paths,
			     GError **error)
{
	const char *const args[] = { "update-index", "-z", "--replace", how,
				     "--stdin",	     NULL };

	return !paths->len || run(rec, args, paths, NULL, error);
}

static gboolean stat_index(SpkTree *tree, struct stat *st)
{
	g_autofree char *path = g_build_filename(tree->git, "index", NULL);

	return stat(path, st) == 0;
}

static gboolean is_withheld(SpkTree *tree, const char *path)
{
	for (char **p = tree->withheld; p && *p; p++) {
		gsize len = strlen(*p);

		if (!strncmp(*p, path, len) && (path[len] == '\0' || path[len] == '/'))
			return TRUE;
	}
	return FALSE;
}

/* ---- the usual way ---- */

static gboolean add_all(Recording *rec, gboolean all, GError **error)
{
	const char *const args[] = { "add",
				     "-A",
				     "--pathspec-from-file=-",
				     "--pathspec-file-nul",
				     all ? "-f" : NULL,
				     NULL };
	g_autoptr(GString) specs = g_string_new(NULL);

	tree_list_add(specs, ".");
	for (char **p = rec->tree->withheld; p && *p; p++) {
		g_autofree char *spec = g_strconcat(":(exclude,literal)", *p, NULL);

		tree_list_add(specs, spec);
	}
	return run(rec, args, specs, NULL, error);
}

/* Their entries lose what git remembers of the file's dates, and so are read anew. */
static gboolean doubt(Recording *rec, GPtrArray *suspects, GError **error)
{
	static const char *const list[] = { "ls-files", "-z", "-s", NULL };
	static const char *const put[] = { "update-index", "-z", "--index-info", NULL };
	g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) out = NULL, lines = g_string_new(NULL);
	g_autoptr(GPtrArray) entries = NULL;

	if (!suspects->len)
		return TRUE;
	for (guint i = 0; i < suspects->len; i++)
		g_hash_table_add(wanted, suspects->pdata[i]);
	if (!run(rec, list, NULL, &out, error))
		return FALSE;
	entries = tree_split_z(out);
	for (guint i = 0; i < entries->len; i++) {
		const char *tab = strchr(entries->pdata[i], '\t');

		if (tab && g_hash_table_contains(wanted, tab + 1))
			tree_list_add(lines, entries->pdata[i]);
	}
	return !lines->len || run(rec, put, lines, NULL, error);
}

/* ---- with repositories inside ---- */

static GHashTable *list_tracked(Recording *rec, GString **ret_out, GError **error)
{
	static const char *const args[] = { "ls-files", "-z", NULL };
	g_autoptr(GPtrArray) paths = NULL;
	GHashTable *set;

	if (!run(rec, args, NULL, ret_out, error))
		return NULL;
	paths = tree_split_z(*ret_out);
	set = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < paths->len; i++)
		g_hash_table_add(set, paths->pdata[i]);
	return set;
}

/* The ignored ones among `paths`. "./" keeps a name from being read as pathspec magic. */
static GHashTable *list_ignored(Recording *rec, GPtrArray *paths, GString **ret_out,
				GError **error)
{
	static const char *const args[] = { "check-ignore", "-z", "--stdin", NULL };
	g_autoptr(GString) asked = g_string_new(NULL);
	g_autoptr(GPtrArray) ignored = NULL;
	GHashTable *set;
	int status;

	for (guint i = 0; i < paths->len; i++) {
		g_string_append(asked, "./");
		tree_list_add(asked, paths->pdata[i]);
	}
	if (!spk_git_run(&rec->git, args, asked->str, asked->len, TREE_LIST_MAX,
			 rec->cancel, ret_out, &status, error))
		return NULL;
	if (status > 1) { /* 1: none is ignored */
		spk_error_set(error, SPK_ERR_GIT, NULL, "git check-ignore failed");
		return NULL;
	}
	ignored = tree_split_z(*ret_out);
	set = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < ignored->len; i++)
		g_hash_table_add(set, (char *)ignored->pdata[i] + strlen("./"));
	return set;
}

typedef struct {
	GString *new, *kept, *gone;
} Sorted;

static void sorted_clear(Sorted *sorted)
{
	g_string_free(sorted->new, TRUE);
	g_string_free(sorted->kept, TRUE);
	g_string_free(sorted->gone, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sorted, sorted_clear)

static void sort_paths(SpkTree *tree, GPtrArray *files, GHashTable *tracked,
		       Sorted *sorted)
{
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer path;

	for (guint i = 0; i < files->len; i++) {
		path = files->pdata[i];
		if (is_withheld(tree, path))
			continue;
		g_hash_table_add(there, path);
		tree_list_add(g_hash_table_contains(tracked, path) ? sorted->kept
								   : sorted->new,
			      path);
	}
	g_hash_table_iter_init(&iter, tracked);
	while (g_hash_table_iter_next(&iter, &path, NULL))
		if (!g_hash_table_contains(there, path))
			tree_list_add(sorted->gone, path);
}

static gboolean add_new(Recording *rec, Sorted *sorted, GError **error)
{
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) paths = tree_split_z(sorted->new);
	g_autoptr(GHashTable) ignored = list_ignored(rec, paths, &out, error);

	if (!ignored)
		return FALSE;
	for (guint i = 0; i < paths->len; i++)
		if (!g_hash_table_contains(ignored, paths->pdata[i]))
			tree_list_add(sorted->kept, paths->pdata[i]);
	return update_index(rec, "--add", sorted->kept, error);
}

static gboolean add_listed(Recording *rec, GError **error)
{
	g_auto(TreeScan) scan = { 0 };
	g_auto(Sorted)
		sorted = { g_string_new(NULL), g_string_new(NULL), g_string_new(NULL) };
	g_autoptr(GString) out = NULL;
	g_autoptr(GHashTable) tracked = list_tracked(rec, &out, error);

	if (!tracked ||
	    !tree_scan(rec->tree->work, NULL, TRUE, rec->cancel, &scan, error))
		return FALSE;
	sort_paths(rec->tree, scan.files, tracked, &sorted);
	return update_index(rec, "--force-remove", sorted.gone, error) &&
	       add_new(rec, &sorted, error);
}

/* ---- both ---- */

/* A file that is ignored but part of the base, removed in one step and back in the next,
 * would not be found by either way. */
static gboolean add_forced(Recording *rec, GError **error)
{
	g_autoptr(GString) paths = g_string_new(NULL);

	for (char **p = rec->tree->forced; p && *p; p++) {
		const char *name;
		spk_autofd int dir = tree_open_parent(rec->tree->work_fd, *p, FALSE, NULL,
						      &name, NULL);
		struct stat st;

		if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
			tree_list_add(paths, *p);
	}
	return update_index(rec, "--add", paths, error);
}

static gboolean same_index(SpkTree *tree, const struct stat *now)
{
	const struct stat *old = &tree->last_index;

	return tree->last_raw && old->st_ino == now->st_ino &&
	       old->st_size == now->st_size &&
	       old->st_mtim.tv_sec == now->st_mtim.tv_sec &&
	       old->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static char *write_tree(Recording *rec, GError **error)
{
	SpkTree *tree = rec->tree;
	struct stat now = { 0 };
	char *raw;

	if (stat_index(tree, &now) && same_index(tree, &now))
		return g_strdup(tree->last_raw);
	raw = spk_git_line(&rec->git, error, "write-tree", NULL);
	if (!raw)
		return NULL;
	g_free(tree->last_raw);
	tree->last_raw = g_strdup(raw);
	(void)stat_index(tree, &tree->last_index); /* write-tree adds its cache to it */
	return raw;
}

char *tree_record(SpkTree *tree, gboolean all, SpkCancel *cancel, GError **error)
{
	Recording rec = { .tree = tree, .git = tree_raw_git(tree), .cancel = cancel };
	g_auto(TreeScan) scan = { 0 };
	struct stat index;
	gboolean ok = stat_index(tree, &index);

	if (!tree_scan(tree->work, ok ? &index.st_mtim : NULL, FALSE, cancel, &scan,
		       error))
		return NULL;
	ok = doubt(&rec, scan.suspects, error) &&
	     (scan.odd ? add_listed(&rec, error) : add_all(&rec, all, error)) &&
	     (all || add_forced(&rec, error));
	if (ok)
		return write_tree(&rec, error);
	g_prefix_error(error, "recording the work tree: ");
	return NULL;
}
