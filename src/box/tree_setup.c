/*
 * What a task's setup leaves. It runs in a checkout of its own, trees/ID/setup; folders that it
 * adds are lent from there (tree_lend.c), single files are copied to where commands work. None
 * of it is part of a result, and what it changes of the repository's files is dropped.
 */
#include "box/tree_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

#define FOLDERS_MAX 200 /* each is a mount */
#define FILES_MAX   500 /* each is copied for every check */
#define FILES_BYTES (64 << 20)
#define COPY_MAX    200000 /* files of a folder, where it cannot be lent */
#define DEPTH_MAX   100
#define DROPPED_MAX 100 /* that are named */
#define RECORD	    "setup.json"
#define LAYERS	    "layers-setup"
#define EXCLUDE_MAX (8u << 20)
#define MARK	    "# what the setup has left\n"

void spk_tree_setup_clear(SpkTreeSetup *setup)
{
	g_clear_pointer(&setup->folders, g_ptr_array_unref);
	g_clear_pointer(&setup->files, g_ptr_array_unref);
	g_clear_pointer(&setup->dropped, g_ptr_array_unref);
}

static void setup_init(SpkTreeSetup *setup)
{
	setup->folders = g_ptr_array_new_with_free_func(g_free);
	setup->files = g_ptr_array_new_with_free_func(g_free);
	setup->dropped = g_ptr_array_new_with_free_func(g_free);
}

/* ---- what git is not to see ---- */

/* As a pattern of gitignore(5) that is this path alone. */
static void put_pattern(GString *text, const char *path)
{
	g_string_append_c(text, '/');
	for (; *path; path++) {
		if (strchr("\\*?[]!# ", *path))
			g_string_append_c(text, '\\');
		g_string_append_c(text, *path);
	}
	g_string_append_c(text, '\n');
}

/* `setup` NULL: nothing. */
static gboolean exclude(SpkTree *tree, const SpkTreeSetup *setup, GError **error)
{
	g_autofree char *info = g_build_filename(tree->git, "info", NULL);
	g_autofree char *path = g_build_filename(info, "exclude", NULL);
	g_autofree char *old = tree_read_optional(path, EXCLUDE_MAX);
	g_autoptr(GString) text = g_string_new(old);
	char *mark = strstr(text->str, MARK);

	if (mark)
		g_string_truncate(text, mark - text->str);
	else if (!setup)
		return TRUE;
	if (text->len && text->str[text->len - 1] != '\n')
		g_string_append_c(text, '\n');
	if (setup)
		g_string_append(text, MARK);
	for (guint i = 0; setup && i < setup->folders->len; i++)
		put_pattern(text, setup->folders->pdata[i]);
	for (guint i = 0; setup && i < setup->files->len; i++)
		put_pattern(text, setup->files->pdata[i]);
	return tree_write_file(info, "exclude", text->str, text->len, error);
}

/* ---- before ---- */

static gboolean forget(SpkTree *tree, GError **error)
{
	static const char *const own[] = { RECORD, TREE_SETUP, LAYERS };

	g_clear_pointer(&tree->set_up, g_free);
	spk_tree_setup_clear(&tree->setup);
	for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
		g_autofree char *path = g_build_filename(tree->dir, own[i], NULL);

		if (!spk_fs_remove_tree(path, error))
			return FALSE;
	}
	return exclude(tree, NULL, error);
}

char *spk_tree_setup_begin(SpkTree *tree, SpkCancel *cancel, GError **error)
{
	if (!forget(tree, error))
		return NULL;
	return spk_tree_checkout(tree, tree->base, TREE_SETUP, cancel, error);
}

/* ---- what is new ---- */

typedef struct {
	SpkTree *tree;
	SpkCancel *cancel;
	gboolean lent;		     /* the user's folders were there */
	GHashTable *files, *folders; /* of the base */
	SpkTreeSetup *setup;
	gint64 bytes;
} Look;

static gboolean look_in(Look *look, int fd, const char *path, guint depth,
			GError **error);

static gboolean too_much(GError **error)
{
	spk_error_set(error, SPK_ERR_LIMIT,
		      "let it write below one folder, such as node_modules or .venv",
		      "the setup left more than %d folders, or %d files (%d MiB) outside "
		      "of new folders",
		      FOLDERS_MAX, FILES_MAX, FILES_BYTES >> 20);
	return FALSE;
}

static gboolean is_carried(const Look *look, const char *path)
{
	return look->lent && look->tree->carried &&
	       g_strv_contains((const char *const *)look->tree->carried, path);
}

static gboolean take_folder(Look *look, int parent, const char *name, const char *path,
			    guint depth, GError **error)
{
	spk_autofd int fd = -1;

	if (is_carried(look, path) || !strcmp(name, "__pycache__"))
		return TRUE;
	if (g_hash_table_contains(look->files, path)) {
		g_ptr_array_add(look->setup->dropped, g_strdup(path));
		return TRUE;
	}
	if (!g_hash_table_contains(look->folders, path)) {
		g_ptr_array_add(look->setup->folders, g_strdup(path));
		return look->setup->folders->len <= FOLDERS_MAX || too_much(error);
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && depth < DEPTH_MAX)
		return look_in(look, spk_fd_steal(&fd), path, depth + 1, error);
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
			    "cannot look at what the setup left in %s", path);
	return FALSE;
}

