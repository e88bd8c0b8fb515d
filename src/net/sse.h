/*
 * Server-sent events (WHATWG HTML §9.2): incremental, any split of bytes, LF, CRLF or CR
 * line ends, comments, BOM, multi-line data. Bounded.
 */
#ifndef SPK_NET_SSE_H
#define SPK_NET_SSE_H

#include <glib.h>

typedef struct SpkSse SpkSse;
/* `event` is "message" unless named. FALSE with *error stops the feeding. */
typedef gboolean (*SpkSseFn)(const char *event, const char *data, gsize len,
			     gpointer user, GError **error);

/* LIMIT when one event's data passes max_event bytes. */
SpkSse *spk_sse_new(gsize max_event, SpkSseFn fn, gpointer user);
gboolean spk_sse_feed(SpkSse *sse, const char *data, gsize len, GError **error);
void spk_sse_free(SpkSse *sse);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkSse, spk_sse_free)

#endif
