/*
 * Takes secrets out of a stream, wherever it is cut: each of their bytes becomes a star, so that
 * no length changes. Each character may be written as it is, percent-encoded, escaped as in JSON
 * or in HTML, some so and some otherwise. What could be a secret's beginning is held back, at most
 * eight times the longest one. One thread uses an object.
 */
#ifndef SPK_NET_STRIP_H
#define SPK_NET_STRIP_H

#include <glib.h>

typedef struct {
	const GPtrArray *secrets; /* char*, none empty; borrowed */
	GByteArray *held;	  /* bytes as they came */
	gboolean begins[256];	  /* bytes that a secret can begin with */
	gsize longest;		  /* of them, however it is written */
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
