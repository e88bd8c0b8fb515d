/*
 * Secrets: keys and tokens that the program may be given, never as an ordinary option. One
 * row of the table has the name users know (`sparks secrets set github.token`), which is also
 * the option of a config file that would hold it inline, and the environment variable.
 *
 * What `sparks secrets set` keeps lies in the keyring of the session, else in the file
 * SPARKS_HOME/secrets, sealed where there is a key for that. Who only wants a secret asks
 * spk_conf_secret(), which looks at the environment first.
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

#define SPK_SECRET_MAX 4096 /* bytes of a value */

/* Sorted by key. */
const SpkSecret *spk_secrets(void);
/* By key or by environment name; NULL when there is none. Beside the table there are keys of
 * one's own, for [box] credentials: "key.NAME" and SPARKS_KEY_NAME, NAME of up to 32 letters,
 * digits and "_", in lower case. */
const SpkSecret *spk_secret_find(const char *name);
/* Those of one's own that were asked for so far, sorted; NULL-terminated, to be freed with
 * g_free(). */
const SpkSecret **spk_secrets_own(void);
/* " (did you mean "github.token"?)" among the keys, or "". */
char *spk_secret_nearest(const char *key);

/* Wipes and frees; NULL is fine. */
void spk_secret_wipe(char *value);
typedef char SpkSecretText; /* a string that is wiped at the end of its scope */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkSecretText, spk_secret_wipe)

/* Why that can't be a secret ("is empty"), or NULL. One line of printable UTF-8. */
const char *spk_secret_unfit(const char *value);

/* ---- what is kept ---- */
/* What went wrong in a place on the way is said once by the log, with "keyring" or "file". */
char *spk_secret_get(const SpkSecret *secret);
/* Where it was kept, in words; *ret_weak says what is weak about that, or is NULL. */
char *spk_secret_set(const SpkSecret *secret, const char *value, char **ret_weak,
		     GError **error);

/* The places in the order they are asked: "keyring", "file". NULL: no more. */
const char *spk_secret_place(guint index);
/* FALSE: not to be looked at here. */
gboolean spk_secret_place_here(guint index);
char *spk_secret_place_describe(guint index, char **ret_weak, GError **error);
char **spk_secret_place_keys(guint index, GError **error);
/* FALSE without error: it wasn't there. */
gboolean spk_secret_place_remove(guint index, const SpkSecret *secret, GError **error);

/* ---- a terminal without echo ---- */
/* Whether someone can be asked: stderr is a terminal that is ours. */
gboolean spk_secret_can_ask(void);
/* One line of at most max bytes. NULL: NOT_FOUND without a terminal, CANCELLED on Ctrl-C. */
char *spk_secret_ask(const char *question, gsize max, GError **error);

#endif
