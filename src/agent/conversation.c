/*
 * What the model is told. messages[0] and the tools are the same bytes in every request of a
 * task (providers cache that prefix); what changes goes last. Compaction keeps the rules, the
 * goal and the latest turns, and shortens what lies between.
 */
#include <string.h>

#include "agent/booking_priv.h"
#include "agent/recall.h"
#include "agent/run_priv.h"
#include "agent/scan.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

static const char rules[] =
	"\n\nHow you work:\n"
	"- You work in a private copy of the repository, inside a sandbox without network. Nothing "
	"you do reaches the user's files until they apply it.\n"
	"- Act through tool calls. Paths are relative to the folder you start in.\n"
	"- When the work is done, call `finish` with a short summary for the user. The orchestrator, "
	"not you, decides whether it is done: it runs the checks on a clean checkout of your "
	"changes, and again with the test files as they were before.\n" RUN_RULE_DATA
	"- If something cannot be done, finish and say plainly what and why.";

/* Share of the window that may fill before older turns are shortened. */
#define COMPACT_AT     0.7
#define COMPACT_TO     0.5
#define KEEP	       6 /* the last messages, which are the work at hand */
#define TOOL_STUB      "[left out to save room; call the tool again if you need it]"
#define CHECK_TAIL_MAX 3000

void run_say(SpkRun *run, const char *role, const char *text)
{
	json_array_append_new(run->messages, json_pack("{s:s,s:o}", "role", role,
						       "content", spk_json_text(text)));
}

gboolean run_note(SpkRun *run, const char *key, const char *why, const char *text,
		  GError **error)
{
	const json_t *recorded = run_recorded(run, "note", key);
	const char *said = recorded ? spk_json_str(recorded, "text") : text;

	run_say(run, "user", said ? said : text);
	return recorded ||
	       run_record(run, "note", key, SPK_EFFECT_PURE,
			  json_pack("{s:o,s:s}", "text", spk_json_text(text), "why", why),
			  error);
}

/* ---- opening ---- */

static void add_hosts(GString *text, const char *const *hosts)
{
	for (; hosts && *hosts; hosts++)
		g_string_append_printf(text, "%s%s", text->len ? ", " : "", *hosts);
}

char *run_hosts_rule(SpkRun *run)
{
	const json_t *given = json_object_get(run->env.task->options, "allow"), *host;
	g_auto(GStrv) all = spk_conf_list(run->env.conf, "box.allow");
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *clean = NULL;
	size_t i;

	add_hosts(text, (const char *const *)all);
	add_hosts(text, run->env.spark->allow);
	json_array_foreach(given, i, host) {
		const char *one[] = { json_string_value(host), NULL };

		add_hosts(text, one);
	}
	if (!text->len)
		return g_strdup("");
	clean = spk_text_clean(text->str, (gssize)text->len, SPK_CLEAN_LINE);
	return g_strdup_printf(
		"\n\nThere is one exception to \"without network\": commands reach these "
		"hosts by HTTP and HTTPS, through the proxy that http_proxy and "
		"https_proxy name: %s. Everything else is refused.",
		clean);
}

static char *system_prompt(SpkRun *run)
{
	return g_strconcat(run->env.spark->soul, rules, NULL);
}

/* *heard becomes TRUE when what it printed is told. */
static gboolean describe_check(SpkRun *run, GString *text, const char *command,
			       guint number, gboolean *heard, GError **error)
{
	g_autofree char *key = g_strdup_printf("before/0/%u", number);
	const json_t *before = run_recorded(run, "check.result", key);
	const char *tail = before ? spk_json_str(before, "tail") : NULL;
	gint64 exit_code = before ? spk_json_int(before, "exit_code", -1) : -1;

	g_string_append_printf(text, "\n- `%s`", command);
	if (before && exit_code == 0)
		g_string_append(text, " (passes now and must still pass)");
	else if (before)
		g_string_append_printf(text, " (fails now with exit code %d)",
				       (int)exit_code);
	if (before && exit_code != 0 && tail && *tail) {
		g_autofree char *cut =
			spk_text_clip_middle(tail, strlen(tail), CHECK_TAIL_MAX);
		g_autofree char *told = run_scan_told(before, cut);

		g_string_append_printf(text, "; it prints:\n```\n%s\n```", told);
		*heard = TRUE;
		return run_scan_heard(run, before, "the check", error);
	}
	return TRUE;
}

