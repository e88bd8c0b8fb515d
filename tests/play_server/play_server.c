#include "play_server.h"

#include <string.h>

#include "base/json.h"
#include "dialect.h"
#include "wire.h"

enum { MAX_KEPT = 256, MAX_TURNS = 1024 };

struct PlayServer {
	SpkPlay *play;
	PlayServerOptions options;
	Wire *wire;
	GMutex lock;
	GPtrArray *bodies, *heads; /* guarded by lock, as all below */
	guint faults_done;
	guint attempts[MAX_TURNS];
};

/* One answer on its way out. */
typedef struct {
	const PlayServer *server;
	const WireRequest *request;
	const Dialect *dialect;
	gboolean gone; /* the peer is */
} Out;

/* ---- writing ---- */

static void put_chunk(Out *out, const char *data, gsize len)
{
	g_autofree char *size = g_strdup_printf("%zx\r\n", len);
	g_autoptr(GString) chunk = g_string_new(size);

	g_string_append_len(chunk, data, len);
	g_string_append(chunk, "\r\n");
	out->gone = out->gone || !wire_send(out->request, chunk->str, chunk->len);
	if (!out->gone && out->server->options.slow_ms)
		out->gone = !wire_pause(out->request, out->server->options.slow_ms);
}

static void put_text(Out *out, const char *text)
{
	gsize len = strlen(text), step = out->server->options.split;

	for (gsize at = 0; at < len && !out->gone; at += step ? step : len)
		put_chunk(out, text + at, step ? MIN(step, len - at) : len);
}

/* An event is named by the type that stands first in its data. */
static char *name_of(const char *data, const char *eol)
{
	static const char start[] = "{\"type\":\"";
	const char *type = g_str_has_prefix(data, start) ? data + strlen(start) : NULL;

	return type ? g_strdup_printf("event: %.*s%s", (int)strcspn(type, "\""), type,
				      eol)
		    : g_strdup("");
}

static void put_data(Out *out, const char *data)
{
	const char *eol = out->server->options.crlf ? "\r\n" : "\n";
	gboolean lines = out->dialect->lines;
	g_autofree char *name = name_of(data, eol);
	g_autofree char *event =
		lines ? g_strconcat(data, eol, NULL)
		      : g_strconcat(name, "data: ", data, eol, eol, NULL);
	g_autofree char *comment =
		g_strconcat(lines ? "" : ": still here", eol, eol, eol, NULL);

	if (out->server->options.comments)
		put_text(out, comment);
	put_text(out, event);
}

/* Those of a dialect's list. */
static void put_events(Out *out, const char *list)
{
	g_auto(GStrv) events = g_strsplit(list, "|", -1);

	for (char **event = events; *event; event++)
		put_data(out, *event);
}

static void put_head(Out *out, const char *type)
{
	g_autofree char *head = g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
						"Transfer-Encoding: chunked\r\n\r\n",
						type);

	out->gone = !wire_puts(out->request, head);
}

/* Ends a body; TRUE: the connection can go on. */
static gboolean put_end(Out *out)
{
	return !out->gone && wire_puts(out->request, "0\r\n\r\n");
}

