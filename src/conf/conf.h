/*
 * Configuration: one option table (conf/options.c) gives names, types, defaults, ranges,
 * environment names and the help sentence. A loaded SpkConf is immutable and may be shared
 * between threads. Precedence: command line > knob (conf/knob.h) > environment > `.env`
 * beside the config in force > file > default; for secrets see spk_conf_secret().
 */
#ifndef SPK_CONF_CONF_H
#define SPK_CONF_CONF_H

#include <glib.h>
#include <jansson.h>

typedef struct SpkConf SpkConf;

typedef enum {
	SPK_OPT_STRING,
	SPK_OPT_INT,
	SPK_OPT_REAL,
	SPK_OPT_BOOL,
	SPK_OPT_ENUM,	  /* string out of choices */
	SPK_OPT_PATH,	  /* string; "~/" expanded, made absolute; "" stays */
	SPK_OPT_LIST,	  /* strings; as text a JSON array of them */
	SPK_OPT_PATTERNS, /* likewise, each a regular expression */
} SpkOptType;

typedef enum {
	SPK_OPT_SENSITIVE =
		1 << 0, /* no effect from an untrusted ./config.toml or ./.env */
	SPK_OPT_PROCESS = 1 << 1, /* of the program or its store: nothing to a task */
	SPK_OPT_RESTART =
		1 << 3, /* a running daemon keeps the value that it began with */
	SPK_OPT_NUMBERS =
		1 << 4, /* whole numbers may stand there, too: a list, choices */
	SPK_OPT_NAMES =
		1 << 5, /* a list of patterns of file names: "*.pem", "!public.pem" */
	SPK_OPT_LATER = 1 << 2, /* of the reference program; no effect in this version */
} SpkOptFlags;

typedef struct {
	const char *name; /* "manager.max_steps" */
	SpkOptType type;
	const char *fallback; /* as written in TOML, strings without quotes */
	double min, max;      /* SPK_OPT_INT and SPK_OPT_REAL */
	const char *choices;  /* "a|b|c" for SPK_OPT_ENUM */
	guint flags;	      /* SpkOptFlags */
	const char *sentence;
} SpkOpt;

/* Sorted by name, ends with a NULL name. */
const SpkOpt *spk_conf_options(void);
/* Index of the option, or -1. */
int spk_conf_find(const char *name);
/* The options of the reference program that have no effect here, in the same shape and order.
 * A name holds "[]" for each table of a list: "ghosts[].mounts[].host_path". */
const SpkOpt *spk_conf_later_options(void);
/* The row of a key of these, indices or none between the brackets; NULL: there is none. */
const SpkOpt *spk_conf_find_later(const char *key);

/* One [[ghosts]], with the values it has in its file (order of the file). Borrowed from conf. */
typedef struct SpkConfTable SpkConfTable;
const GPtrArray *spk_conf_tables(const SpkConf *conf);
/* Likewise each [[prompt_scanner.mode_overrides]]. */
const GPtrArray *spk_conf_scan_modes(const SpkConf *conf);
const char *spk_conf_table_file(const SpkConfTable *table);
/* That its paths are relative to; NULL: the file came with the current folder. */
const char *spk_conf_table_folder(const SpkConfTable *table);
/* Of the key, else of the table. */
guint spk_conf_table_line(const SpkConfTable *table, const char *key);
/* Whether the key stands there: "soul_file", "mounts[0].host_path". */
gboolean spk_conf_table_has(const SpkConfTable *table, const char *key);
/* Its value or the default; the key must stand in the table of options. */
const char *spk_conf_table_str(const SpkConfTable *table, const char *key);
char **spk_conf_table_list(const SpkConfTable *table, const char *key);

/* " (did you mean …?)" among all names known, or "". */
char *spk_conf_nearest(const char *name);
/* Why the option can't have that value, in words ("is 0, but must be …"); NULL: it can. */
char *spk_conf_unfit(const SpkOpt *opt, const char *text);
/* The value as a file would have it, strings without quotes ("yes" of a boolean: "true"); NULL:
 * it is unfit. A path stays as it is written. */
char *spk_conf_canon(const SpkOpt *opt, const char *text);
/* Its environment variable: "SPARKS_MANAGER_MAX_STEPS". */
char *spk_conf_env_name(const char *option);

