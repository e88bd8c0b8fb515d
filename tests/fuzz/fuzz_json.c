/* JSON: what is parsed, printed and parsed again is the same value. */
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
	g_autofree char *text = NULL;
	g_autofree char *canon = NULL;
	g_autofree char *canon2 = NULL;

	if (!first) {
		g_assert(spk_error_is(error, SPK_ERR_BAD_INPUT));
		return 0;
	}
	text = spk_json_dump(first);
	second = spk_json_parse(text, strlen(text), G_MAXSIZE, NULL);
	g_assert(second && json_equal(first, second));
	canon = spk_json_canon(first);
	canon2 = spk_json_canon(second);
	g_assert(strcmp(canon, canon2) == 0);
	return 0;
}
