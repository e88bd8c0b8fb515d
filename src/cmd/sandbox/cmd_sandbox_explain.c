/*
 * `sparks sandbox explain [TASK]`: what a command in the box may do, by which rule it is
 * stopped, and how to allow it; of a task also what was stopped.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "box/box.h"
#include "cmd/sandbox/sandbox_all.h"
#include "cmd/sandbox/stopped.h"
#include "cmd/session.h"
#include "cmd/show/keys.h"
#include "cmd/show/trail.h"
#include "cmd/ui.h"

/* The names of `blocked` and of the walls that stop silently. {} stands for the value of the
 * option. */
static const struct {
	const char *rule, *option, *what, *allow;
} rules[] = {
	{ "files", NULL,
	  "reads the system (/usr, /opt, parts of /etc) and the toolchains of your home, and "
	  "writes its work tree, /tmp, HOME and a layer over your caches of packages; the "
	  "rest of the host is not there",
	  "put what it needs into the repository, or give it to a spark by [[ghosts.mounts]]" },
	{ "network", "box.allow",
	  "reaches nothing but itself and, by a proxy, what [box] allow names (now {})",
	  "[box] allow, or --allow HOST[:PORT] of a task; private addresses in [box] "
	  "allow_private, too" },
	{ "credentials", "box.credentials",
	  "some allowed hosts get a key outside of it, which it never sees (now {})",
	  "[box] credentials" },
	{ "seccomp", NULL,
	  "system calls that change mounts, namespaces, keys, the kernel or the clock are "
	  "refused (docs/seccomp.md has the list)",
	  "this is never opened" },
	{ "privileges", NULL, "has no capabilities, and setuid programs gain none",
	  "this is never opened" },
	{ "memory", "box.memory_bytes", "all processes together have {} bytes",
	  "[box] memory_bytes" },
	{ "pids", "box.pids", "has at most {} processes and threads", "[box] pids" },
	{ "fsize", "box.fsize_bytes", "no file grows past {} bytes",
	  "[box] fsize_bytes" },
	{ "disk", "box.disk_bytes",
	  "the disk of the work tree loses at most {} bytes while it runs",
	  "[box] disk_bytes" },
	{ "inodes", "box.inodes",
	  "the disk of the work tree gains at most {} files while it runs",
	  "[box] inodes" },
	{ "cpu", NULL,
	  "a process has as much processor time as all cores could give until the time-out",
	  "[box] timeout_secs" },
	{ "timeout", "box.timeout_secs", "ends after {} seconds at the latest",
	  "[box] timeout_secs, or a shorter command" },
	{ "output", NULL, "64 MiB of output are kept", "let it write to a file" },
};

/* Landlock's refusals go to the audit log, which only the machine's administrator reads. */
static const char unseen[] =
	"Not on record: files that were refused (by Landlock, a read-only mount, or because they "
	"are not there in the sandbox) and addresses without a way to them. The kernel tells only "
	"the command, so look for it in its output.";

static char *value_of(const SpkConf *conf, const char *option)
{
	g_autoptr(GError) error = NULL;
	gboolean missing;
	char *keys;

	if (strcmp(option, "box.credentials") != 0)
		return spk_conf_dup_text(conf, option);
	keys = spk_show_keys((SpkConf *)conf, NULL, &missing, &error);
	return keys ? keys : g_strdup(error->message);
}

static char *words_of(const SpkConf *conf, gsize i)
{
	g_autofree char *value = rules[i].option ? value_of(conf, rules[i].option) : NULL;
	g_auto(GStrv) parts = g_strsplit(rules[i].what, "{}", 2);

	return g_strjoinv(value ? value : "", parts);
}

static const char *allow_of(const char *rule)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		if (!g_strcmp0(rules[i].rule, rule))
			return rules[i].allow;
	return NULL;
}

