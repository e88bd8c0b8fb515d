/*
 * What is wrapped in a text, each decoded and gone over like the text itself: base64, hex,
 * percent-encoded bytes, the codes of scan_codes.c, letters turned by a number or written backwards, digits for letters,
 * elements between letters, and what no reader sees: tag characters, variation selectors and
 * zero-width characters used as letters or bits. Depth and sizes are bounded; each byte of a
 * text belongs to at most one run of each kind.
 */
#include <string.h>

#include "guard/scan/scan_priv.h"

#define DEPTH	   3
#define LEAST_64   16u /* letters of base64 that are worth a look */
#define LEAST_HEX  16u
#define LEAST_BITS 32u

typedef struct {
	Scan *scan;
	ScanMatch *match;
} Layers;

static void look(Layers *layers, const ScanLayer *layer, guint depth);

/* Whether decoded bytes are text: mostly printable, no NUL. UTF-16 is made UTF-8 first. */
static gboolean is_text(const guint8 *bytes, gsize len)
{
	gsize odd = 0, letters = 0;

	for (gsize i = 0; i < len;) {
		guint size;
		gunichar c = scan_char(bytes + i, len - i, &size);

		odd += c == 0xfffd || (c < 32 && !strchr("\t\n\r", (int)c)) || c == 0;
		letters += g_unichar_isalpha(c) || c == ' ';
		i += size;
	}
	return len >= 6 && odd * 10 <= len && letters * 2 >= len / 3;
}

static gsize from_utf16(guint8 *bytes, gsize len)
{
	gsize n = 0, zero = 0;

	for (gsize i = 1; i < len; i += 2)
		zero += bytes[i] == 0;
	if (len < 8 || zero * 10 < (len / 2) * 9)
		return len;
	for (gsize i = 0; i < len; i += 2)
		bytes[n++] = bytes[i];
	return n;
}

static void look_decoded(Layers *layers, const ScanLayer *outer, const char *name,
			 guint8 *bytes, gsize len, gsize start, gsize end, guint depth)
{
	ScanLayer layer = { .text = bytes, .name = name, .place = SCAN_WHOLE };

	layer.len = from_utf16(bytes, len);
	if (outer->place == SCAN_WHOLE) {
		layer.origin = outer->origin;
		layer.origin_end = outer->origin_end;
	} else if (outer->place == SCAN_BACKWARDS) {
		layer.origin = outer->origin_end - end;
		layer.origin_end = outer->origin_end - start;
	} else {
		layer.origin = outer->origin + start;
		layer.origin_end = outer->origin + end;
	}
	if (is_text(bytes, layer.len))
		look(layers, &layer, depth + 1);
}

