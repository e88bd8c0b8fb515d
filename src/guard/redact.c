#include "guard/redact.h"

#include <string.h>

#include "base/json.h"
#include "conf/secret.h"

#define MIN_VALUE 8 /* shorter values would blacken ordinary words */

/* Published shapes of keys and tokens. */
static const char *const shapes[] = {
	"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
	"\\bsk-[A-Za-z0-9_-]{16,}",	 /* OpenAI, Anthropic, OpenRouter */
	"\\bgh[pousr]_[A-Za-z0-9]{20,}", /* GitHub */
	"\\bgithub_pat_[A-Za-z0-9_]{20,}",
	"\\bglpat-[A-Za-z0-9_-]{16,}",	     /* GitLab */
	"\\blin_api_[A-Za-z0-9]{16,}",	     /* Linear */
	"\\bxox[abeoprs]-[A-Za-z0-9-]{10,}", /* Slack */
	"\\bxapp-[A-Za-z0-9-]{10,}",
	"\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b",				   /* AWS */
	"\\bAIza[A-Za-z0-9_-]{30,}",					   /* Google */
	"\\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\\b",				   /* Telegram */
	"\\beyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{4,}", /* JWT */
	"(?<=://)[^/\\s:@]{1,64}:[^/\\s@]{3,}(?=@)", /* user:password in a URL */
	"(?i:(?<=bearer ))[A-Za-z0-9._~+/-]{16,}=*",
	NULL,
};

/* Parts of a name that say "this is a secret". */
static const char *const name_parts[] = {
	"TOKEN",  "SECRET",	 "PASSWORD",   "PASSWD",     "API_KEY",
	"APIKEY", "PRIVATE_KEY", "ACCESS_KEY", "CREDENTIAL",
};

typedef struct {
	char *name, *value;
} Known;

struct SpkRedact {
	GArray *known;
	GRegex *shape; /* of all shapes; made when it is first needed */
	guint count;
};

static gboolean is_secret_name(const char *name)
{
	g_autofree char *upper = g_ascii_strup(name, -1);

	for (gsize i = 0; i < G_N_ELEMENTS(name_parts); i++)
		if (strstr(upper, name_parts[i]))
			return TRUE;
	return FALSE;
}

static void known_clear(gpointer data)
{
	Known *known = data;

	g_free(known->name);
	spk_secret_wipe(known->value);
}

/* Longest first: a value that contains another is replaced whole. */
static gint by_length(gconstpointer a, gconstpointer b)
{
	gsize la = strlen(((const Known *)a)->value),
	      lb = strlen(((const Known *)b)->value);

	return la < lb ? 1 : la > lb ? -1 : 0;
}

SpkRedact *spk_redact_new(const char *const *env)
{
	SpkRedact *redact = g_new0(SpkRedact, 1);

	redact->known = g_array_new(FALSE, FALSE, sizeof(Known));
	g_array_set_clear_func(redact->known, known_clear);
	for (; *env; env++) {
		const char *equals = strchr(*env, '=');
		g_autofree char *name = equals ? g_strndup(*env, equals - *env) : NULL;

		if (name && (spk_secret_find(name) || is_secret_name(name)) &&
		    strlen(equals + 1) >= MIN_VALUE) {
			Known known = { g_steal_pointer(&name), g_strdup(equals + 1) };

			g_array_append_val(redact->known, known);
		}
	}
	g_array_sort(redact->known, by_length);
	return redact;
}

void spk_redact_free(SpkRedact *redact)
{
	if (!redact)
		return;
	g_array_unref(redact->known);
	g_clear_pointer(&redact->shape, g_regex_unref);
	g_free(redact);
}

static guint replace_known(const SpkRedact *redact, GString *text)
{
	guint count = 0;

	for (guint i = 0; i < redact->known->len; i++) {
		const Known *known = &g_array_index(redact->known, Known, i);
		g_autofree char *with = NULL;

		if (!strstr(text->str, known->value))
			continue;
		with = g_strdup_printf("[redacted %s]", known->name);
		count += g_string_replace(text, known->value, with, 0);
	}
	return count;
}

static gboolean replace_shape(const GMatchInfo *match, GString *out, gpointer user)
{
	SpkRedact *redact = user;

	redact->count++;
	g_string_append(out, "[redacted]");
	return FALSE;
}

