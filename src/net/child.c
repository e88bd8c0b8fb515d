/*
 * posix_spawn, one poll loop over stdout, stderr, stdin, the cancel token and a pidfd, then
 * the group is killed. Nothing here runs between fork and exec in a threaded process.
 */
#include "net/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "net/output.h"

#define DEFAULT_OUT   (1u << 20)
#define DEFAULT_SPILL (64u << 20)
/* What a dead child's pipe may still hold and we still read: the largest pipe there is. */
#define DRAIN_MAX (1u << 20)

typedef struct {
	int fd; /* our end; -1: closed */
	SpkOutput output;
} Stream;

typedef struct {
	const SpkChildSpec *spec;
	pid_t pid;
	int pidfd;
	int input_fd;
	gsize input_done;
	Stream out, err;
	gboolean timed_out, cancelled, exited;
	gint64 start_us, kill_at_us; /* kill_at 0: no SIGTERM sent yet */
} Run;

static void run_clear(Run *run)
{
	spk_fd_close(&run->pidfd);
	spk_fd_close(&run->input_fd);
	spk_fd_close(&run->out.fd);
	spk_fd_close(&run->err.fd);
	spk_output_clear(&run->out.output);
	spk_output_clear(&run->err.output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

void spk_child_result_clear(SpkChildResult *result)
{
	if (result->out)
		g_string_free(result->out, TRUE);
	if (result->err)
		g_string_free(result->err, TRUE);
	g_free(result->out_sha256);
	*result = (SpkChildResult){ 0 };
}

/* ---- starting ---- */

typedef struct {
	int in[2], out[2], err[2];
} Pipes;

static void pipes_clear(Pipes *pipes)
{
	for (int i = 0; i < 2; i++) {
		spk_fd_close(&pipes->in[i]);
		spk_fd_close(&pipes->out[i]);
		spk_fd_close(&pipes->err[i]);
	}
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pipes, pipes_clear)

static gboolean pipes_open(Pipes *pipes, const SpkChildSpec *spec, GError **error)
{
	if (pipe2(pipes->out, O_CLOEXEC) < 0 ||
	    (!spec->merge && pipe2(pipes->err, O_CLOEXEC) < 0) ||
	    (spec->input && pipe2(pipes->in, O_CLOEXEC) < 0)) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot make a pipe");
		return FALSE;
	}
	return TRUE;
}

/* A descriptor that must reach number N in the child could be overwritten by the dup2 of
 * another one; copies above every target make the order irrelevant. */
static int copy_high(int fd, GArray *copies)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	if (copy >= 0)
		g_array_append_val(copies, copy);
	return copy;
}

static int close_from(const SpkChildSpec *spec)
{
	int top = 2;

	for (gsize i = 0; i < spec->n_fds; i++)
		top = MAX(top, spec->fds[i].child_fd);
	return top + 1;
}

static gboolean add_fds(posix_spawn_file_actions_t *actions, const SpkChildSpec *spec,
			const Pipes *pipes, GArray *copies)
{
	gboolean ok = TRUE;
	int top = close_from(spec);

	if (spec->input)
		ok = !posix_spawn_file_actions_adddup2(actions, pipes->in[0], 0);
	else
		ok = !posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY,
						       0);
	ok = ok && !posix_spawn_file_actions_adddup2(actions, pipes->out[1], 1) &&
	     !posix_spawn_file_actions_adddup2(actions, spec->merge ? 1 : pipes->err[1],
					       2);
	for (gsize i = 0; ok && i < spec->n_fds; i++) {
		int high = copy_high(spec->fds[i].parent_fd, copies);

		ok = high >= 0 && !posix_spawn_file_actions_adddup2(
					  actions, high, spec->fds[i].child_fd);
	}
	for (int fd = 3; ok && fd < top; fd++) {
		gboolean wanted = FALSE;

		for (gsize i = 0; i < spec->n_fds; i++)
			wanted |= spec->fds[i].child_fd == fd;
		if (!wanted)
			ok = !posix_spawn_file_actions_addclose(actions, fd);
	}
	return ok && !posix_spawn_file_actions_addclosefrom_np(actions, top);
}

static gboolean set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	return !posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
						       POSIX_SPAWN_SETSIGMASK |
						       POSIX_SPAWN_SETSIGDEF) &&
	       !posix_spawnattr_setpgroup(attr, 0) &&
	       !posix_spawnattr_setsigmask(attr, &none) &&
	       !posix_spawnattr_setsigdefault(attr, &all);
}