/* ---- base64 and hex ---- */
static int value_64(guint8 c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* What a byte may be part of: most are looked at only to be passed over. */
enum { WORD = 1, HEX = 2, DIGIT = 4, CODE_64 = 8 };
static const guint8 kinds[256] = {
	['0' ... '9'] = WORD | HEX | DIGIT | CODE_64,
	['A' ... 'F'] = WORD | HEX | CODE_64,
	['G' ... 'Z'] = WORD | CODE_64,
	['a' ... 'f'] = WORD | HEX | CODE_64,
	['g' ... 'z'] = WORD | CODE_64,
	['+'] = CODE_64,
	['-'] = CODE_64,
	['/'] = CODE_64,
	['_'] = CODE_64,
};

static int value_16(guint8 c)
{
	if (!(kinds[c] & HEX))
		return -1;
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static gsize decode(const guint8 *text, gsize start, gsize end, guint bits, guint8 *out)
{
	guint32 have = 0;
	guint n_bits = 0;
	gsize n = 0;

	for (gsize i = start; i < end; i++) {
		int value = bits == 6 ? value_64(text[i]) : value_16(text[i]);

		if (value < 0)
			continue;
		have = have << bits | (guint32)value;
		n_bits += bits;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (guint8)(have >> n_bits);
		}
	}
	return n;
}

/* One line break with its indent, that a long run of code letters goes over. */
static gsize break_at(const guint8 *text, gsize len, gsize i)
{
	gsize start = i;

	while (i < len && i - start < 8 && strchr("\r\n \t", text[i]) && text[i])
		i++;
	return i > start && memchr(text + start, '\n', i - start) ? i - start : 0;
}

/* The end of a run of letters of that code, over the breaks of folded lines; *ret_digits of
 * them. */
static gsize run_end(const guint8 *text, gsize len, gsize start, int (*value)(guint8),
		     gsize *ret_letters)
{
	gsize i = start, line = start;

	*ret_letters = 0;
	while (i < len) {
		gsize skip;

		if (value(text[i]) >= 0) {
			++*ret_letters;
			i++;
			continue;
		}
		skip = i - line >= 40 ? break_at(text, len, i) : 0;
		if (!skip || i + skip >= len || value(text[i + skip]) < 0)
			break;
		i += skip;
		line = i;
	}
	return i;
}

/* Text in plain words is base64 by its letters: what has neither digit nor capital inside a
 * word is no candidate. */
static gboolean looks_coded(const guint8 *text, gsize start, gsize end)
{
	guint changes = 0;

	for (gsize i = start + 1; i < end && changes < 3; i++)
		changes += (g_ascii_isupper((char)text[i]) &&
			    g_ascii_islower((char)text[i - 1])) ||
			   g_ascii_isdigit((char)text[i]);
	return changes >= 3;
}

static void find_codes(Layers *layers, const ScanLayer *layer, guint depth)
{
	const guint8 *text = layer->text;
	g_autofree guint8 *out = NULL;

	for (gsize i = 0; i < layer->len;) {
		gsize letters, end = i;

		while (end < layer->len && kinds[text[end]] & CODE_64)
			end++;
		/* folded lines are no shorter than that */
		if (end - i < MIN(LEAST_64, 40)) {
			i = end + 1;
			continue;
		}
		end = run_end(text, layer->len, i, value_64, &letters);
		if (letters >= LEAST_64 && looks_coded(text, i, end)) {
			gsize digits,
				hex = run_end(text, layer->len, i, value_16, &digits);
			gboolean is_hex = hex >= end && digits >= LEAST_HEX;

			if (!out)
				out = g_malloc(layer->len);
			look_decoded(layers, layer, is_hex ? "hex" : "base64", out,
				     decode(text, i, end, is_hex ? 4 : 6, out), i, end,
				     depth);
		}
		i = end;
	}
}

/* "69 67 6e 6f" and "0x69, 0x67", "105 103 110": numbers that stand for characters. */
static guint code_at(const guint8 *text, gsize len, guint base, guint *ret_size)
{
	guint value = 0, n = 0,
	      prefix = len > 2 && text[0] == '0' && (text[1] | 32) == 'x' ? 2 : 0;

	while (prefix + n < len && n < (base == 2 ? 8 : 3)) {
		int digit = value_16(text[prefix + n]);

		if (digit < 0 || digit >= (int)base)
			break;
		value = value * base + (guint)digit;
		n++;
	}
	*ret_size = prefix + n;
	return n < (base == 2 ? 8 : 2) || (base == 16 && n > 2) || value > 255 ? 0
									       : value;
}

static void find_numbers(Layers *layers, const ScanLayer *layer, guint base, guint depth)
{
	const guint8 *text = layer->text;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 first = base == 16 ? HEX : DIGIT; /* "0x" begins with one, too */
	gsize start = 0, end = 0;

	for (gsize i = 0; i <= layer->len;) {
		guint size = 0, value = 0;
		gsize gap = 0;

		if (i < layer->len && kinds[text[i]] & first)
			value = code_at(text + i, layer->len - i, base, &size);
		if (value) {
			guint8 byte = (guint8)value;

			if (!bytes->len)
				start = i;
			g_byte_array_append(bytes, &byte, 1);
			end = i += size;
			while (i + gap < layer->len && gap < 4 && text[i + gap] &&
			       strchr(" ,;:\t\n", text[i + gap]))
				gap++;
			i += gap;
			if (gap)
				continue;
		}
		if (bytes->len >= 8)
			look_decoded(layers, layer, base == 16 ? "hex" : "codes",
				     bytes->data, bytes->len, start, end, depth);
		if (bytes->len)
			g_byte_array_set_size(bytes, 0);
		if (value)
			continue;
		/* over the rest of the word, and all that begins with none */
		do {
			while (i < layer->len && kinds[text[i]] & WORD)
				i++;
			i++;
		} while (i < layer->len && !(kinds[text[i]] & first));
	}
}

/* Bytes above 127 by percent: what stands within a word was read as such. */
static void find_percent(Layers *layers, const ScanLayer *layer, guint depth)
{
	const guint8 *text = layer->text;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	gboolean high = FALSE;
	gsize start = 0;

	for (gsize i = 0; i <= layer->len;) {
		gboolean here = i + 2 < layer->len && text[i] == '%' &&
				value_16(text[i + 1]) >= 0 && value_16(text[i + 2]) >= 0;

		if (here) {
			guint8 byte = (guint8)(value_16(text[i + 1]) << 4 |
					       value_16(text[i + 2]));

			if (!bytes->len)
				start = i;
			g_byte_array_append(bytes, &byte, 1);
			/* "%2569": what is decoded is an escape again */
			high |= byte >= 0x80 || byte == '%';
			i += 3;
			continue;
		}
		if (i < layer->len && bytes->len &&
		    (g_ascii_isalnum((char)text[i]) || strchr("+-_.~", text[i])) &&
		    text[i]) {
			g_byte_array_append(bytes, text + i++, 1);
			continue;
		}
		if (high && bytes->len >= 6)
			look_decoded(layers, layer, "percent", bytes->data, bytes->len,
				     start, i, depth);
		g_byte_array_set_size(bytes, 0);
		high = FALSE;
		i++;
	}
}

/* ---- what no reader sees ---- */
typedef struct {
	GByteArray *bytes;
	gsize start, end;
} Unseen;

static void unseen_byte(Unseen *unseen, guint8 byte, gsize start, gsize end)
{
	if (!unseen->bytes->len)
		unseen->start = start;
	g_byte_array_append(unseen->bytes, &byte, 1);
	unseen->end = end;
}

static void flush_unseen(Layers *layers, const ScanLayer *layer, Unseen *unseen,
			 const char *name, guint depth)
{
	if (unseen->bytes->len >= 6)
		look_decoded(layers, layer, name, unseen->bytes->data, unseen->bytes->len,
			     unseen->start, unseen->end, depth);
	g_byte_array_set_size(unseen->bytes, 0);
}

/* Zero-width characters as bits: the one that comes first is tried as 0 and as 1. */
static void flush_bits(Layers *layers, const ScanLayer *layer, Unseen *bits, guint depth)
{
	for (guint flip = 0; flip < 2 && bits->bytes->len >= LEAST_BITS; flip++) {
		g_autofree guint8 *out = g_malloc0(bits->bytes->len / 8 + 1);

		for (gsize i = 0; i + 8 <= bits->bytes->len; i += 8)
			for (guint k = 0; k < 8; k++)
				out[i / 8] = (guint8)(out[i / 8] << 1 |
						      (bits->bytes->data[i + k] ^ flip));
		look_decoded(layers, layer, "zero-width", out, bits->bytes->len / 8,
			     bits->start, bits->end, depth);
	}
	g_byte_array_set_size(bits->bytes, 0);
}

static gboolean bit_of(gunichar c, guint8 *ret_bit)
{
	*ret_bit = c == 0x200c || c == 0x2063 || c == 0x2061;
	return c == 0x200b || c == 0x200c || c == 0x200d || c == 0x2060 || c == 0x2062 ||
	       c == 0x2063 || c == 0x2061 || c == 0xfeff;
}

static void find_unseen(Layers *layers, const ScanLayer *layer, guint depth)
{
	g_autoptr(GByteArray) tag_bytes = g_byte_array_new();
	g_autoptr(GByteArray) selector_bytes = g_byte_array_new();
	g_autoptr(GByteArray) bit_bytes = g_byte_array_new();
	Unseen tags = { tag_bytes, 0, 0 }, selectors = { selector_bytes, 0, 0 };
	Unseen bits = { bit_bytes, 0, 0 };

	for (gsize i = 0; i < layer->len;) {
		guint size;
		gunichar c;
		guint8 bit;

		if (layer->text[i] < 0x80) {
			if (bits.bytes->len)
				flush_bits(layers, layer, &bits, depth);
			if (selectors.bytes->len)
				flush_unseen(layers, layer, &selectors, "selectors",
					     depth);
			while (i < layer->len && layer->text[i] < 0x80)
				i++;
			continue;
		}
		c = scan_char(layer->text + i, layer->len - i, &size);
		if (c >= 0xe0020 && c < 0xe007f)
			unseen_byte(&tags, (guint8)(c - 0xe0000), i, i + size);
		else if (c >= 0xfe00 && c <= 0xfe0f)
			unseen_byte(&selectors, (guint8)(c - 0xfe00), i, i + size);
		else if (c >= 0xe0100 && c <= 0xe01ef)
			unseen_byte(&selectors, (guint8)(c - 0xe0100 + 16), i, i + size);
		else if (bit_of(c, &bit))
			unseen_byte(&bits, bit, i, i + size);
		i += size;
	}
	flush_unseen(layers, layer, &tags, "tags", depth);
	flush_unseen(layers, layer, &selectors, "selectors", depth);
	flush_bits(layers, layer, &bits, depth);
}

/* ---- the whole text in another way ---- */
static void look_backwards(Layers *layers, const ScanLayer *outer)
{
	g_autofree guint8 *out = g_malloc(outer->len + 1);
	ScanLayer layer = *outer;
	gsize to = outer->len;

	for (gsize i = 0; i < outer->len;) {
		guint size;

		(void)scan_char(outer->text + i, outer->len - i, &size);
		to -= size;
		memcpy(out + to, outer->text + i, size);
		i += size;
	}
	layer.text = out;
	layer.name = "backwards";
	if (outer->place == SCAN_SAME) {
		layer.place = SCAN_BACKWARDS;
		layer.origin_end = outer->origin + outer->len;
	}
	scan_layer(layers->match, &layer);
}

static void look_turned(Layers *layers, const ScanLayer *outer)
{
	guint tried = 0;

	for (guint shift = 1; shift < 26 && tried < 3; shift++) {
		ScanLayer layer = *outer;

		if (!(layers->scan->shifts >> shift & 1))
			continue;
		layer.name = shift == 13 ? "rot13" : "turned";
		layer.mode = SCAN_TURNED;
		layer.shift = shift;
		scan_layer(layers->match, &layer);
		tried++;
	}
}

static guint64 place_of(const ScanHit *hit)
{
	return (guint64)hit->start << 16 | hit->rule;
}

/* What is found again, in words that need not be read in another way, is not hidden by that:
 * hits[first..again) are of the text as it stands. */
static void tell_open(GArray *hits, guint first, guint again)
{
	g_autoptr(GHashTable) open = NULL;

	if (again == first || hits->len == again)
		return;
	open = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (guint i = first; i < again; i++) {
		const ScanHit *hit = &g_array_index(hits, ScanHit, i);
		guint64 place = place_of(hit);

		if (!hit->hidden)
			g_hash_table_add(open, g_memdup2(&place, sizeof(place)));
	}
	for (guint i = again; i < hits->len; i++) {
		ScanHit *hit = &g_array_index(hits, ScanHit, i);
		guint64 place = place_of(hit);

		if (g_hash_table_contains(open, &place))
			hit->hidden = FALSE;
	}
}

static void look_as(Layers *layers, const ScanLayer *outer, const char *name,
		    ScanMode mode, guint first)
{
	GArray *hits = layers->scan->hits;
	guint again = hits->len;
	ScanLayer layer = *outer;

	layer.name = name;
	layer.mode = mode;
	scan_layer(layers->match, &layer);
	tell_open(hits, first, again);
}

typedef struct {
	Layers *layers;
	const ScanLayer *layer;
	guint depth;
} Decoded;

static void look_told(gpointer data, const char *name, guint8 *bytes, gsize len,
		      gsize start, gsize end)
{
	const Decoded *decoded = data;

	look_decoded(decoded->layers, decoded->layer, name, bytes, len, start, end,
		     decoded->depth);
}

static void find_others(Layers *layers, const ScanLayer *layer, guint depth)
{
	Decoded decoded = { layers, layer, depth };
	const guint8 *text = layer->text;

	scan_find_base32(text, layer->len, look_told, &decoded);
	scan_find_morse(text, layer->len, look_told, &decoded);
	scan_find_dump(text, layer->len, look_told, &decoded);
	if (memchr(text, '=', layer->len))
		scan_find_printable(text, layer->len, look_told, &decoded);
	if (memchr(text, '~', layer->len))
		scan_find_ascii85(text, layer->len, look_told, &decoded);
}

static void look(Layers *layers, const ScanLayer *layer, guint depth)
{
	Scan *scan = layers->scan;
	guint first = scan->hits->len;

	scan->shifts = 0;
	memset(scan->n_shifted, 0, sizeof(scan->n_shifted));
	scan->leet = scan->tagged = FALSE;
	scan_layer(layers->match, layer);
	if (scan->shifts & 1)
		look_backwards(layers, layer);
	if (scan->shifts >> 1)
		look_turned(layers, layer);
	if (scan->leet) {
		look_as(layers, layer, "digits", SCAN_LEET_I, first);
		look_as(layers, layer, "digits", SCAN_LEET_L, first);
	}
	if (scan->tagged)
		look_as(layers, layer, "elements", SCAN_TAGLESS, first);
	if (depth >= DEPTH)
		return;
	find_codes(layers, layer, depth);
	find_numbers(layers, layer, 16, depth);
	find_numbers(layers, layer, 10, depth);
	find_numbers(layers, layer, 2, depth);
	if (memchr(layer->text, '%', layer->len))
		find_percent(layers, layer, depth);
	find_unseen(layers, layer, depth);
	find_others(layers, layer, depth);
}

void scan_text(Scan *scan)
{
	g_autofree ScanMatch *match = scan_match_new(scan);
	Layers layers = { scan, match };
	ScanLayer layer = { .text = scan->text, .len = scan->len, .name = "text" };

	look(&layers, &layer, 0);
}
