/* How much is caught, and how often the alarm is false: values in all the forms they are written
 * in, strings with the shape of a secret (data/redact/shapes.txt) and harmless texts
 * (data/redact/harmless.txt). {{KIND N}} in these stands for N random characters, so that no file
 * here looks like a leak. */
#include "test_guard.h"

#include <stdio.h>
#include <string.h>

#include "guard/redact.h"

enum { WINDOW = 10 }; /* a piece of a secret that must not be seen */

static const struct {
	const char *kind, *set;
} kinds[] = {
	{ "an", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" },
	{ "b64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" },
	{ "b64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" },
	{ "b58", "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz" },
	{ "hex", "0123456789abcdef" },
	{ "upperhex", "0123456789ABCDEF" },
	{ "upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" },
	{ "num", "0123456789" },
	{ "lower", "abcdefghijklmnopqrstuvwxyz0123456789" },
	{ "pw", "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#%-_+" },
};

static const char *set_of(const char *kind)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (!strcmp(kinds[i].kind, kind))
			return kinds[i].set;
	fail_msg("unknown kind %s", kind);
	return NULL;
}

static char *made_up(GRand *random, const char *kind, guint n)
{
	GString *out = g_string_new(NULL);
	const char *set;

	if (!strcmp(kind, "uuid")) {
		for (guint i = 0; i < 36; i++)
			g_string_append_c(out,
					  strchr("\x08\x0d\x12\x17", (int)i) && i
						  ? '-'
						  : "0123456789abcdef"[g_rand_int_range(
							    random, 0, 16)]);
		return g_string_free(out, FALSE);
	}
	set = set_of(kind);
	while (out->len < n)
		g_string_append_c(out, set[g_rand_int_range(random, 0, strlen(set))]);
	if (!strcmp(kind, "pw"))
		memcpy(out->str + 2, "7q#", 3);
	return g_string_free(out, FALSE);
}

/* The text of a row, and what was made up for it. */
static char *expand(GRand *random, const char *row, GPtrArray *parts)
{
	GString *out = g_string_new(NULL);
	const char *open;

	while ((open = strstr(row, "{{")) && strstr(open, "}}")) {
		g_autofree char *inner =
			g_strndup(open + 2, strstr(open, "}}") - open - 2);
		g_auto(GStrv) words = g_strsplit(inner, " ", 2);
		char *part = NULL;

		g_string_append_len(out, row, open - row);
		row = open + strlen(inner) + 4;
		if (!words[0] || g_strv_length(words) > 2 ||
		    (strcmp(words[0], "uuid") != 0 && !words[1])) {
			g_string_append_printf(out, "{{%s}}", inner);
			continue;
		}
		if (!*words[0]) { /* {{ template }} of the text itself */
			g_string_append_printf(out, "{{%s}}", inner);
			continue;
		}
		part = made_up(random, words[0], words[1] ? atoi(words[1]) : 0);
		g_string_append(out, part);
		g_ptr_array_add(parts, part);
	}
	g_string_append(out, row);
	return g_string_free(out, FALSE);
}

static char **rows_of(const char *name)
{
	g_autofree char *path = g_build_filename(SPK_TEST_DATA, name, NULL);
	g_autofree char *all = NULL;

	assert_true(g_file_get_contents(path, &all, NULL, NULL));
	return g_strsplit(all, "\n%%\n", -1);
}

/* Whether a piece of it can be seen. */
static gboolean shows(const char *text, const char *part)
{
	gsize len = strlen(part), piece = MIN(len, WINDOW);

	for (gsize i = 0; i + piece <= len; i++)
		if (memmem(text, strlen(text), part + i, piece))
			return TRUE;
	return FALSE;
}

static void print_lines(const char *what, const char *text)
{
	g_auto(GStrv) lines_of = g_strsplit(text, "\n", -1);

	for (char **line = lines_of; *line; line++)
		printf("# %s: %s\n", what, *line);
}

/* ---- values that are known ---- */

static const char *const values[] = {
	"canary4f7d1c9a0be23586",
	"Tr0ub4dor&3-and-Zebras",
	"p@ss/w0rd?x=1&y=%2F\"q\"",
	"correct horse battery",
	"deadbeefcafef00d0123456789abcdef",
	"wJalrXUtnFEMI/K7MDENG+bPxRfiCYzz",
	"nine-lives",
	"back\\slash\\n and more",
	"z9-Q8_w7.V6~u5",
	"pa55w0rd",
	"grüße-aus-köln-4711",
	"+/+/leading8",
};

static char *plain(const char *value)
{
	return g_strdup(value);
}

static char *base64_at(const char *value, gsize before, const char *behind)
{
	g_autofree char *all =
		g_strdup_printf("%.*s%s%s", (int)before, "ab", value, behind);

	return g_base64_encode((const guchar *)all, strlen(all));
}

