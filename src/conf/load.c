/*
 * Loading: defaults, then the file, `.env`, the environment and the command line, each over
 * the one before. Problems are collected, so that `config check` shows all of them; what is
 * only strange becomes a warning.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "conf/conf_priv.h"

enum { MAX_UNKNOWN = 12 };

typedef struct {
	SpkConf *conf;
	const SpkConfSource *source;
	GPtrArray *problems;
	GHashTable *named; /* what of the reference was warned about already */
	guint unknown;
} Load;

/* A file whose entries are to be applied. */
typedef struct {
	const char *name; /* for messages */
	const char *origin;
	GPtrArray *entries;
	gboolean trusted;
} Layer;

static void problem(Load *load, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void warning(Load *load, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void problem(Load *load, const char *hint, const char *format, ...)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	spk_error_set(&error, SPK_ERR_CONFIG, hint, "%s", text);
	g_ptr_array_add(load->problems, error);
}

static void warning(Load *load, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(load->conf->warnings, g_strdup_vprintf(format, args));
	va_end(args);
}

/* ---- values ---- */
static void set_value(Load *load, guint index, const char *text, const char *origin,
		      guint line, const char *where)
{
	const SpkOpt *opt = &spk_conf_options()[index];
	g_autofree char *why = NULL;
	SpkConfValue value;

	if (!spk_conf_value_parse(opt, text, &value, &why)) {
		problem(load, "`sparks help --man` lists all options", "%s%s %s", where,
			opt->name, why);
		return;
	}
	value.origin = origin;
	value.line = line;
	g_free(load->conf->values[index].text);
	load->conf->values[index] = value;
}

static void set_defaults(Load *load)
{
	const SpkOpt *options = spk_conf_options();

	for (guint i = 0; options[i].name; i++)
		set_value(load, i, options[i].fallback, "default", 0, "");
}

static gboolean is_section(const char *name)
{
	gsize len = strlen(name);

	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		if (!strncmp(opt->name, name, len) && opt->name[len] == '.')
			return TRUE;
	return FALSE;
}

static void unknown_key(Load *load, const Layer *layer, const SpkConfEntry *entry)
{
	g_autofree char *later = spk_conf_later(entry->key);
	g_autofree char *nearest = NULL;

	if (entry->type == SPK_TOML_TABLE && is_section(entry->key))
		return;
	if (later) {
		if (g_hash_table_add(load->named, g_strdup(later)))
			warning(load,
				"%s:%u: %s is known, but not in this version: it has no "
				"effect",
				layer->name, entry->line, later);
		return;
	}
	if (load->unknown++ >= MAX_UNKNOWN)
		return;
	nearest = spk_conf_nearest(entry->key);
	warning(load, "%s:%u: unknown key %s%s: it has no effect", layer->name,
		entry->line, entry->key, nearest);
}

/* ---- files ---- */
static int option_of_toml(const SpkConfEntry *entry)
{
	return spk_conf_find(entry->key);
}

static int option_of_variable(const char *variable)
{
	const SpkOpt *options = spk_conf_options();

	if (!g_str_has_prefix(variable, "SPARKS_"))
		return -1;
	for (guint i = 0; options[i].name; i++) {
		g_autofree char *env = spk_conf_env_name(options[i].name);

		if (!strcmp(env, variable))
			return (int)i;
	}
	return -1;
}

static int option_of_entry(const SpkConfEntry *entry, gboolean dotenv)
{
	return dotenv ? option_of_variable(entry->key) : option_of_toml(entry);
}

static gboolean is_sensitive(const SpkConfEntry *entry, gboolean dotenv)
{
	int index = option_of_entry(entry, dotenv);

	if (index >= 0)
		return spk_conf_options()[index].flags & SPK_OPT_SENSITIVE;
	return dotenv && g_strv_contains(spk_conf_secrets, entry->key);
}

/* "name = value" of what has no effect without trust; secrets without their value. */
static GPtrArray *sensitive_lines(GPtrArray *entries, gboolean dotenv, GString *names)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < entries->len; i++) {
		const SpkConfEntry *entry = entries->pdata[i];
		gboolean secret = dotenv && option_of_variable(entry->key) < 0;

		if (!is_sensitive(entry, dotenv))
			continue;
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", entry->key);
		g_ptr_array_add(lines, g_strdup_printf("%s = %s", entry->key,
						       secret ? "(a key)" : entry->text));
	}
	return lines;
}

