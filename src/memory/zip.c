#include "memory/zip.h"

#include <string.h>

#include "base/error.h"
#include "memory/zlib_priv.h"

enum {
	END_SIZE = 22, /* of the end record, without its comment */
	COMMENT_MAX = 65535,
	CENTRAL_SIZE = 46,
	LOCAL_SIZE = 30,
	NAME_BYTES_MAX = 512,
	PIECE = 64 << 10,
};
#define END_MARK     0x06054b50u
#define CENTRAL_MARK 0x02014b50u
#define LOCAL_MARK   0x04034b50u
#define ENCRYPTED    (1u << 0)
#define STORED	     0
#define DEFLATED     8

typedef struct {
	const guint8 *at;
	gsize len;
} Bytes;

static guint32 u16(const guint8 *at)
{
	return at[0] | (guint32)at[1] << 8;
}

static guint32 u32(const guint8 *at)
{
	return u16(at) | u16(at + 2) << 16;
}

static gboolean refuse(GError **error, const char *what)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT, "get it again, or another one",
		      "the archive cannot be unpacked: %s", what);
	return FALSE;
}

/* ---- the list ---- */

/* The end record: the last place with its mark and a comment that fills the rest. */
static const guint8 *find_end(Bytes all)
{
	gsize least = all.len > END_SIZE + COMMENT_MAX ? all.len - END_SIZE - COMMENT_MAX
						       : 0;

	if (all.len < END_SIZE)
		return NULL;
	for (gsize at = all.len - END_SIZE + 1; at-- > least;)
		if (u32(all.at + at) == END_MARK &&
		    at + END_SIZE + u16(all.at + at + 20) == all.len)
			return all.at + at;
	return NULL;
}

static gboolean find_central(Bytes all, Bytes *ret, guint *ret_n, GError **error)
{
	const guint8 *end = find_end(all);
	guint32 size, offset;

	if (!end)
		return refuse(error, "it is none, or its end is missing");
	size = u32(end + 12);
	offset = u32(end + 16);
	*ret_n = u16(end + 10);
	if (u16(end + 4) || u16(end + 6) || u16(end + 8) != *ret_n)
		return refuse(error, "it is in several parts");
	if (*ret_n > SPK_ZIP_ENTRIES_MAX || offset == G_MAXUINT32)
		return refuse(error, "it has too many entries, or is of the form ZIP64");
	if (offset > (gsize)(end - all.at) || size > (gsize)(end - all.at) - offset)
		return refuse(error, "its list lies outside");
	*ret = (Bytes){ all.at + offset, size };
	return TRUE;
}

static gboolean check_name(const char *name, gsize len, GError **error)
{
	if (!len || len > NAME_BYTES_MAX || !g_utf8_validate(name, (gssize)len, NULL))
		return refuse(error, "a name in it is no text, or too long");
	for (gsize i = 0; i < len; i++)
		if (g_ascii_iscntrl(name[i]))
			return refuse(error, "a name in it has a control character");
	return TRUE;
}

static gboolean check_entry(const guint8 *head, GError **error)
{
	guint method = u16(head + 10);

	if (u16(head + 8) & ENCRYPTED)
		return refuse(error, "an entry is encrypted");
	if (method != STORED && method != DEFLATED)
		return refuse(error, "an entry is packed in a way that isn't known");
	if (u32(head + 20) == G_MAXUINT32 || u32(head + 24) == G_MAXUINT32 ||
	    u32(head + 42) == G_MAXUINT32)
		return refuse(error, "an entry is of the form ZIP64");
	return TRUE;
}

/* FALSE and *error, or one entry more and *central behind it. */
static gboolean take_entry(Bytes *central, GPtrArray *entries, GError **error)
{
	const guint8 *head = central->at;
	gsize name_len, whole;
	const char *name;
	SpkZipEntry *entry;

	if (central->len < CENTRAL_SIZE || u32(head) != CENTRAL_MARK)
		return refuse(error, "its list is cut off");
	name_len = u16(head + 28);
	whole = CENTRAL_SIZE + name_len + u16(head + 30) + u16(head + 32);
	if (whole > central->len)
		return refuse(error, "its list is cut off");
	name = (const char *)head + CENTRAL_SIZE;
	if (!check_name(name, name_len, error) || !check_entry(head, error))
		return FALSE;
	*central = (Bytes){ head + whole, central->len - whole };
	if (name[name_len - 1] == '/')
		return TRUE;
	entry = g_new0(SpkZipEntry, 1);
	*entry = (SpkZipEntry){ .name = g_strndup(name, name_len),
				.crc = u32(head + 16),
				.packed = u32(head + 20),
				.size = u32(head + 24),
				.offset = u32(head + 42),
				.method = (guint16)u16(head + 10) };
	g_ptr_array_add(entries, entry);
	return TRUE;
}

