#include "memory/index/file_priv.h"

#include <string.h>

/* Odd numbers with as many ones as zeros; any would do. */
#define STIR G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)
#define MIX  G_GUINT64_CONSTANT(0xd6e8feb86659fd93)

static inline guint64 stir(guint64 lane, guint64 word)
{
	lane = (lane ^ word) * STIR;
	return lane ^ lane >> 29;
}

/* Four lanes, so that no multiplication waits for the one before. */
guint64 index_sum(guint64 sum, const guint8 *piece, gsize size)
{
	guint64 lanes[4] = { sum, sum ^ MIX, ~sum, sum + STIR }, words[4];

	for (gsize at = 0; at + sizeof(words) <= size; at += sizeof(words)) {
		memcpy(words, piece + at, sizeof(words));
		for (int i = 0; i < 4; i++)
			lanes[i] = stir(lanes[i], words[i]);
	}
	for (int i = 0; i < 4; i++)
		sum = (stir(sum, lanes[i]) ^ size) * MIX;
	return sum;
}

guint64 index_sum_of(const guint8 *bytes, gsize size)
{
	g_autofree guint8 *last = g_malloc0(INDEX_PIECE);
	guint64 sum = 0;

	for (; size >= INDEX_PIECE; bytes += INDEX_PIECE, size -= INDEX_PIECE)
		sum = index_sum(sum, bytes, INDEX_PIECE);
	if (size) {
		memcpy(last, bytes, size);
		sum = index_sum(sum, last, INDEX_PIECE);
	}
	return sum;
}
