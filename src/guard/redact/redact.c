/* Finding what is secret in a text, and what stands in its place. */
#include "guard/redact.h"

#include <string.h>

#include "base/json.h"
#include "guard/redact/redact_priv.h"
#include "guard/veil.h"

#define PLACEHOLDER "[redacted "

enum { SHOWN_MAX = 64, TAG_DIGITS = 4 };

/* The one that is meant; *ret_held to be given back. */
static const SpkRedact *meant(const SpkRedact *redact, SpkRedact **ret_held)
{
	*ret_held = redact ? NULL : spk_guard_redact();
	return redact ? redact : *ret_held;
}

/* ---- placeholders ---- */

gsize spk_redact_placeholder(const char *text)
{
	const char *p = text + strlen(PLACEHOLDER), *name = p;

	if (strncmp(text, PLACEHOLDER, strlen(PLACEHOLDER)) != 0)
		return 0;
	while (g_ascii_isalnum(*p) || (*p && strchr("_.-", *p)))
		p++;
	if (p == name || p - name > SHOWN_MAX)
		return 0;
	if (*p == '#') {
		for (guint i = 0; i < TAG_DIGITS; i++)
			if (!g_ascii_isxdigit(p[1 + i]))
				return 0;
		p += 1 + TAG_DIGITS;
	}
	return *p == ']' ? (gsize)(p + 1 - text) : 0;
}

/* Under a key of this machine's own: of a short password, a bare digest would tell too much. */
static char *placeholder_of(const char *text, const RedactSpan *span)
{
	guint8 key[REDACT_TAG_KEY];
	g_autofree char *digest = NULL;

	if (span->plain)
		return g_strdup_printf(PLACEHOLDER "%s]", span->name);
	redact_tag_key(key);
	digest = g_compute_hmac_for_data(G_CHECKSUM_SHA256, key, sizeof(key),
					 (const guchar *)text + span->start,
					 span->end - span->start);
	explicit_bzero(key, sizeof(key));
	return g_strdup_printf(PLACEHOLDER "%s#%.*s]", span->name, TAG_DIGITS, digest);
}

/* ---- spans ---- */

static gint by_place(gconstpointer a, gconstpointer b)
{
	const RedactSpan *one = a, *other = b;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return one->end == other->end ? 0 : one->end > other->end ? -1 : 1;
}

/* Of one that was put there before. */
static gboolean is_in_placeholder(const char *text, const RedactSpan *span)
{
	gsize most = MIN(span->start, SHOWN_MAX + strlen(PLACEHOLDER) + TAG_DIGITS + 2);

	for (gsize back = 1; back <= most; back++) {
		const char *at = text + span->start - back;

		if (*at == '[' &&
		    spk_redact_placeholder(at) >= back + span->end - span->start)
			return TRUE;
	}
	return FALSE;
}

/* A name for two that overlap: of a value rather than of a shape, else of the longer. */
static void merge(RedactSpan *into, const RedactSpan *span)
{
	gboolean better = span->known != into->known
				  ? span->known
				  : span->end - span->start > into->end - into->start;

	if (span->start == into->start && span->end == into->end && !better)
		return;
	if (better)
		into->name = span->name;
	into->plain = (better ? span->plain : into->plain) &&
		      (better ? span : into)->start == into->start &&
		      (better ? span : into)->end == MAX(into->end, span->end);
	into->known |= span->known;
	into->end = MAX(into->end, span->end);
}

static void settle(const char *text, GArray *spans)
{
	guint n = 0;

	g_array_sort(spans, by_place);
	for (guint i = 0; i < spans->len; i++) {
		RedactSpan span = g_array_index(spans, RedactSpan, i);
		RedactSpan *last = n ? &g_array_index(spans, RedactSpan, n - 1) : NULL;

		if (is_in_placeholder(text, &span))
			continue;
		if (last && span.start < last->end)
			merge(last, &span);
		else
			g_array_index(spans, RedactSpan, n++) = span;
	}
	g_array_set_size(spans, n);
}

GArray *redact_find(const SpkRedact *redact, const char *text, gsize len, gsize *open)
{
	GArray *spans = g_array_new(FALSE, FALSE, sizeof(RedactSpan));

	if (redact->known) {
		redact_known_find(redact->known, text, len, spans);
		if (open)
			*open = MIN(*open, redact_known_open(redact->known, text, len));
	}
	redact_shapes_find(text, len, spans, open);
	if (spans->len)
		settle(text, spans);
	return spans;
}

