#include "cmd/show/question.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/ui.h"
#include "guard/ladder.h"

#define ROW_LINES 6 /* of what is told about a call */
#define MAX_LINES \
	12 /* of a call, where not all of it is shown: a long one must not push the
		      * rest of the question off the screen */
#define ALL_LINES 2000

static void row(GString *out, int fd, const char *role, const char *label,
		const char *text)
{
	spk_ui_field(out, fd, role, label, text, ROW_LINES);
}

/* The text of a call whose line says less than all of it: the command of a shell, else the
 * arguments as they are. NULL: the line is all. */
static char *full_text(const SpkQuestion *question)
{
	gsize len = question->arguments ? strlen(question->arguments) : 0;
	g_autoptr(json_t) arguments = len ? json_loadb(question->arguments, len, 0, NULL)
					  : NULL;
	const char *command = spk_json_str(arguments, "command");
	const char *text = command ? command : question->arguments;

	if (!len || !g_strcmp0(command, question->line))
		return NULL;
	return spk_text_clean(text, -1, SPK_CLEAN_TEXT);
}

/* Line by line as it is, none folded; not `whole`: as many and as much as fits. */
static void full(const SpkQuestion *question, gboolean whole, int fd, GString *out)
{
	g_autofree char *text = full_text(question);
	g_auto(GStrv) lines = text ? g_strsplit(g_strchomp(text), "\n", -1) : NULL;
	guint n = lines ? g_strv_length(lines) : 0;
	guint shown = MIN(n, whole ? ALL_LINES : MAX_LINES);
	int columns = spk_ui_columns(fd) - 6;

	if (!n)
		return;
	spk_ui_paint(out, fd, "dim", "  exactly\n");
	for (guint i = 0; i < shown; i++) {
		g_autofree char *clipped = spk_ui_clip(lines[i], MAX(20, columns));

		g_string_append_printf(out, "    | %s\n", whole ? lines[i] : clipped);
	}
	if (shown < n)
		g_string_append_printf(out, "    … %u more lines\n", n - shown);
}

/* Whether something of the call does not stand there. */
static gboolean is_cut(const GString *text)
{
	return strstr(text->str, "…") != NULL;
}

static void call(const SpkQuestion *question, gboolean whole, int fd, GString *out)
{
	g_autoptr(GString) text = g_string_new(NULL);

	spk_ui_field(text, fd, "bold", "would run", question->line,
		     whole ? ALL_LINES : MAX_LINES);
	full(question, whole, fd, text);
	g_string_append(out, text->str);
	if (is_cut(text) && !whole) {
		spk_ui_paint(out, fd, "warn", "  not all of it is shown: ");
		g_string_append_printf(out, "`sparks approvals show %s`\n", question->id);
	}
}

static char *deeds(SpkDoesSet does)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < SPK_N_DOES; i++)
		if (does & (1u << i))
			g_string_append_printf(text, "%s%s", text->len ? "; " : "",
					       spk_does_sentence((SpkDoes)i));
	return g_string_free(text, FALSE);
}

static char *because(const SpkDecision *decision)
{
	return g_strconcat(decision->rule ? decision->rule : "?",
			   decision->why ? ": " : "", decision->why ? decision->why : "",
			   NULL);
}

static const char *const answer_words[SPK_N_ANSWERS] = {
	[SPK_ANSWER_OPEN] = "open",
	[SPK_ANSWER_ALLOW_ONCE] = "allowed once",
	[SPK_ANSWER_ALLOW_TASK] = "allowed for the task",
	[SPK_ANSWER_ALLOW_RULE] = "allowed by a rule",
	[SPK_ANSWER_DENY] = "refused",
	[SPK_ANSWER_EXPIRED] = "refused, for nobody answered in time",
	[SPK_ANSWER_WITHDRAWN] = "withdrawn",
};

char *spk_question_answer_words(const SpkQuestion *question)
{
	const char *words = answer_words[question->answer];

	if (question->answer == SPK_ANSWER_OPEN)
		return g_strdup(words);
	return g_strdup_printf("%s, by %s (%s)", words, question->by ? question->by : "?",
			       question->how ? question->how : "?");
}

static void times(const SpkQuestion *question, int fd, GString *out)
{
	g_autofree char *asked = spk_ui_time(question->asked_us);
	g_autofree char *until = question->expires_us ? spk_ui_time(question->expires_us)
						      : NULL;
	g_autofree char *answered =
		question->answered_us ? spk_ui_time(question->answered_us) : NULL;
	g_autofree char *words = spk_question_answer_words(question);
	gboolean open = question->answer == SPK_ANSWER_OPEN;
	g_autofree char *end = g_strconcat(words, answered ? ", " : "",
					   answered ? answered : "",
					   open && until ? "; refused by itself at " : "",
					   open && until ? until : "", NULL);

	row(out, fd, "", "asked", asked);
	row(out, fd, open ? "warn" : "bold", "answer", end);
	row(out, fd, "", "saved rule", question->rule);
	row(out, fd, "", "note", question->note);
	row(out, fd, "dim", "hash", question->hash);
}

void spk_question_format(const SpkQuestion *question, gboolean whole, int fd,
			 GString *out)
{
	const SpkDecision *decision = &question->decision;
	g_autofree char *head = g_strdup_printf("question %s", question->id);
	g_autofree char *does = deeds(question->does);
	g_autofree char *why = because(decision);
	g_autofree char *taint = g_strconcat(
		spk_taint_name(question->taint), question->taint_source ? ", from " : "",
		question->taint_source ? question->taint_source : "", NULL);

	spk_ui_paint(out, fd, "bold", head);
	g_string_append_printf(out, " of task %s\n", question->task);
	call(question, whole, fd, out);
	row(out, fd, "", "it", does);
	row(out, fd, "", "rule", why);
	row(out, fd, "", "found", decision->what);
	row(out, fd, decision->risk == SPK_RISK_HIGH ? "bad" : "", "risk",
	    spk_risk_name(decision->risk));
	row(out, fd, question->by_taint ? "warn" : "", "taint", taint);
	row(out, fd, "dim", "to change", decision->hint);
	if (whole)
		times(question, fd, out);
}