static int spawn(Run *run, const Pipes *pipes, GArray *copies)
{
	static const char *const nothing[] = { NULL };
	const SpkChildSpec *spec = run->spec;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int failed = ENOMEM;

	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	if (set_attributes(&attr) && add_fds(&actions, spec, pipes, copies) &&
	    (!spec->cwd || !posix_spawn_file_actions_addchdir_np(&actions, spec->cwd)))
		failed = posix_spawnp(&run->pid, spec->argv[0], &actions, &attr,
				      (char *const *)spec->argv,
				      (char *const *)(spec->env ? spec->env : nothing));
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void close_copy(gpointer fd)
{
	spk_fd_close(fd);
}

static gboolean start(Run *run, GError **error)
{
	g_auto(Pipes) pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	g_autoptr(GArray) copies = g_array_new(FALSE, FALSE, sizeof(int));
	int failed;

	g_array_set_clear_func(copies, close_copy);
	if (!pipes_open(&pipes, run->spec, error))
		return FALSE;
	failed = spawn(run, &pipes, copies);
	if (failed) {
		gboolean missing = failed == ENOENT || failed == EACCES ||
				   failed == ENOTDIR;

		spk_error_set_errno(error, missing ? SPK_ERR_NOT_FOUND : SPK_ERR_IO,
				    failed, NULL, "cannot run %s%s%s", run->spec->argv[0],
				    run->spec->cwd ? " in " : "",
				    run->spec->cwd ? run->spec->cwd : "");
		return FALSE;
	}
	run->pidfd = syscall(SYS_pidfd_open, run->pid, 0);
	run->out.fd = spk_fd_steal(&pipes.out[0]);
	run->err.fd = spk_fd_steal(&pipes.err[0]);
	run->input_fd = spk_fd_steal(&pipes.in[1]);
	if (run->input_fd >= 0)
		(void)fcntl(run->input_fd, F_SETFL, O_NONBLOCK);
	(void)fcntl(run->out.fd, F_SETFL, O_NONBLOCK);
	if (run->err.fd >= 0)
		(void)fcntl(run->err.fd, F_SETFL, O_NONBLOCK);
	return TRUE;
}

/* ---- output ---- */

static gboolean keep(Run *run, Stream *stream, const char *data, gsize len,
		     GError **error)
{
	if (stream == &run->out && run->spec->on_output)
		run->spec->on_output(data, len, run->spec->user);
	if (stream == &run->err && run->spec->on_error)
		run->spec->on_error(data, len, run->spec->user);
	return spk_output_add(&stream->output, data, len, error);
}

static gboolean is_flooded(const Run *run)
{
	return run->out.output.flooded || run->err.output.flooded;
}

/* Reads what is there now. Closes the stream at its end. */
static gboolean drain(Run *run, Stream *stream, gsize most, GError **error)
{
	char buffer[65536];

	while (stream->fd >= 0 && most) {
		ssize_t n = read(stream->fd, buffer, MIN(sizeof(buffer), most));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return TRUE;
		if (n <= 0) {
			spk_fd_close(&stream->fd);
			return TRUE;
		}
		if (!keep(run, stream, buffer, n, error))
			return FALSE;
		most -= n;
	}
	return TRUE;
}

static void feed(Run *run)
{
	const char *input = run->spec->input;
	gsize left = run->spec->input_len - run->input_done;
	ssize_t n = left ? write(run->input_fd, input + run->input_done, left) : 0;

	if (n > 0)
		run->input_done += n;
	/* A child that does not read its input is its own affair: EPIPE ends the feeding. */
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    run->input_done == run->spec->input_len)
		spk_fd_close(&run->input_fd);
}

/* ---- the loop ---- */

static void kill_group(Run *run, int signal)
{
	if (kill(-run->pid, signal) < 0 && !run->exited)
		(void)kill(run->pid, signal);
}

/* Milliseconds poll may wait; -1: for ever. Sends SIGTERM and SIGKILL when due. */
static int next_wait(Run *run, SpkCancel *cancel)
{
	gint64 limit = run->spec->timeout_ms;
	gint64 now = spk_mono_us();
	gint64 left = limit ? MAX(0, limit - (now - run->start_us) / 1000) : -1;

	left = spk_cancel_left_ms(cancel, left);
	if (run->kill_at_us) {
		if (now >= run->kill_at_us) {
			kill_group(run, SIGKILL);
			return 1000;
		}
		return (int)((run->kill_at_us - now) / 1000) + 1;
	}
	if (left == 0 || spk_cancel_is_fired(cancel) ||
	    (is_flooded(run) && run->spec->kill_on_flood)) {
		run->cancelled = spk_cancel_is_fired(cancel);
		run->timed_out = left == 0 && !run->cancelled;
		run->kill_at_us = now + (gint64)run->spec->grace_ms * 1000;
		kill_group(run, run->spec->grace_ms ? SIGTERM : SIGKILL);
		return run->spec->grace_ms ? run->spec->grace_ms : 1000;
	}
	/* without a pidfd (old kernel, odd sandbox) the exit is seen by asking */
	if (run->pidfd < 0)
		left = left < 0 ? 20 : MIN(left, 20);
	return (int)MIN(left, G_MAXINT);
}

