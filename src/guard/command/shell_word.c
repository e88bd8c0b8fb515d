/* Memory of a parsed text, its words, and how they are printed. */
#include <string.h>

#include "guard/command/shell_priv.h"

#define BLOCK_SIZE 8192

/* In words of the printed line these stand for operators that are only text there. */
static const char marked[] = "|&;<>";

typedef struct SpkShellBlock {
	struct SpkShellBlock *next;
	gsize used, size;
	char data[];
} Block;

gpointer spk_shell_alloc(SpkShell *shell, gsize size)
{
	Block *block = shell->blocks;
	gsize need = (size + 7) & ~(gsize)7;

	if (!block || block->size - block->used < need) {
		gsize room = MAX(need, BLOCK_SIZE);

		block = g_malloc(sizeof *block + room);
		block->size = room;
		block->used = 0;
		block->next = shell->blocks;
		shell->blocks = block;
	}
	block->used += need;
	return memset(block->data + block->used - need, 0, need);
}

char *spk_shell_dup(SpkShell *shell, const char *text, gsize len)
{
	char *copy = spk_shell_alloc(shell, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

gpointer shell_copy_array(SpkShell *shell, const GPtrArray *array)
{
	gpointer *copy;

	if (!array->len)
		return NULL;
	copy = spk_shell_alloc(shell, array->len * sizeof *copy);
	memcpy(copy, array->pdata, array->len * sizeof *copy);
	return copy;
}

void spk_shell_free(SpkShell *shell)
{
	Block *next;

	if (!shell)
		return;
	for (Block *block = shell->blocks; block; block = next) {
		next = block->next;
		g_free(block);
	}
	g_ptr_array_unref(shell->commands);
	g_ptr_array_unref(shell->names);
	g_free(shell->error);
	g_free(shell->normal);
	g_free(shell);
}

/* ---- making words ---- */

static void make_room(SpkShell *shell, WordMaker *maker, gsize more)
{
	gsize size = MAX(maker->size * 2, 24);
	char *text;
	guint8 *classes;

	if (maker->len + more + 1 <= maker->size)
		return;
	size = MAX(size, maker->len + more + 1);
	text = spk_shell_alloc(shell, size);
	classes = spk_shell_alloc(shell, size);
	if (maker->len) {
		memcpy(text, maker->text, maker->len);
		memcpy(classes, maker->classes, maker->len);
	}
	maker->text = text;
	maker->classes = classes;
	maker->size = size;
}

void maker_add(SpkShell *shell, WordMaker *maker, char c, SpkShellClass class)
{
	make_room(shell, maker, 1);
	maker->text[maker->len] = c;
	maker->classes[maker->len++] = class;
}

void maker_add_text(SpkShell *shell, WordMaker *maker, const char *text, gsize len,
		    SpkShellClass class)
{
	if (!len)
		return;
	make_room(shell, maker, len);
	memcpy(maker->text + maker->len, text, len);
	memset(maker->classes + maker->len, class, len);
	maker->len += len;
}

void maker_open(SpkShell *shell, WordMaker *maker, gboolean quoted, const char *name,
		const char *print)
{
	if (maker->n_open == maker->open_size) {
		guint size = MAX(maker->open_size * 2, 4);
		SpkShellOpen *open = spk_shell_alloc(shell, size * sizeof *open);

		if (maker->n_open)
			memcpy(open, maker->open, maker->n_open * sizeof *open);
		maker->open = open;
		maker->open_size = size;
	}
	maker->open[maker->n_open++] = (SpkShellOpen){ name, print };
	maker_add(shell, maker, '*', quoted ? SPK_SHELL_OPEN_QUOTED : SPK_SHELL_OPEN);
}

SpkShellWord *maker_end(SpkShell *shell, WordMaker *maker, guint at, guint end)
{
	SpkShellWord *word = spk_shell_alloc(shell, sizeof *word);

	make_room(shell, maker, 0);
	maker->text[maker->len] = '\0';
	*word = (SpkShellWord){ maker->text, maker->classes, maker->len,   at,
				end,	     maker->open,    maker->n_open };
	return word;
}

gboolean spk_shell_is_literal(const SpkShellWord *word)
{
	return word->n_open == 0;
}

guint spk_shell_assigned(const SpkShellWord *word, guint *ret_value)
{
	const char *t = word->text;
	guint n = 0, name;

	while (n < word->len && word->classes[n] == SPK_SHELL_PLAIN &&
	       (g_ascii_isalpha(t[n]) || t[n] == '_' || (n && g_ascii_isdigit(t[n]))))
		n++;
	name = n;
	if (n && t[n] == '[' && word->classes[n] == SPK_SHELL_PLAIN) {
		while (n < word->len &&
		       !(t[n] == ']' && word->classes[n] == SPK_SHELL_PLAIN))
			n++;
		n += n < word->len;
	}
	if (n < word->len && t[n] == '+' && word->classes[n] == SPK_SHELL_PLAIN)
		n++;
	if (!name || n >= word->len || t[n] != '=' || word->classes[n] != SPK_SHELL_PLAIN)
		return 0;
	*ret_value = n + 1;
	return name;
}

/* ---- printing ---- */

static gboolean is_safe(char c)
{
	return g_ascii_isalnum(c) || strchr("_@%+=:,./^-", c);
}

/* An end that is no longer a plain character, seen from `from`. */
static guint run_end(const SpkShellWord *word, guint from)
{
	guint to = from;

	while (to < word->len && word->classes[to] < SPK_SHELL_OPEN)
		to++;
	return to;
}

static gboolean needs_quotes(const SpkShellWord *word, guint from, guint to)
{
	for (guint i = from; i < to; i++) {
		char c = word->text[i];

		if (is_safe(c) ||
		    (word->classes[i] == SPK_SHELL_PLAIN && strchr("*?[]{}!~", c)))
			continue;
		if (c == '~' && i > 0)
			continue;
		return TRUE;
	}
	return FALSE;
}

static void print_char(GString *out, char c)
{
	const char *mark = strchr(marked, c);

	g_string_append_c(out, mark && c ? (char)(mark - marked + 1) : c);
}

static void print_ansi(GString *out, const char *text, gsize len)
{
	g_string_append(out, "$'");
	for (gsize i = 0; i < len; i++) {
		guchar c = text[i];
		gunichar u = c < 0x80 ? c : g_utf8_get_char_validated(text + i, len - i);

		if (c >= 0x80 && (gint32)u > 0 && g_unichar_isprint(u)) {
			g_string_append_unichar(out, u);
			i += g_utf8_skip[c] - 1;
		} else if (c == '\n')
			g_string_append(out, "\\n");
		else if (c == '\t')
			g_string_append(out, "\\t");
		else if (c < 0x20 || c >= 0x7f)
			g_string_append_printf(out, "\\x%02x", c);
		else {
			if (c == '\'' || c == '\\')
				g_string_append_c(out, '\\');
			print_char(out, c);
		}
	}
	g_string_append_c(out, '\'');
}

static gboolean is_odd(const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++) {
		guchar c = text[i];

		if (c < 0x20 || c == 0x7f)
			return TRUE;
		if (c >= 0x80) {
			gunichar u = g_utf8_get_char_validated(text + i, len - i);

			if ((gint32)u < 0 || !g_unichar_isprint(u))
				return TRUE;
			i += g_utf8_skip[c] - 1;
		}
	}
	return FALSE;
}

static void print_quoted(GString *out, const char *text, gsize len)
{
	gboolean single = memchr(text, '\'', len) != NULL;
	gboolean hard = FALSE;

	for (const char *c = "\"$`\\!"; *c; c++)
		hard |= memchr(text, *c, len) != NULL;
	if (is_odd(text, len) || (single && hard)) {
		print_ansi(out, text, len);
		return;
	}
	g_string_append_c(out, single ? '"' : '\'');
	for (gsize i = 0; i < len; i++)
		print_char(out, text[i]);
	g_string_append_c(out, single ? '"' : '\'');
}

void spk_shell_print_word(GString *out, const SpkShellWord *word)
{
	guint n = 0;

	if (!word->len)
		g_string_append(out, "''");
	for (guint i = 0; i < word->len;) {
		guint to = run_end(word, i);

		if (to > i && needs_quotes(word, i, to))
			print_quoted(out, word->text + i, to - i);
		else
			g_string_append_len(out, word->text + i, to - i);
		for (; to < word->len && word->classes[to] >= SPK_SHELL_OPEN; to++) {
			const char *print = n < word->n_open ? word->open[n++].print
							     : "$_";
			gboolean quoted = word->classes[to] == SPK_SHELL_OPEN_QUOTED &&
					  !strchr("<>(", *print);

			if (quoted)
				g_string_append_c(out, '"');
			g_string_append(out, print);
			if (quoted)
				g_string_append_c(out, '"');
		}
		i = to;
	}
}

void spk_shell_unmark(char *text, gboolean mask)
{
	for (; *text; text++)
		if (*text >= 1 && *text <= (char)(sizeof marked - 1))
			*text = mask ? '_' : marked[*text - 1];
}

char *spk_shell_quote(const char *text)
{
	GString *out = g_string_new(NULL);
	gsize len = strlen(text);
	g_autofree guint8 *classes = g_malloc(len + 1);
	SpkShellWord word = { text, classes, len, 0, len, NULL, 0 };
	char *quoted;

	memset(classes, SPK_SHELL_QUOTED, len + 1);
	spk_shell_print_word(out, &word);
	quoted = g_string_free(out, FALSE);
	spk_shell_unmark(quoted, FALSE);
	return quoted;
}
