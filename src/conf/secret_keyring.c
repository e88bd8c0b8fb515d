/*
 * The keyring of the session, through the Secret Service on the session bus. Items have the
 * attributes service=sparks and key=NAME (username=NAME too, as the reference program has
 * them, whose items are found as well).
 *
 * The calls of libsecret run on a thread of their own: a bus that does not answer, or a
 * question that nobody sees, costs at most the deadline, whatever the library waits for.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "conf/libsecret_priv.h"
#include "conf/secret_impl.h"
#include "conf/secret_priv.h"

#define SERVICE	 "sparks"
#define QUICK_MS 5000  /* nobody is asked */
#define ASK_MS	 60000 /* the desktop may ask for the password of the keyring */
#define GRACE_MS 1000

typedef enum { GET, KEYS, SET, REMOVE, PROBE } Op;

typedef struct {
	gatomicrefcount refs;
	Op op;
	char *key, *value, *label;
	GCancellable *cancel;
	const SpkLibsecret *lib;
	/* the answer; guarded by lock until done */
	GMutex lock;
	GCond cond;
	gboolean done;
	char *text;
	char **names;
	gboolean yes;
	GError *error;
} Job;

static void job_unref(Job *job)
{
	if (!g_atomic_ref_count_dec(&job->refs))
		return;
	g_free(job->key);
	g_free(job->label);
	spk_secret_wipe(job->value);
	spk_secret_wipe(job->text);
	g_strfreev(job->names);
	g_clear_error(&job->error);
	job->lib->f_g_object_unref(job->cancel);
	g_mutex_clear(&job->lock);
	g_cond_clear(&job->cond);
	g_free(job);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_unref)

/* ---- on the thread ---- */
static gboolean can_prompt(void)
{
	return g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY");
}

static gboolean locked(Job *job)
{
	spk_error_set(&job->error, SPK_ERR_BUSY,
		      "unlock it: log in on the desktop, or give the password to "
		      "`gnome-keyring-daemon --unlock`",
		      "the keyring is locked");
	return FALSE;
}

/* Words of the library become an error of ours. */
static gboolean refused(Job *job, GError *take_error)
{
	job->lib->f_g_dbus_error_strip_remote_error(take_error);
	spk_error_set(&job->error, SPK_ERR_IO, NULL, "the keyring: %s",
		      take_error ? take_error->message : "no answer");
	g_clear_error(&take_error);
	return FALSE;
}

static SecretService *connect_service(Job *job)
{
	const SpkLibsecret *lib = job->lib;
	GError *error = NULL;
	GDBusConnection *bus =
		lib->f_g_bus_get_sync(G_BUS_TYPE_SESSION, job->cancel, &error);
	SecretService *service = NULL;

	if (bus) {
		/* a bus that ends must not end us */
		lib->f_g_dbus_connection_set_exit_on_close(bus, FALSE);
		service = lib->f_secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION,
							 job->cancel, &error);
		lib->f_g_object_unref(bus);
	}
	if (service)
		return service;
	lib->f_g_dbus_error_strip_remote_error(error);
	spk_error_set(&job->error, SPK_ERR_NOT_FOUND, NULL,
		      "no keyring answers on the session bus: %s", error->message);
	g_clear_error(&error);
	return NULL;
}

static GHashTable *attributes(const char *key)
{
	GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);

	g_hash_table_insert(table, (gpointer) "service", (gpointer)SERVICE);
	if (key) {
		g_hash_table_insert(table, (gpointer) "key", (gpointer)key);
		g_hash_table_insert(table, (gpointer) "username", (gpointer)key);
	}
	return table;
}

typedef struct {
	char *key; /* NULL: an item of somebody else's making */
	gboolean ours;
} Name;

static Name name_of(const SpkLibsecret *lib, SecretItem *item)
{
	g_autoptr(GHashTable) table = lib->f_secret_item_get_attributes(item);
	const char *key = g_hash_table_lookup(table, "key");
	const char *user = g_hash_table_lookup(table, "username");

	return (Name){ g_strdup(key ? key : user), key != NULL };
}

/* Our items before those of the reference program. */
static GList *pick(Job *job, GList *items)
{
	GList *picked = NULL;

	for (GList *at = items; at; at = at->next) {
		Name name = name_of(job->lib, at->data);

		if (!g_strcmp0(name.key, job->key))
			picked = name.ours ? g_list_prepend(picked, at->data)
					   : g_list_append(picked, at->data);
		g_free(name.key);
	}
	return picked;
}

