/*
 * Loading: defaults, then the file, `.env`, the environment and the command line, each over
 * the one before. Problems are collected, so that `config check` shows all of them; what is
 * only strange becomes a warning.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fs.h"
#include "conf/load_priv.h"
#include "conf/secret.h"

static void set_defaults(SpkConfLoad *load)
{
	const SpkOpt *options = spk_conf_options();

	for (guint i = 0; options[i].name; i++)
		spk_load_value(load, i, options[i].fallback, "default", 0, "");
}

/* ---- files ---- */
/* A FIFO of that name, or a project's .env in a dialect of its own, is nothing that should
 * keep anyone from working there. */
static void unreadable(SpkConfLoad *load, gboolean mine, gboolean dotenv,
		       const GError *error)
{
	if (!mine && (dotenv || spk_error_is(error, SPK_ERR_NOT_FOUND)))
		spk_load_warning(load, "%s, so it has no effect", error->message);
	else
		spk_load_problem(load, spk_error_hint(error), "%s", error->message);
}

/* What lies in a file: NULL without a problem when there is no such file. */
static GPtrArray *read_layer(SpkConfLoad *load, SpkConfLayer *layer, gboolean mine,
			     gboolean *ret_there)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *entries = NULL;

	layer->text = spk_conf_read(
		layer->path, layer->dotenv ? SPK_ENV_MAX_BYTES : SPK_CONF_MAX_BYTES,
		&layer->len, &error);
	*ret_there = layer->text || error;
	if (layer->text)
		entries = (layer->dotenv ? spk_dotenv_parse : spk_toml_parse)(
			layer->text, layer->len, layer->path, &error);
	if (error)
		unreadable(load, mine, layer->dotenv, error);
	return entries;
}

/* FALSE: there is no such file. `mine` files (explicit, or in SPARKS_HOME) need no trust. */
static gboolean load_file(SpkConfLoad *load, const char *path, gboolean mine,
			  gboolean dotenv, gboolean *ret_trusted)
{
	SpkConfLayer layer = { .path = path, .dotenv = dotenv };
	guint first = load->conf->tables->len;
	gboolean there;
	g_autoptr(GPtrArray) entries = read_layer(load, &layer, mine, &there);
	g_autofree char *text G_GNUC_UNUSED = layer.text;

	*ret_trusted = FALSE;
	if (!entries)
		return there;
	layer.entries = entries;
	layer.mine = mine;
	layer.trusted = *ret_trusted = mine || spk_load_may_trust(load, &layer);
	if (!dotenv) {
		g_autofree char *folder = mine ? g_path_get_dirname(path) : NULL;

		load->conf->path = g_strdup(path);
		load->conf->folder = folder ? g_canonicalize_filename(folder, NULL)
					    : NULL;
		load->conf->trusted = layer.trusted;
	}
	spk_load_layer(load, &layer);
	spk_load_check_names(load, first);
	return TRUE;
}

/* A file that isn't trusted stands before the person's own: what it may not set stays as they
 * set it, else a line in a repository would lift their limits. */
static void load_beneath(SpkConfLoad *load, const char *path, gboolean dotenv)
{
	SpkConfLayer layer = { .path = path,
			       .dotenv = dotenv,
			       .trusted = TRUE,
			       .beneath = TRUE,
			       .mine = TRUE };
	guint first = load->conf->tables->len;
	gboolean there;
	g_autoptr(GPtrArray) entries = read_layer(load, &layer, TRUE, &there);
	g_autofree char *text G_GNUC_UNUSED = layer.text;

	layer.entries = entries;
	if (entries)
		spk_load_layer(load, &layer);
	spk_load_check_names(load, first);
}

