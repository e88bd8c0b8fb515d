/* The folder itself, or a copy of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "cmd/sandbox/place.h"
#include "guard/guard.h"

void place_clear(Place *place)
{
	spk_tree_free(place->tree);
	if (place->tree_dir && !spk_fs_remove_tree(place->tree_dir, NULL))
		fprintf(stderr, "sparks: %s could not be removed\n", place->tree_dir);
	g_free(place->folder);
	g_free(place->from);
	g_free(place->below);
	g_free(place->tree_dir);
}

static gboolean holds(const char *folder, const char *path)
{
	gsize len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '/' || path[len] == '\0' || strcmp(folder, "/") == 0);
}

/* What the command could do there would outlive the box: our own state, git's hooks. */
static gboolean check_direct(const char *folder, const char *home, GError **error)
{
	static const char copy[] = "give another --dir, or let it work on a copy: --copy";
	g_autofree char *real_home = realpath(home, NULL);
	g_autofree char *git = g_build_filename(folder, ".git", NULL);
	struct stat st;

	if (real_home && (holds(folder, real_home) || holds(real_home, folder))) {
		spk_error_set(error, SPK_ERR_USAGE, copy,
			      "%s %s %s, which no command in the sandbox may change",
			      folder, holds(folder, real_home) ? "holds" : "is part of",
			      real_home);
		return FALSE;
	}
	if (lstat(git, &st) == 0 && S_ISLNK(st.st_mode)) {
		spk_error_set(
			error, SPK_ERR_USAGE, copy,
			"%s is a symbolic link, which the sandbox cannot keep as it is",
			git);
		return FALSE;
	}
	return TRUE;
}

static gboolean make_copy(Place *place, const SpkConf *conf, const char *home,
			  SpkCancel *cancel, GError **error)
{
	g_auto(GStrv) sensitive = spk_sensitive_list(conf);
	SpkTreeLimits limits = { .sensitive = (const char *const *)sensitive };
	g_autofree char *id = g_path_get_basename(place->tree_dir);
	const char *below;

	place->tree = spk_tree_create(home, id, place->folder, &limits, cancel, error);
	if (!place->tree)
		return FALSE;
	for (const char *const *note = spk_tree_notes(place->tree); *note; note++)
		fprintf(stderr, "sparks: %s\n", *note);
	place->from = g_strdup(spk_tree_work(place->tree));
	below = spk_tree_subdir(place->tree);
	if (*below && g_str_has_suffix(place->folder, below)) {
		place->below = g_strdup(below);
		place->folder[strlen(place->folder) - strlen(below) - 1] = '\0';
	}
	return TRUE;
}

gboolean place_open(Place *place, const SpkConf *conf, const SpkArgs *args,
		    SpkCancel *cancel, GError **error)
{
	const char *dir = spk_args_str(args, "dir");
	g_autofree char *home = spk_fs_home(error);
	g_autofree char *id = g_strdup_printf("sandbox-%d", (int)getpid());
	struct stat st;

	if (!home)
		return FALSE;
	place->tree_dir = g_build_filename(home, "trees", id, NULL);
	place->folder = realpath(dir ? dir : ".", NULL);
	if (!place->folder || stat(place->folder, &st) < 0 || !S_ISDIR(st.st_mode)) {
		spk_error_set(error, SPK_ERR_USAGE, "give a folder that exists", "%s: %s",
			      dir ? dir : ".",
			      place->folder ? "not a folder" : g_strerror(errno));
		return FALSE;
	}
	if (spk_args_flag(args, "copy"))
		return make_copy(place, conf, home, cancel, error);
	return check_direct(place->folder, home, error);
}
