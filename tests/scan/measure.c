/*
 * The prompt scanner against a corpus of JSON lines {"id","label","class","source","lang","trick",
 * "text"} ("class": of attacks, what they are after; the half not tuned on has none):
 *
 *	measure FILE [CAUGHT FALSE]	counts by trick, language and class; with floors as a test (TAP):
 *					at least CAUGHT % of the attacks, at most FALSE % alarms
 *	measure --findings FILE		what was found in each text
 *	measure --misses FILE		the same of those that are wrong; not for the held-out half, whose texts
 *					nobody who writes rules may read
 *
 * It never prints a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "base/fs.h"
#include "base/json.h"
#include "conf/conf.h"
#include "guard/scan.h"

typedef struct {
	guint n[2], flagged[2]; /* attacks, innocent texts */
} Count;

typedef struct {
	Count sum;
	GHashTable *tricks, *langs, *sources, *classes; /* name -> Count */
	gboolean tell, all;				/* what is wrong; all there is */
} Counts;

static Count *count_of(GHashTable *table, const char *name)
{
	Count *count = g_hash_table_lookup(table, name ? name : "?");

	if (!count) {
		count = g_new0(Count, 1);
		g_hash_table_insert(table, g_strdup(name ? name : "?"), count);
	}
	return count;
}

static void add(Count *count, guint innocent, gboolean flagged)
{
	count->n[innocent]++;
	count->flagged[innocent] += flagged;
}

static void judge(const SpkScanner *scanner, const json_t *row, Counts *counts)
{
	const char *text = spk_json_str(row, "text");
	guint innocent = g_strcmp0(spk_json_str(row, "label"), "attack") != 0;
	g_auto(SpkScanResult) result = { 0 };
	gboolean flagged;

	spk_scanner_scan(scanner, NULL, text, strlen(text), &result);
	flagged = result.verdict != SPK_SCAN_PASS;
	add(&counts->sum, innocent, flagged);
	add(count_of(counts->tricks, spk_json_str(row, "trick")), innocent, flagged);
	add(count_of(counts->langs, spk_json_str(row, "lang")), innocent, flagged);
	add(count_of(counts->sources, spk_json_str(row, "source")), innocent, flagged);
	if (spk_json_str(row, "class"))
		add(count_of(counts->classes, spk_json_str(row, "class")), innocent,
		    flagged);
	if (!counts->all && (!counts->tell || (flagged != 0) != (innocent != 0)))
		return;
	printf("%s %s score %u:", spk_json_str(row, "id"), spk_json_str(row, "label"),
	       result.score);
	for (guint i = 0; i < result.findings->len; i++) {
		const SpkScanFinding *one = result.findings->pdata[i];

		printf(" %s/%s@%zu-%zu", one->rule, spk_scan_severity_name(one->severity),
		       one->start, one->end);
	}
	printf("\n");
}

static double share(const Count *count, guint which)
{
	return count->n[which] ? 100.0 * count->flagged[which] / count->n[which] : 0;
}

static void print_row(const char *name, const Count *count)
{
	printf("# %-24s %3u of %3u caught (%5.1f %%), %2u of %3u false (%4.1f %%)\n",
	       name, count->flagged[0], count->n[0], share(count, 0), count->flagged[1],
	       count->n[1], share(count, 1));
}

static void print_table(const char *title, GHashTable *table)
{
	g_autoptr(GList)
		names = g_list_sort(g_hash_table_get_keys(table), (GCompareFunc)strcmp);

	if (names)
		printf("# by %s\n", title);
	for (GList *name = names; name; name = name->next)
		print_row(name->data, g_hash_table_lookup(table, name->data));
}

/* As it is where nothing is configured. */
static SpkScanner *usual_scanner(void)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("scan-XXXXXX.toml", &path, NULL);
	SpkConfSource source = { .explicit_path = path };
	g_autoptr(SpkConf) conf = spk_conf_load(&source, NULL);

	(void)g_close(fd, NULL);
	(void)g_remove(path);
	return spk_scanner_new(conf, NULL, NULL);
}

int main(int argc, char **argv)
{
	gboolean all = argc > 2 && !strcmp(argv[1], "--findings");
	gboolean tell = all || (argc > 2 && !strcmp(argv[1], "--misses"));
	const char *path = argv[argc > 1 ? 1 + tell : 0];
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autoptr(SpkScanner) scanner = NULL;
	g_auto(GStrv) lines = NULL;
	Counts counts = { .tell = tell, .all = all };
	gsize len = 0;

	if (argc < 2 || (tell && strstr(path, "heldout"))) {
		fprintf(stderr,
			"usage: measure [--misses|--findings] FILE [CAUGHT FALSE]\n");
		return 2;
	}
	text = spk_fs_read(path, 64u << 20, &len, &error);
	if (!text) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	scanner = usual_scanner();
	counts.tricks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	counts.langs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	counts.sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	counts.classes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autoptr(json_t) row =
			**line ? spk_json_parse(*line, strlen(*line), SPK_JSON_MAX, NULL)
			       : NULL;

		if (row && spk_json_str(row, "text"))
			judge(scanner, row, &counts);
	}
	print_table("trick", counts.tricks);
	print_table("language", counts.langs);
	print_table("class", counts.classes);
	print_row("all", &counts.sum);
	if (argc >= 4) {
		gboolean caught = share(&counts.sum, 0) >= atof(argv[2]);
		gboolean few = share(&counts.sum, 1) <= atof(argv[3]);

		printf("1..2\n%sok 1 - caught\n%sok 2 - false alarms\n",
		       caught ? "" : "not ", few ? "" : "not ");
	}
	g_hash_table_unref(counts.tricks);
	g_hash_table_unref(counts.langs);
	g_hash_table_unref(counts.sources);
	g_hash_table_unref(counts.classes);
	return 0;
}