static gboolean put_status(const WireRequest *request, int status,
			   const char *retry_after, const json_t *body)
{
	g_autofree char *text = spk_json_dump(body);
	g_autofree char *again =
		retry_after ? g_strdup_printf("Retry-After: %s\r\n", retry_after)
			    : g_strdup("");
	g_autofree char *answer = g_strdup_printf(
		"HTTP/1.1 %d Because\r\nContent-Type: application/json\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		status, again, strlen(text), text);

	return wire_puts(request, answer);
}

static gboolean put_error(const WireRequest *request, int status, const char *retry_after,
			  const char *code, const char *message)
{
	g_autoptr(json_t) body = json_pack("{s:{s:s,s:s,s:s?}}", "error", "message",
					   message, "type", "play_server", "code", code);

	return put_status(request, status, retry_after, body);
}

/* ---- a say as the events of a stream ---- */

static void put_events_head(Out *out)
{
	put_head(out, out->dialect->lines ? "application/x-ndjson" : "text/event-stream");
}

static gboolean put_say(Out *out, const json_t *say, guint turn)
{
	g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(json_t) whole = NULL;

	if (out->server->options.plain) {
		whole = out->dialect->plain(say, turn);
		return put_status(out->request, 200, NULL, whole);
	}
	out->dialect->events(events, say, turn, &out->server->options);
	put_events_head(out);
	for (guint i = 0; i < events->len; i++)
		put_data(out, events->pdata[i]);
	return put_end(out);
}

/* ---- what goes wrong ---- */

static void put_half(Out *out)
{
	put_events_head(out);
	put_events(out, out->dialect->half);
}

static gboolean fault_reset(Out *out)
{
	put_half(out);
	wire_pause(out->request, 30); /* so that the half arrives first */
	wire_set_reset(out->request);
	return FALSE;
}

static gboolean fault_cut(Out *out)
{
	put_half(out);
	return FALSE;
}

static gboolean fault_short(Out *out)
{
	put_half(out);
	return put_end(out);
}

static gboolean fault_garbage(Out *out)
{
	put_half(out);
	put_data(out, "{\"cut\":");
	return put_end(out);
}

static gboolean fault_inside(Out *out)
{
	put_half(out);
	put_events(out, out->dialect->inside);
	return put_end(out);
}

static gboolean fault_mute(Out *out)
{
	wire_pause(out->request, -1);
	return FALSE;
}

static gboolean fault_stall(Out *out)
{
	put_half(out);
	wire_pause(out->request, -1);
	return FALSE;
}

static gboolean fault_open_end(Out *out)
{
	put_half(out);
	put_events(out, out->dialect->end);
	wire_pause(out->request, -1);
	return FALSE;
}

static gboolean fault_endless(Out *out)
{
	g_autofree char *word = g_strnfill(8192, 'x');
	g_auto(GStrv) around = g_strsplit(out->dialect->piece, "%s", 2);
	g_autofree char *data = g_strjoinv(word, around);

	put_events_head(out);
	put_events(out, out->dialect->half);
	while (!out->gone)
		put_data(out, data);
	return FALSE;
}

static gboolean fault_limit(Out *out)
{
	g_autofree char *message = g_strdup_printf(
		"Unsupported parameter: '%s' is not supported with this model.",
		out->dialect->limit);

	return put_error(out->request, 400, NULL, "unsupported_parameter", message);
}

static const struct {
	const char *name, *sentence;
	gboolean (*run)(Out *out); /* NULL: an answer with this status */
	int status;
	const char *code, *message;
} faults[] = {
	{ "400", "bad request", NULL, 400, "bad", "that is no request" },
	{ "401", "wrong key", NULL, 401, "invalid_api_key",
	  "Incorrect API key: sk-test-canary" },
	{ "402", "no money", NULL, 402, NULL, "Insufficient Balance" },
	{ "404", "no such model", NULL, 404, "model_not_found",
	  "The model does not exist" },
	{ "408", "too late", NULL, 408, NULL, "too late" },
	{ "409", "conflict", NULL, 409, NULL, "conflict" },
	{ "429", "rate limit", NULL, 429, "rate_limit_exceeded", "slow down" },
	{ "quota", "429 that waiting doesn't mend", NULL, 429, "insufficient_quota",
	  "no quota" },
	{ "500", "server failed", NULL, 500, NULL, "oh no" },
	{ "503", "server busy", NULL, 503, NULL, "loading the model" },
	{ "context", "request too long", NULL, 400, "context_length_exceeded",
	  "This model's maximum context length is 8 tokens" },
	{ "max_tokens", "doesn't take the limit of an answer by that name", fault_limit },
	{ "reset", "connection reset in mid-stream", fault_reset },
	{ "cut", "connection closed in mid-stream", fault_cut },
	{ "short", "stream ends properly before the answer does", fault_short },
	{ "garbage", "an event that is not JSON", fault_garbage },
	{ "inside", "an error inside the stream", fault_inside },
	{ "mute", "never answers", fault_mute },
	{ "stall", "stops in mid-stream", fault_stall },
	{ "open-end", "whole answer, then the connection stays open", fault_open_end },
	{ "endless", "never stops", fault_endless },
};

static int find_fault(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(faults); i++)
		if (strcmp(faults[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *const *play_server_faults(void)
{
	static const char *names[G_N_ELEMENTS(faults) + 1];

	for (gsize i = 0; i < G_N_ELEMENTS(faults); i++)
		names[i] = faults[i].name;
	return names;
}

static gboolean put_fault(Out *out, const char *name)
{
	const PlayServerOptions *options = &out->server->options;
	int i = find_fault(name);

	if (faults[i].run)
		return faults[i].run(out);
	return put_error(out->request, faults[i].status, options->retry_after,
			 faults[i].code, faults[i].message);
}

/* ---- requests ---- */

static gboolean fault_is_due(PlayServer *server)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->lock);
	const PlayServerOptions *options = &server->options;

	return options->fault &&
	       (!options->fault_times || server->faults_done++ < options->fault_times);
}

/* How often this turn was asked for before. */
static guint count_attempt(PlayServer *server, guint turn)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->lock);

	return server->attempts[MIN(turn, MAX_TURNS - 1)]++;
}

static guint turn_of(const json_t *messages)
{
	const json_t *message;
	guint turn = 0;
	gsize i;

	json_array_foreach(messages, i, message)
		turn += g_strcmp0(spk_json_str(message, "role"), "assistant") == 0;
	return turn;
}

static gboolean put_said_error(Out *out, const json_t *said)
{
	const char *kind = json_is_string(said) ? json_string_value(said)
						: spk_json_str(said, "kind");
	const char *message = spk_json_str(said, "message");
	g_autofree char *wait =
		g_strdup_printf("%.0f", spk_json_real(said, "retry_after", 0));

	if (kind)
		return put_fault(out, kind);
	return put_error(out->request, spk_json_int(said, "status", 500),
			 json_object_get(said, "retry_after") ? wait : NULL,
			 spk_json_str(said, "code"),
			 message ? message : "as the play says");
}

