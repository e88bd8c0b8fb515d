#include "agent/lesson.h"

#include <string.h>

#include "agent/law.h"
#include "agent/run_priv.h"
#include "agent/stated.h"
#include "base/json.h"
#include "base/text.h"

#define GOAL_MAX    240
#define SUMMARY_MAX 400
#define ANSWER_MAX  4000
#define ERROR_MAX   300
#define REASON_MAX  300
#define FILES_SHOWN 6
#define CHECKS_MAX  5

#define CHECKS_SLOT "Checks that pass here: "
#define SETUP_SLOT  "Set-up that works here: "

void lesson_free(Lesson *lesson)
{
	g_free(lesson->id);
	g_free(lesson->text);
	g_free(lesson);
}

static Lesson *add(GPtrArray *all, const SpkTask *task, const char *name,
		   const char *kind, char *take_text)
{
	Lesson *lesson = g_new0(Lesson, 1);

	lesson->id = g_strdup_printf("%s.%s", task->id, name);
	lesson->kind = kind;
	lesson->source = "task";
	lesson->text = take_text;
	g_ptr_array_add(all, lesson);
	return lesson;
}

static char *brief(const char *text, gsize max)
{
	g_autofree char *line = spk_text_clean(text ? text : "", -1, SPK_CLEAN_LINE);

	return spk_text_clip(g_strstrip(line), max);
}

/* ---- what is on record ---- */

static const json_t *check_of(SpkRun *run, const char *phase, guint round, guint number)
{
	g_autofree char *key = g_strdup_printf("%s/%u/%u", phase, round, number);

	return run_recorded(run, "check.result", key);
}

/* The first check of the round that did not pass; NULL: all did. */
static const json_t *failed_check(SpkRun *run, guint round)
{
	static const char *const phases[] = { "after", "original_tests" };

	for (gsize i = 0; i < G_N_ELEMENTS(phases); i++)
		for (guint n = 0; n < CHECKS_MAX; n++) {
			const json_t *check = check_of(run, phases[i], round, n);

			if (check && spk_json_int(check, "exit_code", 0) != 0)
				return check;
		}
	return NULL;
}

/* Of the latest round that ended so; FALSE: none. */
static gboolean latest_failure(SpkRun *run, const json_t **ret_check)
{
	guint rounds = 0;

	*ret_check = NULL;
	while (spk_run_recorded(run, "verdict", rounds))
		rounds++;
	while (rounds && !*ret_check)
		*ret_check = failed_check(run, --rounds);
	return *ret_check != NULL;
}

/* The commands that pass in the end, quoted; "" when there are none. */
static char *passing(SpkRun *run, guint round)
{
	GString *text = g_string_new(NULL);

	for (guint n = 0; n < CHECKS_MAX; n++) {
		const json_t *check = check_of(run, "after", round, n);
		g_autofree char *command =
			brief(spk_json_str(check, "command"), ERROR_MAX);

		if (!check || spk_json_int(check, "exit_code", -1) != 0)
			break;
		g_string_append_printf(text, "%s`%s`", n ? ", " : "", command);
	}
	return g_string_free(text, FALSE);
}

/* The last lines of what it printed, in one; "" where that gave orders. */
static char *error_of(const json_t *check)
{
	const char *tail = spk_json_str(check, "tail");
	gsize len, start;

	if (!tail || json_object_get(check, "scan"))
		return g_strdup("");
	len = strlen(tail);
	start = len > ERROR_MAX ? len - ERROR_MAX : 0;
	/* from the beginning of a line on */
	while (start && start < len && tail[start - 1] != '\n')
		start++;
	return brief(start < len ? tail + start : tail + len - MIN(len, ERROR_MAX),
		     ERROR_MAX);
}

static char *failure_words(const json_t *check)
{
	g_autofree char *command = brief(spk_json_str(check, "command"), ERROR_MAX);
	g_autofree char *error = error_of(check);

	return g_strdup_printf("`%s` %s exit code %d%s%s", command,
			       spk_json_bool(check, "timed_out", FALSE)
				       ? "ran out of time with"
				       : "ended with",
			       (int)spk_json_int(check, "exit_code", -1),
			       *error ? ": " : "", error);
}

static char *files_of(const SpkTask *task)
{
	const json_t *files = json_object_get(task->changes, "files"), *file;
	GString *text = g_string_new(NULL);
	size_t i;

	json_array_foreach(files, i, file) {
		g_autofree char *name = brief(json_string_value(file), GOAL_MAX / 2);

		if (i < FILES_SHOWN)
			g_string_append_printf(text, "%s%s", i ? ", " : "", name);
	}
	if (json_array_size(files) > FILES_SHOWN)
		g_string_append_printf(text, " and %zu more",
				       json_array_size(files) - FILES_SHOWN);
	return g_string_free(text, FALSE);
}

static gboolean has_passed(const SpkTask *task, SpkState to)
{
	return to == SPK_STATE_DONE && (task->verdict == SPK_VERDICT_VERIFIED ||
					task->verdict == SPK_VERDICT_REGRESSION_ONLY);
}

static guint final_round(const SpkTask *task)
{
	return (guint)spk_json_int(task->changes, "round", 0);
}

/* ---- lessons ---- */

/* What worked: the goal, the change in a line, the evidence. */
static void add_success(GPtrArray *all, SpkRun *run, const SpkTask *task)
{
	g_autofree char *goal = brief(task->goal, GOAL_MAX);
	g_autofree char *summary = brief(task->summary, SUMMARY_MAX);
	g_autofree char *files = files_of(task);
	g_autofree char *checks = passing(run, final_round(task));

	if (!*files)
		return;
	add(all, task, "success", "success",
	    g_strdup_printf("Done: %s. Changed: %s.%s%s%s%s%s", goal, files,
			    *summary ? " How: " : "", summary, *checks ? " Passed: " : "",
			    checks, *checks ? "." : ""))
		->untrusted = TRUE;
}

