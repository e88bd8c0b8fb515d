/*
 * Secrets out of text that leaves the machine: values of environment variables that hold
 * secrets by their name, and strings that have the shape of one.
 */
#ifndef SPK_GUARD_REDACT_H
#define SPK_GUARD_REDACT_H

#include <glib.h>
#include <jansson.h>

typedef struct SpkRedact SpkRedact;

/* `env` ("K=V", NULL-terminated) is copied where it holds secrets. */
SpkRedact *spk_redact_new(const char *const *env);
void spk_redact_free(SpkRedact *redact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkRedact, spk_redact_free)

/* A copy with each secret replaced by "[redacted]" ("[redacted NAME]" for a variable). */
char *spk_redact_text(SpkRedact *redact, const char *text);
/* A copy of any JSON value with all its strings so treated; keys stay. */
json_t *spk_redact_json(SpkRedact *redact, const json_t *json);
/* The same with the values alone, and not counted: for text that work goes on with, where a
 * string that only looks like a key must stay. Any thread. */
char *spk_redact_known(const SpkRedact *redact, const char *text);
json_t *spk_redact_known_json(const SpkRedact *redact, const json_t *json);
/* Whether any string of it holds a value. Any thread. */
gboolean spk_redact_holds_known(const SpkRedact *redact, const json_t *json);
/* The same for text that comes in pieces: what may be shown now. An end that may be the
 * beginning of a value stays in `held` (at first empty); piece NULL: there is no more. */
char *spk_redact_piece(const SpkRedact *redact, GString *held, const char *piece);
/* Secrets found so far. */
guint spk_redact_count(SpkRedact *redact);

#endif
