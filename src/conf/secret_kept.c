/*
 * The key of a passphrase once it is derived: this process has it for its life, so that
 * several secrets are one question; the kernel for KEEP_SECONDS, so that the next processes
 * of the user ask nothing. One name for each salt: a key of another file opens nothing.
 */
#include <string.h>

#include "base/log.h"
#include "conf/secret_priv.h"

#define KEEP_SECONDS (8 * 3600)

static struct {
	GMutex lock;
	char *name; /* of the key, or NULL */
	guint8 key[SPK_SEAL_KEY];
	gboolean declined;
} told;

static char *name_of(const SpkSeal *seal)
{
	GString *name = g_string_new("sparks:secrets:");

	for (guint i = 0; i < SPK_SEAL_SALT; i++)
		g_string_append_printf(name, "%02x", seal->salt[i]);
	return g_string_free(name, FALSE);
}

gboolean spk_kept_get(const SpkSeal *seal, guint8 key[SPK_SEAL_KEY], GError **error)
{
	g_autofree char *name = name_of(seal);
	gboolean same;

	g_mutex_lock(&told.lock);
	same = !g_strcmp0(told.name, name);
	if (same)
		memcpy(key, told.key, SPK_SEAL_KEY);
	g_mutex_unlock(&told.lock);
	return same || spk_keyctl_get(name, key, error);
}

void spk_kept_put(const SpkSeal *seal, const guint8 key[SPK_SEAL_KEY])
{
	g_autofree char *name = name_of(seal);
	g_autoptr(GError) error = NULL;

	if (!spk_keyctl_put(name, key, KEEP_SECONDS, &error))
		spk_warn("secrets", "%s: the passphrase will be asked again each time",
			 error->message);
	g_mutex_lock(&told.lock);
	g_free(told.name);
	told.name = g_steal_pointer(&name);
	memcpy(told.key, key, SPK_SEAL_KEY);
	told.declined = FALSE;
	g_mutex_unlock(&told.lock);
}

void spk_kept_decline(void)
{
	g_mutex_lock(&told.lock);
	told.declined = TRUE;
	g_mutex_unlock(&told.lock);
}

gboolean spk_kept_is_declined(void)
{
	gboolean declined;

	g_mutex_lock(&told.lock);
	declined = told.declined;
	g_mutex_unlock(&told.lock);
	return declined;
}
