/* Options, and words like them, whose value is code or names a program. */
#include <string.h>

#include "guard/command/find_priv.h"

/* "exec='rm x'" of --checkpoint-action, "!rm x" of others. */
static const char *past_action(const char *code)
{
	return g_str_has_prefix(code, "exec=") ? code + 5 : code;
}

static void look_at_option_value(const Place *place, Part *part, const CodeOption *row,
				 const SpkShellWord *value)
{
	g_autofree char *code = words_code(value);

	part->read_only = FALSE;
	if (strcmp(row->option, "--checkpoint-action") == 0 &&
	    !g_str_has_prefix(code, "exec="))
		return;
	find_in_code(place, part, row->lang, past_action(code), part->name);
}

static void look_at_option(const Place *place, Part *part, const CodeOption *row)
{
	gsize n = strlen(row->option);
	gboolean lng = g_str_has_prefix(row->option, "--");

	for (guint i = 1; i < part->n; i++) {
		const char *word = part->words[i]->text;
		gsize len = strcspn(word, "=");
		gboolean whole = !strcmp(word, row->option) ||
				 (lng && len >= 5 && len < n && !word[len] &&
				  !strncmp(word, row->option, len));

		if (whole && i + 1 < part->n && n > 1)
			look_at_option_value(place, part, row, part->words[i + 1]);
		else if (lng && word[len] && len >= 5 && len < n &&
			 !strncmp(word, row->option, len))
			look_at_option_value(place, part, row,
					     words_from(place->shell, part->words[i],
							len + 1));
		else if (!whole && !strncmp(word, row->option, n) &&
			 (!lng || word[n] == '=') && (lng || n >= 2 || *word == '+'))
			look_at_option_value(place, part, row,
					     words_from(place->shell, part->words[i],
							n + lng));
		else if (n == 2 && *word == '-' && word[1] != '-' && word[1] &&
			 word[strlen(word) - 1] == row->option[1] && !whole &&
			 i + 1 < part->n)
			look_at_option_value(place, part, row, part->words[i + 1]);
	}
}

/* make SHELL=x, make CC='rm x;', make -f - */
static void look_at_make(const Place *place, Part *part, guint n)
{
	const char *word = part->words[n]->text, *value = strchr(word, '=');

	if (strstr(word, "$(shell") || g_str_has_prefix(word, "SHELL="))
		part_set_unknown(part, "it changes what make runs");
	else if (input_is_name(word) && g_str_has_prefix(part->words[n - 1]->text, "-"))
		part_set_unknown(part, "its rules come from the input");
	else if (value && *word != '-' && strpbrk(value, ";|&`"))
		find_in_code_word(place, part, LANG_SHELL,
				  words_from(place->shell, part->words[n],
					     value + 1 - word),
				  "make");
}

void find_options(const Place *place, Part *part)
{
	for (const CodeOption *row = command_code_options; row->name; row++)
		if (*row->name == *part->name && !strcmp(row->name, part->name))
			look_at_option(place, part, row);
	for (guint i = 2; i < part->n && !strcmp(part->name, "strace"); i++)
		if (*part->words[i]->text == '|' &&
		    !strcmp(part->words[i - 1]->text, "-o"))
			place->in_text(place, part->words[i]->text + 1, "strace");
	/* tar cIf PROGRAM: letters without a dash */
	if (!strcmp(part->name, "tar") && part->n > 1 && *part->words[1]->text != '-' &&
	    strpbrk(part->words[1]->text, "IF"))
		part_set_unknown(part, "it starts a program that its letters name");
	/* ssh -o ProxyCommand=…, LocalCommand=… */
	for (guint i = 1;
	     i < part->n && (!strcmp(part->name, "ssh") || !strcmp(part->name, "scp") ||
			     !strcmp(part->name, "sftp"));
	     i++) {
		const char *found = strcasestr(part->words[i]->text, "command");
		gsize past = found ? strspn(found + 7, "= ") : 0;

		if (past && i > 1 - (part->words[i]->text[0] == '-'))
			place->in_text(place, found + 7 + past, part->name);
	}
	/* make SHELL=…, CC='$(shell …)' */
	for (guint i = 1; i < part->n && strstr(part->name, "make"); i++)
		look_at_make(place, part, i);
}
