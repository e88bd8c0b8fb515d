#include "box/docker_stream_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "box/box_plan.h"
#include "box/box_status_priv.h"

#define ERROR_MAX	4096
#define STATUS_LINE_MAX 1024 /* sparks-box writes no longer ones */

/* ---- frames ---- */

void spk_docker_demux_clear(SpkDockerDemux *demux)
{
	if (demux->engine_error)
		g_string_free(demux->engine_error, TRUE);
	demux->engine_error = NULL;
}

static gboolean begin_frame(SpkDockerDemux *demux, GError **error)
{
	const guint8 *h = demux->header;

	if (h[0] > SPK_DOCKER_ERROR || h[1] || h[2] || h[3]) {
		spk_error_set(error, SPK_ERR_BOX_FAILED,
			      "is [docker] socket_path the socket of a container engine?",
			      "the engine's output is not in frames");
		return FALSE;
	}
	/* 0 is stdin, which goes to stdout where it is echoed */
	demux->stream = h[0] ? h[0] : SPK_DOCKER_STDOUT;
	demux->left = (guint32)h[4] << 24 | (guint32)h[5] << 16 | (guint32)h[6] << 8 |
		      h[7];
	demux->n_header = 0;
	return TRUE;
}

static gboolean take(SpkDockerDemux *demux, const char *data, gsize len, GError **error)
{
	if (demux->stream != SPK_DOCKER_ERROR)
		return demux->sink(demux->stream, data, len, demux->user, error);
	if (!demux->engine_error)
		demux->engine_error = g_string_new(NULL);
	g_string_append_len(demux->engine_error, data,
			    MIN(len, ERROR_MAX - demux->engine_error->len));
	return TRUE;
}

gboolean spk_docker_demux_feed(SpkDockerDemux *demux, const char *data, gsize len,
			       GError **error)
{
	while (len) {
		gsize n = demux->left ? MIN(len, demux->left) : 1;

		if (demux->left) {
			if (!take(demux, data, n, error))
				return FALSE;
			demux->left -= n;
		} else {
			demux->header[demux->n_header++] = (guint8)*data;
			if (demux->n_header == sizeof(demux->header) &&
			    !begin_frame(demux, error))
				return FALSE;
		}
		data += n;
		len -= n;
	}
	return TRUE;
}

gboolean spk_docker_demux_end(const SpkDockerDemux *demux, GError **error)
{
	g_autofree char *text = NULL;

	if (demux->engine_error) {
		text = spk_text_clean(demux->engine_error->str, demux->engine_error->len,
				      SPK_CLEAN_LINE);
		spk_error_set(error, SPK_ERR_BOX_FAILED, NULL, "the engine says: %s",
			      text);
		return FALSE;
	}
	if (!demux->left && !demux->n_header)
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_FAILED, "is the engine still there?",
		      "the engine's output ends in the middle of a frame");
	return FALSE;
}

/* ---- lines of sparks-box ---- */

void spk_docker_lines_init(SpkDockerLines *lines, const char *key)
{
	*lines = (SpkDockerLines){
		.mark = g_strconcat(SPK_GUEST_MARK, key, "\t", NULL),
		.pending = g_string_new(NULL),
		.lines = g_string_new(NULL),
	};
}

void spk_docker_lines_clear(SpkDockerLines *lines)
{
	g_free(lines->mark);
	if (lines->pending)
		g_string_free(lines->pending, TRUE);
	if (lines->lines)
		g_string_free(lines->lines, TRUE);
	*lines = (SpkDockerLines){ 0 };
}

/* Bytes of `text` that are settled: TRUE as a line, else as something else. 0: wait. */
static gsize settle(const SpkDockerLines *lines, const char *text, gsize len,
		    gboolean *ret_is_line)
{
	gsize n_mark = strlen(lines->mark);
	const char *end;

	*ret_is_line = FALSE;
	if (memcmp(text, lines->mark, MIN(len, n_mark)) != 0) {
		end = memchr(text + 1, *SPK_GUEST_MARK, len - 1);
		return end ? (gsize)(end - text) : len;
	}
	if (len < n_mark)
		return 0;
	end = memchr(text, '\n', MIN(len, STATUS_LINE_MAX));
	if (end) {
		*ret_is_line = TRUE;
		return end + 1 - text;
	}
	return len < STATUS_LINE_MAX ? 0 : 1;
}

void spk_docker_lines_feed(SpkDockerLines *lines, const char *data, gsize len,
			   GString *rest)
{
	GString *pending = lines->pending;
	gsize at = 0, n, n_mark = strlen(lines->mark);
	gboolean is_line;

	g_string_append_len(pending, data, len);
	while (at < pending->len) {
		const char *text = pending->str + at;

		n = settle(lines, text, pending->len - at, &is_line);
		if (n == 0)
			break;
		if (!is_line)
			g_string_append_len(rest, text, n);
		else if (lines->lines->len + n <= SPK_BOX_STATUS_MAX)
			g_string_append_len(lines->lines, text + n_mark, n - n_mark);
		at += n;
	}
	g_string_erase(pending, 0, at);
}

void spk_docker_lines_end(SpkDockerLines *lines, GString *rest)
{
	g_string_append_len(rest, lines->pending->str, lines->pending->len);
	g_string_truncate(lines->pending, 0);
}
