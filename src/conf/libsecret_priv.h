/*
 * The functions of libsecret, and of GIO below it, that the keyring needs; opened on first
 * use. A library's handle finds the names of what it depends on too.
 */
#ifndef SPK_CONF_LIBSECRET_PRIV_H
#define SPK_CONF_LIBSECRET_PRIV_H

#include <glib.h>
#include <libsecret/secret.h>

#define SPK_LIBSECRET_FUNCTIONS(X)             \
	X(g_bus_get_sync)                      \
	X(g_cancellable_cancel)                \
	X(g_cancellable_new)                   \
	X(g_dbus_connection_set_exit_on_close) \
	X(g_dbus_error_is_remote_error)        \
	X(g_dbus_error_strip_remote_error)     \
	X(g_object_ref)                        \
	X(g_object_unref)                      \
	X(secret_collection_for_alias_sync)    \
	X(secret_collection_get_locked)        \
	X(secret_item_delete_sync)             \
	X(secret_item_get_attributes)          \
	X(secret_item_get_locked)              \
	X(secret_item_get_secret)              \
	X(secret_item_load_secret_sync)        \
	X(secret_service_get_sync)             \
	X(secret_service_search_sync)          \
	X(secret_service_store_sync)           \
	X(secret_service_unlock_sync)          \
	X(secret_value_get_text)               \
	X(secret_value_new)                    \
	X(secret_value_unref)

typedef struct {
#define X(name) __typeof__(name) *f_##name;
	SPK_LIBSECRET_FUNCTIONS(X)
#undef X
} SpkLibsecret;

/* The table, the same at each call; any thread. NULL and CONFIG when libsecret is missing. */
const SpkLibsecret *spk_libsecret_get(GError **error);

#endif
