/* The words that begin with a slash: one table of name, arguments, sentence and function. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/text.h"
#include "cmd/chat/chat.h"
#include "cmd/config_all.h"
#include "cmd/consent.h"
#include "cmd/ui.h"
#include "conf/knob.h"
#include "core/knobs.h"
#include "llm/llm.h"

#define OUT	  STDOUT_FILENO
#define MAX_TASKS 20

typedef struct {
	const char *name, *takes, *sentence;
	void (*run)(ChatRoom *room, const char *rest); /* NULL: see `instead` */
	const char *instead; /* of a part that is not in this version */
} Slash;

static const Slash slashes[];

static void say(GError *take_error)
{
	g_autoptr(GError) error = take_error;

	if (error)
		spk_cmd_say_error(error);
}

/* ---- about the session ---- */

static void run_help(ChatRoom *room, const char *rest)
{
	for (const Slash *slash = slashes; slash->name; slash++) {
		g_autofree char *usage =
			g_strdup_printf("/%s %s", slash->name, slash->takes);

		if (!*slash->sentence)
			continue;
		printf("  %-18s %s%s\n", usage, slash->sentence,
		       slash->run ? "" : " (not in this version)");
	}
	puts("  A line that ends in \\ goes on; // begins a message with a slash. Ctrl-C ends a\n"
	     "  turn, Ctrl-D the chat; `sparks chat --continue` comes back to it.");
}

static void run_quit(ChatRoom *room, const char *rest)
{
	room->over = TRUE;
}

static void run_new(ChatRoom *room, const char *rest)
{
	g_autoptr(GError) error = NULL;

	if (chat_switch(room, NULL, &error))
		puts("  a new session begins with your next message");
	say(g_steal_pointer(&error));
}

static void run_resume(ChatRoom *room, const char *rest)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = NULL;

	if (*rest && !chat_switch(room, rest, &error)) {
		say(g_steal_pointer(&error));
		return;
	}
	if (*rest)
		chat_greet(room);
	task = spk_chat_is_stored(room->chat) ? spk_chat_unfinished(room->chat, &error)
					      : NULL;
	if (task)
		(void)chat_turn(room, NULL); /* it said how it ended */
	else if (!*rest && !error)
		chat_list(room);
	say(g_steal_pointer(&error));
}

static void run_cost(ChatRoom *room, const char *rest)
{
	g_autoptr(GError) error = NULL;
	SpkChatTotals totals = { 0 };
	g_autofree char *in = NULL, *out = NULL, *seconds = NULL;

	if (!spk_chat_totals(room->chat, &totals, &error)) {
		say(g_steal_pointer(&error));
		return;
	}
	in = spk_ui_number(totals.tokens_in);
	out = spk_ui_number(totals.tokens_out);
	seconds = spk_ui_seconds(totals.seconds);
	printf("  %d turns, %s tokens in, %s out, $%.4f%s, %s of work\n",
	       (int)totals.turns, in, out, totals.cost_usd,
	       totals.cost_is_partial ? " (and calls without a known price)" : "",
	       seconds);
	puts("  of all tasks: sparks cost");
}

/* ---- sparks, models, settings ---- */

static void run_ghosts(ChatRoom *room, const char *rest)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) sparks = spk_sparks(room->session.conf, &error);

	if (*rest && spk_chat_set_spark(room->chat, rest, &error))
		printf("  %s answers from now on\n", spk_chat_row(room->chat)->spark);
	for (guint i = 0; sparks && !*rest && i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		gboolean now = !strcmp(spark->name, spk_chat_row(room->chat)->spark);
		g_autofree char *line = spk_ui_line(spark->description,
						    MAX(20, spk_ui_columns(OUT) - 18));

		printf("%s %-14s %s\n", now ? "›" : " ", spark->name, line);
	}
	say(g_steal_pointer(&error));
}

