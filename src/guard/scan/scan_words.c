/* Letters become words, phrases, and runs of letters that no blank parts. */
#include <string.h>

#include "guard/scan/scan_match_priv.h"

#define SPLIT_LEAST 4u
#define GLUED_LEAST 14u

/* The longest term that begins at letters[i], its entry; *ret_n its letters. */
static const ScanEntry *longest(const ScanDict *dict, const gunichar *letters, gsize n,
				guint *ret_n)
{
	const ScanEntry *best = NULL;
	guint64 hash = SCAN_HASH_START;

	for (guint k = 0; k < n && k < 40; k++) {
		const ScanEntry *entry;

		hash = scan_hash(hash, letters[k]);
		if (!scan_maybe(dict->runs, hash))
			break;
		if (k < 1 || (k < 3 && letters[k] < 0x500) ||
		    (k < 2 && letters[k] < 0x2e80))
			continue;
		entry = scan_find(dict, hash ^ SCAN_GLUED);
		if (!entry)
			entry = scan_find(dict, hash ^ SCAN_STEM);
		if (!entry)
			entry = scan_find(dict, hash);
		if (entry && entry->n && !(entry->kinds & SCAN_SHIFTED)) {
			best = entry;
			*ret_n = k + 1;
		}
	}
	return best;
}

static void over_letters(Match *m, const gunichar *letters, const guint32 *places,
			 gsize n)
{
	for (gsize i = 0; i < n;) {
		guint size = 1;
		const ScanEntry *entry = longest(m->dict, letters + i, n - i, &size);

		if (entry) {
			m->pos++;
			scan_meanings(m, entry, places[i], places[i + size]);
		} else if (i % (letters[i] >= 0x2e80 ? 2 : 4) == 0) {
			m->pos++;
		}
		i += entry ? size : 1;
	}
}

void scan_flush_run(Match *m, guint32 end)
{
	guint n = m->n_run;

	m->n_run = 0;
	if (!n || (m->run_split && n < SPLIT_LEAST))
		return;
	m->places[n] = end;
	if (!m->run_split)
		scan_weigh_letters(m, m->run, m->places, n);
	m->spelled = m->run_split;
	over_letters(m, m->run, m->places, n);
	m->spelled = FALSE;
}

void scan_add_to_run(Match *m, gunichar c, guint32 place, guint32 end, gboolean split)
{
	if (m->n_run && (m->n_run == RUN_MAX || m->run_split != split))
		scan_flush_run(m, place);
	m->run_split = split;
	m->run[m->n_run] = c;
	m->places[m->n_run++] = place;
	m->places[m->n_run] = end;
}

static void phrases(Match *m)
{
	for (guint n = HASHES; n >= 2; n--) {
		guint64 hash = n == HASHES ? m->hashes[HASHES - 1] : m->hashes[n - 1];
		const ScanEntry *entry;

		if (!hash)
			continue;
		for (guint i = n - 1; i-- > 0;)
			hash = scan_combine(hash, m->hashes[i]);
		entry = scan_find(m->dict, hash);
		if (entry && entry->kinds & SCAN_PHRASE)
			scan_meanings(m, entry, m->starts[n - 1], m->end);
	}
}

static void note_shifted(Match *m)
{
	const ScanEntry *entry = scan_find(m->dict, m->hash ^ SCAN_SHIFTED);

	for (guint i = 0; entry && i < entry->n; i++)
		if (m->layer->mode == SCAN_PLAIN && entry->groups[i] < 26 &&
		    ++m->scan->n_shifted[entry->groups[i]] >= 2)
			m->scan->shifts |= 1u << entry->groups[i];
}

