#include "llm/around_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "llm/address_priv.h"

#define ASK_MS	   300
#define PLACES_MAX 8
#define FOUND_US   (60 * G_USEC_PER_SEC) /* what was found stays so for a minute */
#define NOTHING_US (5 * G_USEC_PER_SEC)	 /* and that nothing was, so long */

typedef struct {
	SpkProvider row; /* of the provider that speaks like it, without a key */
	char *model;
} Found;

/* What was found, or that nothing was, for as long as it is believed. */
static struct {
	GMutex lock;
	GPtrArray *rows; /* Found; never freed: whoever opened one has it */
	char *servers;	 /* NULL: nobody looked yet */
	const Found *found;
	gboolean empty; /* somebody answered, but has no model */
	gint64 us;
	gboolean said;
} known;

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

/* One server that may be there, asked in a thread of its own. */
typedef struct {
	SpkProvider row;
	SpkConf *conf;
	GThread *thread;
	GPtrArray *models; /* NULL: nobody answers there */
} Place;

static gpointer ask_place(gpointer data)
{
	Place *place = data;
	const SpkProviderImpl *impl = place->row.impl;
	g_autoptr(SpkCancel) soon = spk_cancel_new(NULL);
	gpointer self = impl->open(&place->row, place->conf, "any", NULL);

	spk_cancel_set_deadline(soon, ASK_MS);
	if (!self)
		return NULL;
	place->models =
		impl->models(self, soon, NULL); /* nobody there is no error here */
	impl->close(self);
	return NULL;
}

static gboolean bad_place(const char *word, const char *why, GError **error)
{
	spk_error_set(error, SPK_ERR_CONFIG,
		      "PROVIDER=URL, blanks between, at most 8, as in "
		      "\"ollama=http://127.0.0.1:11434\"; or none",
		      "[llm] local_servers: \"%s\" %s", word, why);
	return FALSE;
}

/* "PROVIDER=URL" */
static gboolean read_place(const char *word, Place *place, GError **error)
{
	const char *equals = strchr(word, '=');
	const SpkProvider *like = equals ? spk_provider_find(word, equals - word) : NULL;
	g_autofree char *base = NULL;

	if (!equals)
		return bad_place(word, "is not PROVIDER=URL", error);
	if (!like || !like->impl->models)
		return bad_place(word, "begins with no provider of servers", error);
	base = spk_address_complete(equals + 1, like->wire ? like->wire : &spk_wire_chat,
				    like->name, NULL);
	if (!base)
		return bad_place(word, "has no http:// or https:// address", error);
	place->row = *like;
	place->row.key = NULL;
	place->row.url = g_intern_string(equals + 1);
	return TRUE;
}

/* The number of places, at most PLACES_MAX; -1: CONFIG. */
static int read_places(const char *servers, SpkConf *conf, Place *places, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(servers, " ,", -1);
	int n = 0;

	for (char **word = words; *word; word++) {
		if (!**word || !strcmp(*word, "none"))
			continue;
		if (n == PLACES_MAX) {
			bad_place(*word, "is one too many", error);
			return -1;
		}
		places[n].conf = conf;
		if (!read_place(*word, &places[n++], error))
			return -1;
	}
	return n;
}

/* The first of the places that has a model; all are asked at once. */
static Found *ask_places(Place *places, int n, gboolean *ret_empty)
{
	Found *found = NULL;

	for (int i = 0; i < n; i++)
		places[i].thread = g_thread_new("look", ask_place, &places[i]);
	for (int i = 0; i < n; i++) {
		GPtrArray *models;

		g_thread_join(places[i].thread);
		models = places[i].models;
		if (models && models->len && !found) {
			found = g_new0(Found, 1);
			found->row = places[i].row;
			found->model = pick_model(&found->row, places[i].conf, models);
		}
		*ret_empty |= models && !models->len;
		if (models)
			g_ptr_array_unref(models);
	}
	return found;
}

/* TRUE: *ret_found, NULL or not, is still what there is. */
static gboolean recall(const char *servers, const Found **ret_found, gboolean *ret_empty)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&known.lock);
	gint64 age = spk_mono_us() - known.us;

	*ret_found = known.found;
	*ret_empty = known.empty;
	return g_strcmp0(servers, known.servers) == 0 &&
	       age < (known.found ? FOUND_US : NOTHING_US);
}

static void remember(const char *servers, Found *found, gboolean empty)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&known.lock);

	if (!known.rows)
		known.rows = g_ptr_array_new();
	if (found)
		g_ptr_array_add(known.rows, found);
	g_free(known.servers);
	known.servers = g_strdup(servers);
	known.found = found;
	known.empty = empty;
	known.us = spk_mono_us();
	if (found && !known.said) {
		known.said = TRUE;
		spk_warn(
			"llm",
			"no model is configured: taking %s of the server at %s (name one with "
			"[llm] provider or --model)",
			found->model, found->row.url);
	}
}

gboolean spk_look_around(SpkConf *conf, const SpkProvider **ret_row, char **ret_model,
			 gboolean *ret_empty, GError **error)
{
	const char *servers = spk_conf_str(conf, "llm.local_servers");
	Place places[PLACES_MAX] = { 0 };
	const Found *found;

	if (!recall(servers, &found, ret_empty)) {
		int n = read_places(servers, conf, places, error);
		Found *now;

		if (n < 0)
			return FALSE;
		*ret_empty = FALSE;
		found = now = ask_places(places, n, ret_empty);
		remember(servers, now, *ret_empty);
	}
	*ret_row = found ? &found->row : NULL;
	*ret_model = found ? g_strdup(found->model) : NULL;
	return TRUE;
}
