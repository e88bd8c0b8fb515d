#include "memory/file_hash.h"

enum { END = 64 << 10, PIECE = 4 << 10, PIECES = 64 };

char *spk_file_sample_hash(const char *path)
{
	g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, NULL);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	const guchar *data;
	g_autofree char *length = NULL;
	gsize n;

	if (!map)
		return NULL;
	data = (const guchar *)g_mapped_file_get_contents(map);
	n = g_mapped_file_get_length(map);
	length = g_strdup_printf("%" G_GSIZE_FORMAT "\n", n);
	g_checksum_update(sum, (const guchar *)length, -1);
	if (n <= 2 * END + PIECES * PIECE) {
		g_checksum_update(sum, data, (gssize)n);
		return g_strdup(g_checksum_get_string(sum));
	}
	g_checksum_update(sum, data, END);
	for (gsize i = 0; i < PIECES; i++)
		g_checksum_update(sum, data + END + (n - 2 * END - PIECE) / PIECES * i,
				  PIECE);
	g_checksum_update(sum, data + n - END, END);
	return g_strdup(g_checksum_get_string(sum));
}
