/*
 * The model client. Callers speak one neutral form whatever the wire: messages and tools are
 * JSON in the shape of OpenAI chat completions (role system|user|assistant|tool, tool_calls,
 * tool_call_id). An SpkLlm may be used by many threads. Providers implement llm/llm_impl.h;
 * retry wraps them all.
 */
#ifndef SPK_LLM_LLM_H
#define SPK_LLM_LLM_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "conf/conf.h"
#include "guard/redact.h"

typedef struct SpkLlm SpkLlm;

typedef struct {
	/* Tokens; -1: the server didn't say. `input` counts all of the request, the two that
	 * follow `output` are parts of it: read from the server's cache, written into it. */
	gint64 input, output, cached, cache_write;
	/* What the provider says that it charged, nano-USD, where it does (is_charged). */
	gint64 charged;
	gboolean is_charged;
} SpkUsage;

/* A provider and its model; the names are valid as long as the SpkLlm. */
typedef struct {
	const char *provider, *model; /* "openai", "gpt-5-mini" */
	gint64 max_output;	      /* tokens of the longest answer asked for */
	gboolean
		local; /* a script, or a server on this machine or in a private network */
} SpkLlmWho;

/* Whoever pays. One call may ask more than once: a malformed answer is explained back, and
 * another provider may take over. */
typedef struct {
	/* Before each request that is as long as the call's own; `spent` is what requests to
	 * this provider have taken in this call so far. FALSE, *error set: it is not asked, and
	 * the call ends with that error. */
	gboolean (*admit)(const SpkLlmWho *who, const SpkUsage *spent, gpointer user,
			  GError **error);
	/* After admit(), instead of an answer: `spent` as above, without the request that
	 * failed, and why it did; NULL: all before one that was not admitted. Another provider
	 * may be asked after that. */
	void (*failed)(const SpkLlmWho *who, const SpkUsage *spent, const GError *why,
		       gpointer user);
	/* A small question of ours, which finds out what the model can do, was answered. NULL:
	 * what it took counts as the call's own. */
	void (*probed)(const SpkLlmWho *who, const SpkUsage *usage, gpointer user);
	gpointer user;
} SpkLlmGate;

typedef struct {
	json_t *messages; /* array; messages[0] is the system prompt */
	json_t *tools;	  /* array of {"type":"function","function":{…}} or NULL */
	guint turn;	  /* 0, 1, 2 ... of the task: how many answers it already has */
	const char *purpose; /* "main", ... ; NULL: main */
	guint attempt;	     /* 0, or more when the caller asks again; +1 per retry */
	/* JSON Schema that the answer's text must follow, held by the server where the provider
	 * can (llm_impl.h, SPK_CAN_SCHEMA), else ignored; NULL: free text. */
	json_t *schema;
	gint64 max_output; /* tokens of the answer at most; 0: as the model is configured */
	const SpkLlmGate *gate; /* NULL: nobody is asked */
	/* Keeps what tool calls hold that has the shape of a secret, for who runs them; NULL: it is
	 * gone. */
	SpkVault *vault;
} SpkLlmRequest;

typedef struct {
	char *text; /* "" when none */
	/* Array of {"id","name","arguments": string as sent}; never NULL, no name is empty. A
	 * server that gives no id gets "call_TURN_N". At most 128, 1 MiB of arguments each. */
	json_t *tool_calls;
	/* "stop" | "tool_calls" (whenever there are some and nothing was cut) | "length" |
	 * "content_filter" | other */
	char *finish;
	char *model; /* as the server names it; NULL */
	/* Array of why earlier answers to this call were not of the form, each explained back;
	 * NULL: none was. */
	json_t *explained;
	SpkUsage usage; /* of all that was asked of the provider that answered */
	SpkLlmWho who;	/* answered */
	guint attempts; /* 1: no retry was needed */
	double seconds; /* all attempts and the waiting between them */
	double first_token_seconds; /* of the attempt that worked */
} SpkLlmReply;

void spk_llm_reply_clear(SpkLlmReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkLlmReply, spk_llm_reply_clear)

typedef struct {
	/* Text pieces as they stream; NULL: not wanted. Called in the calling thread. Before
	 * each retry `on_restart` says why and that earlier pieces are void. */
	void (*on_text)(const char *piece, gpointer user);
	void (*on_restart)(const char *why, gpointer user);
	gpointer user;
} SpkLlmSink;

/* `model`: NULL (from the configuration), "PROVIDER:NAME" ("script:FILE"), or "NAME" of the
 * configured provider. Nobody is contacted, but where nothing at all is configured: then the
 * servers of [llm] local_servers are, 300 ms in all. CONFIG with the ways to go on when there
 * is none. */
SpkLlm *spk_llm_open(SpkConf *conf, const char *model, GError **error);
void spk_llm_free(SpkLlm *llm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLlm, spk_llm_free)
const char *spk_llm_provider(SpkLlm *llm); /* "openai", "script" */
const char *spk_llm_model(SpkLlm *llm);
gint64 spk_llm_context_window(SpkLlm *llm); /* tokens, answer included */
/* Where that is known from: "configuration", "server", "its name" (of the model), "default". */
const char *spk_llm_window_from(SpkLlm *llm);
/* How tools are called: "by itself", "in text", or "not known yet" (before the first answer of
 * a model here). */
const char *spk_llm_tools(SpkLlm *llm);
/* Asks a server of one's own, for 2 s, how large its window is, unless the configuration says;
 * nothing happens when it doesn't answer. To be called once before the first request. */
void spk_llm_learn(SpkLlm *llm, SpkCancel *cancel);
/* Who would be asked now: the first choice until another has taken over. */
SpkLlmWho spk_llm_who(SpkLlm *llm);

/* One answer, retried where that may help (base/error.h says which; Retry-After obeyed,
 * jittered exponential back-off, `[llm] max_retries`). PROVIDER, PROVIDER_AUTH,
 * REQUEST (what it refuses no other provider is asked), PROVIDER_REPLY, CONTEXT_LENGTH, RATE_LIMITED, TIMEOUT, CANCELLED, REPLAY_DIFFERS, CONFIG
 * (no such model or URL), LIMIT (an answer of more than 4 MiB). */
gboolean spk_llm_complete(SpkLlm *llm, const SpkLlmRequest *request,
			  const SpkLlmSink *sink, SpkCancel *cancel,
			  SpkLlmReply *ret_reply, GError **error);
/* One cheap request that tells whether the server answers and takes the key (doctor).
 * NOT_FOUND: it answers, but doesn't list its models, as some don't, or the URL is wrong. */
gboolean spk_llm_ping(SpkLlm *llm, SpkCancel *cancel, GError **error);

/* The model of a purpose besides the work ("classifier", "summary", "verify"), as
 * spk_llm_open() takes it, allocated: [llm] PURPOSE_model, else PURPOSE_model of the provider
 * that `model` (as above) leads to, where that has such an option. NULL: none is configured. */
char *spk_llm_model_for(SpkConf *conf, const char *purpose, const char *model);

/* Names of the models that its server lists, NULL-terminated; NULL: as spk_llm_ping() fails,
 * USAGE when the provider has no list. */
char **spk_llm_models(SpkLlm *llm, SpkCancel *cancel, GError **error);

/* SHA-256 of the byte-stable part of a request: messages[0] and tools, canonical JSON. */
char *spk_llm_prefix_hash(const SpkLlmRequest *request);

/* Rough tokens of JSON (messages, tools): bytes of its compact form / 4, rounded up (no
 * tokenizer here); 0 for NULL. */
gint64 spk_llm_estimate_tokens(const json_t *messages);

#endif
