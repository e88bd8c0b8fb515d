/* Walls around the command's own process: capabilities and limits. */
#include "box/helper/helper.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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
