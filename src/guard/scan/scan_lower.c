/*
 * What only talks about an attack: documents, tests, reports. A hit counts less where the text
 * around it has words for that and it stands in quotation marks or code, or where the attack
 * is the subject of its sentence ("an attacker could ..."). Nothing that was hidden is lowered.
 */
#include <string.h>

#include "guard/scan/scan_priv.h"

#define NEAR_BEFORE 400u
#define NEAR_AFTER  200u
#define SAME_PLACE  160u
#define BEHIND	    60u
#define LOOK	    300u
#define MANY_STRONG 3u

/* The first talk at or behind `offset`. */
static guint first_talk(const Scan *scan, gsize offset)
{
	guint low = 0, high = scan->talks->len;

	while (low < high) {
		guint middle = (low + high) / 2;

		if (g_array_index(scan->talks, ScanTalk, middle).start < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static gboolean talks_within(const Scan *scan, gsize from, gsize to)
{
	guint i = first_talk(scan, from);

	return i < scan->talks->len && g_array_index(scan->talks, ScanTalk, i).start < to;
}

/* Whether a sentence ends in between. */
static gboolean ends_between(const Scan *scan, gsize from, gsize to)
{
	for (gsize i = from; i + 1 < to; i++)
		if ((strchr(".!?;", scan->text[i]) && scan->text[i] &&
		     g_ascii_isspace((char)scan->text[i + 1])) ||
		    (scan->text[i] == '\n' && scan->text[i + 1] == '\n'))
			return TRUE;
	return FALSE;
}

/* The attack is what the sentence is about. */
static gboolean is_subject(const Scan *scan, const ScanHit *hit)
{
	gsize from = hit->start > SAME_PLACE ? hit->start - SAME_PLACE : 0;

	for (guint i = first_talk(scan, from); i < scan->talks->len; i++) {
		const ScanTalk *talk = &g_array_index(scan->talks, ScanTalk, i);

		if (talk->start >= hit->end + BEHIND)
			return FALSE;
		if (talk->strong && !ends_between(scan, MIN(talk->start, hit->start),
						  MAX(talk->start, hit->start)))
			return TRUE;
	}
	return FALSE;
}

/* ---- quotation ---- */
/* Code and quotations of Markdown: "> ", four blanks, a tab. */
static gboolean is_set_off(const Scan *scan, gsize start)
{
	const char *text = (const char *)scan->text;
	gsize line = start, limit = start > LOOK ? start - LOOK : 0;

	while (line > limit && text[line - 1] != '\n')
		line--;
	if (line && text[line - 1] != '\n')
		return FALSE;
	return text[line] == '>' || text[line] == '\t' ||
	       (start - line >= 4 && !strncmp(text + line, "    ", 4));
}

static gboolean in_fence(const Scan *scan, gsize start)
{
	guint low = 0, high = scan->fences->len;

	while (low < high) {
		guint middle = (low + high) / 2;

		if (g_array_index(scan->fences, guint32, middle) < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low & 1 && low < scan->fences->len;
}

void scan_find_fences(Scan *scan)
{
	const char *text = (const char *)scan->text, *p = text;

	while ((p = g_strstr_len(p, (gssize)scan->len - (p - text), "```"))) {
		guint32 at = (guint32)(p - text);

		g_array_append_val(scan->fences, at);
		p += 3;
	}
}

static gboolean opens(const Scan *scan, gsize at)
{
	return at == 0 || !g_ascii_isalnum((char)scan->text[at - 1]);
}

/* Whether an odd number of such marks stands before in the same paragraph, and one behind. */
static gboolean between(const Scan *scan, const ScanHit *hit, guint8 mark)
{
	gsize from = hit->start > LOOK ? hit->start - LOOK : 0;
	gsize to = MIN(scan->len, (gsize)hit->end + LOOK);
	guint before = 0;

	for (gsize i = from; i < hit->start; i++) {
		if (scan->text[i] == mark &&
		    (mark != '\'' || opens(scan, i) || before & 1))
			before++;
		if (scan->text[i] == '\n' && scan->text[i + 1] == '\n')
			before = 0;
	}
	if (!(before & 1))
		return FALSE;
	for (gsize i = hit->end; i < to; i++) {
		if (scan->text[i] == mark)
			return TRUE;
		if (scan->text[i] == '\n' && i + 1 < to && scan->text[i + 1] == '\n')
			return FALSE;
	}
	return FALSE;
}

/* Marks that differ at both ends. */
static gboolean framed(const Scan *scan, const ScanHit *hit)
{
	static const char *const open[] = { "“", "„", "«", "「", "『", "‹", "‘" };
	static const char *const close[] = { "”", "“", "»", "」", "』", "›", "’" };
	const char *text = (const char *)scan->text;
	gsize from = hit->start > LOOK ? hit->start - LOOK : 0;
	gssize after = (gssize)MIN(scan->len - hit->end, LOOK);

	for (gsize i = 0; i < G_N_ELEMENTS(open); i++) {
		const char *last =
			g_strrstr_len(text + from, (gssize)(hit->start - from), open[i]);

		if (last &&
		    (open[i][0] == close[i][0] ||
		     !g_strstr_len(last, text + hit->start - last, close[i])) &&
		    g_strstr_len(text + hit->end, after, close[i]))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_quoted(const Scan *scan, const ScanHit *hit)
{
	return is_set_off(scan, hit->start) || between(scan, hit, '"') ||
	       between(scan, hit, '`') || between(scan, hit, '\'') || framed(scan, hit) ||
	       in_fence(scan, hit->start);
}

static guint count_strong(const Scan *scan)
{
	guint n = 0;

	for (guint i = 0; i < scan->talks->len && n < MANY_STRONG; i++)
		n += g_array_index(scan->talks, ScanTalk, i).strong;
	return n;
}

guint scan_lowered(const Scan *scan, const ScanHit *hit)
{
	gsize from = hit->start > NEAR_BEFORE ? hit->start - NEAR_BEFORE : 0;
	guint strong;

	if (hit->hidden || !scan->talks->len)
		return 0;
	if (is_subject(scan, hit))
		return SPK_N_SCAN_SEVERITIES;
	strong = count_strong(scan);
	if ((strong >= MANY_STRONG || talks_within(scan, from, hit->end + NEAR_AFTER)) &&
	    is_quoted(scan, hit))
		return SPK_N_SCAN_SEVERITIES;
	return strong >= MANY_STRONG ? 1 : 0;
}
