/*
 * From a line to all the commands that it runs: those that its shell would see, those that
 * wrappers run, and those in code that is handed on. One file, long as it is: whatever finds a
 * command goes on to look at it, and what is looked at finds commands, so that parts of it would
 * call each other in circles.
 */
#include <string.h>

#include "guard/command/command_priv.h"

#define MAX_NESTED 6	  /* code in code */
#define MAX_TEXTS  200	  /* of one line, */
#define MAX_BYTES  524288 /* and bytes of them all */
#define MAX_PARTS  1000

/* Where words come from. */
typedef struct {
	Finder *finder;
	const Words *words;
	GHashTable *written; /* path -> text that the line writes there; NULL */
	SpkShell *shell;
	const SpkShellCommand *command;
	const char *folder; /* of the last cd, NULL: none */
	const char *tail;
	const char *way;
	guint at;
	gboolean doubtful;
	gboolean outer; /* not yet behind a wrapper */
	gboolean open_end;
	guint depth;
} Place;

static void find_in_text(Finder *finder, const Place *from, const char *text,
			 const char *way);
static void find_in_words(const Place *place, const SpkShellWord *const *words, guint n);

/* ---- parts ---- */

static void part_free(gpointer data)
{
	Part *part = data;

	g_free(part->line);
	g_free(part->name);
	g_free(part->unknown);
	g_clear_pointer(&part->files, g_ptr_array_unref);
	g_clear_pointer(&part->globs, g_ptr_array_unref);
	g_free(part);
}

static const char *longer_way(const Place *place, const char *way)
{
	g_autofree char *both = NULL;

	if (!*place->way)
		return spk_shell_dup(place->shell, way, strlen(way));
	if (!*way || strlen(place->way) > 200)
		return place->way;
	both = g_strconcat(place->way, ", ", way, NULL);
	return spk_shell_dup(place->shell, both, strlen(both));
}

static void set_unknown(Part *part, const char *why)
{
	if (!part->unknown)
		part->unknown = g_strdup(why);
}

/* The same, and the next time it may run something else: no rule can allow it. */
static void set_dynamic(Part *part, const char *why)
{
	set_unknown(part, why);
	part->dynamic = TRUE;
}

static void add_file(Part *part, const char *name)
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

static Part *add_part(const Place *place, const SpkShellWord *const *words, guint n)
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
		set_dynamic(part, "more commands than can be looked at");
	g_ptr_array_add(place->finder->parts, part);
	return part;
}

/* ---- code ---- */

/* Code of a word: the shell's own is walked, other languages' is looked into. */
static void find_in_code(const Place *place, Part *part, CodeLang lang, const char *code,
			 const char *way)
{
	g_auto(CodeFinds) finds = { NULL };

	if (lang == LANG_SHELL) {
		find_in_text(place->finder, place, code, way);
		return;
	}
	code_look(lang, code, &finds);
	for (guint i = 0; i < finds.lines->len; i++)
		find_in_text(place->finder, place, finds.lines->pdata[i], way);
	for (guint i = 0; i < finds.files->len; i++)
		add_file(part, finds.files->pdata[i]);
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

		set_unknown(part, why);
	}
	part->read_only &= !finds.writes;
}

static void code_of_word(const Place *place, Part *part, CodeLang lang,
			 const SpkShellWord *word, const char *way)
{
	g_autofree char *code = words_code(word);

	for (guint i = 0; i < MIN(part->n, 64); i++)
		if (part->words[i]->text == word->text)
			part->code |= (guint64)1 << i;
	for (guint i = 0; lang != LANG_SHELL && i < word->n_open; i++)
		if (word->len == 1 || g_str_has_prefix(word->open[i].print, "$("))
			set_dynamic(part,
				    "the code that it runs is only known when it runs");
	find_in_code(place, part, lang, code, way);
}

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
static char *printed_text(const Words *words, const SpkShellCommand *command)
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

/* The code that the command reads on its input; NULL: none, a file, or *ret_unknown. */
static char *stdin_text(const Place *place, const char **ret_unknown)
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
	text = from ? printed_text(place->words, from) : NULL;
	if (!text)
		*ret_unknown = "it runs what another command prints";
	return text;
}

static void code_of_stdin(const Place *place, Part *part, CodeLang lang)
{
	const char *unknown;
	g_autofree char *text = stdin_text(place, &unknown);

	if (unknown)
		set_dynamic(part, unknown);
	else if (text)
		find_in_code(place, part, lang, text, part->name);
	else
		part->read_only = FALSE;
}

