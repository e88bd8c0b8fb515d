/*
 * What takes secrets out of text before it is written anywhere. Who knows how is a room above
 * (guard/veil.h), who must not forget to ask are the rooms below: the log, the journal. Values are
 * told by whoever reads one. Any thread.
 */
#ifndef SPK_BASE_VEIL_H
#define SPK_BASE_VEIL_H

#include <glib.h>
#include <jansson.h>

typedef struct {
	char *(*text)(const char *text); /* a copy without secrets */
	json_t *(*json)(json_t *json);	 /* a new reference to it, or to a copy */
	/* Of bytes in pieces: what may be written now. `held` (at first empty) keeps the rest. */
	GString *(*piece)(GString *held, const char *data, gsize len, gboolean last);
} SpkVeil;

/* `veil` must stay. Before threads are there. */
void spk_veil_set(const SpkVeil *veil);
char *spk_veil_text(const char *text);
/* NULL gives NULL. */
json_t *spk_veil_json(json_t *json);
GString *spk_veil_piece(GString *held, const char *data, gsize len, gboolean last);

/* From now on `value` is a secret; `name` is what stands in its place. What is known already is
 * passed over. */
void spk_veil_learn(const char *name, const char *value);
/* Whether the name of a variable says that it holds one: DB_PASSWORD, MY_TOKEN. */
gboolean spk_veil_is_secret_name(const char *name);
/* Grows with each value that is new. */
guint spk_veil_generation(void);
/* Calls fn for all values, oldest first, while none can be added. */
void spk_veil_each(void (*fn)(const char *name, const char *value, gpointer user),
		   gpointer user);

#endif
