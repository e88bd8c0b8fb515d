#include "net/body.h"

#include <string.h>

enum {
	SIZE,
	EXTENSION, /* up to the CR */
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LAST_CR, /* or a trailer */
	LAST_LF,
	TRAILER, /* up to the LF */
};

#define CHUNK_DIGITS 15 /* less than 2^60 bytes */
#define SKIPPED_MAX  (16u << 10)

void spk_body_init(SpkBody *body, SpkBodyKind kind, guint64 length)
{
	*body = (SpkBody){ .kind = kind, .state = SIZE };
	body->left = kind == SPK_BODY_LENGTH ? length : 0;
	body->ended = kind == SPK_BODY_NONE || (kind == SPK_BODY_LENGTH && !length);
}

static gboolean size_byte(SpkBody *body, char byte)
{
	int digit = g_ascii_xdigit_value(byte);

	if (byte == '\r' && body->line) {
		body->state = SIZE_LF;
		return TRUE;
	}
	if (body->lenient && body->line && (byte == ';' || byte == ' ' || byte == '\t')) {
		body->state = EXTENSION;
		return TRUE;
	}
	if (digit < 0 || ++body->line > CHUNK_DIGITS)
		return FALSE;
	body->left = body->left * 16 + (guint64)digit;
	return TRUE;
}

/* One byte of what is there for nothing. */
static gboolean skipped_byte(SpkBody *body, char byte)
{
	if (++body->line > SKIPPED_MAX)
		return FALSE;
	if (body->state == EXTENSION) {
		if (byte == '\r')
			body->state = SIZE_LF;
		return byte != '\n';
	}
	if (byte == '\n')
		body->state = LAST_CR;
	return TRUE;
}

/* One byte that is not of a chunk's data. */
static gboolean frame_byte(SpkBody *body, char byte)
{
	static const struct {
		char byte;
		int next;
	} expected[] = {
		[SIZE_LF] = { '\n', DATA },    [DATA_CR] = { '\r', DATA_LF },
		[DATA_LF] = { '\n', SIZE },    [LAST_CR] = { '\r', LAST_LF },
		[LAST_LF] = { '\n', LAST_LF },
	};

	if (body->state == SIZE)
		return size_byte(body, byte);
	if (body->state == EXTENSION || body->state == TRAILER)
		return skipped_byte(body, byte);
	if (body->state == LAST_CR && body->lenient && byte != '\r' && byte != '\n') {
		body->state = TRAILER;
		return skipped_byte(body, byte);
	}
	if (byte != expected[body->state].byte)
		return FALSE;
	body->ended = body->state == LAST_LF;
	if (body->state == SIZE_LF && !body->left)
		body->state = LAST_CR;
	else
		body->state = expected[body->state].next;
	if (body->state != LAST_CR && body->state != LAST_LF)
		body->line = 0;
	return TRUE;
}

static gsize take_data(SpkBody *body, const char *bytes, gsize len, GByteArray *data)
{
	gsize n = body->kind == SPK_BODY_CLOSE ? len
					       : (gsize)MIN((guint64)len, body->left);

	if (data)
		g_byte_array_append(data, (const guint8 *)bytes, (guint)n);
	if (body->kind == SPK_BODY_CLOSE)
		return n;
	body->left -= n;
	if (!body->left && body->kind == SPK_BODY_LENGTH)
		body->ended = TRUE;
	else if (!body->left)
		body->state = DATA_CR;
	return n;
}

gssize spk_body_take(SpkBody *body, const char *bytes, gsize len, GByteArray *data)
{
	gsize at = 0;

	while (at < len && !body->ended) {
		if (body->kind != SPK_BODY_CHUNKED || body->state == DATA)
			at += take_data(body, bytes + at, len - at, data);
		else if (!frame_byte(body, bytes[at++]))
			return -1;
	}
	return (gssize)at;
}
