/*
 * One pass over one layer: characters become words, words become meanings, and meanings within
 * a few words of each other complete rules. All that is kept is where each part of each rule
 * was met last, so the time is linear in the text whatever it says.
 */
#include <string.h>

#include "guard/scan/scan_priv.h"

#define MAX_RULES   160
#define MAX_HITS    4096u
#define WORD_KEPT   200u
#define SPLIT_LEAST 4u
#define GLUED_LEAST 14u
#define RUN_MAX	    1024u
#define HASHES	    5u

typedef struct {
	guint32 first, pos; /* half words */
	guint32 start, at;  /* of all of it, and of the last part */
} Part;

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
};
typedef struct ScanMatch Match;

/* ---- rules ---- */

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

static void add_hit(Match *m, guint rule, guint32 start, guint32 end)
{
	ScanHit hit = { .rule = (guint16)rule,
			.sentence = m->sentence,
			.layer = m->layer->name,
			.hidden = m->layer->place == SCAN_WHOLE ||
				  m->layer->mode != SCAN_PLAIN ||
				  (m->hidden_pos && m->pos - m->hidden_pos < 120) };

	if ((m->last_hit[rule] && m->pos - m->last_hit[rule] < 16) ||
	    m->scan->hits->len >= MAX_HITS)
		return;
	m->last_hit[rule] = m->pos;
	to_source(m->layer, start, end, &hit);
	g_array_append_val(m->scan->hits, hit);
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
		add_hit(m, r, part->start, end);
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
	add_hit(m, r, first, end);
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

static void meaning(Match *m, guint group, guint32 start, guint32 end)
{
	guint reach = 2 * reach_of_not(group);

	if (group == SCAN_ADDRW && is_called(m, start, end))
		group = SCAN_ADDR;
	if (takes_note(m, group, start, end))
		return;
	if (group == SCAN_OUGHT) {
		if (!m->weak_pos || m->pos - m->weak_pos > 10)
			return;
		start = m->weak_start;
		group = SCAN_ADDR;
	}
	if (reach && m->not_pos && m->not_end <= start && m->pos - m->not_pos <= reach)
		return;
	if (reach && m->can_pos && m->pos - m->can_pos <= 2 && m->pos > m->can_pos)
		return;
	if (group == SCAN_SECF && is_open(m, end))
		return;
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

static void all_meanings(Match *m, const ScanEntry *entry, guint32 start, guint32 end)
{
	for (guint i = 0; i < entry->n; i++)
		meaning(m, entry->groups[i], start, end);
}

/* ---- words ---- */

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
			all_meanings(m, entry, places[i], places[i + size]);
		} else if (i % (letters[i] >= 0x2e80 ? 2 : 4) == 0) {
			m->pos++;
		}
		i += entry ? size : 1;
	}
}

static void flush_run(Match *m, guint32 end)
{
	guint n = m->n_run;

	m->n_run = 0;
	if (!n || (m->run_split && n < SPLIT_LEAST))
		return;
	m->places[n] = end;
	over_letters(m, m->run, m->places, n);
}

static void add_to_run(Match *m, gunichar c, guint32 place, guint32 end, gboolean split)
{
	if (m->n_run && (m->n_run == RUN_MAX || m->run_split != split))
		flush_run(m, place);
	m->run_split = split;
	m->run[m->n_run] = c;
	m->places[m->n_run++] = place;
	m->places[m->n_run] = end;
}

static guint64 combine(guint64 hash, guint64 word)
{
	return scan_hash(hash ^ 0x5bd1e995, (gunichar)(word >> 32)) ^ word;
}

static void phrases(Match *m)
{
	for (guint n = HASHES; n >= 2; n--) {
		guint64 hash = n == HASHES ? m->hashes[HASHES - 1] : m->hashes[n - 1];
		const ScanEntry *entry;

		if (!hash)
			continue;
		for (guint i = n - 1; i-- > 0;)
			hash = combine(hash, m->hashes[i]);
		entry = scan_find(m->dict, hash);
		if (entry && entry->kinds & SCAN_PHRASE)
			all_meanings(m, entry, m->starts[n - 1], m->end);
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
			all_meanings(m, entry, m->start, m->end);
		if (entry && !tell)
			return TRUE;
	}
	entry = scan_maybe(m->dict->ends, hash) ? scan_find(m->dict, hash) : NULL;
	if (entry && tell) {
		all_meanings(m, entry, m->start, m->end);
		m->hashes[0] = hash;
		if (entry->kinds & SCAN_PHRASE_END)
			phrases(m);
	}
	return entry && entry->n;
}

static gunichar leet(gunichar c)
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
		all_meanings(m, entry, m->start, m->end);
	if (entry->kinds & SCAN_PHRASE_END)
		phrases(m);
	if (entry->kinds & SCAN_SHIFTED)
		note_shifted(m);
}

