/* Words as a shell expands them: braces, variables that the text itself sets, homes. */
#include <string.h>

#include "guard/command/command_priv.h"
#include "guard/command/shell_priv.h"

#define MAX_BRACES 64 /* words that one becomes */

typedef struct {
	const SpkShellWord *word; /* NULL: not known */
	guint count;
	gboolean sure;
} Value;

const SpkShellWord *words_literal(SpkShell *shell, const char *text)
{
	WordMaker maker = { NULL };

	maker_add_text(shell, &maker, text, strlen(text), SPK_SHELL_QUOTED);
	return maker_end(shell, &maker, 0, 0);
}

static void add_range(SpkShell *shell, WordMaker *maker, const SpkShellWord *word,
		      guint from, guint to)
{
	guint n = 0;

	for (guint i = 0; i < from; i++)
		n += word->classes[i] >= SPK_SHELL_OPEN;
	for (guint i = from; i < to; i++) {
		if (word->classes[i] < SPK_SHELL_OPEN) {
			maker_add(shell, maker, word->text[i], word->classes[i]);
			continue;
		}
		maker_open(shell, maker, word->classes[i] == SPK_SHELL_OPEN_QUOTED,
			   word->open[n].name, word->open[n].print);
		n++;
	}
}

const SpkShellWord *words_from(SpkShell *shell, const SpkShellWord *word, guint from)
{
	WordMaker maker = { NULL };

	add_range(shell, &maker, word, from, word->len);
	return maker_end(shell, &maker, word->at, word->end);
}

/* ---- braces ---- */

static gboolean is_plain(const SpkShellWord *word, guint i, char c)
{
	return i < word->len && word->text[i] == c && word->classes[i] == SPK_SHELL_PLAIN;
}

/* Where the brace closes that opens at `from`; 0: it doesn't, or it holds no list. */
static guint brace_end(const SpkShellWord *word, guint from, guint *ret_commas)
{
	guint depth = 0;

	*ret_commas = 0;
	for (guint i = from; i < word->len; i++) {
		if (is_plain(word, i, '{'))
			depth++;
		else if (is_plain(word, i, ',') && depth == 1)
			++*ret_commas;
		else if (is_plain(word, i, '}') && --depth == 0)
			return i;
	}
	return 0;
}

static void expand_braces(SpkShell *shell, const SpkShellWord *word, guint depth,
			  GPtrArray *list);

/* "{m..p}" and "{1..9}" as its words, where they are few. FALSE: it is no such thing. */
static gboolean expand_sequence(SpkShell *shell, const SpkShellWord *word, guint from,
				guint end, guint depth, GPtrArray *list)
{
	g_autofree char *inside = g_strndup(word->text + from, end - from);
	g_auto(GStrv) ends = g_strsplit(inside, "..", 3);
	gboolean letters;
	gint64 first, last;

	for (guint i = from; i < end; i++)
		if (word->classes[i] != SPK_SHELL_PLAIN)
			return FALSE;
	if (g_strv_length(ends) < 2)
		return FALSE;
	letters = strlen(ends[0]) == 1 && strlen(ends[1]) == 1 &&
		  !g_ascii_isdigit(*ends[0]) && !g_ascii_isdigit(*ends[1]);
	first = letters ? *ends[0] : g_ascii_strtoll(ends[0], NULL, 10);
	last = letters ? *ends[1] : g_ascii_strtoll(ends[1], NULL, 10);
	if (ABS(last - first) >= MAX_BRACES)
		return FALSE;
	for (gint64 i = first; first <= last ? i <= last : i >= last;
	     i += first <= last ? 1 : -1) {
		WordMaker maker = { NULL };
		char text[24];

		g_snprintf(text, sizeof text, letters ? "%c" : "%d", (int)i);
		add_range(shell, &maker, word, 0, from - 1);
		maker_add_text(shell, &maker, text, strlen(text), SPK_SHELL_QUOTED);
		add_range(shell, &maker, word, end + 1, word->len);
		expand_braces(shell, maker_end(shell, &maker, word->at, word->end),
			      depth + 1, list);
	}
	return TRUE;
}

static void expand_braces(SpkShell *shell, const SpkShellWord *word, guint depth,
			  GPtrArray *list)
{
	guint from, end = 0, commas = 0, part;

	for (from = 0; from < word->len && !end; from++)
		if (is_plain(word, from, '{')) {
			end = brace_end(word, from, &commas);
			if (end && !commas && list->len < MAX_BRACES &&
			    expand_sequence(shell, word, from + 1, end, depth, list))
				return;
			end = commas ? end : 0;
		}
	if (!end || depth > 8 || list->len >= MAX_BRACES) {
		g_ptr_array_add(list, (gpointer)word);
		return;
	}
	part = from; /* past the "{" */
	for (guint i = from, level = 0; i <= end; i++) {
		if (is_plain(word, i, '{'))
			level++;
		else if (is_plain(word, i, '}') && i < end)
			level--;
		else if (level == 0 && (i == end || is_plain(word, i, ','))) {
			WordMaker maker = { NULL };

			add_range(shell, &maker, word, 0, from - 1);
			add_range(shell, &maker, word, part, i);
			add_range(shell, &maker, word, end + 1, word->len);
			expand_braces(shell,
				      maker_end(shell, &maker, word->at, word->end),
				      depth + 1, list);
			part = i + 1;
		}
	}
}

