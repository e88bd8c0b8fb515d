/*
 * All providers that are a server behind HTTP: address, key, model, one exchange with it and
 * what its refusals teach. What is said over the connection is the wire's (wire_priv.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "llm/address_priv.h"
#include "llm/llm_all_priv.h"
#include "llm/messages_priv.h"
#include "llm/models_priv.h"
#include "llm/stream_priv.h"
#include "net/http.h"

enum { MAX_MODELS = 1000, MAX_HEADERS = 5 };

typedef struct {
	const SpkWire *wire;
	SpkFaultSource source;
	SpkModelInfo info; /* its strings are of the two that follow */
	char *model, *shown;
	char *base; /* of the requests; may hold a password, which `shown` doesn't */
	char *key;  /* NULL: none */
	char *key_header; /* NULL without a key */
	SpkConf *conf;	  /* holds the two that follow */
	const char *effort, *summary;
	double temperature;
	gint64 connect_ms, first_byte_ms, idle_ms;
	gint quirks; /* SpkQuirk, atomic: learned from refusals */
	GMutex lock;
	SpkHttp *http; /* opened by the first request; guarded by lock */
} Server;

static void server_close(gpointer data)
{
	Server *self = data;

	g_free(self->base);
	g_free(self->shown);
	g_free(self->key);
	g_free(self->key_header);
	g_free(self->model);
	g_mutex_clear(&self->lock);
	spk_conf_unref(self->conf);
	spk_http_free(self->http);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_close)

/* ---- what the configuration says ---- */

static const char *const ways_on =
	"set OPENAI_API_KEY; or put a server's address into [openai] url (Ollama: "
	"http://localhost:11434/v1); or answer from a file with --model script:FILE";

static const char *text_of(const SpkProvider *row, SpkConf *conf, const char *key)
{
	g_autofree char *name = g_strconcat(row->name, ".", key, NULL);

	return spk_conf_is_set(conf, name) ? spk_conf_str(conf, name) : "";
}

static const SpkWire *const styles[] = { &spk_wire_chat, &spk_wire_responses };

/* `model` may be NULL: that of most models. */
static const SpkWire *wire_of(const SpkProvider *row, SpkConf *conf, const char *model,
			      GError **error)
{
	const SpkWireOf *of = row->by_model;
	gsize i = 0;

	if (!row->wire) {
		const char *style = spk_conf_str(conf, "openai.api_style");

		while (strcmp(styles[i]->name, style) != 0)
			i++; /* the option has these choices */
		return styles[i];
	}
	while (of && model && of->start && !g_str_has_prefix(model, of->start))
		of++;
	if (!of || !model || !of->start)
		return row->wire;
	if (!of->wire)
		spk_error_set(error, SPK_ERR_CONFIG, "choose another model",
			      "%s serves models \"%s…\" over a protocol that is not "
			      "built in",
			      row->name, of->start);
	return of->wire;
}

static char *base_of(const SpkProvider *row, const SpkWire *wire, SpkConf *conf,
		     GError **error)
{
	const char *url = text_of(row, conf, "url");

	return spk_address_complete(*url ? url : row->url, wire, row->name, error);
}

/* The key, "" when there is none. */
static char *key_of(const SpkProvider *row, SpkConf *conf, GError **error)
{
	const char *set = row->key ? spk_conf_secret(conf, row->key) : NULL;
	g_autofree char *key = g_strstrip(g_strdup(set ? set : ""));

	for (const char *p = key; *p; p++) {
		if (g_ascii_isgraph(*p))
			continue;
		spk_error_set(error, SPK_ERR_CONFIG, "copy it again",
			      "%s holds a character that no key has", row->key);
		return NULL;
	}
	return g_steal_pointer(&key);
}

static gboolean server_describe(const SpkProvider *row, SpkConf *conf,
				SpkProviderState *ret_state, GError **error)
{
	const SpkWire *wire = wire_of(row, conf, NULL, error);
	g_autofree char *base = wire ? base_of(row, wire, conf, error) : NULL;
	g_autofree char *key = base ? key_of(row, conf, error) : NULL;

	if (!key)
		return FALSE;
	ret_state->configured = *key || *text_of(row, conf, "url") ||
				(!row->key && *text_of(row, conf, "model"));
	ret_state->local = spk_address_is_local(base);
	ret_state->url = spk_address_shown(base);
	return TRUE;
}

