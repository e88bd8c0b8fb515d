/* What the words that begin with a slash do. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/chat/chat.h"
#include "cmd/chat/words.h"
#include "cmd/config/config_all.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/rows.h"
#include "cmd/show/consent.h"
#include "cmd/ui.h"
#include "conf/knob.h"
#include "core/knobs.h"
#include "llm/llm.h"

#define OUT	     STDOUT_FILENO
#define MAX_TASKS    20
#define MAX_MEMORIES 20

static void say(GError *take_error)
{
	g_autoptr(GError) error = take_error;

	if (error)
		spk_cmd_say_error(error);
}

/* ---- about the session ---- */

static void run_help(ChatRoom *room, const ChatLine *given)
{
	for (const ChatWord *word = chat_words(); word->name; word++) {
		g_autofree char *usage = g_strdup_printf("/%s %s", word->name,
							 chat_words_usage(word->takes));

		if (word->sentence)
			printf("  %-18s %s%s\n", usage, word->sentence,
			       word->instead ? " (not in this version)" : "");
	}
	puts("  A line that ends in \\ goes on; // begins a message with a slash. Ctrl-C ends a\n"
	     "  turn, Ctrl-D the chat; `sparks chat --continue` comes back to it.");
}

static void run_quit(ChatRoom *room, const ChatLine *given)
{
	room->over = TRUE;
}

static void run_new(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(GError) error = NULL;

	if (chat_switch(room, NULL, &error))
		puts("  a new session begins with your next message");
	say(g_steal_pointer(&error));
}

static void run_resume(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = NULL;

	if (*given->first && !chat_switch(room, given->first, &error)) {
		say(g_steal_pointer(&error));
		return;
	}
	if (*given->first)
		chat_greet(room);
	task = spk_chat_is_stored(room->chat) ? spk_chat_unfinished(room->chat, &error)
					      : NULL;
	if (task)
		(void)chat_turn(room, NULL); /* it said how it ended */
	else if (!*given->first && !error)
		chat_list(room);
	say(g_steal_pointer(&error));
}

static void run_cost(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(GError) error = NULL;
	SpkChatTotals totals = { 0 };
	g_autofree char *in = NULL, *out = NULL, *seconds = NULL, *turns = NULL;

	if (!spk_chat_totals(room->chat, &totals, &error)) {
		say(g_steal_pointer(&error));
		return;
	}
	turns = spk_ui_count(totals.turns, "turn");
	in = spk_ui_number(totals.tokens_in);
	out = spk_ui_number(totals.tokens_out);
	seconds = spk_ui_seconds(totals.seconds);
	printf("  %s, %s tokens in, %s out, $%.4f%s, %s of work\n", turns, in, out,
	       totals.cost_usd,
	       totals.cost_is_partial ? " (and calls without a known price)" : "",
	       seconds);
	puts("  of all tasks: sparks cost");
}

/* ---- sparks, models, settings ---- */

static void run_ghosts(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sparks = spk_sparks(room->session.conf, &error);

	if (*given->first && spk_chat_set_spark(room->chat, given->first, &error))
		printf("  %s answers from now on\n", spk_chat_row(room->chat)->spark);
	for (guint i = 0; sparks && !*given->first && i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		gboolean now = !strcmp(spark->name, spk_chat_row(room->chat)->spark);
		g_autofree char *line = spk_ui_line(spark->description,
						    MAX(20, spk_ui_columns(OUT) - 18));

		printf("%s %-14s %s\n", now ? "›" : " ", spark->name, line);
	}
	say(g_steal_pointer(&error));
}

static void run_model(ChatRoom *room, const ChatLine *given)
{
	const SpkChatRow *row = spk_chat_row(room->chat);
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkLlm) llm = NULL;

	if (*given->first &&
	    !spk_chat_set_model(room->chat,
				strcmp(given->first, "reset") ? given->first : NULL,
				&error)) {
		say(g_steal_pointer(&error));
		return;
	}
	row = spk_chat_row(room->chat);
	llm = spk_llm_open(room->session.conf, row->model, &error);
	if (llm)
		printf("  %s of %s%s\n", spk_llm_model(llm), spk_llm_provider(llm),
		       row->model ? "; /model reset: as configured" : "");
	say(g_steal_pointer(&error));
}

