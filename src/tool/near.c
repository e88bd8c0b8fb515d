/*
 * Why a text to replace isn't in a file: a model mostly has the words right and the white space
 * wrong, so places that are equal but for white space come first, with what differs there.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/text.h"

#define PLACES_MAX   3
#define LINES_MAX    200000 /* of a file that are looked at */
#define WANTED_MAX   50	    /* lines of the wanted text, likewise: bounds the work */
#define LIKENESS_MIN 0.5
#define SHOWN_BYTES  160

typedef struct {
	const char *text;
	gsize len; /* without line end */
} Line;

static GArray *split_lines(const char *text, guint max)
{
	GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));

	while (*text && lines->len < max) {
		gsize len = strcspn(text, "\n");
		Line line = { text, len };

		if (len > 0 && text[len - 1] == '\r')
			line.len--;
		g_array_append_val(lines, line);
		text += len + (text[len] == '\n');
	}
	return lines;
}

static const Line *line_at(const GArray *lines, guint i)
{
	return &g_array_index(lines, Line, i);
}

static gboolean is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Equal when all white space is left out. */
static gboolean alike_but_blanks(const Line *a, const Line *b)
{
	gsize i = 0, j = 0;

	for (;;) {
		while (i < a->len && is_blank(a->text[i]))
			i++;
		while (j < b->len && is_blank(b->text[j]))
			j++;
		if (i == a->len || j == b->len)
			return i == a->len && j == b->len;
		if (a->text[i++] != b->text[j++])
			return FALSE;
	}
}

static gboolean is_empty(const Line *line)
{
	for (gsize i = 0; i < line->len; i++)
		if (!is_blank(line->text[i]))
			return FALSE;
	return TRUE;
}

/* "    12<tab>text", as file_read shows a line. */
static gboolean has_number(const Line *line)
{
	gsize blanks = 0, i;

	while (blanks < line->len && line->text[blanks] == ' ')
		blanks++;
	for (i = blanks; i < line->len && g_ascii_isdigit(line->text[i]); i++)
		;
	return i > blanks && i < line->len && line->text[i] == '\t';
}

/* The wanted lines without empty ones at both ends. */
static void trim(GArray *lines)
{
	while (lines->len > 0 && is_empty(line_at(lines, lines->len - 1)))
		g_array_set_size(lines, lines->len - 1);
	while (lines->len > 0 && is_empty(line_at(lines, 0)))
		g_array_remove_index(lines, 0);
}

static gboolean equal_at(const GArray *lines, guint at, const GArray *wanted)
{
	if (at + wanted->len > lines->len)
		return FALSE;
	for (guint i = 0; i < wanted->len; i++)
		if (!alike_but_blanks(line_at(lines, at + i), line_at(wanted, i)))
			return FALSE;
	return TRUE;
}

static gsize indent_len(const Line *line)
{
	gsize n = 0;

	while (n < line->len && is_blank(line->text[n]))
		n++;
	return n;
}

static char *describe_indent(const Line *line)
{
	guint tabs = 0, blanks = 0;

	for (gsize i = 0; i < indent_len(line); i++)
		*(line->text[i] == '\t' ? &tabs : &blanks) += 1;
	if (tabs && blanks)
		return g_strdup_printf("%u tabs and %u blanks", tabs, blanks);
	if (tabs)
		return g_strdup_printf("%u tab%s", tabs, tabs == 1 ? "" : "s");
	return g_strdup_printf("%u blank%s", blanks, blanks == 1 ? "" : "s");
}

static void append_shown(GString *out, const Line *line)
{
	g_autofree char *copy = g_strndup(line->text, line->len);
	g_autofree char *clipped = spk_text_clip(copy, SHOWN_BYTES);

	g_string_append(out, clipped);
}