static void prepare(SpkRedact *redact)
{
	g_autofree char *pattern = g_strjoinv("|", (char **)shapes);

	if (redact->shape)
		return;
	redact->shape = g_regex_new(pattern, G_REGEX_OPTIMIZE | G_REGEX_RAW, 0, NULL);
	g_assert(redact->shape);
}

char *spk_redact_text(SpkRedact *redact, const char *text)
{
	g_autoptr(GString) out = g_string_new(text);
	char *result;

	prepare(redact);
	redact->count += replace_known(redact, out);
	result = g_regex_replace_eval(redact->shape, out->str, out->len, 0, 0,
				      replace_shape, redact, NULL);
	/* The matcher's own limits were passed: better nothing than a secret. */
	return result ? result : g_strdup("[redacted: could not be examined]");
}

char *spk_redact_known(const SpkRedact *redact, const char *text)
{
	GString *out = g_string_new(text);

	(void)replace_known(redact, out);
	return g_string_free(out, FALSE);
}

/* Bytes at the end of the text that a value may begin with. */
static gsize open_end(const SpkRedact *redact, const GString *text)
{
	gsize most = 0;

	for (guint i = 0; i < redact->known->len; i++) {
		const char *value = g_array_index(redact->known, Known, i).value;
		gsize n = MIN(strlen(value) - 1, text->len);

		while (n > most && strncmp(text->str + text->len - n, value, n) != 0)
			n--;
		most = MAX(most, n);
	}
	return most;
}

/* The last place at or before `cut` that lies inside no value. */
static gsize between_values(const SpkRedact *redact, const GString *text, gsize cut)
{
	for (guint i = 0; i < redact->known->len; i++) {
		const char *value = g_array_index(redact->known, Known, i).value;
		const char *at = text->str;

		while ((at = strstr(at, value)) && at < text->str + cut) {
			if (at + strlen(value) > text->str + cut)
				return between_values(redact, text, at - text->str);
			at++;
		}
	}
	return cut;
}

char *spk_redact_piece(const SpkRedact *redact, GString *held, const char *piece)
{
	g_autoptr(GString) out = g_string_new(NULL);
	gsize cut;

	g_string_append(held, piece ? piece : "");
	cut = piece ? between_values(redact, held, held->len - open_end(redact, held))
		    : held->len;
	g_string_append_len(out, held->str, (gssize)cut);
	g_string_erase(held, 0, (gssize)cut);
	(void)replace_known(redact, out);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

typedef char *(*Treat)(gpointer how, const char *text);

static json_t *treat_json(gpointer how, Treat treat, const json_t *json)
{
	g_autofree char *text = NULL;
	const json_t *value;
	const char *key;
	json_t *copy;
	size_t i;

	switch (json_typeof(json)) {
	case JSON_STRING:
		text = treat(how, json_string_value(json));
		return spk_json_text(text);
	case JSON_ARRAY:
		copy = json_array();
		json_array_foreach(json, i, value)
			json_array_append_new(copy, treat_json(how, treat, value));
		return copy;
	case JSON_OBJECT:
		copy = json_object();
		json_object_foreach((json_t *)json, key, value)
			spk_json_set(copy, key, treat_json(how, treat, value));
		return copy;
	default:
		return json_deep_copy(json);
	}
}

static char *treat_all(gpointer how, const char *text)
{
	return spk_redact_text(how, text);
}

static char *treat_known(gpointer how, const char *text)
{
	return spk_redact_known(how, text);
}

json_t *spk_redact_json(SpkRedact *redact, const json_t *json)
{
	return treat_json(redact, treat_all, json);
}

json_t *spk_redact_known_json(const SpkRedact *redact, const json_t *json)
{
	return treat_json((gpointer)redact, treat_known, json);
}

static gboolean text_holds(const SpkRedact *redact, const char *text)
{
	for (guint i = 0; i < redact->known->len; i++)
		if (strstr(text, g_array_index(redact->known, Known, i).value))
			return TRUE;
	return FALSE;
}

gboolean spk_redact_holds_known(const SpkRedact *redact, const json_t *json)
{
	const json_t *value;
	const char *key;
	size_t i;

	if (json_is_string(json))
		return text_holds(redact, json_string_value(json));
	json_array_foreach(json, i, value)
		if (spk_redact_holds_known(redact, value))
			return TRUE;
	json_object_foreach((json_t *)json, key, value)
		if (spk_redact_holds_known(redact, value))
			return TRUE;
	return FALSE;
}

guint spk_redact_count(SpkRedact *redact)
{
	return redact->count;
}
