/*
 * The box's own root: a tmpfs into which parts of the host's tree are bound. Between `root`
 * and `seal` the host's tree is still there at SPK_PLAN_OLD, for nobody but us.
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> contradict each other in glibc 2.36. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *target, int flags);
#define DETACH 2 /* MNT_DETACH */

/* mkdir -p for all but the last component. */
static void make_parents(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		fail();
	}
	for (size_t i = 1; i < len; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			fail();
	}
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return;
	if (errno != ENOENT)
		fail();
	make_parents(path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail();
}

static void write_new(const char *path, const char *text)
{
	int fd;

	make_parents(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail();
	close(fd);
}

void step_root(const SpkPlanStep *step)
{
	const char *old = &SPK_PLAN_OLD[1]; /* relative: we stand in the new root */

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", step->arg[0], "tmpfs", MS_NOSUID | MS_NODEV, step->arg[1]) <
		    0 ||
	    chdir(step->arg[0]) < 0 || mkdir(old, 0700) < 0 ||
	    syscall(SYS_pivot_root, ".", old) < 0 || chdir("/") < 0)
		fail();
}

/* Below /usr, whose bind is read-only, the file is there already, and may be running. */
static void make_file(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		write_new(path, "");
}

/* A copy of what is mounted at FROM and below, attached at TO with `attributes` added. */
static void bind(const SpkPlanStep *step, unsigned long long attributes)
{
	struct mount_attr attr = { .attr_set = attributes };
	char from[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(from, sizeof(from), SPK_PLAN_OLD "%s", step->arg[0]) >=
	    (int)sizeof(from)) {
		errno = ENAMETOOLONG;
		fail();
	}
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, from,
			  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		    sizeof(attr)) < 0)
		fail();
	if (S_ISDIR(st.st_mode))
		make_folder(step->arg[1]);
	else
		make_file(step->arg[1]);
	if (syscall(SYS_move_mount, fd, "", AT_FDCWD, step->arg[1],
		    MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail();
	close(fd);
}

void step_bind_ro(const SpkPlanStep *step)
{
	bind(step, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

void step_bind_rw(const SpkPlanStep *step)
{
	bind(step, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

void step_bind_dev(const SpkPlanStep *step)
{
	bind(step, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

/* The layers' folders are the host's; "userxattr" is what a user namespace needs. */
void step_overlay(const SpkPlanStep *step)
{
	if (mount("overlay", step->arg[0], "overlay", MS_NOSUID | MS_NODEV,
		  step->arg[1]) < 0)
		report("blocked", "carry", strerror(errno));
}

static void mount_new(const char *type, const char *to, unsigned long flags,
		      const char *options)
{
	make_folder(to);
	if (mount(type, to, type, flags | MS_NOSUID | MS_NODEV, options) < 0)
		fail();
}

void step_tmpfs(const SpkPlanStep *step)
{
	mount_new("tmpfs", step->arg[0], 0, step->arg[1]);
}

/* Read-only as a whole: the files of /proc/sys belong to the host's root, and a box that
 * root started runs as that user as far as the host is concerned. */
void step_proc(const SpkPlanStep *step)
{
	mount_new("proc", step->arg[0], MS_NOEXEC | MS_RDONLY, NULL);
}

void step_devpts(const SpkPlanStep *step)
{
	make_folder(step->arg[0]);
	if (mount("devpts", step->arg[0], "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=620") < 0)
		fail();
}

void step_mask(const SpkPlanStep *step)
{
	if (mount("/dev/null", step->arg[0], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
		fail();
}

void step_dir(const SpkPlanStep *step)
{
	long long mode = spk_plan_number(step->arg[1], 8, 07777);

	if (mode < 0)
		fail_with("not a mode");
	make_folder(step->arg[0]);
	if (chmod(step->arg[0], (mode_t)mode) < 0)
		fail();
}

void step_file(const SpkPlanStep *step)
{
	write_new(step->arg[0], step->arg[1]);
}

void step_symlink(const SpkPlanStep *step)
{
	make_parents(step->arg[1]);
	if (symlink(step->arg[0], step->arg[1]) < 0)
		fail();
}

void step_seal(const SpkPlanStep *step)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (umount2(SPK_PLAN_OLD, DETACH) < 0 || rmdir(SPK_PLAN_OLD) < 0 ||
	    syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0)
		fail();
}
