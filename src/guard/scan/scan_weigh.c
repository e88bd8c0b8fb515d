/*
 * What no rule says adds up: each word, pair of words, meaning and pair of meanings of a stretch
 * of WINDOW words has a weight (scan_weights.def), once however often it stands there. Where the
 * sum passes a threshold the stretch is a finding. A ring keeps what the stretch holds, so a word
 * costs the same wherever it stands.
 */
#include <string.h>

#include "guard/scan/scan_match_priv.h"

#define PAIR_REACH 32u /* half words */
#define LIVE_MAX   2048u
#define PREFIX	   5u
#define LONG_WORD  7u

static const struct {
	gint sum;
	SpkScanSeverity severity;
} steps[] = {
	{ SCAN_SUM_CRITICAL, SPK_SCAN_CRITICAL },
	{ SCAN_SUM_HIGH, SPK_SCAN_HIGH },
	{ SCAN_SUM_MEDIUM, SPK_SCAN_MEDIUM },
};

/* ---- the stretch ---- */
static void drop_oldest(ScanWeigh *w)
{
	const ScanWeighed *one = &w->ring[w->first++ & (SCAN_RING - 1)];

	if (--w->count[one->id] == 0)
		w->sum -= scan_weights[one->id].weight;
}

static void expire(Match *m)
{
	ScanWeigh *w = &m->weigh;

	while (w->first != w->next &&
	       (m->pos - w->ring[w->first & (SCAN_RING - 1)].pos > 2 * SCAN_WINDOW ||
		w->next - w->first > LIVE_MAX))
		drop_oldest(w);
}

static void add(Match *m, guint id, guint32 start)
{
	ScanWeigh *w = &m->weigh;

	w->ring[w->next++ & (SCAN_RING - 1)] =
		(ScanWeighed){ m->pos, start, m->end, (guint16)id };
	if (w->count[id]++ == 0)
		w->sum += scan_weights[id].weight;
	if (w->next - w->first > LIVE_MAX)
		drop_oldest(w);
}

/* By its hash: words and letters. */
static void feature(Match *m, ScanFeature kind, guint64 hash, guint32 start)
{
	guint64 key = scan_weigh_key(kind, hash);
	gint id;

	if (m->scan->note)
		m->scan->note(m, kind, hash, start);
	if (!scan_maybe_weighs(m->dict, key))
		return;
	id = scan_find_weight(m->dict, key);
	if (id >= 0)
		add(m, (guint)id, start);
}

/* By its row, counted from 1; 0: it weighs nothing. */
static void numbered(Match *m, ScanFeature kind, guint number, guint row, guint32 start)
{
	if (m->scan->note)
		m->scan->note(m, kind, number, start);
	if (row)
		add(m, row - 1, start);
}

/* ---- findings ---- */
/* The class is that of the meaning that weighs most. */
static guint rule_for(const guint16 *ids, guint n)
{
	for (guint i = 0; i < n; i++) {
		guint rule = scan_dict()->weight_rules[ids[i]];

		if (rule != SCAN_ORDER_OTHER)
			return rule;
	}
	return SCAN_ORDER_OTHER;
}

static gboolean is_among(const guint16 *ids, guint n, guint id)
{
	for (guint i = 0; i < n; i++)
		if (ids[i] == id)
			return TRUE;
	return FALSE;
}

/* The weightiest of the stretch as it was at its peak, and where they stand. */
static void best_of(const ScanWeigh *w, ScanHit *hit, guint32 *ret_start,
		    guint32 *ret_end)
{
	guint n = 0;

	*ret_start = G_MAXUINT32;
	*ret_end = 0;
	while (n < SCAN_REASONS) {
		const ScanWeighed *best = NULL;

		for (guint32 i = w->peak_first; i != w->peak_next; i++) {
			const ScanWeighed *one = &w->ring[i & (SCAN_RING - 1)];

			if (scan_weights[one->id].weight > 0 &&
			    !is_among(hit->reasons, n, one->id) &&
			    (!best || scan_weights[one->id].weight >
					      scan_weights[best->id].weight))
				best = one;
		}
		if (!best)
			break;
		hit->reasons[n++] = best->id;
		*ret_start = MIN(*ret_start, best->start);
		*ret_end = MAX(*ret_end, best->end);
	}
	hit->n_reasons = (guint8)n;
}

static void tell(Match *m)
{
	ScanWeigh *w = &m->weigh;
	ScanHit hit = { 0 };
	guint32 start, end;

	if (!w->peak)
		return;
	for (guint i = G_N_ELEMENTS(steps); i-- > 0;)
		if (w->peak >= steps[i].sum)
			hit.severity = steps[i].severity;
	best_of(w, &hit, &start, &end);
	hit.rule = (guint16)rule_for(hit.reasons, hit.n_reasons);
	w->peak = 0;
	if (hit.n_reasons)
		scan_add_hit(m, &hit, start, MAX(start, end));
}

