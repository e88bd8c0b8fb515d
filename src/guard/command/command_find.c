/*
 * From a line to all the commands that it runs: those that its shell would see, those that
 * wrappers run, and those in code that is handed on. What is found is looked at by the files
 * find_*.c, which come back with what they find by the functions of their Place.
 */
#include <string.h>

#include "guard/command/find_priv.h"

#define MAX_NESTED 6	  /* code in code */
#define MAX_TEXTS  200	  /* of one line, */
#define MAX_BYTES  524288 /* and bytes of them all */
#define MAX_MADE   64

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
			part_add_file(part, path);
	}
}

static void look_at_program(const Place *place, Part *part)
{
	if (table_is_shell(part->name)) {
		find_shell(place, part);
		find_options(place, part);
		return;
	}
	if (!strcmp(part->name, "git"))
		find_git(place, part);
	else if (!strcmp(part->name, "find") || !strcmp(part->name, "gfind") ||
		 !strcmp(part->name, "fd") || !strcmp(part->name, "fdfind"))
		find_exec(place, part);
	else
		part->read_only = effects_reads_only(part);
	look_at_printed(place, part);
	if (!strcmp(part->name, "uv") && part->n > 1 &&
	    !strcmp(part->words[1]->text, "pip"))
		find_module(place, part, 1);
	if (find_builtin(place, part))
		return;
	find_interpreter(place, part);
	find_wrapped(place, part);
	find_options(place, part);
}

static void find_in_words(const Place *place, const SpkShellWord *const *words, guint n)
{
	Part *part = part_add(place, words, n);

	if (place->depth > 12)
		part_set_dynamic(part, "it is wrapped too often to be looked into");
	else if (n && is_computed(words[0]) && !is_comparison(part)) {
		part->computed = TRUE;
		part_set_dynamic(part,
				 "the name of the command is only known when it runs");
	} else if (n) {
		look_at_program(place, part);
		if (strchr(words[0]->text, '/'))
			(void)find_in_written(place, part, LANG_SHELL, words[0]);
	} else
		part->read_only = TRUE;
	for (guint i = 0; i < n; i++)
		for (guint k = 0; k < words[i]->n_open; k++)
			if (strstr(words[i]->open[k].print, "@P}"))
				part_set_dynamic(
					part, "the value of a variable is run as code");
	find_assignments(place, part);
	find_subscripts(place, part);
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
				part_add_file(part, path);
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
	place.way = place_way(from, command->way);
	place.at = from->depth ? from->at : command->at;
	place.outer = TRUE;
	place.open_end = FALSE;
	if (command->pseudo) {
		Part *part = part_add(&place, NULL, 0);

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
		g_autofree char *text = command->n_redirs ? input_printed(words, command)
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

static void note_made(const Place *place, const SpkShellWord *word)
{
	g_autofree char *path = words_path(word);

	if (*path && *path != '-' && place->finder->made->len < MAX_MADE)
		g_ptr_array_add(place->finder->made, g_utf8_make_valid(path, -1));
}

/* Targets of redirections, and the last word of what copies, moves, links or edits. */
static void note_all_made(const Place *place)
{
	static const char *const makers[] = { "cp",  "mv", "ln",    "install", "tee",
					      "sed", "dd", "rsync", "patch",   NULL };

	for (guint i = 0; i < place->shell->commands->len; i++) {
		const SpkShellCommand *command = place->shell->commands->pdata[i];

		for (guint k = 0; k < command->n_redirs; k++)
			if (command->redirs[k]->output &&
			    command->redirs[k]->kind != SPK_REDIR_COPY)
				note_made(place, command->redirs[k]->target);
		if (command->n_words > 1 &&
		    g_strv_contains(makers, command->words[0]->text))
			note_made(place, command->words[command->n_words - 1]);
	}
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
	note_all_made(&place);
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

static void find_in_text(const Place *from, const char *text, const char *way)
{
	Finder *finder = from->finder;
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
		place.way = place_way(&place, way);
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
	finder->made = g_ptr_array_new_with_free_func(g_free);
	finder->shells = g_ptr_array_new_with_free_func((GDestroyNotify)spk_shell_free);
}

void finder_clear(Finder *finder)
{
	g_clear_pointer(&finder->parts, g_ptr_array_unref);
	g_clear_pointer(&finder->urls, g_ptr_array_unref);
	g_clear_pointer(&finder->made, g_ptr_array_unref);
	g_clear_pointer(&finder->shells, g_ptr_array_unref);
	g_clear_pointer(&finder->normal, g_free);
	g_clear_pointer(&finder->unreadable, g_free);
}

void finder_run(Finder *finder, const char *line)
{
	Place place = { .finder = finder,
			.way = "",
			.tail = "",
			.in_text = find_in_text,
			.in_words = find_in_words };

	find_in_text(&place, line, "");
}