void run_add_context(SpkRun *run, GString *text)
{
	const json_t *options = run->env.task->options;
	const char *context = spk_json_str(options, "context");
	const char *warning =
		spk_json_str(options, "context_warning"); /* core/intake.c */

	if (context && *context)
		g_string_append_printf(text, "\n\nContext from the user:\n%s%s%s",
				       warning ? warning : "", warning ? "\n" : "",
				       context);
}

static gboolean first_message(SpkRun *run, char **ret_text, GError **error)
{
	const SpkTask *task = run->env.task;
	const char *subdir = spk_tree_subdir(run->env.tree);
	const char *asked = spk_json_str(task->options, "cli_tool");
	const char *agent = asked ? asked : "", *memory = "";
	g_autofree char *hosts = run_hosts_rule(run);
	GString *text = g_string_new("Goal:\n");
	gboolean heard = FALSE;
	g_auto(GStrv) checks = spk_verify_checks(run, error);

	if (!checks || !run_recall(run, &memory, error)) {
		g_string_free(text, TRUE);
		return FALSE;
	}
	g_string_append(text, task->goal);
	run_add_context(run, text);
	if (*memory)
		g_string_append_printf(text, "\n\n%s", memory);
	if (*subdir)
		g_string_append_printf(
			text, "\n\nYou start in the folder %s of the repository.",
			subdir);
	/* not among the rules, whose hash a replay elsewhere compares */
	g_string_append(text, hosts);
	if (g_strv_contains((const char *const *)run->names->pdata, agent))
		g_string_append_printf(
			text,
			"\n\nThe user wants the tool %s to make the changes: tell it "
			"what to do, look at what it did, and finish.",
			agent);
	if (checks[0])
		g_string_append(text, "\n\nChecks the orchestrator will run:");
	for (guint i = 0; checks[i]; i++)
		if (!describe_check(run, text, checks[i], i, &heard, error)) {
			g_string_free(text, TRUE);
			return FALSE;
		}
	*ret_text = g_string_free(text, FALSE);
	return !heard || spk_run_heard(run, "the output of a check", error);
}

gboolean run_open_conversation(SpkRun *run, GError **error)
{
	g_autofree char *system = system_prompt(run);
	g_autofree char *first = NULL;

	if (!first_message(run, &first, error))
		return FALSE;
	run_say(run, "system", system);
	run_say(run, "user", first);
	return TRUE;
}

/* ---- compaction ---- */

static gboolean is_role(const json_t *message, const char *role)
{
	return !g_strcmp0(spk_json_str(message, "role"), role);
}

/* Replaces the oldest tool results by a stub until `target` tokens are reached; the last
 * `keep` messages stay. Returns how many. */
static guint stub_results(SpkRun *run, gint64 target, gsize keep)
{
	gsize n = json_array_size(run->messages);
	guint stubbed = 0;

	for (gsize i = 2 + run->history;
	     i + keep < n && spk_llm_estimate_tokens(run->messages) > target; i++) {
		json_t *message = json_array_get(run->messages, i);
		const char *content = spk_json_str(message, "content");

		if (!is_role(message, "tool") || !content ||
		    strlen(content) <= sizeof(TOOL_STUB))
			continue;
		spk_json_set(message, "content", json_string(TOOL_STUB));
		stubbed++;
	}
	return stubbed;
}

/* An assistant message with tool calls and the results that answer it must stay or go
 * together: whole turns are dropped from the front. */
static gsize turn_end(const json_t *messages, gsize start)
{
	gsize i = start + 1;

	while (i < json_array_size(messages) &&
	       is_role(json_array_get(messages, i), "tool"))
		i++;
	return i;
}

/* Of a chat, earlier turns go first, a message and its answer at a time. */
static guint drop_history(SpkRun *run, gint64 target)
{
	guint dropped = 0;

	while (run->history >= 2 && spk_llm_estimate_tokens(run->messages) > target) {
		json_array_remove(run->messages, 1);
		json_array_remove(run->messages, 1);
		run->history -= 2;
		dropped += 2;
	}
	return dropped;
}

static guint drop_turns(SpkRun *run, gint64 target, gsize keep)
{
	guint dropped = drop_history(run, target);

	while (json_array_size(run->messages) > 2 + run->history + keep &&
	       spk_llm_estimate_tokens(run->messages) > target) {
		gsize start = 2 + run->history;
		gsize end = turn_end(run->messages, start);

		if (end + 1 >= json_array_size(run->messages))
			break;
		for (gsize i = start; i < end; i++, dropped++)
			json_array_remove(run->messages, start);
	}
	return dropped;
}

