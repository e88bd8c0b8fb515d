#include "box/docker_exec_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/box_plan.h"
#include "box/box_status_priv.h"
#include "box/docker_stream_priv.h"
#include "net/output.h"

#define DEFAULT_OUT   (64u << 10)
#define DEFAULT_SPILL (64u << 20)
#define EXIT_TIMEOUT  124
#define SLACK_MS      5000 /* past the command's time, which the deadline ends */
#define PROBE_MS      20000

/* What comes of one exec. */
typedef struct {
	SpkDockerDemux demux;
	SpkDockerLines lines;
	SpkOutput out, err;
	const SpkBoxRun *run;
	GString *rest; /* of stderr, scratch */
} Streams;

static void streams_clear(Streams *streams)
{
	spk_docker_demux_clear(&streams->demux);
	spk_docker_lines_clear(&streams->lines);
	spk_output_clear(&streams->out);
	spk_output_clear(&streams->err);
	if (streams->rest)
		g_string_free(streams->rest, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Streams, streams_clear)

static gboolean is_flooded(const Streams *streams)
{
	return streams->out.flooded || streams->err.flooded;
}

/* FALSE without an error: more than the run may write. */
static gboolean keep(Streams *streams, gboolean is_err, const char *data, gsize len,
		     GError **error)
{
	const SpkBoxSink *sink = streams->run->sink;

	if (sink && is_err && sink->err)
		sink->err(data, len, sink->user);
	else if (sink && !is_err)
		sink->out(data, len, sink->user);
	return spk_output_add(is_err ? &streams->err : &streams->out, data, len, error) &&
	       !(streams->run->stop_flood && is_flooded(streams));
}

static gboolean flush_rest(Streams *streams, GError **error)
{
	gboolean ok = !streams->rest->len ||
		      keep(streams, streams->run->split, streams->rest->str,
			   streams->rest->len, error);

	g_string_truncate(streams->rest, 0);
	return ok;
}

static gboolean on_piece(int stream, const char *data, gsize len, gpointer user,
			 GError **error)
{
	Streams *streams = user;

	if (stream == SPK_DOCKER_STDOUT)
		return keep(streams, FALSE, data, len, error);
	/* what comes after its last line are words of the engine (Podman's, of input that
	 * nobody read) */
	if (spk_box_status_says_end(streams->lines.lines->str))
		return TRUE;
	spk_docker_lines_feed(&streams->lines, data, len, streams->rest);
	return flush_rest(streams, error);
}

static gboolean on_bytes(const char *data, gsize len, gpointer user, GError **error)
{
	return spk_docker_demux_feed(&((Streams *)user)->demux, data, len, error);
}

static void streams_init(Streams *streams, const SpkBoxRun *run, const char *key)
{
	gsize max = run->max_out ? run->max_out : DEFAULT_OUT;
	guint64 most = run->sink ? G_MAXUINT64 : DEFAULT_SPILL;

	streams->demux = (SpkDockerDemux){ .sink = on_piece, .user = streams };
	spk_docker_lines_init(&streams->lines, key);
	spk_output_init(&streams->out, max, TRUE, run->spill_path, most);
	spk_output_init(&streams->err, max, FALSE, NULL, most);
	streams->run = run;
	streams->rest = g_string_new(NULL);
}

/* ---- the two requests ---- */

/* NULL and NOT_FOUND or CONFLICT when the container isn't there or doesn't run. */
static char *create_exec(const SpkDockerSpec *spec, const SpkContainer *container,
			 const char *option, const char *argument, const char *key,
			 gboolean input, SpkCancel *cancel, GError **error)
{
	g_autofree char *path = g_strdup_printf("/containers/%s/exec", container->id);
	g_autofree char *variable = g_strdup_printf(SPK_GUEST_KEY "=%s", key);
	g_autofree char *user = g_strdup_printf("%u:%u", spec->uid, spec->gid);
	g_autoptr(json_t) request =
		json_pack("{s:b,s:b,s:b,s:b,s:[s,s,s*],s:[s],s:s,s:s}", "AttachStdin",
			  input, "AttachStdout", TRUE, "AttachStderr", TRUE, "Tty", FALSE,
			  "Cmd", SPK_DOCKER_HELPER, option, argument, "Env", variable,
			  "User", user, "WorkingDir", "/");
	SpkEngineCall call = { .method = "POST", .path = path, .body = request };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, cancel, error);
	const char *id = spk_json_str(answer, "Id");

	if (!answer)
		return NULL;
	if (id && strlen(id) <= 128 && !id[strspn(id, "0123456789abcdef")] && *id)
		return g_strdup(id);
	spk_error_set(error, SPK_ERR_BOX_FAILED, NULL,
		      "the container engine gives no number for a command");
	return NULL;
}