static gboolean put_turn(Out *out, PlayServer *server, const json_t *body)
{
	g_autoptr(json_t) messages = out->dialect->messages(body);
	g_autoptr(json_t) tools = out->dialect->tools(body);
	SpkLlmRequest request = { .messages = messages, .tools = tools };
	const json_t *say, *said;
	g_autoptr(GError) error = NULL;
	guint attempt;

	if (!messages)
		return put_error(out->request, 400, NULL, NULL,
				 "this is no request of the wire's form");
	request.turn = turn_of(messages);
	attempt = count_attempt(server, request.turn);
	say = spk_play_say(server->play, request.turn);
	if (!say)
		return put_error(out->request, 400, NULL, "play_ends",
				 "the play has no more answers");
	if (!spk_play_check(server->play, request.turn, &request, &error))
		return put_error(out->request, 400, NULL, "replay_differs",
				 error->message);
	if (!wire_pause(out->request, spk_json_int(say, "delay_ms", 0)))
		return FALSE;
	said = json_object_get(say, "error");
	if (said && attempt < spk_json_int(said, "times", G_MAXINT64))
		return put_said_error(out, said);
	return put_say(out, say, request.turn);
}

static gboolean put_raw(Out *out)
{
	put_events_head(out);
	put_text(out, out->server->options.raw);
	return put_end(out);
}

static gboolean answer_request(PlayServer *server, const WireRequest *request,
			       const Dialect *dialect)
{
	Out out = { .server = server, .request = request, .dialect = dialect };
	g_autoptr(json_t) body = spk_json_parse(request->body->str, request->body->len,
						SPK_JSON_MAX, NULL);

	g_mutex_lock(&server->lock);
	if (server->bodies->len < MAX_KEPT) {
		g_ptr_array_add(server->bodies, g_strdup(request->body->str));
		g_ptr_array_add(server->heads, g_strdup(request->head));
	}
	g_mutex_unlock(&server->lock);
	if (!json_is_object(body))
		return put_error(request, 400, NULL, NULL, "the request is no object");
	if (fault_is_due(server))
		return put_fault(&out, server->options.fault);
	return server->options.raw ? put_raw(&out) : put_turn(&out, server, body);
}

static gboolean answer_list(PlayServer *server, const WireRequest *request)
{
	Out out = { .server = server, .request = request, .dialect = &dialect_chat };
	g_autoptr(json_t) list = json_pack("{s:s,s:[{s:s,s:s}]}", "object", "list",
					   "data", "id", "play-model", "object", "model");

	return fault_is_due(server) ? put_fault(&out, server->options.fault)
				    : put_status(request, 200, NULL, list);
}

static gboolean answer(const WireRequest *request, gpointer user)
{
	static const Dialect *const dialects[] = { &dialect_chat, &dialect_responses,
						   &dialect_messages, &dialect_ollama };

	for (gsize i = 0; i < G_N_ELEMENTS(dialects); i++)
		if (strcmp(request->path, dialects[i]->path) == 0)
			return answer_request(user, request, dialects[i]);
	if (strcmp(request->path, "/v1/models") == 0 ||
	    strcmp(request->path, "/api/tags") == 0)
		return answer_list(user, request);
	return put_error(request, 404, NULL, NULL, "no such path");
}

PlayServer *play_server_start(SpkPlay *take_play, guint16 port,
			      const PlayServerOptions *options)
{
	PlayServer *server = g_new0(PlayServer, 1);

	server->play = take_play;
	if (options)
		server->options = *options;
	g_mutex_init(&server->lock);
	server->bodies = g_ptr_array_new_with_free_func(g_free);
	server->heads = g_ptr_array_new_with_free_func(g_free);
	if (!server->options.fault || find_fault(server->options.fault) >= 0)
		server->wire = wire_start(port, answer, server);
	if (server->wire)
		return server;
	play_server_stop(server);
	return NULL;
}

void play_server_stop(PlayServer *server)
{
	if (!server)
		return;
	wire_stop(server->wire);
	spk_play_free(server->play);
	g_ptr_array_unref(server->bodies);
	g_ptr_array_unref(server->heads);
	g_mutex_clear(&server->lock);
	g_free(server);
}

guint16 play_server_port(const PlayServer *server)
{
	return wire_port(server->wire);
}

guint play_server_requests(PlayServer *server)
{
	return wire_requests(server->wire);
}

guint play_server_connections(PlayServer *server)
{
	return wire_connections(server->wire);
}

static char *nth(PlayServer *server, const GPtrArray *kept, guint n)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&server->lock);

	return n < kept->len ? g_strdup(kept->pdata[n]) : NULL;
}

char *play_server_body(PlayServer *server, guint n)
{
	return nth(server, server->bodies, n);
}

char *play_server_head(PlayServer *server, guint n)
{
	return nth(server, server->heads, n);
}
