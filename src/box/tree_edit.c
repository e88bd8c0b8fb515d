/* Edits of the user's folder: their record, and carrying them out. */
#include "box/tree_apply_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "base/xattr.h"

#define RECORD_VERSION 1

TreeEdit *tree_edit_new(const char *path)
{
	TreeEdit *edit = g_new0(TreeEdit, 1);

	edit->path = g_strdup(path);
	return edit;
}

void tree_edit_free(TreeEdit *edit)
{
	g_free(edit->path);
	tree_state_clear(&edit->before);
	tree_state_clear(&edit->after);
	g_free(edit);
}

static void parent_free(gpointer data)
{
	TreeParent *parent = data;

	g_free(parent->path);
	json_decref(parent->xattrs);
	g_free(parent);
}

static void edit_free(gpointer edit)
{
	tree_edit_free(edit);
}

gboolean tree_plan_open(TreePlan *plan, SpkTree *tree, SpkCancel *cancel, GError **error)
{
	plan->tree = tree;
	plan->cancel = cancel;
	plan->edits = g_ptr_array_new_with_free_func(edit_free);
	plan->folders = g_ptr_array_new_with_free_func(g_free);
	plan->parents = g_ptr_array_new_with_free_func(parent_free);
	plan->conflicts = g_ptr_array_new_with_free_func(g_free);
	plan->top = tree_open_dir(tree->repo.top, error);
	return plan->top >= 0;
}

void tree_plan_clear(TreePlan *plan)
{
	if (!plan->edits)
		return;
	spk_fd_close(&plan->top);
	g_ptr_array_unref(plan->edits);
	g_ptr_array_unref(plan->folders);
	g_ptr_array_unref(plan->parents);
	g_ptr_array_unref(plan->conflicts);
	g_free(plan->raw);
	g_free(plan->commit);
	g_free(plan->old_head);
	g_free(plan->head);
	g_free(plan->new_head);
	*plan = (TreePlan){ .top = -1 };
}

void tree_plan_conflict(TreePlan *plan, const char *path, const char *format, ...)
{
	g_autofree char *reason = NULL, *line = NULL;
	va_list args;

	va_start(args, format);
	reason = g_strdup_vprintf(format, args);
	va_end(args);
	line = g_strdup_printf("%s: %s", path, reason);
	g_ptr_array_add(plan->conflicts, spk_text_clean(line, -1, SPK_CLEAN_LINE));
}

/* ---- the record ---- */

static json_t *with_xattrs(json_t *object, json_t *xattrs)
{
	if (json_object_size(xattrs))
		spk_json_set(object, "xattrs", json_incref(xattrs));
	return object;
}

static json_t *state_to_json(const TreeState *state)
{
	return with_xattrs(json_pack("{s:i, s:i, s:s?}", "mode", state->mode, "perm",
				     state->perm, "blob", state->blob),
			   state->xattrs);
}

static gboolean state_from_json(const json_t *json, TreeState *state)
{
	state->mode = spk_json_int(json, "mode", TREE_MODE_OTHER);
	state->perm = spk_json_int(json, "perm", 0) & 0777;
	state->blob = g_strdup(spk_json_str(json, "blob"));
	state->xattrs = json_incref(json_object_get(json, "xattrs"));
	return state->mode == 0 || ((state->mode == 0100644 || state->mode == 0100755 ||
				     state->mode == TREE_MODE_LINK) &&
				    state->blob);
}

/* ---- folders above what is removed ---- */

static const TreeParent *find_parent(const TreePlan *plan, const char *path)
{
	for (guint i = 0; i < plan->parents->len; i++) {
		const TreeParent *parent = plan->parents->pdata[i];

		if (!strcmp(parent->path, path))
			return parent;
	}
	return NULL;
}

static void add_parent(TreePlan *plan, const char *path, guint perm, json_t *xattrs)
{
	TreeParent *parent = g_new0(TreeParent, 1);

	parent->path = g_strdup(path);
	parent->perm = perm;
	parent->xattrs = json_incref(xattrs);
	g_ptr_array_add(plan->parents, parent);
}

