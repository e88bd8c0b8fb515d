/* `sparks policy check`: what the law says of a command line, a path or a URL. */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "cmd/policy/policy_all.h"
#include "cmd/session.h"
#include "cmd/submit.h"
#include "cmd/ui.h"
#include "guard/approval.h"
#include "guard/autonomy.h"
#include "guard/command.h"
#include "guard/law.h"
#include "guard/shell.h"
#include "guard/url.h"
#include "net/allow.h"

typedef struct {
	SpkSession session;
	SpkSpark *spark;
	SpkLevelHeld held;
	char *folder, *line;
	const char *path, *url;
	SpkTaintMark taint;
	GPtrArray *saved; /* SpkRule *, of this spark in this folder */
	SpkLaw *law;
	SpkLawView view;
	char *saved_by; /* id of the saved rule that decided; NULL */
} Check;

static void check_clear(Check *check)
{
	spk_session_clear(&check->session);
	g_clear_pointer(&check->spark, spk_spark_free);
	spk_level_held_clear(&check->held);
	g_free(check->folder);
	g_free(check->line);
	spk_taint_mark_clear(&check->taint);
	g_clear_pointer(&check->saved, g_ptr_array_unref);
	g_clear_pointer(&check->law, spk_law_free);
	spk_law_view_clear(&check->view);
	g_free(check->saved_by);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

/* ---- what it is about ---- */

static gboolean read_what(Check *check, const SpkArgs *args, GError **error)
{
	const char *const *rest = spk_args_rest(args);

	check->path = spk_args_str(args, "path");
	check->url = spk_args_str(args, "url");
	if ((rest[0] != NULL) + (check->path != NULL) + (check->url != NULL) != 1) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "as in: sparks policy check -- 'rm -rf x'",
			      "give one of a command line, --path and --url");
		return FALSE;
	}
	if (rest[0])
		check->line = spk_policy_line(rest);
	return TRUE;
}

static gboolean read_folder(Check *check, const SpkArgs *args, GError **error)
{
	const char *label = NULL;

	check->folder = spk_submit_folder(spk_args_str(args, "repo"), &label, error);
	return check->folder != NULL;
}

static gboolean read_level(Check *check, const SpkArgs *args, GError **error)
{
	const char *wanted = spk_args_str(args, "level");
	g_autoptr(GPtrArray) rows = spk_levels_list(check->session.store, error);
	g_autofree char *hint = NULL;

	if (!rows)
		return FALSE;
	spk_autonomy_find(check->session.conf, rows, check->spark->name,
			  check->spark->autonomy, check->folder, &check->held);
	if (!wanted || spk_level_parse(wanted, &check->held.level))
		return TRUE;
	hint = spk_level_hint(wanted);
	spk_error_set(error, SPK_ERR_USAGE, hint, "\"%s\" is no level", wanted);
	return FALSE;
}

/* The rules of the configuration, those of the spark, and saved ones that deny. */
static char **rules_of(const Check *check, const char *option, const char *const *own,
		       gboolean saved)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) configured = spk_conf_list(check->session.conf, option);

	g_strv_builder_addv(builder, (const char **)configured);
	if (own)
		g_strv_builder_addv(builder, (const char **)own);
	for (guint i = 0; saved && i < check->saved->len; i++) {
		const SpkRule *rule = check->saved->pdata[i];

		if (!rule->allow)
			g_strv_builder_add(builder, rule->pattern);
	}
	return g_strv_builder_end(builder);
}

static gboolean make_law(Check *check, GError **error)
{
	const SpkConf *conf = check->session.conf;
	const SpkSpark *spark = check->spark;
	g_auto(GStrv) sensitive = spk_conf_list(conf, "manager.sensitive_patterns");
	g_auto(GStrv) allow = rules_of(check, "manager.auto_approve_patterns",
				       spark->auto_approve, FALSE);
	g_auto(GStrv) deny = rules_of(check, "manager.deny_patterns", spark->deny, TRUE);
	g_auto(GStrv) hosts = rules_of(check, "box.allow", spark->allow, FALSE);
	g_auto(GStrv) addresses = spk_conf_list(conf, "box.allow_private");
	SpkLawSpec spec = { .level = check->held.level,
			    .sensitive = (const char *const *)sensitive,
			    .allow = (const char *const *)allow,
			    .deny = (const char *const *)deny,
			    .hosts = (const char *const *)hosts,
			    .addresses = (const char *const *)addresses };

	check->law = spk_law_new(&spec, error);
	return check->law != NULL;
}

