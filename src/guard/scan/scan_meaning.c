/* What words mean, and which meanings within a few words of each other complete a rule. */
#include <string.h>

#include "guard/scan/scan_match_priv.h"

static void rule_hit(Match *m, guint rule, guint32 start, guint32 end)
{
	ScanHit hit = { .rule = (guint16)rule,
			.severity = (guint8)scan_rules[rule].severity };

	scan_weigh_rule(m, rule, start);
	scan_add_hit(m, &hit, start, end);
}

static void ordered(Match *m, guint r, guint k, guint32 start, guint32 end)
{
	const ScanRule *rule = &scan_rules[r];
	Part *part = &m->parts[r][k];
	const Part *before = k ? part - 1 : NULL;

	if (!before)
		*part = (Part){ m->pos, m->pos, start, start };
	/* one word is not two parts, nor is a phrase and a word of it */
	else if (before->pos < m->pos && before->at < start &&
		 m->pos - before->first <= 2 * rule->window)
		*part = (Part){ before->first, m->pos, before->start, start };
	else
		return;
	if (k + 1 == SCAN_MAX_PARTS || !rule->parts[k + 1])
		rule_hit(m, r, part->start, end);
}

static void in_any_order(Match *m, guint r, guint k, guint32 start, guint32 end)
{
	const ScanRule *rule = &scan_rules[r];
	guint32 first = start;

	m->parts[r][k] = (Part){ m->pos, m->pos, start, start };
	for (guint i = 0; i < SCAN_MAX_PARTS && rule->parts[i]; i++) {
		const Part *other = &m->parts[r][i];

		if (m->pos - other->pos > 2 * rule->window)
			return;
		if (i != k && (other->pos == m->pos || other->at >= start))
			return;
		first = MIN(first, other->start);
	}
	rule_hit(m, r, first, end);
}

/* For how many words a "not" before takes a meaning away; 0: it doesn't. */
static guint reach_of_not(guint group)
{
	switch (group) {
	case SCAN_IGN:
	case SCAN_SEND:
	case SCAN_REVEAL:
	case SCAN_SHOW:
	case SCAN_OVR:
	case SCAN_HARV:
	case SCAN_RUN:
	case SCAN_DISABLE:
	case SCAN_PUSHW:
	case SCAN_FAKED:
	case SCAN_PLANT:
	case SCAN_BACKD:
	case SCAN_ESCAL:
	case SCAN_FOLLOW:
	case SCAN_STOPT:
		return 3;
	case SCAN_NOASK:
		return 9;
	default:
		return 0;
	}
}

static void note_talk(Match *m, guint group, guint32 start)
{
	ScanTalk talk = { start + (guint32)m->layer->origin, m->sentence,
			  group == SCAN_HYPS };

	if (m->layer->place == SCAN_SAME && m->layer->mode == SCAN_PLAIN)
		g_array_append_val(m->scan->talks, talk);
}

/* "id_rsa.pub", ".env.example": nothing secret. */
static gboolean is_open(const Match *m, guint32 end)
{
	static const char *const open[] = { ".pub", ".example", ".sample", ".template",
					    ".dist" };

	for (gsize i = 0; i < G_N_ELEMENTS(open); i++) {
		gsize len = strlen(open[i]);

		if (end + len <= m->layer->len &&
		    !memcmp(m->layer->text + end, open[i], len))
			return TRUE;
	}
	return FALSE;
}

/* "drop.example.net" is no talk of examples. */
static gboolean is_of_name(const Match *m, guint32 start, guint32 end)
{
	const guint8 *text = m->layer->text;

	return (start > 0 && text[start - 1] && strchr("./@", text[start - 1])) ||
	       (end + 1 < m->layer->len && text[end] == '.' &&
		g_ascii_isalnum((char)text[end + 1]));
}

/* "@claude ...", but no address of mail and no package. */
static gboolean is_called(const Match *m, guint32 start, guint32 end)
{
	const guint8 *text = m->layer->text;

	return start > 0 && text[start - 1] == '@' &&
	       (start == 1 || !g_ascii_isalnum((char)text[start - 2])) &&
	       (end >= m->layer->len || (text[end] != '/' && text[end] != '.'));
}

/* Meanings that only change how others are taken; TRUE: it was one. */
static gboolean takes_note(Match *m, guint group, guint32 start, guint32 end)
{
	switch (group) {
	case SCAN_NEG:
		m->not_pos = m->pos;
		m->not_end = end;
		return TRUE;
	case SCAN_CAN:
		m->can_pos = m->pos;
		return TRUE;
	case SCAN_CHAT:
		m->role_end = end;
		return TRUE;
	case SCAN_ADDRW:
		m->weak_pos = m->pos;
		m->weak_start = start;
		m->weak_end = end;
		return TRUE;
	case SCAN_HYPO:
	case SCAN_HYPS:
		if (!is_of_name(m, start, end))
			note_talk(m, group, start);
		return TRUE;
	default:
		return FALSE;
	}
}

void scan_meaning(Match *m, guint group, guint32 start, guint32 end)
{
	guint reach = 2 * reach_of_not(group);

	if (group == SCAN_ADDRW && is_called(m, start, end))
		group = SCAN_ADDR;
	if (takes_note(m, group, start, end)) {
		if ((group != SCAN_HYPO && group != SCAN_HYPS) ||
		    !is_of_name(m, start, end))
			scan_weigh_group(m, group, FALSE, start);
		return;
	}
	if (group == SCAN_OUGHT) {
		if (!m->weak_pos || m->pos - m->weak_pos > 10)
			return;
		start = m->weak_start;
		group = SCAN_ADDR;
	}
	if (reach && m->not_pos && m->not_end <= start && m->pos - m->not_pos <= reach) {
		scan_weigh_group(m, group, TRUE, start);
		return;
	}
	if (reach && m->can_pos && m->pos - m->can_pos <= 2 && m->pos > m->can_pos)
		return;
	if (group == SCAN_SECF && is_open(m, end))
		return;
	scan_weigh_group(m, group, FALSE, start);
	if (group == SCAN_HIDDEN)
		m->hidden_pos = m->pos;
	for (guint i = m->dict->n_uses[group]; i-- > 0;) {
		guint r = m->dict->uses[group][i].rule, k = m->dict->uses[group][i].part;

		if (scan_rules[r].flags & SCAN_ORDERED)
			ordered(m, r, k, start, end);
		else
			in_any_order(m, r, k, start, end);
	}
}

void scan_meanings(Match *m, const ScanEntry *entry, guint32 start, guint32 end)
{
	for (guint i = 0; i < entry->n; i++)
		scan_meaning(m, entry->groups[i], start, end);
}