static void end_word(Match *m)
{
	guint n = m->n;

	if (!n)
		return;
	if (n == 1)
		add_to_run(m, m->kept[0], m->start, m->end, TRUE);
	else if (m->n_run)
		flush_run(m, m->start);
	m->pos += 2;
	push_word(m);
	for (guint i = 0; i < m->n_stems; i++)
		all_meanings(m, m->stems[i], m->start, m->end);
	if (scan_maybe(m->dict->ends, m->hash))
		known_word(m);
	if (m->foreign)
		(void)as_if(m, scan_confusable, TRUE);
	if (m->digit && m->alpha && !m->scan->leet && m->layer->mode == SCAN_PLAIN)
		m->scan->leet = as_if(m, leet, FALSE);
	if (n >= GLUED_LEAST && m->n_run == 0) {
		for (guint i = 0; i <= n; i++)
			m->places[i] = m->start +
				       (guint32)((guint64)i * (m->end - m->start) / n);
		over_letters(m, m->kept, m->places, n);
	}
	m->n = m->n_stems = 0;
	m->digit = m->alpha = m->foreign = FALSE;
}

static inline void stem_here(Match *m)
{
	const ScanEntry *entry = scan_find(m->dict, m->hash ^ SCAN_STEM);

	if (entry && entry->kinds & SCAN_STEM && m->n_stems < G_N_ELEMENTS(m->stems))
		m->stems[m->n_stems++] = entry;
}

static inline void word_letter(Match *m, gunichar c, gsize start, gsize end)
{
	if (!m->n) {
		m->hash = SCAN_HASH_START;
		m->start = (guint32)start;
	}
	m->hash = scan_hash(m->hash, c);
	if (scan_maybe(m->dict->stems, m->hash))
		stem_here(m);
	if (m->n < WORD_KEPT)
		m->kept[m->n++] = c;
	m->end = (guint32)end;
	if (c - '0' < 10)
		m->digit = TRUE;
	else
		m->alpha = TRUE;
}

/* ---- what is no word ---- */

static gboolean literal_fits(const guint8 *text, gsize len, const char *literal,
			     guint *ret_size)
{
	gsize i = 0;

	for (const char *p = literal; *p; p++) {
		if (*p == ' ') {
			for (guint blanks = 0; i < len && blanks < 16 &&
					       strchr(" \t\r\n", text[i]) && text[i];
			     blanks++)
				i++;
			continue;
		}
		if (*p == '\1' && i + 1 < len && text[i] == '.')
			return !g_ascii_isalnum((char)text[i + 1]);
		if (*p == '\1')
			return i >= len || !g_ascii_isalnum((char)text[i]);
		if (*p == '\2')
			return i >= len ||
			       (text[i] && strchr(" \t\r\n\"'`;&|)<", text[i]));
		if (i >= len || g_ascii_tolower((char)text[i]) != *p)
			return FALSE;
		*ret_size = (guint)++i;
	}
	return TRUE;
}

static void literals(Match *m, gsize i)
{
	const guint8 *text = m->layer->text + i;
	const guint8 *rows = m->dict->literals[text[0] & 127];

	for (guint k = 0; rows[k]; k++) {
		const ScanLiteral *one = &scan_literals[rows[k] - 1];
		guint size = 1;

		if (literal_fits(text, m->layer->len - i, one->text, &size))
			meaning(m, one->group, (guint32)i, (guint32)(i + size));
	}
}

/* "![…](http…?x=…)" with a place for something in it. */
static void image(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	gsize end = MIN(m->layer->len, i + 400), k = i + 2;
	gboolean query = FALSE, data = FALSE;

	while (k < end && text[k] != ']' && text[k] != '[' && text[k] != '\n')
		k++;
	if (k + 6 >= end || memcmp(text + k, "](http", 6) != 0)
		return;
	for (k += 6; k < end && text[k] != ')' && text[k] != '\n'; k++) {
		query |= text[k] == '?';
		data |= query && text[k] && strchr("{<$[%", text[k]);
	}
	if (data)
		meaning(m, SCAN_IMGX, (guint32)i, (guint32)k);
}

static gboolean is_mail(const Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	gsize end = MIN(m->layer->len, i + 64), k = i + 1;

	if (!i || !g_ascii_isalnum((char)text[i - 1]))
		return FALSE;
	while (k < end && (g_ascii_isalnum((char)text[k]) || text[k] == '-'))
		k++;
	return k > i + 1 && k + 1 < end && text[k] == '.' &&
	       g_ascii_isalpha((char)text[k + 1]);
}

/* Whether a line begins at `start`, but for marks of a list, a quotation or a heading. */
static gboolean begins_line(const Match *m, gsize start)
{
	const guint8 *text = m->layer->text;

	for (guint back = 0; start > 0 && back < 8; back++, start--)
		if (text[start - 1] == '\n')
			return TRUE;
		else if (!strchr(" \t#*>[-<|", text[start - 1]) || !text[start - 1])
			return FALSE;
	return start == 0;
}

static void colon(Match *m, gsize i)
{
	/* "SYSTEM:", "**Assistant**:", "[system]:" */
	if (m->role_end && i >= m->role_end && i - m->role_end <= 3 &&
	    begins_line(m, m->starts[0]))
		meaning(m, SCAN_DELIM, m->starts[0], (guint32)i + 1);
}

