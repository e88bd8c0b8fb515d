/* Lines from a descriptor, bounded, and how many of them can be had without waiting. */
#ifndef SPK_CMD_MEMORY_BATCH_LINES_H
#define SPK_CMD_MEMORY_BATCH_LINES_H

#include <glib.h>

typedef struct {
	int fd;
	gsize max; /* bytes of one line */
	GString *held;
	gsize at; /* what is before it was given out */
	gboolean ended;
	gboolean skipping; /* inside a line that is too long */
} SpkBatchLines;

void spk_batch_lines_init(SpkBatchLines *lines, int fd, gsize max);
void spk_batch_lines_clear(SpkBatchLines *lines);

typedef enum {
	SPK_BATCH_LINE,	    /* *ret_line, good until the next call */
	SPK_BATCH_TOO_LONG, /* one was left out */
	SPK_BATCH_NONE,	    /* none without waiting */
	SPK_BATCH_END,
	SPK_BATCH_FAILED,
} SpkBatchGot;
SpkBatchGot spk_batch_lines_next(SpkBatchLines *lines, gboolean wait,
				 const char **ret_line, gsize *ret_len, GError **error);

#endif
