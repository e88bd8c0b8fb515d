/* What Tab offers: words with a slash, what such a word takes, files of the folder. */
#include <string.h>

#include "agent/agent.h"
#include "base/text.h"
#include "cmd/chat/chat.h"
#include "cmd/chat/words.h"
#include "conf/knob.h"
#include "llm/llm.h"

#define MAX_OFFERED 200
#define LIST_MS	    2000 /* no key is heard while the server is asked */

static void add(GStrvBuilder *out, const char *start, const char *word)
{
	if (g_str_has_prefix(word, start))
		g_strv_builder_add(out, word);
}

static void add_words(GStrvBuilder *out, const char *start)
{
	for (const ChatWord *word = chat_words(); word->name; word++) {
		g_autofree char *whole = g_strconcat("/", word->name, NULL);

		if (word->sentence && !word->instead)
			add(out, start, whole);
	}
}

/* ---- what a word takes ---- */

static void add_sparks(ChatRoom *room, GStrvBuilder *out, const char *start)
{
	g_autoptr(GPtrArray) sparks = spk_sparks(room->session.conf, NULL);

	for (guint i = 0; sparks && i < sparks->len; i++)
		add(out, start, ((SpkSpark *)sparks->pdata[i])->name);
}

static void add_knobs(GStrvBuilder *out, const char *start)
{
	for (const SpkKnob *knob = spk_knobs(); knob->name; knob++)
		if (knob->option)
			add(out, start, knob->name);
}

/* The value's words, where the option has some. */
static void add_values(GStrvBuilder *out, const char *name, const char *start)
{
	const SpkKnob *knob = spk_knob_find(name, NULL);
	int index = knob && knob->option ? spk_conf_find(knob->option) : -1;
	const SpkOpt *option = index < 0 ? NULL : &spk_conf_options()[index];
	g_auto(GStrv) choices = NULL;

	if (!option)
		return;
	choices = g_strsplit(option->type == SPK_OPT_BOOL ? "true|false"
			     : option->choices		  ? option->choices
							  : "",
			     "|", -1);
	for (char **choice = choices; *choice; choice++)
		if (**choice)
			add(out, start, *choice);
	add(out, start, "reset");
}

static void add_turns(ChatRoom *room, GStrvBuilder *out, const char *start,
		      gboolean with_changes)
{
	g_autoptr(GPtrArray) turns = spk_chat_turns(room->chat, MAX_OFFERED, NULL);

	for (guint i = turns ? turns->len : 0; i > 0; i--) {
		const SpkTask *task = ((SpkChatTurn *)turns->pdata[i - 1])->task;

		if (!with_changes ||
		    json_array_size(json_object_get(task->changes, "files")))
			add(out, start, task->id);
	}
}

static void add_sessions(ChatRoom *room, GStrvBuilder *out, const char *start)
{
	g_autoptr(GPtrArray) rows =
		spk_session_list(room->session.store, room->folder, MAX_OFFERED, NULL);

	for (guint i = 0; rows && i < rows->len; i++)
		add(out, start, ((SpkChatRow *)rows->pdata[i])->id);
}

/* The server is asked once for each model that answers. */
static char **list_models(ChatRoom *room)
{
	const char *model = spk_chat_row(room->chat)->model;
	g_autoptr(SpkCancel) cancel = NULL;
	g_autoptr(SpkLlm) llm = NULL;

	if (room->models && !g_strcmp0(room->models_of, model))
		return room->models;
	cancel = spk_cancel_new(NULL);
	spk_cancel_set_deadline(cancel, LIST_MS);
	llm = spk_llm_open(room->session.conf, model, NULL);
	g_clear_pointer(&room->models, g_strfreev);
	room->models = llm ? spk_llm_models(llm, cancel, NULL) : NULL;
	g_free(room->models_of);
	room->models_of = g_strdup(model);
	return room->models;
}

static void add_models(ChatRoom *room, GStrvBuilder *out, const char *start)
{
	char **models = list_models(room);

	for (; models && *models; models++)
		if (!strpbrk(*models, " \t"))
			add(out, start, *models);
	if (spk_chat_row(room->chat)->model)
		add(out, start, "reset");
}

static void add_taken(ChatRoom *room, GStrvBuilder *out, const ChatLine *line,
		      const char *start)
{
	if (*line->first) {
		if (line->word->takes == CHAT_TAKES_KNOB && !*line->rest)
			add_values(out, line->first, start);
		return;
	}
	switch (line->word->takes) {
	case CHAT_TAKES_KNOB:
		add_knobs(out, start);
		break;
	case CHAT_TAKES_MODEL:
		add_models(room, out, start);
		break;
	case CHAT_TAKES_SESSION:
		add_sessions(room, out, start);
		break;
	case CHAT_TAKES_SPARK:
		add_sparks(room, out, start);
		break;
	case CHAT_TAKES_TASK:
		add_turns(room, out, start, TRUE);
		break;
	case CHAT_TAKES_CLI_MODEL:
		add(out, start, "reset"); /* its server lists others, or is not ours */
		break;
	case CHAT_TAKES_NOTHING:
	case CHAT_TAKES_RESULT:
		break;
	}
}

/* ---- in a message ---- */

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
			add(out, start, whole);
	}
}

char **chat_complete(const char *before, const char *start, gpointer user)
{
	g_autoptr(GStrvBuilder) out = g_strv_builder_new();
	g_auto(ChatLine) line = { 0 };
	ChatRoom *room = user;

	if (!*before && *start == '/') {
		add_words(out, start);
	} else if (*before == '/' && before[1] != '/') {
		if (chat_line_parse(before, &line, NULL))
			add_taken(room, out, &line, start);
	} else {
		if (*start)
			add_turns(room, out, start, FALSE);
		add_files(room, out, start);
	}
	return g_strv_builder_end(out);
}
