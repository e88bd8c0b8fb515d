/* A finding, placed in the text as it was given. */
#include "guard/scan/scan_match_priv.h"

#define MAX_HITS 4096u

static void to_source(const ScanLayer *layer, guint32 start, guint32 end, ScanHit *hit)
{
	switch (layer->place) {
	case SCAN_SAME:
		hit->start = (guint32)layer->origin + start;
		hit->end = (guint32)layer->origin + end;
		break;
	case SCAN_BACKWARDS:
		hit->start = (guint32)layer->origin_end - end;
		hit->end = (guint32)layer->origin_end - start;
		break;
	default:
		hit->start = (guint32)layer->origin;
		hit->end = (guint32)layer->origin_end;
	}
}

void scan_add_hit(Match *m, const ScanHit *found, guint32 start, guint32 end)
{
	ScanHit hit = *found;

	if ((m->last_hit[hit.rule] && m->pos - m->last_hit[hit.rule] < 16) ||
	    m->scan->hits->len >= MAX_HITS)
		return;
	m->last_hit[hit.rule] = m->pos;
	hit.pos = m->pos;
	hit.sum = MAX(hit.sum, m->weigh.base + m->weigh.sum);
	hit.sentence = m->sentence;
	hit.layer = m->layer->name;
	hit.hidden = m->layer->place != SCAN_SAME || m->layer->mode != SCAN_PLAIN ||
		     m->spelled || (m->guise_pos && m->pos - m->guise_pos < 40) ||
		     (m->hidden_pos && m->pos - m->hidden_pos < 120);
	to_source(m->layer, start, end, &hit);
	g_array_append_val(m->scan->hits, hit);
}
