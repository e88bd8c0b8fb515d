/*
 * What a command writes, kept within bounds: the first bytes in memory, all of it in a file
 * once there are more, and the SHA-256 of everything. One thread.
 */
#ifndef SPK_NET_OUTPUT_H
#define SPK_NET_OUTPUT_H

#include <glib.h>

typedef struct {
	GString *kept; /* the first `max` bytes */
	gsize max;
	guint64 total;		/* bytes that came */
	GChecksum *sha;		/* of all that came; NULL: not wanted */
	const char *spill_path; /* borrowed; NULL: what is past `max` is dropped */
	guint64 max_spill; /* bytes of the file, or without one of the whole output */
	guint64 spilled;
	GString *held; /* of the file: what may yet be part of a secret */
	int spill_fd;
	gboolean spilling;
	gboolean truncated; /* `max` was passed */
	gboolean flooded;   /* max_spill was passed */
} SpkOutput;

/* spill_path, which may be NULL, must stay until the clear. */
void spk_output_init(SpkOutput *output, gsize max, gboolean hashed,
		     const char *spill_path, guint64 max_spill);
void spk_output_clear(SpkOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkOutput, spk_output_clear)

/* IO and DISK_FULL are those of the file, which is made 0600 and gets no secrets (base/veil.h);
 * `kept` has what came. */
gboolean spk_output_add(SpkOutput *output, const char *data, gsize len, GError **error);
/* There is no more: the end of the file. */
gboolean spk_output_end(SpkOutput *output, GError **error);

#endif
