/* What the terminal can do: width, colour. Asked anew each time, so that a resize counts. */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/cmd.h"

static const struct {
	const char *role;
	const char *sgr;
} roles[] = {
	{ "add", "\033[32m" },	{ "bad", "\033[1;31m" }, { "bold", "\033[1m" },
	{ "del", "\033[31m" },	{ "dim", "\033[2m" },	 { "ok", "\033[1;32m" },
	{ "reset", "\033[0m" }, { "warn", "\033[33m" },
};

gboolean spk_term_is_tty(int fd)
{
	return isatty(fd) == 1;
}

gboolean spk_term_colour(int fd)
{
	const char *no_color = g_getenv("NO_COLOR");
	const char *term = g_getenv("TERM");

	return spk_term_is_tty(fd) && !(no_color && *no_color) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

int spk_term_width(int fd)
{
	const char *columns = g_getenv("COLUMNS");
	struct winsize size;
	gint64 width;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	if (columns && spk_text_to_int(columns, 20, 1000, &width))
		return width;
	return 80;
}

const char *spk_term_sgr(int fd, const char *role)
{
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		if (!strcmp(roles[i].role, role))
			return spk_term_colour(fd) ? roles[i].sgr : "";
	g_assert_not_reached();
}
