/*
 * sparks-box inside of a container that an engine has built. `--keep` is the container's
 * process 1 while it is kept warm; `--guest PLAN` is each command's supervisor, started by
 * the engine. It has no descriptor to report on, so its lines go to stderr, each after a key
 * that the parent made up and that the command cannot read: this process is not dumpable
 * before the command exists, and its environment is not handed on.
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_ROUNDS 20000

/* The program that made the container holds a lock on this file. When it is gone, by
 * whatever way, the lock is ours, and the container ends. A runtime that doesn't share locks
 * gives it to us at once; then the engine is asked to end the container, or nobody. */
int keep_container(const char *lock)
{
	int fd;

	signal(SIGCHLD, SIG_IGN); /* orphans go without being waited for */
	prctl(PR_SET_DUMPABLE, 0);
	fd = open(lock, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		while (flock(fd, LOCK_SH) < 0 && errno == EINTR)
			;
		return 0;
	}
	for (;;)
		pause();
}

void guest_begin(const char *plan)
{
	const char *key = getenv(SPK_GUEST_KEY);
	int fd;

	/* the command's stderr, which may become its stdout, is another descriptor */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || dup2(STDERR_FILENO, SPK_STATUS_FD) < 0 ||
	    fcntl(SPK_STATUS_FD, F_SETFD, FD_CLOEXEC) < 0)
		_exit(EXIT_BOX_FAILED);
	report_key(key ? key : "");
	report_step("plan", plan);
	fd = open(plan, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (fd != SPK_PLAN_FD && dup2(fd, SPK_PLAN_FD) < 0))
		fail();
	if (getppid() != 0) /* else kill(-1) would reach who knows whom */
		fail_with("this is no process of a container engine");
	guest_sweep();
}

/* All there is in the container but process 1 and ourselves. */
void guest_sweep(void)
{
	static const struct timespec pause = { .tv_nsec = 200000 };

	for (int round = 0; round < SWEEP_ROUNDS && kill(-1, SIGKILL) == 0; round++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (round) /* they are ending */
			nanosleep(&pause, NULL);
	}
}

void step_merge(const SpkPlanStep *step)
{
	if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		fail();
}
