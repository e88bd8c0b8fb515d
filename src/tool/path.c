/*
 * Paths that a model gives. They are checked twice: the text (nothing outside, no .git, no
 * sensitive name), and, after the kernel has resolved it below the work tree, the place it
 * led to, so that a symlink is no way round the names.
 */
#include "tool/tool_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "guard/guard.h"
#include "guard/links.h"
#include "guard/path.h"

/* Names of one folder that are looked through for a suggestion. */
#define SUGGEST_MAX 5000

/* ---- what the law says of a name ---- */

static const char *hint_for_model(const char *rule)
{
	static const struct {
		const char *rule, *hint;
	} rows[] = {
		{ "path.git", "use the git tool" },
		{ "path.secret", "work without it, or ask the user for what you need" },
		{ "path.lookalike", "name files as file_list shows them" },
		{ "path.form", "name files as file_list shows them" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (!strcmp(rule, rows[i].rule))
			return rows[i].hint;
	return "use a relative path below the work tree";
}

static gboolean obey(const SpkDecision *decision, const char *path, GError **error)
{
	g_autofree char *clean = NULL;

	if (decision->verdict != SPK_LAW_DENY)
		return TRUE;
	clean = spk_text_clean(path, -1, SPK_CLEAN_LINE);
	spk_error_set(error, SPK_ERR_POLICY, hint_for_model(decision->rule),
		      "%s is off limits: %s (rule %s)", clean, decision->why,
		      decision->rule);
	return FALSE;
}

static gboolean check_text(const SpkToolCtx *ctx, const char *text, GError **error)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge(text, FALSE, ctx->sensitive, &decision);
	return obey(&decision, text, error);
}

/* `rel`: relative to the top, as the kernel has it or would make it. */
static gboolean check_names(const SpkToolCtx *ctx, const char *rel, GError **error)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge_real(rel, FALSE, ctx->sensitive, &decision);
	return obey(&decision, rel, error);
}

static gboolean outside(const SpkToolCtx *ctx, const char *path, GError **error)
{
	spk_error_set(error, SPK_ERR_POLICY, "use a relative path below it",
		      "%s is outside the work tree %s", path, spk_tree_work(ctx->tree));
	return FALSE;
}

/* The part of an absolute path below `top`, or NULL. */
static const char *below(const char *path, const char *top)
{
	gsize len = strlen(top);

	if (strncmp(path, top, len) || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path + len;
}

/* The part of an absolute path below the work tree, under either name: its own, or the one
 * that [box] path gives it inside the box. */
static const char *below_work(const SpkToolCtx *ctx, const char *path)
{
	const char *inside = spk_conf_str(ctx->conf, "box.path");
	const char *rest = below(path, spk_tree_work(ctx->tree));

	return rest || !*inside ? rest : below(path, inside);
}

/* Appends the components of `path`; FALSE when ".." climbs over the top. */
static gboolean add_components(GPtrArray *stack, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (char **part = parts; *part; part++) {
		if (!**part || !strcmp(*part, "."))
			continue;
		if (strcmp(*part, "..")) {
			g_ptr_array_add(stack, g_strdup(*part));
			continue;
		}
		if (!stack->len)
			return FALSE;
		g_ptr_array_set_size(stack, stack->len - 1);
	}
	return TRUE;
}

char *path_resolve(const SpkToolCtx *ctx, const char *path, GError **error)
{
	g_autoptr(GPtrArray) stack = g_ptr_array_new_with_free_func(g_free);
	const char *rest = path, *given; /* what is the model's own of `rel` */
	g_autofree char *rel = NULL;

	if (!*path || strlen(path) >= PATH_MAX) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "a path has 1 to %d bytes",
			      PATH_MAX - 1);
		return NULL;
	}
	if (*path == '/')
		rest = below_work(ctx, path);
	else
		(void)add_components(stack, spk_tree_subdir(ctx->tree)); /* has no ".." */
	if (!rest && !check_text(ctx, path, error))
		return NULL; /* which says what it is: of the kernel, or just outside */
	if (!rest || !add_components(stack, rest)) {
		outside(ctx, path, error);
		return NULL;
	}
	g_ptr_array_add(stack, NULL);
	rel = g_strjoinv("/", (char **)stack->pdata);
	given = below(rel, spk_tree_subdir(ctx->tree));
	given = given ? given + (*given == '/') : rel;
	return (!*given || check_text(ctx, given, error)) && check_names(ctx, rel, error)
		       ? g_steal_pointer(&rel)
		       : NULL;
}

gboolean path_is_secret(const SpkToolCtx *ctx, const char *rel)
{
	return !check_names(ctx, rel, NULL);
}