static gboolean start_exec(const SpkDockerSpec *spec, const char *id, Streams *streams,
			   gint64 wait_ms, SpkCancel *cancel, GError **error)
{
	g_autofree char *path = g_strdup_printf("/exec/%s/start", id);
	g_autoptr(json_t) request = json_pack("{s:b,s:b}", "Detach", FALSE, "Tty", FALSE);
	SpkEngineCall call = {
		.method = "POST", .path = path, .body = request, .wait_ms = wait_ms
	};

	if (streams->run->stdin_fd
		    ? !spk_engine_attach(spec->engine, &call, streams->run->stdin_fd,
					 on_bytes, streams, cancel, error)
		    : !spk_engine_stream(spec->engine, &call, on_bytes, streams, cancel,
					 error))
		return FALSE;
	if (streams->run->stop_flood && is_flooded(streams))
		return TRUE; /* we have stopped in the middle of it */
	if (!spk_docker_demux_end(&streams->demux, error))
		return FALSE;
	spk_docker_lines_end(&streams->lines, streams->rest);
	return flush_rest(streams, error);
}

/* The exit code as the engine has it; -1 and *error when it can't say. */
static int exec_exit_code(const SpkDockerSpec *spec, const char *id, GError **error)
{
	g_autofree char *path = g_strdup_printf("/exec/%s/json", id);
	SpkEngineCall call = { .method = "GET", .path = path, .wait_ms = PROBE_MS };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, NULL, error);

	return answer ? (int)spk_json_int(answer, "ExitCode", 128 + SIGKILL) : -1;
}

/* ---- one command ---- */

typedef struct {
	const SpkDockerSpec *spec;
	const SpkBoxSettings *settings;
	const SpkContainer *container;
	const SpkBoxRun *run;
	SpkCancel *cancel;
	char key[33];
	gint64 start_us;
	Streams streams;
} Exec;

static gboolean make_key(char *key, GError **error)
{
	guint8 bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
				    "no random bytes");
		return FALSE;
	}
	for (gsize i = 0; i < sizeof(bytes); i++)
		snprintf(key + 2 * i, 3, "%02x", bytes[i]);
	return TRUE;
}

static gboolean write_plan(const Exec *exec, GError **error)
{
	g_autofree char *path =
		g_build_filename(exec->container->control, SPK_DOCKER_PLAN_NAME, NULL);
	g_autoptr(GByteArray) plan =
		spk_box_plan_run(exec->settings, NULL, exec->run, NULL, NULL, error);

	return plan && spk_fs_write_atomic(path, plan->data, plan->len, 0644, error);
}

static void fill_result(Exec *exec, SpkBoxStatus *status, SpkBoxResult *result)
{
	SpkOutput *out = &exec->streams.out, *err = &exec->streams.err;

	gboolean flooded = is_flooded(&exec->streams);

	/* an end that can't be written is missing there, and only there */
	(void)spk_output_end(out, NULL);
	(void)spk_output_end(err, NULL);
	result->truncated = out->truncated || err->truncated || flooded;
	result->out_total = out->total;
	result->out_sha256 = g_strdup(g_checksum_get_string(out->sha));
	result->out = g_steal_pointer(&out->kept);
	result->err = exec->run->split ? g_steal_pointer(&err->kept) : NULL;
	result->seconds = (spk_mono_us() - exec->start_us) / 1e6;
	spk_box_status_tell(status, flooded, result);
	/* of two filters that refuse, the one that asks nobody wins */
	if (exec->settings->tell && !result->untold)
		result->untold =
			g_strdup("what the engine's own list refuses is not told "
				 "to us");
}

static SpkExecEnd time_out(Exec *exec, SpkBoxResult *result)
{
	g_auto(SpkBoxStatus) status = { 0 };

	result->timed_out = TRUE;
	result->exit_code = EXIT_TIMEOUT;
	fill_result(exec, &status, result);
	return SPK_EXEC_SPOILT; /* it still runs in there */
}

