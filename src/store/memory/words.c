#include "store/memory/words.h"

#include <string.h>

#include "store/memory/stem.h"

typedef enum {
	OTHER,
	LETTER,
	DIGIT,
	MARK,	    /* belongs to the letter before it */
	PAIRED,	    /* of a script without spaces */
	SYMBOL,	    /* a word of its own */
	APOSTROPHE, /* in a word: it's */
	TAIL,	    /* behind a short one: c++, c# */
	COLON,	    /* from here on: join parts; the lower binds looser */
	SLASH,
	DOT,
	DASH,
	UNDERSCORE,
} Class;

#define LOOSEST	  COLON
#define TIGHTEST  UNDERSCORE
#define TAIL_HEAD 3 /* characters that may stand before a tail */
#define MIN_HUMP  2

typedef struct {
	gunichar c; /* folded */
	guint8 class;
	guint8 upper;
	guint8 opens; /* a sentence begins here */
} Item;

typedef struct {
	const Item *items;
	gsize n;
	gboolean names_by_case; /* capitals inside a sentence tell something */
	gboolean stops_too;	/* nothing else is there */
	guint most;
	GHashTable *seen; /* word -> place in ret->words + 1 */
	SpkWords *ret;
} Walk;

/* ---- characters ---- */

static gboolean is_plain(GUnicodeScript script)
{
	return script == G_UNICODE_SCRIPT_LATIN || script == G_UNICODE_SCRIPT_GREEK ||
	       script == G_UNICODE_SCRIPT_CYRILLIC || script == G_UNICODE_SCRIPT_HEBREW ||
	       script == G_UNICODE_SCRIPT_ARABIC;
}

static gboolean is_paired(gunichar c)
{
	switch (g_unichar_get_script(c)) {
	case G_UNICODE_SCRIPT_HAN:
	case G_UNICODE_SCRIPT_HIRAGANA:
	case G_UNICODE_SCRIPT_KATAKANA:
	case G_UNICODE_SCRIPT_HANGUL:
	case G_UNICODE_SCRIPT_THAI:
	case G_UNICODE_SCRIPT_LAO:
	case G_UNICODE_SCRIPT_KHMER:
	case G_UNICODE_SCRIPT_MYANMAR:
		return TRUE;
	default:
		return c == 0x30fc; /* the long mark of katakana, common to two scripts */
	}
}

static Class class_of_ascii(gunichar c)
{
	if (g_ascii_isalpha((char)c))
		return LETTER;
	if (g_ascii_isdigit((char)c))
		return DIGIT;
	switch (c) {
	case '/':
	case '\\':
		return SLASH;
	case ':':
	case '@':
		return COLON;
	case '.':
		return DOT;
	case '-':
		return DASH;
	case '_':
		return UNDERSCORE;
	case '\'':
		return APOSTROPHE;
	case '+':
	case '#':
		return TAIL;
	default:
		return OTHER;
	}
}

static Class class_of(gunichar c)
{
	if (c < 0x80)
		return class_of_ascii(c);
	switch (g_unichar_type(c)) {
	case G_UNICODE_LOWERCASE_LETTER:
	case G_UNICODE_MODIFIER_LETTER:
	case G_UNICODE_OTHER_LETTER:
	case G_UNICODE_TITLECASE_LETTER:
	case G_UNICODE_UPPERCASE_LETTER:
		return is_paired(c) ? PAIRED : LETTER;
	case G_UNICODE_DECIMAL_NUMBER:
	case G_UNICODE_LETTER_NUMBER:
	case G_UNICODE_OTHER_NUMBER:
		return DIGIT;
	case G_UNICODE_SPACING_MARK:
	case G_UNICODE_ENCLOSING_MARK:
	case G_UNICODE_NON_SPACING_MARK:
		return is_paired(c) ? PAIRED : MARK;
	case G_UNICODE_OTHER_SYMBOL:
		return SYMBOL;
	default:
		break;
	}
	if (c == 0x2019 || c == 0x02bc)
		return APOSTROPHE;
	return c == 0x2010 || c == 0x2011 ? DASH : OTHER;
}

/* The letter below its accents. */
static gunichar fold(gunichar c)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

	if (c >= 0x80 && is_plain(g_unichar_get_script(c)) &&
	    g_unichar_fully_decompose(c, FALSE, parts, G_N_ELEMENTS(parts)) > 0)
		c = parts[0];
	return g_unichar_tolower(c);
}

/* A mark that stands alone (there is no composed form) goes with the accents. */
static gboolean drops_mark(const GArray *items)
{
	const Item *last = items->len ? &g_array_index(items, Item, items->len - 1)
				      : NULL;

	return !last || (last->class != LETTER && last->class != MARK) ||
	       is_plain(g_unichar_get_script(last->c));
}

static gboolean ends_sentence(gunichar c)
{
	return c == '.' || c == '!' || c == '?' || c == ':' || c == ';' || c == '\n' ||
	       c == '-' || c == '*' || c == 0x2026;
}

