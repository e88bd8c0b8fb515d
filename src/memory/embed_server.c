/* Embedders that are a server behind HTTP: OpenAI's protocol, and Ollama's. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/secret.h"
#include "llm/fault.h"
#include "llm/llm_impl.h"
#include "memory/embed_wire.h"
#include "memory/embedder_all_priv.h"
#include "net/http.h"

#define SECTION	 "embedding"
#define OWN_KEY	 "SPARKS_EMBEDDING_API_KEY"
#define RETRIES	 3
#define WAIT_S	 0.5
#define WAIT_MAX 20.0
/* Texts that a server finds too long are cut in halves down to this, in bytes. */
#define TEXT_MIN 256

typedef struct {
	const SpkEmbedWire *wire;
	SpkFaultSource source;
	char *model, *base, *key, *key_header;
	gint64 connect_ms, answer_ms;
	guint asked_dims; /* 0: those of the model */
	GMutex lock;
	SpkHttp *http; /* opened by the first request; guarded by lock */
} Server;

static void server_close(gpointer data)
{
	Server *self = data;

	g_free(self->model);
	g_free(self->base);
	spk_secret_wipe(self->key);
	spk_secret_wipe(self->key_header);
	spk_http_free(self->http);
	g_mutex_clear(&self->lock);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_close)

/* ---- what the configuration says ---- */

static gboolean same_origin(const char *a, const char *b)
{
	g_autoptr(GUri) one = g_uri_parse(a, G_URI_FLAGS_SCHEME_NORMALIZE, NULL);
	g_autoptr(GUri) two = g_uri_parse(b, G_URI_FLAGS_SCHEME_NORMALIZE, NULL);

	return one && two && g_uri_get_host(one) && g_uri_get_host(two) &&
	       !strcmp(g_uri_get_scheme(one), g_uri_get_scheme(two)) &&
	       !g_ascii_strcasecmp(g_uri_get_host(one), g_uri_get_host(two)) &&
	       g_uri_get_port(one) == g_uri_get_port(two);
}

/* Where the section of chat models sends its requests. */
static const char *usual_url(const SpkEmbedWire *wire, const SpkConf *conf)
{
	g_autofree char *name = g_strconcat(wire->name, ".url", NULL);
	const char *url = spk_conf_is_set(conf, name) ? spk_conf_str(conf, name) : "";

	return *url ? url : wire->url;
}

/* A key belongs to a server: that of chat models goes only where it goes anyway. */
static const char *key_variable(const SpkEmbedWire *wire, const SpkConf *conf,
				const char *url)
{
	if (spk_conf_secret(conf, OWN_KEY))
		return OWN_KEY;
	if (wire->key && same_origin(url, usual_url(wire, conf)))
		return wire->key;
	return OWN_KEY;
}

static gboolean take_key(Server *self, const SpkConf *conf, const char *url,
			 GError **error)
{
	const char *set;

	self->source.key = key_variable(self->wire, conf, url);
	set = spk_conf_secret(conf, self->source.key);
	self->key = g_strstrip(g_strdup(set ? set : ""));
	for (const char *p = self->key; *p; p++) {
		if (g_ascii_isgraph(*p))
			continue;
		spk_error_set(error, SPK_ERR_CONFIG, "copy it again",
			      "%s holds a character that no key has", self->source.key);
		return FALSE;
	}
	if (*self->key)
		self->key_header = g_strconcat("Authorization: Bearer ", self->key, NULL);
	if (!*self->key && self->wire->key && !strcmp(url, self->wire->url)) {
		spk_error_set(
			error, SPK_ERR_CONFIG,
			"`sparks secrets set openai.api_key`, or [embedding] url to a "
			"server that needs none",
			"there is no key for embeddings of %s", self->wire->name);
		return FALSE;
	}
	return TRUE;
}

