/* Programs whose words are another command: sudo, xargs, find -exec. */
#include <string.h>

#include "guard/command/find_priv.h"

/* Past the options, and where they may stand assignments. */
static guint past_options(const Wrapper *row, const Part *part, guint i)
{
	for (; i < part->n; i++) {
		const char *word = part->words[i]->text;
		const char *letter;

		if (!strcmp(word, "--"))
			return i + 1;
		if (row->flags & WRAP_ASSIGNS && words_is_assignment(word))
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

		place->in_text(place, code, way);
	}
}

void find_joined(const Place *place, Part *part, guint from, const char *way)
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
		place->in_text(place, code->str, way);
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
	if (!table_is_shell(name) && !table_interpreter(name) &&
	    strcmp(name, "eval") != 0 && strcmp(name, "env") != 0)
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
		find_joined(place, part, from, part->name);
		return;
	}
	if (from >= part->n) {
		if ((place->open_end && !(row->flags & WRAP_STDIN)) ||
		    (row->flags & WRAP_STDIN && row->flags & WRAP_JOINED))
			part_set_dynamic(part, "what it runs is only known when it runs");
		return;
	}
	if (row->flags & WRAP_JOINED) {
		find_joined(place, part, from, part->name);
		return;
	}
	inner.way = place_way(place, part->name);
	if (runs_replaced(part, from))
		part_set_dynamic(part, "what it runs is only known when it runs");
	inner.in_words(&inner, part->words + from, part->n - from);
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

void find_wrapped(const Place *place, Part *part)
{
	for (const Wrapper *row = command_wrappers; row->name; row++) {
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
		return;
	}
}

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

void find_exec(const Place *place, Part *part)
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
		inner.way = place_way(place, part->name);
		inner.outer = FALSE;
		inner.open_end = TRUE;
		inner.depth++;
		if (runs_replaced(part, i + 1))
			part_set_dynamic(part, "what it runs is only known when it runs");
		if (to > i + 1)
			inner.in_words(&inner, part->words + i + 1, to - i - 1);
		part->n_own = MIN(part->n_own, i + 1);
		i = to;
	}
	part->read_only = only;
}
