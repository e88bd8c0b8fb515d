/*
 * Provider `openai`: any server that speaks OpenAI's chat completions (OpenAI itself,
 * llama.cpp, vLLM, Ollama, LM Studio, OpenRouter, …), streamed.
 */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "llm/chat_stream_priv.h"
#include "llm/llm_all_priv.h"
#include "llm/openai_request_priv.h"
#include "net/http.h"

#define DEFAULT_URL "https://api.openai.com/v1"
#define CHAT_PATH   "/chat/completions"

typedef struct {
	char *base;	     /* without "/" at the end */
	char *key;	     /* NULL: none */
	char *authorization; /* the header; NULL without a key */
	char *model;
	double temperature;
	gint64 max_tokens;
	gint64 connect_ms, first_byte_ms, idle_ms;
	gint quirks; /* SpkQuirk, atomic: learned from refusals */
	GMutex lock;
	SpkHttp *http; /* opened by the first request; guarded by lock */
} Openai;

static void openai_close(gpointer data)
{
	Openai *self = data;

	g_free(self->base);
	g_free(self->key);
	g_free(self->authorization);
	g_free(self->model);
	g_mutex_clear(&self->lock);
	spk_http_free(self->http);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Openai, openai_close)

/* ---- opening ---- */

static const char *const ways_on =
	"set OPENAI_API_KEY; or put a server's address into [openai] url (Ollama: "
	"http://localhost:11434/v1); or answer from a file with --model script:FILE";

/* The address the requests go to; what users write is completed: "http://localhost:8080" is
 * served below /v1 by all servers there are. */
static char *complete_url(const char *url, GError **error)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
	g_autofree char *base = g_strdup(url);
	gsize len;

	if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
		spk_error_set(error, SPK_ERR_CONFIG,
			      "write it like http://localhost:11434/v1",
			      "[openai] url is not a URL");
		return NULL;
	}
	if (strcmp(g_uri_get_scheme(uri), "http") != 0 &&
	    strcmp(g_uri_get_scheme(uri), "https") != 0) {
		spk_error_set(
			error, SPK_ERR_CONFIG, "write it like http://localhost:11434/v1",
			"[openai] url has the scheme \"%s\"; it takes http or https",
			g_uri_get_scheme(uri));
		return NULL;
	}
	if (g_strcmp0(g_uri_get_host(uri), "chatgpt.com") == 0) {
		spk_error_set(
			error, SPK_ERR_CONFIG, ways_on,
			"[openai] url is the subscription's; that way in is not built yet");
		return NULL;
	}
	for (len = strlen(base); len && base[len - 1] == '/'; len--)
		base[len - 1] = '\0';
	if (g_str_has_suffix(base, CHAT_PATH))
		base[len - strlen(CHAT_PATH)] = '\0';
	if (!*g_uri_get_path(uri) || strcmp(g_uri_get_path(uri), "/") == 0)
		return g_strconcat(base, "/v1", NULL);
	return g_steal_pointer(&base);
}

static gboolean take_key(Openai *self, const char *key, GError **error)
{
	g_autofree char *trimmed = g_strstrip(g_strdup(key ? key : ""));

	for (const char *p = trimmed; *p; p++) {
		if (g_ascii_isgraph(*p))
			continue;
		spk_error_set(error, SPK_ERR_CONFIG, "copy it again",
			      "OPENAI_API_KEY holds a character that no key has");
		return FALSE;
	}
	if (!*trimmed)
		return TRUE;
	self->authorization = g_strdup_printf("Authorization: Bearer %s", trimmed);
	self->key = g_steal_pointer(&trimmed);
	return TRUE;
}

static gboolean check_style(SpkConf *conf, GError **error)
{
	const char *style = spk_conf_str(conf, "openai.api_style");

	if (strcmp(style, "responses") != 0)
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFIG, "set api_style = \"chat_completions\"",
		      "[openai] api_style \"responses\" is not built yet");
	return FALSE;
}

static gpointer openai_open(SpkConf *conf, const char *model, GError **error)
{
	g_autoptr(Openai) self = g_new0(Openai, 1);
	gboolean has_url = spk_conf_is_set(conf, "openai.url") &&
			   *spk_conf_str(conf, "openai.url");

	g_mutex_init(&self->lock);
	if (!check_style(conf, error) ||
	    !take_key(self, spk_conf_secret(conf, "OPENAI_API_KEY"), error))
		return NULL;
	if (!has_url && !self->key) {
		spk_error_set(error, SPK_ERR_CONFIG, ways_on, "no model is configured");
		return NULL;
	}
	self->base = complete_url(
		has_url ? spk_conf_str(conf, "openai.url") : DEFAULT_URL, error);
	if (!self->base)
		return NULL;
	self->model = g_strdup(model ? model : spk_conf_str(conf, "openai.model"));
	self->temperature = spk_conf_real(conf, "openai.temperature");
	self->max_tokens = spk_conf_int(conf, "openai.max_tokens");
	self->connect_ms = 1000 * spk_conf_int(conf, "llm.connect_timeout_secs");
	self->first_byte_ms = 1000 * spk_conf_int(conf, "llm.first_byte_timeout_secs");
	self->idle_ms = 1000 * spk_conf_int(conf, "llm.idle_timeout_secs");
	self->quirks = spk_openai_model_quirks(self->model);
	return g_steal_pointer(&self);
}

/* ---- requests ---- */

static SpkHttp *get_http(Openai *self, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&self->lock);

	if (!self->http)
		self->http = spk_http_new(error);
	return self->http;
}

