/* Raw trees compared, read and recombined. */
#include "box/tree_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

void spk_tree_change_free(SpkTreeChange *change)
{
	if (!change)
		return;
	g_free(change->path);
	g_free(change->old_blob);
	g_free(change->new_blob);
	g_free(change);
}

static void change_free(gpointer change)
{
	spk_tree_change_free(change);
}

/* ":100644 100755 OLD NEW M" and the path that follows it. */
static SpkTreeChange *parse_change(const char *row, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(row + 1, " ", 5);
	SpkTreeChange *change;

	if (row[0] != ':' || g_strv_length(parts) != 5)
		return NULL;
	change = g_new0(SpkTreeChange, 1);
	change->path = g_strdup(path);
	change->status = parts[4][0];
	change->old_mode = strtoul(parts[0], NULL, 8);
	change->new_mode = strtoul(parts[1], NULL, 8);
	change->old_blob = change->old_mode ? g_strdup(parts[2]) : NULL;
	change->new_blob = change->new_mode ? g_strdup(parts[3]) : NULL;
	return change;
}

GPtrArray *tree_changes_in(const SpkGit *git, const char *from, const char *to,
			   GError **error)
{
	const char *const args[] = {
		"diff-tree",	  "-r", "-z", "--raw", "--no-abbrev", "--no-renames",
		"--no-commit-id", from, to,   NULL
	};
	g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(change_free);
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) items = NULL;

	if (!spk_git_run(git, args, NULL, 0, TREE_LIST_MAX, NULL, &out, NULL, error))
		return NULL;
	items = tree_split_z(out);
	for (guint i = 0; i + 1 < items->len; i += 2) {
		SpkTreeChange *change =
			parse_change(items->pdata[i], items->pdata[i + 1]);

		if (!change) {
			spk_error_set(error, SPK_ERR_GIT, NULL,
				      "git diff-tree: not its format");
			return NULL;
		}
		g_ptr_array_add(changes, change);
	}
	return g_steal_pointer(&changes);
}

GPtrArray *spk_tree_changes(SpkTree *tree, const char *from, const char *to,
			    GError **error)
{
	SpkGit git = { .git_dir = tree->git };

	return tree_changes_in(&git, from, to, error);
}

char *spk_tree_diff(SpkTree *tree, const char *from, const char *to, GError **error)
{
	const char *const args[] = { "diff",
				     "--no-ext-diff",
				     "--no-textconv",
				     "--no-color",
				     "--find-renames",
				     "--src-prefix=a/",
				     "--dst-prefix=b/",
				     from,
				     to,
				     NULL };
	SpkGit git = { .git_dir = tree->git };
	g_autoptr(GString) out = NULL;

	if (!spk_git_run(&git, args, NULL, 0, 0, NULL, &out, NULL, error))
		return NULL;
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *spk_tree_read_blob(SpkTree *tree, const char *blob, gsize max, gsize *ret_len,
			 GError **error)
{
	const char *const args[] = { "cat-file", "blob", blob, NULL };
	SpkGit git = { .git_dir = tree->git };
	g_autoptr(GString) out = NULL;

	if (!spk_git_run(&git, args, NULL, 0, max, NULL, &out, NULL, error))
		return NULL;
	if (ret_len)
		*ret_len = out->len;
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char **spk_tree_paths(SpkTree *tree, const char *raw, GError **error)
{
	const char *const args[] = { "ls-tree",	    "-r", "-z", "--name-only",
				     "--full-tree", raw,  NULL };
	SpkGit git = { .git_dir = tree->git };
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) paths = NULL;

	if (!spk_git_run(&git, args, NULL, 0, TREE_LIST_MAX, NULL, &out, NULL, error))
		return NULL;
	paths = tree_split_z(out);
	g_ptr_array_add(paths, NULL);
	return g_strdupv((char **)paths->pdata);
}

/* Lines of update-index --index-info that turn `onto` into what `from` has at the paths. */
static GString *graft_lines(SpkTree *tree, GPtrArray *changes, const char *const *paths)
{
	const char *zero = tree_zero_oid(&tree->repo);
	GString *removed = g_string_new(NULL);
	g_autoptr(GString) put = g_string_new(NULL);

	for (guint i = 0; i < changes->len; i++) {
		const SpkTreeChange *c = changes->pdata[i];

		if (!g_strv_contains(paths, c->path))
			continue;
		if (c->new_mode)
			g_string_append_printf(put, "%06o %s\t%s", c->new_mode,
					       c->new_blob, c->path);
		else
			g_string_append_printf(removed, "0 %s\t%s", zero, c->path);
		g_string_append_c(c->new_mode ? put : removed, '\0');
	}
	/* removals first: a file may take the place of a folder */
	g_string_append_len(removed, put->str, put->len);
	return removed;
}

char *spk_tree_graft(SpkTree *tree, const char *onto, const char *from,
		     const char *const *paths, SpkCancel *cancel, GError **error)
{
	const char *const read[] = { "read-tree", onto, NULL };
	static const char *const put[] = { "update-index", "-z", "--index-info", NULL };
	g_autofree char *temp = tree_temp_dir(tree, "graft", error);
	g_autofree char *index = temp ? g_build_filename(temp, "index", NULL) : NULL;
	SpkGit git = { .git_dir = tree->git, .index = index };
	g_autoptr(GPtrArray) changes = temp ? spk_tree_changes(tree, onto, from, error)
					    : NULL;
	g_autoptr(GString) lines = changes ? graft_lines(tree, changes, paths) : NULL;

	if (!lines || !spk_git_run(&git, read, NULL, 0, 0, cancel, NULL, NULL, error) ||
	    !spk_git_run(&git, put, lines->str, lines->len, 0, cancel, NULL, NULL, error))
		return NULL;
	return spk_git_line(&git, error, "write-tree", NULL);
}
