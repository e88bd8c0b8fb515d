/* The places in the order they are asked, and asking them one after the other. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "conf/secret_impl.h"
#include "conf/secret_priv.h"

static const struct {
	const char *name;
	const SpkSecretPlace *place;
} places[] = {
	{ "keyring", &spk_secret_keyring },
	{ "file", &spk_secret_file },
};

/* A place that is in the way stays so for every secret: once is enough. */
static void say_once(guint index, const GError *error)
{
	static gint said[G_N_ELEMENTS(places)];
	const char *hint = spk_error_hint(error);

	if (g_atomic_int_compare_and_exchange(&said[index], 0, 1))
		spk_warn("secrets", "%s%s%s", error->message, hint ? "; " : "",
			 hint ? hint : "");
}

char *spk_secret_get(const SpkSecret *secret)
{
	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;
		char *value = NULL;

		if (places[i].place->here())
			value = places[i].place->get(secret->key, &error);
		/* a bus without any keyring is how most servers are: nothing to say */
		if (error && !spk_error_is(error, SPK_ERR_NOT_FOUND))
			say_once(i, error);
		if (value && !spk_secret_unfit(value))
			return value;
		spk_secret_wipe(value);
	}
	return NULL;
}

/* A place that can't be written, for whatever passing reason, is no reason to lose what was
 * typed: but an error of the last one is the caller's. */
char *spk_secret_set(const SpkSecret *secret, const char *value, char **ret_weak,
		     GError **error)
{
	const char *unfit = spk_secret_unfit(value);

	if (unfit) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "the value of %s %s",
			      secret->key, unfit);
		return NULL;
	}
	if (spk_secret_keyring.here()) {
		g_autoptr(GError) broken = NULL;
		char *where = spk_secret_keyring.set(secret, value, ret_weak, &broken);

		if (where)
			return where;
		if (!spk_error_is(broken, SPK_ERR_NOT_FOUND) &&
		    !spk_error_is(broken, SPK_ERR_CONFIG)) {
			g_propagate_error(error, g_steal_pointer(&broken));
			return NULL;
		}
		say_once(0, broken);
	}
	return spk_secret_file.set(secret, value, ret_weak, error);
}

const char *spk_secret_place(guint index)
{
	return index < G_N_ELEMENTS(places) ? places[index].name : NULL;
}

gboolean spk_secret_place_here(guint index)
{
	return places[index].place->here();
}

char *spk_secret_place_describe(guint index, char **ret_weak, GError **error)
{
	return places[index].place->describe(ret_weak, error);
}

char **spk_secret_place_keys(guint index, GError **error)
{
	return places[index].place->keys(error);
}

gboolean spk_secret_place_remove(guint index, const SpkSecret *secret, GError **error)
{
	return places[index].place->remove(secret->key, error);
}