static gboolean is_stdin_name(const char *word)
{
	static const char *const names[] = { "-", "/dev/stdin", "/dev/fd/0",
					     "/proc/self/fd/0", NULL };

	return g_strv_contains(names, word);
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

/* A script that the line itself has written. */
static gboolean run_written(const Place *place, Part *part, CodeLang lang,
			    const SpkShellWord *word)
{
	g_autofree char *path = words_path(word);
	const char *text = place->written ? g_hash_table_lookup(place->written, path)
					  : NULL;

	if (text)
		find_in_code(place, part, lang_of(text, lang), text, part->name);
	return text != NULL;
}

/* A script of the name: a file of the tree is an ordinary command, the rest isn't. */
static void look_at_script(const Place *place, Part *part, CodeLang lang,
			   const SpkShellWord *word)
{
	part->read_only = FALSE;
	if (run_written(place, part, lang, word))
		return;
	if (is_stdin_name(word->text))
		code_of_stdin(place, part, lang);
	else if (word->n_open && strchr("<(", *word->open[0].print))
		set_dynamic(part, "it runs what another command prints");
	else if (g_str_has_prefix(word->text, "/dev/") ||
		 g_str_has_prefix(word->text, "/proc/"))
		set_dynamic(part,
			    "it runs what comes from a place that can't be looked at");
	else if (word->n_open && word->len == 1)
		set_dynamic(part, "the script that it runs is only known when it runs");
}

/* ---- shells ---- */

static gboolean is_shell(const char *name)
{
	static const char *const names[] = { "sh",    "bash", "dash", "zsh",  "ksh",
					     "ksh93", "mksh", "ash",  "yash", "rbash",
					     "fish",  "posh", "csh",  "tcsh", "hush",
					     "oksh",  "rzsh", NULL };

	return g_strv_contains(names, name);
}

/* sh -lc CODE, bash -o pipefail -c -- CODE, sh FILE, sh <<EOF */
static void look_at_shell(const Place *place, Part *part)
{
	gboolean code = FALSE, input = FALSE;
	guint i = 1;

	for (; i < part->n; i++) {
		const char *word = part->words[i]->text;

		if ((*word != '-' && *word != '+') || !word[1] || is_stdin_name(word))
			break;
		if (part->words[i]->n_open)
			set_dynamic(part,
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
		set_dynamic(part, "what it runs is only known when it runs");
	else if (code && i < part->n)
		code_of_word(place, part, LANG_SHELL, part->words[i], part->name);
	else if (i < part->n && !input)
		look_at_script(place, part, LANG_SHELL, part->words[i]);
	else
		code_of_stdin(place, part, LANG_SHELL);
}

/* ---- interpreters ---- */

static const Interpreter *find_interpreter(const char *name)
{
	gsize n = strlen(name);

	while (n && (g_ascii_isdigit(name[n - 1]) || name[n - 1] == '.'))
		n--;
	for (const Interpreter *row = command_interpreters; row->name; row++)
		if (*row->name == *name &&
		    (!strcmp(row->name, name) ||
		     (strlen(row->name) == n && !strncmp(row->name, name, n))))
			return row;
	return NULL;
}

/* python -m MODULE is a command of that name. */
static void look_at_module(const Place *place, Part *part, guint from)
{
	Place inner = *place;

	if (from >= part->n)
		return;
	inner.way = longer_way(place, part->name);
	inner.outer = FALSE;
	inner.depth++;
	find_in_words(&inner, part->words + from, part->n - from);
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

			code_of_word(place, part, row->lang, value, part->name);
			return 1;
		}
		if (i + 1 < part->n)
			code_of_word(place, part, row->lang, part->words[i + 1],
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
				look_at_module(place, part, i);
			} else
				look_at_module(place, part, i + 1);
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
				code_of_word(place, part, row->lang, value, part->name);
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

static gboolean has_flag(const Part *part, const char *letters, const char *name)
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

static void look_at_interpreter(const Place *place, Part *part, const Interpreter *row)
{
	gboolean code = FALSE;
	guint i = 1;

	part->read_only = row->lang == LANG_SED || row->lang == LANG_AWK;
	if (has_flag(part, "i", "in-place") || has_flag(part, "f", "file"))
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
			code_of_word(place, part, row->lang, part->words[i + 1],
				     part->name);
	} else if (i < part->n &&
		   (row->first || (row->lang == LANG_SQL && i + 1 < part->n)))
		code_of_word(place, part, row->lang, part->words[row->first ? i : i + 1],
			     part->name);
	else if (i < part->n && row->lang != LANG_SQL && row->lang != LANG_EDITOR)
		look_at_script(place, part, row->lang, part->words[i]);
	else if (place->open_end)
		set_dynamic(part, "what it runs is only known when it runs");
	else
		code_of_stdin(place, part, row->lang);
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

/* ---- wrappers ---- */

static gboolean is_assignment(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals && equals > word && (g_ascii_isalpha(*word) || *word == '_') &&
	       !memchr(word, '/', equals - word);
}

/* Past the options, and where they may stand assignments. */
static guint past_options(const Wrapper *row, const Part *part, guint i)
{
	for (; i < part->n; i++) {
		const char *word = part->words[i]->text;
		const char *letter;

		if (!strcmp(word, "--"))
			return i + 1;
		if (row->flags & WRAP_ASSIGNS && is_assignment(word))
			continue;
		if (*word != '-' || (!word[1] && !(row->flags & WRAP_ASSIGNS)))
			return i;
		if (word[1] == '-') {
			i += table_has_word(row->longs, word + 2);
			continue;
		}
		letter = word + 1;
		while (*letter && !strchr(row->valued, *letter))
			letter++;
		i += *letter && !letter[1];
	}
	return i;
}

/* How many words "run" or "compose exec" take after the name; -1: they are not there. */
static int past_sub(const Wrapper *row, const Part *part)
{
	g_auto(GStrv) subs = g_strsplit(row->sub ? row->sub : "", " ", -1);
	guint i = part->sub ? part->sub : 1;

	if (!row->sub)
		return 1;
	for (char **sub = subs; *sub; sub++, i++)
		if (i >= part->n || strcmp(part->words[i]->text, *sub) != 0)
			return -1;
	return (int)i;
}

static void run_each(const Place *place, const Part *part, guint from, const char *way)
{
	for (guint i = from; i < part->n; i++) {
		g_autofree char *code = words_code(part->words[i]);

		find_in_text(place->finder, place, code, way);
	}
}

static void run_joined(const Place *place, Part *part, guint from, const char *way)
{
	g_autoptr(GString) code = g_string_new(NULL);

	for (guint i = from; i < part->n; i++) {
		g_autofree char *word = words_code(part->words[i]);

		if (g_str_has_prefix(word, ":::")) {
			if (!code->len) /* parallel ::: 'rm x' 'rm y' */
				run_each(place, part, i + 1, way);
			break;
		}
		if (code->len)
			g_string_append_c(code, ' ');
		g_string_append(code, word);
	}
	if (code->len)
		find_in_text(place->finder, place, code->str, way);
}

/* What stands for the words that come: "{}", or what xargs -I says. */
static const char *placeholder(const Part *part, guint from)
{
	for (guint i = 1; i < from && i < part->n; i++) {
		const char *word = part->words[i]->text;

		if (g_str_has_prefix(word, "--replace="))
			return word + 10;
		if (g_str_has_prefix(word, "-I") || g_str_has_prefix(word, "-J"))
			return word[2] ? word + 2
				       : part->words[MIN(i + 1, part->n - 1)]->text;
	}
	return "{}";
}

/* xargs -I{} {} x, find -exec sh -c {} \; : the command or its code is what comes. */
static gboolean runs_replaced(const Part *part, guint from)
{
	const char *mark = placeholder(part, from);
	const char *name = from < part->n ? part->words[from]->text : "";
	const char *slash = strrchr(name, '/');

	if (!*mark || strstr(name, mark))
		return TRUE;
	name = slash ? slash + 1 : name;
	if (!is_shell(name) && !find_interpreter(name) && strcmp(name, "eval") != 0 &&
	    strcmp(name, "env") != 0)
		return FALSE;
	for (guint i = from + 1; i < part->n; i++)
		if (!strcmp(part->words[i]->text, mark) &&
		    (i == from + 1 || *part->words[i - 1]->text == '-'))
			return TRUE;
	return FALSE;
}

static void run_wrapped(const Place *place, Part *part, const Wrapper *row, guint from)
{
	Place inner = *place;

	part->read_only = !(row->flags & (WRAP_ROOT | WRAP_HOST)) &&
			  strcmp(part->name, "nohup") != 0;
	part->n_own = MIN(from, part->n);
	inner.outer = FALSE;
	inner.depth++;
	inner.open_end |= (row->flags & WRAP_STDIN) != 0;
	if (row->flags & WRAP_LOOKUP && part->n > 1 &&
	    strpbrk(part->words[1]->text, "vV") && *part->words[1]->text == '-')
		return;
	if (row->flags & WRAP_JOINED && from + 1 >= part->n && from < part->n) {
		run_joined(place, part, from, part->name);
		return;
	}
	if (from >= part->n) {
		if ((place->open_end && !(row->flags & WRAP_STDIN)) ||
		    (row->flags & WRAP_STDIN && row->flags & WRAP_JOINED))
			set_dynamic(part, "what it runs is only known when it runs");
		return;
	}
	if (row->flags & WRAP_JOINED) {
		run_joined(place, part, from, part->name);
		return;
	}
	inner.way = longer_way(place, part->name);
	if (runs_replaced(part, from))
		set_dynamic(part, "what it runs is only known when it runs");
	find_in_words(&inner, part->words + from, part->n - from);
}

/* The long option may have been one that takes a word: that is tried, too. */
static void run_both(const Place *place, Part *part, const Wrapper *row, guint from)
{
	run_wrapped(place, part, row, from);
	if (row->flags & WRAP_MAYBE && from + 1 < part->n) {
		run_wrapped(place, part, row, from + 1);
		return;
	}
	if (from >= 2 && from + 1 < part->n && place->depth < 3 &&
	    g_str_has_prefix(part->words[from - 1]->text, "--") &&
	    strcmp(part->words[from - 1]->text, "--") &&
	    !strchr(part->words[from - 1]->text, '=')) {
		guint own = part->n_own;

		run_wrapped(place, part, row, from + 1);
		part->n_own = own;
	}
}

static gboolean look_at_wrapper(const Place *place, Part *part)
{
	gboolean found = FALSE;

	for (const Wrapper *row = command_wrappers; row->name && !found; row++) {
		int from;
		guint to;

		if (*row->name != *part->name || strcmp(row->name, part->name) != 0)
			continue;
		from = past_sub(row, part);
		if (from < 0)
			continue;
		to = past_options(row, part, from) + row->skip;
		if (row->skip && to < part->n && !strcmp(part->words[to]->text, "--"))
			to++;
		/* what follows a host or an image may have options of its own */
		run_both(place, part, row, to);
		found = TRUE;
	}
	return found;
}

/* ---- programs with ways of their own ---- */

/* Wildcards in quotes are find's own. */
static void add_glob(const Place *place, Part *part, const char *text)
{
	guint8 *classes = spk_shell_alloc(place->shell, strlen(text) + 1);
	SpkShellWord *word = spk_shell_alloc(place->shell, sizeof *word);

	/* all of it SPK_SHELL_PLAIN, which is 0 */
	*word = (SpkShellWord){ text, classes, strlen(text), 0, 0, NULL, 0 };
	if (!part->globs)
		part->globs = g_ptr_array_new();
	g_ptr_array_add(part->globs, word);
}

/* find … -exec CMD ; fd … -x CMD */
static void look_at_find(const Place *place, Part *part)
{
	static const char *const runs[] = { "-exec",  "-execdir",     "-ok",
					    "-okdir", "-x",	      "-X",
					    "--exec", "--exec-batch", NULL };
	static const char *const names[] = { "-name",  "-iname",     "-path",
					     "-ipath", "-wholename", NULL };
	gboolean only = effects_reads_only(part);

	for (guint i = 1; i < part->n; i++) {
		Place inner = *place;
		guint to = i + 1;

		if (g_strv_contains(names, part->words[i]->text) && i + 1 < part->n)
			add_glob(place, part, part->words[i + 1]->text);
		if (!g_strv_contains(runs, part->words[i]->text))
			continue;
		while (to < part->n && strcmp(part->words[to]->text, ";") &&
		       strcmp(part->words[to]->text, "+"))
			to++;
		inner.way = longer_way(place, part->name);
		inner.outer = FALSE;
		inner.open_end = TRUE;
		inner.depth++;
		if (runs_replaced(part, i + 1))
			set_dynamic(part, "what it runs is only known when it runs");
		if (to > i + 1)
			find_in_words(&inner, part->words + i + 1, to - i - 1);
		part->n_own = MIN(part->n_own, i + 1);
		i = to;
	}
	part->read_only = only;
}

/* eval A B; trap CODE SIG; alias x=CODE; . FILE */
static gboolean look_at_builtin(const Place *place, Part *part)
{
	const char *name = part->name;
	guint from = part->n > 1 && !strcmp(part->words[1]->text, "--") ? 2 : 1;

	if (!strcmp(name, "eval")) {
		part->read_only = TRUE;
		part->n_own = 1;
		run_joined(place, part, from, name);
		if (place->open_end)
			set_dynamic(part, "what it runs is only known when it runs");
	} else if (!strcmp(name, "trap") && part->n > from + 1) {
		part->n_own = 1;
		code_of_word(place, part, LANG_SHELL, part->words[from], name);
	} else if (!strcmp(name, "alias")) {
		for (guint i = 1; i < part->n; i++) {
			guint equals = strcspn(part->words[i]->text, "=");

			if (equals < part->words[i]->len)
				code_of_word(place, part, LANG_SHELL,
					     words_from(place->shell, part->words[i],
							equals + 1),
					     name);
		}
	} else if ((!strcmp(name, "source") || !strcmp(name, ".")) && part->n > from)
		look_at_script(place, part, LANG_SHELL, part->words[from]);
	else if (!strcmp(name, "mapfile") || !strcmp(name, "readarray") ||
		 !strcmp(name, "complete") || !strcmp(name, "bind") ||
		 !strcmp(name, "enable")) {
		if (has_flag(part, "CFxf", "callback"))
			set_unknown(part, "it runs code of its own later");
	} else if (!strcmp(name, "at") || !strcmp(name, "batch") ||
		   (!strcmp(name, "crontab") && !has_flag(part, "l", "list")))
		set_unknown(part, "it runs code later, outside of what is looked at");
	else if (!strcmp(name, "hash") && has_flag(part, "p", "path"))
		set_unknown(part, "it puts one program in the place of another");
	else
		return FALSE;
	return TRUE;
}

/* ---- git ---- */

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
		set_unknown(part, "it changes which programs git runs");
	if (!is_code_key(low))
		return;
	if (g_str_has_prefix(low, "alias.") && *value != '!') {
		git = g_strconcat("git ", value, NULL);
		value = git;
	}
	find_in_text(place->finder, place, value + (*value == '!'), "git");
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
			set_unknown(part, "it changes which programs git runs");
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

static void look_at_git(const Place *place, Part *part)
{
	guint sub;

	part->read_only = TRUE;
	sub = git_sub(place, part);
	if (sub >= part->n) {
		if (place->open_end)
			set_dynamic(part, "what it runs is only known when it runs");
		return;
	}
	part->sub = sub;
	if (part->words[sub]->n_open)
		set_dynamic(part, "the command of git is only known when it runs");
	part->read_only &= effects_reads_only(part);
	for (guint i = sub + 1; i < part->n; i++) {
		const char *word = part->words[i]->text;
		const char *ext = strstr(word, "ext::");

		if (ext)
			set_unknown(part, "its address is a command");
		if (!strcmp(part->words[sub]->text, "grep") && *word == '-' &&
		    word[1] != '-' && strchr(word, 'O'))
			set_unknown(part, "it gives what it finds to a program");
		if (!strcmp(part->words[sub]->text, "config") && i + 1 < part->n &&
		    strchr(word, '.') && *word != '-') {
			g_autofree char *value = words_code(part->words[i + 1]);

			look_at_git_value(place, part, word, value);
		}
	}
}

/* ---- options with code ---- */

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
		set_unknown(part, "it changes what make runs");
	else if (is_stdin_name(word) && g_str_has_prefix(part->words[n - 1]->text, "-"))
		set_unknown(part, "its rules come from the input");
	else if (value && *word != '-' && strpbrk(value, ";|&`"))
		code_of_word(place, part, LANG_SHELL,
			     words_from(place->shell, part->words[n], value + 1 - word),
			     "make");
}

static void look_at_options(const Place *place, Part *part)
{
	for (const CodeOption *row = command_code_options; row->name; row++)
		if (*row->name == *part->name && !strcmp(row->name, part->name))
			look_at_option(place, part, row);
	for (guint i = 2; i < part->n && !strcmp(part->name, "strace"); i++)
		if (*part->words[i]->text == '|' &&
		    !strcmp(part->words[i - 1]->text, "-o"))
			find_in_text(place->finder, place, part->words[i]->text + 1,
				     "strace");
	/* tar cIf PROGRAM: letters without a dash */
	if (!strcmp(part->name, "tar") && part->n > 1 && *part->words[1]->text != '-' &&
	    strpbrk(part->words[1]->text, "IF"))
		set_unknown(part, "it starts a program that its letters name");
	/* ssh -o ProxyCommand=…, LocalCommand=… */
	for (guint i = 1;
	     i < part->n && (!strcmp(part->name, "ssh") || !strcmp(part->name, "scp") ||
			     !strcmp(part->name, "sftp"));
	     i++) {
		const char *found = strcasestr(part->words[i]->text, "command");
		gsize past = found ? strspn(found + 7, "= ") : 0;

		if (past && i > 1 - (part->words[i]->text[0] == '-'))
			find_in_text(place->finder, place, found + 7 + past, part->name);
	}
	/* make SHELL=…, CC='$(shell …)' */
	for (guint i = 1; i < part->n && strstr(part->name, "make"); i++)
		look_at_make(place, part, i);
}

/* ---- variables ---- */

static void look_at_value(const Place *place, Part *part, const char *name,
			  const SpkShellWord *value)
{
	static const char *const loads[] = { "LD_PRELOAD", "LD_AUDIT",	    "BASH_ENV",
					     "PERL5OPT",   "PERL5DB",	    "RUBYOPT",
					     "SHELLOPTS",  "GIT_EXEC_PATH", "GCONV_PATH",
					     NULL };

	if (g_strv_contains(command_code_variables, name) && value->len)
		code_of_word(place, part, LANG_SHELL, value, name);
	if ((!strcmp(name, "ENV") && is_shell(part->name)) ||
	    g_strv_contains(loads, name) || g_str_has_prefix(name, "BASH_FUNC_") ||
	    g_str_has_prefix(name, "GIT_CONFIG"))
		set_unknown(part, "it changes the code that other programs run");
}

static void look_at_assignment(const Place *place, Part *part, const SpkShellWord *word)
{
	guint from, n = spk_shell_assigned(word, &from);
	g_autofree char *name = NULL;

	if (!n && !is_assignment(word->text))
		return;
	if (!n) { /* of env, quoted as it may be */
		n = strcspn(word->text, "=");
		from = n + 1;
	}
	name = g_strndup(word->text, n);
	look_at_value(place, part, name, words_from(place->shell, word, from));
}

static void look_at_assignments(const Place *place, Part *part)
{
	static const char *const takers[] = { "env",	 "export", "declare",
					      "typeset", "local",  "readonly",
					      "sudo",	 "doas",   NULL };

	for (guint i = 0; part->command && i < part->command->n_assigns; i++)
		look_at_assignment(place, part, part->command->assigns[i]);
	for (guint i = 1; i < part->n_own && g_strv_contains(takers, part->name); i++)
		look_at_assignment(place, part, part->words[i]);
}

/* A word with "[$(…)]" in quotes: bash reads it again where it takes a name or a number. */
static void look_at_subscripts(const Place *place, const Part *part)
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

				find_in_text(place->finder, place, whole, "subscript");
			}
		}
	}
}