static void next_sentence(Match *m, guint halves)
{
	m->pos += halves;
	m->sentence++;
}

/* "Claude, ...", "LLM: ...", "@bot ..." */
static void spoken_to(Match *m, gsize i)
{
	if (m->weak_pos && m->weak_end <= i && i - m->weak_end <= 2 &&
	    m->pos - m->weak_pos <= 2)
		meaning(m, SCAN_ADDR, m->weak_start, (guint32)i);
}

/* alt="...", title='...' */
static void attribute(Match *m, gsize i)
{
	static const char *const names[] = { "alt",	    "title",
					     "aria-label",  "aria-description",
					     "placeholder", "content" };
	const guint8 *text = m->layer->text;

	for (gsize k = 0; k < G_N_ELEMENTS(names); k++) {
		gsize len = strlen(names[k]);

		if (i > len && !memcmp(text + i - len, names[k], len) &&
		    g_ascii_isspace((char)text[i - len - 1]))
			meaning(m, SCAN_HIDDEN, (guint32)(i - len), (guint32)i);
	}
}

/* What stands behind the end of a comment is seen. */
static void end_hidden(Match *m)
{
	m->hidden_pos = 0;
	for (guint i = 0; i < m->dict->n_uses[SCAN_HIDDEN]; i++)
		memset(m->parts[m->dict->uses[SCAN_HIDDEN][i].rule], 0,
		       sizeof(m->parts[0]));
}

static void punctuation(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	guint8 c = text[i], next = i + 1 < m->layer->len ? text[i + 1] : '\n';

	switch (c) {
	case ' ':
		return;
	case ',':
		spoken_to(m, i);
		return;
	case '=':
		if (next == '"' || next == '\'')
			attribute(m, i);
		break;
	case '\n':
		if (next == '\n')
			next_sentence(m, 6);
		return;
	case '.':
	case '!':
	case '?':
		if (g_ascii_isspace((char)next))
			next_sentence(m, 3);
		break;
	case ':':
		spoken_to(m, i);
		colon(m, i);
		break;
	case ')': /* "TODO(ai): ..." */
		spoken_to(m, i);
		break;
	case '`': /* in Markdown it begins code */
		if (!i || (!g_ascii_isalnum((char)text[i - 1]) && text[i - 1] != '/'))
			return;
		break;
	case '@':
		if (is_mail(m, i))
			meaning(m, SCAN_URLD, (guint32)i, (guint32)i + 1);
		break;
	default:
		break;
	}
	if (c == '!' && next == '[')
		image(m, i);
	if (c == '-' && next == '-' && i + 2 < m->layer->len && text[i + 2] == '>')
		end_hidden(m);
	literals(m, i);
}

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

/* One character that is no plain letter; how many bytes it has. */
static guint other(Match *m, gsize i)
{
	const guint8 *text = m->layer->text;
	guint size = 1;
	gunichar raw, c;
	gsize tag = text[i] == '<' ? tag_at(m, i) : 0;

	if (tag)
		return (guint)tag;
	raw = scan_unescape(text + i, m->layer->len - i, &size);
	c = scan_fold(raw);
	if (c == 0)
		return size;
	if (c > 1 && c < 0x80 && size > 1 && m->letter[c & 127])
		c = m->letter[c & 127]; /* an escaped one is turned, too */
	if (c > 1 && scan_runs_on(c)) {
		end_word(m);
		add_to_run(m, c, (guint32)i, (guint32)(i + size), FALSE);
		return size;
	}
	if (c > 1) {
		if (m->n_run && !m->run_split)
			flush_run(m, (guint32)i);
		m->foreign |= c >= 0x80;
		word_letter(m, c, i, i + size);
		return size;
	}
	end_word(m);
	if (m->n_run && !m->run_split && raw != ' ' && raw != '\n')
		flush_run(m, (guint32)i);
	if (raw == 0x3002 || raw == 0xff01 || raw == 0xff1f)
		next_sentence(m, 3);
	if (text[i] < 0x80)
		punctuation(m, i);
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
		m->letter[c] = (guint8)leet(c);
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
	m->role_end = m->not_pos = m->hidden_pos = m->can_pos = m->weak_pos = 0;
	memset(m->hashes, 0, sizeof(m->hashes));
	m->scan->work += layer->len;
	prepare_letters(m);
	if (layer->place == SCAN_WHOLE)
		meaning(m, SCAN_LAYERED, 0, 0);
	while (i < layer->len) {
		guint8 byte = layer->text[i], c = m->letter[byte];

		if (c) {
			if (m->n_run && !m->run_split)
				flush_run(m, (guint32)i);
			word_letter(m, c, i, i + 1);
			i++;
		} else if (byte == ' ') {
			end_word(m);
			i++;
		} else {
			i += other(m, i);
		}
	}
	end_word(m);
	flush_run(m, (guint32)layer->len);
}
