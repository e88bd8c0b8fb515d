#include "cmd/show/edit.h"

#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

typedef struct {
	char *prompt;
	gboolean given_up;
} Edit;

static Edit *edit_of(EditLine *el)
{
	void *data = NULL;

	el_get(el, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt_of(EditLine *el)
{
	return edit_of(el)->prompt;
}

/* Signals of keys are off while a line is edited. */
static unsigned char give_up(EditLine *el, wint_t key)
{
	edit_of(el)->given_up = TRUE;
	fputs("^C\n", stderr);
	return CC_NEWLINE;
}

static char *read_edited(EditLine *el, Edit *edit, const char *text)
{
	const char *got;
	int count = 0;

	el_set(el, EL_CLIENTDATA, edit);
	el_set(el, EL_PROMPT, prompt_of);
	el_set(el, EL_EDITOR, "emacs");
	el_set(el, EL_SIGNAL, 1);
	el_wset(el, EL_ADDFN, L"spk-give-up", L"leave it", give_up);
	el_set(el, EL_SETTY, "-d", "-isig", NULL);
	el_set(el, EL_BIND, "^C", "spk-give-up", NULL);
	el_push(el, text);
	got = el_gets(el, &count);
	return got && count > 0 && !edit->given_up ? g_strdup(got) : NULL;
}

static char *read_plain(const char *prompt, const char *text)
{
	char *line = NULL, *copy;
	size_t size = 0;

	fprintf(stderr, "%s[%s] ", prompt, text);
	fflush(stderr);
	copy = getline(&line, &size, stdin) > 0 ? g_strdup(line) : NULL;
	free(line);
	if (copy && !*g_strstrip(copy)) {
		g_free(copy);
		copy = g_strdup(text);
	}
	return copy;
}

char *spk_edit_line(const char *prompt, const char *text)
{
	const char *term = g_getenv("TERM");
	/* typed in for the user: no key, so no control character */
	g_autofree char *clean = spk_text_clean(text, -1, SPK_CLEAN_LINE);
	g_autofree char *words = g_strdup(prompt);
	Edit edit = { words, FALSE };
	g_autofree char *line = NULL;
	EditLine *el;

	setlocale(LC_CTYPE, ""); /* libedit counts characters by it */
	el = term && strcmp(term, "dumb") != 0 ? el_init("sparks", stdin, stderr, stderr)
					       : NULL;
	line = el ? read_edited(el, &edit, clean) : read_plain(prompt, clean);
	if (el)
		el_end(el);
	return line ? spk_text_clean(g_strstrip(line), -1, SPK_CLEAN_LINE) : NULL;
}
