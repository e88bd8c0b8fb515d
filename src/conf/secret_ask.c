/* One line from the terminal, unseen. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "conf/secret_priv.h"

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DEL = 127 };

/* -1: no terminal, or one on which another job runs (reading would stop us). */
static int open_terminal(void)
{
	spk_autofd int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0 || isatty(STDERR_FILENO) != 1 || tcgetpgrp(tty) != getpgrp())
		return -1;
	return spk_fd_steal(&tty);
}

gboolean spk_secret_can_ask(void)
{
	spk_autofd int tty = open_terminal();

	return tty >= 0;
}

/* Bytes of the last character, to take back. */
static gsize last_char(const char *text, gsize len)
{
	gsize n = len ? 1 : 0;

	while (n && n < len && ((guchar)text[len - n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* FALSE: Ctrl-C, or the terminal is gone. */
static gboolean read_line(int tty, char *text, gsize max, gboolean *ret_long)
{
	gsize len = 0;
	char c;

	for (;;) {
		ssize_t n = read(tty, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || c == CTRL_C)
			return FALSE;
		if (c == '\n' || c == '\r' || c == CTRL_D)
			break;
		if (c == CTRL_U)
			len = 0;
		else if (c == DEL || c == BACKSPACE)
			len -= last_char(text, len);
		else if (len < max)
			text[len++] = c;
		else
			*ret_long = TRUE;
	}
	text[len] = '\0';
	return TRUE;
}

char *spk_secret_ask(const char *question, gsize max, GError **error)
{
	spk_autofd int tty = open_terminal();
	SpkSecretText *text = NULL;
	struct termios before, quiet;
	gboolean ok, too_long = FALSE;

	if (tty < 0 || tcgetattr(tty, &before) < 0) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL,
			      "there is no terminal to ask on");
		return NULL;
	}
	text = g_malloc0(max + 1);
	quiet = before;
	/* without ISIG a Ctrl-C comes to us, and the echo comes back before we leave */
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	(void)tcsetattr(tty, TCSAFLUSH, &quiet);
	ok = spk_fs_write_all(tty, question, strlen(question), NULL) &&
	     read_line(tty, text, max, &too_long);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	(void)spk_fs_write_all(tty, "\n", 1, NULL);
	if (ok && !too_long)
		return text;
	explicit_bzero(text, max);
	g_free(text);
	if (too_long)
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "that is longer than %" G_GSIZE_FORMAT " bytes", max);
	else
		spk_error_set(error, SPK_ERR_CANCELLED, NULL, "nothing was entered");
	return NULL;
}
