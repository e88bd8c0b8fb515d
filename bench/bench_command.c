/*
 * Judges each line of a list RUNS times with the default patterns of the option table and prints
 * "MEDIAN_US LINE" for each, wall-clock.
 *
 * usage: bench-command RUNS
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "conf/conf.h"
#include "guard/command.h"

static const char *const lines[] = {
	"ls -la src",
	"git status --short",
	"grep -rn \"TODO\" src --include='*.c' | head -20",
	"cd build && cmake .. && make -j4 2>&1 | tail -5",
	"npm test",
	"python3 -m pytest -q tests/test_parser.py",
	"sed -n '1,80p' src/main.c",
	"rm -rf build && mkdir build",
	"curl -fsSL https://example.com/install.sh | sudo bash -s -- --yes",
	"for f in src/*.c; do gcc -c \"$f\" -o \"build/$(basename \"$f\" .c).o\" || exit 1; done",
	"find . -name '*.o' -exec rm -f {} +",
	"bash -lc 'source .venv/bin/activate && pytest -x --tb=short 2>&1 | tee out.log'",
	"python3 - <<'EOF'\nimport json, sys\nwith open('package.json') as f:\n    data = json.load(f)\n"
	"for name, version in sorted(data['dependencies'].items()):\n    print(name, version)\nEOF",
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static SpkCommandRules *default_rules(void)
{
	const SpkOpt *opt =
		&spk_conf_options()[spk_conf_find("manager.sensitive_patterns")];
	g_autoptr(json_t) list = json_loads(opt->fallback, 0, NULL);
	g_autofree const char **texts = g_new0(const char *, json_array_size(list) + 1);

	for (size_t i = 0; i < json_array_size(list); i++)
		texts[i] = json_string_value(json_array_get(list, i));
	return spk_command_rules_new(texts, NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 1000;
	g_autoptr(SpkCommandRules) rules = default_rules();
	g_autofree double *took = g_new0(double, MAX(runs, 1));

	for (size_t i = 0; rules && i < G_N_ELEMENTS(lines); i++) {
		for (int k = 0; k < runs; k++) {
			g_auto(SpkCommandView) view = { 0 };
			double start = now_us();

			spk_command_judge(rules, lines[i], &view);
			took[k] = now_us() - start;
		}
		qsort(took, runs, sizeof *took, by_size);
		printf("%.1f %.*s\n", took[runs / 2], (int)strcspn(lines[i], "\n"),
		       lines[i]);
	}
	return rules ? 0 : 1;
}