static gboolean prepare(Check *check, const SpkArgs *args, GError **error)
{
	const char *name = spk_args_str(args, "spark");
	SpkTaint taint = SPK_TAINT_OPERATOR;

	if (!read_folder(check, args, error))
		return FALSE;
	check->spark = spk_spark_find(check->session.conf, name ? name : "coder", error);
	if (!check->spark || !read_level(check, args, error))
		return FALSE;
	check->saved = spk_rules_for(check->session.store, check->spark->name,
				     check->folder, error);
	if (spk_args_str(args, "taint")) /* one of the choices */
		(void)spk_taint_parse(spk_args_str(args, "taint"), &taint);
	spk_taint_raise(&check->taint, taint, "--taint");
	return check->saved && make_law(check, error);
}

/* ---- judging ---- */

/* A saved rule answers what would be asked. */
static void ask_saved(Check *check)
{
	SpkQuestion question = { .tool = (char *)"shell",
				 .line = check->view.normal,
				 .parts = check->view.parts,
				 .offer = check->view.offer };

	for (guint i = 0; i < check->saved->len && !check->saved_by; i++) {
		const SpkRule *rule = check->saved->pdata[i];
		g_autofree char *why = NULL;
		SpkTaint taint;

		if (!rule->allow || !spk_rule_allows(rule->pattern, &question))
			continue;
		(void)spk_taint_parse(rule->taint ? rule->taint : "operator", &taint);
		if (check->view.by_taint && taint < check->taint.taint)
			continue;
		check->saved_by = g_strdup(rule->id);
		why = g_strdup_printf("the saved rule %s allows it: %s", rule->id,
				      rule->pattern);
		spk_decision_set(&check->view.decision, SPK_LAW_ALLOW, SPK_RISK_LOW,
				 "operator.rule", NULL, why, NULL);
	}
}

/* A tool of ours asks for it, not a command in the sandbox, whose loopback is its own: what is
 * private is refused here. */
static void judge_private(Check *check)
{
	g_auto(GStrv) hosts = rules_of(check, "box.allow", check->spark->allow, FALSE);
	g_auto(GStrv) addresses = spk_conf_list(check->session.conf, "box.allow_private");
	g_autoptr(SpkAllow) allow = spk_allow_new((const char *const *)hosts,
						  (const char *const *)addresses, NULL);
	g_auto(SpkDecision) decision = { 0 };

	spk_url_judge(check->url, allow, &decision);
	if (decision.verdict == SPK_LAW_DENY)
		spk_decision_join(&check->view.decision, &decision);
}

static void judge(Check *check, gboolean write)
{
	g_autofree char *line =
		check->path ? g_strdup_printf("%s %s", write ? "file_write" : "file_read",
					      check->path)
		: check->url ? g_strdup_printf("web_fetch %s", check->url)
			     : g_strdup("shell");
	SpkLawCall call = { .line = line,
			    .command = check->line,
			    .path = check->path,
			    .write = write,
			    .url = check->url,
			    .does = check->path && write ? SPK_DOES(EDIT) : 0 };

	spk_law_judge(check->law, &call, &check->taint, &check->view);
	if (check->url)
		judge_private(check);
	if (check->view.decision.verdict == SPK_LAW_ASK)
		ask_saved(check);
}

/* ---- telling ---- */

static json_t *does_to_json(SpkDoesSet does)
{
	json_t *list = json_array();

	for (guint bit = 0; bit < SPK_N_DOES; bit++)
		if (does & (1u << bit))
			json_array_append_new(list, json_string(spk_does_name(bit)));
	return list;
}

static json_t *texts_to_json(char *const *texts)
{
	json_t *list = json_array();

	for (; texts && *texts; texts++)
		json_array_append_new(list, spk_json_text(*texts));
	return list;
}

/* Each command by itself, whatever the level. */
static void add_commands(const Check *check, json_t *object)
{
	const SpkConf *conf = check->session.conf;
	g_auto(GStrv) sensitive = spk_conf_list(conf, "manager.sensitive_patterns");
	g_auto(GStrv) allow = rules_of(check, "manager.auto_approve_patterns",
				       check->spark->auto_approve, FALSE);
	g_auto(GStrv)
		deny = rules_of(check, "manager.deny_patterns", check->spark->deny, TRUE);
	g_autoptr(SpkCommandRules) rules = spk_command_rules_new(
		(const char *const *)sensitive, (const char *const *)allow,
		(const char *const *)deny, NULL); /* the law has made them, too */
	g_auto(SpkCommandView) view = { 0 };

	if (!check->line)
		return;
	spk_command_judge(rules, NULL, check->line, &view);
	spk_json_set(object, "read_only", json_boolean(view.read_only));
	spk_json_set(object, "commands", spk_policy_parts_to_json(view.parts));
}

