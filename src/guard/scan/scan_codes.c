/*
 * Codes with an alphabet of their own: base32, Ascii85, Morse, quoted-printable, and the columns
 * of a hex dump. Each finder goes over the text once and hands what it decodes to `told`.
 */
#include <string.h>

#include "guard/scan/scan_priv.h"

#define LEAST_32    24u
#define LEAST_MORSE 12u
#define LEAST_QP    3u
#define QP_DENSITY  160u /* bytes for each escape, at most */
#define LEAST_DUMP  8u
#define ASCII85_MAX 65536u

/* ---- base32 ---- */
static int value_32(guint8 c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

void scan_find_base32(const guint8 *text, gsize len, ScanDecoded told, gpointer data)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (gsize i = 0; i < len;) {
		gsize start = i, letters = 0;
		guint64 have = 0;
		guint bits = 0;

		if (value_32(text[i]) < 0) {
			i++;
			continue;
		}
		g_byte_array_set_size(bytes, 0);
		for (; i < len; i++) {
			int value = value_32(text[i]);
			guint8 byte;

			if (value < 0 && text[i] == '\n' && letters >= LEAST_32 &&
			    i + 1 < len && value_32(text[i + 1]) >= 0)
				continue;
			if (value < 0)
				break;
			letters++;
			have = have << 5 | (guint64)value;
			bits += 5;
			if (bits < 8)
				continue;
			bits -= 8;
			byte = (guint8)(have >> bits);
			g_byte_array_append(bytes, &byte, 1);
		}
		if (letters >= LEAST_32)
			told(data, "base32", bytes->data, bytes->len, start, i);
	}
}

/* ---- Ascii85, between its marks ---- */
static void ascii85(const guint8 *text, gsize from, gsize to, GByteArray *bytes)
{
	guint32 value = 0;
	guint n = 0;

	for (gsize i = from; i <= to; i++) {
		gboolean end = i == to;

		if (!end && (text[i] < '!' || text[i] > 'u'))
			continue;
		if (end && n < 2)
			return;
		for (guint fill = end ? 5 - n : 1; fill-- > 0;) {
			value = value * 85 + (end ? 84u : (guint32)(text[i] - '!'));
			n++;
		}
		if (n < 5)
			continue;
		for (guint k = 0; k < 4; k++) {
			guint8 byte = (guint8)(value >> (24 - 8 * k));

			g_byte_array_append(bytes, &byte, 1);
		}
		value = n = 0;
	}
}

void scan_find_ascii85(const guint8 *text, gsize len, ScanDecoded told, gpointer data)
{
	for (gsize i = 0; i + 4 < len; i++) {
		gsize to = i + 2;

		if (text[i] != '<' || text[i + 1] != '~')
			continue;
		while (to + 1 < len && to - i < ASCII85_MAX &&
		       (text[to] != '~' || text[to + 1] != '>'))
			to++;
		if (to + 1 < len && text[to] == '~') {
			g_autoptr(GByteArray) bytes = g_byte_array_new();

			ascii85(text, i + 2, to, bytes);
			told(data, "ascii85", bytes->data, bytes->len, i, to + 2);
		}
		i = to;
	}
}

/* ---- Morse ---- */
static guint8 morse_letter(const char *code)
{
	static const char *const letters[] = {
		".-",	"-...", "-.-.", "-..",	".",   "..-.", "--.",  "....", "..",
		".---", "-.-",	".-..", "--",	"-.",  "---",  ".--.", "--.-", ".-.",
		"...",	"-",	"..-",	"...-", ".--", "-..-", "-.--", "--.."
	};

	for (guint8 i = 0; i < G_N_ELEMENTS(letters); i++)
		if (!strcmp(letters[i], code))
			return (guint8)('a' + i);
	return 0;
}

/* Bytes that change nothing where no mark has come. */
static gboolean says_nothing(guint8 c)
{
	static const gboolean marks[256] = {
		['.'] = TRUE, ['-'] = TRUE, ['_'] = TRUE,
		['/'] = TRUE, ['|'] = TRUE, [0x80 ... 0xff] = TRUE
	};

	return !marks[c];
}

/* '.', '-', ' ' between letters, '/' between words; 0: none of them. */
static char morse_mark(const guint8 *text, gsize len, guint *ret_size)
{
	gunichar c = scan_char(text, len, ret_size);

	switch (c) {
	case '.':
	case 0xb7:
	case 0x2022:
	case 0x22c5:
		return '.';
	case '-':
	case '_':
	case 0x2013:
	case 0x2014:
	case 0x2212:
		return '-';
	case ' ':
	case '\n':
		return ' ';
	case '/':
	case '|':
		return '/';
	default:
		return 0;
	}
}

typedef struct {
	GByteArray *bytes;
	char code[8];
	guint n;
	gsize letters;
} Morse;

static void end_letter(Morse *morse)
{
	guint8 letter;

	morse->code[MIN(morse->n, 7)] = 0;
	letter = morse->n && morse->n < 7 ? morse_letter(morse->code) : 0;
	if (letter) {
		g_byte_array_append(morse->bytes, &letter, 1);
		morse->letters++;
	}
	morse->n = 0;
}

