#include "memory/embedder_impl.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "guard/redact.h"
#include "memory/embed_dims.h"
#include "memory/embed_silence.h"

#define TEXT_MAX    (64u << 10)	 /* bytes; no model reads more */
#define BATCH_BYTES (512u << 10) /* of the texts of one call of an implementation */
#define PROBE_MS    15000
#define MODEL_MAX   100 /* of a model, in a fingerprint */

struct SpkEmbedder {
	const SpkEmbedImpl *impl;
	gpointer self;
	SpkEmbedInfo info;
	char *home;	 /* NULL: nothing is kept */
	char *server;	 /* names it in embed_silence.h */
	char *dims_file; /* see embed_dims.h; NULL: dims are configured or the model's */
	char *fingerprint;
};

void spk_embed_info_clear(SpkEmbedInfo *info)
{
	g_free(info->model);
	g_free(info->identity);
	g_free(info->engine);
	g_free(info->isa);
	g_free(info->pooling);
	g_free(info->precision);
	g_free(info->folder);
	g_free(info->url);
	g_free(info->query_prefix);
	g_free(info->passage_prefix);
	*info = (SpkEmbedInfo){ 0 };
}

gboolean spk_embedder_is_wanted(const SpkConf *conf)
{
	return spk_conf_bool(conf, "embedding.enabled");
}

void spk_embedder_close(SpkEmbedder *embedder)
{
	if (!embedder)
		return;
	if (embedder->self)
		embedder->impl->close(embedder->self);
	spk_embed_info_clear(&embedder->info);
	g_free(embedder->home);
	g_free(embedder->server);
	g_free(embedder->dims_file);
	g_free(embedder->fingerprint);
	g_free(embedder);
}

/* ---- choosing ---- */

static const SpkEmbedImpl *find(const char *name)
{
	for (const SpkEmbedImpl *const *impl = spk_embed_impls; *impl; impl++)
		if (!strcmp((*impl)->name, name))
			return *impl;
	return NULL;
}

static gboolean open_one(SpkEmbedder *embedder, const char *name,
			 const SpkEmbedSetup *setup, GError **error)
{
	spk_embed_info_clear(&embedder->info);
	embedder->impl = find(name);
	g_assert(embedder->impl); /* the option has these choices */
	embedder->self = embedder->impl->open(setup, &embedder->info, error);
	return embedder->self != NULL;
}

/* A graph that the engine doesn't know is left to ONNX Runtime, where that is. */
static gboolean open_auto(SpkEmbedder *embedder, const SpkEmbedSetup *setup,
			  GError **error)
{
	g_autoptr(GError) other = NULL;
	GError *why = NULL;

	if (open_one(embedder, "engine", setup, &why))
		return TRUE;
	if (spk_error_is(why, SPK_ERR_BAD_INPUT) &&
	    open_one(embedder, "onnx", setup, &other)) {
		g_clear_error(&why);
		return TRUE;
	}
	if (other && !spk_error_is(other, SPK_ERR_NOT_FOUND))
		g_prefix_error(&why, "ONNX Runtime: %s; our engine: ", other->message);
	g_propagate_error(error, why);
	return FALSE;
}

static void take_prefix(char **prefix, const SpkConf *conf, const char *option)
{
	if (!spk_conf_is_set(conf, option))
		return;
	g_free(*prefix);
	*prefix = g_strdup(spk_conf_str(conf, option));
}

/* ---- fingerprint ---- */

static char *make_fingerprint(const SpkEmbedder *embedder)
{
	const SpkEmbedInfo *info = &embedder->info;
	const char *prefix = info->passage_prefix ? info->passage_prefix : "";
	g_autofree char *all =
		g_strdup_printf("%s\n%s\n%u", info->identity, prefix, info->dims);
	g_autofree char *hash = spk_text_sha256(all, strlen(all));
	g_autofree char *name = g_strndup(info->model, MODEL_MAX);

	for (char *p = name; *p; p++)
		if (!g_ascii_isgraph(*p))
			*p = '_';
	if (info->remote)
		return g_strdup_printf("%s/%s/%u/%.16s", embedder->impl->name, name,
				       info->dims, hash);
	return g_strdup_printf("%s/%u/%.16s", name, info->dims, hash);
}

/* ---- patience ---- */

static gboolean may_ask(const SpkEmbedder *embedder, GError **error)
{
	if (!spk_embed_is_silent(embedder->home, embedder->server))
		return TRUE;
	spk_error_set(error, SPK_ERR_TIMEOUT,
		      "is it running? `sparks memory model show` asks it",
		      "%s did not answer in time a moment ago", embedder->info.url);
	return FALSE;
}

/* It was asked for somebody who waits; a wait that others ended tells nothing of it. */
static void note_answer(const SpkEmbedder *embedder, gboolean answered, SpkCancel *cancel,
			const GError *why)
{
	if (answered)
		spk_embed_set_silent(embedder->home, embedder->server, FALSE);
	else if (spk_error_is(why, SPK_ERR_TIMEOUT) && spk_cancel_check(cancel, NULL))
		spk_embed_set_silent(embedder->home, embedder->server, TRUE);
}

