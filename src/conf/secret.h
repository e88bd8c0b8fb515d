/*
 * The table of secrets: keys and tokens that the program may be given, never as an ordinary
 * option. One row has the name users know (`sparks secrets set github.token`), which is also
 * the option of a config file that would hold it inline, and the environment variable.
 */
#ifndef SPK_CONF_SECRET_H
#define SPK_CONF_SECRET_H

#include <glib.h>

typedef struct {
	const char *key;      /* "github.token"; NULL ends the table */
	const char *env;      /* "GH_TOKEN" */
	gboolean model;	      /* goes to a model's server: what a task runs with */
	const char *sentence; /* what it opens */
} SpkSecret;

/* Sorted by key. */
const SpkSecret *spk_secrets(void);
/* By key or by environment name; NULL when there is none. */
const SpkSecret *spk_secret_find(const char *name);
/* " (did you mean "github.token"?)" among the keys, or "". */
char *spk_secret_nearest(const char *key);

#endif