static void add_failure(GPtrArray *all, SpkRun *run, const SpkTask *task, SpkState to)
{
	g_autofree char *goal = brief(task->goal, GOAL_MAX);
	g_autofree char *words = NULL;
	const json_t *check;

	if (!latest_failure(run, &check))
		return;
	words = failure_words(check);
	if (has_passed(task, to))
		add(all, task, "mended", "failure",
		    g_strdup_printf("On the way to \"%s\" the check %s. It was mended.",
				    goal, words))
			->untrusted = TRUE;
	else
		add(all, task, "failure", "failure",
		    g_strdup_printf("Not done: %s. The check %s", goal, words))
			->untrusted = TRUE;
}

/* A limit, or a loop: what ended it is ours to say. */
static void add_stopped(GPtrArray *all, SpkRun *run, const SpkTask *task)
{
	const json_t *ended = NULL, *next;
	g_autofree char *goal = brief(task->goal, GOAL_MAX), *reason = NULL;
	const char *end;

	for (guint n = 0; (next = spk_run_recorded(run, "ended", n)); n++)
		ended = next;
	end = spk_json_str(ended, "end");
	if (!end || !strcmp(end, "finished"))
		return;
	reason = brief(spk_json_str(ended, "reason"), REASON_MAX);
	/* the reason of a loop quotes calls of the model */
	add(all, task, "failure", "failure",
	    g_strdup_printf("Not done: %s. The work was stopped: %s", goal, reason))
		->untrusted = TRUE;
}

/* Commands of the user, or of our own table: nobody else's words. */
static void add_checks(GPtrArray *all, SpkRun *run, const SpkTask *task)
{
	g_autofree char *checks = passing(run, final_round(task));

	if (*checks)
		add(all, task, "checks", "repo", g_strconcat(CHECKS_SLOT, checks, NULL))
			->slot = CHECKS_SLOT;
}

static void add_setup(GPtrArray *all, SpkRun *run, const SpkTask *task)
{
	const json_t *setup = json_object_get(task->options, "setup");
	const json_t *result = run_recorded(run, "setup.result", "0"), *host;
	g_autofree char *command = brief(spk_json_str(setup, "command"), ERROR_MAX);
	g_autoptr(GString) hosts = g_string_new(NULL);
	size_t i;

	if (!result || spk_json_int(result, "exit_code", -1) != 0)
		return;
	json_array_foreach(json_object_get(setup, "allow"), i, host)
		g_string_append_printf(hosts, "%s%s", i ? ", " : "; it needs ",
				       json_is_string(host) ? json_string_value(host)
							    : "");
	add(all, task, "setup", "repo",
	    g_strdup_printf(SETUP_SLOT "`%s`%s", command, hosts->str))
		->slot = SETUP_SLOT;
}

/* Typed by a person at a terminal, and nothing in it gives orders that are not theirs. */
static gboolean is_own_message(SpkRun *run, const SpkTask *task)
{
	const json_t *options = task->options;

	return !g_strcmp0(spk_json_str(options, "strategy"), "chat") &&
	       spk_json_str(options, "session") && !json_object_get(options, "taint") &&
	       !json_object_get(options, "piped") &&
	       !json_object_get(options, "ticket") &&
	       !json_object_get(options, "author") && !run_recorded(run, "scan", "0");
}

static void add_stated(GPtrArray *all, SpkRun *run, const SpkTask *task)
{
	g_autoptr(GPtrArray) stated = NULL;

	if (!is_own_message(run, task))
		return;
	stated = stated_find(task->goal);
	for (guint i = 0; i < stated->len; i++) {
		const Stated *one = stated->pdata[i];
		g_autofree char *name = g_strdup_printf("said%u", i + 1);
		Lesson *lesson = add(all, task, name, one->fact ? "fact" : "preference",
				     g_strdup(one->text));

		lesson->of_user = !one->here;
		lesson->source = "user";
	}
}

/* Asked for: --auto-store. */
static void add_answer(GPtrArray *all, const SpkTask *task, SpkState to)
{
	const char *kind = spk_json_str(task->options, "auto_store");
	const char *answer = task->summary;

	if (kind && to == SPK_STATE_DONE && answer && answer[strspn(answer, " \t\r\n")])
		add(all, task, "answer", kind, spk_text_clip(answer, ANSWER_MAX))
			->untrusted = TRUE;
}

static void drop_others_words(GPtrArray *all)
{
	for (guint i = all->len; i > 0; i--)
		if (((const Lesson *)all->pdata[i - 1])->untrusted)
			g_ptr_array_remove_index(all, i - 1);
}

GPtrArray *lessons_of(SpkRun *run, const SpkTask *task, SpkState to)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)lesson_free);

	if (spk_conf_bool(run->env.conf, "memory.learn")) {
		add_failure(all, run, task, to);
		if (to == SPK_STATE_FAILED && !all->len)
			add_stopped(all, run, task);
		if (has_passed(task, to)) {
			add_success(all, run, task);
			add_checks(all, run, task);
			add_setup(all, run, task);
		}
		add_stated(all, run, task);
	}
	if (spk_run_taint(run)->taint >= SPK_TAINT_OUTSIDE)
		drop_others_words(all);
	add_answer(all, task, to);
	return all;
}
