/* Server-sent events: the events are the same however the stream is cut. The first byte is
 * the size of the pieces. */
#include <glib.h>
#include <stdint.h>

#include "net/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean note(const char *event, const char *data, gsize len, gpointer user,
		     GError **error)
{
	GString *seen = user;

	g_assert(data[len] == '\0');
	g_string_append_printf(seen, "[%s|%" G_GSIZE_FORMAT "|", event, len);
	g_string_append_len(seen, data, len);
	g_string_append_c(seen, ']');
	return TRUE;
}

static GString *events_of(const char *data, gsize len, gsize step)
{
	GString *seen = g_string_new(NULL);
	g_autoptr(SpkSse) sse = spk_sse_new(256, note, seen);
	g_autoptr(GError) error = NULL;

	for (gsize at = 0; at < len; at += step) {
		if (!spk_sse_feed(sse, data + at, MIN(step, len - at), &error)) {
			g_assert(error);
			break;
		}
	}
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GString) pieces = NULL;
	g_autoptr(GString) whole = NULL;

	if (size < 2)
		return 0;
	pieces = events_of((const char *)data + 1, size - 1, MAX(data[0], 1));
	whole = events_of((const char *)data + 1, size - 1, size);
	g_assert(g_string_equal(pieces, whole));
	return 0;
}
