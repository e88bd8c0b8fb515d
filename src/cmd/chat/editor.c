#include "cmd/chat/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/chat/rescue.h"
#include "cmd/cmd.h"

#define HISTORY_MAX 1000
#define SHOWN_MAX   20 /* completions listed */
#define PASTE_ON    "\033[?2004h"
#define PASTE_OFF   "\033[?2004l"
#define PASTE_END   "\033[201~"
/* Stands in the line for a piece that was pasted; what it means is kept beside it. */
#define PLACE "[pasted %u: %u lines]"

struct SpkEditor {
	EditLine *el; /* NULL: plain lines */
	History *history;
	HistEvent event;
	char *path;
	SpkCompleteFn complete;
	gpointer user;
	gboolean more, emptied; /* the line goes on; Ctrl-C was typed */
	GPtrArray *pastes;	/* of this message */
};

/* ---- prompts and keys ---- */

static SpkEditor *editor_of(EditLine *el)
{
	void *data = NULL;

	el_get(el, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt(EditLine *el)
{
	static char first[] = "\1\033[1m\1>\1\033[0m\1 ", more[] = ". ", plain[] = "> ";
	const SpkEditor *editor = editor_of(el);

	if (editor->more)
		return more;
	return spk_term_colour(STDOUT_FILENO) ? first : plain;
}

static unsigned char on_interrupt(EditLine *el, wint_t key)
{
	SpkEditor *editor = editor_of(el);

	editor->emptied = TRUE;
	fputs("^C\n", stdout);
	return CC_NEWLINE;
}

/* Signals of keys are off while a line is edited, so this one is sent by hand, to all that a
 * shell takes for one job. */
static unsigned char on_suspend(EditLine *el, wint_t key)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, before;

	fputs(PASTE_OFF "\n", stdout);
	fflush(stdout);
	el_set(el, EL_PREP_TERM, 0);
	/* libedit takes the terminal at SIGCONT, also in the background, where that would stop
	 * us again in the middle of being ended (kill %1) */
	sigaction(SIGCONT, &plain, &before);
	kill(0, SIGTSTP);
	sigaction(SIGCONT, &before, NULL);
	el_set(el, EL_PREP_TERM, 1);
	fputs(PASTE_ON, stdout);
	fflush(stdout);
	return CC_REDISPLAY;
}

static gboolean ends_in(const GString *text, const char *end)
{
	gsize len = strlen(end);

	return text->len >= len && !strcmp(text->str + text->len - len, end);
}

/* All up to the end of the paste; bytes past the limit are dropped. */
static char *read_paste(EditLine *el)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char c;

	while (!ends_in(text, PASTE_END) && el_getc(el, &c) == 1) {
		if (text->len >= SPK_MESSAGE_MAX)
			g_string_erase(text, text->len - 16, 1);
		g_string_append_c(text, c == '\r' ? '\n' : c);
	}
	if (ends_in(text, PASTE_END))
		g_string_truncate(text, text->len - strlen(PASTE_END));
	return spk_text_clean(text->str, text->len, SPK_CLEAN_TEXT);
}

static guint count_lines(const char *text)
{
	guint n = 1;

	for (; *text; text++)
		n += *text == '\n' && text[1];
	return n;
}

static unsigned char on_paste(EditLine *el, wint_t key)
{
	SpkEditor *editor = editor_of(el);
	g_autofree char *text = read_paste(el);
	g_autofree char *place = NULL;

	if (!strpbrk(text, "\n\t"))
		return *text && el_insertstr(el, text) < 0 ? CC_ERROR : CC_REFRESH;
	place = g_strdup_printf(PLACE, editor->pastes->len + 1, count_lines(text));
	g_ptr_array_add(editor->pastes, g_steal_pointer(&text));
	return el_insertstr(el, place) < 0 ? CC_ERROR : CC_REFRESH;
}

/* ---- completion ---- */

static gsize common_prefix(char **words)
{
	gsize len = strlen(*words);

	for (char **word = words + 1; *word; word++) {
		gsize same = 0;

		while (same < len && (*word)[same] == (*words)[same])
			same++;
		len = same;
	}
	return spk_text_prefix_len(*words, strlen(*words), len);
}

