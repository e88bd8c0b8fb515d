/* Which values are secrets, and the object that knows them. */
#include <string.h>

#include "base/veil.h"
#include "conf/secret.h"
#include "guard/redact/redact_priv.h"

enum { SHOWN_MAX = 64 };

/* MAX_TOKENS=16000000, SECRETS_FILE=/run/keys: such a name without a secret. */
static gboolean is_harmless(const char *name, const char *value)
{
	if (spk_secret_find(name))
		return FALSE;
	return strspn(value, "0123456789.,") == strlen(value) ||
	       (*value == '/' && g_file_test(value, G_FILE_TEST_EXISTS));
}

/* A name that a placeholder can hold. */
static char *name_for_show(const char *name)
{
	char *shown = g_strndup(name, SHOWN_MAX);

	g_strcanon(shown,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
		   '_');
	if (!*shown) {
		g_free(shown);
		return g_strdup("SECRET");
	}
	return shown;
}

static void take(GPtrArray *names, GPtrArray *values, const char *name, const char *value)
{
	if (strlen(value) < SPK_REDACT_MIN ||
	    g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL))
		return;
	g_ptr_array_add(names, name_for_show(name));
	g_ptr_array_add(values, g_strdup(value));
}

static void take_environment(GPtrArray *names, GPtrArray *values, const char *const *env)
{
	for (; *env; env++) {
		const char *equals = strchr(*env, '=');
		g_autofree char *name = equals ? g_strndup(*env, equals - *env) : NULL;

		if (name && (spk_secret_find(name) || spk_veil_is_secret_name(name)) &&
		    !is_harmless(name, equals + 1))
			take(names, values, name, equals + 1);
	}
}

SpkRedact *redact_new_of(const char *const *env, const GPtrArray *pairs)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray)
		values = g_ptr_array_new_with_free_func((GDestroyNotify)spk_secret_wipe);
	SpkRedact *redact = g_new0(SpkRedact, 1);

	redact->refs = 1;
	take_environment(names, values, env);
	for (guint i = 0; pairs && i + 1 < pairs->len; i += 2)
		take(names, values, pairs->pdata[i], pairs->pdata[i + 1]);
	redact->known = redact_known_new((const char *const *)names->pdata,
					 (const char *const *)values->pdata, names->len);
	return redact;
}

SpkRedact *spk_redact_new(const char *const *env)
{
	return redact_new_of(env, NULL);
}

SpkRedact *redact_ref(SpkRedact *redact)
{
	g_atomic_int_inc(&redact->refs);
	return redact;
}

void spk_redact_free(SpkRedact *redact)
{
	if (!redact || !g_atomic_int_dec_and_test(&redact->refs))
		return;
	redact_known_free(redact->known);
	g_free(redact);
}

guint spk_redact_count(const SpkRedact *redact)
{
	return (guint)g_atomic_int_get(&redact->count);
}
