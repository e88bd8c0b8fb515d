/*
 * The archive of a model: the one that is pinned here, from where this machine gets Python
 * packages (pip_conf.h), or what the user named.
 */
#ifndef SPK_MEMORY_MODEL_GET_H
#define SPK_MEMORY_MODEL_GET_H

#include "memory/model_source.h"

/* What is installed where nothing is named. */
typedef struct {
	const char *name;    /* of the model */
	const char *project; /* of the package index */
	const char *version, *file, *sha256;
	guint64 bytes;
} SpkModelPinned;

extern const SpkModelPinned spk_model_pinned;

/* What the names of downloads begin with. */
#define SPK_MODEL_PART ".download-"

typedef struct {
	const char *from;   /* URL, file or folder; NULL: the pinned one */
	const char *sha256; /* of the archive; NULL: unknown */
	const char *dir;    /* where a download may lie */
	SpkModelProgress progress;
	gpointer user;
} SpkModelGet;

typedef struct {
	char *path;	  /* archive or folder */
	char *from;	  /* where it is from, without secrets, for people */
	char *sha256;	  /* of the archive; NULL: a folder */
	char *name;	  /* of the model, as far as its address says; NULL */
	gboolean is_ours; /* a download, to be removed in the end */
} SpkModelGot;

void spk_model_got_clear(SpkModelGot *got);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkModelGot, spk_model_got_clear)

/* NOT_FOUND: no index or no such file; USAGE: http to another machine without SHA-256; CORRUPT:
 * another SHA-256; else as spk_fetch_file(). */
gboolean spk_model_get(const SpkModelGet *get, SpkModelGot *ret, SpkCancel *cancel,
		       GError **error);

#endif