static GArray *read_items(const char *text)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(Item));
	gboolean opens = TRUE;

	for (const char *p = text; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		Item item = { .class = class_of(c) };

		if (item.class == MARK && drops_mark(items))
			continue;
		item.c = item.class == LETTER ? fold(c) : c;
		item.upper = item.class == LETTER && g_unichar_isupper(c);
		item.opens = opens;
		g_array_append_val(items, item);
		if (item.class == LETTER || item.class == DIGIT || item.class == PAIRED)
			opens = FALSE;
		else if (ends_sentence(c))
			opens = TRUE;
	}
	return items;
}

static gboolean is_word(const Item *item)
{
	return item->class == LETTER || item->class == DIGIT || item->class == MARK;
}

/* Not in a title or a shout, where most words have a capital that need none. */
static gboolean names_by_case(const Item *items, gsize n)
{
	gsize words = 0, capitals = 0;

	for (gsize i = 0; i < n; i++)
		if (items[i].class == LETTER && !items[i].opens &&
		    (i == 0 || !is_word(&items[i - 1]))) {
			words++;
			capitals += items[i].upper;
		}
	return capitals * 2 <= words + 1;
}

/* ---- words ---- */

static void add(Walk *walk, const char *word)
{
	gsize place = GPOINTER_TO_SIZE(g_hash_table_lookup(walk->seen, word));
	SpkWord new = { .n = 1 };

	if (place) {
		g_array_index(walk->ret->words, SpkWord, place - 1).n++;
		return;
	}
	if (walk->most && walk->ret->words->len >= walk->most)
		return;
	new.word = g_string_chunk_insert(walk->ret->chunk, word);
	g_array_append_val(walk->ret->words, new);
	g_hash_table_insert(walk->seen, (gpointer) new.word,
			    GSIZE_TO_POINTER((gsize)walk->ret->words->len));
}

/* items [from, to) as text, its last SPK_WORD_MAX bytes; apostrophes are left out. */
static gsize spell(const Item *items, gsize from, gsize to, char word[SPK_WORD_MAX + 1])
{
	char letters[6];
	gsize at = SPK_WORD_MAX;

	word[at] = '\0';
	while (to > from) {
		int n;

		if (items[--to].class == APOSTROPHE)
			continue;
		n = g_unichar_to_utf8(items[to].c, letters);
		if (at < (gsize)n)
			break;
		at -= (gsize)n;
		memcpy(word + at, letters, (gsize)n);
	}
	memmove(word, word + at, SPK_WORD_MAX - at + 1);
	return SPK_WORD_MAX - at;
}

static void add_whole(Walk *walk, gsize from, gsize to)
{
	char word[SPK_WORD_MAX + 1];

	(void)spell(walk->items, from, to, word);
	add(walk, word);
}

/* "Will" in the midst of a sentence, "IT" anywhere; but "I" is nobody's name. */
static gboolean looks_like_name(const Walk *walk, gsize from, gsize to)
{
	const Item *first = &walk->items[from];

	if (!walk->names_by_case || !first->upper || to - from < 2)
		return FALSE;
	return !first->opens || walk->items[from + 1].upper;
}

static void add_stemmed(Walk *walk, gsize from, gsize to)
{
	char word[SPK_WORD_MAX + 1];
	gsize len = spell(walk->items, from, to, word);
	gboolean stems = TRUE;
	const char *base;

	if (!walk->stops_too && spk_words_is_stop(word) &&
	    !looks_like_name(walk, from, to))
		return;
	base = spk_stem_irregular(word);
	if (base)
		len = g_strlcpy(word, base, sizeof(word));
	for (gsize i = 0; i < len && stems; i++)
		stems = g_ascii_islower(word[i]);
	if (stems)
		word[spk_stem(word, len)] = '\0';
	add(walk, word);
}

/* Between a lower and an upper case letter, before the last capital of several, and between
 * letters and digits. */
static gboolean is_hump(const Item *items, gsize i, gsize from, gsize to)
{
	const Item *a = &items[i - 1], *b = &items[i];

	if (a->class != b->class)
		return a->class != MARK && b->class != MARK && i >= from + MIN_HUMP &&
		       i + MIN_HUMP <= to;
	if (a->class != LETTER || !b->upper)
		return FALSE;
	return !a->upper || (i + 1 < to && items[i + 1].class == LETTER &&
			     !items[i + 1].upper && i + 2 < to);
}

static void walk_humps(Walk *walk, gsize from, gsize to)
{
	gsize start = from;
	gboolean any = FALSE;

	for (gsize i = from + 1; i <= to; i++) {
		if (i < to && !is_hump(walk->items, i, from, to))
			continue;
		any |= i < to;
		if (any && i - start >= MIN_HUMP)
			add_stemmed(walk, start, i);
		start = i;
	}
}

static void walk_run(Walk *walk, gsize from, gsize to)
{
	if (from == to)
		return;
	walk->ret->length++;
	add_stemmed(walk, from, to);
	walk_humps(walk, from, to);
}

