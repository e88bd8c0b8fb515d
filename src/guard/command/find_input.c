/* What a command reads: here-documents, files, what the one before it in a pipe prints. */
#include <string.h>

#include "guard/command/find_priv.h"

static gboolean is_echo_option(const char *word)
{
	return *word == '-' && word[1] && strspn(word + 1, "neE") == strlen(word + 1);
}

/* Of a here-document; NULL: it has none. */
static char *given_text(const SpkShellCommand *command)
{
	char *text = NULL;

	for (guint i = 0; i < command->n_redirs; i++) {
		SpkRedirKind kind = command->redirs[i]->kind;

		if (kind != SPK_REDIR_HEREDOC && kind != SPK_REDIR_HERETEXT)
			continue;
		g_free(text);
		text = words_code(command->redirs[i]->target);
	}
	return text;
}

/* The text that the command prints, when it is one that only does that. */
char *input_printed(const Words *words, const SpkShellCommand *command)
{
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	g_autoptr(GString) text = g_string_new(NULL);
	const char *name;
	guint from = 1;

	for (guint i = 0; i < command->n_words; i++)
		words_expand(words, command->words[i], TRUE, args);
	name = args->len ? ((const SpkShellWord *)args->pdata[0])->text : "";
	if ((!strcmp(name, "cat") && args->len == 1) || !strcmp(name, "tee"))
		return given_text(command);
	if (strcmp(name, "echo") != 0 && strcmp(name, "printf") != 0)
		return NULL;
	while (!strcmp(name, "echo") && from < args->len &&
	       is_echo_option(((const SpkShellWord *)args->pdata[from])->text))
		from++;
	if (!strcmp(name, "printf") && args->len > 2 &&
	    !strcmp(((const SpkShellWord *)args->pdata[1])->text, "%s\\n"))
		from = 2;
	for (guint i = from; i < args->len; i++) {
		const SpkShellWord *word = args->pdata[i];
		g_autofree char *code = words_code(word);

		/* echo may read "\155", printf does, and has its own "%s" */
		if (strchr(code, '\\') && strcmp(strchr(code, '\\'), "\\n") != 0)
			return NULL;
		if (*name == 'p' && from == 1 && (strchr(code, '%') || args->len > 2))
			return NULL;
		if (i > from)
			g_string_append_c(text, *name == 'p' ? '\n' : ' ');
		g_string_append_len(text, code, strcspn(code, "\\"));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static const SpkShellCommand *command_at(const Place *place, int index)
{
	return index >= 0 && index < (int)place->shell->commands->len
		       ? place->shell->commands->pdata[index]
		       : NULL;
}

static const SpkShellRedir *stdin_of(const SpkShellCommand *command)
{
	const SpkShellRedir *found = NULL;

	for (guint i = 0; i < command->n_redirs; i++)
		if (!command->redirs[i]->output && command->redirs[i]->fd <= 0)
			found = command->redirs[i];
	return found;
}

/* Of a redirection: its text, or *ret_unknown. Neither: a file. */
static char *text_of_redir(const SpkShellRedir *redir, const char **ret_unknown)
{
	if (redir->kind == SPK_REDIR_HEREDOC || redir->kind == SPK_REDIR_HERETEXT)
		return words_code(redir->target);
	if (redir->target->n_open && strchr("<$(", *redir->target->open[0].print))
		*ret_unknown = "it runs what another command prints";
	else if (redir->kind == SPK_REDIR_COPY ||
		 g_str_has_prefix(redir->target->text, "/dev/"))
		*ret_unknown = "it runs what comes from a place that can't be looked at";
	return NULL;
}

char *input_text(const Place *place, const char **ret_unknown)
{
	const SpkShellCommand *command = place->command, *from;
	const SpkShellRedir *redir = stdin_of(command);
	char *text;

	*ret_unknown = NULL;
	if (redir)
		return text_of_redir(redir, ret_unknown);
	if (command->in == SPK_STDIN_NONE || command->in == SPK_STDIN_FILE)
		return NULL;
	from = command_at(place, command->from);
	if (from && from->pseudo && stdin_of(from))
		return text_of_redir(stdin_of(from), ret_unknown);
	text = from ? input_printed(place->words, from) : NULL;
	if (!text)
		*ret_unknown = "it runs what another command prints";
	return text;
}

gboolean input_is_name(const char *word)
{
	static const char *const names[] = { "-", "/dev/stdin", "/dev/fd/0",
					     "/proc/self/fd/0", NULL };

	return g_strv_contains(names, word);
}