/* Kept with the session, as the model is. */
static gboolean set_cli_model(ChatRoom *room, const char *name, GError **error)
{
	const json_t *before = spk_chat_row(room->chat)->options;
	g_autoptr(json_t) options = before ? json_deep_copy(before) : json_object();

	if (!strcmp(name, "reset"))
		json_object_del(options, "cli_model");
	else
		spk_json_set(options, "cli_model", spk_json_text(name));
	return spk_chat_set_options(room->chat, options, error);
}

static void run_cli_model(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(SpkConf) conf = spk_core_peek(room->session.conf);
	const char *tool = spk_conf_str(conf, "cli.tool"), *model;
	g_autoptr(GError) error = NULL;

	if (*given->first && !set_cli_model(room, given->first, &error)) {
		say(g_steal_pointer(&error));
		return;
	}
	model = spk_json_str(spk_chat_row(room->chat)->options, "cli_model");
	if (!model)
		model = spk_conf_str(conf, "cli.model");
	printf("  %s of %s\n", *model ? model : "the default model",
	       strcmp(tool, "none") ? tool
				    : "whichever agent program a spark's tools name");
	if (!strcmp(tool, "none"))
		puts("  /set cli_tool claude_code (or codex, opencode) offers one to every "
		     "spark that changes files");
}

static void run_models(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt_anew();
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkLlm) llm =
		spk_llm_open(room->session.conf, spk_chat_row(room->chat)->model, &error);
	g_auto(GStrv) names = llm ? spk_llm_models(llm, cancel, &error) : NULL;

	for (guint i = 0; names && names[i]; i++) {
		g_autofree char *line = spk_ui_line(names[i], spk_ui_columns(OUT) - 4);

		printf("%s %s\n", strcmp(names[i], spk_llm_model(llm)) ? " " : "›", line);
	}
	say(g_steal_pointer(&error));
}

static void list_settings(ChatRoom *room)
{
	g_autoptr(SpkConf) conf = spk_core_peek(room->session.conf);

	for (const SpkKnob *knob = spk_knobs(); knob->name; knob++) {
		int index = knob->option ? spk_conf_find(knob->option) : -1;
		g_autofree char *value =
			index < 0
				? NULL
				: spk_config_value_text(conf, &spk_conf_options()[index]);

		if (value)
			printf("  %-35s %s\n", knob->name, value);
	}
	puts("  /set KEY VALUE changes one, /set KEY reset takes that back");
}

/* For whoever runs tasks here, this chat included, until it is reset. */
static void run_set(ChatRoom *room, const ChatLine *given)
{
	const char *key = given->first, *value = given->rest;
	g_autoptr(GError) error = NULL;
	gboolean was;

	if (!*given->first) {
		list_settings(room);
		return;
	}
	if (!*value)
		fprintf(stderr, "say what %s is to be: /set %s VALUE\n", key, key);
	else if (!strcmp(value, "reset")) {
		if (spk_core_knob_reset(room->session.core, key, &was, &error))
			printf("  %s\n",
			       was ? "as configured again, from the next turn on"
				   : "it was not changed");
	} else if (spk_core_knob_set(room->session.core, key, value, TRUE, &error))
		printf("  from the next turn on, and kept; /set %s reset takes it back\n",
		       key);
	say(g_steal_pointer(&error));
}

/* ---- tasks and what they changed ---- */

static void run_tasks(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) turns = spk_chat_turns(room->chat, MAX_TASKS, &error);
	static const char *const decided[] = { "", "applied", "refused", "undone" };

	for (guint i = 0; turns && i < turns->len; i++) {
		const SpkChatTurn *turn = turns->pdata[i];
		gsize files =
			json_array_size(json_object_get(turn->task->changes, "files"));
		g_autofree char *goal =
			spk_ui_line(turn->task->goal, MAX(20, spk_ui_columns(OUT) - 48));

		printf("  %s  %-9s %-8s %s\n", turn->task->id,
		       files ? spk_verdict_name(turn->task->verdict)
			     : spk_state_name(turn->task->status),
		       decided[turn->decision], goal);
	}
	say(g_steal_pointer(&error));
}

