/*
 * A wire: how one request and its streamed answer look on a server's side. server.c brings
 * them there and back, the same for all.
 */
#ifndef SPK_LLM_WIRE_PRIV_H
#define SPK_LLM_WIRE_PRIV_H

#include "llm/answer_priv.h"
#include "llm/llm_impl.h"
#include "llm/quirks_priv.h"

/* What a request has beside its messages. */
typedef struct {
	const char *model;
	double temperature;
	gint64 max_tokens;	      /* of the answer; 0: the server's own limit */
	gint64 context_window;	      /* tokens */
	const char *effort, *summary; /* of reasoning; "": not asked for */
	guint quirks;		      /* SpkQuirk */
} SpkWireParams;

struct SpkWire {
	const char *name;    /* "chat_completions", as in api_style */
	const char *what;    /* "a chat completions API", for errors */
	const char *root;    /* what an address without a path is completed with: "/v1" */
	const char *instead; /* a path that people write in its place, or NULL */
	const char *path;    /* of requests, below that */
	const char *list;    /* of the list of models */
	const char *key_header; /* before the key: "Authorization: Bearer " */
	const char *extra;	/* one more header, or NULL */
	const char *missing;	/* what to do when there is no such model, or NULL */
	guint can;		/* SpkCan */
	gboolean lines;		/* streams a JSON object per line, no events */
	/* Of a request. What is the same in each request of a task (model, parameters, tools,
	 * system prompt) stands first, byte for byte, so that servers can reuse what they
	 * computed for it. */
	json_t *(*body)(const SpkWireParams *params, const SpkLlmRequest *request);
	/* One event of the stream, or the whole of an answer that isn't streamed. */
	gboolean (*take)(SpkAnswer *answer, const json_t *event, GError **error);
};

extern const SpkWire spk_wire_chat;
extern const SpkWire spk_wire_responses;
extern const SpkWire spk_wire_messages;
extern const SpkWire spk_wire_ollama;

#endif
