/*
 * Our git folders, written by hand: what `git init` would make, without its templates and
 * two processes less for each task.
 */
#include "box/tree_priv.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

/* Attribute files in a work tree rank below info/attributes. "!diff": git looks at the
 * content, so that no file of the box can hide a change from the person who reads the diff. */
const char tree_raw_attributes[] =
	"* -text -eol -crlf -filter -ident -working-tree-encoding -merge !diff -export-subst "
	"-export-ignore !whitespace\n";

static gboolean make_folders(const char *path, GError **error)
{
	static const char *const folders[] = { "info", "objects/info", "objects/pack",
					       "refs/heads", "refs/steps" };

	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *folder = g_build_filename(path, folders[i], NULL);

		if (!spk_fs_mkdirs(folder, 0755, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean write_text(const char *dir, const char *name, const char *text,
			   GError **error)
{
	return !text || tree_write_file(dir, name, text, strlen(text), error);
}

static char *alternates_text(const char *const *alternates)
{
	GString *text = g_string_new(NULL);

	for (; alternates && *alternates; alternates++) {
		g_autofree char *quoted = spk_git_quote_alternate(*alternates);

		g_string_append_printf(text, "%s\n", quoted);
	}
	return g_string_free(text, text->len == 0);
}

gboolean tree_gitdir_make(const TreeGitDir *spec, GError **error)
{
	gboolean sha256 = !strcmp(spec->format, "sha256");
	g_autofree char *alternates = alternates_text(spec->alternates);
	g_autofree char *config = g_strdup_printf(
		"%s[core]\n\trepositoryformatversion = %d\n\tbare = false\n\tfsync = none\n"
		"\tfsyncObjectFiles = false\n\tlooseCompression = 0\n\tsafecrlf = false\n%s"
		"[gc]\n\tauto = 0\n",
		sha256 ? "[extensions]\n\tobjectformat = sha256\n" : "", sha256,
		spec->config ? spec->config : "");

	return make_folders(spec->path, error) &&
	       write_text(spec->path, "HEAD", spec->head, error) &&
	       write_text(spec->path, "config", config, error) &&
	       write_text(spec->path, "info/exclude", spec->exclude, error) &&
	       write_text(spec->path, "info/attributes", spec->attributes, error) &&
	       write_text(spec->path, "objects/info/alternates", alternates, error) &&
	       (!spec->shallow || !*spec->shallow ||
		write_text(spec->path, "shallow", spec->shallow, error));
}

gboolean tree_box_git(SpkTree *tree, const char *folder, const char *index,
		      const char *head, GError **error)
{
	g_autofree char *path = g_build_filename(folder, ".git", NULL);
	g_autofree char *branch = g_strconcat("refs/heads/sparks/", tree->id, NULL);
	g_autofree char *head_ref = g_strdup_printf("ref: %s\n", branch);
	g_autofree char *head_line = g_strconcat(head, "\n", NULL);
	g_autofree char *heads = g_build_filename(path, "refs/heads/sparks", NULL);
	g_autofree char *own_index = g_build_filename(path, "index", NULL);
	const char *const alternates[] = { tree->objects, NULL };
	TreeGitDir spec = {
		.path = path,
		.format = tree->repo.format,
		.head = head_ref,
		.config = "[user]\n\tname = sparks\n\temail = sparks@localhost\n",
		.attributes = tree_raw_attributes,
		.alternates = alternates,
		.shallow = tree->shallow,
	};

	return spk_fs_remove_tree(path, error) && tree_gitdir_make(&spec, error) &&
	       spk_fs_mkdirs(heads, 0755, error) &&
	       tree_write_file(path, branch, head_line, strlen(head_line), error) &&
	       spk_fs_copy_file(AT_FDCWD, index, AT_FDCWD, own_index, error);
}

SpkGit tree_raw_git(SpkTree *tree)
{
	return (SpkGit){ .git_dir = tree->git, .work_tree = tree->work };
}

SpkGit tree_user_git(SpkTree *tree)
{
	return (SpkGit){ .git_dir = tree->user, .work_tree = tree->repo.top };
}

SpkGit tree_their_git(SpkTree *tree)
{
	return (SpkGit){ .git_dir = tree->repo.git_dir, .work_tree = tree->repo.top };
}

char **tree_identity_env(const TreeRepo *repo, gint64 time_us)
{
	g_autofree char *date =
		g_strdup_printf("@%" G_GINT64_FORMAT " +0000", time_us / G_USEC_PER_SEC);
	char **env = g_new0(char *, 7);

	env[0] = g_strconcat("GIT_AUTHOR_NAME=", repo->name, NULL);
	env[1] = g_strconcat("GIT_AUTHOR_EMAIL=", repo->email, NULL);
	env[2] = g_strconcat("GIT_AUTHOR_DATE=", date, NULL);
	env[3] = g_strconcat("GIT_COMMITTER_NAME=", repo->name, NULL);
	env[4] = g_strconcat("GIT_COMMITTER_EMAIL=", repo->email, NULL);
	env[5] = g_strconcat("GIT_COMMITTER_DATE=", date, NULL);
	return env;
}

char *tree_commit_object(const SpkGit *git, const char *of_tree, const char *parent,
			 const char *message, char **identity, SpkCancel *cancel,
			 GError **error)
{
	const char *const args[] = { "commit-tree", of_tree, parent ? "-p" : NULL, parent,
				     NULL };
	SpkGit as = *git;
	g_autoptr(GString) out = NULL;

	as.extra_env = (const char *const *)identity;
	if (!spk_git_run(&as, args, message, strlen(message), 0, cancel, &out, NULL,
			 error))
		return NULL;
	return g_strdup(g_strchomp(out->str));
}

const char *tree_zero_oid(const TreeRepo *repo)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";

	return zeros + (strcmp(repo->format, "sha256") ? 24 : 0);
}
