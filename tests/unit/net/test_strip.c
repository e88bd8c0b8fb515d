/* Secrets leave a stream wherever it is cut, and nothing else changes. */
#include "test_net.h"

#include <string.h>

#include "net/strip.h"

typedef struct {
	const char *secrets[3], *text, *clean;
} Case;

static const Case cases[] = {
	{ { "sk-secret" }, "a sk-secret b", "a ********* b" },
	{ { "sk-secret" }, "sk-secretsk-secret", "******************" },
	{ { "sk-secret" }, "sk-secre", "sk-secre" },
	{ { "sk-secret" }, "sk-sk-secret", "sk-*********" },
	{ { "sk-secret" }, "", "" },
	/* one begins within itself, and within the other */
	{ { "abcab" }, "abcabcab-", "********-" },
	{ { "abcab" }, "xabcabca", "x*****ca" },
	{ { "abcab" }, "abcabc", "*****c" },
	{ { "aaaa" }, "aaaaaab", "******b" },
	{ { "abcdef", "cd" }, "abcdex cd abcdef", "ab**ex ** ******" },
	{ { "abcdef", "defghi" }, "abcdefghi", "*********" },
	{ { "abcdef", "defghi" }, "abcdefghx", "******ghx" },
	{ { NULL }, "all of it", "all of it" },
	/* its characters written otherwise, all or some */
	{ { "k/\"+9" }, "x%6b%2F%22%2b%39y", "x***************y" },
	{ { "k/\"+9" }, "xk%2f%22+9y%2", "x*********y%2" },
	{ { "k/\"+9" }, "\"k\\/\\\"+9\"", "\"*******\"" },
	{ { "k/\"+9" }, "\\u006b\\u002F\\\"\\u002b9!", "*********************!" },
	{ { "a&<'b" },
	  "a&amp;&lt;&#39;b a&#x26;&#060;&apos;b",
	  "**************** ********************" },
	{ { "a&<'b" }, "a&amp;&lt;&#39;c &", "a&amp;&lt;&#39;c &" },
	{ { "50%25x" }, "50%25x 50%2525x 50%25%325x", "****** ******** **********" },
	{ { "a\\b" }, "a\\b a\\\\b a%5Cb a\\u005cb", "*** **** ***** ********" },
	{ { "abc" },
	  "%61%62%zz \\u00 &#x61;bc &#97;b &#0000097;bc",
	  "%61%62%zz \\u00 ******** &#97;b &#0000097;bc" },
};

static char *strip(const Case *c, gsize step)
{
	g_autoptr(GPtrArray) secrets = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	gsize len = strlen(c->text);
	SpkStrip it;

	for (gsize i = 0; i < G_N_ELEMENTS(c->secrets) && c->secrets[i]; i++)
		g_ptr_array_add(secrets, (gpointer)c->secrets[i]);
	spk_strip_init(&it, secrets);
	for (gsize at = 0; at < len; at += step)
		spk_strip_feed(&it, c->text + at, MIN(step, len - at), out);
	spk_strip_end(&it, out);
	spk_strip_clear(&it);
	g_byte_array_append(out, (const guint8 *)"", 1);
	return g_strdup((const char *)out->data);
}

static void test_every_cut(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		for (gsize step = 1; step <= strlen(cases[i].text) + 1; step++) {
			g_autofree char *clean = strip(&cases[i], step);

			if (strcmp(clean, cases[i].clean) != 0)
				fail_msg("%s by %zu: %s", cases[i].text, step, clean);
		}
}

/* What can't be a secret's beginning is not waited with: a stream of events flows. */
static void test_nothing_waits_without_need(void **state)
{
	g_autoptr(GPtrArray) secrets = g_ptr_array_new();
	g_autoptr(GByteArray) out = g_byte_array_new();
	SpkStrip it;

	g_ptr_array_add(secrets, (gpointer) "sk-secret");
	spk_strip_init(&it, secrets);
	spk_strip_feed(&it, "data: x\n\n", 9, out);
	assert_int_equal(out->len, 9);
	spk_strip_feed(&it, "data: sk-", 9, out);
	assert_int_equal(out->len, 15);
	spk_strip_feed(&it, "y\n\n", 3, out);
	assert_int_equal(out->len, 21);
	spk_strip_clear(&it);
}

const struct CMUnitTest strip_tests[] = {
	cmocka_unit_test(test_every_cut),
	cmocka_unit_test(test_nothing_waits_without_need),
};
const size_t n_strip_tests = G_N_ELEMENTS(strip_tests);
