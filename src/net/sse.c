#include "net/sse.h"

#include <string.h>

#include "base/error.h"

struct SpkSse {
	gsize max_event;
	SpkSseFn fn;
	gpointer user;
	GString *line; /* the unfinished line */
	GString *data; /* of the event so far, each line followed by "\n" */
	GString *event;
	gboolean after_cr; /* a "\n" now belongs to the "\r" before it */
	gboolean started;  /* the first line, which may carry a BOM, is over */
};

static gboolean too_long(const SpkSse *sse, GError **error)
{
	spk_error_set(error, SPK_ERR_LIMIT, NULL,
		      "an event of the stream is longer than %" G_GSIZE_FORMAT " bytes",
		      sse->max_event);
	return FALSE;
}

/* An empty line ends the event; without data there is nothing to tell. */
static gboolean dispatch(SpkSse *sse, GError **error)
{
	gboolean ok = TRUE;

	if (sse->data->len) {
		g_string_truncate(sse->data, sse->data->len - 1);
		ok = sse->fn(sse->event->len ? sse->event->str : "message",
			     sse->data->str, sse->data->len, sse->user, error);
	}
	g_string_truncate(sse->data, 0);
	g_string_truncate(sse->event, 0);
	return ok;
}

static gboolean take_field(SpkSse *sse, const char *name, gsize name_len,
			   const char *value, gsize value_len, GError **error)
{
	if (name_len == 4 && memcmp(name, "data", 4) == 0) {
		if (sse->data->len + value_len > sse->max_event)
			return too_long(sse, error);
		g_string_append_len(sse->data, value, value_len);
		g_string_append_c(sse->data, '\n');
	} else if (name_len == 5 && memcmp(name, "event", 5) == 0) {
		g_string_truncate(sse->event, 0);
		g_string_append_len(sse->event, value, value_len);
	}
	return TRUE; /* "id" and "retry" are for reconnecting, which we don't do */
}

static gboolean take_line(SpkSse *sse, const char *line, gsize len, GError **error)
{
	const char *colon;
	gsize skip;

	if (!sse->started && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
	sse->started = TRUE;
	if (len == 0)
		return dispatch(sse, error);
	colon = memchr(line, ':', len);
	if (colon == line)
		return TRUE; /* a comment */
	if (!colon)
		return take_field(sse, line, len, "", 0, error);
	skip = colon - line + 1;
	if (skip < len && line[skip] == ' ')
		skip++;
	return take_field(sse, line, colon - line, line + skip, len - skip, error);
}

SpkSse *spk_sse_new(gsize max_event, SpkSseFn fn, gpointer user)
{
	SpkSse *sse = g_new0(SpkSse, 1);

	sse->max_event = max_event;
	sse->fn = fn;
	sse->user = user;
	sse->line = g_string_new(NULL);
	sse->data = g_string_new(NULL);
	sse->event = g_string_new(NULL);
	return sse;
}

gboolean spk_sse_feed(SpkSse *sse, const char *data, gsize len, GError **error)
{
	const char *end = data + len;

	while (data < end) {
		const char *stop;
		gboolean ok;

		if (sse->after_cr && *data == '\n')
			data++;
		sse->after_cr = FALSE;
		for (stop = data; stop < end && *stop != '\n' && *stop != '\r'; stop++)
			;
		/* room for the name of the field before the data */
		if (sse->line->len + (stop - data) > sse->max_event + 16)
			return too_long(sse, error);
		g_string_append_len(sse->line, data, stop - data);
		if (stop == end)
			return TRUE;
		sse->after_cr = *stop == '\r';
		data = stop + 1;
		ok = take_line(sse, sse->line->str, sse->line->len, error);
		g_string_truncate(sse->line, 0);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

void spk_sse_free(SpkSse *sse)
{
	if (!sse)
		return;
	g_string_free(sse->line, TRUE);
	g_string_free(sse->data, TRUE);
	g_string_free(sse->event, TRUE);
	g_free(sse);
}
