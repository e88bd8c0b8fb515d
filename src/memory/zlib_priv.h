/* The functions of zlib that unpacking uses, opened on first use (ADR 6). */
#ifndef SPK_MEMORY_ZLIB_PRIV_H
#define SPK_MEMORY_ZLIB_PRIV_H

#include <glib.h>
#include <zlib.h>

#define SPK_ZLIB_FUNCTIONS(X) \
	X(inflateInit2_)      \
	X(inflate)            \
	X(inflateEnd)         \
	X(crc32)

typedef struct {
#define X(name) __typeof__(name) *f_##name;
	SPK_ZLIB_FUNCTIONS(X)
#undef X
} SpkZlib;

/* The table, the same at each call; any thread. NULL: CONFIG. */
const SpkZlib *spk_zlib_get(GError **error);

#endif