static gboolean has_exited(Run *run)
{
	siginfo_t info = { 0 };

	if (!run->exited &&
	    waitid(P_PID, run->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		run->exited = info.si_pid == run->pid;
	return run->exited;
}

static gboolean turn(Run *run, SpkCancel *cancel, GError **error)
{
	struct pollfd fds[5] = {
		{ .fd = run->out.fd, .events = POLLIN },
		{ .fd = run->err.fd, .events = POLLIN },
		{ .fd = run->input_fd, .events = POLLOUT },
		{ .fd = run->pidfd, .events = POLLIN },
		{ .fd = run->kill_at_us ? -1 : spk_cancel_fd(cancel), .events = POLLIN },
	};

	if (poll(fds, G_N_ELEMENTS(fds), next_wait(run, cancel)) < 0 && errno != EINTR) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "poll");
		return FALSE;
	}
	if (fds[2].revents && run->input_fd >= 0)
		feed(run);
	if ((fds[0].revents && !drain(run, &run->out, DRAIN_MAX, error)) ||
	    (fds[1].revents && !drain(run, &run->err, DRAIN_MAX, error)))
		return FALSE;
	return TRUE;
}

/* The group first: a survivor must not keep the pipe filled. Then the last bytes, then
 * the zombie, whose pid must stay reserved until the group is gone. */
static gboolean finish(Run *run, SpkChildResult *result, GError **error)
{
	SpkOutput *out = &run->out.output, *err = &run->err.output;
	struct rusage usage;
	gboolean ok;
	int status;

	kill_group(run, SIGKILL);
	ok = drain(run, &run->out, DRAIN_MAX, error) &&
	     drain(run, &run->err, DRAIN_MAX, error) && spk_output_end(out, error) &&
	     spk_output_end(err, error);
	while (wait4(run->pid, &status, 0, &usage) < 0)
		g_assert(errno == EINTR);
	if (!ok)
		return FALSE;
	result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	result->exit_code = WIFSIGNALED(status) ? 128 + result->signal
						: WEXITSTATUS(status);
	result->rss_max_kib = usage.ru_maxrss;
	result->timed_out = run->timed_out;
	result->truncated = out->truncated || err->truncated;
	result->flooded = is_flooded(run);
	result->out_total = out->total;
	result->err_total = err->total;
	result->out_sha256 = g_strdup(g_checksum_get_string(out->sha));
	result->out = g_steal_pointer(&out->kept);
	if (!run->spec->merge)
		result->err = g_steal_pointer(&err->kept);
	result->seconds = (spk_mono_us() - run->start_us) / 1e6;
	return TRUE;
}

gboolean spk_child_run(const SpkChildSpec *spec, SpkCancel *cancel,
		       SpkChildResult *ret_result, GError **error)
{
	g_auto(Run) run = {
		.spec = spec,
		.pidfd = -1,
		.input_fd = -1,
		.out.fd = -1,
		.err.fd = -1,
	};
	SpkChildResult result = { 0 };
	gboolean ok = TRUE;

	if (!spk_cancel_check(cancel, error))
		return FALSE;
	run.start_us = spk_mono_us();
	spk_output_init(&run.out.output, spec->max_out ? spec->max_out : DEFAULT_OUT,
			TRUE, spec->spill_path,
			spec->max_spill ? spec->max_spill : DEFAULT_SPILL);
	spk_output_init(&run.err.output, spec->max_err ? spec->max_err : DEFAULT_OUT,
			FALSE, NULL, spec->max_spill ? spec->max_spill : DEFAULT_SPILL);
	if (!start(&run, error))
		return FALSE;
	while (ok && !has_exited(&run))
		ok = turn(&run, cancel, error);
	if (!finish(&run, &result, ok ? error : NULL))
		return FALSE;
	if (!ok || (run.cancelled && !spk_cancel_check(cancel, error))) {
		spk_child_result_clear(&result);
		return FALSE;
	}
	*ret_result = result;
	return TRUE;
}
