/*
 * Redacts a text of some 10 MB, with as many known values as are asked for, and prints MB/s by
 * processor time for each run; then the ms that it took to make ready.
 *
 * usage: bench-redact VALUES RUNS FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "guard/redact.h"

enum { TEXT = 10 << 20, VALUE = 40 };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char **made_up(int n)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();
	g_autoptr(GRand) random = g_rand_new_with_seed(1);

	for (int i = 0; i < n; i++) {
		char value[VALUE + 1] = { 0 };
		g_autofree char *line = NULL;

		for (int k = 0; k < VALUE; k++)
			value[k] = set[g_rand_int_range(random, 0, sizeof(set) - 1)];
		line = g_strdup_printf("K%d_TOKEN=%s", i, value);
		g_strv_builder_add(all, line);
	}
	return g_strv_builder_end(all);
}

int main(int argc, char **argv)
{
	g_auto(GStrv) env = made_up(argc > 1 ? atoi(argv[1]) : 1000);
	double begin = seconds();
	g_autoptr(SpkRedact) redact = spk_redact_new((const char *const *)env);
	double ready = seconds() - begin;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *file = NULL;
	gsize len;

	if (argc < 4 || !g_file_get_contents(argv[3], &file, &len, NULL) || !len)
		return 2;
	while (text->len < TEXT)
		g_string_append_len(text, file, (gssize)len);
	for (int runs = atoi(argv[2]); runs > 0; runs--) {
		GString *clean;

		begin = seconds();
		clean = spk_redact_data(redact, text->str, text->len);
		printf("%.1f\n", (double)text->len / 1e6 / (seconds() - begin));
		if (clean)
			g_string_free(clean, TRUE);
	}
	printf("%.2f\n", ready * 1000);
	return 0;
}
