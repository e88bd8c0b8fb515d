/*
 * One pass over one layer: characters become words, words become meanings, and meanings within
 * a few words of each other complete rules. All that is kept is where each part of each rule
 * was met last, so the time is linear in the text whatever it says.
 */
#include <string.h>

#include "guard/scan/scan_match_priv.h"

/* An element between two letters, skipped as a browser does; its length, or 0. */
static gsize tag_at(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	const guint8 *end = memchr(text + i, '>', MIN(m->layer->len - i, 80));
	guint8 before = i ? text[i - 1] : 0, after;

	if (!end || (gsize)(end + 1 - text) >= m->layer->len)
		return 0;
	after = end[1];
	if (g_ascii_isalpha((char)before) &&
	    (g_ascii_isalpha((char)after) || after == '<'))
		m->scan->tagged = TRUE;
	return m->layer->mode == SCAN_TAGLESS &&
			       (g_ascii_isalpha((char)before) || before == '>') &&
			       (g_ascii_isalpha((char)after) || after == '<')
		       ? (gsize)(end + 1 - text) - i
		       : 0;
}

/* A hyphen at the end of a line, inside a word. */
static gboolean is_hyphen(const Match *m, gsize i)
{
	const guint8 *text = m->layer->text;

	return text[i] == '-' && m->n && i + 2 < m->layer->len && text[i + 1] == '\n' &&
	       m->letter[text[i + 2]];
}

/* A mark between two letters of a script without blanks. */
static gboolean is_between(const Match *m, gsize i)
{
	guint size;

	return m->n_run && !m->run_split && i + 1 < m->layer->len &&
	       strchr("-.*_|/+", m->layer->text[i]) && m->layer->text[i] &&
	       scan_char(m->layer->text + i + 1, m->layer->len - i - 1, &size) >=
		       0x2e80 &&
	       size > 1;
}

/* One character that is no plain letter; how many bytes it has. */
static guint other(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	guint size = 1;
	gunichar raw, c;
	gsize tag = text[i] == '<' ? tag_at(m, i) : 0;

	if (tag) {
		scan_pass_tag(m, i);
		return (guint)tag;
	}
	if (is_hyphen(m, i)) {
		m->guise_pos = m->pos;
		return 2;
	}
	if (is_between(m, i))
		return 1;
	raw = scan_unescape(text + i, m->layer->len - i, &size);
	c = scan_fold(raw);
	if (c == 0) {
		m->unseen |= m->n > 0 && raw >= 0x2000;
		if (m->unseen)
			m->guise_pos = m->pos;
		return size;
	}
	if (c > 1 && raw < 0x80 && size > 1)
		m->guise_pos = m->pos;
	if (c > 1 && c < 0x80 && size > 1 && m->letter[c & 127])
		c = m->letter[c & 127]; /* an escaped one is turned, too */
	if (c > 1 && scan_runs_on(c)) {
		scan_end_word(m);
		scan_add_to_run(m, c, (guint32)i, (guint32)(i + size), FALSE);
		return size;
	}
	if (c > 1) {
		if (m->n_run && !m->run_split)
			scan_flush_run(m, (guint32)i);
		m->foreign |= c >= 0x80;
		scan_word_letter(m, c, i, i + size);
		return size;
	}
	scan_end_word(m);
	if (m->n_run && !m->run_split && raw != ' ' && raw != '\n')
		scan_flush_run(m, (guint32)i);
	if (raw >= 0x80)
		scan_quotation(m, raw);
	if (raw == 0x3002 || raw == 0xff01 || raw == 0xff1f)
		scan_next_sentence(m, 3);
	if (text[i] < 0x80)
		scan_mark(m, i);
	return size;
}

static void prepare_letters(Match *m)
{
	guint back = 26 - m->layer->shift;

	for (guint c = 0; c < 128; c++)
		m->letter[c] = g_ascii_isalnum((char)c) ? (guint8)g_ascii_tolower((char)c)
							: 0;
	for (guint c = 'a'; m->layer->mode == SCAN_TURNED && c <= 'z'; c++)
		m->letter[c] = m->letter[c - 32] = (guint8)('a' + (c - 'a' + back) % 26);
	if (m->layer->mode != SCAN_LEET_I && m->layer->mode != SCAN_LEET_L)
		return;
	for (guint c = '0'; c <= '9'; c++)
		m->letter[c] = (guint8)scan_leet(c);
	m->letter['@'] = 'a';
	m->letter['$'] = 's';
	m->letter['|'] = m->letter['!'] = m->letter['1'] =
		m->layer->mode == SCAN_LEET_I ? 'i' : 'l';
	m->letter['+'] = 't';
}

ScanMatch *scan_match_new(Scan *scan)
{
	ScanMatch *m = g_new0(ScanMatch, 1);

	g_assert(scan_rule_count() <= MAX_RULES);
	m->scan = scan;
	m->dict = scan_dict();
	return m;
}

void scan_layer(ScanMatch *m, const ScanLayer *layer)
{
	gsize i = 0;

	m->layer = layer;
	m->pos += 1000;
	m->role_end = m->guise_pos = m->not_pos = m->hidden_pos = m->can_pos =
		m->weak_pos = 0;
	memset(m->hashes, 0, sizeof(m->hashes));
	m->scan->work += layer->len;
	prepare_letters(m);
	m->quoted = m->coded = m->fenced = m->keyed = FALSE;
	m->attribute = 0;
	scan_weigh_begin(m);
	if (layer->place == SCAN_WHOLE)
		scan_meaning(m, SCAN_LAYERED, 0, 0);
	while (i < layer->len) {
		guint8 byte = layer->text[i], c = m->letter[byte];

		if (c) {
			if (m->n_run && !m->run_split)
				scan_flush_run(m, (guint32)i);
			scan_word_letter(m, c, i, i + 1);
			i++;
		} else if (byte == ' ') {
			scan_end_word(m);
			i++;
		} else {
			i += other(m, i);
		}
	}
	scan_end_word(m);
	scan_flush_run(m, (guint32)layer->len);
	scan_weigh_end(m);
}