/* ---- words and texts ---- */

static gboolean is_computed(const SpkShellWord *name)
{
	if (name->n_open)
		return TRUE;
	if (!strcmp(name->text, "[") || !strcmp(name->text, "[["))
		return FALSE;
	if (strstr(name->text, "{}")) /* of find, xargs, parallel */
		return TRUE;
	for (guint i = 0; i < name->len; i++)
		if (name->classes[i] == SPK_SHELL_PLAIN && strchr("*?[", name->text[i]))
			return TRUE;
	return FALSE;
}

/* dash has no [[ ]]: what stands in it after && are commands to it. Of those whose name is
 * computed most are comparisons. */
static gboolean is_comparison(const Part *part)
{
	static const char *const signs[] = { "==",  "=",   "!=",  "=~",	 "-eq",
					     "-ne", "-lt", "-gt", "-le", "-ge",
					     "<",   ">",   "-nt", "]]",	 NULL };

	return part->doubtful && part->n > 1 &&
	       g_strv_contains(signs, part->words[1]->text);
}

/* cat $(echo .env), echo .env | xargs cat: what it prints are names. */
static void look_at_printed(const Place *place, Part *part)
{
	if (strcmp(part->name, "echo") != 0 && strcmp(part->name, "printf") != 0)
		return;
	if (!strstr(place->way, "substitution") && !strstr(place->tail, "xargs"))
		return;
	for (guint i = 1; i < part->n; i++) {
		g_autofree char *path = words_path(part->words[i]);
		const char *blank = strpbrk(path, " \n");

		if (!blank)
			add_file(part, path);
	}
}

