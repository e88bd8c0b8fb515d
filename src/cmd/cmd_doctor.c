/*
 * `sparks doctor`: is everything there that a task needs? One row per check; each says what
 * it saw, what it wants and what to do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "box/box.h"
#include "cmd/cmd_all.h"
#include "cmd/doctor_security.h"
#include "cmd/findings.h"
#include "cmd/memory/health.h"
#include "cmd/session.h"
#include "cmd/ui.h"
#include "conf/secret.h"
#include "store/halt.h"
#include "llm/llm.h"
#include "tool/tool.h"
#include "net/child.h"

#define PING_MS	     30000
#define SPARKS_NAMED 6
#define DISK_FAIL    (100ull << 20)
#define DISK_WARN    (1ull << 30)

typedef struct {
	SpkConf *conf;
	const SpkArgs *args;
	SpkCancel *cancel;
} Doctor;

/* ---- the checks ---- */

static SpkFinding check_config(const Doctor *doctor)
{
	const char *path = spk_conf_path(doctor->conf);
	const char *const *warnings = spk_conf_warnings(doctor->conf);
	guint n = g_strv_length((char **)warnings);

	if (n)
		return spk_found(SPK_FOUND_WARN, "sparks config check", "%s%s",
				 n > 1 ? "the first of several: " : "", warnings[0]);
	return spk_found(SPK_FOUND_PASS, NULL, "%s",
			 path ? path : "built-in defaults, no file");
}

/* One that is wrong keeps every task from beginning, whichever it names. */
static SpkFinding check_sparks(const Doctor *doctor)
{
	g_autoptr(GPtrArray)
		problems = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	g_autoptr(GPtrArray) sparks = NULL;
	g_autoptr(GString) names = g_string_new(NULL);
	guint own = 0;

	spk_sparks_check(doctor->conf, problems);
	if (problems->len) {
		GError *first = problems->pdata[0];

		g_prefix_error(&first, "%s",
			       problems->len > 1 ? "the first of several: " : "");
		return spk_found_error(SPK_FOUND_FAIL, first, "sparks config check");
	}
	sparks = spk_sparks(doctor->conf, NULL); /* what could fail was checked */
	for (guint i = 0; sparks && i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];

		own += strcmp(spark->origin, "built in") != 0;
		if (i < SPARKS_NAMED)
			g_string_append_printf(names, "%s%s", i ? ", " : "", spark->name);
	}
	if (sparks && sparks->len > SPARKS_NAMED)
		g_string_append_printf(names, " and %u more", sparks->len - SPARKS_NAMED);
	if (own)
		g_string_append_printf(names, "; %u of your own", own);
	return spk_found(SPK_FOUND_PASS, NULL, "%s", names->str);
}

static SpkFinding check_disk(const Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *home = spk_fs_home(&error);
	g_autofree char *free_text = NULL;
	struct statvfs st;
	guint64 available;

	if (!home)
		return spk_found_error(SPK_FOUND_FAIL, error,
				       "set SPARKS_HOME to a folder you may write");
	if (access(home, W_OK) < 0 || statvfs(home, &st) < 0)
		return spk_found(SPK_FOUND_FAIL,
				 "set SPARKS_HOME to a folder you may write", "%s: %s",
				 home, g_strerror(errno));
	available = (guint64)st.f_bavail * st.f_frsize;
	free_text = spk_text_bytes(available);
	return spk_found(available < DISK_FAIL	 ? SPK_FOUND_FAIL
			 : available < DISK_WARN ? SPK_FOUND_WARN
						 : SPK_FOUND_PASS,
			 available < DISK_WARN ? "make room, or move SPARKS_HOME" : NULL,
			 "%s, %s free", home, free_text);
}

static SpkFinding check_store(const Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkCore) core = spk_core_open(doctor->conf, &error);
	SpkStore *store;

	if (!core)
		return spk_found_error(SPK_FOUND_FAIL, error,
				       "see the message; nothing was changed");
	store = spk_core_store(core);
	if (!spk_store_check(store, &error))
		return spk_found_error(
			SPK_FOUND_FAIL, error,
			"keep a copy of the file, then move it away: a new one "
			"is made");
	return spk_found(SPK_FOUND_PASS, NULL, "%s, schema %d, integrity ok",
			 spk_store_path(store), spk_store_schema_version(store));
}