static gboolean unlock(Job *job, SecretService *service, GList *items)
{
	const SpkLibsecret *lib = job->lib;
	GError *error = NULL;
	GList *unlocked = NULL;
	gboolean any = FALSE;
	gint n;

	for (GList *at = items; at; at = at->next)
		any |= lib->f_secret_item_get_locked(at->data);
	if (!any)
		return TRUE;
	if (!can_prompt())
		return locked(job);
	n = lib->f_secret_service_unlock_sync(service, items, job->cancel, &unlocked,
					      &error);
	g_list_free_full(unlocked, (GDestroyNotify)lib->f_g_object_unref);
	if (error)
		return refused(job, error);
	return n > 0 || locked(job);
}

static void load_value(Job *job, SecretItem *item)
{
	const SpkLibsecret *lib = job->lib;
	GError *error = NULL;
	SecretValue *value;

	if (!lib->f_secret_item_load_secret_sync(item, job->cancel, &error)) {
		(void)refused(job, error);
		return;
	}
	value = lib->f_secret_item_get_secret(item);
	if (value && lib->f_secret_value_get_text(value))
		job->text = g_strdup(lib->f_secret_value_get_text(value));
	if (value)
		lib->f_secret_value_unref(value);
}

static void do_keys(Job *job, GList *items)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (GList *at = items; at; at = at->next) {
		Name name = name_of(job->lib, at->data);

		if (name.key)
			g_ptr_array_add(names, name.key);
	}
	g_ptr_array_add(names, NULL);
	job->names = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static void do_remove(Job *job, GList *items)
{
	for (GList *at = items; at; at = at->next) {
		GError *error = NULL;

		if (!job->lib->f_secret_item_delete_sync(at->data, job->cancel, &error)) {
			(void)refused(job, error);
			return;
		}
		job->yes = TRUE;
	}
}

/* What would be asked for on a screen that isn't there is said instead. */
static gboolean writable(Job *job, SecretService *service, gboolean holds_older)
{
	const SpkLibsecret *lib = job->lib;
	GError *error = NULL;
	SecretCollection *collection = lib->f_secret_collection_for_alias_sync(
		service, "default", SECRET_COLLECTION_NONE, job->cancel, &error);
	gboolean open = collection && !lib->f_secret_collection_get_locked(collection);

	if (collection) /* asked below only whether there was one */
		lib->f_g_object_unref(collection);
	if (error)
		return refused(job, error);
	if (open || can_prompt())
		return TRUE;
	/* an older value would win over what is kept elsewhere */
	if (holds_older || (collection && job->op == PROBE))
		return locked(job);
	spk_error_set(&job->error, SPK_ERR_NOT_FOUND, NULL, "the keyring is %s",
		      collection ? "locked" : "not set up");
	return FALSE;
}

static void do_set(Job *job, SecretService *service, gboolean holds_older)
{
	static const SecretSchema schema = {
		"sparks.Secret",
		SECRET_SCHEMA_DONT_MATCH_NAME,
		{ { "service", SECRET_SCHEMA_ATTRIBUTE_STRING },
		  { "key", SECRET_SCHEMA_ATTRIBUTE_STRING },
		  { "username", SECRET_SCHEMA_ATTRIBUTE_STRING } },
	};
	const SpkLibsecret *lib = job->lib;
	g_autoptr(GHashTable) table = attributes(job->key);
	GError *error = NULL;
	SecretValue *value;

	if (!writable(job, service, holds_older))
		return;
	value = lib->f_secret_value_new(job->value, -1, "text/plain");
	job->yes = lib->f_secret_service_store_sync(service, &schema, table,
						    SECRET_COLLECTION_DEFAULT, job->label,
						    value, job->cancel, &error);
	lib->f_secret_value_unref(value);
	if (!job->yes)
		(void)refused(job, error);
}

static void act(Job *job, SecretService *service, GList *items)
{
	GList *picked = pick(job, items);

	if (job->op == KEYS)
		do_keys(job, items);
	else if (job->op == SET)
		do_set(job, service, picked != NULL);
	else if (picked && unlock(job, service, picked)) {
		if (job->op == GET)
			load_value(job, picked->data);
		else
			do_remove(job, picked);
	}
	g_list_free(picked);
}

