/*
 * sparks-box --probe: tries, in a process of its own each, what the tiers are made of, and
 * prints a line for each (box/box_plan.h). Nothing of it outlives the probe.
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, int error)
{
	report(error ? "no" : "yes", name, error ? strerror(error) : "");
}

/* errno of a clone with these flags, 0 when it works. */
static int try_clone(unsigned long flags)
{
	pid_t pid = clone_into(flags);

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static const struct {
	const char *name;
	unsigned long flag;
} namespaces[] = {
	{ "mount namespace", CLONE_NEWNS },    { "pid namespace", CLONE_NEWPID },
	{ "network namespace", CLONE_NEWNET }, { "ipc namespace", CLONE_NEWIPC },
	{ "uts namespace", CLONE_NEWUTS },     { "cgroup namespace", CLONE_NEWCGROUP },
};

/* Every namespace in one go; which of them is to blame is asked only when that fails. */
static int probe_namespaces(void)
{
	int error = try_clone(BOX_NAMESPACES);

	if (!error) {
		say("user namespace", 0);
		return 1;
	}
	error = try_clone(CLONE_NEWUSER);
	say("user namespace", error);
	for (size_t i = 0; !error && i < sizeof(namespaces) / sizeof(*namespaces); i++) {
		int why = try_clone(CLONE_NEWUSER | namespaces[i].flag);

		if (why)
			say(namespaces[i].name, why);
	}
	return 0;
}

/* The steps of a real box up to its root. A step that fails says so itself ("error"). */
static void build_root(void)
{
	static const SpkPlanStep isolate = { SPK_PLAN_ISOLATE, { "1000", "1000" } };
	static const SpkPlanStep root = { SPK_PLAN_ROOT, { "/usr", "mode=0755" } };
	static const SpkPlanStep usr = { SPK_PLAN_BIND_RO, { "/usr", "/usr" } };
	static const SpkPlanStep proc = { SPK_PLAN_PROC, { "/proc", NULL } };
	static const SpkPlanStep pts = { SPK_PLAN_DEVPTS, { "/dev/pts", NULL } };
	static const SpkPlanStep seal = { SPK_PLAN_SEAL, { NULL, NULL } };
	static const struct {
		StepFn *run;
		const SpkPlanStep *step;
		const char *name;
	} steps[] = {
		{ step_isolate, &isolate, "mapping users" },
		{ step_loopback, &seal, "loopback" },
		{ step_root, &root, "private root" },
		{ step_bind_ro, &usr, "read-only binds" },
		{ step_proc, &proc, "mounting /proc" },
		{ step_devpts, &pts, "mounting /dev/pts" },
		{ step_seal, &seal, "sealing the root" },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		report_step(steps[i].name, "");
		steps[i].run(steps[i].step);
	}
	_exit(0);
}

static void probe_root(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		build_root();
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && status == 0)
		say("private root", 0);
}

int probe(void)
{
	char abi[32];

	report_to(STDOUT_FILENO);
	if (probe_namespaces())
		probe_root();
	snprintf(abi, sizeof(abi), "%d", landlock_abi());
	report(landlock_abi() ? "yes" : "no", "landlock", abi);
	say("seccomp", seccomp_missing() ? errno : 0);
	say("listener", listener_missing());
	say("process list", access("/proc/thread-self/children", R_OK) < 0 ? errno : 0);
	return 0;
}
