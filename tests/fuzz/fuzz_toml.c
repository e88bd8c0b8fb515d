/* The TOML reader: every entry is UTF-8 text with a key, a value and a place. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = spk_toml_parse(
		(const char *)data, MIN(size, SPK_CONF_MAX_BYTES), "f", &error);

	g_assert(!entries == !!error);
	g_assert(!error || spk_error_is(error, SPK_ERR_CONFIG));
	for (guint i = 0; entries && i < entries->len; i++) {
		const SpkConfEntry *entry = entries->pdata[i];
		const SpkOpt *later = spk_conf_find_later(entry->key);
		int option = spk_conf_find(entry->key);
		g_autofree char *clash = NULL;

		g_assert(g_utf8_validate(entry->key, -1, NULL));
		g_assert(g_utf8_validate(entry->text, -1, NULL));
		g_assert(entry->line > 0 && entry->column > 0);
		g_assert(!later || option < 0);
		if (entry->type == SPK_TOML_LIST) {
			const SpkOpt list = { .type = SPK_OPT_LIST };
			g_autofree char *why = NULL;
			g_autofree char *text =
				spk_conf_list_parse(&list, entry->text, &why);

			g_assert_cmpstr(text, ==, entry->text);
		}
		g_assert(strlen(entry->key) <= 2 * SPK_TOML_MAX_KEY);
		if (option >= 0)
			clash = spk_conf_type_clash(&spk_conf_options()[option], entry);
	}
	return 0;
}
