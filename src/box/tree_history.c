/*
 * The user's objects into the raw store, as one pack and before any file is recorded, so that
 * recording then finds most of its blobs there: the last commits, for `git log` and `git show`
 * in the box, with a list of those whose parents are cut off; else, when these would be many
 * objects, the files of the base alone. Never the blobs of sensitive files. A help, no more:
 * whatever goes wrong, files are recorded one by one and the box has no history.
 */
#include "box/tree_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "guard/guard.h"

#define MAX_COMMITS "--max-count=50"
#define MAX_OBJECTS 5000

static gboolean is_sensitive(const SpkTreeLimits *limits, const char *path)
{
	return limits->sensitive && spk_guard_match(limits->sensitive, path);
}

static GString *list(const SpkGit *git, const char *what, const char *head,
		     SpkCancel *cancel, GError **error)
{
	const char *const args[] = { "rev-list", MAX_COMMITS, what, head, NULL };
	GString *out = NULL;

	return spk_git_run(git, args, NULL, 0, 0, cancel, &out, NULL, error) ? out : NULL;
}

/* Commits with a parent outside of the list; `theirs` names those whose parents the user's
 * own repository lacks. */
static char *cut_off(const GString *graph, const char *theirs)
{
	g_auto(GStrv) rows = g_strsplit(graph->str, "\n", -1);
	g_autoptr(GHashTable)
		listed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GString *shallow = g_string_new(NULL);

	for (char **row = rows; *row; row++)
		g_hash_table_add(listed, g_strndup(*row, strcspn(*row, " ")));
	for (char **row = rows; *row && **row; row++) {
		g_auto(GStrv) parts = g_strsplit(*row, " ", -1);
		gboolean cut = theirs && strstr(theirs, parts[0]);

		for (char **p = parts; *p && p[1]; p++)
			cut |= !g_hash_table_contains(listed, p[1]);
		if (cut)
			g_string_append_printf(shallow, "%s\n", parts[0]);
	}
	return g_string_free(shallow, FALSE);
}

/* ---- what stays out ---- */

/* "MODE blob SHA\tPATH" of the base: the ids of the files that `want` to be sensitive or not. */
static void add_base(const GPtrArray *rows, const SpkTreeLimits *limits, gboolean want,
		     GHashTable *ids)
{
	for (guint i = 0; i < rows->len; i++) {
		const char *id = strstr(rows->pdata[i], " blob ");
		const char *tab = strchr(rows->pdata[i], '\t');

		if (!id || !tab || id > tab || is_sensitive(limits, tab + 1) != want)
			continue;
		id += strlen(" blob ");
		g_hash_table_add(ids, g_strndup(id, tab - id));
	}
}

/* ":MODE MODE OLD NEW STATUS", then the path: both ids of each change of a sensitive file.
 * Between commits there may be empty items. */
static void add_changes(const GPtrArray *items, const SpkTreeLimits *limits,
			GHashTable *ids)
{
	for (guint i = 0; i + 1 < items->len; i++) {
		const char *row = items->pdata[i];
		g_auto(GStrv) words = NULL;

		row += strspn(row, "\n");
		if (*row != ':')
			continue;
		i++;
		words = g_strsplit(row, " ", 5);
		if (g_strv_length(words) < 5 || !is_sensitive(limits, items->pdata[i]))
			continue;
		g_hash_table_add(ids, g_strdup(words[2]));
		g_hash_table_add(ids, g_strdup(words[3]));
	}
}

typedef struct {
	GString *text;
	GPtrArray *rows; /* in text */
} Items;