/* Files of the base that it changed are found by git. */
static gboolean take_file(Look *look, const char *path, const struct stat *st,
			  GError **error)
{
	if (g_hash_table_contains(look->files, path))
		return TRUE;
	if (g_hash_table_contains(look->folders, path)) {
		g_ptr_array_add(look->setup->dropped, g_strdup(path));
		return TRUE;
	}
	look->bytes += st->st_size;
	g_ptr_array_add(look->setup->files, g_strdup(path));
	return (look->setup->files->len <= FILES_MAX && look->bytes <= FILES_BYTES) ||
	       too_much(error);
}

static gboolean take_entry(Look *look, int dir, const char *folder, const char *name,
			   guint depth, GError **error)
{
	g_autofree char *path = *folder ? g_strconcat(folder, "/", name, NULL)
					: g_strdup(name);
	struct stat st;

	/* a name with a line end has no pattern */
	if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(path, ".git") ||
	    strchr(name, '\n') || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return TRUE;
	if (S_ISDIR(st.st_mode))
		return take_folder(look, dir, name, path, depth, error);
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return take_file(look, path, &st, error);
	return TRUE;
}

static gboolean look_in(Look *look, int fd, const char *path, guint depth, GError **error)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	gboolean ok = dir && spk_cancel_check(look->cancel, error);

	if (!dir) {
		close(fd);
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot look at what the setup left");
		return FALSE;
	}
	while (ok && (entry = readdir(dir)))
		ok = take_entry(look, dirfd(dir), path, entry->d_name, depth, error);
	closedir(dir);
	return ok;
}

static void note_base(Look *look, char **paths)
{
	for (char **path = paths; *path; path++) {
		g_autofree char *folder = g_strdup(*path);
		char *slash;

		g_hash_table_add(look->files, g_strdup(*path));
		while ((slash = strrchr(folder, '/'))) {
			*slash = '\0';
			if (!g_hash_table_add(look->folders, g_strdup(folder)))
				break; /* and those above it */
		}
	}
	/* a submodule is an empty folder in every checkout */
	for (char **path = look->tree->submodules; path && *path; path++)
		g_hash_table_add(look->folders, g_strdup(*path));
}

static gboolean find_new(Look *look, const char *folder, GError **error)
{
	g_auto(GStrv) paths = spk_tree_paths(look->tree, look->tree->base, error);
	int fd = paths ? open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
		       : -1;
	gboolean ok;

	if (!paths)
		return FALSE;
	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot read %s",
				    folder);
		return FALSE;
	}
	look->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	look->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	note_base(look, paths);
	ok = look_in(look, fd, "", 0, error);
	g_hash_table_unref(look->files);
	g_hash_table_unref(look->folders);
	return ok;
}

/* Files of the repository that are not as they were. */
static gboolean find_changed(Look *look, const char *folder, GError **error)
{
	static const char *const refresh[] = { "update-index", "-q", "--refresh", NULL };
	static const char *const list[] = { "diff-files", "-z", "--name-only", NULL };
	const char *const read[] = { "read-tree", look->tree->base, NULL };
	g_autofree char *temp = tree_temp_dir(look->tree, "look", error);
	g_autofree char *index = temp ? g_build_filename(temp, "index", NULL) : NULL;
	SpkGit git = { .git_dir = look->tree->git, .work_tree = folder, .index = index };
	g_autoptr(GString) out = NULL;
	g_autoptr(GPtrArray) paths = NULL;
	int status;

	if (!temp ||
	    !spk_git_run(&git, read, NULL, 0, 0, look->cancel, NULL, NULL, error) ||
	    !spk_git_run(&git, refresh, NULL, 0, 0, look->cancel, NULL, &status, error) ||
	    !spk_git_run(&git, list, NULL, 0, TREE_LIST_MAX, look->cancel, &out, NULL,
			 error))
		return FALSE;
	paths = tree_split_z(out);
	for (guint i = 0; i < paths->len && look->setup->dropped->len < DROPPED_MAX; i++)
		g_ptr_array_add(look->setup->dropped, g_strdup(paths->pdata[i]));
	return TRUE;
}

/* ---- the record ---- */

static json_t *list_to_json(const GPtrArray *list)
{
	json_t *array = json_array();

	for (guint i = 0; i < list->len; i++)
		json_array_append_new(array, tree_path_to_json(list->pdata[i]));
	return array;
}

static void list_from_json(const json_t *array, GPtrArray *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item) {
		char *path = tree_path_from_json(item);

		if (path)
			g_ptr_array_add(list, path);
	}
}

static char *record_path(const SpkTree *tree)
{
	return g_build_filename(tree->dir, RECORD, NULL);
}

