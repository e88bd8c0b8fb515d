/*
 * Loads the configuration RUNS times in this process and prints what each took, wall and
 * processor time in microseconds. A fresh process with one run is what a command pays.
 *
 * usage: bench-config RUNS
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "conf/conf.h"

static double us_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	SpkConfSource source = { NULL };

	for (int runs = argc > 1 ? atoi(argv[1]) : 1; runs > 0; runs--) {
		double wall = us_of(CLOCK_MONOTONIC);
		double cpu = us_of(CLOCK_PROCESS_CPUTIME_ID);
		g_autoptr(GError) error = NULL;
		g_autoptr(SpkConf) conf = spk_conf_load(&source, &error);

		cpu = us_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		wall = us_of(CLOCK_MONOTONIC) - wall;
		if (!conf || *spk_conf_warnings(conf)) {
			fprintf(stderr, "bench-config: %s\n",
				conf ? *spk_conf_warnings(conf) : error->message);
			return 1;
		}
		printf("%.1f %.1f\n", wall, cpu);
	}
	return 0;
}