static gboolean take_model(Server *self, const SpkConf *conf, GError **error)
{
	g_autofree char *hint = NULL;

	self->model = g_strdup(spk_conf_str(conf, "embedding.model"));
	if (*self->model)
		return TRUE;
	hint = g_strdup_printf("name it: [embedding] model = \"%s\"",
			       self->wire->key ? "text-embedding-3-small" : "all-minilm");
	spk_error_set(error, SPK_ERR_CONFIG, hint,
		      "[embedding] provider is %s, but no model is named",
		      self->wire->name);
	return FALSE;
}

static gpointer open_server(const SpkEmbedWire *wire, const SpkConf *conf,
			    SpkEmbedInfo *info, GError **error)
{
	g_autoptr(Server) self = g_new0(Server, 1);
	const char *url = spk_conf_str(conf, "embedding.url");

	g_mutex_init(&self->lock);
	self->wire = wire;
	self->source = (SpkFaultSource){ .section = SECTION,
					 .missing = wire->missing,
					 .by_file = TRUE };
	url = *url ? url : usual_url(wire, conf);
	if (!take_model(self, conf, error) || !take_key(self, conf, url, error))
		return NULL;
	self->base = spk_address_form(url, &wire->form, SECTION, error);
	if (!self->base)
		return NULL;
	self->connect_ms = 1000 * spk_conf_int(conf, "llm.connect_timeout_secs");
	self->answer_ms = 1000 * spk_conf_int(conf, "embedding.timeout_secs");
	info->model = g_strdup(self->model);
	info->identity = g_strdup(self->model);
	info->engine = g_strdup("server");
	info->url = spk_address_shown(self->base);
	self->asked_dims = info->dims = (guint)spk_conf_int(conf, "embedding.dimensions");
	info->remote = TRUE;
	return g_steal_pointer(&self);
}

static gpointer open_openai(const SpkEmbedSetup *setup, SpkEmbedInfo *info,
			    GError **error)
{
	return open_server(&spk_embed_wire_openai, setup->conf, info, error);
}

static gpointer open_ollama(const SpkEmbedSetup *setup, SpkEmbedInfo *info,
			    GError **error)
{
	return open_server(&spk_embed_wire_ollama, setup->conf, info, error);
}

/* ---- one exchange ---- */

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

/* *wait_s: what the server asks for, or as llm_impl.h. */
static gboolean post(Server *self, const char *body, gsize max, GString **ret,
		     SpkCancel *cancel, double *wait_s, GError **error)
{
	const char *headers[] = { "Accept: application/json",
				  "Content-Type: application/json", self->key_header,
				  NULL };
	g_autofree char *url = g_strconcat(self->base, self->wire->form.path, NULL);
	SpkHttpRequest request = { .url = url,
				   .headers = headers,
				   .body = body,
				   .body_len = strlen(body),
				   .connect_ms = self->connect_ms,
				   .first_byte_ms = self->answer_ms,
				   .idle_ms = self->answer_ms,
				   .max_bytes = max };
	g_auto(SpkHttpResponse) response = { 0 };
	SpkHttp *http = get_http(self, error);

	if (!http ||
	    !spk_http_fetch(http, &request, NULL, NULL, cancel, &response, error))
		return FALSE;
	if (response.status / 100 != 2) {
		g_auto(SpkFault) fault = { 0 };

		*wait_s = spk_http_retry_after(&response);
		spk_fault_parse(&fault, response.status, response.body->str,
				response.body->len);
		spk_fault_to_error(&fault, &self->source, wait_s, error);
		return FALSE;
	}
	*ret = g_steal_pointer(&response.body);
	return TRUE;
}

static gboolean ask_once(Server *self, const char *const *texts, gsize n, guint *dims,
			 GArray *ret, SpkCancel *cancel, double *wait_s, GError **error)
{
	g_autofree char *body =
		spk_embed_wire_body(self->wire, self->model, self->asked_dims, texts, n);
	g_autoptr(GString) answer = NULL;

	if (!post(self, body, spk_embed_wire_max(n, *dims), &answer, cancel, wait_s,
		  error))
		return FALSE;
	return spk_embed_wire_parse(self->wire, answer->str, answer->len, n, dims, ret,
				    error);
}

