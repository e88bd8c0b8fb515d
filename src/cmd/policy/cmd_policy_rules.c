/* `sparks policy rules|add|remove`: rules that an operator keeps, by hand or from approvals. */
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
#include "store/rules.h"

static json_t *rule_to_json(const SpkRule *rule)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:I}", "id", rule->id,
			 "verdict", rule->allow ? "allow" : "deny", "pattern",
			 spk_json_text(rule->pattern), "spark",
			 spk_json_text(rule->spark), "repo", spk_json_text(rule->repo),
			 "taint", spk_json_text(rule->taint), "by",
			 spk_json_text(rule->by), "question",
			 spk_json_text(rule->question), "created_us",
			 (json_int_t)rule->created_us, "used_us",
			 rule->used_us ? json_integer(rule->used_us) : json_null(),
			 "uses", (json_int_t)rule->uses);
}

static void print_rule(const SpkRule *rule)
{
	g_autofree char *pattern = spk_ui_line(rule->pattern, 400);
	g_autofree char *repo = spk_ui_line(rule->repo, 200);
	g_autofree char *by = spk_ui_line(rule->by, 40);
	g_autofree char *uses = spk_ui_count(rule->uses, "use");

	printf("%s  %-5s  %s", rule->id, rule->allow ? "allow" : "deny", pattern);
	if (rule->spark)
		printf("  --spark %s", rule->spark);
	if (rule->repo)
		printf("  --repo %s", repo);
	printf("  (%s, by %s)\n", uses, by);
}

static int run_rules(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) rules = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) list = json_array();
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	rules = spk_rules_list(session.store, &error);
	if (!rules)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	for (guint i = 0; i < rules->len; i++) {
		if (session.json)
			json_array_append_new(list, rule_to_json(rules->pdata[i]));
		else
			print_rule(rules->pdata[i]);
	}
	if (session.json)
		spk_cmd_print_json(list);
	else if (!rules->len)
		fputs("no rule is saved; `sparks policy add PATTERN` adds one\n", stderr);
	return 0;
}

/* The folder that the rule is for; NULL with *error unset: for all. */
static char *folder_of(const SpkArgs *args, GError **error)
{
	const char *given = spk_args_str(args, "repo"), *label = NULL;
	g_autofree char *folder = given ? spk_submit_folder(given, &label, error) : NULL;

	if (!label)
		return g_steal_pointer(&folder);
	spk_error_set(error, SPK_ERR_USAGE, "as in --repo .",
		      "--repo %s is no folder, and rules are kept by folder", given);
	return NULL;
}

static gboolean check(const SpkSession *session, const char *pattern, const char *spark,
		      GError **error)
{
	g_autoptr(SpkSpark) found = spark ? spk_spark_find(session->conf, spark, error)
					  : NULL;

	return (!spark || found) && spk_rule_check(pattern, error);
}

static int run_add(const SpkArgs *args)
{
	const char *pattern = spk_args_rest(args)[0],
		   *spark = spk_args_str(args, "spark");
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *folder = NULL, *id = NULL;
	gboolean deny = spk_args_flag(args, "deny");
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	folder = folder_of(args, &error);
	if (error || !check(&session, pattern, spark, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);

	SpkRule rule = { .allow = !deny,
			 .pattern = (char *)pattern,
			 .spark = (char *)spark,
			 .repo = folder,
			 .by = (char *)g_get_user_name() };

	if (!spk_rules_add(session.store, &rule, &id, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	object = json_pack("{s:s,s:s,s:o}", "id", id, "verdict", deny ? "deny" : "allow",
			   "pattern", spk_json_text(pattern));
	if (session.json)
		spk_cmd_print_json(object);
	else
		printf("%s  %s; `sparks policy remove %s` takes it back\n", id,
		       deny ? "denied from now on" : "allowed from now on", id);
	return 0;
}

static int run_remove(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkRule) was = NULL;
	g_autoptr(json_t) object = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_rules_drop(session.store, spk_args_rest(args)[0], &was, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	object = rule_to_json(was);
	if (session.json)
		spk_cmd_print_json(object);
	else {
		fputs("removed: ", stdout);
		print_rule(was);
	}
	return 0;
}

static const SpkCmdOpt add_options[] = {
	{ "deny", .type = SPK_CMD_FLAG,
	  .sentence = "what it finds is refused; without: what it matches is allowed" },
	SPK_OPT_JSON,
	{ "repo", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence = "for tasks in this folder; without: everywhere" },
	{ "spark", "ghost", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence = "for this spark; without: for every one" },
	{ NULL },
};

const SpkCmd spk_policy_rules = {
	.name = "rules",
	.usage = "",
	.summary = "List the rules that are saved, those of approvals among them.",
	.details =
		"Those of the configuration stand in manager.sensitive_patterns, "
		"manager.auto_approve_patterns, manager.deny_patterns, and under the same "
		"names in [[ghosts]].",
	.example = "sparks policy rules",
	.options = spk_only_json,
	.run = run_rules,
};

const SpkCmd spk_policy_add = {
	.name = "add",
	.usage = "PATTERN",
	.summary = "Save a rule that allows commands, or denies them.",
	.example = "sparks policy add '^npm (ci|test)$' --repo .\n"
		   "sparks policy add --deny 'git push.*--force'",
	.options = add_options,
	.min_args = 1,
	.max_args = 1,
	.run = run_add,
};

const SpkCmd spk_policy_remove = {
	.name = "remove",
	.usage = "ID",
	.summary = "Take a saved rule back.",
	.example = "sparks policy remove 3f2a",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = 1,
	.run = run_remove,
};