void scan_find_morse(const guint8 *text, gsize len, ScanDecoded told, gpointer data)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	Morse morse = { .bytes = bytes };
	gsize start = 0;

	for (gsize i = 0; i <= len;) {
		guint size = 1;
		char mark;

		if (!bytes->len && !morse.n) {
			while (i < len && says_nothing(text[i]))
				i++;
			start = i;
		}
		mark = i < len ? morse_mark(text + i, len - i, &size) : 0;
		if (mark == '.' || mark == '-') {
			morse.code[MIN(morse.n, 6)] = mark;
			morse.n++;
		} else {
			end_letter(&morse);
		}
		if (mark == '/')
			g_byte_array_append(bytes, (const guint8 *)" ", 1);
		if (!mark) {
			if (morse.letters >= LEAST_MORSE)
				told(data, "morse", bytes->data, bytes->len, start, i);
			g_byte_array_set_size(bytes, 0);
			morse.letters = 0;
		}
		i += size;
	}
}

/* ---- quoted-printable ---- */
static int hex_at(const guint8 *text, gsize len, gsize i)
{
	int high = i < len ? g_ascii_xdigit_value((char)text[i]) : -1;
	int low = i + 1 < len ? g_ascii_xdigit_value((char)text[i + 1]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Bytes of the line break that "=" at text[i] takes away; 0: there is none. */
static guint soft_break(const guint8 *text, gsize len, gsize i)
{
	if (i + 1 < len && text[i + 1] == '\n')
		return 2;
	return i + 2 < len && text[i + 1] == '\r' && text[i + 2] == '\n' ? 3 : 0;
}

static void told_printable(const guint8 *text, gsize from, gsize to, ScanDecoded told,
			   gpointer data)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint escapes = 0;

	for (gsize i = from; i < to;) {
		int value = text[i] == '=' ? hex_at(text, to, i + 1) : -1;
		guint gone = text[i] == '=' ? soft_break(text, to, i) : 0;
		guint8 byte = value >= 0 ? (guint8)value : text[i];

		escapes += value >= 0 || gone;
		if (!gone)
			g_byte_array_append(bytes, &byte, 1);
		i += gone ? gone : value >= 0 ? 3 : 1;
	}
	if (escapes >= LEAST_QP && (to - from) / escapes <= QP_DENSITY)
		told(data, "quoted-printable", bytes->data, bytes->len, from, to);
}

/* From the line of the first escape to that of the last one, paragraph by paragraph. */
void scan_find_printable(const guint8 *text, gsize len, ScanDecoded told, gpointer data)
{
	gsize line = 0, from = G_MAXSIZE, to = 0;

	for (gsize i = 0; i < len; i++) {
		gboolean blank = text[i] == '\n' && i + 1 < len && text[i + 1] == '\n';

		if (text[i] == '=' &&
		    (hex_at(text, len, i + 1) >= 0 || soft_break(text, len, i))) {
			from = MIN(from, line);
			to = i + 1;
		}
		if (text[i] == '\n' && i && text[i - 1] != '=')
			line = i + 1;
		if (from == G_MAXSIZE || (!blank && i + 1 < len))
			continue;
		while (to < len && (text[to] != '\n' || text[to - 1] == '='))
			to++;
		told_printable(text, from, to, told, data);
		from = G_MAXSIZE;
		i = MAX(i, to);
		line = i;
	}
}

/* ---- hex dumps ---- */
static gsize token_at(const guint8 *text, gsize len, gsize i, gboolean *ret_hex)
{
	gsize n = 0;

	*ret_hex = TRUE;
	for (; i + n < len && !g_ascii_isspace((char)text[i + n]); n++)
		*ret_hex &= g_ascii_isxdigit((char)text[i + n]);
	return n;
}

/* Groups of four digits in a row; what stands beside them (offsets, letters) is passed over,
 * a line without any ends it. */
void scan_find_dump(const guint8 *text, gsize len, ScanDecoded told, gpointer data)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	gsize start = 0, end = 0;
	guint of_line = 0;
	gboolean beside = FALSE;

	for (gsize i = 0; i <= len;) {
		gboolean hex = FALSE;
		gsize n = i < len ? token_at(text, len, i, &hex) : 0;

		if (n == 4 && hex && !beside) {
			guint8 pair[2] = { (guint8)hex_at(text, len, i),
					   (guint8)hex_at(text, len, i + 2) };

			if (!bytes->len)
				start = i;
			g_byte_array_append(bytes, pair, 2);
			end = i + 4;
			of_line++;
		} else if (n && of_line) {
			beside = TRUE;
		}
		if (!n && (i == len || text[i] == '\n')) {
			if (!of_line || i == len) {
				if (bytes->len >= LEAST_DUMP)
					told(data, "hex", bytes->data, bytes->len, start,
					     end);
				g_byte_array_set_size(bytes, 0);
			}
			of_line = 0;
			beside = FALSE;
		}
		i += n ? n : 1;
	}
}
