/*
 * All providers that are a server behind HTTP: one exchange with it, and what its refusals
 * teach. Where it is and what it is asked for is told by endpoint_priv.h, what is said over the
 * connection by the wire (wire_priv.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "llm/endpoint_priv.h"
#include "llm/llm_all_priv.h"
#include "llm/messages_priv.h"
#include "llm/models_priv.h"
#include "llm/stream_priv.h"
#include "net/http.h"

enum { MAX_MODELS = 1000, MAX_HEADERS = 5 };

typedef struct {
	SpkEndpoint end;
	gint quirks; /* SpkQuirk, atomic: learned from refusals, too */
	GMutex lock;
	SpkHttp *http; /* opened by the first request; guarded by lock */
} Server;

static void server_close(gpointer data)
{
	Server *self = data;

	spk_endpoint_clear(&self->end);
	g_mutex_clear(&self->lock);
	spk_http_free(self->http);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_close)

static gpointer server_open(const SpkProvider *row, SpkConf *conf, const char *model,
			    GError **error)
{
	g_autoptr(Server) self = g_new0(Server, 1);

	g_mutex_init(&self->lock);
	if (!spk_endpoint_init(&self->end, row, conf, model, error))
		return NULL;
	self->quirks = (gint)self->end.quirks;
	return g_steal_pointer(&self);
}

/* ---- requests ---- */

static SpkHttp *get_http(Server *self, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

	if (!self->http)
		self->http = spk_http_new(error);
	return self->http;
}

/* Servers like to repeat the key they refuse. */
static void hide_key(const Server *self, GError *error)
{
	g_auto(GStrv) parts = NULL;

	if (!*self->end.key || !strstr(error->message, self->end.key))
		return;
	parts = g_strsplit(error->message, self->end.key, -1);
	g_free(error->message);
	error->message = g_strjoinv("[key]", parts);
}

/* `headers` has MAX_HEADERS places, of which the first ones may be taken. */
static SpkHttpRequest make_request(const Server *self, const char *url,
				   const char **headers)
{
	gsize n = 0;

	while (headers[n])
		n++;
	if (self->end.wire->extra)
		headers[n++] = self->end.wire->extra;
	headers[n] = self->end.key_header;
	return (SpkHttpRequest){ .url = url,
				 .headers = headers,
				 .connect_ms = self->end.connect_ms,
				 .first_byte_ms = self->end.first_byte_ms,
				 .idle_ms = self->end.idle_ms };
}

/* One exchange with the server and what it has to be told about. */
typedef struct {
	Server *self;
	SpkStream *stream;
	SpkCancel *cancel;
	guint quirks;  /* of the request */
	guint learned; /* quirks that a refusal taught */
	double retry;
} Exchange;

static gboolean feed(const char *data, gsize len, gpointer user, GError **error)
{
	SpkStream *stream = user;

	return spk_stream_feed(stream, data, len, error) && !spk_stream_is_done(stream);
}

static gboolean refuse(Exchange *exchange, const SpkHttpResponse *response,
		       GError **error)
{
	g_auto(SpkFault) fault = { 0 };
	double asked = spk_http_retry_after(response);

	spk_fault_parse(&fault, response->status, response->body->str,
			response->body->len);
	exchange->learned = spk_quirks_of_fault(&fault) & ~exchange->quirks;
	if (asked >= 0)
		exchange->retry = asked;
	spk_fault_to_error(&fault, &exchange->self->end.source, &exchange->retry, error);
	return FALSE;
}

