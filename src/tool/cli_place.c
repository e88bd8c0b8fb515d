#include "tool/cli_place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"

#define FIRST_LINE_MAX 512
#define GUEST	       "/opt/sparks-agent" /* in a container */

/* Where installers of such programs put them, and PATH of a daemon may lack. */
static const char *const usual[] = {
	"~/.local/bin", "~/.claude/local", "~/.opencode/bin", "~/.npm-global/bin",
	"~/.bun/bin",	"~/.volta/bin",	   "/usr/local/bin",  "/usr/bin",
};

/* Shown in every box. */
static const char *const system_dirs[] = {
	"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/",
};

void cli_place_clear(CliPlace *place)
{
	g_free(place->program);
	g_free(place->real);
	g_strfreev(place->command);
	g_clear_pointer(&place->mounts, g_ptr_array_unref);
	*place = (CliPlace){ 0 };
}

static gboolean is_below(const char *path, const char *folder)
{
	gsize len = strlen(folder);

	return !strncmp(path, folder, len) && (path[len] == '/' || !path[len]);
}

static gboolean is_system(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(system_dirs); i++)
		if (g_str_has_prefix(path, system_dirs[i]))
			return TRUE;
	return FALSE;
}

/* ---- looking ---- */

static char *look_in(const char *folder, const char *name)
{
	g_autofree char *where = spk_fs_expand(folder);
	g_autofree char *path = NULL;

	if (!g_path_is_absolute(where))
		return NULL; /* would mean another file from each folder */
	path = g_build_filename(where, name, NULL);
	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) || access(path, X_OK) != 0)
		return NULL;
	return g_steal_pointer(&path);
}

static char *look_in_all(const char *const *folders, const char *name)
{
	char *path = NULL;

	for (; folders && *folders && !path; folders++)
		path = look_in(*folders, name);
	return path;
}

static char *look(const char *name, const char *const *folders)
{
	const char *variable = g_getenv("PATH");
	g_auto(GStrv) path = g_strsplit(variable ? variable : "", ":", -1);
	char *found = look_in_all(folders, name);

	if (!found)
		found = look_in_all((const char *const *)path, name);
	for (gsize i = 0; !found && i < G_N_ELEMENTS(usual); i++)
		found = look_in(usual[i], name);
	return found;
}

/* ---- what the box is to see ---- */

/* The folder `node_modules` that holds a package, with what belongs to it beside it; else the
 * file alone. */
static char *root_of(const char *real)
{
	const char *at = strstr(real, "/node_modules/");
	const char *store =
		strstr(real, "/.pnpm/"); /* packages link to each other in it */

	if (store)
		return g_strndup(real, (gsize)(store - real) + strlen("/.pnpm"));
	return at ? g_strndup(real, (gsize)(at - real) + strlen("/node_modules"))
		  : g_strdup(real);
}

static gboolean refuse(const char *path, const char *why, const char *hint,
		       GError **error)
{
	spk_error_set(error, SPK_ERR_POLICY, hint, "%s %s", path, why);
	return FALSE;
}

/* Where it is in the box. */
static char *path_inside(const char *path, const CliSearch *search)
{
	return search->in_image && is_system(path) ? g_strconcat(GUEST, path, NULL)
						   : g_strdup(path);
}

static gboolean is_there(const GPtrArray *mounts, const char *path)
{
	for (guint i = 0; i < mounts->len; i++)
		if (is_below(path, ((SpkBoxMount *)mounts->pdata[i])->from))
			return TRUE;
	return FALSE;
}

static gboolean show(const char *real, const CliSearch *search, GPtrArray *mounts,
		     GError **error)
{
	g_autofree char *root = root_of(real), *to = path_inside(root, search);
	g_autofree char *home = spk_fs_home(error);
	const char *work = search->work;

	if (is_system(real) && !search->in_image)
		return TRUE;
	if (!home)
		return FALSE;
	if (is_below(root, home) || is_below(home, root))
		return refuse(root, "holds the state of sparks, which no box may see",
			      "install the program elsewhere", error);
	if (work && (is_below(root, work) || is_below(work, root)))
		return refuse(root, "is part of the task's own files",
			      "install the program outside of the repository", error);
	if (!is_there(mounts, root))
		g_ptr_array_add(mounts, spk_box_mount_new(root, to, TRUE));
	return TRUE;
}