static void look_at_program(const Place *place, Part *part)
{
	const Interpreter *row;

	if (is_shell(part->name)) {
		look_at_shell(place, part);
		look_at_options(place, part);
		return;
	}
	if (!strcmp(part->name, "git"))
		look_at_git(place, part);
	else if (!strcmp(part->name, "find") || !strcmp(part->name, "gfind") ||
		 !strcmp(part->name, "fd") || !strcmp(part->name, "fdfind"))
		look_at_find(place, part);
	else
		part->read_only = effects_reads_only(part);
	look_at_printed(place, part);
	if (!strcmp(part->name, "uv") && part->n > 1 &&
	    !strcmp(part->words[1]->text, "pip"))
		look_at_module(place, part, 1);
	if (look_at_builtin(place, part))
		return;
	row = find_interpreter(part->name);
	if (row) {
		look_at_interpreter(place, part, row);
		if (row->lang == LANG_AWK)
			look_at_awk_output(part);
	}
	(void)look_at_wrapper(place, part); /* most programs are none */
	look_at_options(place, part);
}

static void find_in_words(const Place *place, const SpkShellWord *const *words, guint n)
{
	Part *part = add_part(place, words, n);

	if (place->depth > 12)
		set_dynamic(part, "it is wrapped too often to be looked into");
	else if (n && is_computed(words[0]) && !is_comparison(part)) {
		part->computed = TRUE;
		set_dynamic(part, "the name of the command is only known when it runs");
	} else if (n) {
		look_at_program(place, part);
		if (strchr(words[0]->text, '/'))
			(void)run_written(place, part, LANG_SHELL, words[0]);
	} else
		part->read_only = TRUE;
	for (guint i = 0; i < n; i++)
		for (guint k = 0; k < words[i]->n_open; k++)
			if (strstr(words[i]->open[k].print, "@P}"))
				set_dynamic(part,
					    "the value of a variable is run as code");
	look_at_assignments(place, part);
	look_at_subscripts(place, part);
	if (part->read_only && !effects_reads_only(part) && part->command)
		for (guint i = 0; i < part->command->n_redirs; i++)
			if (part->command->redirs[i]->output &&
			    effects_names_file(part->command->redirs[i]))
				part->read_only = FALSE;
	effects_of(part, place->finder->urls);
	if (part->does & ~(SpkDoesSet)SPK_DOES(COMMAND))
		part->read_only = FALSE;
}