char *path_show(const SpkToolCtx *ctx, const char *rel)
{
	const char *subdir = spk_tree_subdir(ctx->tree);
	const char *rest = below(rel, subdir);
	GString *shown;

	if (!*subdir)
		return g_strdup(*rel ? rel : ".");
	if (rest)
		return g_strdup(*rest ? rest + 1 : ".");
	shown = g_string_new("../");
	for (const char *p = subdir; *p; p++)
		if (*p == '/')
			g_string_append(shown, "../");
	return g_string_free(g_string_append(shown, rel), FALSE);
}

static char *path_of_fd(int fd)
{
	g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target));

	return n > 0 && n < (ssize_t)sizeof(target) ? g_strndup(target, n) : NULL;
}

/* Where an open file really lies, relative to the top, if it may be there. */
static char *real_path(const SpkToolCtx *ctx, int fd, const char *rel, GError **error)
{
	g_autofree char *top = path_of_fd(spk_tree_work_fd(ctx->tree));
	g_autofree char *full = path_of_fd(fd);
	const char *rest = top && full ? below(full, top) : NULL;

	if (!rest) {
		outside(ctx, rel, error);
		return NULL;
	}
	rest += *rest == '/';
	return check_names(ctx, rest, error) ? g_strdup(rest) : NULL;
}

static int open_beneath(const SpkToolCtx *ctx, const char *rel, int flags, GError **error)
{
	return spk_fs_open_beneath(spk_tree_work_fd(ctx->tree), *rel ? rel : ".", flags,
				   0, 0, error);
}

/* Names in the folder of `rel`, NULL-terminated. */
static GPtrArray *names_beside(const SpkToolCtx *ctx, const char *rel)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *folder = g_path_get_dirname(rel);
	int fd = open_beneath(ctx, folder, O_RDONLY | O_DIRECTORY, NULL);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (stream && names->len < SUGGEST_MAX && (entry = readdir(stream)))
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	if (stream)
		closedir(stream);
	g_ptr_array_add(names, NULL);
	return names;
}

static void suggest_name(const SpkToolCtx *ctx, const char *rel, GError **error)
{
	g_autoptr(GPtrArray) names = names_beside(ctx, rel);
	g_autofree char *base = g_path_get_basename(rel);
	g_autofree char *meant =
		spk_text_did_you_mean(base, (const char *const *)names->pdata);
	g_autofree char *shown = path_show(ctx, rel);

	g_clear_error(error);
	spk_error_set(error, SPK_ERR_NOT_FOUND, "file_list shows what is there",
		      "there is no file %s%s", shown, meant);
}

/* A hard link may give a sensitive file a harmless name. */
static gboolean check_links(const SpkToolCtx *ctx, const struct stat *st, const char *rel,
			    GError **error)
{
	g_autoptr(SpkLinks) own = NULL;
	SpkLinks *links = ctx->links ? *ctx->links : NULL;
	const char *other;

	if (st->st_nlink < 2)
		return TRUE;
	if (!links) {
		links = own = spk_links_new(ctx->sensitive ? ctx->sensitive
							   : spk_sensitive_patterns);
		spk_links_walk(links, spk_tree_work_fd(ctx->tree));
		if (ctx->links)
			*ctx->links = g_steal_pointer(&own);
	}
	other = spk_links_find(links, st);
	if (!other)
		return TRUE;
	spk_error_set(error, SPK_ERR_POLICY, hint_for_model("path.secret"),
		      "%s is off limits: it is the same file as %s, which may hold "
		      "secrets (rule path.secret)",
		      rel, other);
	return FALSE;
}

int path_open_file(const SpkToolCtx *ctx, const char *rel, char **ret_real,
		   struct stat *ret_st, GError **error)
{
	/* O_NONBLOCK: a FIFO must not keep us waiting for its writer */
	spk_autofd int fd =
		open_beneath(ctx, rel, O_RDONLY | O_NONBLOCK | O_NOCTTY, error);
	g_autofree char *real = NULL;

	if (fd < 0) {
		if (error && spk_error_is(*error, SPK_ERR_NOT_FOUND))
			suggest_name(ctx, rel, error);
		return -1;
	}
	real = real_path(ctx, fd, rel, error);
	if (!real)
		return -1;
	if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT,
			      S_ISDIR(ret_st->st_mode) ? "use file_list" : NULL,
			      "%s is %s, not a file", *rel ? rel : "that path",
			      S_ISDIR(ret_st->st_mode) ? "a folder" : "a pipe or device");
		return -1;
	}
	if (!check_links(ctx, ret_st, rel, error))
		return -1;
	*ret_real = g_steal_pointer(&real);
	return spk_fd_steal(&fd);
}

