#include "cmd/tasks/playrepo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/git.h"

static int mode_of(const json_t *file)
{
	const json_t *mode = json_object_get(file, "mode");
	g_autofree char *digits = mode ? spk_json_dump(mode) : g_strdup("644");
	const char *first = digits + (*digits == '"');

	return (int)strtol(first, NULL, 8) & 0777;
}

static gboolean write_link(const char *path, const char *target, GError **error)
{
	if (symlink(target, path) == 0)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot make the link %s",
			    path);
	return FALSE;
}

static gboolean write_file(const char *path, const json_t *file, GError **error)
{
	const char *text = json_is_string(file) ? json_string_value(file)
						: spk_json_str(file, "text");
	const char *base64 = spk_json_str(file, "base64");
	const char *target = spk_json_str(file, "link");
	g_autofree guchar *bytes = NULL;
	gsize len = text ? strlen(text) : 0;

	if (target)
		return write_link(path, target, error);
	if (base64)
		bytes = g_base64_decode(base64, &len);
	return spk_fs_write_atomic(path,
				   bytes  ? (const char *)bytes
				   : text ? text
					  : "",
				   len, mode_of(file), error);
}

/* Names with ".." never get here: spk_play_parse() refuses them. */
static gboolean write_files(const json_t *files, const char *folder, GError **error)
{
	const char *name;
	json_t *file;

	json_object_foreach((json_t *)files, name, file) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		if (!spk_fs_mkdirs(parent, 0755, error) || !write_file(path, file, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean commit_all(const char *folder, GError **error)
{
	static const char *const identity[] = {
		"GIT_AUTHOR_NAME=sparks",
		"GIT_AUTHOR_EMAIL=sparks@localhost",
		"GIT_COMMITTER_NAME=sparks",
		"GIT_COMMITTER_EMAIL=sparks@localhost",
		"GIT_AUTHOR_DATE=1767225600 +0000",
		"GIT_COMMITTER_DATE=1767225600 +0000",
		NULL,
	};
	static const char *const init[] = { "init", "-q", "-b", "main", NULL };
	static const char *const add[] = { "add", "-A", NULL };
	static const char *const commit[] = { "commit", "-q",	 "--allow-empty",
					      "-m",	"Begin", NULL };
	g_autofree char *git_dir = g_build_filename(folder, ".git", NULL);
	SpkGit git = { .git_dir = git_dir, .work_tree = folder, .extra_env = identity };

	return spk_git_run(&git, init, NULL, 0, 0, NULL, NULL, NULL, error) &&
	       spk_git_run(&git, add, NULL, 0, 0, NULL, NULL, NULL, error) &&
	       spk_git_run(&git, commit, NULL, 0, 0, NULL, NULL, NULL, error);
}

gboolean spk_playrepo_write(const json_t *repo, const char *folder, GError **error)
{
	return spk_fs_mkdirs(folder, 0755, error) &&
	       write_files(json_object_get(repo, "files"), folder, error) &&
	       (!spk_json_bool(repo, "git", TRUE) || commit_all(folder, error));
}
