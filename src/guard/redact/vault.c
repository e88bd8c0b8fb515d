/* What placeholders stand for, so that work goes on with the real text. */
#include <string.h>

#include "guard/redact/redact_priv.h"

enum { MOST = 1024, MOST_BYTES = 1 << 20 };

struct SpkVault {
	GHashTable *texts; /* placeholder -> text; "" when two have the same one */
	GQueue order;	   /* placeholders, oldest first; borrowed */
	gsize bytes;
	gboolean also_known; /* of one file, for that file alone */
};

static void wipe(gpointer text)
{
	explicit_bzero(text, strlen(text));
	g_free(text);
}

SpkVault *spk_vault_new(void)
{
	SpkVault *vault = g_new0(SpkVault, 1);

	vault->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
	g_queue_init(&vault->order);
	return vault;
}

void spk_vault_free(SpkVault *vault)
{
	if (!vault)
		return;
	g_queue_clear(&vault->order);
	g_hash_table_unref(vault->texts);
	g_free(vault);
}

static void drop_oldest(SpkVault *vault)
{
	const char *oldest = g_queue_pop_head(&vault->order);
	const char *text = g_hash_table_lookup(vault->texts, oldest);

	vault->bytes -= strlen(text);
	g_hash_table_remove(vault->texts, oldest);
}

void vault_keep(SpkVault *vault, const char *placeholder, const char *text, gsize len,
		gboolean known)
{
	const char *there = g_hash_table_lookup(vault->texts, placeholder);
	char *key;

	if ((known && !vault->also_known) || memchr(text, '\0', len))
		return;
	if (there) {
		/* two texts with one tag: neither is put back */
		if (strlen(there) != len || memcmp(there, text, len) != 0) {
			vault->bytes -= strlen(there);
			g_hash_table_replace(vault->texts, g_strdup(placeholder),
					     g_strdup(""));
		}
		return;
	}
	while (vault->order.length &&
	       (vault->order.length >= MOST || vault->bytes + len > MOST_BYTES))
		drop_oldest(vault);
	key = g_strdup(placeholder);
	g_hash_table_insert(vault->texts, key, g_strndup(text, len));
	g_queue_push_tail(&vault->order, key);
	vault->bytes += len;
}

void vault_keep_known(SpkVault *vault)
{
	vault->also_known = TRUE;
}

const char *vault_find(const SpkVault *vault, const char *placeholder)
{
	const char *text = vault ? g_hash_table_lookup(vault->texts, placeholder) : NULL;

	return text && *text ? text : NULL;
}