/* Servers like to repeat the key they refuse. */
static void hide_key(const Openai *self, GError *error)
{
	g_auto(GStrv) parts = NULL;

	if (!self->key || !strstr(error->message, self->key))
		return;
	parts = g_strsplit(error->message, self->key, -1);
	g_free(error->message);
	error->message = g_strjoinv("[key]", parts);
}

static SpkHttpRequest make_request(const Openai *self, const char *url,
				   const char *const *headers)
{
	return (SpkHttpRequest){ .url = url,
				 .headers = headers,
				 .connect_ms = self->connect_ms,
				 .first_byte_ms = self->first_byte_ms,
				 .idle_ms = self->idle_ms };
}

/* One exchange with the server and what it has to be told about. */
typedef struct {
	Openai *self;
	SpkChatStream *stream;
	SpkCancel *cancel;
	guint quirks;  /* of the request */
	guint learned; /* quirks that a refusal taught */
	double retry;
} Exchange;

static gboolean feed(const char *data, gsize len, gpointer user, GError **error)
{
	SpkChatStream *stream = user;

	return spk_chat_stream_feed(stream, data, len, error) &&
	       !spk_chat_stream_is_done(stream);
}

static gboolean refuse(Exchange *exchange, const SpkHttpResponse *response,
		       GError **error)
{
	g_auto(SpkChatFault) fault = { 0 };
	double asked = spk_http_retry_after(response);

	spk_chat_fault_parse(&fault, response->status, response->body->str,
			     response->body->len);
	exchange->learned = spk_openai_fault_quirks(&fault) & ~exchange->quirks;
	if (asked >= 0)
		exchange->retry = asked;
	spk_chat_fault_to_error(&fault, &exchange->retry, error);
	return FALSE;
}

static gboolean post(Exchange *exchange, const char *body, GError **error)
{
	Openai *self = exchange->self;
	const char *const headers[] = { "Content-Type: application/json",
					"Accept: text/event-stream, application/json",
					self->authorization, NULL };
	g_autofree char *url = g_strconcat(self->base, CHAT_PATH, NULL);
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
		if (spk_chat_stream_is_whole(exchange->stream) &&
		    (spk_error_is(why, SPK_ERR_PROVIDER) ||
		     spk_error_is(why, SPK_ERR_TIMEOUT)))
			return spk_cancel_check(exchange->cancel, error);
		exchange->retry = spk_chat_stream_retry(exchange->stream);
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	return response.status / 100 == 2 || refuse(exchange, &response, error);
}

static gboolean exchange_once(Exchange *exchange, const SpkLlmRequest *request,
			      const SpkLlmSink *sink, SpkLlmReply *ret_reply,
			      GError **error)
{
	Openai *self = exchange->self;
	SpkOpenaiParams params = { .model = self->model,
				   .temperature = self->temperature,
				   .max_tokens = self->max_tokens,
				   .quirks = exchange->quirks };
	g_autofree char *body = spk_openai_body(&params, request);
	g_autoptr(SpkChatStream) stream = spk_chat_stream_new(sink, request->turn);
	gboolean ok;

	exchange->stream = stream;
	if (!post(exchange, body, error))
		return FALSE;
	ok = spk_chat_stream_finish(stream, ret_reply, error);
	exchange->retry = spk_chat_stream_retry(stream);
	return ok;
}

/* A refusal that names a parameter is answered by a request without it, once for each. */
static gboolean openai_complete(gpointer data, const SpkLlmRequest *request,
				const SpkLlmSink *sink, SpkCancel *cancel,
				SpkLlmReply *ret_reply, double *ret_retry_after_s,
				GError **error)
{
	Openai *self = data;

	for (;;) {
		Exchange exchange = { .self = self,
				      .cancel = cancel,
				      .retry = SPK_RETRY_DEFAULT };
		g_autoptr(GError) why = NULL;

		exchange.quirks = g_atomic_int_get(&self->quirks);
		if (exchange_once(&exchange, request, sink, ret_reply, &why))
			return TRUE;
		if (exchange.learned) {
			spk_info(
				"llm",
				"the server refuses a parameter (%s); going on without it",
				why->message);
			g_atomic_int_or((guint *)&self->quirks, exchange.learned);
			continue;
		}
		*ret_retry_after_s = exchange.retry;
		hide_key(self, why);
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
}

static gboolean openai_ping(gpointer data, SpkCancel *cancel, GError **error)
{
	Openai *self = data;
	const char *const headers[] = { "Accept: application/json", self->authorization,
					NULL };
	g_autofree char *url = g_strconcat(self->base, "/models", NULL);
	SpkHttpRequest request = make_request(self, url, headers);
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) why = NULL;
	SpkHttp *http = get_http(self, &why);
	double retry;

	if (http && spk_http_fetch(http, &request, NULL, NULL, cancel, &response, &why)) {
		g_auto(SpkChatFault) fault = { 0 };

		if (response.status / 100 == 2)
			return TRUE;
		if (response.status == 404) {
			spk_error_set(
				error, SPK_ERR_NOT_FOUND,
				"is the path of [openai] url right? It usually ends in /v1",
				"%s answers, but has no /models", self->base);
			return FALSE;
		}
		spk_chat_fault_parse(&fault, response.status, response.body->str,
				     response.body->len);
		spk_chat_fault_to_error(&fault, &retry, &why);
	}
	hide_key(self, why);
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static const char *openai_model(gpointer data)
{
	return ((Openai *)data)->model;
}

const SpkProviderImpl spk_provider_openai = {
	.name = "openai",
	.open = openai_open,
	.complete = openai_complete,
	.ping = openai_ping,
	.model = openai_model,
	.close = openai_close,
};
