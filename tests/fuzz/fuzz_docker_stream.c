/* Streams of a container: the same come out however the bytes are cut. The first byte is the
 * size of the pieces. */
#include <glib.h>
#include <stdint.h>

#include "box/docker_stream_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
	SpkDockerLines lines;
	GString *out, *err;
} Seen;

static gboolean note(int stream, const char *data, gsize len, gpointer user,
		     GError **error)
{
	Seen *seen = user;

	if (stream == SPK_DOCKER_STDOUT)
		g_string_append_len(seen->out, data, len);
	else
		spk_docker_lines_feed(&seen->lines, data, len, seen->err);
	return TRUE;
}

static GString *all_of(const char *data, gsize len, gsize step)
{
	GString *all = g_string_new(NULL);
	Seen seen = { .out = g_string_new(NULL), .err = g_string_new(NULL) };
	g_auto(SpkDockerDemux) demux = { .sink = note, .user = &seen };
	g_autoptr(GError) error = NULL;
	gboolean ok = TRUE;

	spk_docker_lines_init(&seen.lines, "key");
	for (gsize at = 0; ok && at < len; at += step)
		ok = spk_docker_demux_feed(&demux, data + at, MIN(step, len - at),
					   &error);
	g_assert(ok == !error);
	spk_docker_lines_end(&seen.lines, seen.err);
	ok = ok && spk_docker_demux_end(&demux, NULL);
	g_string_append_printf(all, "%d|", ok);
	g_string_append_len(all, seen.out->str, seen.out->len);
	g_string_append_c(all, '|');
	g_string_append_len(all, seen.err->str, seen.err->len);
	g_string_append_c(all, '|');
	g_string_append_len(all, seen.lines.lines->str, seen.lines.lines->len);
	g_assert(seen.lines.lines->len <= 4096);
	spk_docker_lines_clear(&seen.lines);
	g_string_free(seen.out, TRUE);
	g_string_free(seen.err, TRUE);
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GString) pieces = NULL;
	g_autoptr(GString) whole = NULL;

	if (size < 2)
		return 0;
	pieces = all_of((const char *)data + 1, size - 1, MAX(data[0], 1));
	whole = all_of((const char *)data + 1, size - 1, size);
	g_assert(g_string_equal(pieces, whole));
	return 0;
}
