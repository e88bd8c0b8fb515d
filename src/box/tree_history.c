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

/* "SHA" of a commit, "SHA PATH" of anything else. A path with a line break only makes a row
 * that is no object name. NULL: too many. */
static GString *wanted(const GString *objects, const SpkTreeLimits *limits, gsize oid_len)
{
	g_auto(GStrv) rows = g_strsplit(objects->str, "\n", -1);
	g_autoptr(GString) ids = g_string_new(NULL);
	guint n = 0;

	for (char **row = rows; *row; row++) {
		gsize len = strspn(*row, "0123456789abcdef");

		if (len != oid_len || ((*row)[len] && (*row)[len] != ' '))
			continue;
		if (++n > MAX_OBJECTS)
			return NULL;
		if ((*row)[len] && is_sensitive(limits, *row + len + 1))
			continue;
		g_string_append_len(ids, *row, len);
		g_string_append_c(ids, '\n');
	}
	return g_steal_pointer(&ids);
}

/* "MODE blob SHA\tPATH" of the base. */
static GString *base_blobs(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			   GError **error)
{
	const char *const args[] = { "ls-tree",	      "-r", "-z", "--full-tree",
				     tree->base_user, NULL };
	SpkGit git = tree_user_git(tree);
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	GString *ids;

	if (!spk_git_run(&git, args, NULL, 0, TREE_LIST_MAX, cancel, &out, NULL, error))
		return NULL;
	rows = tree_split_z(out);
	ids = g_string_new(NULL);
	for (guint i = 0; i < rows->len; i++) {
		const char *id = strstr(rows->pdata[i], " blob ");
		const char *tab = strchr(rows->pdata[i], '\t');

		if (!id || !tab || id > tab || is_sensitive(limits, tab + 1))
			continue;
		g_string_append_len(ids, id + strlen(" blob "),
				    tab - id - strlen(" blob "));
		g_string_append_c(ids, '\n');
	}
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
	g_autoptr(GString) ids = objects ? wanted(objects, limits, strlen(head)) : NULL;
	g_autoptr(GString) blobs = NULL;

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
