/*
 * `sparks sandbox run -- CMD`: one command in the box, by hand. Output, input and exit code are
 * the command's own. It works straight in the folder, or with --copy in a copy that is thrown
 * away.
 */
#include <stdio.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/box.h"
#include "box/way_out.h"
#include "cmd/sandbox/place.h"
#include "cmd/sandbox/sandbox_all.h"
#include "cmd/sandbox/streams.h"
#include "cmd/session.h"

#define EXIT_BOX_FAILED	 125
#define EXIT_READER_GONE 141	   /* as of a program that SIGPIPE has ended */
#define JSON_OUTPUT	 (1 << 20) /* of stdout, and of stderr */

/* ---- the result ---- */

static void print_json(SpkBox *box, const SpkBoxResult *result)
{
	json_t *blocked = result->blocked ? json_incref(result->blocked) : json_array();
	g_autoptr(json_t) object = json_pack(
		"{s:i,s:i,s:b,s:s,s:f,s:I,s:o,s:o,s:b,s:o,s:o,s:o}", "exit_code",
		result->exit_code, "signal", result->signal, "timed_out",
		result->timed_out, "tier", spk_tier_name(spk_box_tier(box)), "seconds",
		result->seconds, "rss_max", (json_int_t)result->rss_max_kib, "stdout",
		spk_json_text_n(result->out->str, result->out->len), "stderr",
		spk_json_text_n(result->err->str, result->err->len), "truncated",
		result->truncated, "blocked", blocked, "refused",
		result->refused ? json_incref(result->refused) : json_array(), "untold",
		spk_json_text(result->untold));

	spk_cmd_print_json(object);
}

/* Refused calls of a command that went well were of no matter. */
static void print_blocked(const SpkBoxResult *result)
{
	gboolean failed = result->exit_code != 0;
	json_t *item;
	size_t i;

	json_array_foreach(result->blocked, i, item)
		fprintf(stderr, "sparks: the sandbox stopped it: %s: %s\n",
			spk_json_str(item, "rule"), spk_json_str(item, "what"));
	json_array_foreach(failed ? result->refused : NULL, i, item)
		fprintf(stderr,
			"sparks: the sandbox refused the system call %s (%d %s)\n",
			spk_json_str(item, "call"), (int)spk_json_int(item, "times", 0),
			spk_json_int(item, "times", 0) == 1 ? "time" : "times");
	if (json_array_size(result->blocked) ||
	    (failed && json_array_size(result->refused)))
		fprintf(stderr, "  `sparks sandbox explain` says how to allow it\n");
}

/* A repository that the command has made is one that the user's own git would believe. */
static void warn_new_git(const Place *place, gboolean had_git)
{
	g_autofree char *git = g_build_filename(place->folder, ".git", NULL);

	if (!place->tree && !had_git && g_file_test(git, G_FILE_TEST_EXISTS))
		fprintf(stderr,
			"sparks: the command made %s; git outside of the sandbox runs "
			"the hooks and programs that it names\n",
			git);
}

static gboolean has_git(const Place *place)
{
	g_autofree char *git = g_build_filename(place->folder, ".git", NULL);

	return g_file_test(git, G_FILE_TEST_EXISTS);
}

static gboolean run_streaming(SpkBox *box, SpkBoxRun *how, SpkCancel *interrupt,
			      SpkBoxResult *result, gboolean *ret_gone, GError **error)
{
	g_autoptr(SpkCancel) cancel = spk_cancel_new(interrupt);
	Streams streams;
	const SpkBoxSink sink = { streams_out, streams_err, &streams };
	gboolean ok;

	streams_init(&streams, cancel);
	how->sink = &sink;
	ok = spk_box_run(box, how, cancel, result, error);
	streams_clear(&streams);
	*ret_gone = streams.out.gone || streams.err.gone;
	return ok;
}

/* Caches of packages, with a layer that goes with the command. */
static GPtrArray *lend(SpkBox *box, const Place *place, const SpkSpark *spark,
		       GError **error)
{
	const SpkToolchains *tools = spk_box_lends(box) ? spk_box_tools(box) : NULL;

	if (!tools || (spark && spark->read_only))
		tools = NULL;
	if (tools && !spk_fs_mkdirs(place->tree_dir, 0700, error))
		return NULL;
	return spk_tree_lend_caches(place->tree_dir, place->folder, tools, error);
}

