/*
 * Child processes: an argv (never a shell string), an environment that starts empty, own
 * process group, bounded output, deadline. Blocking; any thread. posix_spawn underneath, so
 * the threaded program never forks. The program ignores SIGPIPE (main does); children get all
 * signals back at their defaults.
 */
#ifndef SPK_NET_CHILD_H
#define SPK_NET_CHILD_H

#include <glib.h>

#include "base/cancel.h"

typedef struct {
	int parent_fd; /* borrowed; may be close-on-exec */
	int child_fd;  /* >= 3, or 0: stdin instead of /dev/null */
} SpkChildFd;

typedef struct {
	const char *const *argv; /* argv[0] is looked up in PATH of *our* environment */
	const char *const *env;	 /* "K=V", NULL-terminated; NULL: empty */
	const char *cwd;	 /* NULL: ours */
	const void *input;	 /* stdin; NULL: /dev/null */
	gsize input_len;
	gsize max_out;	/* bytes of stdout kept in memory; 0: 1 MiB */
	gsize max_err;	/* likewise stderr */
	gboolean merge; /* stderr into stdout, in order of arrival */
	const char *
		spill_path; /* when stdout (merged) passes max_out: all of it goes here, 0600 */
	guint64 max_spill; /* bytes written there at the most; 0: 64 MiB. Past it: the child
				 * is killed when kill_on_flood, else output is dropped */
	gboolean kill_on_flood;
	gint64 timeout_ms; /* 0: none but the cancel token's */
	int grace_ms; /* between SIGTERM and SIGKILL to the group; 0: SIGKILL at once */
	const SpkChildFd *fds; /* more descriptors for the child; all others are closed */
	gsize n_fds;
	void (*on_output)(const char *data, gsize len,
			  gpointer user); /* optional, stdout */
	void (*on_error)(const char *data, gsize len,
			 gpointer user); /* optional, stderr */
	gpointer user;
} SpkChildSpec;

typedef struct {
	int exit_code; /* 128 + signal when killed by one */
	int signal;    /* 0: exited */
	gboolean timed_out;
	gboolean truncated; /* memory caps were passed */
	gboolean flooded;   /* max_spill was passed */
	GString *out, *err; /* err is NULL when merged */
	guint64 out_total;  /* bytes the child wrote to stdout */
	guint64 err_total;
	char *out_sha256; /* of all of stdout (merged), also what was dropped */
	double seconds;
	glong rss_max_kib; /* of the child and its waited-for children */
} SpkChildResult;

/* TRUE when the child ran and is gone, whatever its exit code and also on time-out
 * (timed_out set). FALSE: could not start (NOT_FOUND, IO) or cancelled (CANCELLED; the
 * group is killed first). Waits for the child, not for grandchildren that hold the pipe:
 * after the child is gone its group is killed and what is in the pipe is read. */
gboolean spk_child_run(const SpkChildSpec *spec, SpkCancel *cancel,
		       SpkChildResult *ret_result, GError **error);
void spk_child_result_clear(SpkChildResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkChildResult, spk_child_result_clear)

#endif
