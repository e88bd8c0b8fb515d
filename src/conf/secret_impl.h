/*
 * A place that keeps secrets. Two exist, in the order they are asked: the keyring of the
 * session (secret_keyring.c) and a file of our own (secret_file.c); secret_all.c lists them.
 * All functions block, within a deadline, and may be called from any thread.
 */
#ifndef SPK_CONF_SECRET_IMPL_H
#define SPK_CONF_SECRET_IMPL_H

#include <glib.h>

#include "conf/secret.h"

typedef struct {
	/* Whether it may be looked at: cheap, opens nothing. */
	gboolean (*here)(void);
	/* What it is now, with what is weak about it in *ret_weak (or NULL). NULL: NOT_FOUND
	 * when nothing can be kept there, else why it can't be looked at. */
	char *(*describe)(char **ret_weak, GError **error);
	/* NULL without error: it isn't there. */
	char *(*get)(const char *key, GError **error);
	char **(*keys)(GError **error);
	/* NULL: nothing was kept. NOT_FOUND: not a place to keep something, try the next.
	 * Else the words of describe(). */
	char *(*set)(const SpkSecret *secret, const char *value, char **ret_weak,
		     GError **error);
	/* FALSE without error: it wasn't there. */
	gboolean (*remove)(const char *key, GError **error);
} SpkSecretPlace;

extern const SpkSecretPlace spk_secret_keyring;
extern const SpkSecretPlace spk_secret_file;

#endif
