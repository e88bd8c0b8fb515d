/*
 * `sparks doctor --security`: a box is started and a program in it tries what is safe to try
 * (box/box_try.h); then the controls of each spark are told with what came of it. What no
 * attempt stands behind is said to be not probed, and is a warning at best.
 */
#include "cmd/doctor_security.h"

#include "cmd/doctor_law.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "box/box_try.h"
#include "cmd/session.h"
#include "cmd/show/keys.h"
#include "cmd/ui.h"
#include "guard/guard.h"

typedef enum { PASS, WARN, FAIL, N_STATUSES } Status;

static const struct {
	const char *name, *shown, *role;
} statuses[] = {
	{ "pass", "PASS", "ok" },
	{ "warn", "WARN", "warn" },
	{ "fail", "FAIL", "bad" },
};

/* ---- what was tried ---- */

typedef struct {
	const SpkConf *conf;
	SpkTier tier;
	char *failed; /* why no box could be started, or NULL */
	json_t *attempts;
	struct {
		gboolean probed, held;
	} pids, memory;
} Probe;

static void probe_clear(Probe *probe)
{
	g_free(probe->failed);
	json_decref(probe->attempts);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Probe, probe_clear)

/* A box like those of tasks but with little in it, so that taking too much is harmless. */
static SpkBox *open_small(const SpkArgs *args)
{
	g_autoptr(GPtrArray) overrides = g_ptr_array_new();
	g_autoptr(SpkConf) conf = NULL;
	SpkConfSource source = { .explicit_path = spk_args_config(args) };

	for (const char *const *set = spk_args_set(args); *set; set++)
		g_ptr_array_add(overrides, (gpointer)*set);
	g_ptr_array_add(overrides, (gpointer) "box.pids=32");
	g_ptr_array_add(overrides, (gpointer) "box.memory_bytes=67108864");
	g_ptr_array_add(overrides, (gpointer) "docker.memory_limit=67108864");
	g_ptr_array_add(overrides, NULL);
	source.overrides = (const char *const *)overrides->pdata;
	conf = spk_conf_load(&source, NULL);
	return conf ? spk_box_open(conf, NULL) : NULL;
}

static void try_all(Probe *probe, const SpkArgs *args, SpkCancel *cancel)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkBox) box = spk_box_open((SpkConf *)probe->conf, &error);
	g_autoptr(SpkBox) small = box ? open_small(args) : NULL;

	if (box) {
		probe->tier = spk_box_tier(box);
		probe->attempts = spk_box_try(box, cancel, &error);
	}
	if (error)
		probe->failed = g_strdup(error->message);
	if (!small)
		return;
	/* a failure to start is not an answer: then it counts as not probed */
	probe->pids.probed =
		spk_box_try_limit(small, "pids", &probe->pids.held, cancel, NULL);
	probe->memory.probed =
		spk_box_try_limit(small, "memory", &probe->memory.held, cancel, NULL);
}

/* What came of the attempts whose names begin so: the first that got through, else what
 * refused the first; NULL: none was made. */
static const char *outcome(const Probe *probe, const char *prefix, gboolean *ret_held)
{
	const char *seen = NULL;
	json_t *item;
	size_t i;

	*ret_held = TRUE;
	json_array_foreach(probe->attempts, i, item) {
		const char *name = spk_json_str(item, "attempt");

		if (!g_str_has_prefix(name, prefix))
			continue;
		if (!spk_json_bool(item, "held", FALSE)) {
			*ret_held = FALSE;
			return name;
		}
		if (!seen)
			seen = spk_json_str(item, "detail");
	}
	return seen;
}

/* ---- the checks ---- */

typedef struct {
	Status status;
	gboolean probed;
	char *observed;
} Check;

static Check by_attempts(const Probe *probe, const char *prefix, const char *claim)
{
	gboolean held;
	const char *seen = outcome(probe, prefix, &held);

	if (!seen)
		return (Check){ WARN, FALSE, g_strdup("not probed") };
	if (!held)
		return (Check){ FAIL, TRUE,
				g_strdup_printf("the attempt %s got through", seen) };
	return (Check){ PASS, TRUE, g_strdup_printf("%s (tried: %s)", claim, seen) };
}

static Check by_limit(gboolean probed, gboolean held, char *take_claim)
{
	g_autofree char *claim = take_claim;

	if (!probed)
		return (Check){ WARN, FALSE, g_strdup_printf("%s; not probed", claim) };
	return (Check){ held ? PASS : FAIL, TRUE,
			g_strdup_printf("%s (a box with less was %s)", claim,
					held ? "held to it" : "NOT held to it") };
}

static Check check_mode(const Probe *probe, const SpkSpark *spark)
{
	Status status = probe->tier >= SPK_TIER_DOCKER ? PASS
			: probe->tier > SPK_TIER_NONE  ? WARN
						       : FAIL;

	if (probe->failed)
		return (Check){ FAIL, TRUE, g_strdup(probe->failed) };
	return (Check){ status, TRUE,
			g_strdup_printf("%s, work tree %s", spk_tier_name(probe->tier),
					spark->read_only ? "read-only" : "writable") };
}