/* [{"rule","what","seq","tool","allow"}] of every command of the task. */
static json_t *blocked_of(const SpkTrail *trail)
{
	json_t *all = json_array();

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];
		const json_t *facts = spk_stopped_facts(entry);
		json_t *item;
		size_t k;

		json_array_foreach(json_object_get(facts, "blocked"), k, item) {
			const char *rule = spk_json_str(item, "rule");

			json_array_append_new(
				all, json_pack("{s:o,s:o,s:I,s:o,s:o}", "rule",
					       spk_json_text(rule), "what",
					       spk_json_text(spk_json_str(item, "what")),
					       "seq", (json_int_t)entry->seq, "tool",
					       spk_json_text(spk_stopped_by(entry)),
					       "allow", spk_json_text(allow_of(rule))));
		}
	}
	return all;
}

/* ---- output ---- */

static void say_rules(GString *out, const SpkConf *conf, int columns)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		g_autofree char *what = words_of(conf, i);
		g_autofree char *line = g_strdup_printf("%s: %s. To allow more: %s.",
							rules[i].rule, what,
							rules[i].allow);

		spk_ui_fold(out, line, 2, columns, 8);
	}
}

static void say_blocked(GString *out, const json_t *blocked, int columns)
{
	json_t *item;
	size_t i;

	if (!json_array_size(blocked))
		g_string_append(out, "\nNothing on record was stopped in this task.\n");
	else
		g_string_append(out, "\nStopped in this task:\n");
	json_array_foreach(blocked, i, item) {
		const char *allow = spk_json_str(item, "allow");
		g_autofree char *line = g_strdup_printf(
			"%s of %s (step %d of the log): %s. To allow it: %s.",
			spk_json_str(item, "rule"), spk_json_str(item, "tool"),
			(int)spk_json_int(item, "seq", 0), spk_json_str(item, "what"),
			allow ? allow : "no option does");
		g_autofree char *clean = spk_text_clean(line, -1, SPK_CLEAN_LINE);

		spk_ui_fold(out, clean, 2, columns, 8);
	}
}

static void say_calls(GString *out, const json_t *calls, int columns)
{
	json_t *item;
	size_t i;

	if (json_array_size(calls))
		g_string_append(out, "\nSystem calls that seccomp refused (which nothing "
				     "opens), with the first time:\n");
	json_array_foreach(calls, i, item) {
		gint64 times = spk_json_int(item, "times", 0);
		g_autofree char *line = g_strdup_printf(
			"%s, %" G_GINT64_FORMAT " %s: %s (step %d of the log)",
			spk_json_str(item, "call"), times, times == 1 ? "time" : "times",
			spk_json_str(item, "tool"), (int)spk_json_int(item, "seq", 0));
		g_autofree char *clean = spk_text_clean(line, -1, SPK_CLEAN_LINE);

		spk_ui_fold(out, clean, 2, columns, 8);
	}
}

static void say_lines(GString *out, const json_t *lines, int columns)
{
	json_t *item;
	size_t i;

	if (json_array_size(lines))
		g_string_append(out,
				"\nOutput that reads as if a wall had been there:\n");
	json_array_foreach(lines, i, item) {
		g_autofree char *line = g_strdup_printf(
			"%s (%s, step %d of the log)", spk_json_str(item, "line"),
			spk_json_str(item, "tool"), (int)spk_json_int(item, "seq", 0));
		g_autofree char *clean = spk_text_clean(line, -1, SPK_CLEAN_LINE);

		spk_ui_fold(out, clean, 2, columns, 8);
	}
}

/* What `blocked` and `refused` can't hold. */
static void say_unseen(GString *out, const json_t *untold, int columns)
{
	json_t *item;
	size_t i;

	g_string_append_c(out, '\n');
	json_array_foreach(untold, i, item) {
		g_autofree char *line =
			g_strdup_printf("Refused system calls were not counted in some "
					"commands: %s.",
					json_string_value(item));
		g_autofree char *clean = spk_text_clean(line, -1, SPK_CLEAN_LINE);

		spk_ui_fold(out, clean, 0, columns, 4);
	}
	spk_ui_fold(out, unseen, 0, columns, 4);
}

