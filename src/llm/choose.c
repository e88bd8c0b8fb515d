#include "llm/choose_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#define ASK_MS	300
#define KEEP_US (60 * G_USEC_PER_SEC) /* what was found stays so for a minute */

static const char *const ways_on =
	"set OPENAI_API_KEY (or ANTHROPIC_API_KEY), or keep it with `sparks secrets set "
	"openai.api_key`; or start a server here (`ollama pull qwen2.5-coder:7b`, or "
	"`llama-server -m FILE`), or put one's address into [openai] url; or answer from a "
	"file with --model script:FILE";

/* ---- what is configured ---- */

static const SpkProvider *named_provider(SpkConf *conf, GError **error)
{
	const char *name = spk_conf_str(conf, "llm.provider");
	const SpkProvider *row = spk_provider_find(name, strlen(name));
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL;

	if (row)
		return row;
	for (row = spk_providers; row->name; row++)
		g_ptr_array_add(names, (gpointer)row->name);
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	spk_error_set(error, SPK_ERR_CONFIG, "`sparks config show` names the providers",
		      "[llm] provider \"%s\" is not one%s", name, nearest);
	return NULL;
}

static gboolean is_configured(const SpkProvider *row, SpkConf *conf)
{
	g_auto(SpkProviderState) state = { 0 };

	return row->impl->describe(row, conf, &state, NULL) && state.configured;
}

/* Whether a model is known without asking anybody. */
static gboolean has_model(const SpkProvider *row, SpkConf *conf, const char *given)
{
	g_autofree char *option = g_strconcat(row->name, ".model", NULL);

	return given || *spk_conf_str(conf, option);
}

static const SpkProvider *first_configured(SpkConf *conf, const char *given)
{
	for (const SpkProvider *row = spk_providers; row->url; row++)
		if (is_configured(row, conf) && has_model(row, conf, given))
			return row;
	return NULL;
}

/* ---- what there is ---- */

typedef struct {
	SpkProvider row; /* of the provider that speaks like it, without a key */
	char *model;
} Found;

static GMutex lock;	      /* guards all below */
static GPtrArray *found_rows; /* Found; never freed: whoever opened one has it */
static Found *last;
static char *last_servers;
static gint64 last_us;
static gboolean said;

/* The configured name where the server has it, else the first. */
static char *pick_model(const SpkProvider *row, SpkConf *conf, GPtrArray *models)
{
	g_autofree char *option = g_strconcat(row->name, ".model", NULL);
	const char *want = spk_conf_str(conf, option);

	for (guint i = 0; i < models->len; i++) {
		const char *id = ((SpkModelEntry *)models->pdata[i])->id;

		if (!strcmp(id, want) ||
		    (g_str_has_prefix(id, want) && id[strlen(want)] == ':'))
			return g_strdup(id);
	}
	return g_strdup(((SpkModelEntry *)models->pdata[0])->id);
}

static GPtrArray *ask_models(const SpkProvider *row, SpkConf *conf)
{
	g_autoptr(SpkCancel) soon = spk_cancel_new(NULL);
	gpointer self = row->impl->open(row, conf, "any", NULL);
	GPtrArray *models = NULL;

	spk_cancel_set_deadline(soon, ASK_MS);
	if (!self)
		return NULL;
	models = row->impl->models(self, soon, NULL); /* nobody there is no error here */
	row->impl->close(self);
	return models;
}

/* "PROVIDER=URL"; NULL: nobody answers there, or has no model (*ret_empty). */
static Found *look_at(SpkConf *conf, const char *word, gboolean *ret_empty)
{
	const char *equals = strchr(word, '=');
	const SpkProvider *like = equals ? spk_provider_find(word, equals - word) : NULL;
	g_autoptr(GPtrArray) models = NULL;
	Found *found;

	if (!like || !like->impl->models)
		return NULL;
	found = g_new0(Found, 1);
	found->row = *like;
	found->row.key = NULL;
	found->row.url = g_intern_string(equals + 1);
	models = ask_models(&found->row, conf);
	if (models && models->len) {
		found->model = pick_model(like, conf, models);
		return found;
	}
	*ret_empty |= models != NULL;
	g_free(found);
	return NULL;
}

static Found *look_around(SpkConf *conf, const char *servers, gboolean *ret_empty)
{
	g_auto(GStrv) words = g_strsplit_set(servers, " ,", -1);
	Found *found = NULL;

	for (char **word = words; *word && !found; word++)
		found = **word ? look_at(conf, *word, ret_empty) : NULL;
	return found;
}

static void say_once(const Found *found)
{
	if (!said)
		spk_warn(
			"llm",
			"no model is configured: taking %s of the server at %s (name one with "
			"[llm] provider or --model)",
			found->model, found->row.url);
	said = TRUE;
}

static const SpkProvider *what_there_is(SpkConf *conf, const char *given,
					char **ret_model, GError **error)
{
	const char *servers = spk_conf_str(conf, "llm.local_servers");
	gboolean empty = FALSE;

	g_mutex_lock(&lock);
	if (!last || g_strcmp0(servers, last_servers) != 0 ||
	    spk_mono_us() - last_us > KEEP_US) {
		last = look_around(conf, servers, &empty);
		if (!found_rows)
			found_rows = g_ptr_array_new();
		if (last)
			g_ptr_array_add(found_rows, last);
		g_free(last_servers);
		last_servers = g_strdup(servers);
		last_us = spk_mono_us();
	}
	if (last) {
		say_once(last);
		*ret_model = g_strdup(given ? given : last->model);
	}
	g_mutex_unlock(&lock);
	if (last)
		return &last->row;
	spk_error_set(
		error, SPK_ERR_CONFIG, ways_on, "no model is configured%s",
		empty ? "; a server here answers, but has no model: ollama pull NAME"
		      : "");
	return NULL;
}

const SpkProvider *spk_choose(SpkConf *conf, const char *given, char **ret_model,
			      GError **error)
{
	const char *colon = given ? strchr(given, ':') : NULL;
	const SpkProvider *row = colon ? spk_provider_find(given, colon - given) : NULL;

	*ret_model = NULL;
	if (row) {
		*ret_model = colon[1] ? g_strdup(colon + 1) : NULL;
		return row;
	}
	*ret_model = g_strdup(given);
	if (spk_conf_is_set(conf, "llm.provider"))
		return named_provider(conf, error);
	row = first_configured(conf, given);
	if (row)
		return row;
	g_clear_pointer(ret_model, g_free);
	return what_there_is(conf, given, ret_model, error);
}

/* ---- who takes over ---- */

const SpkProvider *spk_choose_next(SpkConf *conf, const char *const *tried,
				   gboolean local, gpointer *ret_self, char **ret_refused)
{
	*ret_refused = NULL;
	for (const SpkProvider *next = spk_providers; next->url; next++) {
		g_auto(SpkProviderState) state = { 0 };

		if (g_strv_contains(tried, next->name) ||
		    !next->impl->describe(next, conf, &state, NULL) ||
		    !state.configured || !has_model(next, conf, NULL))
			continue;
		if (local && !state.local &&
		    !spk_conf_bool(conf, "llm.fallback_to_cloud")) {
			if (!*ret_refused)
				*ret_refused = g_strdup(next->name);
			continue;
		}
		*ret_self = next->impl->open(next, conf, NULL, NULL);
		if (*ret_self)
			return next;
	}
	return NULL;
}
