/* Knobs that are set on this store, and the events that tell of what changed. */
#ifndef SPK_STORE_KNOBS_H
#define SPK_STORE_KNOBS_H

#include "store/store.h"

typedef struct {
	char *name, *value;
	gboolean kept; /* until it is reset; else as long as the daemon lives */
	gint64 set_us;
} SpkKnobRow;
void spk_knob_row_free(SpkKnobRow *row);

/* What holds now, one row a name, sorted: that of a living daemon before what is kept. */
GPtrArray *spk_knob_rows(SpkStore *store, GError **error);
/* holder: of the daemon it is for; NULL: kept, and what was set for a daemon goes. The change
 * is an event, in one transaction with it. */
gboolean spk_knob_put(SpkStore *store, const char *name, const char *value,
		      const char *holder, GError **error);
/* Takes both back; *ret_was says whether there was something. */
gboolean spk_knob_drop(SpkStore *store, const char *name, gboolean *ret_was,
		       GError **error);

#define SPK_EVENTS_MAX 10000 /* older ones are dropped */
typedef struct {
	gint64 seq, at_us;
	char *category; /* "KnobChange" */
	char *message;
	json_t *details; /* NULL: none */
} SpkEvent;
void spk_event_free(SpkEvent *event);
/* The newest `limit` of a category, newest first. */
GPtrArray *spk_event_list(SpkStore *store, const char *category, gint64 limit,
			  GError **error);

#endif