static int open_parent(const TreePlan *plan, const char *path)
{
	return spk_fs_open_beneath(plan->top, path, O_RDONLY | O_DIRECTORY, 0,
				   RESOLVE_NO_SYMLINKS, NULL);
}

static gboolean note_parent(TreePlan *plan, const TreePlan *last, const char *path,
			    GError **error)
{
	spk_autofd int fd = open_parent(plan, path);
	const TreeParent *known = fd < 0 ? find_parent(last, path) : NULL;
	g_autoptr(json_t) xattrs = NULL;
	struct stat st;

	if (known)
		add_parent(plan, path, known->perm, known->xattrs);
	if (fd < 0 || fstat(fd, &st) < 0)
		return TRUE; /* gone, or not to be looked into */
	xattrs = spk_xattr_read(fd, path, error);
	if (xattrs)
		add_parent(plan, path, st.st_mode & 0777, xattrs);
	return xattrs != NULL;
}

gboolean tree_plan_note_parents(TreePlan *plan, const TreePlan *last, GError **error)
{
	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];
		g_autofree char *folder = g_strdup(edit->path);
		char *slash;

		while (edit->before.mode && !edit->after.mode &&
		       (slash = strrchr(folder, '/'))) {
			*slash = '\0';
			if (find_parent(plan, folder))
				break; /* and those above it */
			if (!note_parent(plan, last, folder, error))
				return FALSE;
		}
	}
	return TRUE;
}

/* Folders that were just made, and had been there before. */
static void restore_parents(const TreePlan *plan, const GPtrArray *made)
{
	for (guint i = 0; i < made->len; i++) {
		const TreeParent *parent = find_parent(plan, made->pdata[i]);
		spk_autofd int fd = parent ? open_parent(plan, parent->path) : -1;

		if (fd < 0)
			continue;
		/* the file in it matters more than these */
		(void)fchmod(fd, parent->perm);
		(void)spk_xattr_write(fd, parent->path, parent->xattrs, NULL);
	}
}

static json_t *parents_to_json(const TreePlan *plan)
{
	json_t *list = json_array();

	for (guint i = 0; i < plan->parents->len; i++) {
		const TreeParent *parent = plan->parents->pdata[i];

		json_array_append_new(
			list, with_xattrs(json_pack("{s:o, s:i}", "path",
						    tree_path_to_json(parent->path),
						    "perm", parent->perm),
					  parent->xattrs));
	}
	return list;
}

static void parents_from_json(TreePlan *plan, const json_t *list)
{
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row) {
		g_autofree char *path = tree_path_from_json(json_object_get(row, "path"));

		if (path)
			add_parent(plan, path, spk_json_int(row, "perm", 0755) & 0777,
				   json_object_get(row, "xattrs"));
	}
}

/* ---- all of it ---- */

json_t *tree_plan_to_json(const TreePlan *plan)
{
	json_t *record = json_pack("{s:i, s:s?, s:s?, s:s?}", "version", RECORD_VERSION,
				   "raw", plan->raw, "commit", plan->commit, "old_head",
				   plan->old_head);
	json_t *edits = json_array(), *folders = json_array();

	for (guint i = 0; i < plan->edits->len; i++) {
		const TreeEdit *edit = plan->edits->pdata[i];
		json_t *row = json_pack("{s:o, s:o, s:o, s:b}", "path",
					tree_path_to_json(edit->path), "before",
					state_to_json(&edit->before), "after",
					state_to_json(&edit->after), "merged",
					edit->merged);

		json_array_append_new(edits, row);
	}
	for (guint i = 0; i < plan->folders->len; i++)
		json_array_append_new(folders,
				      tree_path_to_json(plan->folders->pdata[i]));
	spk_json_set(record, "edits", edits);
	spk_json_set(record, "folders", folders);
	spk_json_set(record, "parents", parents_to_json(plan));
	return record;
}

/* A record travels through the journal, but a path that would leave the folder is stopped by
 * tree_open_parent() in any case. */
