/* The command itself: its session, folder, environment and words. */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static char *words[SPK_PLAN_MAX_STEPS + 1], *variables[SPK_PLAN_MAX_STEPS + 1];
static size_t n_words, n_variables;

void step_session(const SpkPlanStep *step)
{
	sigset_t none;

	if (setsid() < 0)
		fail();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
}

void step_chdir(const SpkPlanStep *step)
{
	if (chdir(step->arg[0]) < 0)
		fail();
}

void step_env(const SpkPlanStep *step)
{
	variables[n_variables++] = (char *)step->arg[0];
}

void step_arg(const SpkPlanStep *step)
{
	words[n_words++] = (char *)step->arg[0];
}

/* From here on a failure is the command's, and looks as a shell would show it. */
void step_exec(const SpkPlanStep *step)
{
	int failed;

	if (!n_words)
		fail_with("no command");
	end_urgency();
	if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		fail();
	environ = variables;
	execvp(words[0], words);
	failed = errno;
	dprintf(2, "%s: %s\n", words[0],
		failed == ENOENT ? "command not found" : strerror(failed));
	_exit(failed == ENOENT || failed == ENOTDIR ? 127 : 126);
}