static char *base64_0(const char *value)
{
	return base64_at(value, 0, "");
}

static char *base64_1(const char *value)
{
	return base64_at(value, 1, "xyz");
}

static char *base64_2(const char *value)
{
	return base64_at(value, 2, ":tail");
}

static char *url_safe(const char *value)
{
	char *text = base64_at(value, 1, "");

	g_strdelimit(g_strdelimit(text, "+", '-'), "/", '_');
	return text;
}

static char *unpadded(const char *value)
{
	char *text = base64_at(value, 2, "");

	text[strcspn(text, "=")] = '\0';
	return text;
}

static char *wrapped(const char *text, gsize columns, const char *with)
{
	GString *out = g_string_new(NULL);

	for (gsize i = 0; text[i]; i++) {
		if (i && i % columns == 0)
			g_string_append(out, with);
		g_string_append_c(out, text[i]);
	}
	return g_string_free(out, FALSE);
}

static char *base64_wrapped(const char *value, gsize columns)
{
	g_autofree char *padding = g_strnfill(columns - 10, 'p');
	g_autofree char *all = g_strconcat(padding, value, padding, NULL);
	g_autofree char *text = g_base64_encode((const guchar *)all, strlen(all));

	return wrapped(text, columns, "\n");
}

static char *base64_64(const char *value)
{
	return base64_wrapped(value, 64);
}

static char *base64_76(const char *value)
{
	return base64_wrapped(value, 76);
}

static char *percent(const char *value, gboolean all, const char *format)
{
	GString *out = g_string_new(NULL);

	for (; *value; value++)
		if (all || !g_ascii_isalnum(*value))
			g_string_append_printf(out, format, (guchar)*value);
		else
			g_string_append_c(out, *value);
	return g_string_free(out, FALSE);
}

static char *url_upper(const char *value)
{
	return percent(value, FALSE, "%%%02X");
}

static char *url_lower(const char *value)
{
	return percent(value, FALSE, "%%%02x");
}

static char *url_all(const char *value)
{
	return percent(value, TRUE, "%%%02x");
}

/* Each third character. */
static char *url_some(const char *value)
{
	GString *out = g_string_new(NULL);

	for (gsize i = 0; value[i]; i++)
		g_string_append_printf(out, i % 3 && value[i] != '%' ? "%c" : "%%%02X",
				       (guchar)value[i]);
	return g_string_free(out, FALSE);
}

static char *hex_lower(const char *value)
{
	return percent(value, TRUE, "%02x");
}

static char *hex_upper(const char *value)
{
	return percent(value, TRUE, "%02X");
}

static char *hex_colons(const char *value)
{
	char *text = percent(value, TRUE, "%02x:");

	text[strlen(text) - 1] = '\0';
	return text;
}

static char *c_escapes(const char *value)
{
	return percent(value, TRUE, "\\x%02x");
}

static char *json(const char *value)
{
	GString *out = g_string_new(NULL);

	for (; *value; value++) {
		if (strchr("\"\\", *value))
			g_string_append_c(out, '\\');
		g_string_append_c(out, *value);
	}
	return g_string_free(out, FALSE);
}

static char *json_twice(const char *value)
{
	g_autofree char *once = json(value);

	return json(once);
}

static char *html(const char *value)
{
	return g_markup_escape_text(value, -1);
}

static char *lines(const char *value)
{
	return wrapped(value, 5, "\n        ");
}

static char *crlf(const char *value)
{
	return wrapped(value, 6, "\r\n");
}

static char *continued(const char *value)
{
	return wrapped(value, 5, "\\\n");
}

static char *joined(const char *value)
{
	return wrapped(value, 4, "\" + \"");
}

static char *joined_lines(const char *value)
{
	return wrapped(value, 5, "\"\n    \"");
}

static char *joined_dots(const char *value)
{
	return wrapped(value, 6, "' . '");
}

static char *commented(const char *value)
{
	return wrapped(value, 7, "\n# ");
}

static char *numbered(const char *value)
{
	return wrapped(value, 7, "\n    12\t");
}

static char *quoted_printable(const char *value)
{
	return wrapped(value, 6, "=\n");
}

static char *soft(const char *value)
{
	GString *out = g_string_new(NULL);

	for (const char *p = value; *p; p = g_utf8_next_char(p)) {
		g_string_append_len(out, p, g_utf8_next_char(p) - p);
		g_string_append(out, (p - value) % 2 ? "\xc2\xad" : "\xe2\x80\x8b");
	}
	return g_string_free(out, FALSE);
}

/* Only of a value of hexadecimal digits. */
static char *other_case(const char *value)
{
	return strspn(value, "0123456789abcdef") == strlen(value)
		       ? g_ascii_strup(value, -1)
		       : g_strdup(value);
}