/* ---- opening ---- */

static gboolean check_key(const SpkProvider *row, SpkConf *conf, const char *key,
			  GError **error)
{
	g_autofree char *hint = NULL;

	if (!row->key || *key || *text_of(row, conf, "url"))
		return TRUE;
	if (strcmp(row->name, "openai") == 0) {
		spk_error_set(error, SPK_ERR_CONFIG, ways_on, "no model is configured");
		return FALSE;
	}
	hint = g_strdup_printf("set %s, or [%s] url to a server that needs no key",
			       row->key, row->name);
	spk_error_set(error, SPK_ERR_CONFIG, hint, "there is no key for %s", row->name);
	return FALSE;
}

static char *model_of(const SpkProvider *row, SpkConf *conf, const char *model,
		      GError **error)
{
	g_autofree char *name = g_strconcat(row->name, ".model", NULL);
	g_autofree char *hint = NULL;

	if (!model || !*model)
		model = spk_conf_str(conf, name);
	if (*model)
		return g_strdup(model);
	hint = g_strdup_printf("name it: [%s] model, or --model %s:NAME", row->name,
			       row->name);
	spk_error_set(error, SPK_ERR_CONFIG, hint, "no model of %s is named", row->name);
	return NULL;
}

/* What is configured wins over what the model's name is known to have. */
static void read_limits(Server *self, const SpkProvider *row, SpkConf *conf)
{
	const SpkKnownModel *known = spk_known_model(self->model);
	g_autofree char *window = g_strconcat(row->name, ".context_window", NULL);
	g_autofree char *answer = g_strconcat(row->name, ".max_tokens", NULL);

	self->info.context_window = spk_conf_int(conf, window);
	self->info.max_output = spk_conf_int(conf, answer);
	/* a server that makes room for the window would make it for all of it */
	if (known->context_window && row->key && !spk_conf_is_set(conf, window))
		self->info.context_window = known->context_window;
	if (known->max_output && !spk_conf_is_set(conf, answer))
		self->info.max_output = MIN(self->info.max_output, known->max_output);
	self->quirks = known->quirks;
}

static void read_parameters(Server *self, const SpkProvider *row, SpkConf *conf)
{
	g_autofree char *temperature = g_strconcat(row->name, ".temperature", NULL);

	self->temperature = spk_conf_real(conf, temperature);
	self->effort = self->summary = "";
	self->connect_ms = 1000 * spk_conf_int(conf, "llm.connect_timeout_secs");
	self->first_byte_ms = 1000 * spk_conf_int(conf, "llm.first_byte_timeout_secs");
	self->idle_ms = 1000 * spk_conf_int(conf, "llm.idle_timeout_secs");
	if (row->wire)
		return;
	self->effort = spk_conf_str(conf, "openai.reasoning_effort");
	self->summary = spk_conf_str(conf, "openai.reasoning_summary");
}

static gpointer server_open(const SpkProvider *row, SpkConf *conf, const char *model,
			    GError **error)
{
	g_autoptr(Server) self = g_new0(Server, 1);

	g_mutex_init(&self->lock);
	self->conf = spk_conf_ref(conf);
	self->key = key_of(row, conf, error);
	if (!self->key || !check_key(row, conf, self->key, error))
		return NULL;
	self->model = model_of(row, conf, model, error);
	self->wire = self->model ? wire_of(row, conf, self->model, error) : NULL;
	self->base = self->wire ? base_of(row, self->wire, conf, error) : NULL;
	if (!self->base)
		return NULL;
	self->source = (SpkFaultSource){ .section = row->name,
					 .key = row->key,
					 .missing = self->wire->missing };
	if (*self->key)
		self->key_header = g_strconcat(self->wire->key_header, self->key, NULL);
	read_limits(self, row, conf);
	read_parameters(self, row, conf);
	self->info.model = self->model;
	self->info.url = self->shown = spk_address_shown(self->base);
	self->info.local = spk_address_is_local(self->base);
	self->info.can = self->wire->can;
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

	if (!*self->key || !strstr(error->message, self->key))
		return;
	parts = g_strsplit(error->message, self->key, -1);
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
	if (self->wire->extra)
		headers[n++] = self->wire->extra;
	headers[n] = self->key_header;
	return (SpkHttpRequest){ .url = url,
				 .headers = headers,
				 .connect_ms = self->connect_ms,
				 .first_byte_ms = self->first_byte_ms,
				 .idle_ms = self->idle_ms };
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
	spk_fault_to_error(&fault, &exchange->self->source, &exchange->retry, error);
	return FALSE;
}

