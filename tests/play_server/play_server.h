/*
 * Serves a play over real HTTP and server-sent events, as the servers of all wires
 * would: /v1/chat/completions, /v1/responses, /v1/messages, /api/chat, /v1/models and /api/tags
 * on 127.0.0.1. Options make it behave as badly as servers do. The answer is chosen by the number of assistant messages in the request.
 */
#ifndef TEST_PLAY_SERVER_H
#define TEST_PLAY_SERVER_H

#include <glib.h>

#include "llm/play.h"

typedef struct {
	guint split;	   /* bytes per piece of the body; 0: one event */
	gint64 slow_ms;	   /* between two pieces */
	gboolean crlf;	   /* line ends */
	gboolean comments; /* and empty lines between the events */
	gboolean no_usage;
	gboolean no_done; /* no [DONE] at the end */
	gboolean plain;	  /* one JSON object though a stream was asked for */
	/* Characters of tool arguments per event, the calls interleaved; 0: whole. */
	guint fragment;
	const char *raw; /* body of every answer instead of the play's */
	/* What goes wrong; play_server_faults() lists them. NULL: nothing. */
	const char *fault;
	guint fault_times;	 /* for so many requests; 0: all */
	const char *retry_after; /* header of faults with a status, or NULL */
} PlayServerOptions;

typedef struct PlayServer PlayServer;

/* Takes the play, which may be NULL with `raw`. Port 0: any. NULL: it can't listen, or there
 * is no such fault. */
PlayServer *play_server_start(SpkPlay *take_play, guint16 port,
			      const PlayServerOptions *options);
void play_server_stop(PlayServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlayServer, play_server_stop)
guint16 play_server_port(const PlayServer *server);
guint play_server_requests(PlayServer *server);
guint play_server_connections(PlayServer *server);
/* A copy of the body, or of request line and headers, of request n (0, 1, ...; the first 256 are kept), or NULL. */
char *play_server_body(PlayServer *server, guint n);
char *play_server_head(PlayServer *server, guint n);
/* Names and sentences, ends with a NULL. */
const char *const *play_server_faults(void);

#endif
