/*
 * Folders lent to a run, each with a layer over it that takes what is written: the user's
 * dependency folders (tree_carry.c) and caches of packages (toolchains.c). Nothing of them is
 * part of a result.
 */
#include "box/tree_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

/* File systems that can't hold an upper layer (linux/magic.h; kernel: filesystems/overlayfs). */
static const long unfit[] = { 0x794c7630 /* overlayfs */, 0x6969 /* nfs */,
			      0x65735546 /* fuse */, 0x01021997 /* v9fs */,
			      0xff534d42 /* cifs */ };

static gboolean can_hold_layers(const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(unfit); i++)
		if ((long)fs.f_type == unfit[i])
			return FALSE;
	return TRUE;
}

static void lent_free(gpointer data)
{
	SpkTreeLent *lent = data;

	g_free(lent->from);
	g_free(lent->path);
	g_free(lent->middle);
	g_free(lent->upper);
	g_free(lent->spare);
	g_free(lent->masked);
	g_free(lent);
}

/* Where what is written goes. */
typedef struct {
	const SpkTree *tree; /* NULL: of no task */
	const char *
		folder; /* NULL: all caches; else those that projects there use, and those
			      * that the setup wrote into */
	const char *dir;    /* the task's */
	const char *layers; /* folder in it; NULL: nothing is written */
	gboolean over;	    /* layers over something can be had there */
} Layers;

static char *make_layer(const Layers *layers, const char *key, const char *kind,
			GError **error)
{
	g_autofree char *folder =
		g_build_filename(layers->dir, layers->layers, key, kind, NULL);

	return spk_fs_mkdirs(folder, 0755, error) ? g_steal_pointer(&folder) : NULL;
}

/* A layer alone is a folder like any other. */
static gboolean add_layer(const Layers *layers, const char *key, SpkTreeLent *lent,
			  GError **error)
{
	gboolean over = lent->from || lent->middle;

	if (!layers->layers || (over && !layers->over))
		return TRUE;
	lent->upper = make_layer(layers, key, "upper", error);
	if (lent->upper && over)
		lent->spare = make_layer(layers, key, "work", error);
	return lent->upper && (!over || lent->spare);
}

static gboolean add(GPtrArray *all, const Layers *layers, const char *key,
		    SpkTreeLent *take_lent, GError **error)
{
	g_ptr_array_add(all, take_lent);
	return add_layer(layers, key, take_lent, error);
}

static char *layer_of_setup(const Layers *layers, const char *key)
{
	return layers->tree ? tree_setup_layer(layers->tree, key) : NULL;
}

/* ---- caches ---- */

static gboolean lend_caches(GPtrArray *all, const Layers *layers,
			    const SpkToolchains *tools, GError **error)
{
	guint64 used = layers->folder ? spk_caches_of(tools, layers->folder)
				      : G_MAXUINT64;

	for (guint i = 0; tools && i < tools->caches->len; i++) {
		const SpkCache *cache = tools->caches->pdata[i];
		g_autofree char *middle = layer_of_setup(layers, cache->name);
		SpkTreeLent *lent;

		if (!(used & (guint64)1 << i) && !middle)
			continue;
		lent = g_new0(SpkTreeLent, 1);
		lent->path = g_strdup(cache->to);
		lent->middle = g_steal_pointer(&middle);
		lent->from = g_strdup(cache->from);
		lent->masked = g_strdup(cache->masked);
		lent->masked_folder = cache->folder;
		if (!add(all, layers, cache->name, lent, error))
			return FALSE;
	}
	return TRUE;
}

GPtrArray *spk_tree_lend_caches(const char *dir, const char *folder,
				const SpkToolchains *tools, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(lent_free);
	Layers layers = { NULL, folder, dir, "layers", can_hold_layers(dir) };

	return lend_caches(all, &layers, tools, error) ? g_steal_pointer(&all) : NULL;
}

/* ---- dependency folders ---- */

/* The folder that the layer is shown at, which the box may have removed. */
static gboolean make_place(int shown, const char *path)
{
	const char *name;
	spk_autofd int parent = tree_open_parent(shown, path, TRUE, NULL, &name, NULL);
	struct stat st;

	return parent >= 0 && (mkdirat(parent, name, 0755) == 0 || errno == EEXIST) &&
	       fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* Whether it still is what it was when the task began. */
static gboolean is_there(int top, const char *path)
{
	const char *name;
	spk_autofd int parent = tree_open_parent(top, path, FALSE, NULL, &name, NULL);
	struct stat st;

	return parent >= 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static gboolean lend_carried(GPtrArray *all, const Layers *layers, SpkTree *tree,
			     int shown, GError **error)
{
	spk_autofd int top = tree_open_dir(tree->repo.top, error);

	if (top < 0)
		return FALSE;
	for (guint i = 0; tree->carried[i]; i++) {
		g_autofree char *key = g_strdup_printf("%u", i);
		SpkTreeLent *lent;

		if (!is_there(top, tree->carried[i]) ||
		    !make_place(shown, tree->carried[i]))
			continue;
		lent = g_new0(SpkTreeLent, 1);
		lent->path = g_strdup(tree->carried[i]);
		lent->from = g_build_filename(tree->repo.top, lent->path, NULL);
		lent->middle = layer_of_setup(layers, key);
		if (!add(all, layers, key, lent, error))
			return FALSE;
	}
	return TRUE;
}

/* Those that the setup has made. */
static gboolean lend_set_up(GPtrArray *all, const Layers *layers, SpkTree *tree,
			    int shown, GError **error)
{
	for (guint i = 0; tree->set_up && i < tree->setup.folders->len; i++) {
		g_autofree char *key = g_strdup_printf("setup-%u", i);
		const char *path = tree->setup.folders->pdata[i];
		SpkTreeLent *lent;

		if (!make_place(shown, path))
			continue;
		lent = g_new0(SpkTreeLent, 1);
		lent->path = g_strdup(path);
		lent->from = g_build_filename(tree->set_up, path, NULL);
		if (!add(all, layers, key, lent, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- all of them ---- */

static const char *const layers_of[] = {
	[SPK_LEND_KEPT] = "layers",
	[SPK_LEND_FRESH] = "layers-check",
	[SPK_LEND_SETUP] = "layers-setup",
};

GPtrArray *spk_tree_lend(SpkTree *tree, const char *checkout, SpkTreeLending how,
			 const SpkToolchains *tools, GError **error)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(lent_free);
	const char *folder = checkout ? checkout : tree->work;
	Layers layers = { tree, NULL, tree->dir, NULL, can_hold_layers(tree->dir) };
	g_autofree char *old = NULL;
	spk_autofd int shown = -1;

	if (!tree_setup_install(tree, folder, how == SPK_LEND_NOTHING, error))
		return NULL;
	if (how == SPK_LEND_NOTHING)
		return g_steal_pointer(&all);
	layers.layers = how == SPK_LEND_READ_ONLY ? NULL : layers_of[how];
	layers.folder = how == SPK_LEND_SETUP ? NULL : folder;
	old = g_build_filename(tree->dir, layers_of[SPK_LEND_FRESH], NULL);
	if (how == SPK_LEND_FRESH && !spk_fs_remove_tree(old, error))
		return NULL;
	shown = tree_open_dir(folder, error);
	if (shown < 0 ||
	    (tree->carried && tree->carried[0] &&
	     !lend_carried(all, &layers, tree, shown, error)) ||
	    !lend_set_up(all, &layers, tree, shown, error) ||
	    !lend_caches(all, &layers, tools, error))
		return NULL;
	return g_steal_pointer(&all);
}