static gboolean save(SpkTree *tree, const SpkTreeSetup *setup, GError **error)
{
	g_autoptr(json_t) record = json_pack("{s:o,s:o,s:o}", "folders",
					     list_to_json(setup->folders), "files",
					     list_to_json(setup->files), "dropped",
					     list_to_json(setup->dropped));
	g_autofree char *path = record_path(tree);
	g_autofree char *text = spk_json_dump(record);

	return spk_fs_write_atomic(path, text, strlen(text), 0600, error);
}

gboolean tree_setup_load(SpkTree *tree, GError **error)
{
	g_autofree char *path = record_path(tree);
	g_autofree char *text = NULL;
	g_autoptr(json_t) record = NULL;
	gsize len;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	text = spk_fs_read(path, TREE_META_MAX, &len, error);
	record = text ? spk_json_parse(text, len, TREE_META_MAX, error) : NULL;
	if (!record)
		return FALSE;
	setup_init(&tree->setup);
	list_from_json(json_object_get(record, "folders"), tree->setup.folders);
	list_from_json(json_object_get(record, "files"), tree->setup.files);
	list_from_json(json_object_get(record, "dropped"), tree->setup.dropped);
	tree->set_up = g_build_filename(tree->dir, TREE_SETUP, NULL);
	return TRUE;
}

gboolean spk_tree_setup_end(SpkTree *tree, gboolean lent, SpkCancel *cancel,
			    GError **error)
{
	g_autofree char *folder = g_build_filename(tree->dir, TREE_SETUP, NULL);
	g_auto(SpkTreeSetup) setup = { 0 };
	Look look = { .tree = tree, .cancel = cancel, .lent = lent, .setup = &setup };

	setup_init(&setup);
	if (!find_new(&look, folder, error) || !find_changed(&look, folder, error) ||
	    !exclude(tree, &setup, error) || !save(tree, &setup, error))
		return FALSE;
	return tree_setup_load(tree, error);
}

const SpkTreeSetup *spk_tree_setup(SpkTree *tree)
{
	return tree->set_up ? &tree->setup : NULL;
}

char *tree_setup_layer(const SpkTree *tree, const char *key)
{
	g_autofree char *path = g_build_filename(tree->dir, LAYERS, key, "upper", NULL);
	g_autoptr(GDir) dir = tree->set_up ? g_dir_open(path, 0, NULL) : NULL;

	return dir && g_dir_read_name(dir) ? g_steal_pointer(&path) : NULL;
}

/* ---- where commands work ---- */

typedef struct {
	gint64 left;
	guint depth;
} Copying;

static gboolean copy_into(Copying *copying, int from, int to, GError **error);

/* What stands there already is the task's. */
static gboolean copy_entry(Copying *copying, int from, int to, const char *name,
			   GError **error)
{
	spk_autofd int inner = -1, place = -1;
	struct stat st, there;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISDIR(st.st_mode) && fstatat(to, name, &there, AT_SYMLINK_NOFOLLOW) == 0))
		return TRUE;
	if (copying->left-- <= 0 || copying->depth > DEPTH_MAX)
		return too_much(error);
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return spk_fs_copy_file(from, name, to, name, error);
	if (!S_ISDIR(st.st_mode))
		return TRUE;
	if (mkdirat(to, name, 0755) < 0 && errno != EEXIST) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot create %s",
				    name);
		return FALSE;
	}
	inner = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	place = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return inner < 0 || place < 0 ||
	       copy_into(copying, spk_fd_steal(&inner), place, error);
}

/* Consumes `from`. */
static gboolean copy_into(Copying *copying, int from, int to, GError **error)
{
	DIR *dir = fdopendir(from);
	struct dirent *entry;
	gboolean ok = TRUE;

	if (!dir) {
		close(from);
		return TRUE;
	}
	copying->depth++;
	while (ok && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ok = copy_entry(copying, dirfd(dir), to, entry->d_name, error);
	copying->depth--;
	closedir(dir);
	return ok;
}

/* A folder on the way that a command has put something else in the place of: not there then. */
static gboolean copy_left(int source, int shown, const GPtrArray *paths, GError **error)
{
	Copying copying = { .left = COPY_MAX };

	for (guint i = 0; i < paths->len; i++) {
		const char *path = paths->pdata[i], *name;
		spk_autofd int from =
			tree_open_parent(source, path, FALSE, NULL, &name, NULL);
		spk_autofd int to =
			tree_open_parent(shown, path, TRUE, NULL, &name, NULL);

		if (from >= 0 && to >= 0 && !copy_entry(&copying, from, to, name, error))
			return FALSE;
	}
	return TRUE;
}

gboolean tree_setup_install(SpkTree *tree, const char *folder, gboolean folders,
			    GError **error)
{
	spk_autofd int source = -1, shown = -1;

	if (!tree->set_up)
		return TRUE;
	source = tree_open_dir(tree->set_up, error);
	shown = source < 0 ? -1 : tree_open_dir(folder, error);
	return shown >= 0 && copy_left(source, shown, tree->setup.files, error) &&
	       (!folders || copy_left(source, shown, tree->setup.folders, error));
}
