#include "box/git.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "net/child.h"

#define TIME_LIMIT_MS (10 * 60 * 1000)
#define DEFAULT_OUT   (64u << 20)
#define MAX_ERR	      (16u << 10)

/* Beats what a repository's own configuration says, for the few commands whose git folder
 * is the user's. Each key is one that could run a program or reach for the network. */
static const char *const overrides[] = {
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"core.untrackedCache=false",
	"core.splitIndex=false",
	"core.pager=cat",
	"core.editor=false",
	"core.askPass=false",
	"core.sshCommand=false",
	"core.gitProxy=none",
	"core.alternateRefsCommand=false",
	"credential.helper=",
	"diff.external=",
	"diff.ignoreSubmodules=all",
	"submodule.recurse=false",
	"fetch.recurseSubmodules=false",
	"protocol.allow=never",
	"gc.auto=0",
	"maintenance.auto=false",
	"commit.gpgSign=false",
	"tag.gpgSign=false",
	"log.showSignature=false",
};

/* Not for reading the user's configuration: these keys are what is asked for there. */
static const char *const neutral_env[] = {
	"GIT_CONFIG_NOSYSTEM=1",       "GIT_CONFIG_SYSTEM=/dev/null",
	"GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
	"HOME=/nonexistent",
};

/* Kept of the user's environment when their configuration is read. SUDO_UID decides about
 * safe.directory. */
static const char *const users_env[] = {
	"HOME",
	"XDG_CONFIG_HOME",
	"GIT_CONFIG_NOSYSTEM",
	"GIT_CONFIG_SYSTEM",
	"GIT_CONFIG_GLOBAL",
	"SUDO_UID",
};

static const char *const common_env[] = {
	"LC_ALL=C",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_ASKPASS=false",
	"GIT_OPTIONAL_LOCKS=0",
	"GIT_ALLOW_PROTOCOL=none",
	"GIT_NO_REPLACE_OBJECTS=1",
	"GIT_NO_LAZY_FETCH=1",
	"GIT_PAGER=cat",
	"GIT_EDITOR=false",
};

