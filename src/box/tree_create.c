/*
 * A new private copy: look at the user's folder, take the view of it, copy the files, record
 * them byte for byte, give the box a git folder of its own. meta.json is written last; until
 * then the tree counts as half-made and is thrown away by the next attempt.
 */
#include "box/tree_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"

#define NAMES_IN_NOTE 5

typedef struct {
	SpkTree *tree;
	const SpkTreeLimits *limits;
	SpkCancel *cancel;
	TreeConfig config;
	TreeView view;
	GPtrArray *notes, *withheld;
	TreeCopy copy;
} Creation;

static void creation_clear(Creation *creation)
{
	tree_config_clear(&creation->config);
	tree_view_clear(&creation->view);
	g_ptr_array_unref(creation->notes);
	g_ptr_array_unref(creation->withheld);
	tree_copy_clear(&creation->copy);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Creation, creation_clear)

/* ---- notes ---- */

/* "WHAT: a, b, c and 4 more. MEANING". */
static void note(Creation *creation, const char *what, GPtrArray *names,
		 const char *meaning)
{
	GString *text;

	if (!names->len)
		return;
	text = g_string_new(what);
	for (guint i = 0; i < names->len && i < NAMES_IN_NOTE; i++) {
		g_autofree char *name =
			spk_text_clean(names->pdata[i], -1, SPK_CLEAN_LINE);

		g_string_append_printf(text, "%s %s", i ? "," : ":", name);
	}
	if (names->len > NAMES_IN_NOTE)
		g_string_append_printf(text, " and %u more", names->len - NAMES_IN_NOTE);
	g_string_append_printf(text, ". %s", meaning);
	g_ptr_array_add(creation->notes, g_string_free(text, FALSE));
}

static gboolean note_filtered(Creation *creation, GError **error)
{
	static const char *const args[] = { "check-attr", "-z", "--stdin", "filter",
					    NULL };
	SpkGit git = tree_user_git(creation->tree);
	const GString *paths = creation->view.paths;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(GPtrArray) items = NULL;
	g_autoptr(GString) out = NULL;

	if (!creation->tree->has_filters || !paths->len)
		return TRUE;
	if (!spk_git_run(&git, args, paths->str, paths->len, TREE_LIST_MAX,
			 creation->cancel, &out, NULL, error))
		return FALSE;
	items = tree_split_z(out);
	for (guint i = 0; i + 2 < items->len; i += 3)
		if (strcmp(items->pdata[i + 2], "unspecified") &&
		    strcmp(items->pdata[i + 2], "unset"))
			g_ptr_array_add(names, items->pdata[i]);
	note(creation, "Converted by a git filter (such as LFS)", names,
	     "Filters are programs and are not run: a file of these that the task changes is "
	     "committed as it is.");
	return TRUE;
}

static void note_carried(Creation *creation)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (char **path = creation->tree->carried; *path; path++)
		g_ptr_array_add(names, *path);
	note(creation, "Dependency folders that git ignores", names,
	     "The sandbox is lent them; what is written there is no part of the result.");
}

static gboolean make_notes(Creation *creation, GError **error)
{
	TreeView *view = &creation->view;

	note(creation, "Submodules", view->submodules,
	     "They are empty in the private copy, and what is put there is not recorded.");
	note(creation, "Repositories inside of this one", view->nested,
	     "They are left out.");
	note_carried(creation);
	note(creation, "Sensitive files", creation->copy.sensitive,
	     "They are left out and stay as they are.");
	note(creation,
	     "Other names of a sensitive file (hard links, or what a symlink leads to)",
	     creation->copy.linked,
	     "They are left out like that one, and so is the history of the repository.");
	note(creation, "Neither files nor links", creation->copy.specials,
	     "They are left out.");
	if (view->n_sparse && creation->copy.n_missing)
		g_ptr_array_add(
			creation->notes,
			g_strdup_printf("%u files are not checked out here (sparse "
					"checkout). They are left out and stay as they "
					"are.",
					creation->copy.n_missing));
	return note_filtered(creation, error);
}

/* ---- git folders ---- */

static char *quote_config(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "\\", -1);
	g_autofree char *slashed = g_strjoinv("\\\\", parts);
	g_auto(GStrv) quotes = g_strsplit(slashed, "\"", -1);
	g_autofree char *escaped = g_strjoinv("\\\"", quotes);

	return g_strdup_printf("\"%s\"", escaped);
}

/* When our own state lies in the user's folder (a task in the home folder), it is no part of
 * any task. */
