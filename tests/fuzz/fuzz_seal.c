/* The header of the sealed file of secrets: only what we write ourselves is taken, and what is
 * taken stays within its bounds. Opening it with some key must fail, whatever the bytes. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "conf/secret_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lines of an opened file: a key that is listed is found, and one put in comes out. */
static void check_text(const char *text)
{
	g_auto(GStrv) keys = spk_secret_text_keys(text);
	g_autofree char *with = spk_secret_text_put(text, "fuzz.key", "value");
	g_autofree char *got = spk_secret_text_get(with, "fuzz.key");
	g_autofree char *without = spk_secret_text_put(with, "fuzz.key", NULL);

	for (char **key = keys; *key; key++)
		g_assert(**key && !strchr(*key, '\n'));
	g_assert_cmpstr(got, ==, "value");
	g_assert(strlen(without) + strlen("fuzz.key=value\n") <= strlen(with) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	static const guint8 key[SPK_SEAL_KEY];
	g_autoptr(GError) error = NULL, closed = NULL;
	g_autofree char *copy = g_strndup(bytes, size);
	SpkSeal seal = { 0 };

	check_text(copy);
	if (!spk_seal_parse(bytes, size, &seal, &error)) {
		g_assert(spk_error_is(error, SPK_ERR_CORRUPT));
		return 0;
	}
	g_assert(!error && spk_seal_is(bytes, size));
	g_assert(seal.kind == SPK_SEAL_FILE || seal.kind == SPK_SEAL_PASSPHRASE);
	g_assert(seal.ops <= 16 && seal.mem_kib <= 1024u << 10);
	g_assert((seal.kind == SPK_SEAL_FILE) == !seal.mem_kib);
	g_assert(!spk_seal_open(bytes, size, key, &closed) && closed);
	return 0;
}
