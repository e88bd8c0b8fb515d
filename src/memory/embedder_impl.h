/*
 * For those who implement an embedder. Each is one `const struct` in a row of embedder_all.c; its
 * name is the value of [embedding] provider. Prefixes, batches, the length of the vectors and the
 * checks of what comes back are embedder.c's.
 */
#ifndef SPK_MEMORY_EMBEDDER_IMPL_H
#define SPK_MEMORY_EMBEDDER_IMPL_H

#include "memory/embedder.h"

/* What an open embedder says of itself; strings are allocated, NULL where they don't apply. */
typedef struct {
	char *model;	/* as people know it: "all-MiniLM-L6-v2" */
	char *identity; /* all that decides about its vectors but dims and passage_prefix */
	char *engine;	/* "own engine", "ONNX Runtime 1.32.0", "server" */
	char *isa;	/* instructions in use: "avx2" */
	char *pooling; /* "mean", "cls" */
	char *precision;
	char *folder, *url; /* where it is; one of them */
	char *query_prefix, *passage_prefix;
	guint dims;	  /* 0: not known before the first answer */
	guint max_tokens; /* of a text; 0: the server decides */
	guint64 bytes;	  /* of its weights; 0: not here */
	gboolean remote;  /* texts leave this process: secrets are taken out before */
} SpkEmbedInfo;

void spk_embed_info_clear(SpkEmbedInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkEmbedInfo, spk_embed_info_clear)

typedef struct {
	const SpkConf *conf;
	const char *dir;    /* folder of the model, for those that need one */
	const char *home;   /* where caches may lie; NULL: nowhere */
	gint64 patience_ms; /* as spk_embedder_ask() */
} SpkEmbedSetup;

typedef struct {
	const char *name;
	guint batch; /* texts of one call of embed(), at most */
	/* Mandatory. Contacts nobody. *info is empty at first, and cleared by the caller. */
	gpointer (*open)(const SpkEmbedSetup *setup, SpkEmbedInfo *info, GError **error);
	/* Mandatory; any thread. 1 to `batch` texts, valid UTF-8 where the embedder is remote.
	 * *dims is 0 (any, set on success) or what each vector must have; `ret` gets n × *dims
	 * floats, of any length. */
	gboolean (*embed)(gpointer self, const char *const *texts, gsize n, guint *dims,
			  GArray *ret, SpkCancel *cancel, GError **error);
	void (*close)(gpointer self); /* mandatory */
} SpkEmbedImpl;

/* embedder_all.c: NULL-terminated. */
extern const SpkEmbedImpl *const spk_embed_impls[];

#endif