/* What differs in the first line of the two that isn't the same byte for byte. */
static void append_difference(GString *out, const GArray *lines, guint at,
			      const GArray *wanted)
{
	for (guint i = 0; i < wanted->len; i++) {
		const Line *theirs = line_at(lines, at + i), *ours = line_at(wanted, i);
		gsize a = indent_len(theirs), b = indent_len(ours);
		g_autofree char *file = describe_indent(theirs);
		g_autofree char *sent = describe_indent(ours);

		if (theirs->len == ours->len &&
		    !memcmp(theirs->text, ours->text, ours->len))
			continue;
		if (a != b || memcmp(theirs->text, ours->text, a))
			g_string_append_printf(
				out,
				"line %u begins with %s in the file, with %s "
				"in old_string",
				at + i + 1, file, sent);
		else
			g_string_append_printf(
				out,
				"line %u has other white space between words "
				"or at its end",
				at + i + 1);
		g_string_append(out, "; in the file it is:\n");
		append_shown(out, theirs);
		g_string_append_c(out, '\n');
		return;
	}
	g_string_append_printf(
		out,
		"lines %u to %u are the same but for empty lines or the line "
		"end around them\n",
		at + 1, at + wanted->len);
}

static guint append_blank_places(GString *out, const GArray *lines, const GArray *wanted)
{
	guint found = 0;

	for (guint at = 0; at < lines->len && found < PLACES_MAX; at++) {
		if (!equal_at(lines, at, wanted))
			continue;
		if (found++ == 0)
			g_string_append(out, "White space differs: ");
		append_difference(out, lines, at, wanted);
	}
	return found;
}

/* Pairs of neighbouring bytes, hashed into a small table of counts. */
static guint count_pairs(const Line *line, guint8 counts[256])
{
	guint pairs = 0;
	gsize start = indent_len(line), end = MIN(line->len, start + 200);

	memset(counts, 0, 256);
	for (gsize i = start; i + 1 < end; i++) {
		guint8 slot = (guint8)line->text[i] * 31 + (guint8)line->text[i + 1];

		if (counts[slot] < 255)
			counts[slot]++;
		pairs++;
	}
	return pairs;
}

/* Sørensen–Dice coefficient of the pairs, 0 to 1. */
static double likeness(const guint8 a[256], guint a_pairs, const guint8 b[256],
		       guint b_pairs)
{
	guint both = 0;

	for (guint i = 0; i < 256; i++)
		both += MIN(a[i], b[i]);
	return a_pairs + b_pairs ? 2.0 * both / (a_pairs + b_pairs) : 0;
}

static void append_most_similar(GString *out, const GArray *lines, const Line *wanted)
{
	guint8 ours[256], theirs[256];
	guint pairs = count_pairs(wanted, ours), best_at = 0;
	double best = 0;

	for (guint at = 0; at < lines->len; at++) {
		guint n = count_pairs(line_at(lines, at), theirs);
		double score = likeness(ours, pairs, theirs, n);

		if (score > best) {
			best = score;
			best_at = at;
		}
	}
	if (best < LIKENESS_MIN) {
		g_string_append(out,
				"No line is like its first one; read the file again.\n");
		return;
	}
	g_string_append_printf(out, "The line most like its first one is line %u:\n",
			       best_at + 1);
	append_shown(out, line_at(lines, best_at));
	g_string_append_c(out, '\n');
}

char *near_explain(const char *text, const char *wanted)
{
	g_autoptr(GArray) lines = split_lines(text, LINES_MAX);
	g_autoptr(GArray) wanted_lines = split_lines(wanted, WANTED_MAX);
	GString *out = g_string_new(NULL);

	trim(wanted_lines);
	if (wanted_lines->len == 0)
		g_string_append(out, "It holds white space only; add words around it.\n");
	else if (has_number(line_at(wanted_lines, 0)))
		g_string_append(out,
				"It begins with the line numbers of file_read; leave the "
				"number and the tab after it out of each line.\n");
	else if (!append_blank_places(out, lines, wanted_lines))
		append_most_similar(out, lines, line_at(wanted_lines, 0));
	return g_string_free(out, FALSE);
}