static void run_model(ChatRoom *room, const char *rest)
{
	const SpkChatRow *row = spk_chat_row(room->chat);
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkLlm) llm = NULL;

	if (*rest && !spk_chat_set_model(room->chat, strcmp(rest, "reset") ? rest : NULL,
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

static void run_models(ChatRoom *room, const char *rest)
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
			printf("  %-34s %s\n", knob->name, value);
	}
	puts("  /set KEY VALUE changes one, /set KEY reset takes that back");
}

/* For whoever runs tasks here, this chat included, until it is reset. */
static void run_set(ChatRoom *room, const char *rest)
{
	g_auto(GStrv) words = g_strsplit_set(rest, " \t", 2);
	const char *value = *rest && words[1] ? g_strstrip(words[1]) : "";
	g_autoptr(GError) error = NULL;
	gboolean was;

	if (!*rest) {
		list_settings(room);
		return;
	}
	if (!*value)
		fprintf(stderr, "say what %s is to be: /set %s VALUE\n", words[0],
			words[0]);
	else if (!strcmp(value, "reset")) {
		if (spk_core_knob_reset(room->session.core, words[0], &was, &error))
			printf("  %s\n",
			       was ? "as configured again, from the next turn on"
				   : "it was not changed");
	} else if (spk_core_knob_set(room->session.core, words[0], value, TRUE, &error))
		printf("  from the next turn on, and kept; /set %s reset takes it back\n",
		       words[0]);
	say(g_steal_pointer(&error));
}

/* ---- tasks and what they changed ---- */

static void run_tasks(ChatRoom *room, const char *rest)
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

static void run_diff(ChatRoom *room, const char *rest)
{
	g_autoptr(SpkTask) task = chat_find_turn(room, *rest ? rest : NULL);

	if (task)
		chat_show_diff(room, task, 0);
}

static void run_apply(ChatRoom *room, const char *rest)
{
	g_autoptr(SpkTask) task = chat_find_turn(room, *rest ? rest : NULL);
	g_autoptr(GError) error = NULL;

	if (task && spk_consent_to_apply(task, room->yes, &error))
		chat_apply(room, task);
	say(g_steal_pointer(&error));
}

static void run_undo(ChatRoom *room, const char *rest)
{
	g_autoptr(SpkTask) task = chat_find_turn(room, *rest ? rest : NULL);

	if (task)
		chat_undo(room, task);
}

