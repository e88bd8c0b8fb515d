#include "cmd/memory/health.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/ui.h"
#include "memory/index.h"

#define REINDEX "sparks memory reindex"
enum { AT_ONCE = 64 }; /* vectors that are made between two looks at Ctrl-C */

gboolean spk_health_without_vector(const SpkHealth *health, gint64 *ret_n, GError **error)
{
	return spk_memory_without_vector(health->memory, ret_n, error);
}

gint64 spk_health_index_bytes(const SpkHealth *health)
{
	struct stat st;

	return stat(spk_memory_index_path(health->memory), &st) == 0 ? st.st_size : -1;
}

/* ---- rows, words ---- */

SpkFinding spk_health_rows(const SpkHealth *health)
{
	g_auto(SpkMemoryStats) stats = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *active = NULL;
	gint64 away;

	if (!spk_memories_stats(health->store, &stats, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks store check");
	active = spk_ui_number(stats.by_state[SPK_MEMORY_ACTIVE]);
	away = stats.by_state[SPK_MEMORY_SUPERSEDED] + stats.by_state[SPK_MEMORY_RETIRED];
	return spk_found(SPK_FOUND_PASS, NULL,
			 "%s in use, %" G_GINT64_FORMAT " superseded or retired", active,
			 away);
}

SpkFinding spk_health_words(const SpkHealth *health)
{
	g_autoptr(GError) error = NULL;

	if (!spk_memories_check(health->store, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, REINDEX);
	return spk_found(SPK_FOUND_PASS, NULL, "as the rows say");
}

/* ---- model, vectors ---- */

static const char *str_or(const json_t *object, const char *key, const char *other)
{
	const char *text = spk_json_str(object, key);

	return text ? text : other;
}

SpkFinding spk_health_model(const SpkHealth *health)
{
	const char *probe[] = { "is the model there?", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(json_t) words = NULL;
	g_autofree float *vector = NULL;
	guint dims;

	if (!spk_embedder_is_wanted(health->conf))
		return spk_found(SPK_FOUND_PASS, NULL,
				 "none wanted ([embedding] enabled): by words alone");
	embedder = spk_embedder_open(health->conf, health->home, &error);
	if (!embedder)
		return spk_found_error(spk_error_is(error, SPK_ERR_NOT_FOUND)
					       ? SPK_FOUND_WARN
					       : SPK_FOUND_FAIL,
				       error, "sparks memory model show");
	if (!health->dont_ask)
		vector = spk_memory_embed(health->memory, probe, 1, SPK_EMBED_QUERY,
					  &dims, &error);
	if (error)
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks memory model show");
	words = spk_embedder_describe(embedder);
	return spk_found(SPK_FOUND_PASS, NULL, "%s, %u dimensions, by %s%s",
			 str_or(words, "model", spk_embedder_fingerprint(embedder)),
			 spk_embedder_dims(embedder),
			 str_or(words, "engine", str_or(words, "provider", "?")),
			 health->dont_ask ? ", not asked" : "");
}

gboolean spk_health_other_vectors(const SpkHealth *health, gint64 *ret_n, GError **error)
{
	g_autofree char *model = spk_memory_model(health->memory);
	g_auto(SpkMemoryStats) stats = { 0 };

	*ret_n = 0;
	if (!spk_memories_stats(health->store, &stats, error))
		return FALSE;
	for (guint i = 0; i < stats.vectors->len; i++) {
		const SpkMemorySum *sum = &g_array_index(stats.vectors, SpkMemorySum, i);

		*ret_n += g_strcmp0(sum->name, model) ? sum->n : 0;
	}
	return TRUE;
}

SpkFinding spk_health_vectors(const SpkHealth *health)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *count = NULL;
	gint64 n, others = 0;

	if (!spk_embedder_is_wanted(health->conf))
		return spk_found(SPK_FOUND_PASS, NULL, "none wanted");
	if (!spk_health_without_vector(health, &n, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks store check");
	if (!n && !spk_health_other_vectors(health, &others, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks store check");
	if (!n && others) {
		count = spk_ui_number(others);
		return spk_found(
			SPK_FOUND_PASS, REINDEX " --drop-others",
			"each memory in use has one; %s more are of other models", count);
	}
	if (!n)
		return spk_found(SPK_FOUND_PASS, NULL, "each memory in use has one");
	count = spk_ui_number(n);
	return spk_found(SPK_FOUND_WARN, REINDEX "; a daemon makes them by and by",
			 "%s memories have none of the model in force", count);
}

/* ---- the saved index ---- */

typedef struct {
	SpkIndex *index;
	gint64 upto; /* what was written later isn't in it yet */
	guint dims;
	float *buffer;
	gint64 missing, wrong, should_go, held;
} Compare;

static gboolean compare_one(const SpkMemoryChange *change, gpointer user, GError **error)
{
	Compare *compare = user;
	gboolean live = !change->gone && change->state == SPK_MEMORY_ACTIVE &&
			change->vector && change->dims == compare->dims;
	gboolean has;
	double cosine = 0;

	if (change->change > compare->upto)
		return TRUE;
	has = spk_index_get(compare->index, change->num, compare->buffer);
	compare->missing += live && !has;
	compare->should_go += !live && has;
	compare->held += live && has;
	for (guint i = 0; live && has && i < compare->dims; i++)
		cosine += (double)compare->buffer[i] * change->vector[i];
	compare->wrong += live && has && !(fabs(cosine - 1) < 1e-3);
	return TRUE;
}

static SpkFinding verdict(const Compare *compare, gint64 latest)
{
	gint64 late = latest - compare->upto;
	g_autofree char *held = spk_ui_number(compare->held);

	if (compare->missing || compare->wrong || compare->should_go)
		return spk_found(SPK_FOUND_FAIL, REINDEX,
				 "%" G_GINT64_FORMAT " vectors are missing in it, "
				 "%" G_GINT64_FORMAT " differ from the table, "
				 "%" G_GINT64_FORMAT " should be gone",
				 compare->missing, compare->wrong, compare->should_go);
	if (late > 0)
		return spk_found(SPK_FOUND_PASS, NULL,
				 "%s vectors as in the table; %" G_GINT64_FORMAT
				 " later writes are read from there",
				 held, late);
	return spk_found(SPK_FOUND_PASS, NULL, "%s vectors as in the table", held);
}

static SpkFinding compare_all(const SpkHealth *health, SpkIndex *index, gint64 upto,
			      const char *model, guint dims)
{
	g_autofree float *buffer = g_new(float, dims);
	Compare compare = { index, upto, dims, buffer, 0, 0, 0, 0 };
	g_autoptr(GError) error = NULL;
	SpkMemoryStamp stamp;

	if (!spk_memories_since(health->store, 0, model, compare_one, &compare, &error) ||
	    !spk_memories_stamp(health->store, &stamp, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks store check");
	return verdict(&compare, stamp.change);
}

/* What doesn't fit is thrown away by the next search: slower once, and no harm. */
static SpkFinding unfit(const GError *error)
{
	if (spk_error_is(error, SPK_ERR_NOT_FOUND))
		return spk_found(SPK_FOUND_PASS, NULL,
				 "none saved; the next search reads the table");
	return spk_found(SPK_FOUND_WARN,
			 "it is made anew by the next search, or: " REINDEX, "%s",
			 error->message);
}

SpkFinding spk_health_index(const SpkHealth *health)
{
	SpkIndexOptions options = { .hnsw = FALSE };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(SpkIndex) index = NULL;
	g_autofree char *model = NULL;
	SpkMemoryStamp stamp;
	SpkIndexStamp want = { .change = G_MAXINT64 };
	gint64 upto;

	if (spk_health_index_bytes(health) < 0)
		return spk_found(SPK_FOUND_PASS, NULL,
				 "none saved; the next search reads the table");
	embedder = spk_embedder_open(health->conf, health->home, &error);
	if (!embedder)
		return spk_found(SPK_FOUND_PASS, NULL, "not looked at, without a model");
	if (!spk_memories_stamp(health->store, &stamp, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks store check");
	model = g_strdup(spk_embedder_fingerprint(embedder));
	want.model = model;
	want.change = stamp.change;
	g_strlcpy(want.store, stamp.store, sizeof(want.store));
	options.dims = spk_embedder_dims(embedder);
	index = spk_index_load(spk_memory_index_path(health->memory), &options, &want,
			       &upto, &error);
	if (!index)
		return unfit(error);
	return compare_all(health, index, upto, model, options.dims);
}

/* ---- in short ---- */

SpkFinding spk_health_summary(const SpkHealth *health)
{
	g_auto(SpkFinding) rows = spk_health_rows(health);
	g_auto(SpkFinding) model = { 0 };
	g_autoptr(GError) error = NULL;
	gint64 without = 0;

	if (rows.status != SPK_FOUND_PASS)
		return spk_found(rows.status, rows.remediation, "%s", rows.observed);
	model = spk_health_model(health);
	if (model.status != SPK_FOUND_PASS)
		return spk_found(model.status, model.remediation, "%s; %s", rows.observed,
				 model.observed);
	if (spk_embedder_is_wanted(health->conf) &&
	    !spk_health_without_vector(health, &without, &error))
		return spk_found_error(SPK_FOUND_FAIL, error, "sparks store check");
	return spk_found(without ? SPK_FOUND_WARN : SPK_FOUND_PASS,
			 without ? REINDEX : NULL, "%s; %s%s%" G_GINT64_FORMAT "%s",
			 rows.observed, model.observed, "; ", without,
			 " without a vector");
}

/* ---- mending ---- */

static void progress(guint made, guint left)
{
	if (spk_term_is_tty(STDERR_FILENO))
		fprintf(stderr, "\r%u vectors made, %u to go \033[K", made, left);
}

static gboolean fill(const SpkHealth *health, SpkMended *mended, GError **error)
{
	guint made = mended->made, left;
	gint64 before;

	if (!spk_health_without_vector(health, &before, error))
		return FALSE;
	left = mended->left = (guint)before;
	while (left) {
		if (!spk_memory_fill(health->memory, AT_ONCE, &mended->left,
				     health->cancel, error))
			return FALSE;
		if (mended->left >= left)
			break; /* nobody makes more of them */
		left = mended->left;
		mended->made = made + (guint)before - left;
		progress(mended->made, left);
	}
	if (mended->made && spk_term_is_tty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return TRUE;
}

gboolean spk_health_mend(const SpkHealth *health, SpkMended *ret, GError **error)
{
	g_autofree char *model = spk_memory_model(health->memory);

	*ret = (SpkMended){ .no_model = model == NULL };
	if (!spk_memories_rebuild_words(health->store, error))
		return FALSE;
	if (ret->no_model)
		return TRUE;
	spk_memory_set_patience(health->memory, 0); /* who asks for it waits */
	/* the index tells which vectors are damaged */
	return fill(health, ret, error) && spk_memory_rebuild(health->memory, error) &&
	       fill(health, ret, error);
}