void redact_write(const SpkRedact *redact, const char *text, gsize len,
		  const GArray *spans, SpkVault *vault, gboolean lines, GString *out)
{
	gsize from = 0;

	for (guint i = 0; i < spans->len; i++) {
		const RedactSpan *span = &g_array_index(spans, RedactSpan, i);
		g_autofree char *with = NULL;

		if (span->end > len)
			break;
		with = placeholder_of(text, span);
		if (vault)
			vault_keep(vault, with, text + span->start,
				   span->end - span->start, span->known);
		g_string_append_len(out, text + from, (gssize)(span->start - from));
		g_string_append(out, with);
		for (gsize at = span->start; lines && at < span->end; at++)
			if (text[at] == '\n')
				g_string_append_c(out, '\n');
		from = span->end;
		g_atomic_int_inc((gint *)&redact->count);
	}
	g_string_append_len(out, text + from, (gssize)(len - from));
}

/* ---- texts ---- */

static GString *treat(const SpkRedact *redact, SpkVault *vault, const char *data,
		      gsize len, gboolean lines)
{
	g_autoptr(SpkRedact) held = NULL;
	g_autoptr(GArray) spans = NULL;
	GString *out;

	redact = meant(redact, &held);
	spans = redact_find(redact, data, len, NULL);
	if (!spans->len)
		return NULL;
	out = g_string_sized_new(len);
	redact_write(redact, data, len, spans, vault, lines, out);
	return out;
}

GString *spk_redact_data(const SpkRedact *redact, const char *data, gsize len)
{
	return treat(redact, NULL, data, len, FALSE);
}

GString *spk_redact_lines(const SpkRedact *redact, SpkVault *vault, const char *data,
			  gsize len)
{
	return treat(redact, vault, data, len, TRUE);
}

char *spk_redact_text_into(const SpkRedact *redact, SpkVault *vault, const char *text)
{
	GString *out = treat(redact, vault, text, strlen(text), FALSE);

	return out ? g_string_free(out, FALSE) : g_strdup(text);
}

char *spk_redact_text(const SpkRedact *redact, const char *text)
{
	return spk_redact_text_into(redact, NULL, text);
}

/* ---- JSON ---- */

/* NULL: nothing is to be replaced. */
static json_t *treat_json(const SpkRedact *redact, SpkVault *vault, json_t *json);

static json_t *treat_string(const SpkRedact *redact, SpkVault *vault, const json_t *json)
{
	gsize len = json_string_length(json);
	g_autoptr(GString) out = NULL;

	if (len < SPK_REDACT_MIN)
		return NULL;
	out = treat(redact, vault, json_string_value(json), len, FALSE);
	return out ? spk_json_text_n(out->str, out->len) : NULL;
}

static json_t *treat_array(const SpkRedact *redact, SpkVault *vault, json_t *json)
{
	json_t *copy = NULL, *value;
	size_t i;

	json_array_foreach(json, i, value) {
		json_t *treated = treat_json(redact, vault, value);

		if (treated && !copy)
			copy = json_copy(json);
		if (treated)
			json_array_set_new(copy, i, treated);
	}
	return copy;
}

/* What a name says counts as in a text: {"password": …}. */
static json_t *treat_member(const SpkRedact *redact, SpkVault *vault, const char *key,
			    json_t *value)
{
	json_t *treated = treat_json(redact, vault, value);
	const char *text = json_string_value(value);

	if (!treated && text && redact_assigns(key, text)) {
		g_autoptr(SpkRedact) held = NULL;
		g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(RedactSpan));
		g_autoptr(GString) out = g_string_new(NULL);

		redact_span_add(spans, 0, strlen(text), "password");
		redact_write(meant(redact, &held), text, strlen(text), spans, vault,
			     FALSE, out);
		treated = spk_json_text(out->str);
	}
	return treated;
}

static json_t *treat_object(const SpkRedact *redact, SpkVault *vault, json_t *json)
{
	json_t *copy = json_object(), *value;
	gboolean changed = FALSE;
	const char *key;

	json_object_foreach(json, key, value) {
		GString *name = strlen(key) < SPK_REDACT_MIN
					? NULL
					: treat(redact, vault, key, strlen(key), FALSE);
		json_t *treated = treat_member(redact, vault, key, value);

		changed |= name || treated;
		spk_json_set(copy, name ? name->str : key,
			     treated ? treated : json_incref(value));
		if (name)
			g_string_free(name, TRUE);
	}
	if (changed)
		return copy;
	json_decref(copy);
	return NULL;
}

static json_t *treat_json(const SpkRedact *redact, SpkVault *vault, json_t *json)
{
	switch (json_typeof(json)) {
	case JSON_STRING:
		return treat_string(redact, vault, json);
	case JSON_ARRAY:
		return treat_array(redact, vault, json);
	case JSON_OBJECT:
		return treat_object(redact, vault, json);
	default:
		return NULL;
	}
}

json_t *spk_redact_json_into(const SpkRedact *redact, SpkVault *vault, json_t *json)
{
	g_autoptr(SpkRedact) held = NULL;
	json_t *treated = treat_json(meant(redact, &held), vault, json);

	return treated ? treated : json_incref(json);
}

json_t *spk_redact_json(const SpkRedact *redact, json_t *json)
{
	return spk_redact_json_into(redact, NULL, json);
}
