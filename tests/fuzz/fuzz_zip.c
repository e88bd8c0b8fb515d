/* Archives of hostile origin: what is listed can be read to its end, or is refused; no entry gives
 * more than its list says. */
#include <stddef.h>
#include <stdint.h>

#include "memory/model_pick.h"
#include "memory/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENOUGH (1u << 20) /* bytes of an entry: a bomb would only take time */

static gboolean count(const void *data, gsize len, gpointer user, GError **error)
{
	guint64 *bytes = user;

	*bytes += len;
	return *bytes <= ENOUGH;
}

static void pick(const GPtrArray *list)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *name = NULL;
	g_autoptr(GArray) picks = NULL;

	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(names, ((SpkZipEntry *)list->pdata[i])->name);
	picks = spk_model_pick((const char *const *)names->pdata, names->len, &name,
			       NULL);
	for (guint i = 0; picks && i < picks->len; i++)
		g_assert(g_array_index(picks, SpkModelPick, i).index < list->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = spk_zip_list((const char *)data, size, &error);

	g_assert(!list == !!error);
	for (guint i = 0; list && i < MIN(list->len, 16); i++) {
		const SpkZipEntry *entry = list->pdata[i];
		guint64 bytes = 0;

		if (spk_zip_read((const char *)data, size, entry, count, &bytes, NULL))
			g_assert(bytes == entry->size);
		g_assert(bytes <= entry->size || bytes > ENOUGH);
	}
	if (list)
		pick(list);
	return 0;
}