static TreeEdit *edit_from_json(const json_t *row)
{
	g_autofree char *path = tree_path_from_json(json_object_get(row, "path"));
	TreeEdit *edit = path && *path ? tree_edit_new(path) : NULL;

	if (!edit)
		return NULL;
	edit->merged = spk_json_bool(row, "merged", FALSE);
	if (state_from_json(json_object_get(row, "before"), &edit->before) &&
	    state_from_json(json_object_get(row, "after"), &edit->after))
		return edit;
	tree_edit_free(edit);
	return NULL;
}

gboolean tree_plan_from_json(TreePlan *plan, const json_t *record, GError **error)
{
	const json_t *edits = json_object_get(record, "edits");
	const json_t *folders = json_object_get(record, "folders");
	gboolean ok = spk_json_int(record, "version", 0) == RECORD_VERSION;

	plan->raw = g_strdup(spk_json_str(record, "raw"));
	plan->commit = g_strdup(spk_json_str(record, "commit"));
	plan->old_head = g_strdup(spk_json_str(record, "old_head"));
	for (gsize i = 0; ok && i < json_array_size(edits); i++) {
		TreeEdit *edit = edit_from_json(json_array_get(edits, i));

		ok = edit != NULL;
		if (edit)
			g_ptr_array_add(plan->edits, edit);
	}
	for (gsize i = 0; ok && i < json_array_size(folders); i++) {
		char *path = tree_path_from_json(json_array_get(folders, i));

		if (path)
			g_ptr_array_add(plan->folders, path);
	}
	parents_from_json(plan, json_object_get(record, "parents"));
	if (!ok)
		spk_error_set(error, SPK_ERR_CORRUPT, NULL,
			      "the record of what was applied is damaged");
	return ok;
}

/* ---- carrying out ---- */

typedef struct {
	TreePlan *plan;
	gboolean backwards;
	char *source; /* folder with the contents to be written */
	int source_fd;
	GHashTable *ours; /* folders that may be removed when empty; NULL: any */
} Carrying;

static const TreeState *goal_of(const Carrying *c, const TreeEdit *edit)
{
	return c->backwards ? &edit->before : &edit->after;
}

static const TreeState *start_of(const Carrying *c, const TreeEdit *edit)
{
	return c->backwards ? &edit->after : &edit->before;
}

/* TRUE in *ret_todo when the place is as expected; FALSE there when the goal is reached. */
static gboolean look(const Carrying *c, const TreeEdit *edit, gboolean *ret_todo,
		     GError **error)
{
	TreeState now = { 0 };
	gboolean ok = tree_state_read(c->plan->top, edit->path, &c->plan->tree->repo,
				      &now, error);

	*ret_todo = ok && !tree_state_equal(&now, goal_of(c, edit));
	/* a folder whose files all left by now stands for nothing */
	if (ok && *ret_todo && !tree_state_equal(&now, start_of(c, edit)) &&
	    !(now.mode == TREE_MODE_DIR && !start_of(c, edit)->mode)) {
		spk_error_set(error, SPK_ERR_CONFLICT, "try again",
			      "%s was changed while changes were being written",
			      edit->path);
		ok = FALSE;
	}
	tree_state_clear(&now);
	return ok;
}

static void remove_empty_parents(const Carrying *c, const char *path)
{
	g_autofree char *folder = g_strdup(path);
	char *slash;

	while ((slash = strrchr(folder, '/'))) {
		const char *name;
		spk_autofd int dir = -1;

		*slash = '\0';
		if (c->ours && !g_hash_table_contains(c->ours, folder))
			return;
		dir = tree_open_parent(c->plan->top, folder, FALSE, NULL, &name, NULL);
		if (dir < 0 || unlinkat(dir, name, AT_REMOVEDIR) < 0)
			return;
	}
}

static gboolean remove_one(const Carrying *c, const TreeEdit *edit, GError **error)
{
	const char *name;
	spk_autofd int dir =
		tree_open_parent(c->plan->top, edit->path, FALSE, NULL, &name, error);

	if (dir < 0)
		return FALSE;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot remove %s",
				    edit->path);
		return FALSE;
	}
	remove_empty_parents(c, edit->path);
	return TRUE;
}