/* A server is asked for its dimensions once, with a word of ours. */
static gboolean learn_dims(SpkEmbedder *embedder, gint64 patience_ms, GError **error)
{
	static const char *const probe[] = { "dimensions" };
	const SpkEmbedInfo *info = &embedder->info;
	g_autoptr(GArray) vector = g_array_new(FALSE, FALSE, sizeof(float));
	g_autoptr(SpkCancel) patience = NULL;
	GError *why = NULL;

	embedder->dims_file = spk_embed_dims_path(embedder->home);
	embedder->info.dims = spk_embed_dims_get(
		embedder->dims_file, embedder->impl->name, info->url, info->model);
	if (embedder->info.dims)
		return TRUE;
	if (patience_ms && !may_ask(embedder, error))
		return FALSE;
	patience = spk_cancel_new(NULL);
	spk_cancel_set_deadline(patience, patience_ms ? patience_ms : PROBE_MS);
	(void)embedder->impl->embed(embedder->self, probe, 1, &embedder->info.dims,
				    vector, patience, &why);
	note_answer(embedder, !why, NULL, why);
	if (why) {
		g_propagate_error(error, why);
		return FALSE;
	}
	spk_embed_dims_set(embedder->dims_file, embedder->impl->name, info->url,
			   info->model, info->dims);
	return TRUE;
}

static SpkEmbedder *open_with(const char *provider, const SpkEmbedSetup *setup,
			      GError **error)
{
	g_autoptr(SpkEmbedder) embedder = g_new0(SpkEmbedder, 1);
	gboolean ok = !strcmp(provider, "auto")
			      ? open_auto(embedder, setup, error)
			      : open_one(embedder, provider, setup, error);

	if (!ok)
		return NULL;
	embedder->home = g_strdup(setup->home);
	embedder->server = g_strjoin(" ", embedder->impl->name,
				     embedder->info.url ? embedder->info.url : "",
				     embedder->info.model, NULL);
	if (!embedder->info.dims && !learn_dims(embedder, setup->patience_ms, error))
		return NULL;
	take_prefix(&embedder->info.query_prefix, setup->conf, "embedding.query_prefix");
	take_prefix(&embedder->info.passage_prefix, setup->conf,
		    "embedding.passage_prefix");
	embedder->fingerprint = make_fingerprint(embedder);
	return g_steal_pointer(&embedder);
}

SpkEmbedder *spk_embedder_open_soon(const SpkConf *conf, const char *home,
				    gint64 patience_ms, GError **error)
{
	g_autofree char *own = home ? g_strdup(home) : spk_fs_home(NULL);
	SpkEmbedSetup setup = { conf, spk_conf_str(conf, "embedding.model_dir"), own,
				patience_ms };

	if (!spk_embedder_is_wanted(conf)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "set [embedding] enabled = true",
			      "search by meaning is switched off");
		return NULL;
	}
	return open_with(spk_conf_str(conf, "embedding.provider"), &setup, error);
}

SpkEmbedder *spk_embedder_open(const SpkConf *conf, const char *home, GError **error)
{
	return spk_embedder_open_soon(conf, home, 0, error);
}

SpkEmbedder *spk_embedder_open_dir(const char *dir, const SpkConf *conf, GError **error)
{
	SpkEmbedSetup setup = { conf, dir, NULL, 0 };
	const char *provider = spk_conf_str(conf, "embedding.provider");

	if (strcmp(provider, "engine") != 0 && strcmp(provider, "onnx") != 0)
		provider = "auto";
	return open_with(provider, &setup, error);
}

const char *spk_embedder_fingerprint(const SpkEmbedder *embedder)
{
	return embedder->fingerprint;
}

guint spk_embedder_dims(const SpkEmbedder *embedder)
{
	return embedder->info.dims;
}

/* ---- embedding ---- */

/* What leaves this process holds no secrets, is UTF-8, and is not empty, which servers refuse. */
static char *prepare(const SpkEmbedder *embedder, const char *text, SpkEmbedUse use)
{
	const SpkEmbedInfo *info = &embedder->info;
	const char *prefix = use == SPK_EMBED_QUERY ? info->query_prefix
						    : info->passage_prefix;
	g_autofree char *clipped =
		g_strndup(text, spk_text_prefix_len(text, strlen(text), TEXT_MAX));
	g_autofree char *whole = g_strconcat(prefix ? prefix : "", clipped, NULL);
	g_autofree char *valid = NULL;

	if (!info->remote)
		return g_steal_pointer(&whole);
	valid = g_utf8_make_valid(whole, -1);
	return *valid ? spk_redact_text(NULL, valid) : g_strdup(" ");
}

/* How many of the texts go into one call. */
static gsize batch_of(const SpkEmbedder *embedder, char *const *texts, gsize n)
{
	gsize bytes = strlen(texts[0]), count = 1;

	while (count < n && count < embedder->impl->batch &&
	       (bytes += strlen(texts[count])) <= BATCH_BYTES)
		count++;
	return count;
}

