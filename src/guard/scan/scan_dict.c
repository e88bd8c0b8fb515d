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
		hash = words++ ? scan_combine(hash, last) : last;
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

/* ---- weights ---- */
gint scan_find_weight(const ScanDict *dict, guint64 key)
{
	for (guint slot = (guint)(key >> 20) & (SCAN_SLOTS - 1);
	     dict->weigh_slots[slot].key; slot = (slot + 1) & (SCAN_SLOTS - 1))
		if (dict->weigh_slots[slot].key == key)
			return dict->weigh_slots[slot].id;
	return -1;
}

static const char *const group_names[] = {
#define X(sym, ...) #sym,
	SCAN_GROUPS(X)
#undef X
};
static const char *const sign_names[] = {
#define X(sym, ...) #sym,
	SCAN_SIGNS(X)
#undef X
};

static guint64 number_of(const char *const *names, guint n, const char *name, gsize len)
{
	guint i = 0;

	while (i < n && (strlen(names[i]) != len || strncmp(names[i], name, len) != 0))
		i++;
	g_assert(i < n);
	return i;
}

static guint64 hash_text(const char *text, gsize len)
{
	guint64 hash = SCAN_HASH_START;

	for (const char *p = text; p < text + len; p = g_utf8_next_char(p))
		hash = scan_hash(hash, g_utf8_get_char(p));
	return hash;
}

/* What stands behind "w:" and the like, as the matcher will see it. */
static guint64 weight_hash(ScanFeature kind, const char *name)
{
	gsize len = strlen(name), first = strcspn(name, kind == SCAN_F_TWO ? "_" : ">");

	switch (kind) {
	case SCAN_F_GROUP:
	case SCAN_F_QUOTED:
	case SCAN_F_NEGATED:
		return number_of(group_names, SCAN_N_GROUPS, name, len);
	case SCAN_F_PAIR:
		return 128 * number_of(group_names, SCAN_N_GROUPS, name, first) +
		       number_of(group_names, SCAN_N_GROUPS, name + first + 1,
				 len - first - 1);
	case SCAN_F_SIGN:
		return number_of(sign_names, SCAN_N_SIGNS, name, len);
	case SCAN_F_RULE:
		for (guint r = 0; r < scan_rule_count(); r++)
			if (!strcmp(scan_rules[r].id, name))
				return r;
		g_assert_not_reached();
	case SCAN_F_TWO:
		return scan_combine(hash_text(name + first + 1, len - first - 1),
				    hash_text(name, first));
	default:
		return hash_text(name, len);
	}
}

/* By the meaning that stands last. */
static guint8 order_of(const ScanDict *dict, ScanFeature kind, const char *name)
{
	static const guint64 by_order[SCAN_N_ORDERS] = {
		[SCAN_ORDER_OVERRIDE] = SCAN_BIT(IGN) | SCAN_BIT(IGNF) | SCAN_BIT(NEWI) |
					SCAN_BIT(NEWY) | SCAN_BIT(STOPT) | SCAN_BIT(OVR) |
					SCAN_BIT(DROPIT) | SCAN_BIT(EVERY) |
					SCAN_BIT(DELIM),
		[SCAN_ORDER_SECRETS] = SCAN_BIT(SECF) | SCAN_BIT(SECX) | SCAN_BIT(SECS) |
				       SCAN_BIT(SYSP) | SCAN_BIT(HIST) | SCAN_BIT(SEND) |
				       SCAN_BIT(REVEAL) | SCAN_BIT(DESTW) |
				       SCAN_BIT(IMGX),
		[SCAN_ORDER_SHELL] = SCAN_BIT(RUN) | SCAN_BIT(NETC) | SCAN_BIT(PIPESH) |
				     SCAN_BIT(REVSH) | SCAN_BIT(RMRF) | SCAN_BIT(SUBST),
		[SCAN_ORDER_RIGHTS] = SCAN_BIT(DISABLE) | SCAN_BIT(ESCAL) |
				      SCAN_BIT(PUSHW) | SCAN_BIT(PERSIST) |
				      SCAN_BIT(PLANT) | SCAN_BIT(NOASK) |
				      SCAN_BIT(YOUMAY),
	};
	const char *last = strrchr(name, '>');
	guint64 group;

	(void)dict;
	if (kind != SCAN_F_GROUP && kind != SCAN_F_PAIR)
		return SCAN_ORDER_OTHER;
	last = last ? last + 1 : name;
	group = number_of(group_names, SCAN_N_GROUPS, last, strlen(last));
	for (guint8 i = 0; i < SCAN_N_ORDERS; i++)
		if (group < 64 && by_order[i] >> group & 1)
			return i;
	return SCAN_ORDER_OTHER;
}

static gboolean add_numbered(ScanDict *dict, ScanFeature kind, guint64 number, guint id)
{
	guint16 row = (guint16)(id + 1);

	switch (kind) {
	case SCAN_F_GROUP:
		dict->group_ids[0][number] = row;
		return TRUE;
	case SCAN_F_QUOTED:
		dict->group_ids[1][number] = row;
		return TRUE;
	case SCAN_F_NEGATED:
		dict->group_ids[2][number] = row;
		return TRUE;
	case SCAN_F_PAIR:
		dict->pair_ids[number / 128][number % 128] = row;
		return TRUE;
	case SCAN_F_RULE:
		dict->rule_ids[number] = row;
		return TRUE;
	case SCAN_F_SIGN:
		dict->sign_ids[number] = row;
		return TRUE;
	default:
		return FALSE;
	}
}

static void add_hashed(ScanDict *dict, guint64 key, guint id)
{
	guint slot = (guint)(key >> 20) & (SCAN_SLOTS - 1);

	while (dict->weigh_slots[slot].key)
		slot = (slot + 1) & (SCAN_SLOTS - 1);
	dict->weigh_slots[slot].key = key;
	dict->weigh_slots[slot].id = (guint16)id;
	dict->weigh_bits[(key >> 3) & 32767] |= (guint8)(1u << (key & 7));
}

static void add_weight(ScanDict *dict, guint id)
{
	static const char signs[] = {
#define X(sign, ...) sign,
		SCAN_FEATURES(X)
#undef X
	};
	const char *name = scan_weights[id].name;
	ScanFeature kind = 0;

	while (kind < SCAN_N_FEATURES && signs[kind] != name[0])
		kind++;
	g_assert(kind < SCAN_N_FEATURES && name[1] == ':' && id < SCAN_MAX_WEIGHTS);
	if (!add_numbered(dict, kind, weight_hash(kind, name + 2), id))
		add_hashed(dict, scan_weigh_key(kind, weight_hash(kind, name + 2)), id);
	dict->weight_rules[id] = order_of(dict, kind, name + 2);
	if (!strcmp(name, "s:LAYER"))
		dict->layer_weight = scan_weights[id].weight;
	if (!strcmp(name, "s:TURNED"))
		dict->turned_weight = scan_weights[id].weight;
}

static const ScanDict *make(void)
{
	ScanDict *dict = g_new0(ScanDict, 1);

	for (const ScanTerms *terms = scan_terms; terms->words; terms++)
		add_terms(dict, terms);
	add_turned(dict);
	add_rules(dict);
	add_literals(dict);
	for (guint id = 0; scan_weights[id].name; id++)
		add_weight(dict, id);
	return dict;
}

const ScanDict *scan_dict(void)
{
	static const ScanDict *dict;

	if (g_once_init_enter(&dict))
		g_once_init_leave(&dict, make());
	return dict;
}