static gboolean same_folder(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* Files of the current folder came with whatever lies there, unless it is our own. */
static gboolean is_mine(const char *folder)
{
	g_autofree char *home = spk_fs_expand("~/.sparks");

	return same_folder(folder, home) || !same_folder(folder, ".");
}

static void load_toml(SpkConfLoad *load)
{
	const char *explicit_path = load->source->explicit_path;
	g_autofree char *home = spk_fs_expand("~/.sparks/config.toml");
	gboolean trusted;

	if (explicit_path) {
		if (!load_file(load, explicit_path, TRUE, FALSE, &trusted))
			spk_load_problem(load, "give the path of a TOML file",
					 "%s: no such file", explicit_path);
		return;
	}
	if (load_file(load, "./config.toml", is_mine("."), FALSE, &trusted) &&
	    load->conf->path) {
		if (!trusted)
			load_beneath(load, home, FALSE);
		return;
	}
	if (!load->problems->len)
		(void)load_file(load, home, TRUE, FALSE, &trusted);
}

/* `.env` beside the file in force; without one, here or in SPARKS_HOME. */
static void load_dotenv(SpkConfLoad *load)
{
	const char *path = load->conf->path ? load->conf->path
					    : load->source->explicit_path;
	g_autofree char *home = spk_fs_expand("~/.sparks/.env");
	gboolean trusted, there;

	if (path && strcmp(path, "./config.toml") != 0) {
		g_autofree char *folder = g_path_get_dirname(path);
		g_autofree char *beside = g_build_filename(folder, ".env", NULL);

		(void)load_file(load, beside, is_mine(folder), TRUE, &trusted);
		return;
	}
	there = load_file(load, "./.env", is_mine("."), TRUE, &trusted);
	if (!there && !path)
		(void)load_file(load, home, TRUE, TRUE, &trusted);
	else if ((there && !trusted) || !load->conf->trusted)
		load_beneath(load, home, TRUE);
}

/* ---- environment and command line ---- */
static void load_environment(SpkConfLoad *load)
{
	const SpkOpt *options = spk_conf_options();
	g_auto(GStrv) names = g_listenv();

	for (guint i = 0; options[i].name; i++) {
		g_autofree char *env = spk_conf_env_name(options[i].name);
		const char *text = g_getenv(env);
		g_autofree char *where = g_strconcat(env, ": ", NULL);

		if (text && !spk_secret_find(options[i].name))
			spk_load_value(load, i, text, "environment", 0, where);
	}
	for (char **name = names; *name; name++)
		spk_load_check_variable(load, *name, g_getenv(*name), "");
}

static void load_overrides(SpkConfLoad *load)
{
	for (const char *const *o = load->source->overrides; o && *o; o++) {
		const char *equals = strchr(*o, '=');
		g_autofree char *name = g_strndup(*o, equals ? (gsize)(equals - *o) : 0);
		const SpkSecret *secret = spk_secret_find(name);
		int index = spk_conf_find(name);
		g_autofree char *nearest = NULL;

		if (secret) {
			g_autofree char *hint = g_strdup_printf(
				"others can see a command line: `sparks secrets set %s`, "
				"or %s in the environment",
				secret->key, secret->env);

			spk_load_problem(load, hint,
					 "command line: %s is a secret, and not set here",
					 secret->key);
			continue;
		}

		if (!equals) {
			spk_load_problem(load, "write NAME=VALUE",
					 "command line: \"%s\" sets nothing", *o);
			continue;
		}
		if (index < 0 && spk_conf_find_later(name)) {
			spk_load_problem(
				load, "leave it out: it would have no effect",
				"command line: %s is known, but not in this version",
				name);
			continue;
		}
		if (index < 0) {
			nearest = spk_conf_nearest(name);
			spk_load_problem(load, "`sparks config show` lists the options",
					 "command line: unknown option %s%s", name,
					 nearest);
			continue;
		}
		spk_load_value(load, (guint)index, equals + 1, "command line", 0,
			       "command line: ");
	}
}

/* ---- the database ---- */
/* A SQLite file without an application id: ours sets one, the reference doesn't. */
static gboolean looks_foreign(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[100];

	return spk_conf_read_head(path, head, sizeof(head)) &&
	       !memcmp(head, magic, sizeof(magic)) && !memcmp(head + 68, "\0\0\0\0", 4);
}

/* Looked at once in a process, before it opens its store: to open and close the file of a
 * store that is open drops SQLite's locks on it (POSIX locks are the process's), and whoever
 * comes next takes the write-ahead log for left over and removes it. */
static gboolean is_foreign_database(const char *path)
{
	static GMutex lock;
	static GHashTable *seen; /* path -> foreign */
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	gpointer foreign;

	if (!seen)
		seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (g_hash_table_lookup_extended(seen, path, NULL, &foreign))
		return GPOINTER_TO_INT(foreign);
	foreign = GINT_TO_POINTER(looks_foreign(path));
	g_hash_table_insert(seen, g_strdup(path), foreign);
	return GPOINTER_TO_INT(foreign);
}

static void find_store(SpkConfLoad *load)
{
	const char *path = spk_conf_str(load->conf, "db.path");
	g_autofree char *folder = g_path_get_dirname(path);

	if (!*path || !is_foreign_database(path)) {
		load->conf->store_path = g_strdup(path);
		return;
	}
	load->conf->store_path = g_build_filename(folder, "store.db", NULL);
	if (!g_file_test(load->conf->store_path, G_FILE_TEST_EXISTS))
		spk_load_warning(
			load,
			"%s is a database of the reference program and stays as it is; "
			"tasks are kept in %s",
			path, load->conf->store_path);
}

static GHashTable *new_secrets(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
				     (GDestroyNotify)spk_secret_wipe);
}

