/*
 * A model put into its place, [embedding] model_dir: got (model_get.h), unpacked beside it, opened
 * and tried, and only then exchanged for what was there, in one step. Two installs wait for each
 * other; what a killed one left is swept up by the next, its download gone on with.
 */
#ifndef SPK_MEMORY_MODEL_INSTALL_H
#define SPK_MEMORY_MODEL_INSTALL_H

#include <jansson.h>

#include "conf/conf.h"
#include "memory/model_source.h"

typedef struct {
	const SpkConf *conf;
	const char *from;   /* folder, archive or URL; NULL: the pinned model */
	const char *sha256; /* of the archive; NULL */
	const char *name;   /* of the model; NULL: what its source says */
	gboolean force;	    /* the pinned one too, when it is there already */
	SpkModelProgress progress;
	gpointer user;
} SpkModelInstall;

typedef struct {
	char *dir, *from;
	gboolean was_there; /* nothing had to be done */
	json_t *model;	    /* spk_embedder_describe() */
} SpkModelInstalled;

void spk_model_installed_clear(SpkModelInstalled *installed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkModelInstalled, spk_model_installed_clear)

/* As spk_model_get(), spk_model_unpack(), spk_embedder_open(); CONFLICT: model_dir holds something
 * that is no model. After an error model_dir is as it was. */
gboolean spk_model_install(const SpkModelInstall *install, SpkModelInstalled *ret,
			   SpkCancel *cancel, GError **error);

#endif
