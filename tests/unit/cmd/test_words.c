/* What is typed behind a slash: words, what they take, how the wrong is refused. */
#include <stdio.h>

#include "base/error.h"
#include "cmd/chat/words.h"
#include "test_cmd.h"

static void test_lines(void **state)
{
	static const struct {
		const char *text, *name, *first,
			*rest; /* name NULL: the refusal is `first` */
	} cases[] = {
		{ "/help", "help", "", "" },
		{ "/q", "q", "", "" },
		{ "/model", "model", "", "" },
		{ "/model ollama:qwen2.5-coder:7b", "model", "ollama:qwen2.5-coder:7b",
		  "" },
		{ "/model\tx", "model", "x", "" },
		{ "/set a.b  one  two ", "set", "a.b", "one  two" },
		{ "/set a.b", "set", "a.b", "" },
		{ "/mood how are you", "mood", "how", "are you" },
		{ "/", NULL, "there is no /", "" },
		{ "/ help", NULL, "there is no /", "" },
		{ "/Help", NULL, "there is no /Help (did you mean \"help\"?)", "" },
		{ "/tsks", NULL, "there is no /tsks (did you mean \"tasks\"?)", "" },
		{ "/quit now", NULL, "/quit takes nothing", "" },
		{ "/diff 1234 5678", NULL, "/diff takes one ID", "" },
		{ "/show 1 2", NULL, "/show takes one number", "" },
		{ "/h\033[31mx", NULL, "there is no /hx", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_auto(ChatLine) line = { 0 };

		if (!cases[i].name) {
			assert_false(chat_line_parse(cases[i].text, &line, &error));
			assert_string_equal(error->message, cases[i].first);
			assert_null(line.word);
			continue;
		}
		assert_true(chat_line_parse(cases[i].text, &line, &error));
		assert_string_equal(line.word->name, cases[i].name);
		assert_string_equal(line.first, cases[i].first);
		assert_string_equal(line.rest, cases[i].rest);
	}
}

/* Every word has a sentence somewhere, and none stands there twice. */
static void test_table(void **state)
{
	gboolean told[CHAT_N_WORDS] = { FALSE };

	(void)state;
	for (const ChatWord *word = chat_words(); word->name; word++) {
		assert_true(word->sentence ? !told[word->id] : told[word->id]);
		told[word->id] = TRUE;
	}
	for (int i = 0; i < CHAT_N_WORDS; i++)
		assert_true(told[i]);
}

const struct CMUnitTest words_tests[] = {
	cmocka_unit_test(test_lines),
	cmocka_unit_test(test_table),
};
const size_t n_words_tests = G_N_ELEMENTS(words_tests);