static void run_memories(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *repo = spk_desk_scope("repo", NULL);
	const char *scopes[] = { "user", repo, NULL };
	SpkMemoryList what = { .filter = { .scopes = scopes },
			       .state = SPK_MEMORY_ACTIVE,
			       .limit = MAX_MEMORIES };
	g_autoptr(GPtrArray) rows = spk_memories_list(room->session.store, &what, &error);
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; rows && i < rows->len; i++)
		spk_row_append(out, rows->pdata[i], NULL, spk_now_us());
	fputs(out->str, stdout);
	if (rows)
		puts(rows->len
			     ? "  all of them, and how to find one: sparks memory"
			     : "  nothing yet; sparks memory add 'TEXT' keeps something");
	say(g_steal_pointer(&error));
}

static void run_diff(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(SpkTask) task = chat_find_turn(room, given->first, CHAT_TO_LOOK);

	if (task)
		chat_show_diff(room, task, 0);
}

static void run_apply(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(SpkTask) task = chat_find_turn(room, given->first, CHAT_TO_WRITE);

	if (task)
		chat_apply(room, task, room->yes ? SPK_CONSENT_YES : SPK_CONSENT_ASK);
}

static void run_undo(ChatRoom *room, const ChatLine *given)
{
	g_autoptr(SpkTask) task = chat_find_turn(room, given->first, CHAT_TO_WRITE);

	if (task)
		chat_undo(room, task);
}

static void run_show(ChatRoom *room, const ChatLine *given)
{
	gint64 last = (gint64)room->first_result + room->results->len - 1, n = last;
	const char *text;

	if (!room->results->len) {
		fputs("no tool was called yet\n", stderr);
		return;
	}
	if (*given->first &&
	    !spk_text_to_int(given->first, room->first_result, last, &n)) {
		fprintf(stderr, "results are kept from %u to %d: /show N\n",
			room->first_result, (int)last);
		return;
	}
	text = room->results->pdata[n - room->first_result];
	fputs(text, stdout);
	if (*text && text[strlen(text) - 1] != '\n')
		putchar('\n');
}

/* ---- the table ---- */

typedef void (*RunWord)(ChatRoom *room, const ChatLine *given);

static const RunWord runs[CHAT_N_WORDS] = {
	[CHAT_WORD_CLI_MODEL] = run_cli_model,
	[CHAT_WORD_APPLY] = run_apply,
	[CHAT_WORD_COST] = run_cost,
	[CHAT_WORD_DIFF] = run_diff,
	[CHAT_WORD_GHOSTS] = run_ghosts,
	[CHAT_WORD_HELP] = run_help,
	[CHAT_WORD_MEMORIES] = run_memories,
	[CHAT_WORD_MODEL] = run_model,
	[CHAT_WORD_MODELS] = run_models,
	[CHAT_WORD_NEW] = run_new,
	[CHAT_WORD_QUIT] = run_quit,
	[CHAT_WORD_RESUME] = run_resume,
	[CHAT_WORD_SET] = run_set,
	[CHAT_WORD_SHOW] = run_show,
	[CHAT_WORD_TASKS] = run_tasks,
	[CHAT_WORD_UNDO] = run_undo,
};

static void say_instead(const ChatWord *word)
{
	fprintf(stderr, "/%s is not in this version:\n", word->name);
	spk_cmd_say_hint(word->instead);
}

void chat_slash(ChatRoom *room, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_auto(ChatLine) line = { 0 };

	if (!chat_line_parse(text, &line, &error))
		spk_cmd_say_error(error);
	else if (line.word->instead)
		say_instead(line.word);
	else
		runs[line.word->id](room, &line);
	fflush(stdout);
}
