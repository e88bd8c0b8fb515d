/* The record of a private copy: trees/ID/meta.json, and what can be asked of an open one. */
#include "box/tree_priv.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

#define META_VERSION 1

/* Texts of the record, and the paths among them (which may not be UTF-8). */
static const struct {
	const char *key;
	gsize offset;
} texts[] = {
	{ "format", offsetof(SpkTree, repo.format) },
	{ "head", offsetof(SpkTree, repo.head) },
	{ "base", offsetof(SpkTree, base) },
	{ "base_user", offsetof(SpkTree, base_user) },
	{ "base_commit", offsetof(SpkTree, base_commit) },
	{ "box_head", offsetof(SpkTree, box_head) },
	{ "shallow", offsetof(SpkTree, shallow) },
	/* bytes of the user's choice */
	{ "folder", offsetof(SpkTree, repo.folder) },
	{ "top", offsetof(SpkTree, repo.top) },
	{ "subdir", offsetof(SpkTree, repo.subdir) },
	{ "git_dir", offsetof(SpkTree, repo.git_dir) },
	{ "common_dir", offsetof(SpkTree, repo.common_dir) },
	{ "name", offsetof(SpkTree, repo.name) },
	{ "email", offsetof(SpkTree, repo.email) },
};

static const struct {
	const char *key;
	gsize offset;
} lists[] = {
	{ "notes", offsetof(SpkTree, notes) },
	{ "withheld", offsetof(SpkTree, withheld) },
	{ "submodules", offsetof(SpkTree, submodules) },
	{ "forced", offsetof(SpkTree, forced) },
	{ "carried", offsetof(SpkTree, carried) },
	{ "hidden", offsetof(SpkTree, hidden) },
};

#define FIELD(type, tree, row) ((type *)((char *)(tree) + (row).offset))

static json_t *list_to_json(char **list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		json_array_append_new(array, tree_path_to_json(*list));
	return array;
}

static char **list_from_json(const json_t *array)
{
	gsize n = json_array_size(array);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < n; i++) {
		char *path = tree_path_from_json(json_array_get(array, i));

		if (path)
			g_ptr_array_add(list, path);
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

gboolean tree_meta_save(SpkTree *tree, GError **error)
{
	g_autoptr(json_t) meta = json_pack("{s:i, s:b}", "version", META_VERSION,
					   "has_filters", tree->has_filters);
	g_autofree char *path = g_build_filename(tree->dir, "meta.json", NULL);
	g_autofree char *text = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *value = *FIELD(char *, tree, texts[i]);

		if (value)
			spk_json_set(meta, texts[i].key, tree_path_to_json(value));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		spk_json_set(meta, lists[i].key,
			     list_to_json(*FIELD(char **, tree, lists[i])));
	text = spk_json_dump(meta);
	return spk_fs_write_atomic(path, text, strlen(text), 0600, error);
}

static gboolean meta_load(SpkTree *tree, GError **error)
{
	g_autofree char *path = g_build_filename(tree->dir, "meta.json", NULL);
	gsize len;
	g_autofree char *text = spk_fs_read(path, TREE_META_MAX, &len, error);
	g_autoptr(json_t) meta = text ? spk_json_parse(text, len, TREE_META_MAX, error)
				      : NULL;

	if (!meta) {
		g_prefix_error(error, "the private copy of task %s: ", tree->id);
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		*FIELD(char *, tree, texts[i]) =
			tree_path_from_json(json_object_get(meta, texts[i].key));
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		*FIELD(char **, tree, lists[i]) =
			list_from_json(json_object_get(meta, lists[i].key));
	tree->has_filters = spk_json_bool(meta, "has_filters", FALSE);
	if (spk_json_int(meta, "version", 0) == META_VERSION && tree->base &&
	    tree->base_user && tree->box_head && tree->repo.top && tree->repo.format &&
	    tree->repo.subdir && tree->repo.name && tree->repo.email)
		return TRUE;
	spk_error_set(error, SPK_ERR_CORRUPT, "start the task anew", "%s is damaged",
		      path);
	return FALSE;
}

SpkTree *tree_new(const char *home, const char *id)
{
	SpkTree *tree = g_new0(SpkTree, 1);

	tree->id = g_strdup(id);
	tree->dir = g_build_filename(home, "trees", id, NULL);
	tree->work = g_build_filename(tree->dir, "work", NULL);
	tree->git = g_build_filename(tree->dir, "git", NULL);
	tree->user = g_build_filename(tree->dir, "user", NULL);
	tree->objects = g_build_filename(tree->git, "objects", NULL);
	tree->user_objects = g_build_filename(tree->user, "objects", NULL);
	tree->work_fd = -1;
	return tree;
}

gboolean tree_id_check(const char *id, GError **error)
{
	if (*id && *id != '.' && !strchr(id, '/'))
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "\"%s\" is no id of a task", id);
	return FALSE;
}

SpkTree *spk_tree_open(const char *home, const char *id, GError **error)
{
	g_autoptr(SpkTree) tree = tree_new(home, id);

	if (!tree_id_check(id, error) || !meta_load(tree, error) ||
	    !tree_setup_load(tree, error))
		return NULL;
	tree->work_fd = tree_open_dir(tree->work, error);
	return tree->work_fd < 0 ? NULL : g_steal_pointer(&tree);
}

void spk_tree_free(SpkTree *tree)
{
	if (!tree)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(*FIELD(char *, tree, texts[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		g_strfreev(*FIELD(char **, tree, lists[i]));
	spk_fd_close(&tree->work_fd);
	g_free(tree->set_up);
	spk_tree_setup_clear(&tree->setup);
	g_free(tree->last_raw);
	g_free(tree->id);
	g_free(tree->dir);
	g_free(tree->work);
	g_free(tree->git);
	g_free(tree->user);
	g_free(tree->objects);
	g_free(tree->user_objects);
	g_free(tree);
}

const char *spk_tree_work(SpkTree *tree)
{
	return tree->work;
}

const char *spk_tree_subdir(SpkTree *tree)
{
	return tree->repo.subdir;
}

int spk_tree_work_fd(SpkTree *tree)
{
	return tree->work_fd;
}

const char *spk_tree_objects(SpkTree *tree)
{
	return tree->objects;
}

gboolean spk_tree_is_git(SpkTree *tree)
{
	return tree->repo.git_dir != NULL;
}

const char *spk_tree_base(SpkTree *tree)
{
	return tree->base;
}

const char *spk_tree_base_commit(SpkTree *tree)
{
	return tree->base_commit;
}

const char *spk_tree_base_user(SpkTree *tree)
{
	return tree->base_user;
}

const char *const *spk_tree_notes(SpkTree *tree)
{
	return (const char *const *)tree->notes;
}
