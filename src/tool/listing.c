/*
 * Which files there are: git itself reads the ignore rules, run by us on the task's own git
 * folder, so that nothing the box put into its .git counts.
 */
#include "tool/tool_priv.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "box/git.h"

#define LISTING_MAX_BYTES (32u << 20)

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean is_there(const SpkToolCtx *ctx, const char *path)
{
	struct stat st;

	return fstatat(spk_tree_work_fd(ctx->tree), path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* From git's NUL-separated names below `folder`: sorted, each once, without those that are
 * only in the index. */
static GPtrArray *collect(const SpkToolCtx *ctx, const char *folder, const GString *names)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	const char *end = names->str + names->len;

	for (const char *name = names->str; name < end; name += strlen(name) + 1) {
		g_autofree char *path = *folder ? g_strconcat(folder, "/", name, NULL)
						: g_strdup(name);

		if (is_there(ctx, path))
			g_ptr_array_add(paths, g_steal_pointer(&path));
	}
	g_ptr_array_sort(paths, compare_paths);
	return paths;
}

GPtrArray *listing_files(const SpkToolCtx *ctx, const char *folder, const char *glob,
			 SpkCancel *cancel, GError **error)
{
	g_autofree char *cwd = g_build_filename(spk_tree_work(ctx->tree), folder, NULL);
	g_autofree char *spec = NULL;
	const char *args[] = { "ls-files",	"-z", "-c", "-o", "--exclude-standard",
			       "--deduplicate", "--", NULL, NULL };
	g_autoptr(GString) names = NULL;
	SpkGit git;

	if (glob)
		spec = g_strdup_printf(":(glob)%s%s", strchr(glob, '/') ? "" : "**/",
				       glob);
	args[7] = spec;
	spk_tree_git(ctx->tree, &git);
	git.cwd = cwd;
	if (!spk_git_run(&git, args, NULL, 0, LISTING_MAX_BYTES, cancel, &names, NULL,
			 error)) {
		g_prefix_error(error, "cannot list the files: ");
		return NULL;
	}
	return collect(ctx, folder, names);
}