static void list_words(char **words)
{
	int columns = spk_term_width(STDOUT_FILENO), at = 0;

	fputc('\n', stdout);
	for (guint i = 0; words[i] && i < SHOWN_MAX; i++) {
		int width = spk_text_width(words[i]) + 2;

		if (at && at + width > columns) {
			fputc('\n', stdout);
			at = 0;
		}
		printf("%s  ", words[i]);
		at += width;
	}
	fputs(g_strv_length(words) > SHOWN_MAX ? "…\n" : "\n", stdout);
	fflush(stdout);
}

static unsigned char on_tab(EditLine *el, wint_t key)
{
	SpkEditor *editor = editor_of(el);
	const LineInfo *line = el_line(el);
	const char *from = line->cursor;
	g_autofree char *before = NULL, *start = NULL, *rest = NULL;
	g_auto(GStrv) words = NULL;
	gsize len;

	while (from > line->buffer && from[-1] != ' ')
		from--;
	start = g_strndup(from, line->cursor - from);
	before = g_strdup_printf("%s%.*s", editor->more ? "\n" : "",
				 (int)(from - line->buffer), line->buffer);
	words = editor->complete ? editor->complete(before, start, editor->user) : NULL;
	if (!words || !*words)
		return CC_ERROR;
	len = common_prefix(words);
	if (len > strlen(start) || !words[1]) {
		rest = g_strdup_printf("%.*s%s", (int)(len - strlen(start)),
				       words[0] + strlen(start), words[1] ? "" : " ");
		return el_insertstr(el, rest) < 0 ? CC_ERROR : CC_REFRESH;
	}
	list_words(words);
	return CC_REDISPLAY;
}

/* ---- opening ---- */

/* Another's file or a link is none of ours. */
static gboolean may_use(const char *path)
{
	struct stat st;

	return lstat(path, &st) != 0 || (S_ISREG(st.st_mode) && st.st_uid == geteuid());
}

static void set_up(SpkEditor *editor)
{
	EditLine *el = editor->el;

	el_set(el, EL_CLIENTDATA, editor);
	el_set(el, EL_PROMPT_ESC, prompt, '\1');
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_SIGNAL, 1);
	el_set(el, EL_HIST, history, editor->history);
	/* the narrow form copies the names and never frees them */
	el_wset(el, EL_ADDFN, L"spk-complete", L"complete the word", on_tab);
	el_wset(el, EL_ADDFN, L"spk-paste", L"take what is pasted", on_paste);
	el_wset(el, EL_ADDFN, L"spk-interrupt", L"empty the line", on_interrupt);
	el_set(el, EL_BIND, "^I", "spk-complete", NULL);
	el_set(el, EL_BIND, "\\e[200~", "spk-paste", NULL);
	el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_set(el, EL_BIND, "^W", "ed-delete-prev-word", NULL);
	el_wset(el, EL_ADDFN, L"spk-suspend", L"stop the program for now", on_suspend);
	/* Ctrl-C and Ctrl-Z are keys while a line is edited, no signals */
	el_set(el, EL_SETTY, "-d", "-isig", NULL);
	el_set(el, EL_BIND, "^C", "spk-interrupt", NULL);
	el_set(el, EL_BIND, "^Z", "spk-suspend", NULL);
}

SpkEditor *spk_editor_new(const char *path, SpkCompleteFn complete, gpointer user)
{
	SpkEditor *editor = g_new0(SpkEditor, 1);
	const char *term = g_getenv("TERM");

	editor->complete = complete;
	editor->user = user;
	editor->pastes = g_ptr_array_new_with_free_func(g_free);
	setlocale(LC_CTYPE, ""); /* libedit counts characters by it */
	if (!term || !strcmp(term, "dumb"))
		return editor;
	editor->history = history_init();
	history(editor->history, &editor->event, H_SETSIZE, HISTORY_MAX);
	history(editor->history, &editor->event, H_SETUNIQUE, 1);
	if (path && may_use(path)) {
		editor->path = g_strdup(path);
		history(editor->history, &editor->event, H_LOAD, path);
	}
	editor->el = el_init("sparks", stdin, stdout, stderr);
	if (!editor->el)
		return editor;
	chat_rescue_begin(STDIN_FILENO);
	set_up(editor);
	return editor;
}

