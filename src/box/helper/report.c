#include "box/helper/helper.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int report_fd = SPK_STATUS_FD;
static const char *guest_key;
static const char *step_name = "start", *step_argument = "";

void report_to(int fd)
{
	report_fd = fd;
}

void report_key(const char *key)
{
	guest_key = key;
}

void report(const char *what, const char *name, const char *text)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s%s%s%s\t%s\t%s\n",
			 guest_key ? SPK_GUEST_MARK : "", guest_key ? guest_key : "",
			 guest_key ? "\t" : "", what, name, text);

	if (n >= (int)sizeof(line)) {
		n = sizeof(line);
		line[n - 1] = '\n';
	}
	if (write(report_fd, line, (size_t)n) < 0)
		return; /* nobody listens: the exit code must do */
}

void report_step(const char *name, const char *argument)
{
	step_name = name;
	step_argument = argument;
}

void fail_with(const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "%s%s%s", step_argument, *step_argument ? ": " : "",
		 text);
	report("error", step_name, line);
	_exit(EXIT_BOX_FAILED);
}

void fail(void)
{
	fail_with(strerror(errno));
}

void exit_if_orphaned(void)
{
	struct pollfd status = { .fd = SPK_STATUS_FD };

	if (poll(&status, 1, 0) == 1 && (status.revents & POLLERR))
		_exit(EXIT_BOX_FAILED);
}
