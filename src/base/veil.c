#include "base/veil.h"

#include <string.h>

typedef struct {
	char *name, *value;
} Secret;

/* Parts of a name that say "this is a secret". */
static const char *const name_parts[] = {
	"TOKEN",  "SECRET",	 "PASSWORD",   "PASSWD",     "API_KEY",
	"APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL",
};

static const SpkVeil *veil_in_force;
static GMutex lock;
static GArray *secrets;	 /* guarded by lock; for as long as the process runs */
static guint generation; /* atomic */

void spk_veil_set(const SpkVeil *veil)
{
	g_atomic_pointer_set(&veil_in_force, veil);
}

char *spk_veil_text(const char *text)
{
	const SpkVeil *veil = g_atomic_pointer_get(&veil_in_force);

	return veil && text ? veil->text(text) : g_strdup(text);
}

json_t *spk_veil_json(json_t *json)
{
	const SpkVeil *veil = g_atomic_pointer_get(&veil_in_force);

	return veil && json ? veil->json(json) : json_incref(json);
}

GString *spk_veil_piece(GString *held, const char *data, gsize len, gboolean last)
{
	const SpkVeil *veil = g_atomic_pointer_get(&veil_in_force);

	return veil ? veil->piece(held, data, len, last)
		    : g_string_new_len(data, (gssize)len);
}

gboolean spk_veil_is_secret_name(const char *name)
{
	g_autofree char *upper = g_ascii_strup(name, -1);

	for (gsize i = 0; i < G_N_ELEMENTS(name_parts); i++)
		if (strstr(upper, name_parts[i]))
			return TRUE;
	return FALSE;
}

static gboolean is_learned(const char *value)
{
	for (guint i = 0; i < secrets->len; i++)
		if (!strcmp(g_array_index(secrets, Secret, i).value, value))
			return TRUE;
	return FALSE;
}

void spk_veil_learn(const char *name, const char *value)
{
	if (!value || !*value)
		return;
	g_mutex_lock(&lock);
	if (!secrets)
		secrets = g_array_new(FALSE, FALSE, sizeof(Secret));
	if (!is_learned(value)) {
		Secret secret = { g_strdup(name), g_strdup(value) };

		g_array_append_val(secrets, secret);
		g_atomic_int_inc(&generation);
	}
	g_mutex_unlock(&lock);
}

guint spk_veil_generation(void)
{
	return g_atomic_int_get(&generation);
}

void spk_veil_each(void (*fn)(const char *name, const char *value, gpointer user),
		   gpointer user)
{
	g_mutex_lock(&lock);
	for (guint i = 0; secrets && i < secrets->len; i++) {
		const Secret *secret = &g_array_index(secrets, Secret, i);

		fn(secret->name, secret->value, user);
	}
	g_mutex_unlock(&lock);
}