/* Controls that this machine doesn't give, as "name, name". */
static char *missing_controls(SpkBox *box)
{
	g_autoptr(json_t) controls = spk_box_controls(box);
	GString *out = g_string_new(NULL);
	const json_t *control;
	size_t i;

	json_array_foreach(controls, i, control) {
		if (spk_json_bool(control, "ok", TRUE))
			continue;
		if (out->len)
			g_string_append(out, ", ");
		g_string_append(out, spk_json_str(control, "control"));
	}
	return g_string_free(out, FALSE);
}

static SpkFinding check_stop(const Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkCore) core = spk_core_open(doctor->conf, &error);

	if (core && spk_halt_check(spk_core_store(core), &error))
		return spk_found(SPK_FOUND_PASS, NULL, "off");
	return spk_found_error(core ? SPK_FOUND_WARN : SPK_FOUND_FAIL, error,
			       spk_error_hint(error));
}

static SpkFinding check_box(const Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkBox) box = spk_box_open(doctor->conf, &error);
	g_autofree char *missing = NULL, *words = NULL;
	gboolean strong;

	if (!box)
		return spk_found_error(
			SPK_FOUND_FAIL, error,
			"a kernel with user namespaces or Landlock is needed");
	strong = spk_box_tier(box) >= SPK_TIER_DOCKER;
	missing = missing_controls(box);
	words = spk_ui_box(spk_tier_name(spk_box_tier(box)), spk_box_describe(box));
	return spk_found(strong ? SPK_FOUND_PASS : SPK_FOUND_WARN,
			 strong ? NULL : spk_box_remedy(box), "%s%s%s", words,
			 *missing ? "; not to be had: " : "", missing);
}

static SpkFinding check_git(const Doctor *doctor)
{
	const char *argv[] = { "git", "--version", NULL };
	g_auto(SpkChildResult) result = { 0 };
	g_autoptr(GError) error = NULL;
	SpkChildSpec spec = { .argv = argv, .timeout_ms = 10000 };
	int major = 0, minor = 0;

	if (!spk_child_run(&spec, doctor->cancel, &result, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "apt install git");
	if (sscanf(result.out->str, "git version %d.%d", &major, &minor) != 2)
		return spk_found(SPK_FOUND_FAIL, "apt install git",
				 "an answer that is no version");
	if (major < 2 || (major == 2 && minor < 30))
		return spk_found(SPK_FOUND_FAIL, "install git 2.30 or newer", "git %d.%d",
				 major, minor);
	return spk_found(SPK_FOUND_PASS, NULL, "git %d.%d", major, minor);
}

/* Nothing is broken yet: the ways to go on. */
static SpkFinding no_model(const GError *error)
{
	const char *hint = spk_error_hint(error);
	g_autofree char *ways = g_strdup_printf(
		"%s; `sparks demo` needs none",
		hint ? hint : "set OPENAI_API_KEY, or [openai] url to your own server");

	return spk_found(SPK_FOUND_WARN, ways, "%s", error->message);
}

static SpkFinding answers(SpkLlm *llm, SpkCancel *patience)
{
	spk_llm_learn(llm, patience);
	return spk_found(SPK_FOUND_PASS, NULL,
			 "%s %s answers; window %" G_GINT64_FORMAT
			 " tokens (from: %s); calls tools: %s",
			 spk_llm_provider(llm), spk_llm_model(llm),
			 spk_llm_context_window(llm), spk_llm_window_from(llm),
			 spk_llm_tools(llm));
}

static SpkFinding check_model(const Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkLlm) llm = spk_llm_open(doctor->conf, NULL, &error);
	g_autoptr(SpkCancel) patience = spk_cancel_new(doctor->cancel);

	if (!llm)
		return no_model(error);
	if (spk_args_flag(doctor->args, "skip-llm"))
		return spk_found(SPK_FOUND_PASS, NULL, "%s %s, not asked (--skip-llm)",
				 spk_llm_provider(llm), spk_llm_model(llm));
	spk_cancel_set_deadline(patience, PING_MS);
	if (spk_llm_ping(llm, patience, &error))
		return answers(llm, patience);
	if (!spk_cancel_check(patience, NULL) && spk_cancel_check(doctor->cancel, NULL))
		return spk_found(SPK_FOUND_FAIL,
				 "is it the right address, and is the server not stuck?",
				 "%s %s gives no answer within %d s",
				 spk_llm_provider(llm), spk_llm_model(llm),
				 PING_MS / 1000);
	return spk_found_error(spk_error_is(error, SPK_ERR_NOT_FOUND) ? SPK_FOUND_WARN
								      : SPK_FOUND_FAIL,
			       error, "check the key, the URL and the network");
}

