/*
 * What is said to servers that embed, and what they answer: OpenAI's /v1/embeddings
 * (platform.openai.com/docs/api-reference/embeddings), Ollama's /api/embed
 * (github.com/ollama/ollama, docs/api.md). Pure functions.
 */
#ifndef SPK_MEMORY_EMBED_WIRE_H
#define SPK_MEMORY_EMBED_WIRE_H

#include <glib.h>

#include "llm/address.h"

typedef struct {
	const char *name; /* of the provider, and of the section with its usual address */
	const char *url;  /* that address, where nothing is set */
	const char *key;  /* variable of its key; NULL: takes none */
	const char *missing; /* what to do when there is no such model, or NULL */
	const char *list;    /* where the vectors are in the answer: "data" */
	const char
		*vector; /* where in each of them: "embedding"; NULL: it is the vector */
	SpkAddressForm form;
} SpkEmbedWire;

extern const SpkEmbedWire spk_embed_wire_openai;
extern const SpkEmbedWire spk_embed_wire_ollama;

/* Body of a request; dims 0: not asked for. `texts` are valid UTF-8. */
char *spk_embed_wire_body(const SpkEmbedWire *wire, const char *model, guint dims,
			  const char *const *texts, gsize n);
/* The longest answer that is taken. */
gsize spk_embed_wire_max(gsize n, guint dims);
/* n vectors appended to `ret` (floats), in the order of the texts. *dims: 0 (any, set then) or
 * what each must have. PROVIDER_REPLY: not of the form, another count, other dimensions, a value
 * that is no finite number. */
gboolean spk_embed_wire_parse(const SpkEmbedWire *wire, const char *text, gsize len,
			      gsize n, guint *dims, GArray *ret, GError **error);

#endif
