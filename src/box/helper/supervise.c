/*
 * The process that stays beside the command: it reaps orphans, measures what all processes
 * of the box use together, and ends them all when the command ends. As process 1 of a pid
 * namespace its own exit does the killing; without one it is the reaper of its descendants
 * and kills in rounds until none is left. As a guest of a container all of that is its own.
 */
#include "box/helper/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS	      20 /* between two looks at the meters */
#define URGENT_NICE   10
#define MAX_LISTED    16384 /* processes; more than that is a bomb by any limit */
#define JANITOR_WAITS 500   /* of 0.2 ms, before we do its work */
#define KILL_ROUNDS   20000

static long long max_memory, max_pids; /* 0: no meter */
static int is_init, is_guest, ordinary_nice;
static long rss_max_kib;		 /* of the largest process so far */
static int janitor_pipe[2] = { -1, -1 }; /* ours to write, the janitor's to read */
static pid_t listed[MAX_LISTED];

/* A bomb of processes must not keep the one away that ends it. RLIMIT_NPROC does not hold
 * root, who in turn may ask for this; an ordinary user is refused, and held. */
void step_urgent(const SpkPlanStep *step)
{
	ordinary_nice = getpriority(PRIO_PROCESS, 0);
	(void)setpriority(PRIO_PROCESS, 0, ordinary_nice - URGENT_NICE);
}

static int open_in(const char *folder, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	return n < (int)sizeof(path) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
}

/* "0" stands for whoever writes it. A thread that moves itself alone does not take the lock of
 * all the machine's processes, for which a busy kernel may wait 10 ms; only v1 has this file,
 * and we are one thread. */
void step_join(const SpkPlanStep *step)
{
	int fd = open_in(step->arg[0], "tasks");

	if (fd < 0)
		fd = open_in(step->arg[0], "cgroup.procs");
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail();
	close(fd);
}

void end_urgency(void)
{
	if (getpriority(PRIO_PROCESS, 0) < ordinary_nice &&
	    setpriority(PRIO_PROCESS, 0, ordinary_nice) < 0)
		fail();
}

void step_meter(const SpkPlanStep *step)
{
	long long most = spk_plan_number(step->arg[1], 10, 1ll << 62);

	if (most < 0)
		fail_with("not a number");
	if (strcmp(step->arg[0], "memory") == 0)
		max_memory = most;
	else if (strcmp(step->arg[0], "pids") == 0)
		max_pids = most;
	else if (!set_hidden_meter(step->arg[0], most))
		fail_with("no such meter");
}

/* ---- who is in the box ---- */

/* All of /proc but process 1 and us, who may be the same. */
static size_t list_namespace(size_t most)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	while (proc && n < most && (entry = readdir(proc))) {
		long long pid = spk_plan_number(entry->d_name, 10, 1 << 30);

		if (pid > 1 && pid != getpid())
			listed[n++] = (pid_t)pid;
	}
	if (proc)
		closedir(proc);
	return n;
}

static size_t add_children(const char *path, size_t n)
{
	char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	char *next = text, *end;

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	while (n < MAX_LISTED) {
		long pid = strtol(next, &end, 10);

		if (end == next || pid <= 0)
			break;
		listed[n++] = (pid_t)pid;
		next = end;
	}
	return n;
}

/* Children of every thread of one process. */
static size_t add_children_of(pid_t pid, size_t n)
{
	char path[64];
	DIR *tasks;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		long long thread = spk_plan_number(entry->d_name, 10, 1 << 30);

		if (thread < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%lld/children", (int)pid,
			 thread);
		n = add_children(path, n);
	}
	if (tasks)
		closedir(tasks);
	return n;
}

static size_t list_descendants(size_t most)
{
	size_t n = add_children_of(getpid(), 0);

	for (size_t i = 0; i < n && n < most; i++)
		n = add_children_of(listed[i], n);
	return n;
}

/* May stop looking once there are `most`. */
static size_t list_box(size_t most)
{
	return is_init || is_guest ? list_namespace(most) : list_descendants(most);
}

/* ---- what they use ---- */

static long long threads_of(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return stat(path, &st) < 0 ? 0 : (long long)st.st_nlink - 2;
}

static size_t read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len > 0 ? (size_t)len : 0;
}

static long long resident(pid_t pid)
{
	char text[128];
	unsigned long long size = 0, pages = 0;

	if (!read_proc(pid, "statm", text, sizeof(text)) ||
	    sscanf(text, "%llu %llu", &size, &pages) != 2)
		return 0;
	return (long long)pages * sysconf(_SC_PAGESIZE);
}

/* As resident(), but a page that is shared by n processes counts 1/n: dear, so only asked
 * for when the plain sum is too much. */
static long long proportional(pid_t pid)
{
	char text[4096];
	unsigned long long kib;
	const char *line;

	if (!read_proc(pid, "smaps_rollup", text, sizeof(text)))
		return resident(pid);
	line = strstr(text, "\nPss:");
	return line && sscanf(line, "\nPss: %llu", &kib) == 1 ? (long long)kib * 1024
							      : resident(pid);
}

static long long sum(size_t n, long long (*measure)(pid_t pid))
{
	long long total = 0;

	for (size_t i = 0; i < n; i++)
		total += measure(listed[i]);
	return total;
}

int passed(const char *rule, long long used, long long most, const char *unit)
{
	char text[96];

	if (!most || used <= most)
		return 0;
	snprintf(text, sizeof(text), "%lld of %lld %s", used, most, unit);
	report("blocked", rule, text);
	return 1;
}

