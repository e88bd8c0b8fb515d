/*
 * Where the body of an HTTP message ends, and what of it is data (RFC 9112 §6, §7.1). Pure
 * functions; any thread.
 */
#ifndef SPK_NET_BODY_H
#define SPK_NET_BODY_H

#include <glib.h>

typedef enum {
	SPK_BODY_NONE,
	SPK_BODY_LENGTH,
	SPK_BODY_CHUNKED,
	SPK_BODY_CLOSE, /* to the end of the connection: only answers are like that */
} SpkBodyKind;

typedef struct {
	SpkBodyKind kind;
	guint64 left; /* of the length, or of the chunk */
	int state;
	guint line; /* bytes of the line so far, of all trailers */
	/* Extensions of chunks and trailers are skipped, as of a server; else refused. */
	gboolean lenient;
	gboolean ended;
} SpkBody;
void spk_body_init(SpkBody *body, SpkBodyKind kind, guint64 length);
/* How many of the bytes belong to the body; those behind it are another's. `ended` tells when
 * it is whole. -1: it is not of its form. Adds what is data to `data`, unless that is NULL. */
gssize spk_body_take(SpkBody *body, const char *bytes, gsize len, GByteArray *data);

#endif
