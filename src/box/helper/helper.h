/*
 * `sparks-box`: carries out a plan (box/box_plan.h), then execs. One thread, raw system
 * calls, no library but libc. It never returns from a step that failed:
 * a box whose walls don't stand must not run anything.
 */
#ifndef SPK_BOX_HELPER_HELPER_H
#define SPK_BOX_HELPER_HELPER_H

#include <stddef.h>
#include <sys/types.h>

#include "box/helper/plan_parse.h"

#define EXIT_BOX_FAILED 125

/* ---- report.c: the way back to the parent ---- */
/* Where lines go: SPK_STATUS_FD, or stdout for --probe. */
void report_to(int fd);
void report(const char *what, const char *name, const char *text);
/* Lines begin with SPK_GUEST_MARK and this key from now on. */
void report_key(const char *key);
/* Names the step under way in the errors of fail(). */
void report_step(const char *name, const char *argument);
/* Reports the step and errno, and exits with EXIT_BOX_FAILED. */
_Noreturn void fail(void);
_Noreturn void fail_with(const char *text);
/* Exits when the program that started us is gone (nobody reads the status pipe). */
void exit_if_orphaned(void);

/* ---- steps ---- */
typedef void StepFn(const SpkPlanStep *step);

/* isolate.c */
StepFn step_isolate, step_loopback, step_hostname;
/* mounts.c */
StepFn step_root, step_bind_ro, step_bind_rw, step_bind_dev, step_tmpfs, step_proc,
	step_devpts, step_mask, step_dir, step_file, step_symlink, step_seal;
/* walls.c */
StepFn step_no_privs, step_rlimit;
/* landlock.c */
StepFn step_ruleset, step_allow, step_restrict;
/* supervise.c */
StepFn step_join, step_overlay;
StepFn step_urgent, step_meter, step_supervise, step_janitor;
/* meters.c: what no process is seen to hold */
StepFn step_watch;
/* 0 when there is no meter of that name. */
int set_hidden_meter(const char *name, long long most);
/* TRUE (and reported) when one of them is passed. */
int hidden_is_over(void);
/* Reports and returns TRUE when `used` is more than `most`, which is not 0. */
int passed(const char *rule, long long used, long long most, const char *unit);
/* The command goes on as urgent as any other. */
void end_urgency(void);
/* forward.c */
StepFn step_forward;
/* guest.c */
StepFn step_merge;
/* Waits, as process 1 of a container, for the lock on this file. */
int keep_container(const char *lock);
/* What takes the place of the two descriptors of an ordinary start. */
void guest_begin(const char *plan);
/* Kills all else in the container. */
void guest_sweep(void);
/* deputy.c */
struct seccomp_notif;
StepFn step_deputy;
int deputy_is_wanted(void);
/* Of the command's process, which must not have the folders. */
void deputy_forget(void);
/* Does what the call asks for, or not: 0 or an errno. ENOSYS: no call of its own. */
int deputy_answer(int listener, const struct seccomp_notif *notice);
/* seccomp.c */
StepFn step_tell, step_seccomp;
/* Before the fork, and then in each of the two. */
void listener_prepare(void);
void listener_settle(int is_command);
/* The supervisor polls this descriptor (-1: none) and serves when it is readable. */
int listener_fd(void);
void listener_serve(void);
void listener_end(void);
/* Reports how often calls were refused, those that were more than once. */
void report_told(void);
/* command.c */
StepFn step_session, step_chdir, step_env, step_arg, step_exec;

/* ---- shared by steps and the probe ---- */
/* Namespaces of a box: flags for clone(2) with no stack; returns like fork(2). */
#define BOX_NAMESPACES                                                              \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | \
	 CLONE_NEWUTS | CLONE_NEWCGROUP)
pid_t clone_into(unsigned long flags);
/* Writes text to an existing file; -1 and errno. */
int write_file(const char *path, const char *text);
/* Landlock's version, 0 when the kernel has none. */
int landlock_abi(void);
/* 0 when the kernel takes seccomp programs. */
int seccomp_missing(void);
/* 0 when it lets a process listen to another's calls, else an errno. */
int listener_missing(void);

/* probe.c */
int probe(void);
/* attempt.c: what follows --try */
int attempt(int argc, char **argv);

#endif
