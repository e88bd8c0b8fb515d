#include "cmd/unit.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "net/child.h"

#define UNIT	     "sparks.service"
#define UNIT_MAX     (64u << 10)
#define SYSTEMCTL_MS 30000
#define BY_US	     "# written by `sparks up --install`"
#define CREDENTIAL   "sparks-secrets-key"

/* ---- the file ---- */

static char *unit_path(void)
{
	return g_build_filename(g_get_user_config_dir(), "systemd", "user", UNIT, NULL);
}

/* One word of an Exec or Environment line: systemd expands % and $, and knows C's escapes. */
static char *quote(const char *text)
{
	GString *out = g_string_new("\"");

	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(out, '\\');
		else if (*p == '%' || *p == '$')
			g_string_append_c(out, *p);
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
	return g_string_free(out, FALSE);
}

static gboolean is_one_line(const char *path, GError **error)
{
	if (g_utf8_validate(path, -1, NULL) && !strpbrk(path, "\n\r"))
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT, "give it a plainer name",
		      "a unit file cannot hold a path with line breaks or bytes that are "
		      "no UTF-8");
	return FALSE;
}

static char *own_path(GError **error)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, "mount /proc",
				    "cannot find out where this program is");
		return NULL;
	}
	path[len] = '\0';
	return g_strdup(path);
}

static char *exec_line(const SpkArgs *args, GError **error)
{
	g_autofree char *program = own_path(error);
	g_autofree char *config = NULL, *quoted = NULL, *quoted_config = NULL;
	const char *given = spk_args_config(args);
	GString *line;

	config = given ? g_canonicalize_filename(given, NULL) : NULL;
	if (!program || !is_one_line(program, error) ||
	    (config && !is_one_line(config, error)))
		return NULL;
	quoted = quote(program);
	line = g_string_new(quoted);
	if (config) {
		quoted_config = quote(config);
		g_string_append_printf(line, " --config %s", quoted_config);
	}
	g_string_append(line, " up");
	if (spk_args_has(args, "workers"))
		g_string_append_printf(line, " --workers %" G_GINT64_FORMAT,
				       spk_args_int(args, "workers", 1));
	return g_string_free(line, FALSE);
}

/* The sandbox makes namespaces of its own, so the unit takes none away; and there is no
 * WatchdogSec, because idle it does nothing at all. */
static char *unit_text(const SpkArgs *args, GError **error)
{
	g_autofree char *exec = exec_line(args, error);
	g_autofree char *home = exec ? spk_fs_home(error) : NULL;
	g_autofree char *home_word = NULL, *quoted = NULL;

	if (!home || !is_one_line(home, error))
		return NULL;
	home_word = g_strconcat("SPARKS_HOME=", home, NULL);
	quoted = quote(home_word);
	return g_strdup_printf(
		BY_US
		"; `sparks up --uninstall` removes it.\n"
		"[Unit]\n"
		"Description=Sparks: runs queued tasks\n"
		"Documentation=man:sparks(1)\n"
		"After=network.target\n\n"
		"[Service]\n"
		"# Started is what says that it is ready, not what was only executed.\n"
		"Type=notify\n"
		"ExecStart=%s\n"
		"Environment=%s\n"
		"# The key of ~/.sparks/secrets, where there is no keyring (man sparks, SECRETS):\n"
		"#LoadCredential=" CREDENTIAL ":%%h/PATH-OF-A-KEY-FILE\n"
		"WorkingDirectory=%%h\n"
		"# SIGTERM to the daemon alone: it ends the step of each task and gives it back.\n"
		"KillMode=mixed\n"
		"# The boxes of tasks have control groups of their own below the unit's.\n"
		"Delegate=yes\n"
		"TimeoutStopSec=60\n"
		"Restart=on-failure\n"
		"RestartSec=5\n"
		"# Usage, policy, configuration: not mended by trying again.\n"
		"RestartPreventExitStatus=2 77 78\n"
		"NoNewPrivileges=yes\n\n"
		"[Install]\n"
		"WantedBy=default.target\n",
		exec, quoted);
}

/* Only what we wrote is replaced or removed. */
static gboolean is_ours(const char *path, gboolean *ret_there, GError **error)
{
	gsize len;
	g_autofree char *text = NULL;

	*ret_there = g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
	if (!*ret_there)
		return TRUE;
	text = spk_fs_read(path, UNIT_MAX, &len, error);
	if (!text)
		return FALSE;
	if (g_str_has_prefix(text, BY_US))
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT, "move it away, or edit it yourself",
		      "%s was not written by `sparks up --install`", path);
	return FALSE;
}

/* ---- systemctl ---- */

