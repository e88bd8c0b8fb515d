/* The model in force: the embedder, or what callers bring where there is none. */
#include "base/error.h"
#include "base/log.h"
#include "memory/recall/memory_priv.h"

/* Once in the life of `memory`: who reads it holds either lock, or has waited for this. */
static void put_in_force(SpkMemory *memory, const char *model, guint dims)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);

	memory->dims = dims;
	memory->model = g_strdup(model);
}

static void open_embedder(SpkMemory *memory)
{
	g_autoptr(GError) error = NULL;

	memory->model_tried = TRUE;
	if (!spk_embedder_is_wanted(memory->conf))
		return;
	memory->embedder = spk_embedder_open_soon(memory->conf, memory->home,
						  memory->patience_ms, &error);
	if (!memory->embedder) {
		spk_embedder_warn(memory->conf, error);
		return;
	}
	put_in_force(memory, spk_embedder_fingerprint(memory->embedder),
		     spk_embedder_dims(memory->embedder));
}

SpkEmbedder *spk_memory_embedder(SpkMemory *memory)
{
	SpkEmbedder *embedder;

	g_mutex_lock(&memory->model_lock);
	if (!memory->model_tried)
		open_embedder(memory);
	embedder = memory->embedder;
	g_mutex_unlock(&memory->model_lock);
	return embedder;
}

gboolean spk_memory_model_for(SpkMemory *memory, guint dims, gboolean *ret_has,
			      GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;

	(void)spk_memory_embedder(memory); /* what it opens is what counts */
	locker = g_mutex_locker_new(&memory->model_lock);
	if (!memory->model && dims) {
		g_autofree char *name = g_strdup_printf("brought/%u", dims);

		put_in_force(memory, name, dims);
	}
	if (dims && dims != memory->dims) {
		spk_error_set(
			error, SPK_ERR_BAD_INPUT,
			"bring vectors of the model in force: sparks memory model show",
			"the embedding has %u numbers, those of %s have %u", dims,
			memory->model, memory->dims);
		return FALSE;
	}
	*ret_has = memory->model != NULL;
	return TRUE;
}

char *spk_memory_model(SpkMemory *memory)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;

	(void)spk_memory_embedder(memory); /* what it opens is what counts */
	locker = g_mutex_locker_new(&memory->model_lock);
	return g_strdup(memory->model);
}

float *spk_memory_embed(SpkMemory *memory, const char *const *texts, gsize n,
			SpkEmbedUse use, guint *ret_dims, GError **error)
{
	SpkEmbedder *embedder = spk_memory_embedder(memory);
	g_autofree float *vectors = NULL;

	if (!embedder) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, "sparks memory model install",
			      "there is no model to embed with");
		return NULL;
	}
	*ret_dims = spk_embedder_dims(embedder);
	vectors = g_new(float, n **ret_dims + 1);
	if (!spk_embedder_ask(embedder, texts, n, use, vectors, memory->patience_ms, NULL,
			      error))
		return NULL;
	return g_steal_pointer(&vectors);
}

void spk_memory_tell_late(const GError *why)
{
	static gint said; /* atomic */
	const char *hint = spk_error_hint(why);

	if (spk_error_is(why, SPK_ERR_CANCELLED) ||
	    !g_atomic_int_compare_and_exchange(&said, 0, 1))
		return;
	spk_warn("memory",
		 "%s%s%s; what is kept now is found by its words until it has a vector, "
		 "which `sparks up` or `sparks memory reindex` makes",
		 why->message, hint ? ": " : "", hint ? hint : "");
}