static int is_over(void)
{
	size_t most = max_pids && max_pids < MAX_LISTED ? (size_t)max_pids + 1
							: MAX_LISTED;
	size_t n;

	if (hidden_is_over())
		return 1;
	if (!max_memory && !max_pids)
		return 0;
	n = list_box(most);
	if (passed("pids", sum(n, threads_of), max_pids, "processes and threads"))
		return 1;
	return max_memory && sum(n, resident) > max_memory &&
	       passed("memory", sum(n, proportional), max_memory, "bytes");
}

/* ---- the watch ---- */

/* Reaps what is there; TRUE when the command was among it. */
static int reap(pid_t command, int *status)
{
	struct rusage usage;
	int ended = 0, one;
	pid_t pid;

	while ((pid = wait4(-1, &one, WNOHANG, &usage)) > 0) {
		if (usage.ru_maxrss > rss_max_kib)
			rss_max_kib = usage.ru_maxrss;
		if (pid == command) {
			*status = one;
			ended = 1;
		}
	}
	return ended;
}

/* TRUE when no child is left. */
static int all_reaped(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return errno == ECHILD;
}

/* Without a pid namespace: the janitor gets all of them at once. Where there is none (or it
 * was killed), in rounds: orphans become our children, so that each round reaches those the
 * last one's victims left behind. */
static void kill_descendants(void)
{
	static const struct timespec pause = { .tv_nsec = 200000 };
	struct pollfd janitor = { .fd = janitor_pipe[1] };
	int waits = JANITOR_WAITS;

	if (poll(&janitor, 1, 0) == 1) /* nobody holds the other end */
		waits = 0;
	close(janitor_pipe[1]);
	while (waits-- > 0) {
		if (all_reaped())
			return;
		nanosleep(&pause, NULL);
	}
	for (int round = 0; round < KILL_ROUNDS && !all_reaped(); round++) {
		size_t n = list_descendants(MAX_LISTED);

		for (size_t i = 0; i < n; i++)
			kill(listed[i], SIGKILL);
		if (n == 0) /* they are ending */
			nanosleep(&pause, NULL);
	}
}

/* Whether a tick has passed since the last TRUE: orphans that end by the thousand must not
 * keep us from looking. */
static int is_due(void)
{
	static struct timespec last;
	struct timespec now;
	long long passed_ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	passed_ns =
		(now.tv_sec - last.tv_sec) * 1000000000ll + now.tv_nsec - last.tv_nsec;
	if (passed_ns < TICK_MS * 1000000ll)
		return 0;
	last = now;
	return 1;
}

/* Says how the command ended and ends alike. */
static _Noreturn void report_end(int status)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int exit_code = signal ? 128 + signal : WEXITSTATUS(status);
	char first[24], second[24];

	report_told();
	snprintf(first, sizeof(first), "%d", exit_code);
	snprintf(second, sizeof(second), "%ld", rss_max_kib);
	report("usage", "rss_max_kib", second);
	snprintf(second, sizeof(second), "%d", signal);
	report("exited", first, second);
	_exit(exit_code);
}

/* A signal that came, or 0 after a tick or when a call was to be answered. */
static int next_signal(int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
				{ .fd = listener_fd(), .events = POLLIN } };
	struct signalfd_siginfo info;

	(void)poll(fds, 2, TICK_MS);
	if (fds[1].revents & POLLIN)
		listener_serve();
	else if (fds[1].revents)
		listener_end();
	if (fds[0].revents & POLLIN &&
	    read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		return (int)info.ssi_signo;
	return 0;
}

static _Noreturn void watch(pid_t command, int signals)
{
	int status = SIGKILL; /* as of one that was killed, unless it ends by itself */

	(void)is_due(); /* the first look comes a tick from now */
	while (!reap(command, &status))
		if (next_signal(signals) == SIGTERM || (is_due() && is_over()))
			break;
	listener_end();
	if (is_guest)
		guest_sweep();
	else if (!is_init)
		kill_descendants();
	report_end(status);
}

void step_supervise(const SpkPlanStep *step)
{
	sigset_t signals;
	pid_t command;
	int signals_fd;

	is_init = strcmp(step->arg[0], "init") == 0;
	is_guest = strcmp(step->arg[0], "guest") == 0;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	if (!is_init)
		sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	signals_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals_fd < 0)
		fail();
	/* the command runs as the same user: keep it out of our memory and descriptors */
	if ((!is_init && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		fail();
	if (!is_init && !is_guest && pipe2(janitor_pipe, O_CLOEXEC) < 0)
		fail();
	listener_prepare();
	command = fork();
	if (command < 0)
		fail();
	listener_settle(command == 0);
	if (command > 0) {
		close(janitor_pipe[0]);
		watch(command, signals_fd);
	}
	close(signals_fd);
	close(janitor_pipe[1]);
	if (!is_init)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Landlock scopes signals: kill(-1) of a process under the rules reaches those under the
 * same rules and nobody else, all in one go. It strikes when the pipe's other end closes,
 * be it because the supervisor was killed. Two forks, so that it is no child of the command;
 * not dumpable, so that the command cannot make it its tool. */
void step_janitor(const SpkPlanStep *step)
{
	pid_t pid = fork();
	int status;
	char byte;

	if (pid < 0)
		fail();
	if (pid > 0) {
		if (waitpid(pid, &status, 0) < 0 || status != 0)
			fail_with("it did not start");
		return;
	}
	pid = fork();
	if (pid != 0)
		_exit(pid < 0);
	syscall(SYS_close_range, 0, (unsigned)janitor_pipe[0] - 1, 0);
	syscall(SYS_close_range, (unsigned)janitor_pipe[0] + 1, ~0u, 0);
	setsid();
	while (read(janitor_pipe[0], &byte, 1) < 0 && errno == EINTR)
		;
	kill(-1, SIGKILL);
	_exit(0);
}