/* Names that variables may make, though not for sure: "(a=.e; b=nv; cat $a$b)". */
static void add_loose_files(const Words *words, const SpkShellCommand *command,
			    Part *part)
{
	for (guint i = 1; i < command->n_words; i++) {
		g_autoptr(GPtrArray) list = NULL;

		if (!command->words[i]->n_open || effects_is_text(part, i))
			continue;
		list = g_ptr_array_new();
		words_expand(words, command->words[i], FALSE, list);
		for (guint k = 0; k < list->len; k++) {
			g_autofree char *path = words_path(list->pdata[k]);

			if (!strchr(path, '\006'))
				add_file(part, path);
		}
	}
}

static void find_in_command(const Place *from, const Words *words,
			    SpkShellCommand *command)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	const SpkShellWord **kept;
	Place place = *from;
	guint at;

	place.words = words;
	place.command = command;
	place.tail = command->tail;
	place.way = longer_way(from, command->way);
	place.at = from->depth ? from->at : command->at;
	place.outer = TRUE;
	place.open_end = FALSE;
	if (command->pseudo) {
		Part *part = add_part(&place, NULL, 0);

		part->pseudo = TRUE;
		part->read_only = TRUE;
		effects_of(part, place.finder->urls);
		part->read_only = !part->does;
		return;
	}
	for (guint i = 0; i < command->n_words; i++)
		words_expand(words, command->words[i], TRUE, list);
	kept = spk_shell_alloc(place.shell, (list->len + 1) * sizeof *kept);
	for (guint i = 0; i < list->len; i++)
		kept[i] = list->pdata[i];
	at = place.finder->parts->len;
	find_in_words(&place, kept, list->len);
	add_loose_files(words, command, place.finder->parts->pdata[at]);
}

