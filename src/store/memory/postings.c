#include "store/memory/postings.h"

#include <string.h>

#define HEAD	  4
#define MIN_BYTES 3  /* of a posting */
#define MAX_INT	  10 /* bytes of a variable-length integer of 64 bits */

/* FNV-1a over words of 8 bytes, folded: finds what a disk or a stray write does, no forger. */
static guint32 checksum(const guint8 *data, gsize len, gint64 first)
{
	guint64 hash = 0xcbf29ce484222325u ^ (guint64)first;

	while (len > 0) {
		gsize n = MIN(len, 8);
		guint64 word = 0;

		memcpy(&word, data, n);
		hash = (hash ^ GUINT64_FROM_LE(word)) * 0x100000001b3u;
		hash ^= hash >> 29;
		data += n;
		len -= n;
	}
	return (guint32)(hash ^ (hash >> 32));
}

static gboolean get_int(const guint8 **at, const guint8 *end, guint64 *ret)
{
	guint64 value = 0;

	for (guint shift = 0; *at < end && shift < 64; shift += 7) {
		guint8 byte = *(*at)++;

		value |= (guint64)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return TRUE;
		}
	}
	return FALSE;
}

static gsize put_int(guint8 *to, guint64 value)
{
	gsize n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (guint8)(value | 0x80);
	to[n++] = (guint8)value;
	return n;
}

static gboolean get_small(const guint8 **at, const guint8 *end, guint32 *ret)
{
	guint64 value;

	if (!get_int(at, end, &value) || value > G_MAXUINT32)
		return FALSE;
	*ret = (guint32)value;
	return TRUE;
}

static gboolean get_posting(const guint8 **at, const guint8 *end, SpkPosting *posting,
			    gboolean is_first)
{
	guint64 step, n;

	if (!get_int(at, end, &step) || !get_int(at, end, &n) || n >> 1 == 0 ||
	    n >> 1 > G_MAXUINT32 || (is_first ? step != 0 || !(n & 1) : step == 0) ||
	    step > (guint64)(G_MAXINT64 - posting->num))
		return FALSE;
	posting->num += (gint64)step;
	posting->n = (guint32)(n >> 1);
	if ((n & 1) &&
	    (!get_small(at, end, &posting->scope) || !get_small(at, end, &posting->kind)))
		return FALSE;
	return get_small(at, end, &posting->length);
}

gboolean spk_postings_read(const void *block, gsize len, gint64 first, GArray *postings)
{
	const guint8 *data = block, *at = data + HEAD, *end = data + len;
	SpkPosting posting = { .num = first }, *out;
	guint before = postings->len, n;
	guint32 sum;

	if (len <= HEAD || first <= 0)
		return FALSE;
	memcpy(&sum, data, HEAD);
	if (GUINT32_FROM_LE(sum) != checksum(at, len - HEAD, first))
		return FALSE;
	/* room for all at once: each has three bytes or more */
	g_array_set_size(postings, before + (guint)(len / MIN_BYTES) + 1);
	out = &g_array_index(postings, SpkPosting, before);
	for (n = 0; at < end; n++) {
		if (!get_posting(&at, end, &posting, n == 0)) {
			g_array_set_size(postings, before);
			return FALSE;
		}
		out[n] = posting;
	}
	g_array_set_size(postings, before + n);
	return TRUE;
}

static gsize pack(guint8 *to, const SpkPosting *posting, const SpkPosting *before)
{
	gboolean place = !before || before->scope != posting->scope ||
			 before->kind != posting->kind;
	gsize n = put_int(to, before ? (guint64)(posting->num - before->num) : 0);

	n += put_int(to + n, (guint64)posting->n << 1 | place);
	if (place) {
		n += put_int(to + n, posting->scope);
		n += put_int(to + n, posting->kind);
	}
	return n + put_int(to + n, posting->length);
}

gsize spk_postings_write(const SpkPosting *postings, gsize n, GByteArray *block)
{
	guint8 packed[5 * MAX_INT];
	guint32 sum = 0;
	gsize i;

	g_byte_array_set_size(block, 0);
	g_byte_array_append(block, (const guint8 *)&sum, HEAD);
	for (i = 0; i < n; i++) {
		gsize len = pack(packed, &postings[i], i ? &postings[i - 1] : NULL);

		if (i && block->len + len > SPK_POSTINGS_BYTES)
			break;
		g_byte_array_append(block, packed, (guint)len);
	}
	sum = GUINT32_TO_LE(
		checksum(block->data + HEAD, block->len - HEAD, postings[0].num));
	memcpy(block->data, &sum, HEAD);
	return i;
}