static void print_json(const Check *check)
{
	const SpkLawView *view = &check->view;
	g_autoptr(json_t) object = spk_decision_to_json(&view->decision);

	spk_json_set(object, "line", spk_json_text(check->line));
	spk_json_set(object, "path", spk_json_text(check->path));
	spk_json_set(object, "url", spk_json_text(check->url));
	spk_json_set(object, "normal", spk_json_text(view->normal));
	spk_json_set(object, "spark", spk_json_text(check->spark->name));
	spk_json_set(object, "level", json_integer(check->held.level));
	spk_json_set(object, "taint", json_string(spk_taint_name(check->taint.taint)));
	spk_json_set(object, "does", does_to_json(view->does));
	spk_json_set(object, "hosts", texts_to_json(view->hosts));
	spk_json_set(object, "pattern", spk_json_text(view->pattern));
	spk_json_set(object, "offer", spk_json_text(view->offer));
	spk_json_set(object, "saved_rule", spk_json_text(check->saved_by));
	add_commands(check, object);
	spk_cmd_print_json(object);
}

static void print_words(const Check *check)
{
	const SpkDecision *decision = &check->view.decision;
	g_autofree char *why = spk_ui_line(decision->why, 400);
	g_autofree char *what = spk_ui_line(decision->what, 200);
	g_autofree char *hint = spk_ui_line(decision->hint, 400);

	printf("%s %s: %s\n", spk_law_name(decision->verdict), decision->rule, why);
	if (*what)
		printf("  found in: %s\n", what);
	if (decision->verdict == SPK_LAW_ALLOW)
		return;
	if (*hint)
		printf("  to change it: %s\n", hint);
	if (decision->verdict == SPK_LAW_ASK && check->view.offer) {
		g_autofree char *offer = spk_shell_quote(check->view.offer);
		g_autofree char *clean = spk_ui_line(offer, 700);

		printf("  to allow it for good: sparks policy add %s\n", clean);
	}
}

static int run(const SpkArgs *args)
{
	static const int codes[] = { 0, 3, 77 }; /* interface.md, Law */
	g_auto(Check) check = { 0 };
	g_autoptr(GError) error = NULL;
	gboolean json = spk_args_flag(args, "json");
	int code;

	if (!read_what(&check, args, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (!spk_session_open(&check.session, args, json, &code))
		return code;
	if (!prepare(&check, args, &error))
		return spk_cmd_fail(g_steal_pointer(&error), json);
	judge(&check, spk_args_flag(args, "write"));
	if (json)
		print_json(&check);
	else
		print_words(&check);
	return codes[check.view.decision.verdict];
}

static const SpkCmdOpt options[] = {
	SPK_OPT_JSON,
	{ "level", .type = SPK_CMD_STRING, .value = "LEVEL",
	  .sentence =
		  "at this level of autonomy, 0 to 4 or a name; without: the one in force" },
	{ "path", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "a file that a tool reads, or with --write writes" },
	{ "repo", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "for tasks in this folder; without: here" },
	{ "spark", "ghost", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "for this spark; without: coder" },
	{ "taint", .type = SPK_CMD_STRING, .value = "SOURCE",
	  .choices = "operator|repository|outside",
	  .sentence = "when the model has read text from there" },
	{ "url", .type = SPK_CMD_STRING, .value = "URL",
	  .sentence = "an address that is asked for" },
	{ "write", .type = SPK_CMD_FLAG, .sentence = "--path is written" },
	{ NULL },
};

const SpkCmd spk_policy_check = {
	.name = "check",
	.usage = "[-- LINE...]",
	.summary = "Say what the law would do with a command line, a path or a URL.",
	.details =
		"The first word is allow, ask or deny, then comes the rule and why; the exit code "
		"is 0, 3 or 77. Nothing is run. One argument is taken as a shell line, several "
		"as its words. --json tells each command that was found in it.",
	.example = "sparks policy check -- 'make && sudo make install'\n"
		   "sparks policy check --level propose -- git status\n"
		   "sparks policy check --path ../secrets.txt",
	.options = options,
	.max_args = -1,
	.rest = TRUE,
	.run = run,
};
