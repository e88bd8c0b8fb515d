/* Commands that git runs: by its options, its settings, its addresses. */
#include <string.h>

#include "guard/command/find_priv.h"

static gboolean is_code_key(const char *key)
{
	static const char *const keys[] = { "core.pager",
					    "core.editor",
					    "core.sshcommand",
					    "core.fsmonitor",
					    "core.askpass",
					    "core.gitproxy",
					    "diff.external",
					    "gpg.program",
					    "sequence.editor",
					    "credential.helper",
					    NULL };
	static const char *const ends[] = {
		".textconv",   ".command", ".driver",  ".clean",      ".smudge",
		".process",    ".cmd",	   ".program", ".uploadpack", ".receivepack",
		".difffilter", ".helper",  NULL
	};

	if (g_strv_contains(keys, key) || g_str_has_prefix(key, "pager.") ||
	    g_str_has_prefix(key, "alias."))
		return TRUE;
	for (guint i = 0; ends[i]; i++)
		if (g_str_has_suffix(key, ends[i]))
			return TRUE;
	return FALSE;
}

static void look_at_git_value(const Place *place, Part *part, const char *key,
			      const char *value)
{
	g_autofree char *low = g_ascii_strdown(key, -1);
	g_autofree char *git = NULL;

	if (!strcmp(low, "core.hookspath") || g_str_has_prefix(low, "include") ||
	    g_str_has_prefix(low, "protocol.ext") || strstr(low, "insteadof"))
		part_set_unknown(part, "it changes which programs git runs");
	if (!is_code_key(low))
		return;
	if (g_str_has_prefix(low, "alias.") && *value != '!') {
		git = g_strconcat("git ", value, NULL);
		value = git;
	}
	place->in_text(place, value + (*value == '!'), "git");
}

/* The index of the sub-command, past the options of git itself; their values are looked at. */
static guint git_sub(const Place *place, Part *part)
{
	static const char valued[] = "-C --git-dir --work-tree --namespace --exec-path "
				     "--super-prefix --config-env";
	guint i = 1;

	for (; i < part->n; i++) {
		const char *word = part->words[i]->text;
		g_autofree char *pair = NULL;
		char *equals;

		if (*word != '-')
			break;
		part->read_only &= !g_str_has_prefix(word, "--exec-path=") &&
				   !g_str_has_prefix(word, "--config-env") &&
				   !g_str_has_prefix(word, "--git-dir") &&
				   strcmp(word, "-p") && strcmp(word, "--paginate");
		if (g_str_has_prefix(word, "--exec-path=") ||
		    g_str_has_prefix(word, "--config-env"))
			part_set_unknown(part, "it changes which programs git runs");
		if (g_str_has_prefix(word, "-c")) {
			if (!word[2])
				i++;
			pair = i < part->n ? words_code(part->words[i]) : g_strdup("");
			equals = strchr(pair, '=');
			part->read_only = FALSE;
			if (equals)
				*equals = '\0';
			look_at_git_value(place, part, pair + (word[2] ? 2 : 0),
					  equals ? equals + 1 : "");
		} else
			i += table_has_word(valued, word);
	}
	return i;
}

void find_git(const Place *place, Part *part)
{
	guint sub;

	part->read_only = TRUE;
	sub = git_sub(place, part);
	if (sub >= part->n) {
		if (place->open_end)
			part_set_dynamic(part, "what it runs is only known when it runs");
		return;
	}
	part->sub = sub;
	if (part->words[sub]->n_open)
		part_set_dynamic(part, "the command of git is only known when it runs");
	part->read_only &= effects_reads_only(part);
	for (guint i = sub + 1; i < part->n; i++) {
		const char *word = part->words[i]->text;
		const char *ext = strstr(word, "ext::");

		if (ext)
			part_set_unknown(part, "its address is a command");
		if (!strcmp(part->words[sub]->text, "grep") && *word == '-' &&
		    word[1] != '-' && strchr(word, 'O'))
			part_set_unknown(part, "it gives what it finds to a program");
		if (!strcmp(part->words[sub]->text, "config") && i + 1 < part->n &&
		    strchr(word, '.') && *word != '-') {
			g_autofree char *value = words_code(part->words[i + 1]);

			look_at_git_value(place, part, word, value);
		}
	}
}
