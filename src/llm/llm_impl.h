/*
 * For those who implement a provider, and for what chooses among them. A provider is a row of
 * the table in llm_all.c: its name is also its section of the configuration. Rows may share
 * an implementation, as all that ask a server over HTTP do (server.c); they differ in
 * address, key and wire then.
 */
#ifndef SPK_LLM_LLM_IMPL_H
#define SPK_LLM_LLM_IMPL_H

#include "llm/llm.h"

/* What an attempt says of trying again, beside the seconds a server asks for. */
#define SPK_RETRY_DEFAULT (-1.0) /* as the table of base/error.h has it for the code */
#define SPK_RETRY_NEVER	  (-2.0) /* the same request would fail the same way */

/* What a model behind a provider may be asked for; a provider whose wire has it says so, and
 * whether the model at hand really can is found out above it. */
typedef enum {
	SPK_CAN_TOOLS = 1 << 0,	 /* tool calls of the wire's own */
	SPK_CAN_SCHEMA = 1 << 1, /* SpkLlmRequest.schema is held by the server */
} SpkCan;

/* What the configuration says of a provider; nobody is asked for it. */
typedef struct {
	gboolean configured; /* there is a key, an address or a model of its own */
	gboolean local; /* this machine or a private network, by the address's spelling */
	char *url;	/* where requests would go; NULL: nowhere (a play) */
} SpkProviderState;

void spk_provider_state_clear(SpkProviderState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkProviderState, spk_provider_state_clear)

/* A model that is open: valid until close(), and the same all the time. */
typedef struct {
	const char *model;
	const char *url; /* the base of its requests, without secrets; "" for a play */
	gboolean local;	 /* as above, for that URL */
	guint can;	 /* SpkCan */
	/* Tokens: what it can look at, answer included, and the longest answer that is asked
	 * of it. From the configuration, else as the model's name is known to have. */
	gint64 context_window, max_output;
	const char *window_from; /* "configuration", "its name", "default" */
} SpkModelInfo;

/* One of the models that a server lists. */
typedef struct {
	char *id;
	gint64 context_window; /* tokens; 0: the server doesn't say */
} SpkModelEntry;

void spk_model_entry_free(SpkModelEntry *entry);

typedef struct SpkProvider SpkProvider;

typedef struct {
	/* mandatory; FALSE when its part of the configuration is wrong */
	gboolean (*describe)(const SpkProvider *row, SpkConf *conf,
			     SpkProviderState *ret_state, GError **error);
	/* mandatory; `model` is what follows the provider in --model, or NULL. Contacts
	 * nobody. CONFIG when something is missing, with what to do about it. */
	gpointer (*open)(const SpkProvider *row, SpkConf *conf, const char *model,
			 GError **error);
	/* mandatory; one attempt, no retry. *ret_retry_after_s (also set on failure): one of
	 * the above or what the server asks for. `attempts` and `seconds` are not its to fill. */
	gboolean (*complete)(gpointer self, const SpkLlmRequest *request,
			     const SpkLlmSink *sink, SpkCancel *cancel,
			     SpkLlmReply *ret_reply, double *ret_retry_after_s,
			     GError **error);
	gboolean (*ping)(gpointer self, SpkCancel *cancel, GError **error); /* optional */
	/* optional: SpkModelEntry of the models the server has, at most 1000; NULL: as
	 * spk_llm_ping() fails */
	GPtrArray *(*models)(gpointer self, SpkCancel *cancel, GError **error);
	/* optional: tokens of the window that the server makes room for; 0: it doesn't say */
	gint64 (*window)(gpointer self, SpkCancel *cancel);
	const SpkModelInfo *(*info)(gpointer self); /* mandatory */
	void (*close)(gpointer self);		    /* mandatory */
} SpkProviderImpl;

typedef struct SpkWire SpkWire; /* wire_priv.h */

/* By the start of a model's name; the last row has a NULL start. */
typedef struct {
	const char *start;
	const SpkWire *wire; /* NULL: one that is not built */
} SpkWireOf;

struct SpkProvider {
	const char *name; /* of the configuration's section, too */
	const SpkProviderImpl *impl;
	/* ---- of servers ---- */
	const char *url;     /* unless [name] url says otherwise */
	const char *key;     /* variable of its key; NULL: takes none */
	const SpkWire *wire; /* NULL: [name] api_style says */
	/* Models that are served over another wire; NULL: none. */
	const SpkWireOf *by_model;
	/* Its answers say what they cost, in USD, and are believed (usage.cost). */
	gboolean tells_cost;
};

/* llm_all.c: ends with a NULL name; the order of the fallback (reference: openai, ollama,
 * openrouter, zen). */
extern const SpkProvider spk_providers[];

/* The row of that name, or NULL. */
const SpkProvider *spk_provider_find(const char *name, gsize len);

/* Whether a host is this machine or in a private network, by its spelling: loopback and
 * private addresses (RFC 1918, 4193, 6598, link-local), "localhost", names without a dot, and
 * names that only a private network has (.local, .lan, .internal, .home.arpa). */
gboolean spk_host_is_local(const char *host);

#endif
