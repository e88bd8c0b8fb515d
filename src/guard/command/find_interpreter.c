/* Interpreters of other languages than the shell's: which of their words are code. */
#include <string.h>

#include "guard/command/find_priv.h"

void find_module(const Place *place, Part *part, guint from)
{
	Place inner = *place;

	if (from >= part->n)
		return;
	inner.way = place_way(place, part->name);
	inner.outer = FALSE;
	inner.depth++;
	inner.in_words(&inner, part->words + from, part->n - from);
}

/* One option word; gives how many words it takes, 0: it is none. */
static guint take_option(const Place *place, Part *part, const Interpreter *row, guint i,
			 gboolean *code)
{
	const char *word = part->words[i]->text;
	const char *next = NULL;
	gsize n;

	if (*word != '-' || !word[1])
		return 0;
	if (word[1] == '-') {
		g_autofree char *name = g_strndup(word + 2, strcspn(word + 2, "="));

		if (!table_has_word(row->longs, name))
			return 1;
		*code = TRUE;
		n = strcspn(word, "=");
		if (word[n]) {
			const SpkShellWord *value =
				words_from(place->shell, part->words[i], n + 1);

			find_in_code_word(place, part, row->lang, value, part->name);
			return 1;
		}
		if (i + 1 < part->n)
			find_in_code_word(place, part, row->lang, part->words[i + 1],
					  part->name);
		return 2;
	}
	for (n = 1; word[n]; n++) {
		if (row->lang == LANG_PYTHON && word[n] == 'm') {
			if (word[n + 1]) { /* -mpip */
				const SpkShellWord **words = spk_shell_alloc(
					place->shell, (part->n + 1) * sizeof *words);

				memcpy(words, part->words, part->n * sizeof *words);
				words[i] =
					words_from(place->shell, part->words[i], n + 1);
				part->words = words;
				find_module(place, part, i);
			} else
				find_module(place, part, i + 1);
			*code = TRUE;
			return part->n;
		}
		if (strchr(row->code, word[n])) {
			const SpkShellWord *value =
				word[n + 1] && row->lang != LANG_JS
					? words_from(place->shell, part->words[i], n + 1)
				: i + 1 < part->n ? part->words[i + 1]
						  : NULL;

			*code = TRUE;
			if (value)
				find_in_code_word(place, part, row->lang, value,
						  part->name);
			return word[n + 1] && row->lang != LANG_JS ? 1 : 2;
		}
		next = strchr(row->valued, word[n]);
		if (next)
			return word[n + 1] ? 1 : 2;
		if (word[n] == 'i' && row->lang != LANG_PYTHON)
			return 1; /* sed -i.bak, perl -i.orig */
	}
	return 1;
}

static void look_at_interpreter(const Place *place, Part *part, const Interpreter *row)
{
	gboolean code = FALSE;
	guint i = 1;

	part->read_only = row->lang == LANG_SED || row->lang == LANG_AWK;
	if (part_has_flag(part, "i", "in-place") || part_has_flag(part, "f", "file"))
		part->read_only = FALSE;
	while (i < part->n) {
		guint taken = take_option(place, part, row, i, &code);

		if (!taken)
			break;
		i += taken;
	}
	if (code)
		return;
	if (i < part->n && row->lang == LANG_JS &&
	    !strcmp(part->words[i]->text, "eval")) {
		if (i + 1 < part->n) /* deno eval CODE */
			find_in_code_word(place, part, row->lang, part->words[i + 1],
					  part->name);
	} else if (i < part->n &&
		   (row->first || (row->lang == LANG_SQL && i + 1 < part->n)))
		find_in_code_word(place, part, row->lang,
				  part->words[row->first ? i : i + 1], part->name);
	else if (i < part->n && row->lang != LANG_SQL && row->lang != LANG_EDITOR)
		find_in_script(place, part, row->lang, part->words[i]);
	else if (place->open_end)
		part_set_dynamic(part, "what it runs is only known when it runs");
	else
		find_in_input(place, part, row->lang);
}

/* awk 'print > "file"' */
static void look_at_awk_output(Part *part)
{
	for (guint i = 1; i < part->n; i++) {
		const char *print = strstr(part->words[i]->text, "print");

		if (print && strchr(print, '>'))
			part->read_only = FALSE;
	}
}

void find_interpreter(const Place *place, Part *part)
{
	const Interpreter *row = table_interpreter(part->name);

	if (!row)
		return;
	look_at_interpreter(place, part, row);
	if (row->lang == LANG_AWK)
		look_at_awk_output(part);
}
