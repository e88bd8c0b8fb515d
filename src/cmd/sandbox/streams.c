/* What the command writes, on its way to ours; what we read, on its way to the command's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"
#include "cmd/sandbox/streams.h"

/* A terminal obeys what is written to it, so it gets text without control characters;
 * anything else gets the bytes. */
static void write_on(Streams *streams, Writer *writer, const char *data, gsize len,
		     gboolean last)
{
	g_autofree char *clean = NULL;

	if (writer->gone)
		return;
	if (writer->terminal) {
		gsize settled;

		g_string_append_len(writer->held, data, len);
		settled = last || writer->held->len > 4096
				  ? writer->held->len
				  : spk_text_settled_len(writer->held->str,
							 writer->held->len);
		clean = spk_text_clean(writer->held->str, settled, SPK_CLEAN_TEXT);
		g_string_erase(writer->held, 0, settled);
		data = clean;
		len = strlen(clean);
	}
	if (spk_fs_write_all(writer->fd, data, len, NULL))
		return;
	writer->gone = TRUE;
	spk_cancel_fire(streams->cancel, "the output has no reader any more");
}

void streams_out(const char *data, gsize len, gpointer user)
{
	Streams *streams = user;

	write_on(streams, &streams->out, data, len, FALSE);
}

void streams_err(const char *data, gsize len, gpointer user)
{
	Streams *streams = user;

	write_on(streams, &streams->err, data, len, FALSE);
}

void streams_init(Streams *streams, SpkCancel *cancel)
{
	*streams = (Streams){
		.out = { STDOUT_FILENO, spk_term_is_tty(STDOUT_FILENO),
			 g_string_new(NULL), FALSE },
		.err = { STDERR_FILENO, spk_term_is_tty(STDERR_FILENO),
			 g_string_new(NULL), FALSE },
		.cancel = cancel,
	};
}

void streams_clear(Streams *streams)
{
	write_on(streams, &streams->out, "", 0, TRUE);
	write_on(streams, &streams->err, "", 0, TRUE);
	g_string_free(streams->out.held, TRUE);
	g_string_free(streams->err.held, TRUE);
}

/* Our own stdin never goes in: a file could be opened again for writing, a folder is a way to
 * the rest of the host, and a terminal obeys. The end of a pipe is none of these. */
static gpointer pump(gpointer data)
{
	spk_autofd int fd = GPOINTER_TO_INT(data);
	char buffer[65536];

	for (;;) {
		ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || !spk_fs_write_all(fd, buffer, (gsize)n, NULL))
			return NULL;
	}
}

int streams_open_input(void)
{
	int ends[2];

	/* of a terminal only the foreground may read */
	if (spk_term_is_tty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp())
		return -1;
	if (pipe2(ends, O_CLOEXEC) == 0) {
		g_thread_unref(g_thread_new("stdin", pump, GINT_TO_POINTER(ends[1])));
		return ends[0];
	}
	return -1;
}
