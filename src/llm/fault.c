#include "llm/fault.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "llm/llm_impl.h"

#define MAX_MESSAGE 300

/* How servers say that the request is longer than the window; all in lower case. */
static const char *const context_words[] = {
	"context_length_exceeded",	      /* OpenAI, Groq, Azure */
	"exceed_context_size",		      /* llama.cpp, as type */
	"is too large to process",	      /* llama.cpp, of embeddings */
	"exceeds the available context size", /* llama.cpp */
	"context size has been exceeded",     /* LM Studio */
	"exceed context window",	      /* llama-cpp-python */
	"exceeds the context window",	      /* OpenAI, newer */
	"exceeds context window",
	"maximum context length",		/* OpenAI, vLLM, OpenRouter, Mistral */
	"longer than the maximum model length", /* vLLM */
	"maximum model length",			/* vLLM */
	"maximum prompt length",		/* xAI */
	"prompt is too long",			/* Anthropic */
	"exceed context limit",			/* Anthropic */
	"input token count",			/* Gemini */
	"input is too long",			/* Bedrock */
	"max_new_tokens` must be <=",		/* text-generation-inference */
	"exceeds the model's context",
	"exceeds the context length", /* Ollama */
};

static char *clean_message(const char *text, gsize len)
{
	/* a page of HTML needn't be cleaned to its end */
	gsize head = spk_text_prefix_len(text, len, 16 * MAX_MESSAGE);
	g_autofree char *clean = spk_text_clean(text, head, SPK_CLEAN_LINE);

	return spk_text_clip(clean, MAX_MESSAGE);
}

static char *dup_clean(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		return g_strdup_printf("%" JSON_INTEGER_FORMAT,
				       json_integer_value(value));
	return json_is_string(value) ? clean_message(json_string_value(value),
						     json_string_length(value))
				     : NULL;
}

/* The object that describes the error, whatever is wrapped around it. */
static const json_t *inner_of(const json_t *body)
{
	const json_t *inner;

	if (json_is_array(body)) /* Gemini */
		body = json_array_get(body, 0);
	inner = json_object_get(body, "error");
	return json_is_object(inner) ? inner : body;
}

/* "message" is the rule; "error" and "detail" are strings on some servers. */
static char *message_of(const json_t *inner)
{
	static const char *const keys[] = { "message", "error", "detail", "msg" };
	const json_t *detail = json_array_get(json_object_get(inner, "detail"), 0);
	g_autofree char *whole = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		char *message = dup_clean(inner, keys[i]);

		if (message)
			return message;
	}
	whole = spk_json_dump(detail ? detail : inner);
	return clean_message(whole, strlen(whole));
}

void spk_fault_parse_json(SpkFault *fault, long status, const json_t *body)
{
	const json_t *inner = inner_of(body);
	gint64 code = spk_json_int(inner, "code", 0);

	fault->message = message_of(inner);
	fault->code = dup_clean(inner, "code");
	fault->type = dup_clean(inner, "type");
	fault->param = dup_clean(inner, "param");
	fault->status = !status && code >= 300 && code <= 599 ? code : status;
}

void spk_fault_parse(SpkFault *fault, long status, const char *body, gsize len)
{
	g_autoptr(json_t) json = spk_json_parse(body, len, SPK_JSON_MAX, NULL);

	if (json_is_object(json) || json_is_array(json)) {
		spk_fault_parse_json(fault, status, json);
		return;
	}
	fault->status = status;
	fault->message = clean_message(body, len);
}

void spk_fault_clear(SpkFault *fault)
{
	g_clear_pointer(&fault->message, g_free);
	g_clear_pointer(&fault->code, g_free);
	g_clear_pointer(&fault->type, g_free);
	g_clear_pointer(&fault->param, g_free);
}

static gboolean is_about_context(const SpkFault *fault)
{
	g_autofree char *all = g_strjoin(" ", fault->code ? fault->code : "",
					 fault->type ? fault->type : "", fault->message,
					 NULL);
	g_autofree char *lower = g_ascii_strdown(all, -1);

	if (fault->status == 413)
		return TRUE;
	if (fault->status == 401 || fault->status == 403 || fault->status == 429)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(context_words); i++)
		if (strstr(lower, context_words[i]))
			return TRUE;
	return FALSE;
}

static gboolean is_about_money(const SpkFault *fault)
{
	return fault->status == 402 ||
	       g_strcmp0(fault->code, "insufficient_quota") == 0 ||
	       g_strcmp0(fault->type, "insufficient_quota") == 0;
}