static gboolean systemctl(const char *const *words, GError **error)
{
	static const char *const kept[] = { "PATH", "HOME", "XDG_RUNTIME_DIR",
					    "DBUS_SESSION_BUS_ADDRESS" };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);
	g_auto(SpkChildResult) result = { 0 };
	SpkChildSpec spec = { .timeout_ms = SYSTEMCTL_MS, .merge = TRUE };

	g_ptr_array_add(argv, (gpointer) "systemctl");
	g_ptr_array_add(argv, (gpointer) "--user");
	for (; *words; words++)
		g_ptr_array_add(argv, (gpointer)*words);
	g_ptr_array_add(argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
		if (g_getenv(kept[i]))
			g_ptr_array_add(env, g_strconcat(kept[i], "=", g_getenv(kept[i]),
							 NULL));
	g_ptr_array_add(env, NULL);
	spec.argv = (const char *const *)argv->pdata;
	spec.env = (const char *const *)env->pdata;
	if (!spk_child_run(&spec, NULL, &result, error))
		return FALSE;
	if (result.exit_code == 0 && !result.timed_out)
		return TRUE;
	g_strchomp(result.out->str);
	spk_error_set(error, SPK_ERR_FAILED, NULL, "systemctl --user: %s",
		      *result.out->str ? result.out->str : "no answer");
	return FALSE;
}

/* ---- what the daemon says to it ---- */

void spk_unit_notify(const char *state)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	gsize len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(to.sun_path) || !strchr("/@", *path))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@') /* the abstract name space */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		spk_warn("cmd", "cannot tell the service manager %s: %s", state,
			 g_strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

/* ---- the command ---- */

static void print(const SpkArgs *args, const char *path, gboolean installed,
		  gboolean started)
{
	g_autoptr(json_t) object = NULL;

	if (spk_args_flag(args, "json")) {
		object = json_pack("{s:o,s:b,s:b}", "unit", spk_json_text(path),
				   "installed", installed, "started", started);
		spk_cmd_print_json(object);
	} else if (!installed) {
		printf("removed %s\n", path);
	} else {
		printf("wrote %s%s\n", path, started ? ", and started it" : "");
		puts(started ? "its messages: journalctl --user -u sparks"
			     : "start it: systemctl --user enable --now sparks");
	}
}

static gboolean install(const SpkArgs *args, const char *path, gboolean *ret_started,
			GError **error)
{
	static const char *const reload[] = { "daemon-reload", NULL };
	static const char *const enable[] = { "enable", "--now", UNIT, NULL };
	static const char *const restart[] = { "restart", UNIT, NULL };
	g_autofree char *text = unit_text(args, error);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autoptr(GError) why = NULL;
	gboolean there;

	*ret_started = FALSE;
	if (!text || !is_ours(path, &there, error) ||
	    !spk_fs_mkdirs(folder, 0755, error) ||
	    !spk_fs_write_atomic(path, text, strlen(text), 0644, error))
		return FALSE;
	if (spk_args_flag(args, "no-start"))
		return TRUE;
	*ret_started = systemctl(reload, &why) && systemctl(enable, &why) &&
		       (!there || systemctl(restart, &why));
	if (*ret_started)
		return TRUE;
	spk_error_set(
		error, SPK_ERR_FAILED,
		"`systemctl --user status sparks` and `journalctl --user -u sparks` say more; "
		"without a user's systemd keep `sparks up` running by other means (tmux, "
		"cron's @reboot); `sparks up --uninstall` takes the file away",
		"%s is written, but systemd did not start it: %s", path, why->message);
	return FALSE;
}

static gboolean uninstall(const char *path, GError **error)
{
	static const char *const disable[] = { "disable", "--now", UNIT, NULL };
	static const char *const reload[] = { "daemon-reload", NULL };
	g_autoptr(GError) why = NULL;
	gboolean there;

	if (!is_ours(path, &there, error))
		return FALSE;
	if (!there) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "there is no %s", path);
		return FALSE;
	}
	/* without a systemd that listens the file is all there is */
	if (!systemctl(disable, &why))
		fprintf(stderr, "sparks: %s\n", why->message);
	if (unlink(path) != 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot remove %s",
				    path);
		return FALSE;
	}
	(void)systemctl(reload, NULL); /* of no matter once the file is gone */
	return TRUE;
}

int spk_unit_run(const SpkArgs *args)
{
	g_autofree char *path = unit_path();
	g_autoptr(GError) error = NULL;
	gboolean remove = spk_args_flag(args, "uninstall"), started = FALSE, ok;

	if (remove && spk_args_flag(args, "install")) {
		spk_error_set(&error, SPK_ERR_USAGE, "say one of them",
			      "--install and --uninstall contradict each other");
		return spk_cmd_fail(g_steal_pointer(&error), spk_args_flag(args, "json"));
	}
	ok = remove ? uninstall(path, &error) : install(args, path, &started, &error);
	if (!ok)
		return spk_cmd_fail(g_steal_pointer(&error), spk_args_flag(args, "json"));
	print(args, path, !remove, started);
	return 0;
}
