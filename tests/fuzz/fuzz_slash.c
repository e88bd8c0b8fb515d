/* A line that begins with a slash, as the editor hands it on (clean, without white space at its
 * ends): a word of the table with what it takes and nothing else of it lost, or a refusal that is
 * one short clean line. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cmd/chat/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const GError *error)
{
	g_autofree char *clean = spk_text_clean(error->message, -1, SPK_CLEAN_LINE);

	g_assert_true(g_error_matches(error, SPK_ERROR, SPK_ERR_USAGE));
	g_assert_cmpstr(clean, ==, error->message);
	g_assert_cmpuint(strlen(clean), <, 200);
}

static void check_line(const ChatLine *line, const char *text)
{
	g_autofree char *again =
		g_strdup_printf("/%s %s %s", line->word->name, line->first, line->rest);
	g_auto(ChatLine) same = { 0 };

	g_assert_null(strpbrk(line->first, " \t\r\n"));
	g_assert_true(*line->first || !*line->rest);
	g_assert_nonnull(strstr(text, line->first));
	g_assert_nonnull(strstr(text, line->rest));
	if (!line->word->instead) {
		g_assert_true(line->word->takes != CHAT_TAKES_NOTHING || !*line->first);
		g_assert_true(line->word->takes == CHAT_TAKES_KNOB || !*line->rest);
	}
	g_assert_true(chat_line_parse(g_strchomp(again), &same, NULL));
	g_assert_true(same.word == line->word);
	g_assert_cmpstr(same.first, ==, line->first);
	g_assert_cmpstr(same.rest, ==, line->rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *clean =
		spk_text_clean((const char *)data, (gssize)size, SPK_CLEAN_TEXT);
	g_autofree char *text = g_strconcat("/", g_strchomp(clean), NULL);
	g_autoptr(GError) error = NULL;
	g_auto(ChatLine) line = { 0 };

	if (chat_line_parse(text, &line, &error))
		check_line(&line, text);
	else
		check_refusal(error);
	return 0;
}
