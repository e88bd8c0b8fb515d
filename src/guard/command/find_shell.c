/* Shells, and the builtins that run code: eval, trap, alias, "." */
#include <string.h>

#include "guard/command/find_priv.h"

void find_shell(const Place *place, Part *part)
{
	gboolean code = FALSE, input = FALSE;
	guint i = 1;

	for (; i < part->n; i++) {
		const char *word = part->words[i]->text;

		if ((*word != '-' && *word != '+') || !word[1] || input_is_name(word))
			break;
		if (part->words[i]->n_open)
			part_set_dynamic(
				part,
				"an option of the shell is only known when it runs");
		if (!strcmp(word, "--")) {
			i++;
			break;
		}
		if (word[1] == '-') {
			i += !strcmp(word, "--rcfile") || !strcmp(word, "--init-file");
			code |= !strcmp(word, "--command");
			continue;
		}
		code |= *word == '-' && strchr(word, 'c') != NULL;
		input |= strchr(word, 's') != NULL;
		i += strpbrk(word, "oO") != NULL;
	}
	part->read_only = TRUE;
	if (i >= part->n && place->open_end)
		part_set_dynamic(part, "what it runs is only known when it runs");
	else if (code && i < part->n)
		find_in_code_word(place, part, LANG_SHELL, part->words[i], part->name);
	else if (i < part->n && !input)
		find_in_script(place, part, LANG_SHELL, part->words[i]);
	else
		find_in_input(place, part, LANG_SHELL);
}

/* eval A B; trap CODE SIG; alias x=CODE; . FILE */
gboolean find_builtin(const Place *place, Part *part)
{
	const char *name = part->name;
	guint from = part->n > 1 && !strcmp(part->words[1]->text, "--") ? 2 : 1;

	if (!strcmp(name, "eval")) {
		part->read_only = TRUE;
		part->n_own = 1;
		find_joined(place, part, from, name);
		if (place->open_end)
			part_set_dynamic(part, "what it runs is only known when it runs");
	} else if (!strcmp(name, "trap") && part->n > from + 1) {
		part->n_own = 1;
		find_in_code_word(place, part, LANG_SHELL, part->words[from], name);
	} else if (!strcmp(name, "alias")) {
		for (guint i = 1; i < part->n; i++) {
			guint equals = strcspn(part->words[i]->text, "=");

			if (equals < part->words[i]->len)
				find_in_code_word(place, part, LANG_SHELL,
						  words_from(place->shell, part->words[i],
							     equals + 1),
						  name);
		}
	} else if ((!strcmp(name, "source") || !strcmp(name, ".")) && part->n > from)
		find_in_script(place, part, LANG_SHELL, part->words[from]);
	else if (!strcmp(name, "mapfile") || !strcmp(name, "readarray") ||
		 !strcmp(name, "complete") || !strcmp(name, "bind") ||
		 !strcmp(name, "enable")) {
		if (part_has_flag(part, "CFxf", "callback"))
			part_set_unknown(part, "it runs code of its own later");
	} else if (!strcmp(name, "at") || !strcmp(name, "batch") ||
		   (!strcmp(name, "crontab") && !part_has_flag(part, "l", "list")))
		part_set_unknown(part,
				 "it runs code later, outside of what is looked at");
	else if (!strcmp(name, "hash") && part_has_flag(part, "p", "path"))
		part_set_unknown(part, "it puts one program in the place of another");
	else
		return FALSE;
	return TRUE;
}