/* ---- variables ---- */

static const Value *value_of(const Words *words, const SpkShellOpen *open, gboolean sure)
{
	const Value *value = open->name ? g_hash_table_lookup(words->values, open->name)
					: NULL;

	if (!value || !value->word || value->count != 1 || (sure && !value->sure))
		return NULL;
	return value;
}

typedef struct {
	SpkShell *shell;
	const SpkShellWord *source;
	WordMaker maker;
	gboolean any; /* something stands in it, be it "" */
	GPtrArray *list;
} Split;

static void end_field(Split *split)
{
	if (split->any)
		g_ptr_array_add(split->list,
				maker_end(split->shell, &split->maker, split->source->at,
					  split->source->end));
	memset(&split->maker, 0, sizeof split->maker);
	split->any = FALSE;
}

/* The value in the place of the variable; split at blanks where it isn't quoted. */
static void put_value(Split *split, const SpkShellWord *value, gboolean quoted)
{
	split->any |= quoted;
	for (guint i = 0; i < value->len; i++) {
		char c = value->text[i];

		if (!quoted && value->classes[i] < SPK_SHELL_OPEN && strchr(" \t\n", c)) {
			end_field(split);
			continue;
		}
		split->any = TRUE;
		if (value->classes[i] < SPK_SHELL_OPEN && strchr("*?[", c) && !quoted)
			maker_add(split->shell, &split->maker, c, SPK_SHELL_PLAIN);
		else if (value->classes[i] < SPK_SHELL_OPEN)
			maker_add(split->shell, &split->maker, c, SPK_SHELL_QUOTED);
		else
			add_range(split->shell, &split->maker, value, i, i + 1);
	}
}

/* $IFS as it is by default: "rm${IFS}-rf". */
static gboolean is_ifs(const Words *words, const SpkShellOpen *open)
{
	return !words->ifs && open->name && !strcmp(open->name, "IFS");
}

static void expand_variables(const Words *words, const SpkShellWord *word, gboolean sure,
			     GPtrArray *list)
{
	Split split = { words->shell, word, { NULL }, word->len == 0, list };
	guint n = 0;

	for (guint i = 0; i < word->len; i++) {
		gboolean quoted = word->classes[i] == SPK_SHELL_OPEN_QUOTED;
		const SpkShellOpen *open;
		const Value *value;

		if (word->classes[i] < SPK_SHELL_OPEN) {
			maker_add(words->shell, &split.maker, word->text[i],
				  word->classes[i]);
			split.any = TRUE;
			continue;
		}
		open = &word->open[n++];
		value = value_of(words, open, sure);
		if (value && (quoted || !words->ifs))
			put_value(&split, value->word, quoted);
		else if (is_ifs(words, open) && !quoted)
			end_field(&split);
		else {
			add_range(words->shell, &split.maker, word, i, i + 1);
			split.any = TRUE;
		}
	}
	end_field(&split);
}

void words_expand(const Words *words, const SpkShellWord *word, gboolean sure,
		  GPtrArray *list)
{
	g_autoptr(GPtrArray) braced = NULL;

	if (!word->n_open && (words->posix || !memchr(word->text, '{', word->len))) {
		g_ptr_array_add(list, (gpointer)word);
		return;
	}
	braced = g_ptr_array_new();
	if (words->posix)
		g_ptr_array_add(braced, (gpointer)word);
	else
		expand_braces(words->shell, word, 0, braced);
	for (guint i = 0; i < braced->len; i++) {
		const SpkShellWord *one = braced->pdata[i];

		if (one->n_open)
			expand_variables(words, one, sure, list);
		else
			g_ptr_array_add(list, (gpointer)one);
	}
}

/* ---- what the text sets ---- */

static Value *note(Words *words, const char *name)
{
	Value *value = g_hash_table_lookup(words->values, name);

	if (!value) {
		value = spk_shell_alloc(words->shell, sizeof *value);
		g_hash_table_insert(words->values, (gpointer)name, value);
	}
	value->count++;
	return value;
}

/* Those that a shell has from elsewhere, or changes itself: never taken from the text. */
static gboolean is_shells_own(const char *name)
{
	static const char *const own[] = {
		"SHELL",  "BASH",   "HOME",   "PWD",	  "OLDPWD", "PATH",    "_",
		"EDITOR", "ENV",    "VISUAL", "PAGER",	  "USER",   "LOGNAME", "TERM",
		"LANG",	  "RANDOM", "UID",    "HOSTTYPE", "REPLY",  "OPTARG",  NULL
	};

	return g_strv_contains(own, name);
}

