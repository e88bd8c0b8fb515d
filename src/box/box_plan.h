/*
 * The plan: what `sparks-box` is to do, as data. A list of steps, each a name and a fixed
 * number of arguments, all of them strings that end with a NUL; the first string is the
 * magic. Steps are carried out in order by one process, with two forks on the way:
 * `isolate` (the rest happens in new namespaces) and `supervise` (the rest happens in the
 * command's process). `janitor` and `forward` leave a process beside. The last step is `exec`.
 *
 * Shared by the program that writes plans (box/) and the one that reads them (box/helper/):
 * plain C headers only.
 */
/* Tables that read better aligned. */
/* clang-format off */
#ifndef SPK_BOX_BOX_PLAN_H
#define SPK_BOX_BOX_PLAN_H

#include <stddef.h>

#define SPK_PLAN_MAGIC	   "sparks-plan 1"
#define SPK_PLAN_MAX_BYTES (1u << 20)
#define SPK_PLAN_MAX_STEPS 8192
#define SPK_PLAN_MAX_ARGS  2	/* of one step */

#define SPK_PLAN_FD   3	/* the plan, a file */
#define SPK_STATUS_FD 4	/* a pipe: what happened, see below */

/*  symbol      name         args  arguments and meaning */
#define SPK_PLAN_TABLE(X)                                                                  \
	X(URGENT,    "urgent",    0) /* helper before command, where the kernel lets us */      \
	X(JOIN,      "join",      1) /* FOLDER of a control group: this process and its own */  \
	X(ISOLATE,   "isolate",   2) /* UID GID: new namespaces, caller mapped to these ids */  \
	X(LOOPBACK,  "loopback",  0) /* brings lo up */                                         \
	X(HOSTNAME,  "hostname",  1) /* NAME */                                                 \
	X(ROOT,      "root",      2) /* MOUNT-OVER OPTIONS: a tmpfs becomes /, old one in OLD */ \
	X(BIND_RO,   "bind-ro",   2) /* FROM TO: read-only, with all that is mounted below */   \
	X(BIND_RW,   "bind-rw",   2) /* FROM TO */                                              \
	X(BIND_DEV,  "bind-dev",  2) /* FROM TO: a device node */                               \
	X(OVERLAY,   "overlay",   2) /* TO OPTIONS: over what is there; else that stays, and is told */ \
	X(TMPFS,     "tmpfs",     2) /* TO OPTIONS */                                           \
	X(PROC,      "proc",      1) /* TO: of the new pid namespace, read-only */              \
	X(DEVPTS,    "devpts",    1) /* TO: an instance of its own */                           \
	X(MASK,      "mask",      1) /* PATH: /dev/null over it, when it is there */            \
	X(DIR,       "dir",       2) /* PATH OCTAL-MODE */                                      \
	X(FILE,      "file",      2) /* PATH CONTENT */                                         \
	X(SYMLINK,   "symlink",   2) /* TARGET PATH */                                          \
	X(SEAL,      "seal",      0) /* old root away, new one read-only */                     \
	X(NO_PRIVS,  "no-privs",  0) /* no capabilities, ever */                                \
	X(METER,     "meter",     2) /* memory|pids|shared|sockets|disk|inodes MOST, in all */  \
	X(WATCH,     "watch",     1) /* FOLDER: whose disk the meters before it look at */      \
	X(DEPUTY,    "deputy",    1) /* FOLDER: modes, owners, dates may change below it */     \
	X(TELL,      "tell",      1) /* native|landlock: the calls it refuses are counted */    \
	X(FORWARD,   "forward",   2) /* PORT SOCKET: a process that joins them, until the end */ \
	X(SUPERVISE, "supervise", 1) /* init|subreaper|guest: fork; the parent reaps and kills */ \
	X(MERGE,     "merge",     0) /* what follows has stderr in stdout */                    \
	X(SESSION,   "session",   0) /* setsid, no signal blocked */                            \
	X(RLIMIT,    "rlimit",    2) /* NAME VALUE, soft and hard */                            \
	X(RULESET,   "ruleset",   1) /* net|no-net: begins the Landlock rules */                \
	X(ALLOW,     "allow",     2) /* PATH read|write|device */                               \
	X(RESTRICT,  "restrict",  0) /* the rules are in force from here on */                  \
	X(JANITOR,   "janitor",   0) /* a process that can kill all under these rules at once */ \
	X(CHDIR,     "chdir",     1) /* PATH */                                                 \
	X(ENV,       "env",       1) /* NAME=VALUE */                                           \
	X(ARG,       "arg",       1) /* one word of the command */                              \
	X(SECCOMP,   "seccomp",   1) /* native|landlock: a program made at build time */        \
	X(EXEC,      "exec",      0)

typedef enum {
#define X(sym, ...) SPK_PLAN_##sym,
	SPK_PLAN_TABLE(X)
#undef X
	SPK_N_PLAN_OPS
} SpkPlanOp;

#define SPK_GUEST_KEY  "SPARKS_BOX_KEY"	/* variable */
#define SPK_GUEST_MARK "\036"

#define SPK_PLAN_OLD "/.old"	/* where the host's root is between `root` and `seal` */

/*
 * What comes back on SPK_STATUS_FD, one line each, fields separated by tabs:
 *   error    STEP  TEXT	the walls could not be built; nothing ran; exit code 125
 *   blocked  RULE  WHAT	a meter stopped the box
 *   refused  CALL  N	seccomp has refused this call so often by now (with `tell`)
 *   untold   seccomp  TEXT	why nothing is known of such calls
 *   usage    rss_max_kib  N	of the largest process
 *   exited   CODE  SIGNAL	the command's end (SIGNAL 0: it exited)
 * In a container (`--guest PLAN`) they come on stderr, each after SPK_GUEST_MARK, the key of
 * the environment and a tab.
 * `sparks-box --probe` prints on stdout:
 *   yes      NAME  DETAIL	this machine can do it
 *   no       NAME  REASON
 */

#endif
