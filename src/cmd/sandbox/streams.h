/* Input and output of a command that is run by hand. */
#ifndef SPK_CMD_SANDBOX_STREAMS_H
#define SPK_CMD_SANDBOX_STREAMS_H

#include "cmd/cmd.h"

typedef struct {
	int fd;
	gboolean terminal;
	GString *held; /* the end of what came, when it may be half an escape sequence */
	gboolean gone;
} Writer;

typedef struct {
	Writer out, err;
	SpkCancel *cancel;
} Streams;

/* Fires `cancel` when nobody reads ours any more. */
void streams_init(Streams *streams, SpkCancel *cancel);
/* Writes what was held back. */
void streams_clear(Streams *streams);
/* Of SpkBoxSink. */
void streams_out(const char *data, gsize len, gpointer user);
void streams_err(const char *data, gsize len, gpointer user);
/* The end to read from, or -1: there is nothing to read. */
int streams_open_input(void);

#endif