static gboolean post(Exchange *exchange, const char *body, GError **error)
{
	Server *self = exchange->self;
	const char *headers[MAX_HEADERS] = {
		"Accept: text/event-stream, application/json",
		"Content-Type: application/json"
	};
	g_autofree char *url = g_strconcat(self->base, self->wire->path, NULL);
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

static char *body_of(const Server *self, guint quirks, const SpkLlmRequest *request)
{
	SpkWireParams params = { .model = self->model,
				 .temperature = self->temperature,
				 .max_tokens = self->info.max_output,
				 .context_window = self->info.context_window,
				 .effort = self->effort,
				 .summary = self->summary,
				 .quirks = quirks };
	g_autoptr(json_t) body = self->wire->body(&params, request);
	char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(6)); /* 0.3 */
	char *copy = g_strdup(text);

	free(text);
	return copy;
}

static gboolean exchange_once(Exchange *exchange, const SpkLlmRequest *request,
			      const SpkLlmSink *sink, SpkLlmReply *ret_reply,
			      GError **error)
{
	Server *self = exchange->self;
	g_autofree char *body = body_of(self, exchange->quirks, request);
	g_autoptr(SpkStream)
		stream = spk_stream_new(self->wire, &self->source, sink, request->turn);
	gboolean ok;

	exchange->stream = stream;
	if (!post(exchange, body, error))
		return FALSE;
	ok = spk_stream_finish(stream, ret_reply, error);
	exchange->retry = spk_stream_retry(stream);
	return ok;
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
				self->source.section, self->wire->root);

	spk_error_set(error, SPK_ERR_NOT_FOUND, hint, "%s answers, but has no %s",
		      self->shown, self->wire->list);
	return NULL;
}

/* The list of models; NULL: an error as spk_llm_ping() has them. */
static json_t *fetch_list(Server *self, SpkCancel *cancel, GError **error)
{
	const char *headers[MAX_HEADERS] = { "Accept: application/json" };
	g_autofree char *url = g_strconcat(self->base, self->wire->list, NULL);
	SpkHttpRequest request = make_request(self, url, headers);
	g_auto(SpkHttpResponse) response = { 0 };
	g_auto(SpkFault) fault = { 0 };
	SpkHttp *http = get_http(self, error);
	json_t *list;
	double retry;

	request.max_bytes = SPK_JSON_MAX;
	if (!http ||
	    !spk_http_fetch(http, &request, NULL, NULL, cancel, &response, error))
		return NULL;
	if (response.status / 100 == 2) {
		list = spk_json_parse(response.body->str, response.body->len,
				      SPK_JSON_MAX, NULL);
		return list ? list : no_list(self, error);
	}
	if (response.status == 404)
		return no_list(self, error);
	spk_fault_parse(&fault, response.status, response.body->str, response.body->len);
	spk_fault_to_error(&fault, &self->source, &retry, error);
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

static const SpkModelInfo *server_info(gpointer data)
{
	return &((Server *)data)->info;
}

const SpkProviderImpl spk_server_impl = {
	.describe = server_describe,
	.open = server_open,
	.complete = server_complete,
	.ping = server_ping,
	.models = server_models,
	.info = server_info,
	.close = server_close,
};