static Check check_caps(const Probe *probe, const SpkSpark *spark)
{
	return by_attempts(probe, "caps.", "none left, none to be gained");
}

static Check check_rootfs(const Probe *probe, const SpkSpark *spark)
{
	return by_attempts(probe, "files.system", "the system is read-only");
}

static Check check_network(const Probe *probe, const SpkSpark *spark)
{
	return by_attempts(probe, "network.", "none");
}

static Check check_pids(const Probe *probe, const SpkSpark *spark)
{
	return by_limit(probe->pids.probed, probe->pids.held,
			g_strdup_printf("%" G_GINT64_FORMAT " processes",
					spk_conf_int(probe->conf, "box.pids")));
}

static Check check_memory(const Probe *probe, const SpkSpark *spark)
{
	const char *key = probe->tier == SPK_TIER_DOCKER ? "docker.memory_limit"
							 : "box.memory_bytes";

	return by_limit(probe->memory.probed, probe->memory.held,
			spk_text_bytes((guint64)spk_conf_int(probe->conf, key)));
}

static Check check_cpu(const Probe *probe, const SpkSpark *spark)
{
	double cpus = probe->tier == SPK_TIER_DOCKER
			      ? spk_conf_int(probe->conf, "docker.cpu_quota") / 100000.0
			      : spk_conf_real(probe->conf, "box.cpus");

	if (cpus > 0 &&
	    (probe->tier >= SPK_TIER_NATIVE_FULL || probe->tier == SPK_TIER_DOCKER))
		return (Check){ WARN, FALSE,
				g_strdup_printf("%g processors; not probed", cpus) };
	return (Check){ WARN, FALSE,
			g_strdup("no quota, only processor time until the time-out; not "
				 "probed") };
}

static Check check_tools(const Probe *probe, const SpkSpark *spark)
{
	g_autofree char *tools = g_strjoinv(", ", (char **)spark->tools);

	if (!spark->tools[0])
		return (Check){ FAIL, FALSE, g_strdup("no list of tools") };
	return (Check){ PASS, FALSE,
			g_strdup_printf("only %s (from the table; not probed)", tools) };
}

static Check check_paths(const Probe *probe, const SpkSpark *spark)
{
	Check read = by_attempts(probe, "files.read", "");
	Check links =
		by_attempts(probe, "files.links", "the rest of the host is not there");

	if (read.status == PASS) {
		g_free(read.observed);
		return links;
	}
	g_free(links.observed);
	return read;
}

static Check check_sensitive(const Probe *probe, const SpkSpark *spark)
{
	static const char *const samples[] = { ".env", "deploy/.env", "id_rsa",
					       ".ssh/config", "server.pem" };

	g_auto(GStrv) patterns = spk_sensitive_list(probe->conf);

	for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
		if (!spk_guard_sensitive(samples[i]))
			return (Check){ FAIL, TRUE,
					g_strdup_printf("%s would be carried in",
							samples[i]) };
		if (!spk_guard_match((const char *const *)patterns, samples[i]))
			return (Check){ WARN, TRUE,
					g_strdup_printf("[guard] sensitive_files takes "
							"%s out: it is carried in",
							samples[i]) };
	}
	return (Check){ PASS, TRUE,
			g_strdup_printf("%u patterns; %s and others stay out",
					g_strv_length(patterns), samples[0]) };
}

static Check check_keys(const Probe *probe, const SpkSpark *spark)
{
	g_autoptr(GError) error = NULL;
	gboolean missing;
	g_autofree char *keys = spk_show_keys((SpkConf *)probe->conf,
					      (const char *const *)spark->allow, &missing,
					      &error);

	if (!keys)
		return (Check){ FAIL, TRUE, g_strdup(error->message) };
	return (Check){ missing ? WARN : PASS, FALSE,
			g_strdup_printf("%s (from the configuration; not probed)",
					keys) };
}

static const struct {
	const char *id, *control, *expected, *remediation;
	Check (*fn)(const Probe *probe, const SpkSpark *spark);
} checks[] = {
	{ "container.mode", "container_mode", "native or docker",
	  "see `sparks sandbox probe`; [box] require_tier refuses weaker ones",
	  check_mode },
	{ "container.caps_dropped", "caps_dropped", "no capabilities",
	  "see `sparks sandbox probe`", check_caps },
	{ "rootfs.readonly", "rootfs_readonly", "read-only", "see `sparks sandbox probe`",
	  check_rootfs },
	{ "network.mode", "network_mode", "no route out", "see `sparks sandbox probe`",
	  check_network },
	{ "limits.pid", "pid_limit", "held", "[box] pids", check_pids },
	{ "limits.memory", "memory_limit", "held",
	  "[box] memory_bytes, or [docker] memory_limit", check_memory },
	{ "limits.cpu", "cpu_quota", "a quota",
	  "set [box] cpus, where control groups are to be had (tier native-full)",
	  check_cpu },
	{ "network.credentials", "credentials",
	  "hosts that get a key, and never the box itself",
	  "mend [box] credentials; `sparks secrets set NAME` keeps a key", check_keys },
	{ "guard.tool_allowlist", "tool_guard", "a list of tools",
	  "give the spark `tools`", check_tools },
	{ "guard.path_validation", "path_guard", "paths outside of the work tree refused",
	  "see `sparks sandbox probe`", check_paths },
	{ "guard.sensitive_patterns", "sensitive_pattern_guard",
	  "files with secrets stay out", "a bug in sparks: report it", check_sensitive },
};

