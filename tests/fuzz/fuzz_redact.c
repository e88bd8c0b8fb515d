/* The filter of redaction against a slow and obvious search: each form tried at each place. What
 * that finds, the fast one covers; nothing that is known is left in what comes out, at once or in
 * pieces; and what has come out once stays as it is.
 *
 * Bytes from 0xe0 stand for a value in one of its forms, so that there is something to find. */
#include <stdint.h>
#include <string.h>

#include "guard/redact/redact_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "ONE", "TWO", "THREE", "FOUR" };
static const char *const values[] = { "nxt-Value_0f3a", "p@ss w/rd%41\\n\"1",
				      "deadbeef00cafe11", "\\\"!!=%%&&z9" };

typedef struct {
	GArray *forms; /* of all values */
	RedactKnown *known;
	SpkRedact *redact;
} World;

static const World *world(void)
{
	static World made;

	if (made.forms)
		return &made;
	made.forms = g_array_new(FALSE, FALSE, sizeof(RedactForm));
	for (guint i = 0; i < G_N_ELEMENTS(values); i++)
		redact_forms_of(values[i], i, made.forms);
	made.known = redact_known_new(names, values, G_N_ELEMENTS(values));
	g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < G_N_ELEMENTS(values); i++)
		g_ptr_array_add(env, g_strdup_printf("%s_TOKEN=%s", names[i], values[i]));
	g_ptr_array_add(env, NULL);
	made.redact = spk_redact_new((const char *const *)env->pdata);
	return &made;
}

static GString *text_of(const uint8_t *data, size_t size)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < size; i++) {
		const RedactForm *form =
			&g_array_index(world()->forms, RedactForm,
				       (data[i] - 0xe0) % world()->forms->len);

		if (data[i] >= 0xe0)
			g_string_append_len(text, form->bytes, (gssize)form->len);
		else
			g_string_append_c(text, (char)data[i]);
	}
	return text;
}

static gboolean is_covered(const GArray *spans, gsize start, gsize end)
{
	for (gsize at = start; at < end; at++) {
		gboolean inside = FALSE;

		for (guint i = 0; i < spans->len && !inside; i++) {
			const RedactSpan *span = &g_array_index(spans, RedactSpan, i);

			inside = at >= span->start && at < span->end;
		}
		if (!inside)
			return FALSE;
	}
	return TRUE;
}

static void compare(const GString *text)
{
	g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(RedactSpan));

	redact_known_find(world()->known, text->str, text->len, spans);
	for (guint i = 0; i < world()->forms->len; i++) {
		const RedactForm *form = &g_array_index(world()->forms, RedactForm, i);
		g_autofree guint8 *symbols = NULL;
		gsize end, n;

		symbols = redact_fold_all(form->bytes, form->len, &n);
		/* with fewer letters only what is written just so is found */
		if (n < 4)
			continue;
		for (gsize at = 0; at < text->len; at++)
			if (redact_form_match(form, text->str, text->len, at, &end) ==
			    MATCH_YES)
				g_assert(is_covered(spans, at, end));
	}
	for (guint i = 0; i < spans->len; i++) {
		const RedactSpan *span = &g_array_index(spans, RedactSpan, i);

		g_assert(span->start < span->end && span->end <= text->len);
	}
}

static void check_clean(const char *text, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
		g_assert(!memmem(text, len, values[i], strlen(values[i])));
}

static void in_pieces(const GString *text, gsize step)
{
	g_autoptr(GString) held = g_string_new(NULL), all = g_string_new(NULL);

	for (gsize at = 0; at <= text->len; at += step) {
		gsize n = MIN(step, text->len - at);
		GString *out = redact_piece_data(world()->redact, held, text->str + at, n,
						 at + step > text->len);

		g_string_append_len(all, out->str, (gssize)out->len);
		g_string_free(out, TRUE);
	}
	g_assert(!held->len);
	check_clean(all->str, all->len);
}

static void put_back(const char *text)
{
	g_autoptr(SpkVault) vault = spk_vault_new();
	g_autofree char *hidden = spk_redact_text_into(world()->redact, vault, text);
	g_autofree char *back =
		spk_redact_restore(world()->redact, vault, text, hidden, NULL);

	/* two texts with one tag stay; what looks like a placeholder is the text's own */
	if (!strstr(back, "[redacted ") && !strstr(text, "[redacted "))
		g_assert_cmpstr(back, ==, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GString) text = NULL, out = NULL;

	if (size < 1 || size > 600)
		return 0;
	text = text_of(data + 1, size - 1);
	compare(text);
	out = spk_redact_data(world()->redact, text->str, text->len);
	if (out)
		check_clean(out->str, out->len);
	in_pieces(text, 1 + data[0] % 32);
	if (!memchr(text->str, '\0', text->len))
		put_back(text->str);
	return 0;
}