static gboolean post(Exchange *exchange, const char *body, GError **error)
{
	Server *self = exchange->self;
	const char *headers[MAX_HEADERS] = {
		"Accept: text/event-stream, application/json",
		"Content-Type: application/json"
	};
	g_autofree char *url = g_strconcat(self->end.base, self->end.wire->path, NULL);
	SpkHttpRequest request = make_request(self, url, headers);
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) why = NULL;
	SpkHttp *http = get_http(self, error);

	if (!http)
		return FALSE;
	request.body = body;
	request.body_len = strlen(body);
	if (!spk_http_fetch(http, &request, feed, exchange->stream, exchange->cancel,
			    &response, &why)) {
		/* A connection that breaks after the end of the answer breaks nothing. */
		if (spk_stream_is_whole(exchange->stream) &&
		    (spk_error_is(why, SPK_ERR_PROVIDER) ||
		     spk_error_is(why, SPK_ERR_TIMEOUT)))
			return spk_cancel_check(exchange->cancel, error);
		exchange->retry = spk_stream_retry(exchange->stream);
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	return response.status / 100 == 2 || refuse(exchange, &response, error);
}

/* Tokens of the longest answer. */
static gint64 most_of(const Server *self, const SpkLlmRequest *request)
{
	gint64 most = self->end.info.max_output;

	if (!request->max_output)
		return most;
	return most > 0 ? MIN(most, request->max_output) : request->max_output;
}

static char *body_of(const Server *self, guint quirks, const SpkLlmRequest *request)
{
	SpkWireParams params = { .model = self->end.model,
				 .temperature = self->end.temperature,
				 .max_tokens = most_of(self, request),
				 .context_window = self->end.info.context_window,
				 .effort = self->end.effort,
				 .summary = self->end.summary,
				 .quirks = quirks };
	g_autoptr(json_t) body = self->end.wire->body(&params, request);
	char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(6)); /* 0.3 */
	char *copy = g_strdup(text);

	free(text);
	return copy;
}

/* Not every server says that its limit cut the answer (llama.cpp on the Responses wire). */
static void name_cut(const Server *self, const SpkLlmRequest *request, SpkLlmReply *reply)
{
	if (strcmp(reply->finish, "stop") != 0 ||
	    reply->usage.output < most_of(self, request))
		return;
	g_free(reply->finish);
	reply->finish = g_strdup("length");
}

static gboolean exchange_once(Exchange *exchange, const SpkLlmRequest *request,
			      const SpkLlmSink *sink, SpkLlmReply *ret_reply,
			      GError **error)
{
	Server *self = exchange->self;
	g_autofree char *body = body_of(self, exchange->quirks, request);
	g_autoptr(SpkStream) stream =
		spk_stream_new(self->end.wire, &self->end.source, sink, request->turn);
	gboolean ok;

	exchange->stream = stream;
	if (!post(exchange, body, error))
		return FALSE;
	ok = spk_stream_finish(stream, ret_reply, error);
	exchange->retry = spk_stream_retry(stream);
	if (!ok)
		return FALSE;
	name_cut(self, request, ret_reply);
	ret_reply->usage.is_charged &= self->end.tells_cost;
	return TRUE;
}

