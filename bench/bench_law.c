/*
 * What the checks of a call cost: each judge on a few honest inputs, RUNS times in batches of 16, and
 * prints the name, the median and the 95th percentile of one call in microseconds.
 *
 * usage: bench-law RUNS
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "guard/command.h"
#include "guard/guard.h"
#include "guard/path.h"
#include "guard/url.h"

#define BATCH 16

static SpkCommandRules *rules;
static SpkAllow *allow;

static void path(const char *text)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge(text, TRUE, NULL, &decision);
}

static void url(const char *text)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_url_judge(text, allow, &decision);
}

static void command(const char *text)
{
	g_auto(SpkCommandView) view = { 0 };

	spk_command_judge(rules, text, &view);
	for (guint i = 0; view.files && i < view.files->len; i++)
		(void)spk_path_word(view.files->pdata[i], NULL);
}

/* A call as the law sees it at most: a path, a URL and a shell line. */
static void all(const char *text)
{
	path("src/deep/folder/main.c");
	url("https://registry.npmjs.org/left-pad");
	command(text);
}

static const struct {
	const char *name;
	void (*judge)(const char *text);
	const char *inputs[4];
} rows[] = {
	{ "path",
	  path,
	  { "src/main.c", "a/deep/folder/with/in_it.c", "README.md", "größe.txt" } },
	{ "url",
	  url,
	  { "https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz",
	    "http://127.0.0.1/", "https://example.com/", "http://[::ffff:10.0.0.1]/" } },
	{ "command",
	  command,
	  { "make test 2>&1 | tail -20", "ls -la src", "grep -rn 'foo' src | head",
	    "cd src && sed -n 1,80p main.c" } },
	{ "all",
	  all,
	  { "make test 2>&1 | tail -20", "ls -la src", "grep -rn 'foo' src | head",
	    "cd src && sed -n 1,80p main.c" } },
};

static int compare(gconstpointer a, gconstpointer b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(gsize row, int runs)
{
	g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));

	for (int i = 0; i < runs; i++) {
		gint64 start = g_get_monotonic_time();
		double each;

		for (guint j = 0; j < BATCH; j++)
			rows[row].judge(rows[row].inputs[j % 4]);
		each = (double)(g_get_monotonic_time() - start) / BATCH;
		g_array_append_val(times, each);
	}
	g_array_sort(times, compare);
	printf("%s %.2f %.2f\n", rows[row].name,
	       g_array_index(times, double, times->len / 2),
	       g_array_index(times, double, times->len * 95 / 100));
}

int main(int argc, char **argv)
{
	SpkConfSource source = { NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = spk_conf_load(&source, &error);
	g_auto(GStrv) sensitive = conf ? spk_conf_list(conf, "manager.sensitive_patterns")
				       : NULL;
	int runs = argc > 1 ? atoi(argv[1]) : 1000;

	rules = spk_command_rules_new((const char *const *)sensitive, NULL, NULL, &error);
	allow = spk_allow_new((const char *const[]){ "@registries", NULL }, NULL, NULL);
	if (!rules || !allow || runs < 1) {
		fprintf(stderr, "bench-law: %s\n",
			error ? error->message : "usage: bench-law RUNS");
		return 1;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		measure(i, runs);
	spk_command_rules_unref(rules);
	spk_allow_free(allow);
	return 0;
}
