#include "agent/law.h"

#include <string.h>

#include "agent/law_priv.h"
#include "agent/run_priv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "guard/approval.h"
#include "guard/autonomy.h"
#include "guard/law.h"

#define SOURCE_MAX 160 /* bytes of a call that taint is told to come from */
#define CALL_MAX   4096

/* ---- the law of this run ---- */

static SpkLevel level_of(SpkRun *run, GError **error)
{
	const json_t *kept = json_object_get(run->env.task->options, "autonomy");
	g_autoptr(GPtrArray) rows = NULL;
	g_auto(SpkLevelHeld) held = { 0 };

	(void)spk_level_parse(spk_json_str(kept, "level"), &held.level);
	if (kept)
		return held.level;
	/* of a task of an earlier version */
	rows = spk_levels_list(run->env.store, error);
	if (rows)
		spk_autonomy_find(run->env.conf, rows, run->env.spark->name,
				  run->env.spark->autonomy, run->env.task->repo, &held);
	return held.level;
}

static void add_texts(GStrvBuilder *builder, const json_t *list)
{
	const json_t *text;
	size_t i;

	json_array_foreach(list, i, text)
		if (json_is_string(text))
			g_strv_builder_add(builder, json_string_value(text));
}

/* Those that the operator named: of the configuration, the task, the spark; and answers. */
static char **hosts_of(SpkRun *run)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) configured = spk_conf_list(run->env.conf, "box.allow");

	g_strv_builder_addv(builder, (const char **)configured);
	add_texts(builder, json_object_get(run->env.task->options, "allow"));
	if (run->env.spark->allow)
		g_strv_builder_addv(builder, (const char **)run->env.spark->allow);
	for (guint i = 0; i < run->law->hosts->len; i++)
		g_strv_builder_add(builder, run->law->hosts->pdata[i]);
	return g_strv_builder_end(builder);
}

/* The rules of the configuration and those of the spark. */
static GStrvBuilder *rules_of(SpkRun *run, const char *option, const char *const *own)
{
	GStrvBuilder *builder = g_strv_builder_new();
	g_auto(GStrv) configured = spk_conf_list(run->env.conf, option);

	g_strv_builder_addv(builder, (const char **)configured);
	if (own)
		g_strv_builder_addv(builder, (const char **)own);
	return builder;
}

/* Saved rules that allow are looked at where a question would be asked (guard/approval.h); those
 * that refuse hold also where none would be. */
static char **denied(SpkRun *run, GError **error)
{
	g_autoptr(GStrvBuilder)
		builder = rules_of(run, "manager.deny_patterns", run->env.spark->deny);
	g_autoptr(GPtrArray) saved = spk_rules_for(run->env.store, run->env.spark->name,
						   run->env.task->repo, error);

	for (guint i = 0; saved && i < saved->len; i++) {
		const SpkRule *rule = saved->pdata[i];

		if (!rule->allow)
			g_strv_builder_add(builder, rule->pattern);
	}
	return saved ? g_strv_builder_end(builder) : NULL;
}