char *path_real_folder(const SpkToolCtx *ctx, const char *rel, GError **error)
{
	spk_autofd int fd = open_beneath(ctx, rel, O_PATH | O_DIRECTORY, error);

	if (fd < 0) {
		if (error && spk_error_is(*error, SPK_ERR_NOT_FOUND))
			suggest_name(ctx, rel, error);
		return NULL;
	}
	return real_path(ctx, fd, rel, error);
}

/* Opens the folder `rel`, making what is missing on the way. */
static int make_folder(const SpkToolCtx *ctx, const char *rel, GError **error)
{
	g_autofree char *parent = NULL, *base = NULL, *place = NULL;
	g_autoptr(GError) problem = NULL;
	spk_autofd int above = -1;
	int fd = open_beneath(ctx, rel, O_PATH | O_DIRECTORY, &problem);

	if (fd >= 0)
		return fd;
	if (!spk_error_is(problem, SPK_ERR_NOT_FOUND) || !strcmp(rel, ".")) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return -1;
	}
	parent = g_path_get_dirname(rel);
	base = g_path_get_basename(rel);
	above = make_folder(ctx, parent, error);
	if (above < 0)
		return -1;
	place = real_path(ctx, above, parent, error);
	if (!place)
		return -1;
	if (mkdirat(above, base, 0755) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot create the folder %s", rel);
		return -1;
	}
	return open_beneath(ctx, rel, O_PATH | O_DIRECTORY, error);
}

/* Temporary file in the folder and rename over `name`. No fsync: after a crash the tree is
 * restored from the snapshot of the last finished step. */
static gboolean replace_in(int folder, const char *name, const char *data, gsize len,
			   mode_t mode, GError **error)
{
	g_autofree char *id = spk_id_new();
	g_autofree char *temporary = g_strdup_printf(".%s.tmp", id);
	spk_autofd int fd = openat(folder, temporary,
				   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				   0600);

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot create a file beside %s", name);
		return FALSE;
	}
	if (!spk_fs_write_all(fd, data, len, error)) {
		unlinkat(folder, temporary, 0);
		return FALSE;
	}
	if (fchmod(fd, mode) < 0 || renameat(folder, temporary, folder, name) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot write %s",
				    name);
		unlinkat(folder, temporary, 0);
		return FALSE;
	}
	return TRUE;
}

/* What is at `rel` now: its real path and mode; *ret_real stays NULL when nothing is there. */
static gboolean look_at(const SpkToolCtx *ctx, const char *rel, char **ret_real,
			mode_t *ret_mode, GError **error)
{
	g_autoptr(GError) problem = NULL;
	spk_autofd int fd = open_beneath(ctx, rel, O_PATH, &problem);
	spk_autofd int link = -1;
	struct stat st;

	if (fd < 0 && !spk_error_is(problem, SPK_ERR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	if (fd < 0) {
		link = open_beneath(ctx, rel, O_PATH | O_NOFOLLOW, NULL);
		if (link < 0)
			return TRUE;
		spk_error_set(error, SPK_ERR_BAD_INPUT,
			      "remove it first, or write its target",
			      "%s is a symlink to nothing", rel);
		return FALSE;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "choose another path",
			      "%s is there and is not a file", *rel ? rel : "the top");
		return FALSE;
	}
	*ret_mode = st.st_mode & 0777;
	*ret_real = real_path(ctx, fd, rel, error);
	return *ret_real != NULL;
}

gboolean path_write(const SpkToolCtx *ctx, const char *rel, const char *data, gsize len,
		    gboolean *ret_created, GError **error)
{
	g_autofree char *real = NULL, *folder = NULL, *name = NULL, *place = NULL;
	g_autofree char *target = NULL;
	spk_autofd int fd = -1;
	mode_t mode = 0644;

	if (ctx->read_only) {
		spk_error_set(error, SPK_ERR_POLICY,
			      "say in your summary what should change",
			      "this spark may read only, %s stays as it is", rel);
		return FALSE;
	}
	if (!look_at(ctx, rel, &real, &mode, error))
		return FALSE;
	folder = g_path_get_dirname(real ? real : rel);
	name = g_path_get_basename(real ? real : rel);
	fd = make_folder(ctx, folder, error);
	if (fd < 0)
		return FALSE;
	place = real_path(ctx, fd, folder, error);
	if (!place)
		return FALSE;
	target = g_build_filename(place, name, NULL);
	if (!check_names(ctx, target, error) ||
	    !replace_in(fd, name, data, len, mode, error))
		return FALSE;
	*ret_created = real == NULL;
	return TRUE;
}