static void items_clear(Items *items)
{
	g_clear_pointer(&items->rows, g_ptr_array_unref);
	if (items->text)
		g_string_free(items->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Items, items_clear)

static gboolean ask(const SpkGit *git, const char *const *args, SpkCancel *cancel,
		    Items *ret, GError **error)
{
	if (!spk_git_run(git, args, NULL, 0, TREE_LIST_MAX, cancel, &ret->text, NULL,
			 error))
		return FALSE;
	ret->rows = tree_split_z(ret->text);
	return TRUE;
}

static gboolean ask_base(const SpkGit *git, const char *of_tree, SpkCancel *cancel,
			 Items *ret, GError **error)
{
	const char *const args[] = {
		"ls-tree", "-r", "-z", "--full-tree", of_tree, NULL
	};

	return ask(git, args, cancel, ret, error);
}

static GHashTable *new_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* Of every file that is sensitive by its name in one of the commits, whatever other names its
 * bytes had in time; but for bytes that are a plain file of the base, which comes anyway. */
static GHashTable *secret_blobs(SpkTree *tree, const SpkTreeLimits *limits,
				SpkCancel *cancel, GError **error)
{
	const char *head = tree->repo.head;
	const char *const args[] = { "log",	     MAX_COMMITS,   "-m",     "--raw",
				     "--no-renames", "--no-abbrev", "--root", "--format=",
				     "-z",	     head,	    NULL };
	SpkGit git = tree_user_git(tree);
	g_auto(Items) changes = { 0 }, base = { 0 };
	g_autoptr(GHashTable) secret = new_set(), plain = new_set();
	GHashTableIter iter;
	gpointer id;

	if (!ask(&git, args, cancel, &changes, error) ||
	    !ask_base(&git, head, cancel, &base, error))
		return NULL;
	add_changes(changes.rows, limits, secret);
	add_base(base.rows, limits, TRUE, secret);
	add_base(base.rows, limits, FALSE, plain);
	g_hash_table_iter_init(&iter, plain);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		g_hash_table_remove(secret, id);
	return g_steal_pointer(&secret);
}

/* ---- what comes ---- */

/* "SHA" of a commit, "SHA PATH" of anything else. NULL: too many. */
static GString *wanted(const GString *objects, GHashTable *secret, gsize oid_len)
{
	g_auto(GStrv) rows = g_strsplit(objects->str, "\n", -1);
	g_autoptr(GString) ids = g_string_new(NULL);
	guint n = 0;

	for (char **row = rows; *row; row++) {
		gsize len = strspn(*row, "0123456789abcdef");

		/* what follows a line break in a path is no object */
		if (len != oid_len || ((*row)[len] && (*row)[len] != ' '))
			continue;
		if (++n > MAX_OBJECTS)
			return NULL;
		(*row)[len] = '\0';
		if (!g_hash_table_contains(secret, *row))
			g_string_append_printf(ids, "%s\n", *row);
	}
	return g_steal_pointer(&ids);
}

static GString *base_blobs(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			   GError **error)
{
	SpkGit git = tree_user_git(tree);
	g_auto(Items) rows = { 0 };
	g_autoptr(GHashTable) plain = new_set();
	GHashTableIter iter;
	GString *ids;
	gpointer id;

	if (!ask_base(&git, tree->base_user, cancel, &rows, error))
		return NULL;
	add_base(rows.rows, limits, FALSE, plain);
	ids = g_string_new(NULL);
	g_hash_table_iter_init(&iter, plain);
	while (g_hash_table_iter_next(&iter, &id, NULL))
		g_string_append_printf(ids, "%s\n", (const char *)id);
	return ids;
}

static gboolean pack(SpkTree *tree, const GString *ids, SpkCancel *cancel, GError **error)
{
	g_autofree char *base = g_build_filename(tree->objects, "pack/pack", NULL);
	const char *const args[] = { "pack-objects",	"-q", "--window=0",
				     "--compression=1", base, NULL };
	const char *const alternates[] = { tree->user_objects, NULL };
	SpkGit git = tree_user_git(tree);

	git.objects = tree->objects;
	git.alternates = alternates;
	return spk_git_run(&git, args, ids->str, ids->len, 0, cancel, NULL, NULL, error);
}

static char *copy_history(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			  GError **error)
{
	g_autofree char *shallow = g_build_filename(tree->user, "shallow", NULL);
	g_autofree char *theirs = tree_read_optional(shallow, 1u << 20);
	SpkGit git = tree_user_git(tree);
	const char *head = tree->repo.head;
	g_autoptr(GString) graph = list(&git, "--parents", head, cancel, error);
	g_autoptr(GString) objects = graph ? list(&git, "--objects", head, cancel, error)
					   : NULL;
	g_autoptr(GHashTable) secret = objects ? secret_blobs(tree, limits, cancel, error)
					       : NULL;
	g_autoptr(GString) ids = secret ? wanted(objects, secret, strlen(head)) : NULL;
	g_autoptr(GString) blobs = NULL;

	if (objects && !secret)
		return NULL;
	if (ids)
		return pack(tree, ids, cancel, error) ? cut_off(graph, theirs) : NULL;
	blobs = objects ? base_blobs(tree, limits, cancel, error) : NULL;
	if (blobs)
		(void)pack(tree, blobs, cancel, error);
	return NULL;
}

gboolean tree_history_copy(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			   char **ret_shallow, GError **error)
{
	g_autoptr(GError) why = NULL;

	*ret_shallow = tree->repo.head ? copy_history(tree, limits, cancel, &why) : NULL;
	if (spk_error_is(why, SPK_ERR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	if (why)
		spk_debug("box", "no history for the box: %s", why->message);
	return TRUE;
}

gboolean tree_history_drop(SpkTree *tree, GError **error)
{
	g_autofree char *packs = g_build_filename(tree->objects, "pack", NULL);

	g_clear_pointer(&tree->shallow, g_free);
	return spk_fs_remove_tree(packs, error) && spk_fs_mkdirs(packs, 0755, error);
}