static void exclude_home(Creation *creation)
{
	const char *top = creation->tree->repo.top;
	g_autofree char *trees = g_path_get_dirname(creation->tree->dir);
	g_autofree char *home = g_path_get_dirname(trees);
	g_autofree char *real = realpath(home, NULL);
	g_autofree char *old = NULL;
	GString *text;

	if (!real || !g_str_has_prefix(real, top) || real[strlen(top)] != '/')
		return;
	old = creation->config.exclude;
	text = g_string_new(old);
	g_string_append_c(text, '\n');
	for (const char *p = real + strlen(top); *p; p++) {
		if (strchr("*?[\\ ", *p))
			g_string_append_c(text, '\\');
		g_string_append_c(text, *p);
	}
	g_string_append(text, "/\n");
	creation->config.exclude = g_string_free(text, FALSE);
}

static gboolean make_raw(Creation *creation, GError **error)
{
	SpkTree *tree = creation->tree;
	TreeGitDir spec = {
		.path = tree->git,
		.format = tree->repo.format,
		.head = "ref: refs/heads/none\n",
		.config = "\tautocrlf = false\n\tsymlinks = true\n\tfilemode = true\n"
			  "\tignorecase = false\n\tprecomposeunicode = false\n"
			  "\tprotectNTFS = false\n\tprotectHFS = false\n",
		.exclude = creation->config.exclude,
		.attributes = tree_raw_attributes,
	};

	return tree_gitdir_make(&spec, error);
}

static gboolean make_user(Creation *creation, GError **error)
{
	SpkTree *tree = creation->tree;
	const TreeConfig *config = &creation->config;
	const char *common = tree->repo.common_dir;
	g_autofree char *theirs = common ? g_build_filename(common, "objects", NULL)
					 : NULL;
	g_autofree char *shallow_path = common ? g_build_filename(common, "shallow", NULL)
					       : NULL;
	g_autofree char *shallow = common ? tree_read_optional(shallow_path, 1u << 20)
					  : NULL;
	g_autofree char *global = g_build_filename(tree->user, "attributes", NULL);
	g_autofree char *quoted = quote_config(global);
	g_autofree char *text =
		g_strdup_printf("\tattributesFile = %s\n%s", quoted, config->config);
	const char *const alternates[] = { tree->objects, theirs, NULL };
	TreeGitDir spec = {
		.path = tree->user,
		.format = tree->repo.format,
		.head = "ref: refs/heads/none\n",
		.config = text,
		.exclude = config->exclude,
		.attributes = config->attributes,
		.alternates = alternates,
		.shallow = shallow,
	};
	const char *attributes = config->global_attributes ? config->global_attributes
							   : "";

	return tree_gitdir_make(&spec, error) &&
	       tree_write_file(tree->user, "attributes", attributes, strlen(attributes),
			       error);
}

/* ---- the base ---- */

static void add_copies(GPtrArray *to, GPtrArray *from)
{
	for (guint i = 0; i < from->len; i++)
		g_ptr_array_add(to, g_strdup(from->pdata[i]));
}

static char **to_strv(GPtrArray *list)
{
	g_ptr_array_add(list, NULL);
	return g_strdupv((char **)list->pdata);
}

static gboolean find_forced(SpkTree *tree, SpkCancel *cancel, GError **error)
{
	static const char *const args[] = { "ls-files",		  "-z", "-i", "-c",
					    "--exclude-standard", NULL };
	SpkGit git = tree_raw_git(tree);
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) paths = NULL;

	if (!spk_git_run(&git, args, NULL, 0, TREE_LIST_MAX, cancel, &out, NULL, error))
		return FALSE;
	paths = tree_split_z(out);
	tree->forced = to_strv(paths);
	return TRUE;
}

static gboolean record_base(Creation *creation, GError **error)
{
	SpkTree *tree = creation->tree;

	add_copies(creation->withheld, creation->view.submodules);
	tree->submodules = to_strv(creation->withheld);
	g_ptr_array_set_size(creation->withheld, creation->view.submodules->len);
	add_copies(creation->withheld, creation->view.nested);
	add_copies(creation->withheld, creation->copy.sensitive);
	tree->withheld = to_strv(creation->withheld);
	tree->base = tree_record(tree, TRUE, creation->cancel, error);
	if (!tree->base)
		return FALSE;
	if (!tree->base_user)
		tree->base_user = g_strdup(tree->base);
	return find_forced(tree, creation->cancel, error);
}

