#include "net/output.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/veil.h"

void spk_output_init(SpkOutput *output, gsize max, gboolean hashed,
		     const char *spill_path, guint64 max_spill)
{
	*output = (SpkOutput){
		.kept = g_string_new(NULL),
		.max = max,
		.sha = hashed ? g_checksum_new(G_CHECKSUM_SHA256) : NULL,
		.spill_path = spill_path,
		.max_spill = max_spill,
		.spill_fd = -1,
	};
}

void spk_output_clear(SpkOutput *output)
{
	if (output->kept)
		g_string_free(output->kept, TRUE);
	if (output->held)
		g_string_free(output->held, TRUE);
	if (output->sha)
		g_checksum_free(output->sha);
	if (output->spill_path)
		spk_fd_close(&output->spill_fd);
	*output = (SpkOutput){ .spill_fd = -1 };
}

static gboolean write_clean(SpkOutput *output, const char *data, gsize len, gboolean last,
			    GError **error)
{
	GString *clean = spk_veil_piece(output->held, data, len, last);
	gboolean ok = spk_fs_write_all(output->spill_fd, clean->str, clean->len, error);

	g_string_free(clean, TRUE);
	return ok;
}

/* The file gets everything, so it starts with what memory already holds. */
static gboolean begin_spill(SpkOutput *output, GError **error)
{
	output->spilling = TRUE;
	output->spill_fd = open(output->spill_path,
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
				0600);
	if (output->spill_fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot create %s",
				    output->spill_path);
		return FALSE;
	}
	output->spilled = output->kept->len;
	output->held = g_string_new(NULL);
	return write_clean(output, output->kept->str, output->kept->len, FALSE, error);
}

static gboolean spill(SpkOutput *output, const char *data, gsize len, GError **error)
{
	gsize room;

	if (!output->spilling && !begin_spill(output, error))
		return FALSE;
	room = output->max_spill - MIN(output->max_spill, output->spilled);
	if (len > room)
		output->flooded = TRUE;
	output->spilled += MIN(len, room);
	return write_clean(output, data, MIN(len, room), FALSE, error);
}

gboolean spk_output_end(SpkOutput *output, GError **error)
{
	return !output->held || !output->held->len ||
	       write_clean(output, "", 0, TRUE, error);
}

gboolean spk_output_add(SpkOutput *output, const char *data, gsize len, GError **error)
{
	gsize room = output->max - output->kept->len;

	if (output->sha)
		g_checksum_update(output->sha, (const guchar *)data, len);
	output->total += len;
	if (output->spill_path && (output->spilling || len > room) &&
	    !spill(output, data, len, error))
		return FALSE;
	if (len > room)
		output->truncated = TRUE;
	if (!output->spill_path && output->total > output->max_spill)
		output->flooded = TRUE;
	g_string_append_len(output->kept, data, MIN(len, room));
	return TRUE;
}
