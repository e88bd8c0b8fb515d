/* A tokenizer.json or (first byte 'v') a vocab.txt: read or refused, never believed blindly. */
#include <glib.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "memory/tokenizer_file_priv.h"
#include "memory/vocab_json_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_lines(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) text = g_bytes_new_static(data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(Vocab) vocab = vocab_new_lines(text, "f", &error);
	guint32 found;

	g_assert(!vocab == !!error);
	g_assert(vocab || spk_error_is(error, SPK_ERR_BAD_INPUT));
	found = vocab ? vocab_find_word(vocab, "[UNK]") : VOCAB_NONE;
	g_assert(found == VOCAB_NONE || found < vocab_size(vocab));
}

static void try_json(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	TokenizerFile file;

	if (!tokenizer_file_parse(&file, (const char *)data, size, "f", &error)) {
		g_assert(error && !file.vocab);
		return;
	}
	g_assert(!error && file.unk < vocab_size(file.vocab));
	g_assert(file.cls < vocab_size(file.vocab) && file.sep < vocab_size(file.vocab));
	tokenizer_file_clear(&file);
}

/* What is read without a tree is what the tree says. */
static void compare(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	g_autoptr(GString) rest = g_string_new(NULL);
	g_autoptr(Vocab) vocab = vocab_json_take(text, size, rest);
	g_autoptr(json_t) json = spk_json_parse(text, size, 1 << 24, NULL);
	g_autoptr(json_t) other =
		vocab ? spk_json_parse(rest->str, rest->len, 1 << 24, NULL) : NULL;
	const char *word;
	json_t *number, *words;

	g_assert(!other || json);
	if (!other || !json)
		return;
	words = json_object_get(json_object_get(json, "model"), "vocab");
	g_assert(json_object_size(words) > 0);
	json_object_foreach(words, word, number) {
		g_assert(vocab_find_word(vocab, word) == json_integer_value(number));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == 'v')
		try_lines(data + 1, size - 1);
	else {
		try_json(data, size);
		compare(data, size);
	}
	return 0;
}
