/*
 * The Docker Engine API (1.41 and later; Podman's compatible one too) over its unix socket,
 * as far as the sandbox needs it: https://docs.docker.com/reference/api/engine/. Any thread.
 */
#ifndef SPK_BOX_DOCKER_ENGINE_PRIV_H
#define SPK_BOX_DOCKER_ENGINE_PRIV_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "net/http.h"

typedef struct SpkEngine SpkEngine;

/* Asks who is there. ENGINE when nobody answers, or answers as no engine would; the hint says
 * what to do about it. */
SpkEngine *spk_engine_open(const char *socket_path, GError **error);
void spk_engine_free(SpkEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkEngine, spk_engine_free)

/* "Docker 20.10.24, API 1.41" */
const char *spk_engine_name(const SpkEngine *engine);
/* Some of what it understands is other than Docker's. */
gboolean spk_engine_is_podman(const SpkEngine *engine);

typedef struct {
	const char *method; /* "GET" */
	const char *path;   /* without version, "/containers/json?all=1" */
	const json_t *body; /* NULL: none */
	gint64 wait_ms;	    /* for the answer; 0: 60,000 */
} SpkEngineCall;

/* The answer, JSON null where there is none to be had. NOT_FOUND and CONFLICT (404, 409),
 * DISK_FULL, BOX_FAILED for what else the engine refuses, with its words; ENGINE when it does
 * not answer. */
json_t *spk_engine_call(SpkEngine *engine, const SpkEngineCall *call, SpkCancel *cancel,
			GError **error);
/* Likewise, for an answer that is a stream to its end. */
gboolean spk_engine_stream(SpkEngine *engine, const SpkEngineCall *call, SpkHttpSink sink,
			   gpointer user, SpkCancel *cancel, GError **error);

/* ---- docker_attach.c ---- */
/* Likewise, and what can be read from `input` (borrowed) goes up to its end. The time is the
 * cancel token's. */
gboolean spk_engine_attach(SpkEngine *engine, const SpkEngineCall *call, int input,
			   SpkHttpSink sink, gpointer user, SpkCancel *cancel,
			   GError **error);
/* What a request by hand needs to know. */
const char *spk_engine_socket(const SpkEngine *engine);
const char *spk_engine_version(const SpkEngine *engine); /* "/v1.41" */
/* The error of an answer with this status and body. */
void spk_engine_set_refused(long status, const char *body, gsize len, GError **error);

#endif
