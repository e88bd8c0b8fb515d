/*
 * A server of embeddings that did not answer in time, remembered for a little while in a small file
 * below SPARKS_HOME: who has somebody waiting does not ask it again at once, whatever process that
 * is. May be deleted.
 */
#ifndef SPK_MEMORY_EMBED_SILENCE_H
#define SPK_MEMORY_EMBED_SILENCE_H

#include <glib.h>

#define SPK_EMBED_SILENCE_S 30

/* `home` NULL: nothing is remembered. `server` names it; one line. */
gboolean spk_embed_is_silent(const char *home, const char *server);
/* What fails is not worth a word. */
void spk_embed_set_silent(const char *home, const char *server, gboolean silent);

#endif
