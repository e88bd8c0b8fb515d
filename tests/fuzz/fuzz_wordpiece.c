/* Any bytes become numbers of the vocabulary between [CLS] and [SEP]; less room cuts them off
 * and changes nothing before. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>

#include "memory/wordpiece.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 256
#define LESS 17
enum { CLS = 1, SEP = 2 };

static const char vocabulary[] = "[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nb\n##bc\nun\n##"
				 "able\n!\n中\ni\nß\n[\n]\n##文\né\n";

static SpkWordpiece *make(void)
{
	g_autofree char *dir = g_dir_make_tmp("fuzz-wordpiece-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "vocab.txt", NULL);
	SpkWordpiece *pieces;

	g_assert(g_file_set_contents(path, vocabulary, -1, NULL));
	pieces = spk_wordpiece_open(dir, NULL);
	g_assert(pieces);
	g_assert(!g_remove(path) && !g_rmdir(dir)); /* it is mapped */
	return pieces;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static SpkWordpiece *pieces;
	guint32 ids[MOST], less[LESS];
	gsize n, m;

	if (!pieces)
		pieces = make();
	n = spk_wordpiece_encode(pieces, (const char *)data, size, ids, MOST);
	m = spk_wordpiece_encode(pieces, (const char *)data, size, less, LESS);
	g_assert(n >= 2 && n <= MOST && m == MIN(n, LESS));
	g_assert(ids[0] == CLS && ids[n - 1] == SEP && less[m - 1] == SEP);
	for (gsize i = 0; i < n; i++)
		g_assert(ids[i] < spk_wordpiece_size(pieces));
	g_assert(!memcmp(ids, less, (m - 1) * sizeof(*ids)));
	return 0;
}