/* "echo 'rm x' > f; sh f": what a line writes into a file it may run. */
static GHashTable *find_written(const Words *words)
{
	GHashTable *written =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	for (guint i = 0; i < words->shell->commands->len; i++) {
		const SpkShellCommand *command = words->shell->commands->pdata[i];
		const SpkShellWord *last = command->n_words > 1
						   ? command->words[command->n_words - 1]
						   : NULL;
		g_autofree char *text = command->n_redirs ? printed_text(words, command)
							  : NULL;

		for (guint k = 0; text && k < command->n_redirs; k++)
			if (command->redirs[k]->output &&
			    command->redirs[k]->kind != SPK_REDIR_COPY)
				g_hash_table_replace(
					written, words_path(command->redirs[k]->target),
					g_strdup(text));
		if (text && last && !strcmp(command->words[0]->text, "tee"))
			g_hash_table_replace(written, words_path(last), g_strdup(text));
	}
	return written;
}

/* "cd / && cat etc/passwd" */
static void follow_cd(Place *place, const SpkShellCommand *command)
{
	g_autofree char *path = NULL;

	if (command->n_words < 2 || (strcmp(command->words[0]->text, "cd") != 0 &&
				     strcmp(command->words[0]->text, "pushd") != 0))
		return;
	path = words_path(command->words[command->n_words - 1]);
	if (*path == '/' || *path == '~' || !place->folder)
		place->folder = spk_shell_dup(place->shell, path, strlen(path));
}

