/* A saved index: what isn't one is refused, and what is taken can be asked, changed and saved
 * again. The sum at the end is put right, so that what lies behind it is reached. */
#include <fcntl.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/index.h"
#include "memory/index/file_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIMS = 4 };

static SpkIndex *load(const uint8_t *data, size_t size)
{
	static const SpkIndexOptions options = { DIMS, TRUE, 2, 2, 8, 8 };
	static const SpkIndexStamp stamp = { "fuzz", (char *)"fuzz", 1 };
	spk_autofd int fd = memfd_create("index", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	g_autoptr(GError) error = NULL;
	gsize body = size > 8 ? size - 8 : 0;
	guint64 sum = index_sum_of(data, body);
	gint64 change;
	SpkIndex *index;

	g_assert(fd >= 0 && spk_fs_write_all(fd, data, body, NULL) &&
		 spk_fs_write_all(fd, &sum, MIN(size, sizeof(sum)), NULL));
	index = spk_index_load(path, &options, &stamp, &change, &error);
	g_assert(index ? change <= 1 : error != NULL);
	return index;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const float query[DIMS] = { 1, 0.5f, 0, -1 };
	g_autoptr(SpkIndex) index = load(data, size);
	SpkIndexStats stats;
	SpkNear near[8];
	gsize n;

	if (!index)
		return 0;
	spk_index_stats(index, &stats);
	n = spk_index_search(index, query, G_N_ELEMENTS(near), NULL, NULL, near);
	g_assert(n == MIN(stats.live, G_N_ELEMENTS(near)));
	for (gsize i = 0; i < n; i++)
		g_assert(spk_index_has(index, near[i].num));
	for (gsize i = 0; i < n; i += 2)
		spk_index_drop(index, near[i].num);
	for (gint64 num = 1; num < 20; num++)
		g_assert(spk_index_put(index, num, query, NULL));
	spk_index_settle(index);
	spk_index_stats(index, &stats);
	g_assert(stats.loose == 0);
	return 0;
}
