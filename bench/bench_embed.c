/*
 * The engine for bench/run embed, which asks it and ONNX Runtime in turns.
 *
 * usage: bench-embed FOLDER f32|int8 CACHE [KERNELS]
 * Answers each line of stdin: `tokens N RUNS` with the milliseconds of processor time of the
 * quickest and the median of so many runs over N tokens; `memory` with resident KiB that are this process's own, and those
 * of mapped files. First a line: milliseconds to open by the clock and of processor time, kernels.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory/bert.h"

#define TOKENS_MAX 512
#define RUNS_MAX   1000

static double ms_of(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now); /* both are there since Linux 2.6.12 */
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void run(const SpkBert *bert, guint n, guint runs)
{
	g_autofree float *ret = g_new(float, spk_bert_dims(bert));
	g_autofree double *times = g_new(double, runs);
	guint32 ids[TOKENS_MAX];

	for (guint i = 0; i < n; i++)
		ids[i] = 1000 + i * 37 % 20000;
	for (guint i = 0; i < runs; i++) {
		double before = ms_of(CLOCK_THREAD_CPUTIME_ID);

		(void)spk_bert_embed_tokens(bert, ids, n, ret,
					    NULL); /* timed, not used */
		times[i] = ms_of(CLOCK_THREAD_CPUTIME_ID) - before;
	}
	qsort(times, runs, sizeof(*times), compare);
	printf("%.3f %.3f\n", times[0], times[runs / 2]);
}

static void tell_memory(void)
{
	g_autofree char *status = NULL;
	long own = 0, mapped = 0;

	if (g_file_get_contents("/proc/self/status", &status, NULL, NULL)) {
		const char *at = strstr(status, "RssAnon:");
		const char *file = strstr(status, "RssFile:");

		own = at ? strtol(at + 8, NULL, 10) : 0;
		mapped = file ? strtol(file + 8, NULL, 10) : 0;
	}
	printf("%ld %ld\n", own, mapped);
}

static void serve(const SpkBert *bert)
{
	char line[64];
	guint n, runs;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "tokens %u %u", &n, &runs) == 2 && n >= 1 &&
		    n <= spk_bert_max_tokens(bert) && runs >= 1 && runs <= RUNS_MAX)
			run(bert, n, runs);
		else
			tell_memory();
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	g_auto(SpkModelDir) model = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkBert) bert = NULL;
	SpkBertOptions options = { 0 };
	double before = ms_of(CLOCK_MONOTONIC), work = ms_of(CLOCK_THREAD_CPUTIME_ID);

	if (argc < 4) {
		fprintf(stderr, "bench-embed: see the comment in bench_embed.c\n");
		return 2;
	}
	options.int8 = !strcmp(argv[2], "int8");
	options.cache = argv[3];
	options.kernels = argc > 4 ? argv[4] : NULL;
	if (spk_model_dir_read(&model, argv[1], &error))
		bert = spk_bert_open(&model, &options, &error);
	if (!bert) {
		fprintf(stderr, "bench-embed: %s\n", error->message);
		return 1;
	}
	printf("%.2f %.2f %s\n", ms_of(CLOCK_MONOTONIC) - before,
	       ms_of(CLOCK_THREAD_CPUTIME_ID) - work, spk_bert_kernels(bert));
	fflush(stdout);
	serve(bert);
	return 0;
}