/* Why a place is not the one in force, or what is weak about the one that is. */
static SpkFinding check_secrets(const Doctor *doctor)
{
	g_autoptr(GString) seen = g_string_new(NULL), todo = g_string_new(NULL);
	gboolean any = FALSE;

	for (guint i = 0; spk_secret_place(i); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *weak = NULL;
		g_autofree char *where = spk_secret_place_describe(i, &weak, &error);
		const char *hint = error ? spk_error_hint(error) : NULL;

		any |= where != NULL;
		g_string_append_printf(seen, "%s%s", seen->len ? "; " : "",
				       where ? where : error->message);
		if (error && !spk_error_is(error, SPK_ERR_NOT_FOUND))
			weak = g_strdup(hint ? hint : "see the message");
		if (weak)
			g_string_append_printf(todo, "%s%s", todo->len ? "; " : "", weak);
	}
	if (todo->len)
		return spk_found(SPK_FOUND_WARN, todo->str, "%s", seen->str);
	return spk_found(SPK_FOUND_PASS, NULL, "%s%s",
			 any ? "" : "none kept yet: ", seen->str);
}

static void add_name(GString *names, const char *name)
{
	g_string_append_printf(names, "%s%s", names->len ? ", " : "", name);
}

/* Nothing needs them: one that is missing is no fault, unless [cli] tool names it. */
static SpkFinding check_agents(const Doctor *doctor)
{
	const char *wanted = spk_conf_str(doctor->conf, "cli.tool");
	g_autoptr(GString) here = g_string_new(NULL), missing = g_string_new(NULL);

	for (const SpkTool *const *tool = spk_tools; *tool; tool++) {
		g_autofree char *why = NULL;

		if (!spk_tool_is_cli((*tool)->name))
			continue;
		why = (*tool)->absent(doctor->conf);
		if (why && !strcmp((*tool)->name, wanted))
			return spk_found(SPK_FOUND_WARN, NULL,
					 "%s, which [cli] tool names: %s", (*tool)->name,
					 why);
		add_name(why ? missing : here, (*tool)->name);
	}
	return spk_found(SPK_FOUND_PASS, NULL, "%s%s%s%s%s",
			 here->len ? "can be used: " : "", here->str,
			 here->len && missing->len ? "; " : "",
			 missing->len ? "not installed, or without a key: " : "",
			 missing->str);
}

static SpkFinding check_memory(const Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkCore) core = spk_core_open(doctor->conf, &error);
	g_autoptr(SpkMemory) memory = NULL;
	SpkHealth health = { .conf = doctor->conf,
			     .cancel = doctor->cancel,
			     .dont_ask = spk_args_flag(doctor->args, "skip-llm") };

	if (core)
		memory = spk_memory_open(spk_core_store(core), doctor->conf,
					 spk_core_home(core), &error);
	if (!memory)
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks memory doctor");
	health.store = spk_core_store(core);
	health.memory = memory;
	health.home = spk_core_home(core);
	return spk_health_summary(&health);
}

static const struct {
	const char *id, *title, *expected;
	SpkFinding (*fn)(const Doctor *doctor);
} checks[] = {
	{ "config", "configuration", "read without warnings", check_config },
	{ "sparks", "sparks", "each can be read", check_sparks },
	{ "disk", "home and disk", "writable, 1 GB free", check_disk },
	{ "store", "store", "opens, integrity check passes", check_store },
	{ "stop", "stop", "off, so that tasks may begin", check_stop },
	{ "box.tier", "sandbox", "native or stronger", check_box },
	{ "git", "git", "2.30 or newer", check_git },
	{ "secrets", "secrets", "in a keyring, or sealed", check_secrets },
	{ "model", "model", "configured and answering", check_model },
	{ "memory", "memory", "can be read, with a model", check_memory },
	{ "agents", "agents", "found, with a key, where they are wanted", check_agents },
};