/* The stream has ended. Where sparks-box said nothing at its end it was killed itself: by
 * the command, or for want of memory. */
static SpkExecEnd ended(Exec *exec, const char *id, SpkBoxResult *result,
			gboolean *ret_ran, GError **error)
{
	g_auto(SpkBoxStatus) status = { 0 };
	gboolean killed;

	spk_box_status_read(&status, exec->streams.lines.lines->str);
	if (!spk_box_status_built(&status, error))
		return SPK_EXEC_SPOILT;
	killed = !status.exited;
	result->exit_code = killed ? exec_exit_code(exec->spec, id, error)
				   : status.exit_code;
	if (result->exit_code < 0)
		return SPK_EXEC_SPOILT;
	if (killed) {
		result->exit_code = 128 + SIGKILL;
		status.signal = SIGKILL;
	}
	fill_result(exec, &status, result);
	if (result->signal == SIGKILL && !result->blocked &&
	    spk_container_out_of_memory(exec->spec, exec->container))
		spk_box_result_block(result, "memory",
				     "the kernel ended a process: [docker] memory_limit "
				     "was reached");
	*ret_ran = TRUE;
	return killed ? SPK_EXEC_SPOILT : SPK_EXEC_ENDED;
}

static SpkExecEnd carry_out(Exec *exec, SpkBoxResult *result, gboolean *ret_ran,
			    GError **error)
{
	gint64 ms = exec->run->timeout_ms ? exec->run->timeout_ms
					  : exec->settings->timeout_ms;
	g_autoptr(SpkCancel) patience = spk_cancel_new(exec->cancel);
	g_autoptr(GError) why = NULL;
	g_autofree char *id = NULL;

	if (!make_key(exec->key, error) || !write_plan(exec, error))
		return SPK_EXEC_ENDED;
	id = create_exec(exec->spec, exec->container, "--guest", SPK_DOCKER_PLAN,
			 exec->key, exec->run->stdin_fd != 0, exec->cancel, &why);
	if (spk_error_is(why, SPK_ERR_NOT_FOUND) || spk_error_is(why, SPK_ERR_CONFLICT))
		return SPK_EXEC_NO_CONTAINER;
	if (!id) {
		g_propagate_error(error, g_steal_pointer(&why));
		return SPK_EXEC_SPOILT;
	}
	streams_init(&exec->streams, exec->run, exec->key);
	exec->start_us = spk_mono_us();
	spk_cancel_set_deadline(patience, ms);
	if (start_exec(exec->spec, id, &exec->streams, ms + SLACK_MS, patience, &why))
		return ended(exec, id, result, ret_ran, error);
	if (!spk_cancel_check(exec->cancel, error))
		return SPK_EXEC_SPOILT;
	if (!spk_cancel_check(patience, NULL)) {
		*ret_ran = TRUE;
		return time_out(exec, result);
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return SPK_EXEC_SPOILT;
}

SpkExecEnd spk_docker_exec(const SpkDockerSpec *spec, const SpkBoxSettings *settings,
			   const SpkContainer *container, const SpkBoxRun *run,
			   SpkCancel *cancel, SpkBoxResult *ret_result, gboolean *ret_ran,
			   GError **error)
{
	Exec exec = { .spec = spec,
		      .settings = settings,
		      .container = container,
		      .run = run,
		      .cancel = cancel };
	g_auto(SpkBoxResult) result = { 0 };
	SpkExecEnd end;

	*ret_ran = FALSE;
	end = carry_out(&exec, &result, ret_ran, error);
	streams_clear(&exec.streams);
	if (!*ret_ran)
		return end;
	*ret_result = result;
	result = (SpkBoxResult){ 0 };
	return end;
}

int spk_docker_probe_landlock(const SpkDockerSpec *spec, const SpkContainer *container,
			      SpkCancel *cancel)
{
	g_autofree char *id =
		create_exec(spec, container, "--probe", NULL, "", FALSE, cancel, NULL);
	SpkBoxRun run = { 0 };
	g_auto(Streams) streams = { 0 };
	const char *found;

	streams_init(&streams, &run, "-");
	if (!id || !start_exec(spec, id, &streams, PROBE_MS, cancel, NULL))
		return 0;
	found = strstr(streams.out.kept->str, "yes\tlandlock\t");
	return found ? (int)g_ascii_strtoll(found + strlen("yes\tlandlock\t"), NULL, 10)
		     : 0;
}
