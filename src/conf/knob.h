/*
 * Knobs: what may be changed while a daemon runs. One table: the names that users of the
 * reference know, and the options of ours that every task reads anew. Where a knob is set is
 * the store's business; a configuration with knobs is a new SpkConf over the loaded one.
 */
#ifndef SPK_CONF_KNOB_H
#define SPK_CONF_KNOB_H

#include "conf/conf.h"

typedef struct {
	const char *name;     /* NULL ends the table */
	const char *option;   /* what it sets; NULL: a part that is not in this version */
	const char *takes;    /* without an option: "on or off", "a number from 0 to 1" */
	const char *sentence; /* likewise */
} SpkKnob;

/* Sorted by name. */
const SpkKnob *spk_knobs(void);
/* NULL: NOT_FOUND with the nearest name, or USAGE for a part that is not in this version. */
const SpkKnob *spk_knob_find(const char *name, GError **error);
/* BAD_INPUT when the option can't have that value. */
gboolean spk_knob_check(const SpkKnob *knob, const char *value, GError **error);

/* A configuration with these knobs, name -> value; one that was set on the command line stays,
 * and a value that no longer fits is passed over. Knobs that base has already do not count.
 * A new reference. */
SpkConf *spk_conf_with_knobs(SpkConf *base, GHashTable *values);

#endif
