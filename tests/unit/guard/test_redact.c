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

static void shapes_and_variables(void **state)
{
	static const char *const cases[][2] = {
		{ "nothing here", "nothing here" },
		{ "it is ordinary-looking-value!", "it is [redacted GH_TOKEN]!" },
		{ "correct horse battery", "[redacted MYSQL_PASSWORD] battery" },
		{ "abc stays", "abc stays" },
		{ "key sk-proj-abcdefghijklmnop123 end", "key [redacted] end" },
		{ "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[redacted]" },
		{ "AKIAIOSFODNN7EXAMPLE", "[redacted]" },
		{ "xoxb-1234567890-abc", "[redacted]" },
		{ "https://me:hunter22@host/x", "https://[redacted]@host/x" },
		{ "Authorization: Bearer abcdefghijklmnop.qrs",
		  "Authorization: Bearer [redacted]" },
		{ "eyJhbGciOiJI.eyJzdWIiOiIx.sflKxw", "[redacted]" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----",
		  "[redacted]" },
		{ "-----BEGIN RSA PRIVATE KEY-----\ncut off", "[redacted]" },
		{ "task-force and skill-sk-x", "task-force and skill-sk-x" },
	};
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = spk_redact_text(redact, cases[i][0]);

		assert_string_equal(got, cases[i][1]);
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

static void known_values_alone(void **state)
{
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);
	g_autofree char *text = spk_redact_known(
		redact, "ordinary-looking-value of sk-proj-abcdefghijklmnop123");
	g_autoptr(json_t) json = json_pack("[{s:s}]", "a", "=correct horse=");
	g_autoptr(json_t) clean = spk_redact_known_json(redact, json);
	g_autofree char *dump = spk_json_dump(clean);

	assert_string_equal(text, "[redacted GH_TOKEN] of sk-proj-abcdefghijklmnop123");
	assert_string_equal(dump, "[{\"a\":\"=[redacted MYSQL_PASSWORD]=\"}]");
	assert_true(spk_redact_holds_known(redact, json));
	assert_false(spk_redact_holds_known(redact, clean));
	assert_int_equal(spk_redact_count(redact), 0);
}

/* Whatever the pieces, the whole is what the whole text gives, and no piece holds more back
 * than it must. */
static void values_in_pieces(void **state)
{
	static const char text[] =
		"an ordinary ordinary-looking-value, correct horse; ordin";
	g_autoptr(SpkRedact) redact = spk_redact_new(environ_with_secrets);
	g_autofree char *want = spk_redact_known(redact, text);

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
	cmocka_unit_test(known_values_alone),
	cmocka_unit_test(values_in_pieces),
};
SUITE(redact_suite, tests);