static SpkLaw *the_law(SpkRun *run, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_auto(GStrv)
		sensitive = spk_conf_list(run->env.conf, "manager.sensitive_patterns");
	g_auto(GStrv) addresses = spk_conf_list(run->env.conf, "box.allow_private");
	g_autoptr(GStrvBuilder) allow = rules_of(run, "manager.auto_approve_patterns",
						 run->env.spark->auto_approve);
	g_auto(GStrv) hosts = hosts_of(run), rules = g_strv_builder_end(allow);
	g_auto(GStrv) deny = NULL;
	SpkLawSpec spec = { .sensitive = (const char *const *)sensitive,
			    .allow = (const char *const *)rules,
			    .hosts = (const char *const *)hosts,
			    .addresses = (const char *const *)addresses,
			    .files = (const char *const *)run->sensitive };

	if (run->law->law)
		return run->law->law;
	spec.level = level_of(run, &why);
	deny = why ? NULL : denied(run, &why);
	spec.deny = (const char *const *)deny;
	if (deny)
		run->law->law = spk_law_new(&spec, &why);
	if (why) {
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
	return run->law->law;
}

/* ---- one call as the law sees it ---- */

typedef struct {
	SpkLawCall call;
	char *command, *line, *path;
	SpkScripts scripts;
	LawReading reading;
} Subject;

static void subject_clear(Subject *subject)
{
	g_free(subject->command);
	g_free(subject->line);
	g_free(subject->path);
	g_clear_pointer(&subject->reading.sum, g_checksum_free);
	*subject = (Subject){ 0 };
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Subject, subject_clear)

/* "git log -5", quoted as a shell would need it; "git" itself may have been given or not. */
static char *git_line(const json_t *words)
{
	g_autoptr(GString) line = g_string_new("git");
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word) {
		const char *text = json_string_value(word);
		g_autofree char *quoted = text ? g_shell_quote(text) : NULL;

		if (quoted && (i || strcmp(text, "git") != 0))
			g_string_append_printf(line, " %s", quoted);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

static char *line_of(const SpkTool *tool, const char *argument)
{
	g_autofree char *line = g_strconcat(tool->name, argument ? " " : "",
					    argument ? argument : "", NULL);

	return spk_text_clip(line, CALL_MAX);
}

static void describe(SpkRun *run, const SpkTool *tool, const json_t *args, Subject *ret)
{
	const char *text = tool->subject ? spk_json_str(args, tool->subject) : NULL;

	ret->call.does = tool->does;
	if (tool->deed == SPK_DEED_COMMAND)
		ret->command = g_strdup(text ? text : "");
	else if (tool->deed == SPK_DEED_GIT)
		ret->command = git_line(json_object_get(args, tool->subject));
	else if (tool->deed == SPK_DEED_PATH && text && !g_str_has_prefix(text, "spill:"))
		ret->path = law_path_in_tree(run, text);
	else if (tool->deed == SPK_DEED_AGENT)
		ret->call.named = "operator.cli_tool";
	ret->line = line_of(tool, ret->command ? ret->command : text);
	ret->call.line = ret->line;
	ret->call.command = ret->command;
	ret->reading.run = run;
	ret->scripts = (SpkScripts){ law_scripts_read, &ret->reading };
	ret->call.scripts = &ret->scripts;
	ret->call.path = ret->path;
	ret->call.write = (tool->does & SPK_DOES(EDIT)) != 0;
}

/* ---- records ---- */

static json_t *texts_to_json(char *const *texts)
{
	json_t *list = json_array();

	for (; texts && *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

/* What every call has on record; little, where nobody was asked. */
static json_t *record_of(SpkRun *run, const SpkLaw *law, const SpkLawCall *call,
			 const SpkLawView *view)
{
	const SpkDecision *decision = &view->decision;
	json_t *record = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "verdict",
				   spk_law_name(decision->verdict), "rule",
				   decision->rule, "risk", spk_risk_name(decision->risk),
				   "taint", spk_taint_name(run->law->taint.taint),
				   "level", spk_level_name(spk_law_level(law)), "does",
				   (int)view->does);

	if (decision->verdict != SPK_LAW_ALLOW) {
		spk_json_set(record, "what", spk_json_text(decision->what));
		spk_json_set(record, "why", spk_json_text(decision->why));
		spk_json_set(record, "hint", spk_json_text(decision->hint));
	}
	if (view->pattern)
		spk_json_set(record, "pattern", spk_json_text(view->pattern));
	if (view->made && *view->made)
		spk_json_set(record, "made", texts_to_json(view->made));
	else if (call->path && call->write)
		spk_json_set(record, "made", json_pack("[o]", spk_json_text(call->path)));
	return record;
}

static void add_answer(json_t *record, const SpkQuestion *question)
{
	gboolean for_task = question->answer == SPK_ANSWER_ALLOW_TASK ||
			    question->answer == SPK_ANSWER_ALLOW_RULE;

	spk_json_set(record, "answer", json_string(spk_answer_name(question->answer)));
	spk_json_set(record, "by", spk_json_text(question->by));
	spk_json_set(record, "how", spk_json_text(question->how));
	if (question->note)
		spk_json_set(record, "note", spk_json_text(question->note));
	if (question->id)
		spk_json_set(record, "question", json_string(question->id));
	if (for_task)
		spk_json_set(record, "for_task", json_true());
}

static char *refuse(const SpkDecision *decision, const SpkQuestion *question)
{
	g_autofree char *note =
		question && question->note
			? spk_text_clean(question->note, -1, SPK_CLEAN_LINE)
			: NULL;
	g_autofree char *what = decision->what ? spk_text_clip(decision->what, SOURCE_MAX)
					       : NULL;
	const char *who = !question ? ""
			  : question->answer == SPK_ANSWER_EXPIRED
				  ? "nobody allowed it in time: "
				  : "the user does not allow it: ";

	return g_strdup_printf(
		"Not done: %s%s%s%s (rule %s).%s%s\nDo without it, or say at the end what "
		"is missing. The same call again is refused again.",
		who, what ? what : "", what ? ": " : "", decision->why, decision->rule,
		note ? " They say: " : "", note ? note : "");
}

/* ---- asking ---- */

/* What the play of a replay has on record about this call: there is nobody to be asked, and
 * nothing that leaves its throw-away copy. */
static void replayed(SpkRun *run, const char *key, SpkQuestion *question)
{
	const json_t *answers = json_object_get(run->env.task->options, "answers");
	const json_t *one = json_object_get(answers, key);
	SpkAnswer answer = answers ? SPK_ANSWER_DENY : SPK_ANSWER_ALLOW_ONCE;

	if (one && !spk_answer_parse(spk_json_str(one, "answer"), &answer))
		answer = SPK_ANSWER_DENY;
	question->answer = answer;
	question->by = g_strdup("the play");
	question->how = g_strdup("replay");
	question->note = g_strdup(spk_json_str(one, "note"));
}

static void fill(SpkRun *run, const SpkTool *tool, const char *key, const char *hash,
		 SpkLawView *view, SpkQuestion *question)
{
	*question = (SpkQuestion){
		.task = g_strdup(run->env.task->id),
		.key = g_strdup(key),
		.tool = g_strdup(tool->name),
		.line = g_strdup(view->normal),
		.parts = g_strdupv(view->parts),
		.hash = g_strdup(hash),
		.does = view->does,
		.taint = run->law->taint.taint,
		.taint_source = g_strdup(run->law->taint.source),
		.by_taint = view->by_taint,
		.offer = g_strdup(view->offer),
	};
	spk_decision_set(&question->decision, view->decision.verdict, view->decision.risk,
			 view->decision.rule, view->decision.what, view->decision.why,
			 view->decision.hint);
}

static gboolean ask(SpkRun *run, SpkQuestion *question, GError **error)
{
	const json_t *options = run->env.task->options;
	SpkApprovalEnv env = {
		.store = run->env.store,
		.token = run->env.token,
		.timeout_secs = spk_conf_int(run->env.conf, "approvals.timeout_secs"),
		.spark = run->env.spark->name,
		.repo = run->env.task->repo,
		.yes = spk_json_str(options, "yes"),
	};

	if (spk_json_bool(options, "offline", FALSE)) {
		replayed(run, question->key, question);
		return TRUE;
	}
	return spk_approval_need(&env, question, error);
}

/* The hosts that the call names, and that were just allowed. */
static gboolean open_way(SpkRun *run, char *const *hosts, LawDone *done, GError **error)
{
	g_autoptr(GPtrArray) more = g_ptr_array_new();
	g_autoptr(GError) why = NULL;

	if ((!hosts[0] && !run->law->hosts->len) || !run->env.open_way ||
	    spk_json_bool(run->env.task->options, "offline", FALSE))
		return TRUE;
	for (guint i = 0; i < run->law->hosts->len; i++)
		g_ptr_array_add(more, run->law->hosts->pdata[i]);
	for (; *hosts; hosts++)
		g_ptr_array_add(more, *hosts);
	g_ptr_array_add(more, NULL);
	if (run->env.open_way(run->env.user, (const char *const *)more->pdata, &done->way,
			      &why))
		return TRUE;
	/* a sandbox without a way out, or a name that no rule can be: the call fails by itself */
	if (spk_error_is(why, SPK_ERR_POLICY) || spk_error_is(why, SPK_ERR_USAGE)) {
		spk_json_set(done->record, "unopened", spk_json_text(why->message));
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

/* Over the arguments and the scripts that were read: another text of one asks again. */
static char *hash_of(const SpkTool *tool, const char *arguments,
		     const LawReading *reading)
{
	g_autofree char *both = NULL;

	if (reading->sum)
		both = g_strconcat(arguments, "\n", g_checksum_get_string(reading->sum),
				   NULL);
	return spk_question_hash(tool->name, both ? both : arguments);
}

static gboolean settle_question(SpkRun *run, const SpkTool *tool, const json_t *call,
				const char *key, const LawReading *reading,
				SpkLawView *view, LawDone *done, GError **error)
{
	const char *arguments = spk_json_str(call, "arguments");
	g_autofree char *hash = hash_of(tool, arguments ? arguments : "", reading);
	g_auto(SpkQuestion) question = { 0 };

	fill(run, tool, key, hash, view, &question);
	question.arguments = g_strdup(arguments ? arguments : "");
	if (!ask(run, &question, error))
		return FALSE;
	add_answer(done->record, &question);
	if (!spk_answer_allows(question.answer)) {
		done->refusal = refuse(&view->decision, &question);
		return TRUE;
	}
	if (view->hosts[0])
		spk_json_set(done->record, "hosts", texts_to_json(view->hosts));
	/* a rule may have been saved with the answer */
	g_clear_pointer(&run->law->law, spk_law_free);
	if (!open_way(run, view->hosts, done, error))
		return FALSE;
	run_law_open_hosts(run->law, done->record);
	return TRUE;
}

/* What the tool itself refuses in words is not worth a question. */
static gboolean is_refused_anyway(SpkRun *run, const SpkTool *tool, const json_t *args)
{
	const json_t *words = json_object_get(args, "args"), *word;
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_autofree char *reason = NULL;
	size_t i;

	if (!g_strv_contains((const char *const *)run->names->pdata, tool->name) || !args)
		return TRUE;
	if (tool->deed != SPK_DEED_GIT)
		return FALSE;
	json_array_foreach(words, i, word)
		if (json_is_string(word) && (i || strcmp(json_string_value(word), "git")))
			g_ptr_array_add(list, (gpointer)json_string_value(word));
	g_ptr_array_add(list, NULL);
	return !spk_guard_git((const char *const *)list->pdata, &reason);
}

void law_done_clear(LawDone *done)
{
	json_decref(done->record);
	g_free(done->refusal);
	g_clear_pointer(&done->way, spk_way_out_free);
	*done = (LawDone){ 0 };
}

gboolean run_law_call(SpkRun *run, const SpkTool *tool, const json_t *call,
		      const char *key, LawDone *ret_done, GError **error)
{
	const char *arguments = spk_json_str(call, "arguments");
	g_autofree char *reason = NULL;
	g_autoptr(json_t) args =
		tool ? spk_tool_parse_args(tool, arguments ? arguments : "", &reason)
		     : NULL;
	g_auto(SpkLawView) view = { 0 };
	g_auto(Subject) subject = { 0 };
	g_auto(LawDone) done = { 0 };
	SpkLaw *law;

	if (!tool || is_refused_anyway(run, tool, args))
		return TRUE;
	law = the_law(run, error);
	if (!law)
		return FALSE;
	describe(run, tool, args, &subject);
	spk_law_judge(law, &subject.call, &run->law->taint, &view);
	done.record = record_of(run, law, &subject.call, &view);
	if (view.decision.verdict == SPK_LAW_DENY)
		done.refusal = refuse(&view.decision, NULL);
	else if (view.decision.verdict == SPK_LAW_ASK
			 ? !settle_question(run, tool, call, key, &subject.reading, &view,
					    &done, error)
			 : !open_way(run, view.hosts, &done, error))
		return FALSE;
	if (!done.refusal)
		law_scripts_made(run->law, done.record);
	*ret_done = done;
	done = (LawDone){ 0 };
	return TRUE;
}

/* ---- taint ---- */

gboolean run_taint(SpkRun *run, SpkTaint taint, const char *source, GError **error)
{
	g_autofree char *line = spk_text_clean(source, -1, SPK_CLEAN_LINE);
	g_autofree char *brief = spk_text_clip(line, SOURCE_MAX);

	if (taint <= run->law->taint.taint)
		return TRUE;
	if (!run_record(run, "taint", spk_taint_name(taint), SPK_EFFECT_PURE,
			json_pack("{s:s,s:o}", "taint", spk_taint_name(taint), "source",
				  spk_json_text(brief)),
			error))
		return FALSE;
	spk_taint_raise(&run->law->taint, taint, brief);
	return TRUE;
}

SpkTaint run_law_of_repository(SpkRun *run)
{
	return json_object_get(run->env.task->options, "untrusted")
		       ? SPK_TAINT_OUTSIDE
		       : SPK_TAINT_REPOSITORY;
}

/* The host that `way` let something through to since the last look, or NULL. */
static char *reached(SpkRun *run, SpkWayOut *way)
{
	char *host = NULL;
	guint64 n = way ? spk_way_out_reached(way, &host) : 0;
	guint64 before = way == run->env.way ? run->law->reached : 0;

	if (way && way == run->env.way)
		run->law->reached = n;
	if (n <= before)
		g_clear_pointer(&host, g_free);
	return host;
}

static gboolean raise_by(SpkRun *run, SpkTaint taint, const char *source,
			 const char *host, GError **error)
{
	g_autofree char *far = NULL;

	if (host) {
		far = g_strdup_printf("%s, which reached %s", source, host);
		return run_taint(run, SPK_TAINT_OUTSIDE, far, error);
	}
	if (taint == SPK_TAINT_OUTSIDE) {
		far = g_strdup_printf("%s, in a repository that is declared untrusted",
				      source);
		return run_taint(run, taint, far, error);
	}
	return run_taint(run, taint, source, error);
}

gboolean run_law_brought(SpkRun *run, const SpkTool *tool, const json_t *call,
			 SpkWayOut *way, SpkTaint brings, GError **error)
{
	const char *arguments = spk_json_str(call, "arguments");
	g_autofree char *host = reached(run, way ? way : run->env.way);
	g_autofree char *reason = NULL;
	g_autoptr(json_t) args = NULL;
	g_auto(Subject) subject = { 0 };

	if (!tool || (tool->trusted && !brings))
		return TRUE;
	args = spk_tool_parse_args(tool, arguments ? arguments : "", &reason);
	if (!args)
		return TRUE; /* our own words about it */
	describe(run, tool, args, &subject);
	if (tool->trusted)
		return run_taint(run, MAX(brings, run_law_of_repository(run)),
				 subject.line, error);
	return raise_by(run, run_law_of_repository(run), subject.line, host, error);
}

gboolean spk_run_heard(SpkRun *run, const char *source, GError **error)
{
	g_autofree char *host = reached(run, run->env.way);

	return raise_by(run, run_law_of_repository(run), source, host, error);
}

const SpkTaintMark *spk_run_taint(SpkRun *run)
{
	return &run->law->taint;
}

void spk_law_of_commit(SpkRun *run, SpkDecision *ret)
{
	g_auto(SpkDecision) taint = { 0 };

	spk_ladder_judge(level_of(run, NULL), SPK_DOES(COMMIT), SPK_RISK_LOW, ret);
	if (spk_taint_judge(&run->law->taint, SPK_DOES(COMMIT), &taint))
		spk_decision_join(ret, &taint);
}
