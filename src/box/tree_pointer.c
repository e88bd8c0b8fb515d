/*
 * LFS pointers of files nobody touched. Filters are programs and are not run; but a fresh clone,
 * or a file that was only touched, makes git compare contents, and without the filter a file
 * then seems changed. What LFS would have answered can be computed: the pointer holds the
 * SHA-256 and the size of the file.
 */
#include "box/tree_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"

#define POINTER_MAX   1024
#define POINTER_START "version https://git-lfs.github.com/spec/v1\n"

typedef struct {
	SpkTree *tree;
	const SpkGit *git;
	SpkCancel *cancel;
	int top;
	GString *lines; /* of --index-info */
} Keeping;

/* The blob of "100644 SHA 0\tPATH" or "100644 blob SHA\tPATH". */
static char *entry_blob(const char *entry)
{
	const char *tab = strchr(entry, '\t');
	g_auto(GStrv) parts = tab ? g_strsplit(entry, " ", 4) : NULL;
	guint n = parts ? g_strv_length(parts) : 0;
	const char *blob = n < 3 ? NULL : !strcmp(parts[1], "blob") ? parts[2] : parts[1];

	return blob ? g_strndup(blob, strcspn(blob, "\t")) : NULL;
}

/* path -> entry */
static GHashTable *by_path(GPtrArray *entries, gsize skip)
{
	GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < entries->len; i++) {
		char *entry = entries->pdata[i];
		char *tab = strchr(entry, '\t');

		if (tab && entry[0] != '?')
			g_hash_table_insert(table, tab + 1, entry + skip);
	}
	return table;
}

/* "size N" and "oid sha256:HEX" of a pointer. */
static gboolean parse_pointer(const char *text, char **ret_oid, gint64 *ret_size)
{
	const char *oid = strstr(text, "\noid sha256:");
	const char *size = strstr(text, "\nsize ");
	g_autofree char *number = NULL;

	if (!g_str_has_prefix(text, POINTER_START) || !oid || !size)
		return FALSE;
	size += strlen("\nsize ");
	oid += strlen("\noid sha256:");
	number = g_strndup(size, strcspn(size, "\n"));
	*ret_oid = g_strndup(oid, strcspn(oid, "\n"));
	return spk_text_to_int(number, 0, G_MAXINT64, ret_size);
}

static gboolean points_here(Keeping *k, const char *pointer, const char *path)
{
	g_autofree char *oid = NULL, *found = NULL;
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	const char *name;
	spk_autofd int dir = tree_open_parent(k->top, path, FALSE, NULL, &name, NULL);
	spk_autofd int fd = dir < 0 ? -1 : tree_open_file(dir, name, NULL);
	struct stat st;
	gint64 size;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !parse_pointer(pointer, &oid, &size) || size != st.st_size)
		return FALSE;
	found = tree_hash_rest(fd, path, sum, NULL);
	return !g_strcmp0(found, oid);
}

static gboolean keep_one(Keeping *k, const char *entry, const char *path, GError **error)
{
	g_autofree char *blob = entry_blob(entry);
	const char *const args[] = { "cat-file", "blob", blob, NULL };
	g_autoptr(GString) out = NULL;
	g_autoptr(GError) why = NULL;

	/* larger than any pointer, or not here: then it is none */
	if (spk_git_run(k->git, args, NULL, 0, POINTER_MAX, k->cancel, &out, NULL,
			&why) &&
	    points_here(k, out->str, path))
		tree_list_add(k->lines, entry);
	return spk_cancel_check(k->cancel, error);
}

/* Those of the changed paths that have a filter. */
static GString *list_filtered(Keeping *k, const GString *paths, GError **error)
{
	static const char *const args[] = { "check-attr", "-z", "--stdin", "filter",
					    NULL };
	g_autoptr(GPtrArray) items = NULL;
	g_autoptr(GString) out = NULL;
	GString *filtered;

	if (!spk_git_run(k->git, args, paths->str, paths->len, TREE_LIST_MAX, k->cancel,
			 &out, NULL, error))
		return NULL;
	items = tree_split_z(out);
	filtered = g_string_new(NULL);
	for (guint i = 0; i + 2 < items->len; i += 3)
		if (!strcmp(items->pdata[i + 2], "lfs"))
			tree_list_add(filtered, items->pdata[i]);
	return filtered;
}

static GString *list_changed(GHashTable *before, GPtrArray *now)
{
	GString *paths = g_string_new(NULL);

	for (guint i = 0; i < now->len; i++) {
		const char *tab = strchr(now->pdata[i], '\t');
		const char *old = tab ? g_hash_table_lookup(before, tab + 1) : NULL;
		g_autofree char *was = old ? entry_blob(old) : NULL;
		g_autofree char *is = was ? entry_blob(now->pdata[i]) : NULL;

		if (was && strcmp(was, is) && !g_str_has_prefix(old, "160000"))
			tree_list_add(paths, tab + 1);
	}
	return paths;
}

gboolean tree_pointers_keep(SpkTree *tree, const SpkGit *git, GPtrArray *before,
			    GPtrArray *now, SpkCancel *cancel, gboolean *ret_any,
			    GError **error)
{
	static const char *const put[] = { "update-index", "-z", "--index-info", NULL };
	g_autoptr(GHashTable) table = by_path(before, strlen("H "));
	g_autoptr(GString) changed = list_changed(table, now);
	g_autoptr(GString) lines = g_string_new(NULL), filtered = NULL;
	spk_autofd int top = tree_open_dir(tree->repo.top, error);
	Keeping k = { tree, git, cancel, top, lines };
	g_autoptr(GPtrArray) paths = NULL;

	if (top < 0)
		return FALSE;
	filtered = changed->len ? list_filtered(&k, changed, error) : g_string_new(NULL);
	if (!filtered)
		return FALSE;
	paths = tree_split_z(filtered);
	for (guint i = 0; i < paths->len; i++)
		if (!keep_one(&k, g_hash_table_lookup(table, paths->pdata[i]),
			      paths->pdata[i], error))
			return FALSE;
	*ret_any = lines->len > 0;
	return !*ret_any || spk_git_run(git, put, lines->str, lines->len, 0, cancel, NULL,
					NULL, error);
}
