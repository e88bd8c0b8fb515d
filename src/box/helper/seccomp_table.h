/*
 * System calls that a command in the box does not get. The program built from this table
 * looks at numbers and at the low 32 bits of arguments: all arguments named here are 32 bits
 * wide to the kernel. What no row names is allowed up to LAST_KNOWN, the newest call somebody
 * has looked at; later ones answer ENOSYS, so that libraries fall back. Calls of another
 * architecture kill the process.
 */
/* Tables that read better aligned. */
/* clang-format off */
#ifndef SPK_BOX_HELPER_SECCOMP_TABLE_H
#define SPK_BOX_HELPER_SECCOMP_TABLE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define LAST_KNOWN 462	/* mseal, Linux 6.10; numbers are the same everywhere from 424 on */

#define ASK_DEPUTY -1	/* in place of an error: the supervisor does it, or does not */

#define NEW_NAMESPACES                                                                     \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |        \
	 CLONE_NEWUTS | CLONE_NEWCGROUP)
#define NEW_TIME 0x80	/* CLONE_NEWTIME: for unshare only, part of the signal in clone */

typedef enum {
	ALWAYS,
	ANY_BIT,	/* argument & value[0] */
	BITS_ARE,	/* (argument & value[0]) == value[1] */
	ONE_OF,		/* argument is one of the values */
	NONE_OF,
} Test;

typedef enum { BOTH_TIERS, NATIVE, LANDLOCK } Tiers;

typedef struct {
	const char *call;
	int error;
	Test test;
	int argument;
	unsigned value[4];
	int n_values;
	Tiers tiers;
	unsigned only_if_first;	/* 0, or what argument 0 must be for the row to count */
	int number;		/* of calls newer than the library that knows the names */
} Rule;

