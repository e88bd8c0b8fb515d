/* The prompt scanner: any bytes. Findings lie inside the text, on character boundaries where it is
 * UTF-8; the work is bounded by the length; a second scan says the same. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>

#include "conf/conf.h"
#include "guard/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static SpkScanner *usual(void)
{
	static SpkScanner *scanner;
	g_autofree char *path = NULL;
	SpkConfSource source = { 0 };
	g_autoptr(SpkConf) conf = NULL;

	if (scanner)
		return scanner;
	g_assert(g_close(g_file_open_tmp("scan-XXXXXX.toml", &path, NULL), NULL));
	source.explicit_path = path;
	conf = spk_conf_load(&source, NULL);
	(void)g_remove(path);
	scanner = spk_scanner_new(conf, NULL, NULL);
	g_assert(scanner);
	return scanner;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	gboolean utf8 = g_utf8_validate_len(text, size, NULL);
	g_auto(SpkScanResult) result = { 0 }, again = { 0 };

	spk_scanner_scan(usual(), NULL, text, size, &result);
	spk_scanner_scan(usual(), NULL, text, size, &again);
	g_assert(result.verdict == again.verdict && result.score == again.score);
	g_assert(result.work <= 64 * (guint64)size + 64);
	for (guint i = 0; i < result.findings->len; i++) {
		const SpkScanFinding *one = result.findings->pdata[i];

		g_assert(one->start <= one->end && one->end <= size);
		g_assert(!utf8 || one->start == size ||
			 (data[one->start] & 0xc0) != 0x80);
		g_assert(!utf8 || one->end == size || (data[one->end] & 0xc0) != 0x80);
		g_assert(g_utf8_validate(one->excerpt, -1, NULL));
	}
	return 0;
}