static gboolean head_has(SpkTree *tree, const SpkGit *git, const char *of_tree)
{
	g_autofree char *spec = g_strconcat(tree->repo.head, "^{tree}", NULL);
	g_autofree char *found =
		spk_git_line(git, NULL, "rev-parse", "--verify", spec, NULL);

	return !g_strcmp0(found, of_tree);
}

/* HEAD, or the user's uncommitted changes as a commit on top of it. */
static gboolean make_base_commit(Creation *creation, GError **error)
{
	SpkTree *tree = creation->tree;
	SpkGit git = tree_user_git(tree);
	g_auto(GStrv) identity = tree_identity_env(&tree->repo, spk_now_us());
	g_autofree char *message =
		g_strdup_printf("uncommitted changes before task %s\n", tree->id);

	if (!tree_repo_head(tree, &tree->repo.head, error))
		return FALSE;
	if (tree->repo.head && head_has(tree, &git, tree->base_user))
		tree->base_commit = g_strdup(tree->repo.head);
	else
		tree->base_commit = tree_commit_object(&git, tree->base_user,
						       tree->repo.head, message, identity,
						       creation->cancel, error);
	return tree->base_commit != NULL;
}

static gboolean take_view(Creation *creation, GError **error)
{
	SpkTree *tree = creation->tree;

	if (!tree_view_make(tree, "index", creation->limits, creation->cancel,
			    &creation->view, error))
		return FALSE;
	tree->base_user = g_steal_pointer(&creation->view.tree);
	return !tree->repo.git_dir || make_base_commit(creation, error);
}

/* ---- the box's git folder ---- */

static gboolean make_box_head(Creation *creation, GError **error)
{
	SpkTree *tree = creation->tree;
	SpkGit git = tree_raw_git(tree);
	g_auto(GStrv) identity = tree_identity_env(&tree->repo, spk_now_us());
	g_autofree char *message = g_strdup_printf("base of task %s\n", tree->id);
	const char *parent = tree->shallow ? tree->repo.head : NULL;

	if (parent && head_has(tree, &git, tree->base))
		tree->box_head = g_strdup(parent);
	else
		tree->box_head = tree_commit_object(&git, tree->base, parent, message,
						    identity, creation->cancel, error);
	return tree->box_head && tree_work_ready(tree, error);
}

/* ---- all of it ---- */

static gboolean make_folders(SpkTree *tree, GError **error)
{
	if (!spk_fs_remove_tree(tree->dir, error) ||
	    !spk_fs_mkdirs(tree->dir, 0700, error) ||
	    !spk_fs_mkdirs(tree->work, 0755, error))
		return FALSE;
	tree->work_fd = tree_open_dir(tree->work, error);
	return tree->work_fd >= 0;
}

static gboolean create(Creation *creation, const char *folder, GError **error)
{
	SpkTree *tree = creation->tree;

	if (!tree_repo_find(folder, &tree->repo, error) ||
	    !tree_repo_config(&tree->repo, &creation->config, error) ||
	    !make_folders(tree, error))
		return FALSE;
	tree->has_filters = creation->config.has_filters;
	exclude_home(creation);
	if (!make_raw(creation, error) || !make_user(creation, error) ||
	    !take_view(creation, error) ||
	    !tree_history_copy(tree, creation->limits, creation->cancel, &tree->shallow,
			       error) ||
	    !tree_copy_files(tree, creation->view.paths, creation->limits,
			     creation->cancel, &creation->copy, error) ||
	    (creation->copy.linked->len && !tree_history_drop(tree, error)) ||
	    !record_base(creation, error) || !make_box_head(creation, error))
		return FALSE;
	if (!tree_carry_find(tree, creation->view.paths, creation->limits,
			     creation->copy.links, error) ||
	    !make_notes(creation, error))
		return FALSE;
	tree->notes = to_strv(creation->notes);
	return tree_meta_save(tree, error);
}

SpkTree *spk_tree_create(const char *home, const char *id, const char *folder,
			 const SpkTreeLimits *limits, SpkCancel *cancel, GError **error)
{
	static const SpkTreeLimits defaults = { 0 };
	g_autoptr(SpkTree) tree = tree_new(home, id);
	g_auto(Creation) creation = {
		.tree = tree,
		.limits = limits ? limits : &defaults,
		.cancel = cancel,
		.notes = g_ptr_array_new_with_free_func(g_free),
		.withheld = g_ptr_array_new_with_free_func(g_free),
	};

	if (!tree_id_check(id, error))
		return NULL;
	if (create(&creation, folder, error))
		return g_steal_pointer(&tree);
	(void)spk_fs_remove_tree(tree->dir,
				 NULL); /* half-made; the error is set already */
	return NULL;
}
