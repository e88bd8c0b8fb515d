/*
 * JSON values are jansson's json_t; this adds bounded parsing, `g_autoptr(json_t)` and
 * short readers that treat a missing key and a wrong type alike.
 */
#ifndef SPK_BASE_JSON_H
#define SPK_BASE_JSON_H

#include <glib.h>
#include <jansson.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/* Largest JSON text read from outside unless a caller says otherwise, in bytes. */
#define SPK_JSON_MAX (16u << 20)

/* NULL and BAD_INPUT (with line and column) when it isn't JSON, has a duplicate key, or is
 * longer than max_bytes. Any JSON value is accepted at top level. */
json_t *spk_json_parse(const char *text, gsize len, gsize max_bytes, GError **error);

/* Compact, in the order of insertion. */
char *spk_json_dump(const json_t *json);
/* Compact, keys sorted: equal values give equal bytes. */
char *spk_json_canon(const json_t *json);

/* Borrowed string of object[key], or NULL when missing or of another type. */
const char *spk_json_str(const json_t *object, const char *key);
gint64 spk_json_int(const json_t *object, const char *key, gint64 fallback);
double spk_json_real(const json_t *object, const char *key, double fallback);
gboolean spk_json_bool(const json_t *object, const char *key, gboolean fallback);

/* A JSON string of text, or null when text is NULL. Invalid UTF-8 is cleaned first. */
json_t *spk_json_text(const char *text);
json_t *spk_json_text_n(const char *text, gsize len);

/* object[key] = value, taking the value; fails only on a programmer's mistake. */
void spk_json_set(json_t *object, const char *key, json_t *take_value);

#endif
