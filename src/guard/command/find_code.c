/* Commands in code: of an option, of the input, of a script that the line itself writes. */
#include <string.h>

#include "guard/command/find_priv.h"

void find_in_code(const Place *place, Part *part, CodeLang lang, const char *code,
		  const char *way)
{
	g_auto(CodeFinds) finds = { NULL };

	if (lang == LANG_SHELL) {
		place->in_text(place, code, way);
		return;
	}
	code_look(lang, code, &finds);
	for (guint i = 0; i < finds.lines->len; i++)
		place->in_text(place, finds.lines->pdata[i], way);
	for (guint i = 0; i < finds.files->len; i++)
		part_add_file(part, finds.files->pdata[i]);
	for (guint i = 0; i < finds.urls->len && place->finder->urls->len < 64; i++)
		g_ptr_array_add(place->finder->urls,
				g_utf8_make_valid(finds.urls->pdata[i], -1));
	if (finds.network || finds.urls->len)
		part->does |= SPK_DOES(EGRESS);
	if (finds.post)
		part->does |= SPK_DOES(EGRESS) | SPK_DOES(POST);
	if (finds.blind) {
		g_autofree char *clean = g_utf8_make_valid(finds.blind, -1);
		g_autofree char *why = g_strdup_printf(
			"its code uses %s, and what that runs can't be told", clean);

		part_set_unknown(part, why);
	}
	part->read_only &= !finds.writes;
}

void find_in_code_word(const Place *place, Part *part, CodeLang lang,
		       const SpkShellWord *word, const char *way)
{
	g_autofree char *code = words_code(word);

	for (guint i = 0; i < MIN(part->n, 64); i++)
		if (part->words[i]->text == word->text)
			part->code |= (guint64)1 << i;
	for (guint i = 0; lang != LANG_SHELL && i < word->n_open; i++)
		if (word->len == 1 || g_str_has_prefix(word->open[i].print, "$("))
			part_set_dynamic(
				part, "the code that it runs is only known when it runs");
	find_in_code(place, part, lang, code, way);
}

void find_in_input(const Place *place, Part *part, CodeLang lang)
{
	const char *unknown;
	g_autofree char *text = input_text(place, &unknown);

	if (unknown)
		part_set_dynamic(part, unknown);
	else if (text)
		find_in_code(place, part, lang, text, part->name);
	else
		part->read_only = FALSE;
}

/* The language of "#!/usr/bin/env python3". */
static CodeLang lang_of(const char *text, CodeLang lang)
{
	g_autofree char *line = g_strndup(text, strcspn(text, "\n"));

	if (lang != LANG_SHELL || !g_str_has_prefix(line, "#!"))
		return lang;
	for (const Interpreter *row = command_interpreters; row->name; row++)
		if (strstr(line, row->name))
			return row->lang;
	return lang;
}

gboolean find_in_written(const Place *place, Part *part, CodeLang lang,
			 const SpkShellWord *word)
{
	const SpkScripts *scripts = place->finder->scripts;
	g_autofree char *path = words_path(word), *known = NULL;
	const char *text = place->written ? g_hash_table_lookup(place->written, path)
					  : NULL;

	if (!text && scripts)
		text = known = scripts->read(scripts->user, place->folder, path);
	if (text)
		find_in_code(place, part, lang_of(text, lang), text, part->name);
	return text != NULL;
}

void find_in_script(const Place *place, Part *part, CodeLang lang,
		    const SpkShellWord *word)
{
	part->read_only = FALSE;
	if (find_in_written(place, part, lang, word))
		return;
	if (input_is_name(word->text))
		find_in_input(place, part, lang);
	else if (word->n_open && strchr("<(", *word->open[0].print))
		part_set_dynamic(part, "it runs what another command prints");
	else if (g_str_has_prefix(word->text, "/dev/") ||
		 g_str_has_prefix(word->text, "/proc/"))
		part_set_dynamic(
			part, "it runs what comes from a place that can't be looked at");
	else if (word->n_open && word->len == 1)
		part_set_dynamic(part,
				 "the script that it runs is only known when it runs");
}
