/* Frames of a container engine, and the lines of sparks-box between a command's own. */
#include "suites.h"

#include <string.h>

#include "base/error.h"
#include "box/docker_stream_priv.h"

static gboolean note(int stream, const char *data, gsize len, gpointer user,
		     GError **error)
{
	g_string_append_printf(user, "%d:", stream);
	g_string_append_len(user, data, len);
	g_string_append_c(user, ' ');
	return TRUE;
}

#define BYTES(text) text, sizeof(text) - 1

static void tells_the_streams_apart(void **state)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	g_auto(SpkDockerDemux) demux = { .sink = note, .user = seen };

	assert_true(spk_docker_demux_feed(
		&demux, BYTES("\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3er"), NULL));
	assert_true(spk_docker_demux_feed(&demux, BYTES("r\1\0\0\0\0\0\0\0"), NULL));
	assert_string_equal(seen->str, "1:out 2:er 2:r ");
	assert_true(spk_docker_demux_end(&demux, NULL));
}

static void refuses_what_is_not_framed(void **state)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	g_auto(SpkDockerDemux) demux = { .sink = note, .user = seen };
	g_autoptr(GError) error = NULL;

	assert_false(spk_docker_demux_feed(&demux, BYTES("HTTP/1.1 200"), &error));
	assert_true(spk_error_is(error, SPK_ERR_BOX_FAILED));
	assert_int_equal(seen->len, 0);
}

static void misses_the_end_of_a_frame(void **state)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	g_auto(SpkDockerDemux) demux = { .sink = note, .user = seen };
	g_autoptr(GError) error = NULL;

	assert_true(spk_docker_demux_feed(&demux, BYTES("\1\0\0\0\xff\xff\xff\xffx"),
					  &error));
	assert_false(spk_docker_demux_end(&demux, &error));
	assert_non_null(strstr(error->message, "middle of a frame"));
}

static void passes_on_what_the_engine_says(void **state)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	g_auto(SpkDockerDemux) demux = { .sink = note, .user = seen };
	g_autoptr(GError) error = NULL;

	assert_true(spk_docker_demux_feed(&demux, BYTES("\3\0\0\0\0\0\0\4gone"), &error));
	assert_false(spk_docker_demux_end(&demux, &error));
	assert_non_null(strstr(error->message, "gone"));
	assert_int_equal(seen->len, 0);
}

static void finds_only_lines_with_the_key(void **state)
{
	g_autoptr(GString) rest = g_string_new(NULL);
	g_auto(SpkDockerLines) lines = { 0 };

	spk_docker_lines_init(&lines, "key");
	spk_docker_lines_feed(&lines, BYTES("a\036ke"), rest);
	assert_string_equal(rest->str, "a");
	spk_docker_lines_feed(&lines, BYTES("y\texited\t0\t0\nb\036kez\texited\t1\t0\n"),
			      rest);
	spk_docker_lines_end(&lines, rest);
	assert_string_equal(lines.lines->str, "exited\t0\t0\n");
	assert_string_equal(rest->str, "ab\036kez\texited\t1\t0\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tells_the_streams_apart),
	cmocka_unit_test(refuses_what_is_not_framed),
	cmocka_unit_test(misses_the_end_of_a_frame),
	cmocka_unit_test(passes_on_what_the_engine_says),
	cmocka_unit_test(finds_only_lines_with_the_key),
};
SUITE(docker_suite, tests);
