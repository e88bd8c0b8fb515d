/* The .env reader: every entry is a variable's name, UTF-8 text and a line, in order. */
#include <glib.h>
#include <stdint.h>

#include "base/error.h"
#include "conf/conf_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = spk_dotenv_parse(
		(const char *)data, MIN(size, SPK_ENV_MAX_BYTES), "f", &error);
	guint line = 0;

	g_assert(!entries == !!error);
	g_assert(!error || spk_error_is(error, SPK_ERR_CONFIG));
	for (guint i = 0; entries && i < entries->len; i++) {
		const SpkConfEntry *entry = entries->pdata[i];

		g_assert(*entry->key && !g_ascii_isdigit(*entry->key));
		for (const char *p = entry->key; *p; p++)
			g_assert(g_ascii_isalnum(*p) || *p == '_');
		g_assert(g_utf8_validate(entry->text, -1, NULL));
		g_assert(entry->line > line);
		line = entry->line;
	}
	return 0;
}