static void run_show(ChatRoom *room, const char *rest)
{
	gint64 last = (gint64)room->first_result + room->results->len - 1, n = last;
	const char *text;

	if (!room->results->len) {
		fputs("no tool was called yet\n", stderr);
		return;
	}
	if (*rest && !spk_text_to_int(rest, room->first_result, last, &n)) {
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

#define MEMORY "put standing facts into a message, or a soul_file of the spark"
#define JOBS   "start tasks from cron: sparks do GOAL"

static const Slash slashes[] = {
	{ "help", "", "what can be typed", run_help, NULL },
	{ "quit", "", "leave; the session is kept", run_quit, NULL },
	{ "exit", "", "", run_quit, NULL },
	{ "q", "", "", run_quit, NULL },
	{ "new", "", "begin another session", run_new, NULL },
	{ "resume", "[ID]", "go on with an unfinished turn, or with that session",
	  run_resume, NULL },
	{ "ghosts", "[NAME]", "the sparks there are, or who answers from now on",
	  run_ghosts, NULL },
	{ "models", "", "the models that the server lists", run_models, NULL },
	{ "model", "[NAME]", "the model that answers, or another from now on", run_model,
	  NULL },
	{ "set", "[KEY VALUE]", "settings that can change while it runs", run_set, NULL },
	{ "tasks", "", "the turns of this session", run_tasks, NULL },
	{ "diff", "[ID]", "what a turn changed", run_diff, NULL },
	{ "apply", "[ID]", "write that into your files", run_apply, NULL },
	{ "undo", "[ID]", "take it back", run_undo, NULL },
	{ "show", "[N]", "the whole result of a tool call", run_show, NULL },
	{ "cost", "", "what this session has used", run_cost, NULL },
	{ "memories", "", "what is remembered", NULL, MEMORY },
	{ "mood", "", "how the program feels", NULL, "it has no mood" },
	{ "jobs", "", "scheduled jobs", NULL, JOBS },
	{ "cli_model", "", "model of another agent program", NULL,
	  "/model NAME sets the model of this chat" },
	{ NULL },
};

static const Slash *find(const char *name)
{
	for (const Slash *slash = slashes; slash->name; slash++)
		if (!strcmp(slash->name, name))
			return slash;
	return NULL;
}

static void say_unknown(const char *name)
{
	const char *names[G_N_ELEMENTS(slashes)] = { NULL };
	g_autofree char *shown = spk_ui_line(name, 40), *nearest = NULL;

	for (guint i = 0; slashes[i].name; i++)
		names[i] = slashes[i].name;
	nearest = spk_text_did_you_mean(name, names);
	fprintf(stderr, "there is no /%s%s; /help lists what there is\n", shown, nearest);
}

void chat_slash(ChatRoom *room, const char *line)
{
	g_auto(GStrv) words = g_strsplit_set(line + 1, " \t\n", 2);
	const char *rest = words[0] && words[1] ? g_strstrip(words[1]) : "";
	const Slash *slash = words[0] ? find(words[0]) : NULL;

	if (!slash)
		say_unknown(words[0] ? words[0] : "");
	else if (slash->run)
		slash->run(room, rest);
	else
		fprintf(stderr, "/%s is not in this version: %s\n", slash->name,
			slash->instead);
	fflush(stdout);
}

/* ---- completion ---- */

static void add_matching(GStrvBuilder *out, const char *start, const char *word)
{
	if (g_str_has_prefix(word, start))
		g_strv_builder_add(out, word);
}

static void add_values(ChatRoom *room, GStrvBuilder *out, const char *start)
{
	g_autoptr(GPtrArray) sparks = spk_sparks(room->session.conf, NULL);
	g_autoptr(GPtrArray) turns = spk_chat_turns(room->chat, MAX_TASKS, NULL);

	for (guint i = 0; sparks && i < sparks->len; i++)
		add_matching(out, start, ((SpkSpark *)sparks->pdata[i])->name);
	for (const SpkKnob *knob = spk_knobs(); knob->name; knob++)
		if (knob->option)
			add_matching(out, start, knob->name);
	for (guint i = 0; turns && i < turns->len; i++)
		add_matching(out, start, ((SpkChatTurn *)turns->pdata[i])->task->id);
}

/* Files of the folder the chat is about. */
static void add_files(ChatRoom *room, GStrvBuilder *out, const char *start)
{
	const char *slash = strrchr(start, '/');
	g_autofree char *inside = slash ? g_strndup(start, slash - start + 1)
					: g_strdup("");
	g_autofree char *path = *inside == '/'
					? g_strdup(inside)
					: g_build_filename(room->folder, inside, NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *whole = g_strconcat(inside, name, NULL);
		g_autofree char *clean = spk_text_clean(whole, -1, SPK_CLEAN_LINE);

		if ((*name != '.' || start[strlen(inside)] == '.') &&
		    !strcmp(clean, whole))
			add_matching(out, start, whole);
	}
}

char **chat_complete(const char *start, gboolean at_start, gpointer user)
{
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	ChatRoom *room = user;

	if (at_start && *start == '/') {
		for (const Slash *slash = slashes; slash->name; slash++) {
			g_autofree char *word = g_strconcat("/", slash->name, NULL);

			if (*slash->sentence)
				add_matching(out, start, word);
		}
		return g_strv_builder_end(out);
	}
	if (*start)
		add_values(room, out, start);
	add_files(room, out, start);
	return g_strv_builder_end(out);
}