typedef struct {
	const char *
		explicit_path; /* --config; NULL: ./config.toml, ~/.sparks/config.toml, none */
	const char *const
		*overrides; /* "name=value", from the command line; may be NULL */
	gboolean ask_trust; /* stdin and stderr are a terminal: show and ask once */
} SpkConfSource;

/* NULL: CONFIG with file, line, column and "did you mean". Warnings (unknown key with line
 * and nearest name; untrusted sensitive keys, which have no effect) are kept for
 * spk_conf_warnings(). Fast when there is no file: the TOML reader isn't touched. */
SpkConf *spk_conf_load(const SpkConfSource *source, GError **error);
/* The same, but goes on to the end: what holds without the values at fault, and all problems
 * as GError (none: an empty array). */
SpkConf *spk_conf_check(const SpkConfSource *source, GPtrArray **ret_problems);
SpkConf *spk_conf_ref(SpkConf *conf);
void spk_conf_unref(SpkConf *conf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkConf, spk_conf_unref)

/* The name must stand in the table and be of that type: a mistake is a g_assert. */
const char *spk_conf_str(const SpkConf *conf, const char *name); /* "" when unset */
gint64 spk_conf_int(const SpkConf *conf, const char *name);
double spk_conf_real(const SpkConf *conf, const char *name);
gboolean spk_conf_bool(const SpkConf *conf, const char *name);
char **spk_conf_list(const SpkConf *conf, const char *name); /* allocated */
/* As it was given, whatever its type. */
char *spk_conf_dup_text(const SpkConf *conf, const char *name);
/* FALSE when only the built-in default holds. */
gboolean spk_conf_is_set(const SpkConf *conf, const char *name);
/* "default", "file", "environment", ".env", "knob", "command line" */
const char *spk_conf_origin(const SpkConf *conf, const char *name);

/* Line in the file (or .env) that it comes from; 0: none. */
guint spk_conf_line(const SpkConf *conf, const char *name);

/* "config.toml:3", "SPARKS_UP_WORKERS", ".env, line 3", "command line", "default" */
char *spk_conf_place(const SpkConf *conf, const char *name);
/* What a path in that option is relative to: the folder of the file it stands in, or the
 * current one. NULL: it came with the current folder, by ./config.toml or a .env. */
char *spk_conf_folder(const SpkConf *conf, const char *name);

const char *spk_conf_path(const SpkConf *conf); /* file in force, or NULL */
gboolean
spk_conf_is_trusted(const SpkConf *conf); /* TRUE as well when there is no file */
const char *const *spk_conf_warnings(const SpkConf *conf);
/* {"file":…,"trusted":…,"values":{"name":{"value":…,"origin":…,"line":…}}}; secrets as "(set)" */
json_t *spk_conf_to_json(const SpkConf *conf);

/* {"name":value,…} of the options that a task runs with (all but SPK_OPT_PROCESS),
 * {"prompt_scanner.mode_overrides":[{"provider","repo","mode"}]}, and {"OPENAI_API_KEY":true,…}
 * for the secrets of models and of [box] credentials: equal for two processes that would run a
 * task alike. */
json_t *spk_conf_task_values(const SpkConf *conf);

/* Records the hash of config.toml and .env in `folder` (those that exist; none: NOT_FOUND) in
 * SPARKS_HOME/trust, lines "sha256 path". Returns what was recorded. */
char **spk_conf_trust(const char *folder, GError **error);

/* Where our database is: db.path, or store.db beside it when that is a database of the
 * reference program, which is never written (a warning says so while there is no store.db). */
const char *spk_conf_store_path(const SpkConf *conf);

/* A secret by its environment name: environment, trusted .env, keyring, file of secrets,
 * config file where SPARKS_ALLOW_INLINE_SECRETS=1 lets it stand there; NULL when absent.
 * Keyring and file are looked at on the first call for it only, within a deadline, and what
 * is wrong with them is logged once. Borrowed from conf; any thread. Never logged, never in
 * spk_conf_to_json(). From then on it is known to base/veil.h, as those of `.env` are at once. */
const char *spk_conf_secret(const SpkConf *conf, const char *env_name);
/* Where it stands, without looking into keyring and file of secrets: "environment", ".env",
 * "file" (the config) or NULL. */
const char *spk_conf_secret_near(const SpkConf *conf, const char *env_name);
#endif