static json_t *rules_to_json(const SpkConf *conf)
{
	json_t *all = json_array();

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		g_autofree char *what = words_of(conf, i);

		json_array_append_new(
			all, json_pack("{s:s,s:s,s:o,s:s}", "rule", rules[i].rule, "what",
				       what, "option", spk_json_text(rules[i].option),
				       "allow", rules[i].allow));
	}
	return all;
}

/* What a task ran into; NULL of no task. */
static void print(const SpkConf *conf, const char *tier, const char *describe,
		  const SpkTrail *trail, gboolean json)
{
	int columns = MIN(100, spk_ui_columns(STDOUT_FILENO));
	g_autoptr(json_t) blocked = trail ? blocked_of(trail) : json_null();
	g_autoptr(json_t) refused = trail ? spk_stopped_calls(trail) : json_null();
	g_autoptr(json_t) perhaps = trail ? spk_stopped_lines(trail) : json_null();
	g_autoptr(json_t) untold = trail ? spk_stopped_untold(trail) : json_null();
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *words = spk_ui_box(tier, describe);

	if (json) {
		g_autoptr(json_t) object =
			json_pack("{s:s,s:s,s:o,s:O,s:O,s:O,s:O,s:s}", "tier", tier,
				  "describe", describe, "rules", rules_to_json(conf),
				  "blocked", blocked, "refused", refused, "perhaps",
				  perhaps, "untold", untold, "unseen", unseen);

		spk_cmd_print_json(object);
		return;
	}
	spk_ui_fold(out, words, 0, columns, 20);
	g_string_append(out, "\nA command in the sandbox\n");
	say_rules(out, conf, columns);
	if (trail) {
		say_blocked(out, blocked, columns);
		say_calls(out, refused, columns);
		say_lines(out, perhaps, columns);
	}
	say_unseen(out, untold, columns);
	spk_ui_write(STDOUT_FILENO, out);
}

static int explain_task(const SpkArgs *args, gboolean json)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkTrail) trail = NULL;
	g_autoptr(GError) error = NULL;
	const char *tier, *describe;
	int code;

	if (!spk_session_open_task(&session, args, json, &code))
		return code;
	trail = spk_trail_read(session.store, session.task->id, &error);
	if (!trail)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	tier = spk_json_str(trail->box, "tier");
	describe = spk_json_str(trail->box, "describe");
	print(session.conf, tier ? tier : "none",
	      describe ? describe : "no command of this task has run in a sandbox", trail,
	      json);
	return 0;
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkBox) box = NULL;
	int code;

	if (spk_args_rest(args)[0])
		return explain_task(args, json);
	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	box = spk_box_open(conf, &error);
	if (!box)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	print(conf, spk_tier_name(spk_box_tier(box)), spk_box_describe(box), NULL, json);
	return 0;
}

const SpkCmd spk_sandbox_explain = {
	.name = "explain",
	.usage = "[ID]",
	.summary = "Say what the sandbox allows, what it stopped, and how to allow it.",
	.details =
		"With the id of a task: also what was stopped in it, by which rule; which "
		"system calls were refused; and lines of output that read as if a wall had "
		"been there, which prove nothing.\n"
		"--json: {\"tier\",\"describe\",\"rules\":[{\"rule\",\"what\",\"option\","
		"\"allow\"}], \"blocked\":null or [{\"rule\",\"what\",\"seq\",\"tool\","
		"\"allow\"}], \"refused\":[{\"call\",\"times\",\"seq\",\"tool\"}], \"perhaps\":"
		"[{\"line\",\"seq\",\"tool\"}], \"untold\":[why calls were not counted], "
		"\"unseen\"}. Without a task the four arrays are null.",
	.example = "sparks sandbox explain",
	.options = spk_only_json,
	.max_args = 1,
	.run = run,
};