static void entry_free(gpointer data)
{
	SpkZipEntry *entry = data;

	g_free(entry->name);
	g_free(entry);
}

GPtrArray *spk_zip_list(const char *data, gsize len, GError **error)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
	Bytes all = { (const guint8 *)data, len }, central;
	guint n;

	if (!find_central(all, &central, &n, error))
		return NULL;
	for (guint i = 0; i < n; i++)
		if (!take_entry(&central, entries, error))
			return NULL;
	return g_steal_pointer(&entries);
}

/* ---- one entry ---- */

/* Where its bytes lie; what the header before them says again is not believed, but skipped. */
static gboolean find_bytes(Bytes all, const SpkZipEntry *entry, Bytes *ret,
			   GError **error)
{
	const guint8 *head;
	gsize left;

	if (entry->offset > all.len || all.len - entry->offset < LOCAL_SIZE ||
	    u32(all.at + entry->offset) != LOCAL_MARK)
		return refuse(error, "an entry is not where the list says");
	head = all.at + entry->offset;
	left = all.len - entry->offset - LOCAL_SIZE;
	if (u16(head + 26) + u16(head + 28) > left ||
	    entry->packed > left - u16(head + 26) - u16(head + 28))
		return refuse(error, "an entry is cut off");
	*ret = (Bytes){ head + LOCAL_SIZE + u16(head + 26) + u16(head + 28),
			entry->packed };
	return TRUE;
}

typedef struct {
	const SpkZlib *zlib;
	const SpkZipEntry *entry;
	SpkZipSink sink;
	gpointer user;
	guint64 written;
	uLong crc;
} Out;

static gboolean put(Out *out, const void *data, gsize len, GError **error)
{
	out->written += len;
	if (out->written > out->entry->size)
		return refuse(error, "an entry is longer than it says");
	out->crc = out->zlib->f_crc32(out->crc, data, (uInt)len);
	return !len || out->sink(data, len, out->user, error);
}

static gboolean copy(Out *out, Bytes from, GError **error)
{
	for (gsize at = 0; at < from.len; at += PIECE)
		if (!put(out, from.at + at, MIN(PIECE, from.len - at), error))
			return FALSE;
	return TRUE;
}

static gboolean inflate_all(Out *out, z_stream *stream, GError **error)
{
	g_autofree guint8 *piece = g_malloc(PIECE);
	int state;

	do {
		stream->next_out = piece;
		stream->avail_out = PIECE;
		state = out->zlib->f_inflate(stream, Z_NO_FLUSH);
		if (state != Z_OK && state != Z_STREAM_END)
			return refuse(error, "an entry is damaged");
		if (!put(out, piece, PIECE - stream->avail_out, error))
			return FALSE;
	} while (state != Z_STREAM_END);
	return TRUE;
}

static gboolean unpack(Out *out, Bytes from, GError **error)
{
	z_stream stream = { .next_in = (Bytef *)from.at, .avail_in = (uInt)from.len };
	gboolean ok;

	if (out->zlib->f_inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION,
				       (int)sizeof(stream)) != Z_OK)
		return refuse(error, "zlib cannot begin");
	ok = inflate_all(out, &stream, error);
	(void)out->zlib->f_inflateEnd(&stream); /* frees; says nothing new */
	return ok;
}

gboolean spk_zip_read(const char *data, gsize len, const SpkZipEntry *entry,
		      SpkZipSink sink, gpointer user, GError **error)
{
	Bytes all = { (const guint8 *)data, len }, from;
	Out out = {
		.zlib = spk_zlib_get(error), .entry = entry, .sink = sink, .user = user
	};

	if (!out.zlib || !find_bytes(all, entry, &from, error))
		return FALSE;
	if (!(entry->method == DEFLATED ? unpack(&out, from, error)
					: copy(&out, from, error)))
		return FALSE;
	if (out.written != entry->size || (guint32)out.crc != entry->crc)
		return refuse(error,
			      "an entry has another length or check sum than it says");
	return TRUE;
}
