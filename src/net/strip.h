/*
 * Takes secrets out of a stream, wherever it is cut: each of their bytes becomes a star, so that
 * no length changes. At most the longest secret less one byte is held back, and only while what
 * came last could be its beginning. One thread uses an object.
 */
#ifndef SPK_NET_STRIP_H
#define SPK_NET_STRIP_H

#include <glib.h>

typedef struct {
	const GPtrArray *secrets; /* char*, none empty; borrowed */
	GByteArray *held;	  /* bytes as they came */
	gsize covered; /* of these, from the first: of a secret that began before them */
} SpkStrip;

void spk_strip_init(SpkStrip *strip, const GPtrArray *secrets);
void spk_strip_clear(SpkStrip *strip);
/* Adds to `out` what is known to be clean. */
void spk_strip_feed(SpkStrip *strip, const void *bytes, gsize len, GByteArray *out);
/* Adds the rest: the stream is over. */
void spk_strip_end(SpkStrip *strip, GByteArray *out);
/* A text that is whole, in place. */
void spk_strip_text(SpkStrip *strip, char *text, gsize len);

#endif
