/*
 * SPARKS_HOME/wake: a file whose times change when there is something new in the store
 * (a task, a message). Who waits watches it by inotify and needs no polling.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "core/core_priv.h"

static char *wake_path(const char *home)
{
	return g_build_filename(home, "wake", NULL);
}

void wake_others(const char *home)
{
	g_autofree char *path = wake_path(home);
	spk_autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* The store is the truth; who misses this sees it at its next look. */
	if (fd < 0 || futimens(fd, NULL) < 0)
		spk_warn("core", "cannot touch %s: %s", path, g_strerror(errno));
}

int wake_watch(const char *home)
{
	g_autofree char *path = wake_path(home);
	spk_autofd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	wake_others(home);
	if (fd < 0 || inotify_add_watch(fd, path, IN_ATTRIB | IN_CLOSE_WRITE) < 0)
		return -1;
	return spk_fd_steal(&fd);
}

void wake_drain(int fd)
{
	char buffer[4096];

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
}
