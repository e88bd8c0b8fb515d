/* A command that was found, and how it is noted. */
#include <string.h>

#include "guard/command/find_priv.h"

#define MAX_PARTS 1000 /* of one line */

void part_free(gpointer data)
{
	Part *part = data;

	g_free(part->line);
	g_free(part->name);
	g_free(part->unknown);
	g_clear_pointer(&part->files, g_ptr_array_unref);
	g_clear_pointer(&part->globs, g_ptr_array_unref);
	g_free(part);
}

const char *place_way(const Place *place, const char *way)
{
	g_autofree char *both = NULL;

	if (!*place->way)
		return spk_shell_dup(place->shell, way, strlen(way));
	if (!*way || strlen(place->way) > 200)
		return place->way;
	both = g_strconcat(place->way, ", ", way, NULL);
	return spk_shell_dup(place->shell, both, strlen(both));
}

void part_set_unknown(Part *part, const char *why)
{
	if (!part->unknown)
		part->unknown = g_strdup(why);
}

void part_set_dynamic(Part *part, const char *why)
{
	part_set_unknown(part, why);
	part->dynamic = TRUE;
}

void part_add_file(Part *part, const char *name)
{
	if (!part->files)
		part->files = g_ptr_array_new_with_free_func(g_free);
	if (part->files->len < 1000)
		g_ptr_array_add(part->files, g_strdup(name));
}

static void print_redir(GString *out, const SpkShellRedir *redir)
{
	static const char *const signs[] = { "<", ">", ">>", "<>", "<&", "<<", "<<<" };

	if (redir->kind == SPK_REDIR_COPY || redir->kind == SPK_REDIR_HEREDOC)
		return;
	if (!effects_names_file(redir) && redir->kind != SPK_REDIR_HERETEXT)
		return;
	if (out->len)
		g_string_append_c(out, ' ');
	if (redir->fd >= 0)
		g_string_append_printf(out, "%d", redir->fd);
	g_string_append(out, signs[redir->kind]);
	g_string_append_c(out, ' ');
	spk_shell_print_word(out, redir->target);
}

static void print_part(Part *part)
{
	GString *out = g_string_sized_new(80);

	for (guint i = 0; part->command && i < part->command->n_assigns; i++) {
		if (out->len)
			g_string_append_c(out, ' ');
		spk_shell_print_word(out, part->command->assigns[i]);
	}
	if (out->len && part->n)
		g_string_append_c(out, ' ');
	part->name_at = out->len;
	for (guint i = 0; i < part->n; i++) {
		if (i)
			g_string_append_c(out, ' ');
		spk_shell_print_word(out, part->words[i]);
	}
	for (guint i = 0; part->command && i < part->command->n_redirs; i++)
		print_redir(out, part->command->redirs[i]);
	part->line = g_string_free(out, FALSE);
}

Part *part_add(const Place *place, const SpkShellWord *const *words, guint n)
{
	Part *part = g_new0(Part, 1);
	const char *slash;

	part->words = words;
	part->n = part->n_own = n;
	part->command = place->outer ? place->command : NULL;
	part->tail = place->tail;
	part->folder = place->folder;
	part->way = place->way;
	part->at = place->at;
	part->doubtful = place->doubtful;
	part->nested = place->finder->nested;
	slash = n ? strrchr(words[0]->text, '/') : NULL;
	part->name = g_strdup(!n ? "" : slash && slash[1] ? slash + 1 : words[0]->text);
	if (g_str_has_prefix(part->name, "ld-linux") ||
	    g_str_has_prefix(part->name, "ld-musl")) {
		g_free(part->name);
		part->name = g_strdup("ld.so");
	}
	print_part(part);
	if (place->finder->parts->len >= MAX_PARTS)
		part_set_dynamic(part, "more commands than can be looked at");
	g_ptr_array_add(place->finder->parts, part);
	return part;
}

gboolean part_has_flag(const Part *part, const char *letters, const char *name)
{
	for (guint i = 1; i < part->n; i++) {
		const char *word = part->words[i]->text;

		if (*word != '-')
			continue;
		if (word[1] == '-' ? g_str_has_prefix(word + 2, name)
				   : strpbrk(word + 1, letters) != NULL)
			return TRUE;
	}
	return FALSE;
}