/* FALSE: no further attempt. */
static gboolean wait_for_next(guint attempt, double wait_s, const GError *why,
			      SpkCancel *cancel)
{
	double own_s = WAIT_S * (1 << attempt) * (0.5 + 0.5 * spk_random_unit());
	gint64 left_ms = spk_cancel_left_ms(cancel, -1);

	if (!spk_err_info(spk_error_code(why))->retryable || wait_s == SPK_RETRY_NEVER ||
	    spk_error_is(why, SPK_ERR_TIMEOUT) ||
	    spk_error_is(why, SPK_ERR_PROVIDER_REPLY) || attempt >= RETRIES ||
	    wait_s > WAIT_MAX)
		return FALSE;
	wait_s = wait_s >= 0 ? wait_s : own_s;
	if (left_ms >= 0 && wait_s * 1000 >= left_ms)
		return FALSE;
	spk_info("memory", "%s; trying again in %.1f s", why->message, wait_s);
	spk_sleep_ms((gint64)(wait_s * 1000), cancel);
	return spk_cancel_check(cancel, NULL);
}

static gboolean ask(Server *self, const char *const *texts, gsize n, guint *dims,
		    GArray *ret, SpkCancel *cancel, GError **error)
{
	guint start = ret->len;

	for (guint attempt = 0;; attempt++) {
		g_autoptr(GError) why = NULL;
		double wait_s = SPK_RETRY_DEFAULT;

		g_array_set_size(ret, start);
		if (ask_once(self, texts, n, dims, ret, cancel, &wait_s, &why))
			return TRUE;
		if (wait_for_next(attempt, wait_s, why, cancel))
			continue;
		hide_key(self, why);
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
}

/* ---- texts that are too long ---- */

/* How many tokens a server's model reads only its refusal tells. take_why: that of the whole. */
static gboolean ask_shorter(Server *self, const char *text, guint *dims, GArray *ret,
			    SpkCancel *cancel, GError *take_why, GError **error)
{
	gsize len = strlen(text), max = len;
	GError *why = take_why;

	while (spk_error_is(why, SPK_ERR_CONTEXT_LENGTH) && max / 2 >= TEXT_MIN) {
		g_autofree char *shorter =
			g_strndup(text, spk_text_prefix_len(text, len, max /= 2));
		const char *const one[] = { shorter };

		g_clear_error(&why);
		if (ask(self, one, 1, dims, ret, cancel, &why))
			return TRUE;
	}
	g_propagate_error(error, why);
	return FALSE;
}

/* A text's vector is the same whatever is asked with it: where one of them is too long the halves are
 * asked by themselves, until only that one is cut. */
static gboolean server_embed(gpointer data, const char *const *texts, gsize n,
			     guint *dims, GArray *ret, SpkCancel *cancel, GError **error)
{
	GError *why = NULL;

	if (ask(data, texts, n, dims, ret, cancel, &why))
		return TRUE;
	if (n == 1)
		return ask_shorter(data, texts[0], dims, ret, cancel, why, error);
	if (!spk_error_is(why, SPK_ERR_CONTEXT_LENGTH)) {
		g_propagate_error(error, why);
		return FALSE;
	}
	g_error_free(why);
	return server_embed(data, texts, n / 2, dims, ret, cancel, error) &&
	       server_embed(data, texts + n / 2, n - n / 2, dims, ret, cancel, error);
}

const SpkEmbedImpl spk_embed_openai = { "openai", 64, open_openai, server_embed,
					server_close };
const SpkEmbedImpl spk_embed_ollama = { "ollama", 32, open_ollama, server_embed,
					server_close };