/* Whether a file that came with the folder may set what is sensitive. */
static gboolean trusted_now(Load *load, const char *path, const char *text, gsize len,
			    GPtrArray *entries, gboolean dotenv)
{
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GPtrArray) lines = sensitive_lines(entries, dotenv, names);
	g_autoptr(GError) error = NULL;
	SpkTrust trust = spk_trust_look(path, text, len);
	gboolean yes = trust == SPK_TRUST_YES;
	gboolean answered = FALSE;

	if (yes || !lines->len)
		return yes;
	if (load->source->ask_trust && trust == SPK_TRUST_NONE)
		yes = spk_trust_ask(path, lines, &answered);
	if (answered && !spk_trust_record(path, text, len, yes, &error))
		warning(load, "the answer could not be kept: %s", error->message);
	if (!yes)
		warning(load,
			"%s is not trusted: %s %s no effect; look at the file, then run "
			"`sparks config trust`",
			path, names->str, lines->len == 1 ? "has" : "have");
	return yes;
}

static void apply_toml(Load *load, const Layer *layer)
{
	for (guint i = 0; i < layer->entries->len; i++) {
		const SpkConfEntry *entry = layer->entries->pdata[i];
		int index = option_of_toml(entry);
		const SpkOpt *opt = index < 0 ? NULL : &spk_conf_options()[index];
		g_autofree char *where = g_strdup_printf("%s:%u:%u: ", layer->name,
							 entry->line, entry->column);
		g_autofree char *clash = NULL;

		if (!opt) {
			unknown_key(load, layer, entry);
			continue;
		}
		if (!layer->trusted && (opt->flags & SPK_OPT_SENSITIVE))
			continue;
		clash = spk_conf_type_clash(opt, entry);
		if (clash)
			problem(load, "put this line right", "%s%s %s", where, opt->name,
				clash);
		else
			set_value(load, (guint)index, entry->text, layer->origin,
				  entry->line, where);
	}
	if (load->unknown > MAX_UNKNOWN)
		warning(load, "%s: and %u more unknown keys", layer->name,
			load->unknown - MAX_UNKNOWN);
}

/* A variable that looks like one of ours but is none: most likely a slip. */
static void check_variable(Load *load, const char *name, const char *where)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *nearest = NULL;
	gboolean ours = FALSE;

	/* The bearer of the reference's server, not an option. */
	if (!g_str_has_prefix(name, "SPARKS_") || !strcmp(name, "SPARKS_OPENAI_API_KEY"))
		return;
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		char *env = spk_conf_env_name(opt->name);
		gsize section = strlen("SPARKS_") + strcspn(opt->name, ".") + 1;

		ours |= !strncmp(env, name, section);
		g_ptr_array_add(names, env);
	}
	g_ptr_array_add(names, NULL);
	if (!ours || g_strv_contains((const char *const *)names->pdata, name))
		return;
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	warning(load, "%s%s is not an option%s: it has no effect", where, name, nearest);
}

static void apply_dotenv(Load *load, const Layer *layer)
{
	for (guint i = 0; i < layer->entries->len; i++) {
		const SpkConfEntry *entry = layer->entries->pdata[i];
		int index = option_of_variable(entry->key);
		g_autofree char *where =
			g_strdup_printf("%s:%u: ", layer->name, entry->line);

		if (!layer->trusted && is_sensitive(entry, TRUE))
			continue;
		if (index >= 0)
			set_value(load, (guint)index, entry->text, layer->origin,
				  entry->line, where);
		else if (g_strv_contains(spk_conf_secrets, entry->key))
			g_hash_table_replace(load->conf->secrets, g_strdup(entry->key),
					     g_strdup(entry->text));
		else
			check_variable(load, entry->key, where);
	}
}

