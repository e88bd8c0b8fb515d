#include "cmd/chat/words.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define BLANKS	  " \t\r\n"
#define MAX_SHOWN 40 /* bytes of a word that is none */

#define JOBS "start tasks from cron: sparks do GOAL"

static const ChatWord words[] = {
	{ "help", CHAT_WORD_HELP, CHAT_TAKES_NOTHING, "what can be typed", NULL },
	{ "quit", CHAT_WORD_QUIT, CHAT_TAKES_NOTHING, "leave; the session is kept",
	  NULL },
	{ "exit", CHAT_WORD_QUIT, CHAT_TAKES_NOTHING, NULL, NULL },
	{ "q", CHAT_WORD_QUIT, CHAT_TAKES_NOTHING, NULL, NULL },
	{ "new", CHAT_WORD_NEW, CHAT_TAKES_NOTHING, "begin another session", NULL },
	{ "resume", CHAT_WORD_RESUME, CHAT_TAKES_SESSION,
	  "go on with an unfinished turn, or with that session", NULL },
	{ "ghosts", CHAT_WORD_GHOSTS, CHAT_TAKES_SPARK,
	  "the sparks there are, or who answers from now on", NULL },
	{ "models", CHAT_WORD_MODELS, CHAT_TAKES_NOTHING,
	  "the models that the server lists", NULL },
	{ "model", CHAT_WORD_MODEL, CHAT_TAKES_MODEL,
	  "the model that answers, or another from now on", NULL },
	{ "cli_model", CHAT_WORD_CLI_MODEL, CHAT_TAKES_CLI_MODEL,
	  "the agent program of this chat and its model, or another model", NULL },
	{ "set", CHAT_WORD_SET, CHAT_TAKES_KNOB, "settings that can change while it runs",
	  NULL },
	{ "tasks", CHAT_WORD_TASKS, CHAT_TAKES_NOTHING, "the turns of this session",
	  NULL },
	{ "diff", CHAT_WORD_DIFF, CHAT_TAKES_TASK, "what a turn changed", NULL },
	{ "apply", CHAT_WORD_APPLY, CHAT_TAKES_TASK, "write that into your files", NULL },
	{ "undo", CHAT_WORD_UNDO, CHAT_TAKES_TASK, "take it back", NULL },
	{ "show", CHAT_WORD_SHOW, CHAT_TAKES_RESULT, "the whole result of a tool call",
	  NULL },
	{ "cost", CHAT_WORD_COST, CHAT_TAKES_NOTHING, "what this session has used",
	  NULL },
	{ "memories", CHAT_WORD_MEMORIES, CHAT_TAKES_NOTHING,
	  "what is remembered of you and of this repository", NULL },
	{ "mood", CHAT_WORD_MOOD, CHAT_TAKES_NOTHING, "how the program feels",
	  "it has no mood" },
	{ "jobs", CHAT_WORD_JOBS, CHAT_TAKES_NOTHING, "scheduled jobs", JOBS },
	{ NULL },
};

static const struct {
	const char *usage, *one; /* in brackets; in a sentence */
} takes_words[] = {
	[CHAT_TAKES_NOTHING] = { "", "nothing" },
	[CHAT_TAKES_CLI_MODEL] = { "[NAME|reset]", "one NAME" },
	[CHAT_TAKES_KNOB] = { "[KEY VALUE]", "KEY VALUE" },
	[CHAT_TAKES_MODEL] = { "[NAME]", "one NAME" },
	[CHAT_TAKES_RESULT] = { "[N]", "one number" },
	[CHAT_TAKES_SESSION] = { "[ID]", "one ID" },
	[CHAT_TAKES_SPARK] = { "[NAME]", "one NAME" },
	[CHAT_TAKES_TASK] = { "[ID]", "one ID" },
};

const ChatWord *chat_words(void)
{
	return words;
}

const char *chat_words_usage(ChatTakes takes)
{
	return takes_words[takes].usage;
}

void chat_line_clear(ChatLine *line)
{
	g_free(line->first);
	g_free(line->rest);
	*line = (ChatLine){ 0 };
}

static const ChatWord *find(const char *name, gsize len)
{
	for (const ChatWord *word = words; word->name; word++)
		if (strlen(word->name) == len && !memcmp(word->name, name, len))
			return word;
	return NULL;
}

static void set_unknown(GError **error, const char *name, gsize len)
{
	const char *names[G_N_ELEMENTS(words)] = { NULL };
	gsize shown_len = spk_text_prefix_len(name, len, MAX_SHOWN);
	g_autofree char *whole = g_strndup(name, len);
	g_autofree char *shown = spk_text_clean(name, shown_len, SPK_CLEAN_LINE);
	g_autofree char *nearest = NULL;

	for (guint i = 0; words[i].name; i++)
		names[i] = words[i].name;
	nearest = len ? spk_text_did_you_mean(whole, names) : g_strdup("");
	spk_error_set(error, SPK_ERR_USAGE,
		      "/help lists what there is; // begins a message with a slash",
		      "there is no /%s%s%s", shown, shown_len < len ? "…" : "", nearest);
}

gboolean chat_line_parse(const char *text, ChatLine *ret_line, GError **error)
{
	const char *name = text + 1, *first, *rest;
	gsize name_len = strcspn(name, BLANKS);
	const ChatWord *word = find(name, name_len);

	if (!word) {
		set_unknown(error, name, name_len);
		return FALSE;
	}
	first = name + name_len + strspn(name + name_len, BLANKS);
	rest = first + strcspn(first, BLANKS);
	if (!word->instead &&
	    ((word->takes == CHAT_TAKES_NOTHING && *first) ||
	     (word->takes != CHAT_TAKES_KNOB && rest[strspn(rest, BLANKS)]))) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "a message that begins with a slash is typed with two",
			      "/%s takes %s", word->name, takes_words[word->takes].one);
		return FALSE;
	}
	ret_line->word = word;
	ret_line->first = g_strndup(first, rest - first);
	ret_line->rest = g_strstrip(g_strdup(rest));
	return TRUE;
}