/* ---- the report ---- */

typedef struct {
	guint counts[N_STATUSES], failing;
	gboolean json;
	json_t *ghosts;
	json_t *law;
} Report;

static void add_check(gsize i, const Check *check, json_t *controls, json_t *rows)
{
	spk_json_set(controls, checks[i].control, spk_json_text(check->observed));
	json_array_append_new(
		rows,
		json_pack("{s:s,s:s,s:b,s:o,s:s,s:o}", "id", checks[i].id, "status",
			  statuses[check->status].name, "probed", check->probed,
			  "observed", spk_json_text(check->observed), "expected",
			  checks[i].expected, "remediation",
			  spk_json_text(check->status == PASS ? NULL
							      : checks[i].remediation)));
}

static void print_check(gsize i, const Check *check)
{
	g_autoptr(GString) out = g_string_new("  ");

	spk_ui_paint(out, STDOUT_FILENO, statuses[check->status].role,
		     statuses[check->status].shown);
	g_string_append_printf(out, " %-26s %s\n", checks[i].id, check->observed);
	if (check->status != PASS)
		g_string_append_printf(out, "       %s\n", checks[i].remediation);
	spk_ui_write(STDOUT_FILENO, out);
}

static void report_spark(Report *report, const Probe *probe, const SpkSpark *spark)
{
	json_t *controls = json_object(), *rows = json_array();
	Status worst = PASS;

	if (!report->json)
		printf("%s\n", spark->name);
	fflush(stdout);
	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
		Check check = checks[i].fn(probe, spark);

		report->counts[check.status]++;
		worst = MAX(worst, check.status);
		add_check(i, &check, controls, rows);
		if (!report->json)
			print_check(i, &check);
		g_free(check.observed);
	}
	report->failing += worst == FAIL;
	json_array_append_new(report->ghosts,
			      json_pack("{s:s,s:s,s:o,s:o}", "name", spark->name,
					"status", statuses[worst].name,
					"effective_controls", controls, "checks", rows));
}

static void print_json(const Report *report, const Probe *probe)
{
	const guint *counts = report->counts;
	Status worst = counts[FAIL] ? FAIL : counts[WARN] ? WARN : PASS;
	g_autofree char *time = spk_time_format(spk_now_us());
	g_autoptr(json_t) object = json_pack(
		"{s:s,s:s,s:{s:s,s:i,s:i,s:i,s:i,s:i},s:O,s:s,s:O?,s:O}",
		"schema_version", "v1", "generated_at", time, "summary", "overall_status",
		statuses[worst].name, "ghosts_total",
		(int)json_array_size(report->ghosts), "ghosts_failing",
		(int)report->failing, "checks_pass", (int)counts[PASS], "checks_warn",
		(int)counts[WARN], "checks_fail", (int)counts[FAIL], "ghosts",
		report->ghosts, "tier", spk_tier_name(probe->tier), "probes",
		probe->attempts, "law", report->law);

	spk_cmd_print_json(object);
}

static void print_end(const Report *report, const Probe *probe)
{
	guint open = 0;
	json_t *item;
	size_t i;

	json_array_foreach(probe->attempts, i, item)
		open += !spk_json_bool(item, "held", FALSE);
	printf("%zu attempts from inside a box, %u got through\n"
	       "%u pass, %u warn, %u fail\n",
	       json_array_size(probe->attempts), open, report->counts[PASS],
	       report->counts[WARN], report->counts[FAIL]);
}

int spk_doctor_security(const SpkArgs *args, const SpkConf *conf, SpkCancel *cancel,
			guint ret_counts[3])
{
	Report report = { .json = spk_args_flag(args, "json") };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sparks = spk_sparks(conf, &error);
	g_autoptr(json_t) ghosts = json_array(), law = NULL;
	g_auto(Probe) probe = { .conf = conf };

	if (!sparks)
		return spk_cmd_fail(g_steal_pointer(&error), report.json);
	try_all(&probe, args, cancel);
	if (!spk_cancel_check(cancel, &error))
		return spk_cmd_fail(g_steal_pointer(&error), report.json);
	report.ghosts = ghosts;
	law = spk_doctor_law(conf, sparks);
	report.law = law;
	for (guint i = 0; i < sparks->len; i++)
		report_spark(&report, &probe, sparks->pdata[i]);
	if (report.json)
		print_json(&report, &probe);
	else {
		spk_doctor_law_print(law);
		print_end(&report, &probe);
	}
	memcpy(ret_counts, report.counts, sizeof(report.counts));
	return 0;
}