void spk_editor_free(SpkEditor *editor)
{
	if (!editor)
		return;
	if (editor->el) {
		el_end(editor->el);
		chat_rescue_end();
	}
	if (editor->history)
		history_end(editor->history);
	g_ptr_array_unref(editor->pastes);
	g_free(editor->path);
	g_free(editor);
}

/* ---- reading ---- */

static char *read_edited(SpkEditor *editor)
{
	const char *got;
	int count;

	fputs(PASTE_ON, stdout);
	fflush(stdout);
	got = el_gets(editor->el, &count);
	fputs(PASTE_OFF, stdout);
	fflush(stdout);
	if (editor->emptied)
		return g_strdup("");
	return got && count > 0 ? g_strdup(got) : NULL;
}

static char *read_plain(SpkEditor *editor)
{
	char *line = NULL, *copy;
	size_t size = 0;

	fputs(editor->more ? ". " : "> ", stdout);
	fflush(stdout);
	copy = getline(&line, &size, stdin) > 0 ? g_strdup(line) : NULL;
	free(line);
	return copy;
}

/* One line without its end; NULL: no more. */
static char *read_line(SpkEditor *editor)
{
	char *line;

	chat_rescue_edit();
	line = editor->el ? read_edited(editor) : read_plain(editor);
	chat_rescue_edited();
	return line ? g_strchomp(line) : NULL;
}

/* The line with its pasted pieces in their places. */
static char *expand(SpkEditor *editor, const char *line)
{
	GString *text = g_string_new(line);

	for (guint i = 0; i < editor->pastes->len; i++) {
		const char *paste = editor->pastes->pdata[i];
		g_autofree char *place =
			g_strdup_printf(PLACE, i + 1, count_lines(paste));

		g_string_replace(text, place, paste, 1);
	}
	return g_string_free(text, FALSE);
}

static gboolean fence_is_open(const char *text)
{
	gboolean open = FALSE;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		open ^= g_str_has_prefix(line + strspn(line, " "), "```");
	}
	return open;
}

/* Adds the line; TRUE: the message goes on. */
static gboolean add_line(GString *message, const char *line)
{
	gsize len = strlen(line);
	gboolean joins = len && line[len - 1] == '\\';

	g_string_append_len(message, line, len - joins);
	if (!joins && !fence_is_open(message->str))
		return FALSE;
	g_string_append_c(message, '\n');
	return TRUE;
}

static void keep(SpkEditor *editor, const char *typed)
{
	if (!editor->history || !*typed || *typed == ' ')
		return;
	history(editor->history, &editor->event, H_ENTER, typed);
	if (!editor->path)
		return;
	history(editor->history, &editor->event, H_SAVE, editor->path);
	(void)chmod(editor->path, 0600); /* libedit asks for that too */
}

SpkInput spk_editor_read(SpkEditor *editor, char **ret_text)
{
	g_autoptr(GString) message = g_string_new(NULL);
	g_autofree char *text = NULL;

	g_ptr_array_set_size(editor->pastes, 0);
	editor->more = editor->emptied = FALSE;
	do {
		g_autofree char *line = read_line(editor);
		g_autofree char *whole = NULL;

		if (!line)
			return SPK_INPUT_END;
		if (editor->emptied)
			return SPK_INPUT_EMPTIED;
		whole = expand(editor, line);
		editor->more = add_line(message, whole);
	} while (editor->more && message->len < SPK_MESSAGE_MAX);
	keep(editor, message->str);
	text = spk_text_clean(message->str, MIN(message->len, SPK_MESSAGE_MAX),
			      SPK_CLEAN_TEXT);
	if (!*g_strstrip(text))
		return SPK_INPUT_EMPTIED;
	*ret_text = g_steal_pointer(&text);
	return SPK_INPUT_MESSAGE;
}