/* What may follow an apostrophe in English: the word before it is all there is, or a negation of
 * which nothing is worth keeping. */
static gboolean is_contraction(const Item *items, gsize from, gsize to)
{
	static const char *const rests[] = { "s", "t", "d", "m", "re", "ve", "ll" };
	char rest[SPK_WORD_MAX + 1];

	(void)spell(items, from, to, rest);
	for (gsize i = 0; i < G_N_ELEMENTS(rests); i++)
		if (!strcmp(rest, rests[i]))
			return TRUE;
	return FALSE;
}

/* Letters and digits with apostrophes among them: don't, Ann's, O'Brien. */
static void walk_leaf(Walk *walk, gsize from, gsize to)
{
	for (gsize mark = from; mark < to; mark++) {
		if (walk->items[mark].class != APOSTROPHE)
			continue;
		if (is_contraction(walk->items, mark + 1, to)) {
			if (walk->stops_too || walk->items[mark + 1].c != 't')
				walk_run(walk, from, mark);
			return;
		}
		add_whole(walk, from, to);
		walk_run(walk, from, mark);
		from = mark + 1;
	}
	walk_run(walk, from, to);
}

/* One thing between blanks. Its parts at this level, each by the next level; and all of it when
 * there are several. */
static void walk_joined(Walk *walk, gsize from, gsize to, guint level)
{
	gsize start = from;
	guint parts = 0;

	if (level > TIGHTEST) {
		walk_leaf(walk, from, to);
		return;
	}
	for (gsize i = from; i <= to; i++) {
		if (i < to && walk->items[i].class != level)
			continue;
		if (i > start) {
			parts++;
			walk_joined(walk, start, i, level + 1);
		}
		start = i + 1;
	}
	if (parts > 1)
		add_whole(walk, from, to);
}

/* Pairs of characters, or the one. */
static gsize walk_pairs(Walk *walk, gsize from)
{
	gsize i = from;

	while (i < walk->n && walk->items[i].class == PAIRED) {
		gsize to = i + 1;

		if (to < walk->n && walk->items[to].class == PAIRED)
			to++;
		if (to - i == 2 || i == from) {
			walk->ret->length++;
			add_whole(walk, i, to);
		}
		i++;
	}
	return i;
}

/* "c++" and "c#" beside "c"; the item behind it. */
static gsize walk_tail(Walk *walk, gsize from, gsize to)
{
	gsize end = to;

	while (end < walk->n && walk->items[end].class == TAIL)
		end++;
	if (end == to || end - to > 2 || to - from > TAIL_HEAD ||
	    (end < walk->n && is_word(&walk->items[end])))
		return to;
	add_whole(walk, from, end);
	return end;
}

static gboolean continues(const Walk *walk, gsize i)
{
	const Item *item = &walk->items[i];

	return is_word(item) || item->class >= LOOSEST ||
	       (item->class == APOSTROPHE && i > 0 && is_word(item - 1) &&
		i + 1 < walk->n && is_word(item + 1));
}

static void walk_all(Walk *walk)
{
	gsize i = 0;

	while (i < walk->n) {
		gsize to = i, end;

		if (walk->items[i].class == PAIRED) {
			i = walk_pairs(walk, i);
			continue;
		}
		if (walk->items[i].class == SYMBOL) {
			walk->ret->length++;
			add_whole(walk, i, i + 1);
		}
		if (!is_word(&walk->items[i])) {
			i++;
			continue;
		}
		while (to < walk->n && continues(walk, to))
			to++;
		end = to;
		while (!is_word(&walk->items[end - 1])) /* a full stop, a dash */
			end--;
		walk_joined(walk, i, end, LOOSEST);
		i = end == to ? walk_tail(walk, i, end) : to;
	}
}

SpkWords *spk_words_of(const char *text, guint most)
{
	g_autofree char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_NFKC);
	g_autoptr(GArray) items = read_items(composed ? composed : "");
	Walk walk = { .items = (const Item *)items->data, .n = items->len, .most = most };

	walk.ret = g_new0(SpkWords, 1);
	walk.ret->words = g_array_new(FALSE, FALSE, sizeof(SpkWord));
	walk.ret->chunk = g_string_chunk_new(1024);
	walk.seen = g_hash_table_new(g_str_hash, g_str_equal);
	walk.names_by_case = names_by_case(walk.items, walk.n);
	walk_all(&walk);
	if (!walk.ret->words->len) {
		walk.stops_too = TRUE;
		walk.ret->length = 0;
		walk_all(&walk);
	}
	g_hash_table_unref(walk.seen);
	return walk.ret;
}

void spk_words_free(SpkWords *words)
{
	if (!words)
		return;
	g_array_unref(words->words);
	g_string_chunk_free(words->chunk);
	g_free(words);
}

static int by_bytes(gconstpointer a, gconstpointer b)
{
	return strcmp(((const SpkWord *)a)->word, ((const SpkWord *)b)->word);
}

void spk_words_sort(SpkWords *words)
{
	g_array_sort(words->words, by_bytes);
}
