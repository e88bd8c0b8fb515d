/* One pass over the text: characters to words, words to pieces, until there is no more room. */
#include "memory/wordpiece.h"

#include <string.h>

#include "memory/bert_chars_priv.h"
#include "memory/tokenizer_file_priv.h"

/* A character is 4 bytes at most. */
#define WORD_BYTES (4 * WORD_CHARS)

struct SpkWordpiece {
	TokenizerFile file;
};

typedef struct {
	const TokenizerFile *file;
	guint32 *ids;
	gsize n, max;
	char word[WORD_BYTES];
	gsize bytes;
	guint chars; /* may be more than are kept */
} Encoder;

SpkWordpiece *spk_wordpiece_open(const char *dir, GError **error)
{
	g_autoptr(SpkWordpiece) pieces = g_new0(SpkWordpiece, 1);

	if (!tokenizer_file_read(&pieces->file, dir, error))
		return NULL;
	return g_steal_pointer(&pieces);
}

void spk_wordpiece_free(SpkWordpiece *pieces)
{
	if (pieces)
		tokenizer_file_clear(&pieces->file);
	g_free(pieces);
}

guint spk_wordpiece_size(const SpkWordpiece *pieces)
{
	const TokenizerFile *file = &pieces->file;
	guint size = vocab_size(file->vocab);

	for (guint i = 0; i < file->n_specials; i++)
		size = MAX(size, file->specials[i].id + 1);
	return size;
}

guint64 spk_wordpiece_digest(const SpkWordpiece *pieces)
{
	const TokenizerFile *file = &pieces->file;
	guint switches = (guint)(file->clean << 3 | file->lowercase << 2 |
				 file->strip_accents << 1 | file->ideographs);

	return vocab_digest(file->vocab) * 16 + switches;
}

static gboolean is_full(const Encoder *encoder)
{
	return encoder->n >= encoder->max;
}

static void put(Encoder *encoder, guint32 id)
{
	if (!is_full(encoder))
		encoder->ids[encoder->n++] = id;
}

/* The longest piece that starts at `at`; its end in *ret_end. */
static guint32 longest(const Encoder *encoder, gsize at, gsize *ret_end)
{
	const TokenizerFile *file = encoder->file;
	const char *prefix = at ? file->continuing : "";
	guint64 hashes[WORD_CHARS];
	guint16 ends[WORD_CHARS];
	guint64 hash = vocab_hash(VOCAB_HASH, prefix, strlen(prefix));
	guint n = 0;

	for (gsize i = at; i < encoder->bytes; n++) {
		gsize next = i + (gsize)g_utf8_skip[(guchar)encoder->word[i]];

		hash = vocab_hash(hash, encoder->word + i, next - i);
		hashes[n] = hash;
		ends[n] = (guint16)next;
		i = next;
	}
	while (n--) {
		guint32 id = vocab_find(file->vocab, hashes[n], prefix,
					encoder->word + at, ends[n] - at);

		if (id != VOCAB_NONE) {
			*ret_end = ends[n];
			return id;
		}
	}
	return VOCAB_NONE;
}

/* All pieces of the word or, when one is missing, [UNK] for the whole. */
static void end_word(Encoder *encoder)
{
	guint32 ids[WORD_CHARS];
	gsize at = 0;
	guint n = 0;

	if (!encoder->chars)
		return;
	while (encoder->chars <= WORD_CHARS && at < encoder->bytes) {
		ids[n] = longest(encoder, at, &at);
		if (ids[n++] == VOCAB_NONE)
			break;
	}
	if (!n || ids[n - 1] == VOCAB_NONE)
		put(encoder, encoder->file->unk);
	else
		for (guint i = 0; i < n; i++)
			put(encoder, ids[i]);
	encoder->bytes = 0;
	encoder->chars = 0;
}

static void add_char(Encoder *encoder, gunichar c)
{
	if (encoder->chars < WORD_CHARS)
		encoder->bytes +=
			(gsize)g_unichar_to_utf8(c, encoder->word + encoder->bytes);
	encoder->chars++;
}

/* One that has been cleaned, and lowered where the model wants that. */
static void take_char(Encoder *encoder, gunichar c)
{
	if (bert_is_space(c)) {
		end_word(encoder);
	} else if (bert_is_punct(c)) {
		end_word(encoder);
		add_char(encoder, c);
		end_word(encoder);
	} else {
		add_char(encoder, c);
	}
}

/* U+0130 has two characters as its small form; everything else has one. */
static void lower_char(Encoder *encoder, gunichar c)
{
	if (!encoder->file->lowercase) {
		take_char(encoder, c);
	} else if (c == 0x130) {
		take_char(encoder, 'i');
		take_char(encoder, 0x307);
	} else {
		take_char(encoder, bert_lower(c));
	}
}

static void normalise(Encoder *encoder, gunichar c)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	gsize n;

	if (!encoder->file->strip_accents) {
		lower_char(encoder, c);
		return;
	}
	n = g_unichar_fully_decompose(c, FALSE, parts, G_N_ELEMENTS(parts));
	for (gsize i = 0; i < n; i++)
		if (!bert_is_accent(parts[i]))
			lower_char(encoder, parts[i]);
}

static void encode_char(Encoder *encoder, gunichar c)
{
	if (encoder->file->clean && bert_is_dropped(c))
		return;
	if (encoder->file->ideographs && bert_is_ideograph(c)) {
		end_word(encoder);
		normalise(encoder, c);
		end_word(encoder);
	} else {
		normalise(encoder, c);
	}
}

/* A special token that stands in the text as such, or NULL. */
static const SpecialToken *special_at(const TokenizerFile *file, const char *at,
				      gsize left)
{
	const SpecialToken *best = NULL;

	for (guint i = 0; i < file->n_specials; i++) {
		const SpecialToken *token = &file->specials[i];
		gsize n;

		if (token->text[0] != *at)
			continue;
		n = strlen(token->text);
		if (n <= left && !memcmp(at, token->text, n) &&
		    (!best || n > strlen(best->text)))
			best = token;
	}
	return best;
}

static void encode_text(Encoder *encoder, const char *text, gsize size)
{
	const char *at = text, *end = text + size;

	while (at < end && !is_full(encoder)) {
		gunichar c = g_utf8_get_char_validated(at, end - at);
		const SpecialToken *special =
			special_at(encoder->file, at, (gsize)(end - at));

		if (special) {
			end_word(encoder);
			put(encoder, special->id);
			at += strlen(special->text);
		} else if (c >= (gunichar)-2) {
			at++;
		} else {
			encode_char(encoder, c);
			at = g_utf8_next_char(at);
		}
	}
	end_word(encoder);
}

gsize spk_wordpiece_encode(const SpkWordpiece *pieces, const char *text, gsize size,
			   guint32 *ret_ids, gsize max)
{
	const TokenizerFile *file = &pieces->file;
	Encoder encoder = { .file = file, .ids = ret_ids, .max = max - 1 };

	g_assert(max >= 2);
	put(&encoder, file->cls);
	encode_text(&encoder, text, size);
	ret_ids[encoder.n++] = file->sep;
	return encoder.n;
}