/* A refusal that names a parameter is answered by a request without it, once for each. */
static gboolean server_complete(gpointer data, const SpkLlmRequest *request,
				const SpkLlmSink *sink, SpkCancel *cancel,
				SpkLlmReply *ret_reply, double *ret_retry_after_s,
				GError **error)
{
	Server *self = data;

	if (!spk_messages_check(request->messages, error))
		return FALSE;
	for (;;) {
		Exchange exchange = { .self = self,
				      .cancel = cancel,
				      .retry = SPK_RETRY_DEFAULT };
		g_autoptr(GError) why = NULL;

		exchange.quirks = g_atomic_int_get(&self->quirks);
		if (exchange_once(&exchange, request, sink, ret_reply, &why))
			return TRUE;
		hide_key(self, why);
		if (exchange.learned) {
			spk_info(
				"llm",
				"the server refuses a parameter (%s); going on without it",
				why->message);
			g_atomic_int_or((guint *)&self->quirks, exchange.learned);
			continue;
		}
		*ret_retry_after_s = exchange.retry;
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
}

static json_t *no_list(const Server *self, GError **error)
{
	g_autofree char *hint =
		g_strdup_printf("is the path of [%s] url right? It usually ends in %s",
				self->end.source.section, self->end.wire->root);

	spk_error_set(error, SPK_ERR_NOT_FOUND, hint, "%s answers, but has no %s",
		      self->end.shown, self->end.wire->list);
	return NULL;
}

static gboolean get(Server *self, const char *url, SpkCancel *cancel,
		    SpkHttpResponse *ret_response, GError **error)
{
	const char *headers[MAX_HEADERS] = { "Accept: application/json" };
	SpkHttpRequest request = make_request(self, url, headers);
	SpkHttp *http = get_http(self, error);

	request.max_bytes = SPK_JSON_MAX;
	return http &&
	       spk_http_fetch(http, &request, NULL, NULL, cancel, ret_response, error);
}

/* The list of models; NULL: an error as spk_llm_ping() has them. */
static json_t *fetch_list(Server *self, SpkCancel *cancel, GError **error)
{
	g_autofree char *url = g_strconcat(self->end.base, self->end.wire->list, NULL);
	g_auto(SpkHttpResponse) response = { 0 };
	g_auto(SpkFault) fault = { 0 };
	json_t *list;
	double retry;

	if (!get(self, url, cancel, &response, error))
		return NULL;
	if (response.status / 100 == 2) {
		list = spk_json_parse(response.body->str, response.body->len,
				      SPK_JSON_MAX, NULL);
		return list ? list : no_list(self, error);
	}
	if (response.status == 404)
		return no_list(self, error);
	spk_fault_parse(&fault, response.status, response.body->str, response.body->len);
	spk_fault_to_error(&fault, &self->end.source, &retry, error);
	return NULL;
}

static GPtrArray *server_models(gpointer data, SpkCancel *cancel, GError **error)
{
	Server *self = data;
	g_autoptr(GError) why = NULL;
	g_autoptr(json_t) list = fetch_list(self, cancel, &why);

	if (list)
		return spk_models_from_list(list, MAX_MODELS);
	hide_key(self, why);
	g_propagate_error(error, g_steal_pointer(&why));
	return NULL;
}

static gboolean server_ping(gpointer data, SpkCancel *cancel, GError **error)
{
	g_autoptr(GPtrArray) models = server_models(data, cancel, error);

	return models != NULL;
}

/* llama.cpp's own page, beside the API: {"default_generation_settings":{"n_ctx":…}}, of a slot
 * (tools/server/README.md there). */
static gint64 window_of_props(Server *self, SpkCancel *cancel)
{
	gsize len = strlen(self->end.base) - strlen(self->end.wire->root);
	g_autofree char *url = g_strdup_printf("%.*s/props", (int)len, self->end.base);
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(json_t) props = NULL;

	if (!g_str_has_suffix(self->end.base, self->end.wire->root) ||
	    !get(self, url, cancel, &response, NULL) || response.status / 100 != 2)
		return 0;
	props = spk_json_parse(response.body->str, response.body->len, SPK_JSON_MAX,
			       NULL);
	return spk_json_int(json_object_get(props, "default_generation_settings"),
			    "n_ctx", 0);
}

/* A server with one model takes any name for it. An Ollama is told the window with each
 * request, so there is nothing to ask. */
static gint64 server_window(gpointer data, SpkCancel *cancel)
{
	Server *self = data;
	g_autoptr(GPtrArray) models = NULL;
	gint64 window = 0;

	if (self->end.wire == &spk_wire_ollama)
		return 0;
	models = server_models(self, cancel, NULL); /* it need not have a list */
	for (guint i = 0; models && i < models->len; i++) {
		const SpkModelEntry *entry = models->pdata[i];

		if (models->len == 1 || !strcmp(entry->id, self->end.model))
			window = entry->context_window;
	}
	if (models && !window)
		window = window_of_props(self, cancel);
	return CLAMP(window, 0, 10000000);
}

static const SpkModelInfo *server_info(gpointer data)
{
	return &((Server *)data)->end.info;
}

const SpkProviderImpl spk_server_impl = {
	.describe = spk_endpoint_describe,
	.open = server_open,
	.complete = server_complete,
	.ping = server_ping,
	.models = server_models,
	.window = server_window,
	.info = server_info,
	.close = server_close,
};
