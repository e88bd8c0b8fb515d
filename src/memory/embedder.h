/*
 * Text to vectors, whoever computes them: the engine of this room over a model's folder, ONNX
 * Runtime, a server with /v1/embeddings, or Ollama ([embedding] provider). Implementations stand
 * in embedder_all.c (embedder_impl.h). An SpkEmbedder may be used by many threads.
 */
#ifndef SPK_MEMORY_EMBEDDER_H
#define SPK_MEMORY_EMBEDDER_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "conf/conf.h"

typedef struct SpkEmbedder SpkEmbedder;

/* Models that were trained for it see questions and what is searched with different prefixes. */
typedef enum { SPK_EMBED_QUERY, SPK_EMBED_PASSAGE } SpkEmbedUse;

/* Dimensions of any model that is taken. */
#define SPK_EMBED_DIMS_MAX 4096

/* FALSE: [embedding] enabled says no, and nothing is missing when there is none. */
gboolean spk_embedder_is_wanted(const SpkConf *conf);

/* By the configuration; `home` (NULL: spk_fs_home()) is where caches may lie. NULL: NOT_FOUND
 * when there is no model here, with the command that gets one as hint, or when none is wanted;
 * the caller goes on without vectors. BAD_INPUT or CORRUPT: the model's files are not of their
 * form; CONFIG; of a server whose dimensions are not configured, which is asked once, PROVIDER
 * and the like as spk_embedder_embed(). */
SpkEmbedder *spk_embedder_open(const SpkConf *conf, const char *home, GError **error);
/* For somebody who waits: a server whose dimensions are not known is asked for them as by
 * spk_embedder_ask(). */
SpkEmbedder *spk_embedder_open_soon(const SpkConf *conf, const char *home,
				    gint64 patience_ms, GError **error);
/* The model in that folder, whoever computes in the configuration; no caches are made. */
SpkEmbedder *spk_embedder_open_dir(const char *dir, const SpkConf *conf, GError **error);
void spk_embedder_close(SpkEmbedder *embedder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkEmbedder, spk_embedder_close)

/* Names the model, and with it all that decides what a passage's vector is: two embedders of one
 * fingerprint give the same vectors, vectors of two fingerprints are never compared. One line of
 * ASCII, at most 200 bytes. */
const char *spk_embedder_fingerprint(const SpkEmbedder *embedder);
guint spk_embedder_dims(const SpkEmbedder *embedder);

/* n texts (any bytes; what is longer than the model reads is cut off) to n × dims floats, each
 * vector of length 1. Invalid UTF-8 is taken for U+FFFD or dropped. PROVIDER, PROVIDER_AUTH,
 * REQUEST, PROVIDER_REPLY (another count, other dimensions, values that are no numbers),
 * RATE_LIMITED, TIMEOUT, CANCELLED; nothing of *ret is to be used then. */
gboolean spk_embedder_embed(SpkEmbedder *embedder, const char *const *texts, gsize n,
			    SpkEmbedUse use, float *ret, SpkCancel *cancel,
			    GError **error);

/* The same for somebody who waits: a server gets `patience_ms`, and one that did not answer in time is
 * not asked at all for SPK_EMBED_SILENCE_S (embed_silence.h): TIMEOUT. 0: as above. */
gboolean spk_embedder_ask(SpkEmbedder *embedder, const char *const *texts, gsize n,
			  SpkEmbedUse use, float *ret, gint64 patience_ms,
			  SpkCancel *cancel, GError **error);

/* For people and `sparks memory model show`: {"provider","model","engine","isa","dims","pooling",
 * "max_tokens","precision","query_prefix","passage_prefix","folder","url","bytes","fingerprint"};
 * what doesn't apply is null. */
json_t *spk_embedder_describe(const SpkEmbedder *embedder);

/* Says once in the life of the process, by the log, that search goes by words alone, and why.
 * Nothing when none is wanted. */
void spk_embedder_warn(const SpkConf *conf, const GError *why);
/* Who runs tasks tells it at their end: from now on that there is no model (NOT_FOUND) is no
 * warning. Any thread. */
void spk_embedder_hush(void);

#endif
