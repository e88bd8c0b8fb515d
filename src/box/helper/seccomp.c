/*
 * System calls: the filter of the command, and the listener by which the supervisor hears of
 * some. Calls that are refused come to it so that they can be told (`tell`); those on modes,
 * owners and dates are its own to do (deputy.c). No answer lets a call go on: what the kernel
 * asks about is refused or has been done. With the supervisor the listener goes, and then they
 * answer ENOSYS. seccomp_unotify(2).
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp_programs.h"

#define N_PROGRAMS (sizeof(seccomp_programs) / sizeof(*seccomp_programs))
#define MAX_TOLD   128

static int channel[2] = { -1, -1 }; /* the supervisor's end, the command's */
static int listener = -1;
static int tells; /* index of a program + 1; 0: nothing is to be told */
static unsigned long counts[MAX_TOLD];

_Static_assert(sizeof(native_told) / sizeof(*native_told) <= MAX_TOLD &&
		       sizeof(landlock_told) / sizeof(*landlock_told) <= MAX_TOLD,
	       "a counter for each");

/* Index + 1; there is always one of a plan that was written for this program. */
static int find_program(const char *name)
{
	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (strcmp(seccomp_programs[i].name, name) == 0)
			return (int)i + 1;
	fail_with("no such program");
}

void step_tell(const SpkPlanStep *step)
{
	tells = find_program(step->arg[0]);
}

/* ---- the command's side ---- */

int seccomp_missing(void)
{
	unsigned int action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0;
}

/* A descriptor of ours, or -1 and errno. */
static int install(const struct sock_fprog *program, unsigned flags)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

int listener_missing(void)
{
	struct sock_filter code[] = { { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } };
	struct sock_fprog program = { 1, code };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		    install(&program, SECCOMP_FILTER_FLAG_NEW_LISTENER) >= 0)
			_exit(0);
		_exit(errno);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
}

/* Refused without asking: what is only told and, with `all`, what the deputy would do. An
 * instruction of the former has its error, which the kernel does not look at there. */
static void refuse_plainly(const struct sock_fprog *program, int all)
{
	for (unsigned short i = 0; i < program->len; i++) {
		struct sock_filter *code = &program->filter[i];
		unsigned error = code->k & SECCOMP_RET_DATA;

		if (code->code != (BPF_RET | BPF_K) ||
		    (code->k & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_USER_NOTIF)
			continue;
		if (error || all)
			code->k = SECCOMP_RET_ERRNO | (error ? error : EPERM);
	}
}

static void hand_over(int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (sendmsg(channel[1], &message, MSG_NOSIGNAL) < 0)
		fail();
	close(fd);
}

void step_seccomp(const SpkPlanStep *step)
{
	const struct sock_fprog *program =
		&seccomp_programs[find_program(step->arg[0]) - 1].program;
	int fd = -1;

	if (!tells)
		refuse_plainly(program, 0);
	if (channel[1] >= 0) {
		fd = install(program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		/* EBUSY: inside of somebody else's box that listens already */
		if (fd < 0 && errno != EBUSY && errno != EINVAL && errno != ENOSYS)
			fail();
	}
	if (fd >= 0) {
		hand_over(fd);
		return;
	}
	if (tells)
		report("untold", "seccomp",
		       errno == EBUSY ? "this is in a box whose own supervisor listens"
				      : "this kernel has no listener for them");
	refuse_plainly(program, 1);
	if (install(program, 0) < 0)
		fail();
}

/* ---- the supervisor's side ---- */

void listener_prepare(void)
{
	if ((tells || deputy_is_wanted()) &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		fail();
}

void listener_settle(int is_command)
{
	if (channel[0] < 0)
		return;
	close(channel[!is_command]);
	channel[!is_command] = -1;
	if (is_command)
		deputy_forget();
}

int listener_fd(void)
{
	return listener >= 0 ? listener : channel[0];
}

/* Whatever comes is not the listener: there will be none. */
static void take_listener(void)
{
	char byte, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	ssize_t n = recvmsg(channel[0], &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (head && head->cmsg_type == SCM_RIGHTS)
		memcpy(&listener, CMSG_DATA(head), sizeof(listener));
	close(channel[0]);
	channel[0] = -1;
}

static void tell_count(size_t i)
{
	char times[24];

	snprintf(times, sizeof(times), "%lu", counts[i]);
	report("refused", seccomp_programs[tells - 1].told[i].name, times);
}

/* The first time at once: the box may be killed before its end. */
static void count(size_t i)
{
	if (counts[i]++ == 0)
		tell_count(i);
}

/* 0 when it has been done, else an errno. */
static int answer(const struct seccomp_notif *notice)
{
	const struct told *told = tells ? seccomp_programs[tells - 1].told : NULL;
	int error;
	size_t n = tells ? seccomp_programs[tells - 1].n_told : 0;

	for (size_t i = 0; i < n; i++) {
		if (told[i].number != notice->data.nr)
			continue;
		error = told[i].error ? told[i].error : deputy_answer(listener, notice);
		if (told[i].error || error == EPERM)
			count(i);
		return error;
	}
	return deputy_answer(listener, notice);
}

void listener_serve(void)
{
	/* a kernel of tomorrow may write more than we know of */
	union {
		struct seccomp_notif notice;
		char room[1024];
	} in;
	union {
		struct seccomp_notif_resp response;
		char room[1024];
	} out;

	if (listener < 0) {
		take_listener();
		return;
	}
	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return; /* the caller was killed meanwhile */
	out.response.id = in.notice.id;
	out.response.error = -answer(&in.notice);
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &out); /* likewise */
}

void listener_end(void)
{
	if (listener >= 0)
		close(listener);
	if (channel[0] >= 0)
		close(channel[0]);
	listener = channel[0] = -1;
}

void report_told(void)
{
	for (size_t i = 0; tells && i < seccomp_programs[tells - 1].n_told; i++)
		if (counts[i] > 1)
			tell_count(i);
}