char *spk_git_quote_alternate(const char *folder)
{
	GString *out;

	if (!strpbrk(folder, ":\"\n") && folder[0] != '#')
		return g_strdup(folder);
	out = g_string_new("\"");
	for (const char *p = folder; *p; p++) {
		if (*p == '\n') {
			g_string_append(out, "\\n");
			continue;
		}
		if (*p == '"' || *p == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

static void add_env(GPtrArray *env, const char *name, const char *value)
{
	if (value)
		g_ptr_array_add(env, g_strconcat(name, "=", value, NULL));
}

static void add_all(GPtrArray *env, const char *const *list, gsize n)
{
	for (gsize i = 0; i < n; i++)
		g_ptr_array_add(env, g_strdup(list[i]));
}

static void add_alternates(GPtrArray *env, const char *const *folders)
{
	g_autoptr(GString) list = g_string_new(NULL);

	for (; folders && *folders; folders++) {
		g_autofree char *quoted = spk_git_quote_alternate(*folders);

		g_string_append_printf(list, "%s%s", list->len ? ":" : "", quoted);
	}
	if (list->len)
		add_env(env, "GIT_ALTERNATE_OBJECT_DIRECTORIES", list->str);
}

static GPtrArray *make_env(const SpkGit *git)
{
	GPtrArray *env = g_ptr_array_new_with_free_func(g_free);
	const char *path = g_getenv("PATH");

	add_env(env, "PATH", path ? path : "/usr/local/bin:/usr/bin:/bin");
	add_all(env, common_env, G_N_ELEMENTS(common_env));
	if (!git->users_config)
		add_all(env, neutral_env, G_N_ELEMENTS(neutral_env));
	for (gsize i = 0; git->users_config && i < G_N_ELEMENTS(users_env); i++)
		add_env(env, users_env[i], g_getenv(users_env[i]));
	add_env(env, "GIT_DIR", git->git_dir);
	add_env(env, "GIT_WORK_TREE", git->work_tree);
	add_env(env, "GIT_INDEX_FILE", git->index);
	add_env(env, "GIT_OBJECT_DIRECTORY", git->objects);
	add_alternates(env, git->alternates);
	for (const char *const *p = git->extra_env; p && *p; p++)
		g_ptr_array_add(env, g_strdup(*p));
	g_ptr_array_add(env, NULL);
	return env;
}

static GPtrArray *make_argv(const SpkGit *git, const char *const *args)
{
	GPtrArray *argv = g_ptr_array_new();

	g_ptr_array_add(argv, (gpointer) "git");
	for (gsize i = 0; !git->users_config && i < G_N_ELEMENTS(overrides); i++) {
		g_ptr_array_add(argv, (gpointer) "-c");
		g_ptr_array_add(argv, (gpointer)overrides[i]);
	}
	for (; *args; args++)
		g_ptr_array_add(argv, (gpointer)*args);
	g_ptr_array_add(argv, NULL);
	return argv;
}

/* The line that says what went wrong: git's warnings and hints come before it. */
static char *first_error(const GString *err)
{
	g_auto(GStrv) lines = g_strsplit(err ? err->str : "", "\n", 64);
	const char *found = NULL;

	for (char **line = lines; *line; line++) {
		gboolean telling = g_str_has_prefix(*line, "fatal: ") ||
				   g_str_has_prefix(*line, "error: ");

		if (telling)
			return spk_text_clean(strchr(*line, ' ') + 1, -1, SPK_CLEAN_LINE);
		if (!found && **line)
			found = *line;
	}
	return spk_text_clean(found ? found : "it says nothing", -1, SPK_CLEAN_LINE);
}

/* What git says of a disk: in the words of errno, or in its own where it doesn't pass them on.
 * The work is not at fault then, and can go on later. */
static const struct {
	const char *says;
	SpkErr code;
	const char *hint;
} of_the_disk[] = {
	{ "No space left on device", SPK_ERR_DISK_FULL, "free some space there" },
	{ "Disk quota exceeded", SPK_ERR_DISK_FULL, "free some space there" },
	{ "Out of diskspace", SPK_ERR_DISK_FULL, "free some space there" },
	{ "nable to write new index file", SPK_ERR_DISK_FULL,
	  "see whether the disk is full, and free some space" },
	{ "Read-only file system", SPK_ERR_READ_ONLY, NULL },
};

static void set_failed(GError **error, const char *verb, const SpkChildResult *result)
{
	g_autofree char *line = first_error(result->err);
	const char *err = result->err ? result->err->str : "";
	const char *hint = NULL;
	SpkErr code = SPK_ERR_GIT;

	for (gsize i = 0; i < G_N_ELEMENTS(of_the_disk) && code == SPK_ERR_GIT; i++)
		if (strstr(err, of_the_disk[i].says)) {
			code = of_the_disk[i].code;
			hint = of_the_disk[i].hint;
		}
	spk_error_set(error, code, hint, "git %s: %s", verb, line);
}

static gboolean check_result(const SpkChildResult *result, const char *verb,
			     gsize max_out, gboolean any_exit, GError **error)
{
	if (result->timed_out) {
		spk_error_set(error, SPK_ERR_TIMEOUT, NULL,
			      "git %s took more than %d minutes", verb,
			      TIME_LIMIT_MS / 60000);
		return FALSE;
	}
	if (result->exit_code != 0 && !any_exit) {
		set_failed(error, verb, result);
		return FALSE;
	}
	if (result->out_total > max_out) {
		g_autofree char *most = spk_text_bytes(max_out);

		spk_error_set(error, SPK_ERR_LIMIT, NULL, "git %s answers more than %s",
			      verb, most);
		return FALSE;
	}
	return TRUE;
}

gboolean spk_git_run(const SpkGit *git, const char *const *args, const void *input,
		     gsize input_len, gsize max_out, SpkCancel *cancel, GString **ret_out,
		     int *ret_exit, GError **error)
{
	g_autoptr(GPtrArray) env = make_env(git);
	g_autoptr(GPtrArray) argv = make_argv(git, args);
	g_auto(SpkChildResult) result = { 0 };
	SpkChildSpec spec = {
		.argv = (const char *const *)argv->pdata,
		.env = (const char *const *)env->pdata,
		.cwd = git->cwd		? git->cwd
		       : git->work_tree ? git->work_tree
					: "/",
		.input = input,
		.input_len = input_len,
		.max_out = max_out ? max_out : DEFAULT_OUT,
		.max_err = MAX_ERR,
		.timeout_ms = TIME_LIMIT_MS,
	};

	if (!spk_child_run(&spec, cancel, &result, error)) {
		g_prefix_error(error, "git %s: ", args[0]);
		return FALSE;
	}
	if (!check_result(&result, args[0], spec.max_out, ret_exit != NULL, error))
		return FALSE;
	if (ret_exit)
		*ret_exit = result.exit_code;
	if (ret_out)
		*ret_out = g_steal_pointer(&result.out);
	return TRUE;
}

char *spk_git_line(const SpkGit *git, GError **error, ...)
{
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	g_autoptr(GString) out = NULL;
	const char *arg;
	va_list list;

	va_start(list, error);
	while ((arg = va_arg(list, const char *)))
		g_ptr_array_add(args, (gpointer)arg);
	va_end(list);
	g_ptr_array_add(args, NULL);
	if (!spk_git_run(git, (const char *const *)args->pdata, NULL, 0, 0, NULL, &out,
			 NULL, error))
		return NULL;
	if (out->len && out->str[out->len - 1] == '\n')
		g_string_truncate(out, out->len - 1);
	return g_string_free(g_steal_pointer(&out), FALSE);
}
