/*
 * What a box uses without any of its processes being seen to hold it: files on the disk of the
 * work tree, and shared memory that nobody has mapped (memfd_create, shmget). Coarse on
 * purpose: what the whole machine has less of since the box began, and the number of sockets of the
 * box's network, whose buffers belong to nobody. Where control groups hold
 * the memory, only the disk is watched.
 */
#include "box/helper/helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static long long max_shared, max_sockets, max_disk, max_inodes; /* 0: no meter */
static long long shared_first, disk_first, inodes_first;
static int folder = -1;

static long long shared_now(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (long long)info.sharedram * info.mem_unit;
}

/* Of our network namespace: "sockets: used N" is the first line. */
static long long sockets_now(void)
{
	char text[64];
	long long n = 0;
	int fd = open("/proc/net/sockstat", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	return sscanf(text, "sockets: used %lld", &n) == 1 ? n : 0;
}

/* Bytes and files that are free. */
static int look(long long *disk, long long *inodes)
{
	struct statvfs st;

	if (folder < 0 || fstatvfs(folder, &st) < 0)
		return -1;
	*disk = (long long)st.f_bfree * (long long)st.f_frsize;
	*inodes = (long long)st.f_ffree;
	return 0;
}

int set_hidden_meter(const char *name, long long most)
{
	if (strcmp(name, "shared") == 0)
		max_shared = most;
	else if (strcmp(name, "sockets") == 0)
		max_sockets = most;
	else if (strcmp(name, "disk") == 0)
		max_disk = most;
	else if (strcmp(name, "inodes") == 0)
		max_inodes = most;
	else
		return 0;
	return 1;
}

void step_watch(const SpkPlanStep *step)
{
	folder = open(step->arg[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (look(&disk_first, &inodes_first) < 0)
		fail();
	/* a disk that is nearly full must not become so */
	if (max_disk > disk_first / 10 * 9)
		max_disk = disk_first / 10 * 9;
	if (inodes_first && max_inodes > inodes_first / 10 * 9)
		max_inodes = inodes_first / 10 * 9;
	shared_first = shared_now();
}

int hidden_is_over(void)
{
	long long disk, inodes;

	if (passed("memory", max_shared ? shared_now() - shared_first : 0, max_shared,
		   "bytes, of the machine's shared memory") ||
	    passed("memory", max_sockets ? sockets_now() : 0, max_sockets,
		   "sockets, whose buffers take memory"))
		return 1;
	return look(&disk, &inodes) == 0 &&
	       (passed("disk", disk_first - disk, max_disk, "bytes on disk") ||
		passed("inodes", inodes_first - inodes, max_inodes, "files on disk"));
}
