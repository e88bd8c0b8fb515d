#include "cmd/show/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "cmd/cmd.h"
#include "cmd/show/edit.h"
#include "cmd/show/question.h"
#include "cmd/ui.h"

#define LOOK_MS	   500 /* how often it is seen that somebody else has answered */
#define ANSWER_MAX 256

#define PROMPT "[o]nce  for this [t]ask  as a [r]ule  [d]eny  [?] "
#define HELP                                                                         \
	"  o  run exactly this call, this time\n"                                    \
	"  t  and every call in this task that a rule matches; you can change it\n"  \
	"  r  the same, saved: for this spark in this folder, also in later tasks\n" \
	"     (`sparks policy rules` lists them); an empty rule leads back here\n"   \
	"  d  refuse; the model is told so. `d TEXT` tells it why\n"                 \
	"  Ctrl-C leaves the question open: the task waits\n"

/* ---- a line, as long as the question is open ---- */

static gboolean is_open(SpkAskUser *user, const SpkQuestion *question)
{
	g_autoptr(SpkQuestion) now = spk_approval_get(user->store, question->id, NULL);
	g_autofree char *words = NULL;

	if (!now || now->answer == SPK_ANSWER_OPEN)
		return TRUE;
	words = spk_question_answer_words(now);
	fprintf(stderr, "\n%s\n", words);
	return FALSE;
}

/* TRUE: there is something to read. */
static gboolean wait_for_input(SpkAskUser *user, const SpkQuestion *question)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = spk_cancel_fd(user->cancel), .events = POLLIN },
		};
		int n = poll(fds, G_N_ELEMENTS(fds), LOOK_MS);

		if (fds[1].revents || (n < 0 && errno != EINTR))
			return FALSE;
		if (n > 0 && fds[0].revents)
			return TRUE;
		if (!is_open(user, question))
			return FALSE;
	}
}

/* From the descriptor, not the stream: nothing that comes later is taken along. */
static gboolean read_line(SpkAskUser *user, const SpkQuestion *question, char *line)
{
	gsize len = 0;
	char c = 0;

	while (c != '\n') {
		if (!wait_for_input(user, question) || read(STDIN_FILENO, &c, 1) != 1)
			return FALSE;
		if (c != '\n' && len < ANSWER_MAX - 1)
			line[len++] = c;
	}
	line[len] = '\0';
	g_strstrip(line);
	return TRUE;
}

/* ---- answers ---- */

/* A rule, until it is one that covers the call. FALSE: none, and (*ret_over) given up. */
static gboolean edit_rule(const SpkQuestion *question, SpkReply *reply,
			  gboolean *ret_over)
{
	g_autofree char *offer = spk_rule_offer(question);

	if (!offer)
		fputs("  no rule can allow this: what it runs may be something else each "
		      "time\n",
		      stderr);
	while (offer && !reply->rule) {
		g_autofree char *line = spk_edit_line("  rule: ", offer);
		g_autoptr(GError) error = NULL;

		*ret_over = line == NULL;
		if (!line || !*line)
			return FALSE;
		if (spk_rule_check(line, &error) && spk_rule_allows(line, question))
			reply->rule = g_steal_pointer(&line);
		else
			fprintf(stderr, "  %s\n",
				error ? error->message
				      : "that rule doesn't match every command of this "
					"call as a whole");
	}
	return reply->rule != NULL;
}

static void take_note(SpkReply *reply, const char *rest)
{
	g_autofree char *note = spk_ui_line(rest, 1000);

	if (*g_strstrip(note))
		reply->note = g_steal_pointer(&note);
}

/* The words of an answer; only a refusal takes more on its line. */
static const struct {
	const char *letter, *word;
	SpkAnswer answer;
} choices[] = {
	{ "o", "once", SPK_ANSWER_ALLOW_ONCE }, { "t", "task", SPK_ANSWER_ALLOW_TASK },
	{ "r", "rule", SPK_ANSWER_ALLOW_RULE }, { "d", "deny", SPK_ANSWER_DENY },
	{ "n", "no", SPK_ANSWER_DENY },
};

/* FALSE: it is none of them. */
static gboolean choose(const char *line, SpkReply *reply)
{
	gsize len = strcspn(line, " \t");
	g_autofree char *first = g_ascii_strdown(line, (gssize)len);

	for (gsize i = 0; i < G_N_ELEMENTS(choices); i++) {
		if (strcmp(first, choices[i].letter) != 0 &&
		    strcmp(first, choices[i].word) != 0)
			continue;
		if (line[len] && choices[i].answer != SPK_ANSWER_DENY)
			return FALSE;
		reply->answer = choices[i].answer;
		take_note(reply, line + len);
		return TRUE;
	}
	return FALSE;
}

/* TRUE with an answer; FALSE: ask again, or (*ret_over) no more. */
static gboolean understand(const SpkQuestion *question, const char *line, SpkReply *reply,
			   gboolean *ret_over)
{
	if (!choose(line, reply)) {
		fputs(HELP, stderr); /* an empty line is no answer */
		return FALSE;
	}
	if (reply->answer != SPK_ANSWER_ALLOW_TASK &&
	    reply->answer != SPK_ANSWER_ALLOW_RULE)
		return TRUE;
	return edit_rule(question, reply, ret_over);
}

static gboolean ask_aloud(SpkAskUser *user, const SpkQuestion *question, SpkReply *reply)
{
	g_autoptr(GString) text = g_string_new("\n");
	gboolean over = FALSE;
	char line[ANSWER_MAX];

	spk_question_format(question, FALSE, STDERR_FILENO, text);
	spk_ui_write(STDERR_FILENO, text);
	/* what was typed before the question was seen is no answer to it */
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	while (!over) {
		fputs(PROMPT, stderr);
		fflush(stderr);
		if (!read_line(user, question, line))
			return FALSE;
		if (understand(question, line, reply, &over))
			return TRUE;
	}
	return FALSE;
}

static gboolean ask(const SpkQuestion *question, gpointer data, SpkReply *ret_reply)
{
	SpkAskUser *user = data;
	gboolean answered;

	if (user->yes && spk_approval_yes_covers(question)) {
		*ret_reply = (SpkReply){ .answer = SPK_ANSWER_ALLOW_ONCE, .how = "-y" };
		return TRUE;
	}
	if (user->mute || !spk_ui_can_ask() || spk_cancel_is_fired(user->cancel))
		return FALSE;
	if (user->quiet)
		user->quiet(TRUE, user->user);
	answered = ask_aloud(user, question, ret_reply);
	if (user->quiet)
		user->quiet(FALSE, user->user);
	return answered;
}

SpkAsker spk_ask_user(SpkAskUser *user)
{
	return (SpkAsker){ .ask = ask, .how = "terminal", .user = user };
}
