/*
 * Landlock: rules on paths that hold whatever user the command runs as. Constants are spelled
 * out, since the headers of the build machine may be older than the kernel it runs on:
 * https://docs.kernel.org/userspace-api/landlock.html
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_ALL_ABI1 = (1 << 13) - 1,
	FS_REFER = 1 << 13,	       /* ABI 2 */
	FS_TRUNCATE = 1 << 14,	       /* ABI 3 */
	FS_IOCTL_DEV = 1 << 15,	       /* ABI 5 */
	NET_BIND_AND_CONNECT = 3,      /* TCP, ABI 4 */
	SCOPE_ABSTRACT_AND_SIGNAL = 3, /* ABI 6 */
	CREATE_VERSION = 1,
	RULE_PATH_BENEATH = 1,
};

#define FS_OF_FILES \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static const struct {
	const char *name;
	uint64_t rights;
} rights[] = {
	{ "read", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR },
	{ "write", FS_ALL_ABI1 | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV },
	{ "device",
	  FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR | FS_TRUNCATE | FS_IOCTL_DEV },
};

static struct ruleset_attr handled;
static int ruleset = -1;

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

void step_ruleset(const SpkPlanStep *step)
{
	int abi = landlock_abi();

	handled.fs = FS_ALL_ABI1 | (abi >= 2 ? FS_REFER : 0) |
		     (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
	if (abi >= 4 && strcmp(step->arg[0], "no-net") == 0)
		handled.net = NET_BIND_AND_CONNECT;
	if (abi >= 6)
		handled.scoped = SCOPE_ABSTRACT_AND_SIGNAL;
	/* an older kernel takes the longer struct as long as what it does not know is 0 */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (ruleset < 0)
		fail();
}

void step_allow(const SpkPlanStep *step)
{
	struct path_beneath_attr rule = { .parent = open(step->arg[0],
							 O_PATH | O_CLOEXEC) };
	struct stat st;

	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		if (strcmp(rights[i].name, step->arg[1]) == 0)
			rule.allowed = rights[i].rights & handled.fs;
	if (!rule.allowed)
		fail_with("no such right");
	if (rule.parent < 0 || fstat(rule.parent, &st) < 0)
		fail();
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_FILES;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		fail();
	close(rule.parent);
}

void step_restrict(const SpkPlanStep *step)
{
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		fail();
	close(ruleset);
}
