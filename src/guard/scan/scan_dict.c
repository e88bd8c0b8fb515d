/* The words of scan_terms.c, folded as the text will be, in one table of hashes. */
#include <string.h>

#include "guard/scan/scan_priv.h"

static void set_bit(guint8 *bits, guint64 hash)
{
	bits[(hash >> 3) & 8191] |= (guint8)(1u << (hash & 7));
}

const ScanEntry *scan_find(const ScanDict *dict, guint64 hash)
{
	for (guint slot = (guint)(hash >> 20) & (SCAN_SLOTS - 1); dict->slots[slot].hash;
	     slot = (slot + 1) & (SCAN_SLOTS - 1))
		if (dict->slots[slot].hash == hash)
			return &dict->slots[slot];
	return NULL;
}

static ScanEntry *entry_of(ScanDict *dict, guint64 hash)
{
	guint slot = (guint)(hash >> 20) & (SCAN_SLOTS - 1);

	while (dict->slots[slot].hash && dict->slots[slot].hash != hash)
		slot = (slot + 1) & (SCAN_SLOTS - 1);
	dict->slots[slot].hash = hash;
	return &dict->slots[slot];
}

/* Kinds and groups belong together: a word that is a stem in one group and exact in another
 * has a hash for each. */
static void add_group(ScanDict *dict, guint64 hash, guint kinds, guint group, guint chars)
{
	ScanEntry *entry = entry_of(dict, hash);

	entry->kinds |= (guint8)kinds;
	entry->chars = (guint8)MIN(chars, 255);
	for (guint i = 0; i < entry->n; i++)
		if (entry->groups[i] == group)
			return;
	g_assert(entry->n < G_N_ELEMENTS(entry->groups));
	entry->groups[entry->n++] = (guint8)group;
}

/* The folded characters of a word. */
static guint fold_word(const char *word, gsize len, gunichar *out, guint max)
{
	guint n = 0;

	for (gsize i = 0; i < len && n < max;) {
		guint size;
		gunichar c =
			scan_fold(scan_char((const guint8 *)word + i, len - i, &size));

		i += size;
		if (c > 1)
			out[n++] = c;
	}
	return n;
}

static guint64 hash_all(const gunichar *letters, guint n, guint64 start)
{
	guint64 hash = start;

	for (guint i = 0; i < n; i++)
		hash = scan_hash(hash, letters[i]);
	return hash;
}

/* Its beginnings, for texts that are gone over letter by letter. */
static void add_run(ScanDict *dict, const gunichar *letters, guint n)
{
	guint64 hash = SCAN_HASH_START;

	for (guint i = 0; i < n; i++) {
		hash = scan_hash(hash, letters[i]);
		set_bit(dict->runs, hash);
	}
}

static void add_word(ScanDict *dict, guint group, const char *word, gsize len)
{
	gboolean stem = word[len - 1] == '*';
	gunichar letters[64];
	guint n = fold_word(word, len - stem, letters, G_N_ELEMENTS(letters));
	guint64 hash = hash_all(letters, n, SCAN_HASH_START);

	add_group(dict, stem ? hash ^ SCAN_STEM : hash, stem ? SCAN_STEM : SCAN_EXACT,
		  group, n);
	set_bit(stem ? dict->stems : dict->ends, hash);
	add_run(dict, letters, n);
}

static void add_phrase(ScanDict *dict, guint group, const char *phrase, gsize len)
{
	gunichar letters[128];
	guint n = 0, words = 0;
	guint64 hash = 0, last = 0;

	for (gsize i = 0; i < len;) {
		gsize size = 0;
		guint more;

		while (i + size < len && phrase[i + size] != '_')
			size++;
		more = fold_word(phrase + i, size, letters + n,
				 G_N_ELEMENTS(letters) - n);
		last = hash_all(letters + n, more, SCAN_HASH_START);
		hash = words++ ? scan_hash(hash ^ 0x5bd1e995, (gunichar)(last >> 32)) ^
					 last
			       : last;
		n += more;
		i += size + 1;
	}
	g_assert(words >= 2 && words <= 5);
	add_group(dict, hash, SCAN_PHRASE, group, n);
	add_group(dict, hash_all(letters, n, SCAN_HASH_START) ^ SCAN_GLUED, SCAN_GLUED,
		  group, n);
	add_run(dict, letters, n);
	set_bit(dict->ends, last);
	entry_of(dict, last)->kinds |= SCAN_PHRASE_END;
}

static void add_terms(ScanDict *dict, const ScanTerms *terms)
{
	for (const char *p = terms->words; *p;) {
		gsize len = strcspn(p, " ");

		if (len && memchr(p, '_', len))
			add_phrase(dict, terms->group, p, len);
		else if (len)
			add_word(dict, terms->group, p, len);
		p += len + (p[len] == ' ');
	}
}

/* Words that give a turned text away: turned by k letters, and backwards. */
static void add_turned(ScanDict *dict)
{
	static const char *const signs[] = {
		"ignore",  "instructions", "previous",	"system",  "disregard", "secret",
		"secrets", "prompt",	   "please",	"execute", "the",	"your",
		"and",	   "reveal",	   "assistant", "send"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
		gsize n = strlen(signs[i]);

		for (guint shift = 0; shift < 26; shift++) {
			gunichar letters[32];
			guint64 hash;

			for (gsize k = 0; k < n; k++)
				letters[k] = shift ? 'a' + ((gunichar)signs[i][k] - 'a' +
							    shift) % 26
						   : (gunichar)signs[i][n - 1 - k];
			hash = hash_all(letters, (guint)n, SCAN_HASH_START);
			/* a word of the other way round: "fraq" is none, "or" is */
			if (n < 4 && shift != 13 && shift != 0)
				continue;
			add_group(dict, hash ^ SCAN_SHIFTED, SCAN_SHIFTED, shift,
				  (guint)n);
			entry_of(dict, hash)->kinds |= SCAN_SHIFTED;
			set_bit(dict->ends, hash);
		}
	}
}

static void add_rules(ScanDict *dict)
{
	G_STATIC_ASSERT(SCAN_LAYERED < 64); /* those behind it are in no rule */
	for (guint r = 0; scan_rules[r].id; r++)
		for (guint part = 0; part < SCAN_MAX_PARTS; part++)
			for (guint g = 0; g <= SCAN_LAYERED; g++) {
				guint *n = &dict->n_uses[g];

				if (!(scan_rules[r].parts[part] >> g & 1))
					continue;
				g_assert(*n < G_N_ELEMENTS(dict->uses[g]));
				dict->uses[g][*n].rule = (guint16)r;
				dict->uses[g][(*n)++].part = (guint8)part;
			}
}

static void add_literals(ScanDict *dict)
{
	for (guint i = 0; scan_literals[i].text; i++) {
		guint8 *rows = dict->literals[scan_literals[i].text[0] & 127];
		guint n = 0;

		while (rows[n])
			n++;
		g_assert(n + 1 < G_N_ELEMENTS(dict->literals[0]) && i < 255);
		rows[n] = (guint8)(i + 1);
	}
}

static const ScanDict *make(void)
{
	ScanDict *dict = g_new0(ScanDict, 1);

	for (const ScanTerms *terms = scan_terms; terms->words; terms++)
		add_terms(dict, terms);
	add_turned(dict);
	add_rules(dict);
	add_literals(dict);
	return dict;
}

const ScanDict *scan_dict(void)
{
	static const ScanDict *dict;

	if (g_once_init_enter(&dict))
		g_once_init_leave(&dict, make());
	return dict;
}
