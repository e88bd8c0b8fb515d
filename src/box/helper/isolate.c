/*
 * New namespaces, all in one clone. The first process stays outside: it waits, passes the
 * exit code on, and takes the box down on SIGTERM. The second is process 1 of the box; when
 * it dies the kernel kills everything inside.
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NEW_TIME 0x80 /* CLONE_NEWTIME, which the headers may lack */

static volatile pid_t box_pid;

static void kill_box(int signal)
{
	kill(box_pid, SIGKILL);
}

/* The kernel reports process 1 as gone only when the whole namespace is. */
static _Noreturn void wait_for_box(pid_t pid)
{
	struct sigaction on_term = { .sa_handler = kill_box };
	int status;

	box_pid = pid;
	sigaction(SIGTERM, &on_term, NULL);
	sigprocmask(SIG_SETMASK, &on_term.sa_mask, NULL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			_exit(EXIT_BOX_FAILED);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

pid_t clone_into(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);
	int ok = fd >= 0 && write(fd, text, (size_t)len) == len;

	if (fd >= 0)
		close(fd);
	return ok ? 0 : -1;
}

static void map_one(const char *path, const char *inside, unsigned outside)
{
	char line[64];

	snprintf(line, sizeof(line), "%s %u 1", inside, outside);
	if (write_file(path, line) < 0)
		fail();
}

/* Clocks that count from the start of the machine count from now for those we fork, so that the
 * host's uptime does not tell which host it is. Linux 5.6; without it they stay as they are. */
static void reset_clocks(void)
{
	struct timespec monotonic, boot;
	char offsets[96];

	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	snprintf(offsets, sizeof(offsets), "monotonic -%lld 0\nboottime -%lld 0\n",
		 (long long)monotonic.tv_sec, (long long)boot.tv_sec);
	if (unshare(NEW_TIME) < 0)
		return;
	if (write_file("/proc/self/timens_offsets", offsets) < 0)
		fail();
}

void step_isolate(const SpkPlanStep *step)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	sigset_t term;
	pid_t pid;

	/* root's further groups stay outside; others may not drop theirs, nor use them to gain
	 * anything: no file of those groups is in the box */
	if (uid == 0 && setgroups(0, NULL) < 0 && errno != EPERM)
		fail();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	pid = clone_into(BOX_NAMESPACES);
	if (pid < 0)
		fail();
	if (pid > 0)
		wait_for_box(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	exit_if_orphaned();
	if (write_file("/proc/self/setgroups", "deny") < 0)
		fail();
	map_one("/proc/self/uid_map", step->arg[0], uid);
	map_one("/proc/self/gid_map", step->arg[1], gid);
	reset_clocks();
}

void step_loopback(const SpkPlanStep *step)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail();
	close(fd);
}

void step_hostname(const SpkPlanStep *step)
{
	if (sethostname(step->arg[0], strlen(step->arg[0])) < 0)
		fail();
}
