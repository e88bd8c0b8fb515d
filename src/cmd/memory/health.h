/*
 * Whether what belongs together agrees: rows, words, vectors, the model, the saved index. And what
 * mends it: all but the rows can be made anew out of them.
 */
#ifndef SPK_CMD_MEMORY_HEALTH_H
#define SPK_CMD_MEMORY_HEALTH_H

#include "cmd/findings.h"
#include "memory/memory.h"

typedef struct {
	SpkStore *store;
	SpkMemory *memory;
	SpkConf *conf;
	const char *home;
	SpkCancel *cancel; /* may be NULL */
	gboolean dont_ask; /* the model, which may be on a server */
} SpkHealth;

/* How many active ones have no vector of the model in force; all where there is no model. */
gboolean spk_health_without_vector(const SpkHealth *health, gint64 *ret_n,
				   GError **error);
/* How many vectors of other models there are; all where none is in force. */
gboolean spk_health_other_vectors(const SpkHealth *health, gint64 *ret_n, GError **error);
/* Bytes of the saved index; -1: there is none. */
gint64 spk_health_index_bytes(const SpkHealth *health);

SpkFinding spk_health_rows(const SpkHealth *health);
SpkFinding spk_health_words(const SpkHealth *health);
SpkFinding spk_health_model(const SpkHealth *health);
SpkFinding spk_health_vectors(const SpkHealth *health);
/* Each vector of the saved index against the one in the table. */
SpkFinding spk_health_index(const SpkHealth *health);
/* All in one row of `sparks doctor`, without reading every vector. */
SpkFinding spk_health_summary(const SpkHealth *health);

typedef struct {
	guint made;	   /* vectors */
	guint left;	   /* memories still without one */
	gboolean no_model; /* there is none: searches go by words alone */
} SpkMended;
/* Words and index anew, and the vectors that are missing. What a cancel left is made later. */
gboolean spk_health_mend(const SpkHealth *health, SpkMended *ret, GError **error);

#endif
