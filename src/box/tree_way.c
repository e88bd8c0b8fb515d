/* What stands in the way of a file that is to come: files for folders, folders for files. */
#include "box/tree_apply_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

/* Whether everything in the folder is about to leave. */
static gboolean all_leaving(int fd, const char *path, GHashTable *leaving)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	gboolean ok = dir != NULL;
	guint n = 0;

	if (!dir)
		close(fd);
	while (ok && (entry = readdir(dir))) {
		g_autofree char *child = g_strconcat(path, "/", entry->d_name, NULL);
		int below;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		n++;
		if (g_hash_table_contains(leaving, child))
			continue;
		below = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		ok = below >= 0 && all_leaving(below, child, leaving);
	}
	if (dir)
		closedir(dir);
	return ok && n > 0;
}

static gboolean folder_leaves(TreePlan *plan, const char *path, GHashTable *leaving)
{
	const char *name;
	spk_autofd int parent =
		tree_open_parent(plan->top, path, FALSE, NULL, &name, NULL);
	int fd = parent < 0 ? -1
			    : openat(parent, name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && all_leaving(fd, path, leaving);
}

static gboolean clear_folder(TreePlan *plan, const char *path, const char *folder,
			     GHashTable *leaving, GError **error)
{
	TreeState state = { 0 };
	gboolean ok =
		tree_state_read(plan->top, folder, &plan->tree->repo, &state, error);
	guint mode = state.mode;

	tree_state_clear(&state);
	if (!ok || mode == TREE_MODE_DIR)
		return ok;
	if (mode == 0 || g_hash_table_contains(leaving, folder)) {
		if (!g_ptr_array_find_with_equal_func(plan->folders, folder, g_str_equal,
						      NULL))
			g_ptr_array_add(plan->folders, g_strdup(folder));
	} else {
		tree_plan_conflict(plan, path, "%s is no folder here", folder);
	}
	return TRUE;
}

gboolean tree_plan_clear_way(TreePlan *plan, const char *path, GHashTable *leaving,
			     GError **error)
{
	TreeState state = { 0 };
	guint n = plan->conflicts->len;
	gboolean ok = TRUE;

	for (const char *slash = strchr(path, '/'); ok && slash;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(path, slash - path);

		ok = clear_folder(plan, path, folder, leaving, error);
	}
	if (!ok || plan->conflicts->len > n)
		return ok;
	ok = tree_state_read(plan->top, path, &plan->tree->repo, &state, error);
	if (ok && state.mode == TREE_MODE_DIR && !folder_leaves(plan, path, leaving))
		tree_plan_conflict(plan, path, "a folder with other files is in the way");
	tree_state_clear(&state);
	return ok;
}