/* ---- interpreters ---- */

/* "#!" and what follows, one line; NULL: it is no script. */
static char *first_line(const char *path)
{
	char text[FIRST_LINE_MAX + 1];
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, FIRST_LINE_MAX) : -1;
	char *end;

	if (n < 3 || text[0] != '#' || text[1] != '!')
		return NULL;
	text[n] = '\0';
	end = strpbrk(text, "\r\n");
	if (end)
		*end = '\0';
	return g_strstrip(g_strdup(text + 2));
}

/* Words of "#!/usr/bin/env -S node --flag": the program, as a path or a name, and its options. */
static char **interpreter_of(const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
	g_autoptr(GStrvBuilder) some = g_strv_builder_new();
	gboolean by_env = words[0] && g_str_has_suffix(words[0], "/env");

	for (guint i = by_env ? 1 : 0; words[i]; i++)
		if (*words[i] && !(by_env && !strcmp(words[i], "-S")))
			g_strv_builder_add(some, words[i]);
	return g_strv_builder_end(some);
}

/* The program itself, or the name by which the image has it; NULL: there is none. */
static char *find_interpreter(const char *word, const CliSearch *search,
			      const char *const *folders, char **ret_real)
{
	g_autofree char *found = g_path_is_absolute(word) ? g_strdup(word)
							  : look(word, folders);
	g_autofree char *real = found ? realpath(found, NULL) : NULL;

	if (search->in_image && (!real || is_system(found)))
		return g_path_get_basename(word);
	if (!real)
		return NULL;
	*ret_real = g_steal_pointer(&real);
	/* by its own name: busybox and its like look at it */
	return is_system(found) ? g_steal_pointer(&found) : g_strdup(*ret_real);
}

static gboolean add_interpreter(CliPlace *place, const char *line,
				const CliSearch *search, GError **error)
{
	/* a node beside the program is the one that it was installed with */
	g_autofree char *beside = g_path_get_dirname(place->program), *real = NULL;
	const char *folders[] = { beside, NULL };
	g_auto(GStrv) words = interpreter_of(line);
	g_autoptr(GStrvBuilder) command = g_strv_builder_new();
	g_autofree char *script = path_inside(place->real, search);
	g_autofree char *found =
		words[0] ? find_interpreter(words[0], search, folders, &real) : NULL;

	if (!found) {
		spk_error_set(error, SPK_ERR_BAD_INPUT,
			      "install it, or name its folder in [cli] path",
			      "%s needs %s, which is not here", place->program,
			      words[0] ? words[0] : "an interpreter");
		return FALSE;
	}
	g_strv_builder_add(command, found);
	g_strv_builder_addv(command, (const char **)words + 1);
	g_strv_builder_add(command, script);
	place->command = g_strv_builder_end(command);
	return !real || show(real, search, place->mounts, error);
}

static gboolean find_in(const char *name, const CliSearch *search, CliPlace *place,
			GError **error)
{
	g_autofree char *line = NULL;

	place->program = look(name, search->folders);
	if (!place->program) {
		spk_error_set(
			error, SPK_ERR_NOT_FOUND,
			"install it, or name its folder in [cli] path",
			"there is no program %s in [cli] path, PATH or its usual places",
			name);
		return FALSE;
	}
	place->real = realpath(place->program, NULL);
	place->mounts = spk_box_mounts_new();
	if (!place->real) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "install it again",
			      "%s leads nowhere", place->program);
		return FALSE;
	}
	if (!show(place->real, search, place->mounts, error))
		return FALSE;
	line = first_line(place->real);
	if (line)
		return add_interpreter(place, line, search, error);
	place->command = g_new0(char *, 2);
	place->command[0] = path_inside(place->real, search);
	return TRUE;
}

gboolean cli_place_find(const char *name, const CliSearch *search, CliPlace *ret_place,
			GError **error)
{
	g_auto(CliPlace) place = { 0 };

	if (!find_in(name, search, &place, error))
		return FALSE;
	*ret_place = place;
	place = (CliPlace){ 0 };
	return TRUE;
}
