/*
 * sparks-box: reads a plan from descriptor 3, carries it out, execs the command. With
 * --probe it says what this machine allows; in a container see guest.c. It has no privileges of its own.
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* clang-format off */
static StepFn *const steps[SPK_N_PLAN_OPS] = {
	[SPK_PLAN_OVERLAY] = step_overlay,
	[SPK_PLAN_URGENT] = step_urgent,
	[SPK_PLAN_JOIN] = step_join,
	[SPK_PLAN_ISOLATE] = step_isolate,
	[SPK_PLAN_LOOPBACK] = step_loopback,
	[SPK_PLAN_HOSTNAME] = step_hostname,
	[SPK_PLAN_ROOT] = step_root,
	[SPK_PLAN_BIND_RO] = step_bind_ro,
	[SPK_PLAN_BIND_RW] = step_bind_rw,
	[SPK_PLAN_BIND_DEV] = step_bind_dev,
	[SPK_PLAN_TMPFS] = step_tmpfs,
	[SPK_PLAN_PROC] = step_proc,
	[SPK_PLAN_DEVPTS] = step_devpts,
	[SPK_PLAN_MASK] = step_mask,
	[SPK_PLAN_DIR] = step_dir,
	[SPK_PLAN_FILE] = step_file,
	[SPK_PLAN_SYMLINK] = step_symlink,
	[SPK_PLAN_SEAL] = step_seal,
	[SPK_PLAN_NO_PRIVS] = step_no_privs,
	[SPK_PLAN_WATCH] = step_watch,
	[SPK_PLAN_METER] = step_meter,
	[SPK_PLAN_DEPUTY] = step_deputy,
	[SPK_PLAN_TELL] = step_tell,
	[SPK_PLAN_SUPERVISE] = step_supervise,
	[SPK_PLAN_SESSION] = step_session,
	[SPK_PLAN_RLIMIT] = step_rlimit,
	[SPK_PLAN_RULESET] = step_ruleset,
	[SPK_PLAN_ALLOW] = step_allow,
	[SPK_PLAN_RESTRICT] = step_restrict,
	[SPK_PLAN_JANITOR] = step_janitor,
	[SPK_PLAN_CHDIR] = step_chdir,
	[SPK_PLAN_ENV] = step_env,
	[SPK_PLAN_ARG] = step_arg,
	[SPK_PLAN_SECCOMP] = step_seccomp,
	[SPK_PLAN_FORWARD] = step_forward,
	[SPK_PLAN_MERGE] = step_merge,
	[SPK_PLAN_EXEC] = step_exec,
};
/* clang-format on */

static char plan[SPK_PLAN_MAX_BYTES + 1]; /* one more, so that "too long" shows */

static size_t read_plan(void)
{
	size_t len = 0;

	report_step("plan", "");
	while (len < sizeof(plan)) {
		ssize_t n = read(SPK_PLAN_FD, plan + len, sizeof(plan) - len);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail();
		len += (size_t)n;
	}
	close(SPK_PLAN_FD);
	if (spk_plan_check(plan, len) < 0)
		fail_with("the plan is damaged");
	return len;
}

static void carry_out(size_t len)
{
	SpkPlanReader reader;
	SpkPlanStep step;

	spk_plan_open(&reader, plan, len);
	while (spk_plan_next(&reader, &step) > 0) {
		/* of `file PATH CONTENT` and its like the first argument is what tells */
		report_step(spk_plan_op_name(step.op), step.arg[0] ? step.arg[0] : "");
		steps[step.op](&step);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return probe();
	if (argc > 2 && strcmp(argv[1], "--try") == 0)
		return attempt(argc - 2, argv + 2);
	if (argc == 3 && strcmp(argv[1], "--keep") == 0)
		return keep_container(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--guest") == 0) {
		guest_begin(argv[2]);
		carry_out(read_plan());
		return EXIT_BOX_FAILED;
	}
	if (argc != 2 || argv[1][0] != '/') {
		fprintf(stderr,
			"usage: sparks-box --probe | --keep LOCK | --guest PLAN | WORK-TREE\n"
			"It is run by sparks, with a plan on descriptor %d. The argument only\n"
			"tells whose box this is to those who look at the list of processes.\n",
			SPK_PLAN_FD);
		return 2;
	}
	/* SIGTERM, so that the tier without a pid namespace can still clean up */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	exit_if_orphaned();
	carry_out(read_plan());
	return EXIT_BOX_FAILED; /* not reached: plans end with exec */
}