/* The kept letters of the word, turned one by one, as a word of its own. */
static gboolean as_if(Match *m, gunichar (*turn)(gunichar c), gboolean tell)
{
	guint64 hash = SCAN_HASH_START;
	const ScanEntry *entry = NULL;

	if (m->n >= WORD_KEPT || m->n < 2)
		return FALSE;
	for (guint i = 0; i < m->n; i++) {
		hash = scan_hash(hash, turn(m->kept[i]));
		if (!scan_maybe(m->dict->stems, hash))
			continue;
		entry = scan_find(m->dict, hash ^ SCAN_STEM);
		if (entry && tell)
			scan_meanings(m, entry, m->start, m->end);
		if (entry && !tell)
			return TRUE;
	}
	entry = scan_maybe(m->dict->ends, hash) ? scan_find(m->dict, hash) : NULL;
	if (entry && tell) {
		scan_meanings(m, entry, m->start, m->end);
		m->hashes[0] = hash;
		if (entry->kinds & SCAN_PHRASE_END)
			phrases(m);
	}
	return entry && entry->n;
}

gunichar scan_leet(gunichar c)
{
	static const char digits[] = "oizeasgtbg"; /* 0 to 9 */

	return c >= '0' && c <= '9' ? (gunichar)digits[c - '0'] : c;
}

static void push_word(Match *m)
{
	for (guint i = HASHES - 1; i > 0; i--) {
		m->hashes[i] = m->hashes[i - 1];
		m->starts[i] = m->starts[i - 1];
	}
	m->hashes[0] = m->hash;
	m->starts[0] = m->start;
}

static void known_word(Match *m)
{
	const ScanEntry *entry = scan_find(m->dict, m->hash);

	if (!entry)
		return;
	if (entry->kinds & SCAN_EXACT)
		scan_meanings(m, entry, m->start, m->end);
	if (entry->kinds & SCAN_PHRASE_END)
		phrases(m);
	if (entry->kinds & SCAN_SHIFTED)
		note_shifted(m);
}

/* Latin letters and letters that look like some. */
static gboolean is_mixed(const Match *m)
{
	gboolean latin = FALSE, other = FALSE;

	for (guint i = 0; i < m->n; i++) {
		latin |= m->kept[i] >= 'a' && m->kept[i] <= 'z';
		other |= m->kept[i] >= 0x370 && m->kept[i] < 0x600;
	}
	return latin && other;
}

void scan_end_word(Match *m)
{
	guint n = m->n;

	if (!n)
		return;
	if (n == 1)
		scan_add_to_run(m, m->kept[0], m->start, m->end, TRUE);
	else if (m->n_run)
		scan_flush_run(m, m->start);
	m->pos += 2;
	scan_weigh_word(m);
	if (m->unseen)
		scan_weigh_sign(m, SCAN_SIGN_UNSEEN, m->start);
	push_word(m);
	for (guint i = 0; i < m->n_stems; i++)
		scan_meanings(m, m->stems[i], m->start, m->end);
	if (scan_maybe(m->dict->ends, m->hash))
		known_word(m);
	if (m->foreign && is_mixed(m)) {
		m->guise_pos = m->pos;
		scan_weigh_sign(m, SCAN_SIGN_MIXED, m->start);
	}
	if (m->foreign)
		(void)as_if(m, scan_confusable, TRUE);
	if (m->digit && m->alpha && !m->scan->leet && m->layer->mode == SCAN_PLAIN)
		m->scan->leet = as_if(m, scan_leet, FALSE);
	if (n >= GLUED_LEAST && m->n_run == 0) {
		for (guint i = 0; i <= n; i++)
			m->places[i] = m->start +
				       (guint32)((guint64)i * (m->end - m->start) / n);
		m->spelled = TRUE;
		over_letters(m, m->kept, m->places, n);
		m->spelled = FALSE;
	}
	m->n = m->n_stems = 0;
	m->digit = m->alpha = m->foreign = m->unseen = FALSE;
}

void scan_stem_here(Match *m)
{
	const ScanEntry *entry = scan_find(m->dict, m->hash ^ SCAN_STEM);

	if (entry && entry->kinds & SCAN_STEM && m->n_stems < G_N_ELEMENTS(m->stems))
		m->stems[m->n_stems++] = entry;
}
