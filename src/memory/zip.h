/*
 * Archives of hostile origin (.whl, .jar, .zip), read from memory: the list of what is in them, and
 * the bytes of one. Names are only looked at; where something is written is never theirs to say.
 * Stored and deflated entries of up to 4 GiB are known (PKWARE's APPNOTE 6.3.10), no encryption, no
 * ZIP64, no archive in parts. Pure functions but for the sink; any thread.
 */
#ifndef SPK_MEMORY_ZIP_H
#define SPK_MEMORY_ZIP_H

#include <glib.h>

typedef struct {
	char *name; /* as it stands there; UTF-8, no controls */
	guint32 crc;
	guint32 packed, size; /* bytes */
	guint32 offset;	      /* of its header, in the archive */
	guint16 method;	      /* 0: stored, 8: deflated */
} SpkZipEntry;

#define SPK_ZIP_ENTRIES_MAX 4096

/* SpkZipEntry of all files (folders are left out), in the archive's order. BAD_INPUT: not of the
 * form, truncated, one of what is not known above, or a name that is no text. */
GPtrArray *spk_zip_list(const char *data, gsize len, GError **error);

/* Takes a piece; FALSE and *error: no more. */
typedef gboolean (*SpkZipSink)(const void *data, gsize len, gpointer user,
			       GError **error);

/* The bytes of an entry. BAD_INPUT: more or fewer than `size`, or of another check sum. */
gboolean spk_zip_read(const char *data, gsize len, const SpkZipEntry *entry,
		      SpkZipSink sink, gpointer user, GError **error);

#endif
