#include "cmd/memory/batch_lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define PIECE 65536

void spk_batch_lines_init(SpkBatchLines *lines, int fd, gsize max)
{
	*lines = (SpkBatchLines){ .fd = fd, .max = max, .held = g_string_new(NULL) };
}

void spk_batch_lines_clear(SpkBatchLines *lines)
{
	if (lines->held)
		g_string_free(lines->held, TRUE);
	lines->held = NULL;
}

/* A whole line that is held already; the last one may lack its end. */
static gboolean take(SpkBatchLines *lines, const char **ret_line, gsize *ret_len)
{
	char *begin = lines->held->str + lines->at;
	gsize len = lines->held->len - lines->at;
	char *end = memchr(begin, '\n', len);

	if (!end && !(lines->ended && len))
		return FALSE;
	*ret_line = begin;
	*ret_len = end ? (gsize)(end - begin) : len;
	lines->at += *ret_len + (end != NULL);
	if (end)
		*end = '\0';
	return TRUE;
}

/* FALSE: nothing came, without error because it would have to wait. */
static gboolean fill(SpkBatchLines *lines, gboolean wait, GError **error)
{
	struct pollfd ready = { .fd = lines->fd, .events = POLLIN };
	gsize len;
	gssize got;

	if (!wait && poll(&ready, 1, 0) <= 0)
		return FALSE;
	g_string_erase(lines->held, 0, (gssize)lines->at);
	lines->at = 0;
	len = lines->held->len;
	g_string_set_size(lines->held, len + PIECE);
	do
		got = read(lines->fd, lines->held->str + len, PIECE);
	while (got < 0 && errno == EINTR);
	g_string_set_size(lines->held, len + (gsize)MAX(got, 0));
	if (got < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot read stdin");
		return FALSE;
	}
	lines->ended = got == 0;
	return TRUE;
}

SpkBatchGot spk_batch_lines_next(SpkBatchLines *lines, gboolean wait,
				 const char **ret_line, gsize *ret_len, GError **error)
{
	g_autoptr(GError) failed = NULL;

	for (;;) {
		if (take(lines, ret_line, ret_len)) {
			gboolean skipped = lines->skipping || *ret_len > lines->max;

			lines->skipping = FALSE;
			return skipped ? SPK_BATCH_TOO_LONG : SPK_BATCH_LINE;
		}
		if (lines->ended)
			return SPK_BATCH_END;
		/* What can't become a line is not kept, either. */
		if (lines->held->len - lines->at > lines->max) {
			lines->skipping = TRUE;
			g_string_truncate(lines->held, lines->at + 1);
		}
		if (!fill(lines, wait, &failed)) {
			if (!failed)
				return SPK_BATCH_NONE;
			g_propagate_error(error, g_steal_pointer(&failed));
			return SPK_BATCH_FAILED;
		}
	}
}
