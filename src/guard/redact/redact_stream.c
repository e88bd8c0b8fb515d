/* Text that comes in pieces; and what stands before the rooms that write. */
#include <string.h>

#include "base/veil.h"
#include "guard/redact/redact_priv.h"
#include "guard/veil.h"

enum { HELD_MAX = 64 << 10, HELD_KEEP = 32 << 10 };

static gboolean is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A word may yet turn out to be the name or the prefix of a secret, an address to have a
 * password in it. */
static gsize open_words(const char *text, gsize len)
{
	gsize at = len, word = len, name = len;

	while (at > 0 && (g_ascii_isalnum(text[at - 1]) || strchr("_-%\\", text[at - 1])))
		at--;
	while (word > 0 && !is_blank(text[word - 1]))
		word--;
	if (g_strstr_len(text + word, (gssize)(len - word), ":/") ||
	    (len > word && text[len - 1] == ':'))
		at = word;
	if (redact_name_at_end(text, len, &name))
		at = MIN(at, name);
	return at;
}

static gsize cut_of(const GString *held, const GArray *spans, gsize open)
{
	gsize cut = MIN(open, open_words(held->str, held->len));

	if (held->len > HELD_MAX)
		cut = MAX(cut, held->len - HELD_KEEP);
	for (guint i = spans->len; i-- > 0;) {
		const RedactSpan *span = &g_array_index(spans, RedactSpan, i);

		if (span->start < cut && cut < span->end)
			cut = span->end - span->start > HELD_KEEP ? span->end
								  : span->start;
	}
	return cut;
}

GString *redact_piece_data(const SpkRedact *redact, GString *held, const char *data,
			   gsize len, gboolean last)
{
	g_autoptr(SpkRedact) mine = redact ? NULL : spk_guard_redact();
	GString *out = g_string_new(NULL);
	g_autoptr(GArray) spans = NULL;
	gsize open, cut;

	redact = redact ? redact : mine;
	g_string_append_len(held, data, (gssize)len);
	open = held->len;
	spans = redact_find(redact, held->str, held->len, last ? NULL : &open);
	cut = last ? held->len : cut_of(held, spans, open);
	redact_write(redact, held->str, cut, spans, NULL, FALSE, out);
	g_string_erase(held, 0, (gssize)cut);
	return out;
}

char *spk_redact_piece(const SpkRedact *redact, GString *held, const char *piece)
{
	return g_string_free(redact_piece_data(redact, held, piece ? piece : "",
					       piece ? strlen(piece) : 0, !piece),
			     FALSE);
}

/* ---- before log and journal ---- */

static char *veil_text(const char *text)
{
	return spk_redact_text(NULL, text);
}

static json_t *veil_json(json_t *json)
{
	return spk_redact_json(NULL, json);
}

static GString *veil_piece(GString *held, const char *data, gsize len, gboolean last)
{
	return redact_piece_data(NULL, held, data, len, last);
}

void spk_guard_veil(void)
{
	static const SpkVeil veil = { veil_text, veil_json, veil_piece };

	veil_keep_key();
	spk_veil_set(&veil);
}