static void free_kept(gpointer data)
{
	SpkConfKept *kept = data;

	spk_secret_wipe(kept->value);
	g_free(kept);
}

static SpkConf *new_conf(void)
{
	SpkConf *conf = g_new0(SpkConf, 1);

	conf->cwd = g_get_current_dir();
	g_atomic_ref_count_init(&conf->refs);
	conf->values = g_new0(SpkConfValue, spk_conf_n_options());
	conf->trusted = TRUE;
	g_mutex_init(&conf->lock);
	conf->secrets = new_secrets();
	conf->inlined = new_secrets();
	conf->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_kept);
	conf->tables =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_conf_table_free);
	conf->modes = g_ptr_array_new_with_free_func((GDestroyNotify)spk_conf_table_free);
	conf->warnings = g_ptr_array_new_with_free_func(g_free);
	return conf;
}

SpkConf *spk_conf_of_profile(const char *name, const char *text, gsize len,
			     GPtrArray **ret_problems)
{
	SpkConfLoad load = { .conf = new_conf() };

	load.problems = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	spk_load_profile(&load, name, text, len);
	spk_load_check_names(&load, 0);
	g_ptr_array_add(load.conf->warnings, NULL);
	*ret_problems = load.problems;
	return load.conf;
}

SpkConf *spk_conf_check(const SpkConfSource *source, GPtrArray **ret_problems)
{
	SpkConf *conf = new_conf();
	SpkConfLoad load = { conf, source, NULL, NULL, 0 };

	load.problems = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	set_defaults(&load);
	load_toml(&load);
	spk_load_profiles(&load);
	load_dotenv(&load);
	load_environment(&load);
	load_overrides(&load);
	find_store(&load);
	g_ptr_array_add(conf->warnings, NULL);
	*ret_problems = load.problems;
	return conf;
}

SpkConf *spk_conf_load(const SpkConfSource *source, GError **error)
{
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(SpkConf) conf = spk_conf_check(source, &problems);
	const GError *first;
	g_autofree char *more = NULL;

	if (!problems->len)
		return g_steal_pointer(&conf);
	first = problems->pdata[0];
	if (problems->len > 1)
		more = g_strdup_printf(" (and %u more: `sparks config check` lists all)",
				       problems->len - 1);
	spk_error_set(error, SPK_ERR_CONFIG, spk_error_hint(first), "%s%s",
		      first->message, more ? more : "");
	return NULL;
}
