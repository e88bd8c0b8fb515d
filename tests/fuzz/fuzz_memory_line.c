/* Lines of an import of memories: what is taken is complete, and comes out as it came in. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "memory/portable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const SpkPortable *one)
{
	const SpkMemoryRow *row = one->row;
	double length = 0;

	g_assert(row->text && *row->text && g_utf8_validate(row->text, -1, NULL));
	g_assert(row->id && row->kind && row->scope && row->source);
	g_assert(row->confidence >= 0 && row->confidence <= 1);
	g_assert(!one->vector == !row->model && !one->vector == !one->dims);
	for (guint i = 0; i < one->dims; i++)
		length += (double)one->vector[i] * one->vector[i];
	g_assert(!one->vector || fabs(length - 1) < 1e-3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(SpkPortable) one = NULL, again = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *line = NULL;

	if (!spk_portable_read((const char *)data, size, "fuzz", &one, &error)) {
		g_assert(error && !one);
		return 0;
	}
	if (!one)
		return 0;
	check(one);
	object = spk_portable_row(one->row);
	line = spk_json_dump(object);
	g_assert(spk_portable_read(line, strlen(line), "fuzz", &again, NULL) && again);
	g_assert_cmpstr(again->row->text, ==, one->row->text);
	return 0;
}
