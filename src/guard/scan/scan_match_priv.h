/*
 * Inside one pass over a layer: what the matcher knows while it goes. The calls go downwards:
 * scan_match.c (characters) -> scan_marks.c (what is no word) -> scan_words.c (words, runs of
 * letters) -> scan_meaning.c (meanings, rules) -> scan_weigh.c (what adds up) -> scan_hit.c.
 */
#ifndef SPK_GUARD_SCAN_MATCH_PRIV_H
#define SPK_GUARD_SCAN_MATCH_PRIV_H

#include "guard/scan/scan_priv.h"

#define MAX_RULES 160
#define WORD_KEPT 200u
#define RUN_MAX	  1024u
#define HASHES	  5u

typedef struct {
	guint32 first, pos; /* half words */
	guint32 start, at;  /* of all of it, and of the last part */
} Part;

#define SCAN_RING 4096u
typedef struct {
	guint32 pos, start, end;
	guint16 id;
} ScanWeighed;

/* What the stretch at hand weighs. */
typedef struct {
	ScanWeighed ring[SCAN_RING];
	guint32 first, next; /* of the ring, counted on */
	guint16 count[SCAN_MAX_WEIGHTS];
	gint sum, base;
	gint peak; /* the most since the last finding; 0: below all thresholds */
	guint32 peak_first, peak_next, peak_pos;
	guint open_hit; /* the first of those that later words still agree with */
	guint64 before; /* the word before */
	guint32 before_start, sentence;
	guint32 last_group[SCAN_N_GROUPS];
	guint64 recent[2]; /* bits of groups that may still make a pair */
} ScanWeigh;

/* One for all layers of a scan: `pos` takes a leap between two of them, and what was met before
 * is out of every window. */
struct ScanMatch {
	Scan *scan;
	const ScanLayer *layer;
	const ScanDict *dict;
	guint8 letter[256]; /* of an ASCII byte: what it is in a word; 0: not in one */
	guint32 pos, sentence;
	guint32 not_pos, not_end, hidden_pos;
	guint32 can_pos;
	guint32 guise_pos; /* of a word with escapes, unseen characters or look-alikes in it */
	guint32 role_end;			/* of a word that may be a role */
	guint32 weak_pos, weak_start, weak_end; /* the model, perhaps spoken to */
	Part parts[MAX_RULES][SCAN_MAX_PARTS];
	guint32 last_hit[MAX_RULES];
	/* the words before */
	guint64 hashes[HASHES];
	guint32 starts[HASHES];
	/* the word at hand */
	guint64 hash;
	guint32 start, end;
	gunichar kept[WORD_KEPT];
	guint n;
	gboolean digit, alpha, foreign;
	const ScanEntry *stems[4];
	guint n_stems;
	/* letters that stand alone, or a run without blanks */
	gunichar run[RUN_MAX];
	guint32 places[RUN_MAX + 1];
	guint n_run;
	gboolean run_split;
	gboolean spelled;		/* what is met now stands in letters apart */
	gboolean quoted, coded, fenced; /* between quotation marks, in code */
	gboolean keyed;			/* "name": the marks are those of JSON */
	gboolean unseen;		/* a skipped character in the word at hand */
	guint8 attribute; /* the mark that ends the value of alt="..." at hand; 0: none */
	guint32 attribute_at;
	ScanWeigh weigh;
};
typedef struct ScanMatch Match;

/* ---- scan_hit.c ---- */
void scan_add_hit(Match *m, const ScanHit *found, guint32 start, guint32 end);

/* ---- scan_weigh.c ---- */
void scan_weigh_begin(Match *m); /* a layer */
void scan_weigh_end(Match *m);
void scan_weigh_group(Match *m, guint group, gboolean negated, guint32 start);
void scan_weigh_rule(Match *m, guint rule, guint32 start);
void scan_weigh_sign(Match *m, ScanSign sign, guint32 start);
void scan_weigh_word(Match *m); /* the one that has ended, before it is pushed */
void scan_weigh_letters(Match *m, const gunichar *letters, const guint32 *places,
			gsize n);

/* ---- scan_meaning.c ---- */
void scan_meaning(Match *m, guint group, guint32 start, guint32 end);
void scan_meanings(Match *m, const ScanEntry *entry, guint32 start, guint32 end);

/* ---- scan_words.c ---- */
gunichar scan_leet(gunichar c);
void scan_add_to_run(Match *m, gunichar c, guint32 place, guint32 end, gboolean split);
void scan_flush_run(Match *m, guint32 end);
void scan_end_word(Match *m);
void scan_stem_here(Match *m);

/* ---- scan_marks.c ---- */
void scan_mark(Match *m, gsize i);
/* An element that begins at i, also one that is skipped. */
void scan_pass_tag(Match *m, gsize i);
void scan_next_sentence(Match *m, guint halves);
void scan_quotation(Match *m, gunichar c);

static inline void scan_word_letter(Match *m, gunichar c, gsize start, gsize end)
{
	if (!m->n) {
		m->hash = SCAN_HASH_START;
		m->start = (guint32)start;
	}
	m->hash = scan_hash(m->hash, c);
	if (scan_maybe(m->dict->stems, m->hash))
		scan_stem_here(m);
	if (m->n < WORD_KEPT)
		m->kept[m->n++] = c;
	m->end = (guint32)end;
	if (c - '0' < 10)
		m->digit = TRUE;
	else
		m->alpha = TRUE;
}

#endif