/* FALSE: there is no such file. `mine` files (explicit, or in SPARKS_HOME) need no trust. */
static gboolean load_file(Load *load, const char *path, gboolean mine, gboolean dotenv)
{
	g_autoptr(GError) error = NULL;
	gsize len = 0;
	g_autofree char *text = spk_conf_read(
		path, dotenv ? SPK_ENV_MAX_BYTES : SPK_CONF_MAX_BYTES, &len, &error);
	g_autoptr(GPtrArray) entries = NULL;
	Layer layer = { path, dotenv ? ".env" : "file" };

	if (!text && !error)
		return FALSE;
	if (text)
		entries = dotenv ? spk_dotenv_parse(text, len, path, &error)
				 : spk_toml_parse(text, len, path, &error);
	if (!entries) {
		/* A FIFO of that name, or a project's .env in a dialect of its own, is
		 * nothing that should keep anyone from working there. */
		if (!mine && (dotenv || spk_error_is(error, SPK_ERR_NOT_FOUND)))
			warning(load, "%s, so it has no effect", error->message);
		else
			problem(load, spk_error_hint(error), "%s", error->message);
		return TRUE;
	}
	layer.entries = entries;
	layer.trusted = mine || trusted_now(load, path, text, len, entries, dotenv);
	if (dotenv) {
		apply_dotenv(load, &layer);
		return TRUE;
	}
	load->conf->path = g_strdup(path);
	load->conf->trusted = layer.trusted;
	apply_toml(load, &layer);
	return TRUE;
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

static void load_toml(Load *load)
{
	const char *explicit_path = load->source->explicit_path;
	g_autofree char *home = NULL;

	if (explicit_path) {
		if (!load_file(load, explicit_path, TRUE, FALSE))
			problem(load, "give the path of a TOML file", "%s: no such file",
				explicit_path);
		return;
	}
	if (load_file(load, "./config.toml", is_mine("."), FALSE) && load->conf->path)
		return;
	home = spk_fs_expand("~/.sparks/config.toml");
	if (!load->problems->len)
		(void)load_file(load, home, TRUE, FALSE);
}

/* `.env` beside the file in force; without one, here or in SPARKS_HOME. */
static void load_dotenv(Load *load)
{
	const char *path = load->conf->path ? load->conf->path
					    : load->source->explicit_path;
	g_autofree char *home = spk_fs_expand("~/.sparks/.env");

	if (path && strcmp(path, "./config.toml") != 0) {
		g_autofree char *folder = g_path_get_dirname(path);
		g_autofree char *beside = g_build_filename(folder, ".env", NULL);

		(void)load_file(load, beside, is_mine(folder), TRUE);
	} else if (!load_file(load, "./.env", is_mine("."), TRUE) && !path) {
		(void)load_file(load, home, TRUE, TRUE);
	}
}

/* ---- environment and command line ---- */
static void load_environment(Load *load)
{
	const SpkOpt *options = spk_conf_options();
	g_auto(GStrv) names = g_listenv();

	for (guint i = 0; options[i].name; i++) {
		g_autofree char *env = spk_conf_env_name(options[i].name);
		const char *text = g_getenv(env);
		g_autofree char *where = g_strconcat(env, ": ", NULL);

		if (text)
			set_value(load, i, text, "environment", 0, where);
	}
	for (char **name = names; *name; name++)
		check_variable(load, *name, "");
}

static void load_overrides(Load *load)
{
	for (const char *const *o = load->source->overrides; o && *o; o++) {
		const char *equals = strchr(*o, '=');
		g_autofree char *name = g_strndup(*o, equals ? (gsize)(equals - *o) : 0);
		int index = spk_conf_find(name);
		g_autofree char *nearest = NULL;

		if (!equals) {
			problem(load, "write NAME=VALUE",
				"command line: \"%s\" sets nothing", *o);
			continue;
		}
		if (index < 0) {
			nearest = spk_conf_nearest(name);
			problem(load, "`sparks config show` lists the options",
				"command line: unknown option %s%s", name, nearest);
			continue;
		}
		set_value(load, (guint)index, equals + 1, "command line", 0,
			  "command line: ");
	}
}

/* ---- the database ---- */
/* A SQLite file without an application id: ours sets one, the reference doesn't. */
static gboolean is_foreign_database(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[100];

	return spk_conf_read_head(path, head, sizeof(head)) &&
	       !memcmp(head, magic, sizeof(magic)) && !memcmp(head + 68, "\0\0\0\0", 4);
}

static void find_store(Load *load)
{
	const char *path = spk_conf_str(load->conf, "db.path");
	g_autofree char *folder = g_path_get_dirname(path);

	if (!*path || !is_foreign_database(path)) {
		load->conf->store_path = g_strdup(path);
		return;
	}
	load->conf->store_path = g_build_filename(folder, "store.db", NULL);
	if (!g_file_test(load->conf->store_path, G_FILE_TEST_EXISTS))
		warning(load,
			"%s is a database of the reference program and stays as it is; "
			"tasks are kept in %s",
			path, load->conf->store_path);
}

SpkConf *spk_conf_check(const SpkConfSource *source, GPtrArray **ret_problems)
{
	SpkConf *conf = g_new0(SpkConf, 1);
	g_autoptr(GHashTable)
		named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Load load = { conf, source, NULL, named };

	load.problems = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
	g_atomic_ref_count_init(&conf->refs);
	conf->values = g_new0(SpkConfValue, spk_conf_n_options());
	conf->trusted = TRUE;
	conf->secrets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	conf->warnings = g_ptr_array_new_with_free_func(g_free);
	set_defaults(&load);
	load_toml(&load);
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
