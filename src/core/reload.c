/*
 * A changed configuration, while a daemon runs: folders are watched, because editors put a new
 * file in the place of the old one. What cannot be read or holds a wrong value changes nothing.
 */
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/core_priv.h"

#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

/* One that isn't there has no files; the same folder again is the same watch. */
static void watch_ghosts(SpkCore *core, int fd)
{
	g_autofree char *ghosts = g_build_filename(spk_core_home(core), "ghosts", NULL);

	(void)inotify_add_watch(fd, ghosts, EVENTS | IN_ONLYDIR);
}

int reload_watch(SpkCore *core)
{
	spk_autofd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	const char *path = spk_conf_path(conf);
	g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;

	if (fd < 0 ||
	    inotify_add_watch(fd, spk_core_home(core), EVENTS | IN_CREATE) < 0) {
		spk_warn("core", "a changed configuration is not noticed: %s",
			 g_strerror(errno));
		return -1;
	}
	if (folder)
		(void)inotify_add_watch(fd, folder, EVENTS | IN_CREATE);
	watch_ghosts(core, fd);
	return spk_fd_steal(&fd);
}

static gboolean is_of_interest(SpkCore *core, const struct inotify_event *event)
{
	g_autoptr(SpkConf) conf = spk_core_conf(core);
	const char *path = spk_conf_path(conf);
	g_autofree char *base = path ? g_path_get_basename(path) : NULL;

	if (event->mask & IN_Q_OVERFLOW)
		return TRUE;
	if (!event->len || (event->mask & (IN_CREATE | IN_ISDIR)) == IN_CREATE)
		return FALSE;
	return !strcmp(event->name, "ghosts") ||
	       g_str_has_prefix(event->name, "secrets") ||
	       g_str_has_suffix(event->name, ".toml") || !strcmp(event->name, ".env") ||
	       !g_strcmp0(event->name, base);
}

gboolean reload_is_due(SpkCore *core, int fd)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	gboolean due = FALSE;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (const void *)at;

			due |= is_of_interest(core, event);
			if ((event->mask & IN_ISDIR) && event->len)
				watch_ghosts(core, fd);
			at += sizeof(*event) + event->len;
		}
	return due;
}

/* "name=value" of what stays as it is until the daemon begins anew; its names in `names`. */
static GPtrArray *pinned(const SpkConf *old, const SpkConf *new, GString *names)
{
	GPtrArray *pins = g_ptr_array_new_with_free_func(g_free);

	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		g_autofree char *before = NULL, *after = NULL;

		if (!(opt->flags & SPK_OPT_RESTART))
			continue;
		before = spk_conf_dup_text(old, opt->name);
		after = spk_conf_dup_text(new, opt->name);
		if (!strcmp(before, after))
			continue;
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", opt->name);
		g_ptr_array_add(pins, g_strdup_printf("%s=%s", opt->name, before));
	}
	g_ptr_array_add(pins, NULL);
	return pins;
}

SpkConf *reload_read(SpkReloadFn fn, gpointer user, const SpkConf *old)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = fn(NULL, user, &error);
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GPtrArray) pins = conf ? pinned(old, conf, names) : NULL;

	if (pins && names->len) {
		spk_warn("core",
			 "%s: changed in the configuration, and taken over when the "
			 "daemon starts again",
			 names->str);
		g_clear_pointer(&conf, spk_conf_unref);
		conf = fn((const char *const *)pins->pdata, user, &error);
	}
	for (const char *const *warning = conf ? spk_conf_warnings(conf) : NULL;
	     warning && *warning; warning++)
		if (!g_strv_contains(spk_conf_warnings(old), *warning))
			spk_warn("core", "%s", *warning);
	if (!conf)
		spk_warn("core",
			 "the changed configuration is not taken over, the old one "
			 "stays: %s",
			 error->message);
	return g_steal_pointer(&conf);
}