static const Rule rules[] = {
	/* The tree of files: what is mounted where stays as it is. */
	{ "mount", EPERM },
	{ "umount2", EPERM },
	{ "umount", EPERM },
	{ "pivot_root", EPERM },
	{ "chroot", EPERM },
	{ "move_mount", EPERM },
	{ "fsopen", EPERM },
	{ "fsconfig", EPERM },
	{ "fsmount", EPERM },
	{ "fspick", EPERM },
	{ "open_tree", EPERM },
	{ "mount_setattr", EPERM },
	{ "statmount", EPERM, .number = 457 },
	{ "listmount", EPERM, .number = 458 },
	{ "swapon", EPERM },
	{ "swapoff", EPERM },
	{ "quotactl", EPERM },
	{ "quotactl_fd", EPERM },
	{ "acct", EPERM },
	{ "fanotify_init", EPERM },
	{ "name_to_handle_at", EPERM },	/* handles reach files outside of any root */
	{ "open_by_handle_at", EPERM },

	/* New namespaces would bring back capabilities, and with them most of the kernel. */
	{ "setns", EPERM },
	{ "unshare", EPERM, ANY_BIT, 0, { NEW_NAMESPACES | NEW_TIME }, 1 },
	{ "clone", EPERM, ANY_BIT, 0, { NEW_NAMESPACES }, 1 },
	{ "clone3", ENOSYS },	/* flags behind a pointer; libc falls back to clone */

	/* Keys of the user's session, and calls whose bugs have been the way out before. */
	{ "keyctl", EPERM },
	{ "add_key", EPERM },
	{ "request_key", EPERM },
	{ "bpf", EPERM },
	{ "perf_event_open", EPERM },
	{ "userfaultfd", EPERM },
	{ "io_uring_setup", ENOSYS },	/* its work passes by these very rules */
	{ "io_uring_enter", ENOSYS },
	{ "io_uring_register", ENOSYS },

	/* Memory and descriptors of other processes. ptrace itself is allowed: debuggers and
	 * leak checkers need it, and the pid namespace and Landlock leave it nothing but the
	 * box's own processes. */
	{ "process_vm_readv", EPERM },
	{ "process_vm_writev", EPERM },
	{ "pidfd_getfd", EPERM },
	{ "kcmp", EPERM },
	{ "migrate_pages", EPERM },
	{ "move_pages", EPERM },

	/* The machine: kernel code, clock, name, power, ports. */
	{ "init_module", EPERM },
	{ "finit_module", EPERM },
	{ "delete_module", EPERM },
	{ "create_module", EPERM },
	{ "query_module", EPERM },
	{ "get_kernel_syms", EPERM },
	{ "kexec_load", EPERM },
	{ "kexec_file_load", EPERM },
	{ "reboot", EPERM },
	{ "syslog", EPERM },
	{ "settimeofday", EPERM },
	{ "stime", EPERM },
	{ "clock_settime", EPERM },
	{ "adjtimex", EPERM },
	{ "clock_adjtime", EPERM },
	{ "sethostname", EPERM },
	{ "setdomainname", EPERM },
	{ "iopl", EPERM },
	{ "ioperm", EPERM },
	{ "vhangup", EPERM },

	/* Old doors that nothing of today opens. */
	{ "modify_ldt", EPERM },
	{ "vm86", EPERM },
	{ "vm86old", EPERM },
	{ "uselib", EPERM },
	{ "ustat", EPERM },
	{ "sysfs", EPERM },
	{ "_sysctl", EPERM },
	{ "lookup_dcookie", EPERM },
	{ "nfsservctl", EPERM },
	/* sanitizers and debuggers turn address randomisation off for themselves */
	{ "personality", EPERM, NONE_OF, 0, { PER_LINUX, ADDR_NO_RANDOMIZE, 0xffffffff }, 3 },

	/* Typing into a terminal somebody else reads; changing what drives it. */
	{ "ioctl", EPERM, ONE_OF, 1, { TIOCSTI, TIOCLINUX, TIOCSETD }, 3 },

	/* Sockets: unix and internet, which lead nowhere but into the box; of netlink what
	 * lists interfaces. */
	{ "socket", EAFNOSUPPORT, NONE_OF, 0, { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK }, 4,
	  .tiers = NATIVE },
	{ "socket", EAFNOSUPPORT, NONE_OF, 2, { 0 }, 1, .tiers = NATIVE,
	  .only_if_first = AF_NETLINK },
	{ "socketpair", EAFNOSUPPORT, NONE_OF, 0, { AF_UNIX }, 1 },

	/* Without namespaces the host's network, IPC objects and processes are in reach. */
	{ "socket", EPERM, .tiers = LANDLOCK },
	{ "shmget", EPERM, .tiers = LANDLOCK },
	{ "shmat", EPERM, .tiers = LANDLOCK },
	{ "shmctl", EPERM, .tiers = LANDLOCK },
	{ "semget", EPERM, .tiers = LANDLOCK },
	{ "semctl", EPERM, .tiers = LANDLOCK },
	{ "semop", EPERM, .tiers = LANDLOCK },
	{ "semtimedop", EPERM, .tiers = LANDLOCK },
	{ "msgget", EPERM, .tiers = LANDLOCK },
	{ "msgctl", EPERM, .tiers = LANDLOCK },
	{ "msgsnd", EPERM, .tiers = LANDLOCK },
	{ "msgrcv", EPERM, .tiers = LANDLOCK },
	{ "mq_open", EPERM, .tiers = LANDLOCK },
	{ "mq_unlink", EPERM, .tiers = LANDLOCK },
	{ "kill", EPERM, ONE_OF, 0, { 0xffffffff }, 1, .tiers = LANDLOCK },
	{ "prlimit64", EPERM, NONE_OF, 0, { 0 }, 1, .tiers = LANDLOCK },

	/* Landlock has no rights for what a file's owner may do to it without opening it. */
	{ "chmod", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "fchmod", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "fchmodat", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "fchmodat2", ASK_DEPUTY, .tiers = LANDLOCK, .number = 452 },
	{ "chown", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "fchown", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "lchown", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "fchownat", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "utimensat", ASK_DEPUTY, .tiers = LANDLOCK },
	{ "utime", ENOSYS, .tiers = LANDLOCK },	/* libc falls back to utimensat */
	{ "utimes", ENOSYS, .tiers = LANDLOCK },
	{ "futimesat", ENOSYS, .tiers = LANDLOCK },
	{ "setxattr", EOPNOTSUPP, .tiers = LANDLOCK },	/* access lists, for one */
	{ "lsetxattr", EOPNOTSUPP, .tiers = LANDLOCK },
	{ "fsetxattr", EOPNOTSUPP, .tiers = LANDLOCK },
	{ "removexattr", EOPNOTSUPP, .tiers = LANDLOCK },
	{ "lremovexattr", EOPNOTSUPP, .tiers = LANDLOCK },
	{ "fremovexattr", EOPNOTSUPP, .tiers = LANDLOCK },
	/* Other processes of the same user. */
	{ "setpriority", EPERM, NONE_OF, 1, { 0 }, 1, .tiers = LANDLOCK },
	{ "setpriority", EPERM, ONE_OF, 0, { PRIO_USER }, 1, .tiers = LANDLOCK },
	{ "ioprio_set", EPERM, NONE_OF, 1, { 0 }, 1, .tiers = LANDLOCK },
	{ "sched_setaffinity", EPERM, NONE_OF, 0, { 0 }, 1, .tiers = LANDLOCK },
	{ "sched_setscheduler", EPERM, NONE_OF, 0, { 0 }, 1, .tiers = LANDLOCK },
	{ "sched_setparam", EPERM, NONE_OF, 0, { 0 }, 1, .tiers = LANDLOCK },
	{ "sched_setattr", EPERM, NONE_OF, 0, { 0 }, 1, .tiers = LANDLOCK },

	/* Landlock before ABI 3 does not see these empty a file. */
	{ "truncate", EPERM, .tiers = LANDLOCK },
	{ "open", EPERM, BITS_ARE, 1, { O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC }, 2,
	  .tiers = LANDLOCK },
	{ "openat", EPERM, BITS_ARE, 2, { O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC }, 2,
	  .tiers = LANDLOCK },
	{ "openat2", ENOSYS, .tiers = LANDLOCK },	/* flags behind a pointer */
};

#endif
