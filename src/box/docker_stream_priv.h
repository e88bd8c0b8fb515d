/*
 * The two streams of a command in a container, which the engine sends through one connection:
 * frames of a type (1 stdout, 2 stderr, 3 the engine's own error), three zeros, the length
 * (32 bits, big-endian) and so many bytes. Docker Engine API, "Attach to a container". And
 * the lines of sparks-box in stderr (box/box_plan.h). Nothing is kept but half headers and
 * half lines, so that no length makes us wait or allocate.
 */
#ifndef SPK_BOX_DOCKER_STREAM_PRIV_H
#define SPK_BOX_DOCKER_STREAM_PRIV_H

#include <glib.h>

enum { SPK_DOCKER_STDOUT = 1, SPK_DOCKER_STDERR = 2, SPK_DOCKER_ERROR = 3 };

/* Bytes of one stream as they come. FALSE with *error ends the reading. */
typedef gboolean (*SpkDockerSink)(int stream, const char *data, gsize len, gpointer user,
				  GError **error);

typedef struct {
	SpkDockerSink sink;
	gpointer user;
	guint8 header[8];
	guint n_header;
	int stream;
	guint32 left;	       /* of the frame */
	GString *engine_error; /* NULL: none; at most 4 KiB */
} SpkDockerDemux;

void spk_docker_demux_clear(SpkDockerDemux *demux);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDockerDemux, spk_docker_demux_clear)

/* BOX_FAILED when these bytes are no such stream, and what the sink returned. */
gboolean spk_docker_demux_feed(SpkDockerDemux *demux, const char *data, gsize len,
			       GError **error);
/* At the stream's end: BOX_FAILED in the middle of a frame, or with the engine's error. */
gboolean spk_docker_demux_end(const SpkDockerDemux *demux, GError **error);

typedef struct {
	char *mark;	  /* what the lines begin with */
	GString *pending; /* may be the beginning of one */
	GString *lines;	  /* without mark; at most SPK_BOX_STATUS_MAX bytes */
} SpkDockerLines;

/* `key` has no line feed. */
void spk_docker_lines_init(SpkDockerLines *lines, const char *key);
void spk_docker_lines_clear(SpkDockerLines *lines);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDockerLines, spk_docker_lines_clear)

/* Appends to `rest` what is no line of sparks-box. */
void spk_docker_lines_feed(SpkDockerLines *lines, const char *data, gsize len,
			   GString *rest);
/* What still waits is no line of it either. */
void spk_docker_lines_end(SpkDockerLines *lines, GString *rest);

#endif
