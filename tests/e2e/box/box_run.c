/*
 * Runs one command through spk_box_run(), for the scripts of this folder and the benchmark.
 *
 * usage: box-run [--set KEY=VALUE]... [--work DIR] [--from DIR] [--read-only PATH]...
 *                [--env K=V]... [--max-out N] [--spill FILE] [--timeout-ms N]
 *                [--allow HOST]... [--route ORIGIN [--header NAME] [--prefix TEXT]] [--way-out SOCKET] [--repeat N] [--facts] [--describe] [-- COMMAND...]
 *
 * Prints the command's output and exits with its code; 125 and the reason when there was no
 * box. --facts adds a line of JSON to stderr, --allow and --route one for each word of the
 * proxy; --route gives the command ROUTE and PLACEHOLDER, the key is BOX_RUN_KEY of our own
 * environment. --repeat runs it N times and prints the milliseconds of each to stderr.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "box/box.h"
#include "box/way_out.h"

#define EXIT_BOX_FAILED 125

static char **settings, **allow, **read_only, **variables, **command;
static char *work, *from, *spill, *way_out, *origin, *header, *prefix;
static gint max_out, timeout_ms, repeat = 1;
static gboolean facts, describe, split;

static const GOptionEntry entries[] = {
	{ "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &settings, NULL, NULL },
	{ "work", 0, 0, G_OPTION_ARG_STRING, &work, NULL, NULL },
	{ "from", 0, 0, G_OPTION_ARG_STRING, &from, NULL, NULL },
	{ "read-only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &read_only, NULL, NULL },
	{ "env", 0, 0, G_OPTION_ARG_STRING_ARRAY, &variables, NULL, NULL },
	{ "max-out", 0, 0, G_OPTION_ARG_INT, &max_out, NULL, NULL },
	{ "spill", 0, 0, G_OPTION_ARG_STRING, &spill, NULL, NULL },
	{ "timeout-ms", 0, 0, G_OPTION_ARG_INT, &timeout_ms, NULL, NULL },
	{ "repeat", 0, 0, G_OPTION_ARG_INT, &repeat, NULL, NULL },
	{ "facts", 0, 0, G_OPTION_ARG_NONE, &facts, NULL, NULL },
	{ "describe", 0, 0, G_OPTION_ARG_NONE, &describe, NULL, NULL },
	{ "allow", 0, 0, G_OPTION_ARG_STRING_ARRAY, &allow, NULL, NULL },
	{ "route", 0, 0, G_OPTION_ARG_STRING, &origin, NULL, NULL },
	{ "header", 0, 0, G_OPTION_ARG_STRING, &header, NULL, NULL },
	{ "prefix", 0, 0, G_OPTION_ARG_STRING, &prefix, NULL, NULL },
	{ "way-out", 0, 0, G_OPTION_ARG_STRING, &way_out, NULL, NULL },
	{ "split", 0, 0, G_OPTION_ARG_NONE, &split, NULL, NULL },
	{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &command, NULL, NULL },
	{ 0 },
};

static int no_box(const GError *error)
{
	const char *hint = spk_error_hint(error);

	fprintf(stderr, "box-run: %s: %s (%s)\n",
		spk_err_info(spk_error_code(error))->name, error->message,
		hint ? hint : "");
	return EXIT_BOX_FAILED;
}

static void print_facts(SpkBox *box, const SpkBoxResult *result)
{
	g_autoptr(json_t) all = json_pack(
		"{s:s, s:i, s:i, s:b, s:b, s:I, s:s, s:f, s:I, s:O?, s:O?, s:s?}", "tier",
		spk_tier_name(spk_box_tier(box)), "exit_code", result->exit_code,
		"signal", result->signal, "timed_out", result->timed_out, "truncated",
		result->truncated, "out_total", (json_int_t)result->out_total, "sha256",
		result->out_sha256, "seconds", result->seconds, "rss_max",
		(json_int_t)result->rss_max_kib, "blocked", result->blocked, "refused",
		result->refused, "untold", result->untold);
	g_autofree char *text = spk_json_dump(all);

	fprintf(stderr, "%s\n", text);
}

/* Of the proxy's own thread. */
static gboolean print_request(const SpkProxyRecord *record, gpointer user)
{
	g_autoptr(json_t) json = spk_way_out_to_json(record);
	g_autofree char *text = spk_json_dump(json);

	fprintf(stderr, "proxy: %s\n", text);
	return TRUE;
}

static SpkWayOutRoute *open_route(SpkWayOut *way, GError **error)
{
	const SpkRouteSpec spec = { .credential = "test.key",
				    .origin = origin,
				    .header = header ? header : "Authorization",
				    .prefix = prefix ? prefix : "Bearer ",
				    .key = g_getenv("BOX_RUN_KEY") };
	SpkWayOutRoute *route = spk_way_out_route_open(way, &spec, error);

	if (!route)
		return NULL;
	variables =
		g_environ_setenv(variables, "ROUTE", spk_way_out_route_url(route), TRUE);
	variables = g_environ_setenv(variables, "PLACEHOLDER",
				     spk_way_out_route_placeholder(route), TRUE);
	return route;
}

static int run_once(SpkBox *box, SpkWayOut *way, GError **error)
{
	g_autofree char *here = g_get_current_dir();
	g_autoptr(SpkWayOutRoute) route = origin ? open_route(way, error) : NULL;
	SpkBoxRun run = {
		.work = work ? work : here,
		.work_from = from,
		.read_only = (const char *const *)read_only,
		.argv = (const char *const *)command,
		.env = (const char *const *)variables,
		.timeout_ms = timeout_ms,
		.max_out = (gsize)max_out,
		.spill_path = spill,
		.split = split,
		.way_out = way_out,
	};
	g_auto(SpkBoxResult) result = { 0 };

	if (origin && !route)
		return -1;
	if (!way_out)
		spk_way_out_use(way, &run);
	if (!spk_box_run(box, &run, NULL, &result, error))
		return -1;
	fwrite(result.out->str, 1, result.out->len, stdout);
	if (result.err)
		fwrite(result.err->str, 1, result.err->len, stderr);
	if (facts)
		print_facts(box, &result);
	if (repeat > 1)
		fprintf(stderr, "%.3f\n", result.seconds * 1000);
	return result.exit_code;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkBox) box = NULL;
	g_autoptr(SpkWayOut) way = NULL;
	SpkConfSource source = { 0 };
	int code = 0;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "box-run: %s\n", error->message);
		return 2;
	}
	source.overrides = (const char *const *)settings;
	conf = spk_conf_load(&source, &error);
	box = conf ? spk_box_open(conf, &error) : NULL;
	if (!box ||
	    !spk_way_out_open(box,
			      &(SpkWayOutSpec){ .conf = conf,
						.allow = (const char *const *)allow,
						.record = print_request },
			      &way, &error))
		return no_box(error);
	if (describe)
		printf("%s\n%s\n", spk_tier_name(spk_box_tier(box)),
		       spk_box_describe(box));
	for (int i = 0; command && i < repeat && code >= 0; i++)
		code = run_once(box, way, &error);
	return code < 0 ? no_box(error) : code;
}