/* Those of the file that is replaced; of one that was removed, as they are on record. */
static gboolean keep_xattrs(const TreeEdit *edit, int dir, const char *name,
			    const char *temp, GError **error)
{
	spk_autofd int new = openat(dir, temp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	spk_autofd int old =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autoptr(json_t) xattrs = NULL;
	struct stat st;

	if (old >= 0 && fstat(old, &st) == 0 && S_ISREG(st.st_mode))
		xattrs = spk_xattr_read(old, edit->path, error);
	else
		xattrs = edit->before.xattrs ? json_incref(edit->before.xattrs)
					     : json_object();
	return xattrs && (new < 0 || spk_xattr_write(new, edit->path, xattrs, error));
}

/* Beside its place under a name that a next attempt finds again, then renamed. */
static gboolean write_one(const Carrying *c, const TreeEdit *edit, GError **error)
{
	const TreeState *goal = goal_of(c, edit);
	g_autofree char *temp = g_strdup_printf(".sparks-%s.tmp", c->plan->tree->id);
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	spk_autofd int dir =
		tree_open_parent(c->plan->top, edit->path, TRUE, made, &name, error);

	if (dir < 0)
		return FALSE;
	if (c->backwards)
		restore_parents(c->plan, made);
	(void)unlinkat(dir, temp, 0);
	if (!spk_fs_copy_file(c->source_fd, edit->path, dir, temp, error))
		return FALSE;
	if (goal->mode != TREE_MODE_LINK && !keep_xattrs(edit, dir, name, temp, error)) {
		(void)unlinkat(dir, temp, 0);
		return FALSE;
	}
	if ((goal->mode != TREE_MODE_LINK && fchmodat(dir, temp, goal->perm, 0) < 0) ||
	    renameat(dir, temp, dir, name) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot write %s",
				    edit->path);
		(void)unlinkat(dir, temp, 0);
		return FALSE;
	}
	return TRUE;
}

/* One pass: removals from the end (so that folders empty from below), or writes. */
static gboolean pass(const Carrying *c, gboolean writes, GError **error)
{
	GPtrArray *edits = c->plan->edits;

	for (guint i = 0; i < edits->len; i++) {
		const TreeEdit *edit = edits->pdata[writes ? i : edits->len - 1 - i];
		gboolean todo;

		if (!!goal_of(c, edit)->mode != writes)
			continue;
		if (!look(c, edit, &todo, error))
			return FALSE;
		if (todo &&
		    !(writes ? write_one(c, edit, error) : remove_one(c, edit, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean fill_source(Carrying *c, GError **error)
{
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(TreeFile));

	for (guint i = 0; i < c->plan->edits->len; i++) {
		const TreeEdit *edit = c->plan->edits->pdata[i];
		TreeFile file = { edit->path, goal_of(c, edit)->mode,
				  goal_of(c, edit)->blob };

		g_array_append_val(files, file);
	}
	c->source = tree_temp_dir(c->plan->tree, "write", error);
	if (!c->source ||
	    !tree_materialise(c->plan->tree, files, c->source, c->plan->cancel, error))
		return FALSE;
	c->source_fd = tree_open_dir(c->source, error);
	return c->source_fd >= 0;
}

gboolean tree_plan_run(TreePlan *plan, gboolean backwards, GError **error)
{
	Carrying c = { .plan = plan, .backwards = backwards, .source_fd = -1 };
	g_autoptr(GHashTable) ours = g_hash_table_new(g_str_hash, g_str_equal);
	gboolean ok;

	for (guint i = 0; i < plan->folders->len; i++)
		g_hash_table_add(ours, plan->folders->pdata[i]);
	c.ours = backwards ? ours : NULL;
	ok = fill_source(&c, error) && pass(&c, FALSE, error) && pass(&c, TRUE, error);
	spk_fd_close(&c.source_fd);
	if (c.source)
		(void)spk_fs_remove_tree(c.source, NULL); /* emptied before each use */
	g_free(c.source);
	return ok;
}