/* Brings the conversation down to `target` tokens as far as that can be done. */
static void shrink(SpkRun *run, gint64 target, guint *ret_stubbed, guint *ret_dropped)
{
	*ret_stubbed = stub_results(run, target, KEEP);
	*ret_dropped = drop_turns(run, target, KEEP);
	if (!*ret_stubbed && !*ret_dropped)
		*ret_stubbed = stub_results(run, target, 1);
}

static char *compaction_key(SpkRun *run, gboolean force)
{
	return g_strdup_printf("%u/%d", run->turn, force != 0);
}

/* TRUE: this compaction is on record and was done again. A task that was taken up tells the
 * model what the earlier holder would have told it. */
static gboolean compact_again(SpkRun *run, gboolean force)
{
	g_autofree char *key = compaction_key(run, force);
	const json_t *recorded = run_recorded(run, "compaction", key);
	guint stubbed, dropped;

	if (!recorded)
		return FALSE;
	shrink(run, spk_json_int(recorded, "target", G_MAXINT64), &stubbed, &dropped);
	run_put_summary(run, spk_json_str(recorded, "summary"));
	return TRUE;
}

void run_compact_recorded(SpkRun *run)
{
	(void)compact_again(run, FALSE);
	(void)compact_again(run, TRUE);
}

/* What a shrinking may take away. */
static json_t *middle_of(SpkRun *run)
{
	json_t *middle = json_array();
	gsize n = json_array_size(run->messages), start = 2 + run->history;
	gsize keep = n > start + KEEP ? KEEP : 1;

	for (gsize i = start; i + keep < n; i++)
		json_array_append_new(middle,
				      json_deep_copy(json_array_get(run->messages, i)));
	return middle;
}

/* On record, with the summary and what that cost where there is one. */
static gboolean record_compaction(SpkRun *run, const char *key, json_t *take_payload,
				  const json_t *middle, GError **error)
{
	g_autoptr(json_t) payload = take_payload;
	g_auto(SpkLlmReply) reply = { 0 };
	RunCall call;

	if (middle && !run_sum_up(run, middle, &reply, &call, error))
		return FALSE;
	if (!reply.text)
		return run_record(run, "compaction", key, SPK_EFFECT_PURE,
				  json_incref(payload), error);
	run_put_summary(run, reply.text);
	spk_json_set(payload, "key", json_string(key));
	spk_json_set(payload, "summary", spk_json_text(reply.text));
	spk_json_set(payload, "provider", json_string(reply.who.provider));
	spk_json_set(payload, "model", spk_json_text(reply.who.model));
	if (!run_book_reply(&call, &reply, "compaction", payload, error))
		return FALSE;
	run_remember(run, "compaction", key, payload);
	return TRUE;
}

gboolean run_compact(SpkRun *run, gboolean force, GError **error)
{
	double window = (double)spk_llm_context_window(run->env.llm);
	/* which go along with each request */
	gint64 tools = spk_llm_estimate_tokens(run->tools);
	gint64 now = spk_llm_estimate_tokens(run->messages);
	gint64 target = MAX(0, (gint64)(window * COMPACT_TO) - tools);
	g_autofree char *key = compaction_key(run, force);
	g_autoptr(json_t) middle = NULL;
	guint stubbed, dropped;

	if (compact_again(run, force) ||
	    (!force && now + tools <= (gint64)(window * COMPACT_AT)))
		return TRUE;
	/* The server counts differently from us: halve what we have. */
	if (force)
		target = MIN(target, now / 2);
	middle = middle_of(run);
	shrink(run, target, &stubbed, &dropped);
	if (!stubbed && !dropped)
		g_clear_pointer(&middle, json_decref); /* nothing is lost */
	return record_compaction(
		run, key,
		json_pack("{s:i,s:i,s:i,s:I,s:I,s:I,s:I}", "turn", (int)run->turn,
			  "shortened", (int)stubbed, "dropped", (int)dropped, "kept",
			  (json_int_t)json_array_size(run->messages), "target",
			  (json_int_t)target, "tokens_before", (json_int_t)now,
			  "tokens_after",
			  (json_int_t)spk_llm_estimate_tokens(run->messages)),
		middle, error);
}
