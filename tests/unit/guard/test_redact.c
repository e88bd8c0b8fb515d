#include "test_guard.h"

#include "base/json.h"
#include "guard/redact.h"

static const char *const environ_with_secrets[] = {
	"PATH=/usr/bin",
	"GH_TOKEN=ordinary-looking-value",
	"MY_API_KEY=ordinary",
	"SHORT_TOKEN=abc",
	"MYSQL_PASSWORD=correct horse",
	"HOME=/root",
	NULL,
};

/* "[redacted jwt#1a2b]" -> "[redacted jwt#]" */
static char *without_tags(const char *text)
{
	GString *out = g_string_new(text);

	for (char *at = out->str; (at = strchr(at, '#')); at++)
		g_string_erase(out, at + 1 - out->str, 4);
	return g_string_free(out, FALSE);
}

static void shapes_and_variables(void **state)
{
	static const char *const cases[][2] = {
		{ "nothing here", "nothing here" },
		{ "it is ordinary-looking-value!", "it is [redacted GH_TOKEN]!" },
		{ "correct horse battery", "[redacted MYSQL_PASSWORD] battery" },
		{ "abc stays", "abc stays" },
		{ "key sk-proj-abcdefghijklmnop123 end", "key [redacted api-key#] end" },
		{ "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
		  "[redacted github-token#]" },
		{ "AKIAIOSFODNN7EXAMPLE", "[redacted aws-key#]" },
		{ "xoxb-1234567890-abc1234567890def", "[redacted slack-token#]" },
		{ "https://me:hunter22@host/x",
		  "https://me:[redacted url-password#]@host/x" },
		{ "Authorization: Bearer abcdefghijklmnop.qrs",
		  "Authorization: Bearer [redacted authorization#]" },
		{ "eyJhbGciOiJI.eyJzdWIiOiIx.sflKxw", "[redacted jwt#]" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----",
		  "[redacted private-key#]" },
		{ "-----BEGIN RSA PRIVATE KEY-----\ncut off", "[redacted private-key#]" },
		{ "task-force and skill-sk-x", "task-force and skill-sk-x" },
	};
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = spk_redact_text(redact, cases[i][0]);
		g_autofree char *plain = without_tags(got);
		g_autofree char *again = spk_redact_text(redact, got);

		assert_string_equal(plain, cases[i][1]);
		assert_string_equal(again, got);
	}
	assert_int_equal(spk_redact_count(redact), 11);
}

static void strings_of_json(void **state)
{
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);
	g_autoptr(json_t) json = json_pack("{s:[s,i,{s:s}],s:n}", "a", "correct horse", 7,
					   "b", "x ordinary-looking-value", "c");
	g_autoptr(json_t) clean = spk_redact_json(redact, json);
	g_autofree char *text = spk_json_dump(clean);

	assert_string_equal(text, "{\"a\":[\"[redacted MYSQL_PASSWORD]\",7,"
				  "{\"b\":\"x [redacted GH_TOKEN]\"}],\"c\":null}");
}

/* Whatever the pieces, the whole is what the whole text gives, and no piece holds more back
 * than it must. */
static void values_in_pieces(void **state)
{
	static const char text[] =
		"an ordinary ordinary-looking-value, correct horse; ordin";
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);
	g_autofree char *want = spk_redact_text(redact, text);

	assert_non_null(strstr(want, " [redacted MY_API_KEY] [redacted GH_TOKEN], [r"));

	for (gsize step = 1; step < sizeof(text); step++) {
		g_autoptr(GString) held = g_string_new(NULL), all = g_string_new(NULL);

		for (gsize at = 0; at < strlen(text); at += step) {
			g_autofree char *piece = g_strndup(text + at, step);
			g_autofree char *out = spk_redact_piece(redact, held, piece);

			g_string_append(all, out);
			if (at + step == strlen("an "))
				assert_string_equal(all->str, "an ");
		}
		g_autofree char *rest = spk_redact_piece(redact, held, NULL);

		g_string_append(all, rest);
		assert_string_equal(all->str, want);
		assert_int_equal(held->len, 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(shapes_and_variables),
	cmocka_unit_test(strings_of_json),
	cmocka_unit_test(values_in_pieces),
};
SUITE(redact_suite, tests);