static void note_assignment(Words *words, const SpkShellWord *word, gboolean sure)
{
	g_autoptr(GPtrArray) parts = NULL;
	guint from, n = spk_shell_assigned(word, &from);
	const char *name;
	Value *value;

	if (!n)
		return;
	name = spk_shell_dup(words->shell, word->text, n);
	value = note(words, name);
	words->ifs |= !strcmp(name, "IFS");
	value->sure = sure;
	if (from != n + 1 || is_shells_own(name)) { /* += and elements of arrays */
		value->count++;
		return;
	}
	value->word = words_from(words->shell, word, from);
	if (!value->word->n_open)
		return;
	/* its own value may stand on others that are known by now */
	parts = g_ptr_array_new();
	expand_variables(words, value->word, FALSE, parts);
	if (parts->len == 1)
		value->word = parts->pdata[0];
}

static void note_command(Words *words, const SpkShellCommand *command)
{
	static const char *const sets[] = { "export", "declare",  "typeset",
					    "local",  "readonly", NULL };
	static const char *const reads[] = { "read",	  "unset", "getopts", "mapfile",
					     "readarray", "let",   "printf",  NULL };
	const char *name = command->n_words ? command->words[0]->text : NULL;
	gboolean setter = name && g_strv_contains(sets, name);

	for (guint i = 0; i < command->n_assigns; i++) {
		note_assignment(words, command->assigns[i], command->sure && !name);
		if (name) /* for that command only: what it is after that isn't known */
			note_assignment(words, command->assigns[i], FALSE);
	}
	for (guint i = 1; setter && i < command->n_words; i++) {
		note_assignment(words, command->words[i], command->sure);
		if (*command->words[1]->text == '-') /* a reference, other letters */
			note_assignment(words, command->words[i], FALSE);
	}
	if (name && g_strv_contains(reads, name))
		for (guint i = 1; i < command->n_words; i++)
			note(words, command->words[i]->text)->count++;
}

void words_init(Words *words, SpkShell *shell, gboolean posix)
{
	words->posix = posix;
	words->shell = shell;
	words->values = g_hash_table_new(g_str_hash, g_str_equal);
	words->ifs = FALSE;
	for (guint i = 0; i < shell->names->len; i++)
		note(words, shell->names->pdata[i])->count++;
	for (guint i = 0; i < shell->commands->len; i++)
		note_command(words, shell->commands->pdata[i]);
}

void words_clear(Words *words)
{
	g_clear_pointer(&words->values, g_hash_table_unref);
}

/* ---- as text ---- */

char *words_code(const SpkShellWord *word)
{
	GString *out = g_string_sized_new(word->len);
	guint n = 0;

	for (guint i = 0; i < word->len; i++) {
		if (word->classes[i] < SPK_SHELL_OPEN)
			g_string_append_c(out, word->text[i]);
		else
			g_string_append(out, word->open[n++].print);
	}
	spk_shell_unmark(out->str, FALSE);
	return g_string_free(out, FALSE);
}

/* In place: "a//b", "a/./b", "a/x/../b" become "a/b". */
static void tidy_path(char *path)
{
	gboolean absolute = *path == '/';
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	g_autofree char *joined = NULL;
	gsize len = strlen(path);
	gboolean folder = len > 1 && path[len - 1] == '/';

	for (char **part = parts; *part; part++) {
		gboolean up = !strcmp(*part, "..") && kept->len > 0 &&
			      strcmp(kept->pdata[kept->len - 1], "..") != 0;

		if (!**part || !strcmp(*part, "."))
			continue;
		if (up)
			g_ptr_array_remove_index(kept, kept->len - 1);
		else if (strcmp(*part, "..") || !absolute)
			g_ptr_array_add(kept, *part);
	}
	g_ptr_array_add(kept, NULL);
	joined = g_strjoinv("/", (char **)kept->pdata);
	g_snprintf(path, len + 1, "%s%s%s", absolute ? "/" : "", joined,
		   folder && *joined ? "/" : "");
}

static gboolean needs_tidying(const char *path)
{
	return strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../") ||
	       g_str_has_prefix(path, "./");
}

char *words_path(const SpkShellWord *word)
{
	GString *out = g_string_sized_new(word->len);
	const char *rest;

	for (guint i = 0; i < word->len; i++) {
		gboolean home = word->classes[i] >= SPK_SHELL_OPEN && i == 0 &&
				word->open[0].name && !strcmp(word->open[0].name, "HOME");

		if (home)
			g_string_append_c(out, '~');
		else if (word->classes[i] >= SPK_SHELL_OPEN)
			g_string_append_c(out, '\006');
		else
			g_string_append_c(out, word->text[i]);
	}
	/* a URL keeps its slashes */
	if (needs_tidying(out->str) && !strstr(out->str, "://"))
		tidy_path(out->str);
	rest = NULL;
	if (g_str_has_prefix(out->str, "/root/"))
		rest = out->str + 5;
	else if (g_str_has_prefix(out->str, "/home/"))
		rest = strchr(out->str + 6, '/');
	else if (*out->str == '~' && out->str[1] != '/')
		rest = strchr(out->str, '/');
	if (rest) {
		g_autofree char *home = g_strconcat("~", rest, NULL);

		g_string_assign(out, home);
	}
	return g_string_free(out, FALSE);
}

gboolean words_is_assignment(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals && equals > word && (g_ascii_isalpha(*word) || *word == '_') &&
	       !memchr(word, '/', equals - word);
}
