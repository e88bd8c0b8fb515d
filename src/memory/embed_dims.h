/*
 * Dimensions of the models that servers have, as they were seen: a small file below SPARKS_HOME,
 * so that opening asks nobody. A cache: may be deleted, and is made anew.
 */
#ifndef SPK_MEMORY_EMBED_DIMS_H
#define SPK_MEMORY_EMBED_DIMS_H

#include <glib.h>

/* `home` NULL: NULL, and nothing is kept. */
char *spk_embed_dims_path(const char *home);
/* 0: not known. */
guint spk_embed_dims_get(const char *path, const char *provider, const char *url,
			 const char *model);
/* dims 0: forgotten. What fails is not worth a word. */
void spk_embed_dims_set(const char *path, const char *provider, const char *url,
			const char *model, guint dims);

#endif