/* What a status means; the first row whose range holds it. In the hints SECTION and KEY stand
 * for those of the source. */
static const struct {
	long from, to;
	SpkErr code;
	gboolean never; /* though the code might be retried */
	const char *what, *hint;
} statuses[] = {
	{ 0, 0, SPK_ERR_PROVIDER, FALSE, "the server ended the answer with an error",
	  NULL },
	{ 300, 399, SPK_ERR_CONFIG, TRUE, "the server redirects elsewhere",
	  "put the final address into [SECTION] url" },
	{ 401, 401, SPK_ERR_PROVIDER_AUTH, TRUE, "the server refuses the key",
	  "check KEY (`sparks secrets list` says where it is set), and that it belongs to "
	  "[SECTION] url" },
	{ 403, 403, SPK_ERR_PROVIDER_AUTH, TRUE, "the server forbids this",
	  "check that the key may use this model" },
	{ 404, 404, SPK_ERR_CONFIG, TRUE, "the server has no such model or path",
	  "check [SECTION] model (or --model) and [SECTION] url" },
	{ 408, 409, SPK_ERR_PROVIDER, FALSE, "the server could not take the request now",
	  NULL },
	{ 429, 429, SPK_ERR_RATE_LIMITED, FALSE, "the server asks to slow down",
	  "try again later, or raise the limits of the account" },
	{ 500, 599, SPK_ERR_PROVIDER, FALSE, "the server failed", NULL },
	{ 0, G_MAXLONG, SPK_ERR_REQUEST, TRUE, "the server refuses the request", NULL },
};

/* What an error inside a stream would have had as its status, by the type it names. */
static const struct {
	const char *type;
	long status;
} types[] = {
	{ "invalid_request_error", 400 },
	{ "authentication_error", 401 },
	{ "billing_error", 402 },
	{ "permission_error", 403 },
	{ "not_found_error", 404 },
	{ "request_too_large", 413 },
	{ "rate_limit_error", 429 },
	{ "rate_limit_exceeded", 429 },
	{ "api_error", 500 },
	{ "timeout_error", 504 },
	{ "overloaded_error", 529 },
};

static long status_of(const SpkFault *fault)
{
	for (gsize i = 0; !fault->status && i < G_N_ELEMENTS(types); i++)
		if (g_strcmp0(fault->type, types[i].type) == 0 ||
		    g_strcmp0(fault->code, types[i].type) == 0)
			return types[i].status;
	return fault->status;
}

static char *make_hint(const char *pattern, const SpkFaultSource *source)
{
	g_autoptr(GString) hint = g_string_new(pattern);

	if (!pattern || !source->section)
		return NULL;
	if (source->by_file)
		g_string_replace(hint, " (or --model)", "", 0);
	g_string_replace(hint, "SECTION", source->section, 0);
	g_string_replace(hint, "KEY", source->key ? source->key : "the key", 0);
	return g_string_free(g_steal_pointer(&hint), FALSE);
}

static void set_error(GError **error, SpkErr code, const SpkFaultSource *source,
		      const char *pattern, const char *what, const SpkFault *fault)
{
	g_autofree char *hint = make_hint(pattern, source);
	g_autofree char *status = fault->status
					  ? g_strdup_printf(" (HTTP %ld)", fault->status)
					  : g_strdup("");

	spk_error_set(error, code, hint, "%s%s: %s", what, status,
		      *fault->message ? fault->message : "no more is said");
}

void spk_fault_to_error(const SpkFault *fault, const SpkFaultSource *source,
			double *ret_retry_after_s, GError **error)
{
	g_autofree char *missing = NULL;
	long status = status_of(fault);
	const char *hint;
	gsize i = 0;

	if (is_about_context(fault)) {
		set_error(error, SPK_ERR_CONTEXT_LENGTH, source,
			  "set [SECTION] context_window to what the server really has",
			  "the request is longer than the model's window", fault);
		return;
	}
	if (is_about_money(fault)) {
		set_error(error, SPK_ERR_PROVIDER_AUTH, source,
			  "check plan and billing of the account",
			  "the account has no quota left", fault);
		*ret_retry_after_s = SPK_RETRY_NEVER;
		return;
	}
	while (status < statuses[i].from || status > statuses[i].to)
		i++;
	if (statuses[i].never)
		*ret_retry_after_s = SPK_RETRY_NEVER;
	hint = statuses[i].hint;
	if (status == 404 && source->missing)
		hint = missing = g_strconcat(hint, "; ", source->missing, NULL);
	set_error(error, statuses[i].code, source, hint, statuses[i].what, fault);
}
