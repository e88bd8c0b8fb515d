/* Walls around the command's own process: capabilities, limits, system calls. */
#include "box/helper/helper.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seccomp_programs.h"

void step_no_privs(const SpkPlanStep *step)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* EINVAL: past the last one. EPERM: an ordinary user, who has none to give up. */
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EINVAL && errno != EPERM)
			fail();
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail();
}

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "core", RLIMIT_CORE },   { "cpu", RLIMIT_CPU },
	{ "fsize", RLIMIT_FSIZE }, { "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC }, { "memlock", RLIMIT_MEMLOCK },
};

void step_rlimit(const SpkPlanStep *step)
{
	long long value = spk_plan_number(step->arg[1], 10, 1ll << 62);
	size_t i = 0;

	while (i < sizeof(limits) / sizeof(*limits) &&
	       strcmp(limits[i].name, step->arg[0]) != 0)
		i++;
	if (i == sizeof(limits) / sizeof(*limits) || value < 0)
		fail_with("not a limit");

	struct rlimit limit, want = { (rlim_t)value, (rlim_t)value };

	if (getrlimit(limits[i].resource, &limit) < 0)
		fail();
	/* ours may already be lower, and must not grow */
	if (limit.rlim_max < want.rlim_max)
		want.rlim_cur = want.rlim_max = limit.rlim_max;
	if (setrlimit(limits[i].resource, &want) < 0)
		fail();
}

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

/* Inside of somebody else's box that listens already: what the deputy would do is refused. */
static void refuse_all(const struct sock_fprog *program)
{
	for (unsigned short i = 0; i < program->len; i++) {
		struct sock_filter *code = &program->filter[i];

		if (code->code == (BPF_RET | BPF_K) && code->k == SECCOMP_RET_USER_NOTIF)
			code->k = SECCOMP_RET_ERRNO | EPERM;
	}
}

static void install_listening(const struct sock_fprog *program)
{
	int listener = install(program, SECCOMP_FILTER_FLAG_NEW_LISTENER);

	if (listener >= 0) {
		deputy_hand_over(listener);
		return;
	}
	if (errno != EBUSY)
		fail();
	refuse_all(program);
	if (install(program, 0) < 0)
		fail();
}

void step_seccomp(const SpkPlanStep *step)
{
	for (size_t i = 0; i < sizeof(seccomp_programs) / sizeof(*seccomp_programs);
	     i++) {
		if (strcmp(seccomp_programs[i].name, step->arg[0]) != 0)
			continue;
		if (seccomp_programs[i].listens)
			install_listening(&seccomp_programs[i].program);
		else if (install(&seccomp_programs[i].program, 0) < 0)
			fail();
		return;
	}
	fail_with("no such program");
}
