/*
 * Modes, owners and dates. Landlock has no rights for them: a command that runs as the user
 * could change them for every file this user owns, wherever it lies (chmod 644 /etc/shadow,
 * for root). So seccomp hands these calls to the supervisor, which knows no such rules and
 * carries them out itself, but only below the folders it was told.
 *
 * The command chooses every argument, and its threads may change path and memory at any time.
 * So all is read once, the path becomes a descriptor, and what counts is where that is.
 * seccomp_unotify(2).
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_FOLDERS   4
#define NO_ARGUMENT   -1
#define SYS_FCHMODAT2 452 /* newer than the headers may be; the same everywhere */

static int folders[MAX_FOLDERS], n_folders;

typedef enum { MODE, OWNER, DATES } What;

/* Which argument is what. */
static const struct call {
	long number;
	What what;
	int dir, path, flags, value;
	int implied; /* flags of a call that takes none */
} calls[] = {
#ifdef SYS_chmod
	{ SYS_chmod, MODE, NO_ARGUMENT, 0, NO_ARGUMENT, 1, 0 },
	{ SYS_chown, OWNER, NO_ARGUMENT, 0, NO_ARGUMENT, 1, 0 },
	{ SYS_lchown, OWNER, NO_ARGUMENT, 0, NO_ARGUMENT, 1, AT_SYMLINK_NOFOLLOW },
#endif
	{ SYS_fchmod, MODE, 0, NO_ARGUMENT, NO_ARGUMENT, 1, 0 },
	{ SYS_fchmodat, MODE, 0, 1, NO_ARGUMENT, 2, 0 },
	{ SYS_FCHMODAT2, MODE, 0, 1, 3, 2, 0 },
	{ SYS_fchown, OWNER, 0, NO_ARGUMENT, NO_ARGUMENT, 1, 0 },
	{ SYS_fchownat, OWNER, 0, 1, 4, 2, 0 },
	{ SYS_utimensat, DATES, 0, 1, 3, 2, 0 },
};

void step_deputy(const SpkPlanStep *step)
{
	if (n_folders == MAX_FOLDERS)
		fail_with("too many folders");
	folders[n_folders] = open(step->arg[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folders[n_folders++] < 0)
		fail();
}

int deputy_is_wanted(void)
{
	return n_folders > 0;
}

void deputy_forget(void)
{
	for (int i = 0; i < n_folders; i++)
		close(folders[i]);
}

/* ---- what the command means ---- */

static ssize_t read_memory(pid_t pid, __u64 address, void *buffer, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = pread(fd, buffer, size, (off_t)address);
	close(fd);
	return n;
}

/* "self" is the caller, not us. -1 when that makes the path too long. */
static int own_name(pid_t pid, char path[PATH_MAX])
{
	static const char *const selves[] = { "/proc/self/", "/proc/thread-self/" };
	char named[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(selves) / sizeof(*selves); i++) {
		size_t len = strlen(selves[i]);
		int n;

		if (strncmp(path, selves[i], len) != 0)
			continue;
		n = snprintf(named, sizeof(named), "/proc/%d/%s", (int)pid, path + len);
		if (n >= PATH_MAX)
			return -1;
		memcpy(path, named, (size_t)n + 1);
		break;
	}
	return 0;
}

static int read_path(pid_t pid, __u64 address, char path[PATH_MAX])
{
	ssize_t n = read_memory(pid, address, path, PATH_MAX);

	if (n > 0 && memchr(path, '\0', (size_t)n) && own_name(pid, path) == 0)
		return 0;
	errno = n > 0 ? ENAMETOOLONG : EFAULT;
	return -1;
}

static int open_base(pid_t pid, int dir)
{
	char path[64];

	if (dir == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, dir);
	return open(path, O_PATH | O_CLOEXEC);
}

/* O_PATH descriptor of the file the call is about; -1 and errno. */
static int open_target(const struct call *call, const struct seccomp_notif *notice)
{
	const __u64 *args = notice->data.args;
	pid_t pid = (pid_t)notice->pid;
	int dir = call->dir == NO_ARGUMENT ? AT_FDCWD : (int)args[call->dir];
	int flags = call->flags == NO_ARGUMENT ? call->implied : (int)args[call->flags];
	int has_path = call->path != NO_ARGUMENT &&
		       !(call->what == DATES && !args[call->path]);
	char path[PATH_MAX] = "";
	int base, fd;

	if (has_path && read_path(pid, args[call->path], path) < 0)
		return -1;
	if (has_path && !*path && !(flags & AT_EMPTY_PATH)) {
		errno = ENOENT;
		return -1;
	}
	base = *path == '/' ? AT_FDCWD : open_base(pid, dir);
	if (!*path || (base < 0 && base != AT_FDCWD))
		return base;
	fd = openat(base, path,
		    O_PATH | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
	if (base >= 0)
		close(base);
	return fd;
}

static ssize_t place_of(int fd, char place[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, place, PATH_MAX - 1);
	place[n > 0 ? n : 0] = '\0';
	return n;
}

static int is_allowed(int fd)
{
	char place[PATH_MAX], folder[PATH_MAX];

	if (place_of(fd, place) <= 0)
		return 0;
	for (int i = 0; i < n_folders; i++) {
		ssize_t n = place_of(folders[i], folder);

		if (n > 1 && strncmp(place, folder, (size_t)n) == 0 &&
		    (place[n] == '/' || place[n] == '\0'))
			return 1;
	}
	return 0;
}

/* ---- doing it ---- */

static int change_mode(int fd, mode_t mode)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return chmod(link, mode);
}

static int change_dates(int fd, pid_t pid, __u64 address)
{
	struct timespec dates[2];

	if (address &&
	    read_memory(pid, address, dates, sizeof(dates)) != (ssize_t)sizeof(dates)) {
		errno = EFAULT;
		return -1;
	}
	return utimensat(fd, "", address ? dates : NULL, AT_EMPTY_PATH);
}

static int change(int fd, const struct call *call, int listener,
		  const struct seccomp_notif *notice)
{
	const __u64 *value = notice->data.args + call->value;

	/* the caller may be gone, and its number another's: then all we read is void */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &notice->id) < 0)
		return -1;
	if (!is_allowed(fd)) {
		errno = EPERM;
		return -1;
	}
	switch (call->what) {
	case MODE:
		return change_mode(fd, (mode_t)value[0]);
	case OWNER:
		return fchownat(fd, "", (uid_t)value[0], (gid_t)value[1], AT_EMPTY_PATH);
	case DATES:
		return change_dates(fd, (pid_t)notice->pid, value[0]);
	}
	errno = ENOSYS;
	return -1;
}

int deputy_answer(int listener, const struct seccomp_notif *notice)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		int fd, failed;

		if (calls[i].number != notice->data.nr)
			continue;
		fd = open_target(&calls[i], notice);
		if (fd < 0)
			return errno;
		failed = change(fd, &calls[i], listener, notice) < 0 ? errno : 0;
		close(fd);
		return failed;
	}
	return ENOSYS;
}