/* ---- output ---- */

static void print_json(json_t *take_rows, const guint *counts)
{
	static const char *const overall[] = { "pass", "warn", "fail" };
	SpkFound worst = counts[SPK_FOUND_FAIL]	  ? SPK_FOUND_FAIL
			 : counts[SPK_FOUND_WARN] ? SPK_FOUND_WARN
						  : SPK_FOUND_PASS;
	g_autofree char *time = spk_time_format(spk_now_us());
	g_autoptr(json_t) object =
		json_pack("{s:s,s:s,s:{s:s,s:i,s:i,s:i},s:o}", "schema_version", "v1",
			  "generated_at", time, "summary", "overall_status",
			  overall[worst], "checks_pass", (int)counts[SPK_FOUND_PASS],
			  "checks_warn", (int)counts[SPK_FOUND_WARN], "checks_fail",
			  (int)counts[SPK_FOUND_FAIL], "checks", take_rows);

	spk_cmd_print_json(object);
}

/* Plain `doctor` reports; --ci and --fail-on-warn turn what it found into an exit code. */
static int exit_code(const SpkArgs *args, const guint *counts)
{
	gboolean strict = spk_args_flag(args, "fail-on-warn");

	if (counts[SPK_FOUND_FAIL] && (strict || spk_args_flag(args, "ci")))
		return 1;
	return strict && counts[SPK_FOUND_WARN] ? 1 : 0;
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(json_t) rows = json_array();
	g_autoptr(SpkConf) conf = NULL;
	guint counts[SPK_N_FOUND] = { 0 };
	int code;

	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	if (spk_args_flag(args, "security")) {
		code = spk_doctor_security(args, conf, cancel, counts);
		return code ? code : exit_code(args, counts);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
		Doctor doctor = { conf, args, cancel };
		g_auto(SpkFinding) finding = checks[i].fn(&doctor);

		counts[finding.status]++;
		if (json)
			json_array_append_new(
				rows, spk_finding_to_json(checks[i].id,
							  checks[i].expected, &finding));
		else
			spk_finding_print(checks[i].title, &finding);
	}
	if (json)
		print_json(g_steal_pointer(&rows), counts);
	else
		printf("%u pass, %u warn, %u fail\n", counts[SPK_FOUND_PASS],
		       counts[SPK_FOUND_WARN], counts[SPK_FOUND_FAIL]);
	return exit_code(args, counts);
}

static const SpkCmdOpt options[] = {
	{ "ci", .type = SPK_CMD_FLAG, .sentence = "exit with 1 when a check fails" },
	{ "fail-on-warn", .type = SPK_CMD_FLAG,
	  .sentence = "exit with 1 on warnings too" },
	SPK_OPT_JSON,
	{ "security", .type = SPK_CMD_FLAG,
	  .sentence = "the controls of each spark, seen by trying to pass them" },
	{ "skip-llm", .type = SPK_CMD_FLAG, .sentence = "don't ask the model's server" },
	{ NULL },
};

const SpkCmd spk_cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "Check that everything a task needs is there.",
	.details =
		"With --security a box is started, and a program in it tries to get out, as "
		"far as that is safe; what no attempt stands behind is said to be not "
		"probed.\n"
		"--security --json: {\"schema_version\": \"v1\", \"generated_at\", \"summary\": "
		"{\"overall_status\", \"ghosts_total\", \"ghosts_failing\", \"checks_pass\", "
		"\"checks_warn\", \"checks_fail\"}, \"ghosts\": [{\"name\", \"status\", "
		"\"effective_controls\", \"checks\": [{\"id\", \"status\", \"probed\", "
		"\"observed\", \"expected\", \"remediation\"}]}], \"tier\", \"probes\": "
		"[{\"attempt\", \"held\", \"detail\"}], \"law\": {\"tasks\", "
		"\"rules_unused\", \"patterns_unused\", \"sparks\": [{\"name\", "
		"\"tools_unused\", \"tasks\", \"level\", \"level_needed\"}]}}",
	.example = "sparks doctor --skip-llm\nsparks doctor --security",
	.options = options,
	.run = run,
};
