/* The live line: there on a terminal and gone at the end, absent in a pipe. */
#include <pty.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/show/progress.h"
#include "test_cmd.h"

static void feed(SpkProgress *progress)
{
	g_autoptr(json_t) said =
		json_pack("{s:i,s:s}", "turn", 0, "text",
			  "I look. 日本語 and a long line that goes on "
			  "and on and on, far past the right edge of a narrow terminal");
	SpkJournalEntry entry = { .seq = 1,
				  .kind = (char *)"model.result",
				  .payload = said };

	spk_progress_entry(progress, &entry);
	spk_progress_say(progress, "warn", "cancel", "stopping\033[2J");
}

static char *on_terminal(const char *term, const char *no_color)
{
	struct winsize size = { .ws_row = 24, .ws_col = 40 };
	GString *out = g_string_new(NULL);
	char buffer[4096];
	SpkProgress *progress;
	int master, slave;
	ssize_t n;

	g_setenv("TERM", term, TRUE);
	g_setenv("NO_COLOR", no_color, TRUE);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	progress = spk_progress_new(slave);
	feed(progress);
	g_usleep(250000); /* a few frames */
	spk_progress_free(progress);
	close(slave);
	while ((n = read(master, buffer, sizeof(buffer))) > 0)
		g_string_append_len(out, buffer, n);
	close(master);
	return g_string_free(out, FALSE);
}

static void test_terminal(void **state)
{
	g_autofree char *out = on_terminal("xterm", "");
	const char *last = strrchr(out, '\n');

	assert_non_null(strstr(out, "⠋"));
	assert_non_null(strstr(out, "⠙")); /* it moves */
	assert_non_null(strstr(out, "\033[2m"));
	assert_null(strstr(out, "\033[2J"));
	assert_true(g_str_has_suffix(out, "\r\033[K"));
	assert_null(strchr(last + 1, '\n'));
	assert_non_null(strstr(out, "step 1"));
}

static void test_no_color(void **state)
{
	g_autofree char *out = on_terminal("xterm", "1");

	assert_non_null(strstr(out, "⠋"));
	assert_null(strstr(out, "\033[2m"));
	assert_null(strstr(out, "\033[1m"));
}

static void test_dumb_terminal(void **state)
{
	g_autofree char *out = on_terminal("dumb", "");

	assert_null(strstr(out, "\033"));
	assert_non_null(strstr(out, "I look."));
}

/* No piece between two cursor returns is wider than the terminal. */
static void test_fits(void **state)
{
	g_autofree char *out = on_terminal("xterm", "1");
	g_auto(GStrv) pieces = g_strsplit_set(out, "\r\n", -1);

	for (char **piece = pieces; *piece; piece++) {
		g_autofree char *clean = spk_text_clean(*piece, -1, SPK_CLEAN_TEXT);

		assert_true(spk_text_width(clean) <= 40);
	}
}

static void test_pipe(void **state)
{
	g_autofree char *out = NULL;
	SpkProgress *progress;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	progress = spk_progress_new(fds[1]);
	feed(progress);
	spk_progress_free(progress);
	close(fds[1]);
	out = spk_fs_read_fd(fds[0], "pipe", 65536, NULL, NULL);
	close(fds[0]);
	assert_null(strchr(out, '\033'));
	assert_null(strchr(out, '\r'));
	assert_string_equal(
		out,
		"  · model     I look. 日本語 and a long line that goes on and on and on, "
		"far past the right edge of a narrow terminal\n"
		"  ! cancel    stopping\n");
}

const struct CMUnitTest progress_tests[] = {
	cmocka_unit_test(test_terminal),      cmocka_unit_test(test_no_color),
	cmocka_unit_test(test_dumb_terminal), cmocka_unit_test(test_fits),
	cmocka_unit_test(test_pipe),
};
const size_t n_progress_tests = G_N_ELEMENTS(progress_tests);
