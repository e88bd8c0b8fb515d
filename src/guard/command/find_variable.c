/* Values of variables that are run, and subscripts that are read as code. */
#include <string.h>

#include "guard/command/find_priv.h"

static void look_at_value(const Place *place, Part *part, const char *name,
			  const SpkShellWord *value)
{
	static const char *const loads[] = { "LD_PRELOAD", "LD_AUDIT",	    "BASH_ENV",
					     "PERL5OPT",   "PERL5DB",	    "RUBYOPT",
					     "SHELLOPTS",  "GIT_EXEC_PATH", "GCONV_PATH",
					     NULL };

	if (g_strv_contains(command_code_variables, name) && value->len)
		find_in_code_word(place, part, LANG_SHELL, value, name);
	if ((!strcmp(name, "ENV") && table_is_shell(part->name)) ||
	    g_strv_contains(loads, name) || g_str_has_prefix(name, "BASH_FUNC_") ||
	    g_str_has_prefix(name, "GIT_CONFIG"))
		part_set_unknown(part, "it changes the code that other programs run");
}

static void look_at_assignment(const Place *place, Part *part, const SpkShellWord *word)
{
	guint from, n = spk_shell_assigned(word, &from);
	g_autofree char *name = NULL;

	if (!n && !words_is_assignment(word->text))
		return;
	if (!n) { /* of env, quoted as it may be */
		n = strcspn(word->text, "=");
		from = n + 1;
	}
	name = g_strndup(word->text, n);
	look_at_value(place, part, name, words_from(place->shell, word, from));
}

void find_assignments(const Place *place, Part *part)
{
	static const char *const takers[] = { "env",	 "export", "declare",
					      "typeset", "local",  "readonly",
					      "sudo",	 "doas",   NULL };

	for (guint i = 0; part->command && i < part->command->n_assigns; i++)
		look_at_assignment(place, part, part->command->assigns[i]);
	for (guint i = 1; i < part->n_own && g_strv_contains(takers, part->name); i++)
		look_at_assignment(place, part, part->words[i]);
}

void find_subscripts(const Place *place, const Part *part)
{
	for (guint i = 0; i < part->n_own; i++) {
		const char *at = strchr(part->words[i]->text, '[');

		if (at && (strstr(at, "$(") || strchr(at, '`'))) {
			g_autofree char *code = g_strconcat(
				"echo \"",
				strstr(at, "$(") ? strstr(at, "$(") : strchr(at, '`'),
				NULL);
			char *end = strrchr(code, strchr(code, '`') ? '`' : ')');

			if (!end)
				continue;
			end[1] = '\0';
			{
				g_autofree char *whole = g_strconcat(code, "\"", NULL);

				place->in_text(place, whole, "subscript");
			}
		}
	}
}
