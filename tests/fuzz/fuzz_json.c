/* JSON: what is printed can be read, and is printed the same again. Not the same value: real
 * numbers are printed with 15 digits. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t)
		first = spk_json_parse((const char *)data, size, 1 << 20, &error);
	g_autoptr(json_t) second = NULL;
	g_autofree char *text = NULL, *text2 = NULL;
	g_autofree char *canon = NULL;
	g_autofree char *canon2 = NULL;

	if (!first) {
		g_assert(spk_error_is(error, SPK_ERR_BAD_INPUT));
		return 0;
	}
	text = spk_json_dump(first);
	second = spk_json_parse(text, strlen(text), G_MAXSIZE, NULL);
	g_assert(second);
	text2 = spk_json_dump(second);
	g_assert(strcmp(text, text2) == 0);
	canon = spk_json_canon(first);
	canon2 = spk_json_canon(second);
	g_assert(strcmp(canon, canon2) == 0);
	return 0;
}