static void find_in_shell(const Place *from, SpkShell *shell, gboolean posix)
{
	Words words = { NULL };
	Place place = *from;
	g_autoptr(GHashTable) written = NULL;

	place.shell = shell;
	/* what led here lives in another text */
	place.way = spk_shell_dup(shell, from->way, strlen(from->way));
	words_init(&words, shell, posix);
	written = find_written(&words);
	place.written = written;
	for (guint i = 0; i < shell->commands->len; i++) {
		find_in_command(&place, &words, shell->commands->pdata[i]);
		follow_cd(&place, shell->commands->pdata[i]);
	}
	words_clear(&words);
}

static void set_unreadable(Finder *finder, const Place *from, const SpkShell *shell)
{
	if (finder->unreadable || from->doubtful)
		return;
	finder->unreadable = g_strdup(shell->error);
	finder->unreadable_at = from->depth ? from->at : shell->error_at;
}

static void find_in_text(Finder *finder, const Place *from, const char *text,
			 const char *way)
{
	SpkShell *shell;
	Place place = *from;
	gsize len = strlen(text);
	gboolean nested = finder->nested;

	finder->bytes += len;
	if (finder->depth >= MAX_NESTED || ++finder->texts > MAX_TEXTS ||
	    finder->bytes > MAX_BYTES) {
		if (!finder->unreadable)
			finder->unreadable =
				g_strdup("hands on too much code to be read");
		return;
	}
	shell = spk_shell_parse(text, len, FALSE);
	g_ptr_array_add(finder->shells, shell);
	place.shell = shell;
	if (finder->depth || from->depth || *way) {
		place.way = longer_way(&place, way);
		place.depth = MAX(from->depth, 1);
	}
	if (!finder->normal)
		finder->normal = g_strdup(shell->normal);
	finder->nested = *way != '\0';
	finder->depth++;
	find_in_shell(&place, shell, FALSE);
	if (shell->error)
		set_unreadable(finder, &place, shell);
	if (shell->dialect) {
		SpkShell *dash = spk_shell_parse(text, len, TRUE);

		g_ptr_array_add(finder->shells, dash);
		place.doubtful = TRUE;
		place.shell = dash;
		find_in_shell(&place, dash, TRUE);
	}
	finder->depth--;
	finder->nested = nested;
}

void finder_init(Finder *finder)
{
	memset(finder, 0, sizeof *finder);
	finder->parts = g_ptr_array_new_with_free_func(part_free);
	finder->urls = g_ptr_array_new_with_free_func(g_free);
	finder->shells = g_ptr_array_new_with_free_func((GDestroyNotify)spk_shell_free);
}

void finder_clear(Finder *finder)
{
	g_clear_pointer(&finder->parts, g_ptr_array_unref);
	g_clear_pointer(&finder->urls, g_ptr_array_unref);
	g_clear_pointer(&finder->shells, g_ptr_array_unref);
	g_clear_pointer(&finder->normal, g_free);
	g_clear_pointer(&finder->unreadable, g_free);
}

void finder_run(Finder *finder, const char *line)
{
	Place place = { .finder = finder, .way = "", .tail = "" };

	find_in_text(finder, &place, line, "");
}