static int run_in(SpkBox *box, SpkWayOut *way, const SpkArgs *args, const SpkSpark *spark,
		  Place *place, SpkCancel *cancel)
{
	static const char *const kept[] = { ".git", NULL };
	const char *readable[] = { place->tree ? spk_tree_objects(place->tree) : NULL,
				   NULL };
	gboolean json = spk_args_flag(args, "json"), had_git = has_git(place);
	spk_autofd int input = streams_open_input();
	SpkBoxRun how = {
		.work = place->folder,
		.work_from = place->from,
		.read_only = readable,
		.kept = place->tree ? NULL : kept,
		.argv = spk_args_rest(args),
		.cwd = place->below,
		.split = TRUE,
		.read_only_work = spark && spark->read_only,
		.mounts = spark ? spark->mounts : NULL,
		.mounts_read_only = spark && spark->read_only,
		.image = spark ? spark->image : NULL,
		.stdin_fd = MAX(input, 0),
		.max_out = json ? JSON_OUTPUT : 0,
		.stop_flood = json,
	};
	g_auto(SpkBoxResult) result = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) lent = lend(box, place, spark, &error);
	gboolean gone = FALSE;
	int code;

	if (!lent)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	how.lent = lent;
	spk_way_out_use(way, &how);
	if (json ? spk_box_run(box, &how, cancel, &result, &error)
		 : run_streaming(box, &how, cancel, &result, &gone, &error)) {
		spk_way_out_note(way, &result);
		(json ? print_json(box, &result) : print_blocked(&result));
		warn_new_git(place, had_git);
		return result.exit_code;
	}
	if (gone)
		return EXIT_READER_GONE;
	code = spk_cmd_fail(g_steal_pointer(&error), json);
	return spk_cancel_is_fired(cancel) ? code : EXIT_BOX_FAILED;
}

static char **allowed_hosts(const SpkArgs *args, const SpkSpark *spark)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_strv_builder_addv(builder, (const char **)spk_args_list(args, "allow"));
	if (spark && spark->allow)
		g_strv_builder_addv(builder, (const char **)spark->allow);
	return g_strv_builder_end(builder);
}

static int run(const SpkArgs *args)
{
	const char *backend = spk_args_str(args, "backend");
	const char *name = spk_args_str(args, "ghost");
	g_autofree char *set = backend ? g_strconcat("box.backend=", backend, NULL)
				       : NULL;
	const char *const overrides[] = { set, NULL };
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(SpkSpark) spark = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkBox) box = NULL;
	g_autoptr(SpkWayOut) way = NULL;
	g_auto(GStrv) allow = NULL;
	g_auto(Place) place = { 0 };
	int code;

	conf = spk_cmd_conf_with(args, overrides, json, &code);
	if (!conf)
		return code;
	if (name)
		spark = spk_spark_find(conf, name, &error);
	if ((name && !spark) || !place_open(&place, conf, args, cancel, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	box = spk_box_open(conf, &error);
	if (!box) {
		(void)spk_cmd_fail(g_steal_pointer(&error), json);
		return EXIT_BOX_FAILED; /* whatever the reason: nothing has run */
	}
	allow = allowed_hosts(args, spark);
	if (!spk_way_out_open(box,
			      &(SpkWayOutSpec){ .conf = conf,
						.allow = (const char *const *)allow },
			      &way, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	return run_in(box, way, args, spark, &place, cancel);
}

static const SpkCmdOpt options[] = {
	{ "allow", .type = SPK_CMD_STRINGS, .value = "HOST[:PORT]",
	  .sentence = "let the command reach this host through the proxy" },
	{ "backend", .type = SPK_CMD_STRING, .value = "NAME",
	  .choices = "auto|native|docker", .sentence = "[box] backend for this run" },
	{ "copy", .type = SPK_CMD_FLAG,
	  .sentence = "work on a copy that is thrown away afterwards" },
	{ "dir", .type = SPK_CMD_STRING, .value = "DIR",
	  .sentence = "the work tree (default: the current folder)" },
	{ "ghost", .alias = "spark", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "with what this spark may do (a reading one cannot write), its "
		      "mounts, hosts and image" },
	{ "json", .type = SPK_CMD_FLAG,
	  .sentence = "one JSON object on stdout, the command's output in it" },
	{ NULL },
};

const SpkCmd spk_sandbox_run = {
	.name = "run",
	.usage = "-- CMD [ARG]...",
	.summary = "Run a command in the sandbox, in this folder.",
	.details =
		"The command WRITES STRAIGHT INTO the folder (--dir, default the current "
		"one), and can read all of it; nothing else of the host can be written. Its "
		"folder .git, if there is one, stays read-only, because git outside would "
		"run what the command leaves there. With --copy it has a copy instead, as a "
		"task has: without ignored and sensitive files, with a .git of its own, and "
		"gone afterwards.\n"
		"There is no network but --allow and [box] allow, which http_proxy and its like "
		"lead to; and HOME is an empty folder. Input, output and exit code "
		"are the command's; on a terminal, control characters are taken out of the "
		"output. 125: the sandbox could not be built; 126, 127: as of a shell; "
		"128+N: killed by signal N; 124: [box] timeout_secs is over.\n"
		"--json: {\"exit_code\",\"signal\",\"timed_out\",\"tier\",\"seconds\","
		"\"rss_max\" (KiB, of the largest process),\"stdout\",\"stderr\" (1 MiB of "
		"each),\"truncated\", \"blocked\":[{\"rule\",\"what\"}], \"refused\":"
		"[{\"call\",\"times\"}] (system calls),\"untold\" (null, or why these are not "
		"known)}",
	.example = "sparks sandbox run -- make test\n"
		   "sparks sandbox run --copy --json -- sh -c 'rm -rf *'",
	.options = options,
	.min_args = 1,
	.max_args = -1,
	.rest = TRUE,
	.run = run,
};
