#include "test_net.h"

#include <string.h>

#include "base/error.h"
#include "net/sse.h"

static gboolean note(const char *event, const char *data, gsize len, gpointer user,
		     GError **error)
{
	g_string_append_printf(user, "[%s|%.*s]", event, (int)len, data);
	return TRUE;
}

/* All events of `stream`, fed in pieces of `step` bytes. */
static char *events_of(const char *stream, gsize step)
{
	GString *seen = g_string_new(NULL);
	g_autoptr(SpkSse) sse = spk_sse_new(1024, note, seen);
	gsize len = strlen(stream);

	for (gsize at = 0; at < len; at += step)
		assert_true(spk_sse_feed(sse, stream + at, MIN(step, len - at), NULL));
	return g_string_free(seen, FALSE);
}

/* clang-format off */
static const struct {
	const char *what, *stream, *events;
} cases[] = {
	{ "one event", "data: a\n\n", "[message|a]" },
	{ "CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", "[message|a][message|b]" },
	{ "CR", "data: a\r\rdata: b\r\r", "[message|a][message|b]" },
	{ "line ends mixed", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", "[message|a][message|b][message|c]" },
	{ "several lines", "data: a\ndata: b\ndata\ndata: c\n\n", "[message|a\nb\n\nc]" },
	{ "named", "event: ping\ndata: 1\n\ndata: 2\n\n", "[ping|1][message|2]" },
	{ "comments", ": hello\n\n:\ndata: a\n: between\ndata: b\n\n", "[message|a\nb]" },
	{ "one blank is taken", "data:a\n\ndata:  b\n\ndata: \n\n", "[message|a][message| b][message|]" },
	{ "no data, no event", "event: x\n\n\n\nid: 7\nretry: 5\n\n", "" },
	{ "BOM", "\xef\xbb\xbf" "data: a\n\n", "[message|a]" },
	{ "BOM only at the start", "data: a\n\n\xef\xbb\xbf" "data: b\n\n", "[message|a]" },
	{ "unfinished", "data: a\n\ndata: b\n", "[message|a]" },
	{ "unknown field", "dat: x\ndatas: y\n: z\ndata: a\n\n", "[message|a]" },
	{ "colons in data", "data: {\"a\":1}\n\n", "[message|{\"a\":1}]" },
	{ "UTF-8", "data: grüße 🌍\n\n", "[message|grüße 🌍]" },
};
/* clang-format on */

static void test_cases_at_every_split(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (gsize step = 1; step <= strlen(cases[i].stream); step++) {
			g_autofree char *events = events_of(cases[i].stream, step);

			if (strcmp(events, cases[i].events) != 0)
				fail_msg("%s, pieces of %zu: %s", cases[i].what, step,
					 events);
		}
	}
}

static void test_limit(void **state)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	g_autoptr(SpkSse) one_line = spk_sse_new(64, note, seen);
	g_autoptr(SpkSse) many_lines = spk_sse_new(64, note, seen);
	g_autoptr(GError) error = NULL, error2 = NULL;
	gboolean ok = TRUE;

	for (guint i = 0; ok && i < 100; i++)
		ok = spk_sse_feed(one_line, "0123456789", 10, &error);
	assert_true(spk_error_is(error, SPK_ERR_LIMIT));
	for (ok = TRUE; ok;)
		ok = spk_sse_feed(many_lines, "data: 0123456789\n", 17, &error2);
	assert_true(spk_error_is(error2, SPK_ERR_LIMIT));
	assert_int_equal(seen->len, 0);
}

static gboolean refuse(const char *event, const char *data, gsize len, gpointer user,
		       GError **error)
{
	spk_error_set(error, SPK_ERR_FAILED, NULL, "enough");
	return FALSE;
}

static void test_listener_stops_it(void **state)
{
	g_autoptr(SpkSse) sse = spk_sse_new(64, refuse, NULL);
	g_autoptr(GError) error = NULL;

	assert_false(spk_sse_feed(sse, "data: a\n\n", 9, &error));
	assert_true(spk_error_is(error, SPK_ERR_FAILED));
}

const struct CMUnitTest sse_tests[] = {
	cmocka_unit_test(test_cases_at_every_split),
	cmocka_unit_test(test_limit),
	cmocka_unit_test(test_listener_stops_it),
};
const size_t n_sse_tests = G_N_ELEMENTS(sse_tests);