/* What stands around a finding of a rule speaks for it, or doesn't. */
static void tell_hits(Match *m, gint sum)
{
	GArray *hits = m->scan->hits;
	guint *open = &m->weigh.open_hit;

	while (*open < hits->len &&
	       m->pos - g_array_index(hits, ScanHit, *open).pos > 2 * SCAN_WINDOW)
		++*open;
	for (guint i = *open; i < hits->len; i++) {
		ScanHit *hit = &g_array_index(hits, ScanHit, i);

		hit->sum = MAX(hit->sum, sum);
	}
}

static void look_at_sum(Match *m)
{
	ScanWeigh *w = &m->weigh;
	gint sum = w->base + w->sum;

	if (w->open_hit < m->scan->hits->len)
		tell_hits(m, sum);
	if (sum > m->scan->weight && m->layer->place == SCAN_SAME) {
		m->scan->weight = sum;
		m->scan->weight_end = (guint32)m->layer->origin + m->end;
	}
	if (w->peak && (sum < SCAN_SUM_MEDIUM ||
			w->next - w->peak_next >= SCAN_RING - LIVE_MAX - 64 ||
			m->pos - w->peak_pos > 2 * SCAN_WINDOW))
		tell(m);
	if (sum < SCAN_SUM_MEDIUM || sum <= w->peak)
		return;
	w->peak = sum;
	w->peak_first = w->first;
	w->peak_next = w->next;
	w->peak_pos = m->pos;
}

/* ---- what comes in ---- */
void scan_weigh_begin(Match *m)
{
	ScanWeigh *w = &m->weigh;

	w->base = 0;
	w->open_hit = m->scan->hits->len;
	w->before = 0;
	w->sentence = G_MAXUINT32;
	w->recent[0] = w->recent[1] = 0;
	expire(m);
	if (m->layer->place == SCAN_WHOLE)
		w->base += m->dict->layer_weight;
	else if (m->layer->mode != SCAN_PLAIN || m->layer->place == SCAN_BACKWARDS)
		w->base += m->dict->turned_weight;
}

void scan_weigh_end(Match *m)
{
	expire(m);
	look_at_sum(m);
	tell(m);
}

/* The groups met shortly before, each with this one. */
static void pairs(Match *m, guint group, guint32 start)
{
	ScanWeigh *w = &m->weigh;

	for (guint half = 0; half < 2; half++)
		for (guint64 rest = w->recent[half]; rest; rest &= rest - 1) {
			guint g = 64 * half + (guint)__builtin_ctzll(rest);

			if (m->pos - w->last_group[g] > PAIR_REACH)
				w->recent[half] &= ~(rest & -rest);
			else if (m->pos > w->last_group[g])
				numbered(m, SCAN_F_PAIR, g * 128 + group,
					 m->dict->pair_ids[g][group], start);
		}
	w->last_group[group] = m->pos;
	w->recent[group / 64] |= G_GUINT64_CONSTANT(1) << group % 64;
}

void scan_weigh_group(Match *m, guint group, gboolean negated, guint32 start)
{
	gboolean quoted = m->fenced || m->coded || (m->quoted && !m->keyed);
	guint how = negated ? 2 : quoted ? 1 : 0;
	static const ScanFeature kinds[] = { SCAN_F_GROUP, SCAN_F_QUOTED,
					     SCAN_F_NEGATED };

	numbered(m, kinds[how], group, m->dict->group_ids[how][group], start);
	if (!how)
		pairs(m, group, start);
}

void scan_weigh_rule(Match *m, guint rule, guint32 start)
{
	numbered(m, SCAN_F_RULE, rule, m->dict->rule_ids[rule], start);
}

void scan_weigh_sign(Match *m, ScanSign sign, guint32 start)
{
	numbered(m, SCAN_F_SIGN, sign, m->dict->sign_ids[sign], start);
}

void scan_weigh_word(Match *m)
{
	ScanWeigh *w = &m->weigh;
	guint64 hash = m->hash, prefix = SCAN_HASH_START;

	expire(m);
	feature(m, SCAN_F_WORD, hash, m->start);
	if (m->n >= LONG_WORD) {
		for (guint i = 0; i < PREFIX; i++)
			prefix = scan_hash(prefix, m->kept[i]);
		feature(m, SCAN_F_PREFIX, prefix, m->start);
	}
	if (w->sentence != m->sentence)
		feature(m, SCAN_F_FIRST, hash, m->start);
	else if (w->before)
		feature(m, SCAN_F_TWO, scan_combine(hash, w->before), w->before_start);
	w->sentence = m->sentence;
	w->before = hash;
	w->before_start = m->start;
	look_at_sum(m);
}

/* Scripts without blanks: two letters next to each other, of the others three. */
void scan_weigh_letters(Match *m, const gunichar *letters, const guint32 *places, gsize n)
{
	expire(m);
	for (gsize i = 0; i + 1 < n; i++) {
		gsize size = letters[i] >= 0x2e80 ? 2 : 3;
		guint64 hash = SCAN_HASH_START;

		if (i + size > n)
			break;
		for (gsize k = 0; k < size; k++)
			hash = scan_hash(hash, letters[i + k]);
		m->end = places[i + size];
		feature(m, SCAN_F_LETTERS, hash, places[i]);
	}
	look_at_sum(m);
}
