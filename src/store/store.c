/* Opening and closing; everything else is in a file of its own name. */
#include <string.h>

#include "base/error.h"
#include "store/store_priv.h"

static const SpkDbImpl *find_backend(const char *where)
{
	const SpkDbImpl *const *impl = spk_db_backends;

	while (!g_str_has_prefix(where, (*impl)->scheme))
		impl++;
	return *impl;
}

static gboolean read_version(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx && store->impl->version(tx, -1, &store->version, error);
}

static gboolean refuse_newer(SpkStore *store, GError **error)
{
	spk_error_set(
		error, SPK_ERR_STORE_NEWER,
		"update sparks, or set SPARKS_HOME to another folder; nothing was changed",
		"%s has schema version %d, and this sparks knows versions up to %d",
		store->path, store->version, spk_store_newest);
	return FALSE;
}

static gboolean bring_up_to_date(SpkStore *store, guint flags, GError **error)
{
	if (store->version > spk_store_newest)
		return refuse_newer(store, error);
	if (store->version == spk_store_newest)
		return TRUE;
	if (flags & SPK_STORE_READ_ONLY) {
		spk_error_set(
			error, SPK_ERR_READ_ONLY,
			"run any command that writes, as the owner of the file",
			"%s has schema version %d and has to be brought to %d first",
			store->path, store->version, spk_store_newest);
		return FALSE;
	}
	return spk_store_migrate(store, spk_store_newest, error) &&
	       read_version(store, error);
}

SpkStore *spk_store_open_as_is(const char *path, const char *synchronous, guint flags,
			       GError **error)
{
	g_autoptr(SpkStore) store = NULL;

	if (strcmp(synchronous, "normal") != 0 && strcmp(synchronous, "full") != 0) {
		spk_error_set(error, SPK_ERR_CONFIG, "write \"normal\" or \"full\"",
			      "synchronous \"%s\" is unknown", synchronous);
		return NULL;
	}
	store = g_new0(SpkStore, 1);
	g_mutex_init(&store->observer_lock);
	store->path = g_strdup(path);
	store->impl = find_backend(path);
	store->db = store->impl->open(path, synchronous, flags, error);
	if (!store->db || !read_version(store, error))
		return NULL;
	return g_steal_pointer(&store);
}

SpkStore *spk_store_open(const char *path, const char *synchronous, guint flags,
			 GError **error)
{
	g_autoptr(SpkStore) store = spk_store_open_as_is(path, synchronous, flags, error);

	if (!store || !bring_up_to_date(store, flags, error))
		return NULL;
	return g_steal_pointer(&store);
}

void spk_store_close(SpkStore *store)
{
	if (!store)
		return;
	if (store->db)
		store->impl->close(store->db);
	g_mutex_clear(&store->observer_lock);
	g_free(store->path);
	g_free(store);
}

void spk_store_rest(SpkStore *store)
{
	if (store->impl->rest)
		store->impl->rest(store->db);
}

const char *spk_store_path(SpkStore *store)
{
	return store->path;
}

int spk_store_schema_version(SpkStore *store)
{
	return store->version;
}

gboolean spk_store_check(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);

	return tx && store->impl->check(tx, error);
}