static gboolean normalise(const SpkEmbedder *embedder, const float *from, float *to,
			  GError **error)
{
	const SpkEmbedInfo *info = &embedder->info;
	double sum = 0;

	for (guint i = 0; i < info->dims; i++)
		sum += (double)from[i] * (double)from[i];
	if (!isfinite(sum) || sum <= 0) {
		spk_error_set(error,
			      info->remote ? SPK_ERR_PROVIDER_REPLY : SPK_ERR_CORRUPT,
			      info->remote
				      ? "check [embedding] model: it must be a model for "
					"embeddings"
				      : "install it again: sparks memory model install",
			      "the model %s gives a vector that is %s", info->model,
			      sum > 0 ? "no number" : "all zeros");
		return FALSE;
	}
	for (guint i = 0; i < info->dims; i++)
		to[i] = (float)((double)from[i] / sqrt(sum));
	return TRUE;
}

static gboolean embed_batch(SpkEmbedder *embedder, char *const *texts, gsize n,
			    float *ret, SpkCancel *cancel, GError **error)
{
	g_autoptr(GArray) vectors = g_array_new(FALSE, FALSE, sizeof(float));
	guint dims = embedder->info.dims;

	if (!spk_cancel_check(cancel, error) ||
	    !embedder->impl->embed(embedder->self, (const char *const *)texts, n, &dims,
				   vectors, cancel, error))
		return FALSE;
	g_assert(vectors->len == n * dims);
	for (gsize i = 0; i < n; i++)
		if (!normalise(embedder, &g_array_index(vectors, float, i *dims),
			       ret + i * dims, error))
			return FALSE;
	return TRUE;
}

gboolean spk_embedder_embed(SpkEmbedder *embedder, const char *const *texts, gsize n,
			    SpkEmbedUse use, float *ret, SpkCancel *cancel,
			    GError **error)
{
	g_auto(GStrv) all = g_new0(char *, n + 1);
	gsize count;

	for (gsize i = 0; i < n; i++)
		all[i] = prepare(embedder, texts[i], use);
	for (gsize i = 0; i < n; i += count) {
		GError *why = NULL;

		count = batch_of(embedder, all + i, n - i);
		if (embed_batch(embedder, all + i, count, ret + i * embedder->info.dims,
				cancel, &why))
			continue;
		/* it may be another model of the same name by now: asked anew next time */
		if (embedder->dims_file && spk_error_is(why, SPK_ERR_PROVIDER_REPLY))
			spk_embed_dims_set(embedder->dims_file, embedder->impl->name,
					   embedder->info.url, embedder->info.model, 0);
		g_propagate_error(error, why);
		return FALSE;
	}
	return TRUE;
}

gboolean spk_embedder_ask(SpkEmbedder *embedder, const char *const *texts, gsize n,
			  SpkEmbedUse use, float *ret, gint64 patience_ms,
			  SpkCancel *cancel, GError **error)
{
	g_autoptr(SpkCancel) patience = NULL;
	GError *why = NULL;

	if (!embedder->info.remote || !patience_ms)
		return spk_embedder_embed(embedder, texts, n, use, ret, cancel, error);
	if (!may_ask(embedder, error))
		return FALSE;
	patience = spk_cancel_new(cancel);
	spk_cancel_set_deadline(patience, patience_ms);
	(void)spk_embedder_embed(embedder, texts, n, use, ret, patience, &why);
	note_answer(embedder, !why, cancel, why);
	if (!why)
		return TRUE;
	g_propagate_error(error, why);
	return FALSE;
}

/* ---- words ---- */

static json_t *count_or_null(guint64 n)
{
	return n ? json_integer((json_int_t)n) : json_null();
}

json_t *spk_embedder_describe(const SpkEmbedder *embedder)
{
	const SpkEmbedInfo *info = &embedder->info;

	return json_pack("{s:s,s:o,s:o,s:o,s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s}",
			 "provider", embedder->impl->name, "model",
			 spk_json_text(info->model), "engine",
			 spk_json_text(info->engine), "isa", spk_json_text(info->isa),
			 "dims", (int)info->dims, "pooling", spk_json_text(info->pooling),
			 "max_tokens", count_or_null(info->max_tokens), "precision",
			 spk_json_text(info->precision), "query_prefix",
			 spk_json_text(info->query_prefix), "passage_prefix",
			 spk_json_text(info->passage_prefix), "folder",
			 spk_json_text(info->folder), "url", spk_json_text(info->url),
			 "bytes", count_or_null(info->bytes), "fingerprint",
			 embedder->fingerprint);
}

static gint hushed; /* atomic */

void spk_embedder_hush(void)
{
	g_atomic_int_set(&hushed, 1);
}

void spk_embedder_warn(const SpkConf *conf, const GError *why)
{
	static gint said; /* atomic */
	const char *hint = spk_error_hint(why);

	if (!spk_embedder_is_wanted(conf) ||
	    (g_atomic_int_get(&hushed) && spk_error_is(why, SPK_ERR_NOT_FOUND)) ||
	    !g_atomic_int_compare_and_exchange(&said, 0, 1))
		return;
	spk_warn("memory", "%s; until then memories are found by their words alone%s%s",
		 why->message, hint ? ": " : "", hint ? hint : "");
}