static void work(Job *job)
{
	const SpkLibsecret *lib = job->lib;
	SecretService *service = connect_service(job);
	g_autoptr(GHashTable) table = attributes(NULL);
	GError *error = NULL;
	GList *items;

	if (!service)
		return;
	items = job->op == PROBE ? NULL
				 : lib->f_secret_service_search_sync(service, NULL, table,
								     SECRET_SEARCH_ALL,
								     job->cancel, &error);
	if (job->op == PROBE)
		(void)writable(job, service, FALSE);
	else if (error)
		(void)refused(job, error);
	else
		act(job, service, items);
	g_list_free_full(items, (GDestroyNotify)lib->f_g_object_unref);
	lib->f_g_object_unref(service);
}

static gpointer thread_main(gpointer data)
{
	g_autoptr(Job) job = data;

	work(job);
	g_mutex_lock(&job->lock);
	job->done = TRUE;
	g_cond_signal(&job->cond);
	g_mutex_unlock(&job->lock);
	return NULL;
}

/* ---- for the caller ---- */
static gboolean wait_done(Job *job, gint64 ms)
{
	gint64 until = g_get_monotonic_time() + ms * 1000;
	gboolean done;

	g_mutex_lock(&job->lock);
	while (!job->done && g_cond_wait_until(&job->cond, &job->lock, until))
		;
	done = job->done;
	g_mutex_unlock(&job->lock);
	return done;
}

/* NULL: there is no answer. The job has an answer, or its error. */
static Job *run(Op op, const char *key, const char *value, const char *label,
		GError **error)
{
	const SpkLibsecret *lib = spk_libsecret_get(error);
	gint64 patience = can_prompt() && op != KEYS && op != PROBE ? ASK_MS : QUICK_MS;
	g_autoptr(Job) job = NULL;

	if (!lib)
		return NULL;
	job = g_new0(Job, 1);
	*job = (Job){ .op = op,
		      .key = g_strdup(key),
		      .value = g_strdup(value),
		      .label = g_strdup(label),
		      .lib = lib,
		      .cancel = lib->f_g_cancellable_new() };
	g_atomic_ref_count_init(&job->refs);
	g_mutex_init(&job->lock);
	g_cond_init(&job->cond);
	g_atomic_ref_count_inc(&job->refs);
	g_thread_unref(g_thread_new("keyring", thread_main, job));
	if (wait_done(job, patience) || (lib->f_g_cancellable_cancel(job->cancel),
					 wait_done(job, GRACE_MS) && !job->error)) {
		if (!job->error)
			return g_steal_pointer(&job);
		g_propagate_error(error, g_steal_pointer(&job->error));
		return NULL;
	}
	/* a thread that still waits keeps its own reference */
	spk_error_set(error, SPK_ERR_TIMEOUT,
		      "look whether it asks for its password; without "
		      "DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR the file is used",
		      "the keyring does not answer");
	return NULL;
}

static gboolean here(void)
{
	const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *runtime = g_getenv("XDG_RUNTIME_DIR");
	g_autofree char *bus = NULL;

	if (address && *address)
		return g_str_has_prefix(address, "unix:");
	bus = runtime && *runtime == '/' ? g_build_filename(runtime, "bus", NULL) : NULL;
	return bus && g_file_test(bus, G_FILE_TEST_EXISTS);
}

static char *describe(char **ret_weak, GError **error)
{
	g_autoptr(Job) job = NULL;

	*ret_weak = NULL;
	if (!here()) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "there is no session bus");
		return NULL;
	}
	job = run(PROBE, NULL, NULL, NULL, error);
	return job ? g_strdup("the keyring of the session") : NULL;
}

static char *get(const char *key, GError **error)
{
	g_autoptr(Job) job = run(GET, key, NULL, NULL, error);

	return job ? g_steal_pointer(&job->text) : NULL;
}

static char **keys(GError **error)
{
	g_autoptr(Job) job = run(KEYS, NULL, NULL, NULL, error);

	return job ? g_steal_pointer(&job->names) : NULL;
}

static char *set(const SpkSecret *secret, const char *value, char **ret_weak,
		 GError **error)
{
	g_autofree char *label = g_strdup_printf("Sparks: %s", secret->sentence);
	g_autoptr(Job) job = run(SET, secret->key, value, label, error);

	*ret_weak = NULL;
	return job ? g_strdup("the keyring of the session") : NULL;
}

static gboolean remove_key(const char *key, GError **error)
{
	g_autoptr(Job) job = run(REMOVE, key, NULL, NULL, error);

	return job && job->yes;
}

const SpkSecretPlace spk_secret_keyring = {
	.here = here,
	.describe = describe,
	.get = get,
	.keys = keys,
	.set = set,
	.remove = remove_key,
};