static const struct {
	const char *name;
	char *(*write)(const char *value);
} forms[] = {
	{ "plain", plain },
	{ "base64", base64_0 },
	{ "base64, one byte before", base64_1 },
	{ "base64, two bytes before", base64_2 },
	{ "base64, url-safe", url_safe },
	{ "base64, no padding", unpadded },
	{ "base64, 64 columns", base64_64 },
	{ "base64, 76 columns", base64_76 },
	{ "URL, upper", url_upper },
	{ "URL, lower", url_lower },
	{ "URL, all", url_all },
	{ "URL, in part", url_some },
	{ "hexadecimal, lower", hex_lower },
	{ "hexadecimal, upper", hex_upper },
	{ "hexadecimal, colons", hex_colons },
	{ "C escapes", c_escapes },
	{ "JSON", json },
	{ "JSON in JSON", json_twice },
	{ "HTML", html },
	{ "lines, indented", lines },
	{ "lines, CRLF", crlf },
	{ "lines, continued", continued },
	{ "lines, comments", commented },
	{ "lines, numbered", numbered },
	{ "lines, quoted-printable", quoted_printable },
	{ "joined, +", joined },
	{ "joined, two lines", joined_lines },
	{ "joined, .", joined_dots },
	{ "unseen characters", soft },
	{ "other case", other_case },
};

static SpkRedact *of_values(void)
{
	g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
		g_ptr_array_add(env, g_strdup_printf("V%zu_TOKEN=%s", i, values[i]));
	g_ptr_array_add(env, NULL);
	return spk_redact_new((const char *const *)env->pdata);
}

/* All of the form's middle is gone: what remains of it is no longer than its ends. */
static gboolean is_hidden(const char *got, const char *form)
{
	return strstr(got, "[redacted V") && !strstr(got, form);
}

static void known_values(void **state)
{
	static const char *const around[][2] = { { "x ", " y" },
						 { "key=\"", "\"\n" },
						 { "C:\\n", "\\n" } };
	g_autoptr(SpkRedact) redact = of_values();
	guint texts = 0, caught = 0;

	for (gsize f = 0; f < G_N_ELEMENTS(forms); f++) {
		guint of_form = 0;

		for (gsize v = 0; v < G_N_ELEMENTS(values); v++) {
			g_autofree char *form = forms[f].write(values[v]);
			const char *const *both = around[(f + v) % 3];
			g_autofree char *text = g_strconcat(both[0], form, both[1], NULL);
			g_autofree char *got = spk_redact_text(redact, text);
			gboolean hidden = is_hidden(got, form);

			of_form += hidden;
			if (!hidden)
				printf("# missed: %s of %s: %s\n", forms[f].name,
				       values[v], got);
		}
		printf("# %-26s %2u of %zu\n", forms[f].name, of_form,
		       G_N_ELEMENTS(values));
		texts += G_N_ELEMENTS(values);
		caught += of_form;
	}
	printf("# known values: %u of %u texts, %.1f %%\n", caught, texts,
	       100.0 * caught / texts);
	assert_true(texts >= 150);
	assert_true(caught * 1000 >= texts * 990);
}

static void shapes(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(11);
	g_autoptr(SpkRedact) redact = of_values();
	g_auto(GStrv) rows = rows_of("shapes.txt");
	guint texts = g_strv_length(rows), caught = 0;

	for (guint i = 0; i < texts; i++) {
		g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
		g_autofree char *text = expand(random, rows[i], parts);
		g_autofree char *got = spk_redact_text(redact, text);
		gboolean seen = FALSE;

		if (!parts->len)
			print_lines("nothing is made up", rows[i]);
		assert_true(parts->len > 0);
		for (guint k = 0; k < parts->len; k++)
			seen |= shows(got, parts->pdata[k]);
		caught += !seen;
		if (seen)
			print_lines("missed", rows[i]);
	}
	printf("# shapes: %u of %u texts, %.1f %%\n", caught, texts,
	       100.0 * caught / texts);
	assert_true(texts >= 150);
	assert_true(caught * 100 >= texts * 95);
}

static void harmless(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(12);
	g_autoptr(SpkRedact) redact = of_values();
	g_auto(GStrv) rows = rows_of("harmless.txt");
	guint texts = g_strv_length(rows), alarms = 0;

	for (guint i = 0; i < texts; i++) {
		g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
		g_autofree char *text = expand(random, rows[i], parts);
		g_autofree char *got = spk_redact_text(redact, text);

		if (strcmp(got, text) != 0) {
			alarms++;
			print_lines("false alarm", got);
		}
	}
	printf("# harmless: %u false alarms in %u texts, %.1f %%\n", alarms, texts,
	       100.0 * alarms / texts);
	assert_true(texts >= 300);
	assert_true(alarms * 100 <= texts);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(known_values),
	cmocka_unit_test(shapes),
	cmocka_unit_test(harmless),
};
SUITE(redact_corpus_suite, tests);
