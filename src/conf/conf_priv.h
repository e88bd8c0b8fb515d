/*
 * The parts that a load is made of: readers that turn bytes into entries (toml.cc,
 * dotenv.c), the tables (options.c), one value (value.c), the record of trust (trust.c).
 */
#ifndef SPK_CONF_CONF_PRIV_H
#define SPK_CONF_CONF_PRIV_H

#include "conf/conf.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPK_CONF_MAX_BYTES  (1u << 20)	 /* of a config file */
#define SPK_ENV_MAX_BYTES   (256u << 10) /* of a .env file */
#define SPK_CONF_MAX_VALUE  4096u	 /* bytes of one value */
#define SPK_CONF_MAX_LIST   65536u	 /* bytes of one list */
#define SPK_TOML_MAX_KEY    512u	 /* bytes of a key with its tables */
#define SPK_TOML_MAX_DOTS   32		 /* parts of a dotted key or table name */
#define SPK_TOML_MAX_VALUES 16		 /* arrays and inline tables inside each other */
#define SPK_CONF_MAX_TABLES 1000	 /* [[ghosts]] of one file */

/* ---- readers ---- */
typedef enum {
	SPK_TOML_STRING,
	SPK_TOML_INT,
	SPK_TOML_REAL,
	SPK_TOML_BOOL,
	SPK_TOML_LIST,	/* array of strings */
	SPK_TOML_OTHER, /* date, time, other array: its first part that is none of these */
	SPK_TOML_TABLE,	  /* a table without keys, or one of a list: "ghosts[0]" */
	SPK_TOML_TABLES,  /* [[name]] */
	SPK_TOML_NUMBERS, /* array of strings and whole numbers: its first number */
} SpkTomlType;

typedef struct {
	char *key; /* dotted: "manager.max_steps"; parts that are no bare words in quotes;
		   * "ghosts[0].name" within a list of tables */
	char *text; /* a value as a string, a list as JSON; "" for the last three types */
	SpkTomlType type;
	guint line, column; /* of the value, from 1 */
} SpkConfEntry;

void spk_conf_entry_free(SpkConfEntry *entry);

/* Every leaf of a TOML text as SpkConfEntry, in order of the text. NULL: CONFIG with
 * "name:line:column: ". */
GPtrArray *spk_toml_parse(const char *text, gsize len, const char *name, GError **error);
/* KEY=VALUE lines, all of type string; the key is the variable's name. */
GPtrArray *spk_dotenv_parse(const char *text, gsize len, const char *name,
			    GError **error);

/* Opens without waiting (a FIFO must not hold us) and reads a regular file of bounded size.
 * NULL without error: no such file, or a folder. NOT_FOUND: a FIFO, socket or device. */
char *spk_conf_read(const char *path, gsize max_bytes, gsize *ret_len, GError **error);
/* The first `len` bytes; FALSE when it isn't a regular file of at least that size. */
gboolean spk_conf_read_head(const char *path, void *buffer, gsize len);

/* ---- tables ---- */
guint spk_conf_n_options(void);
/* A key as it stands in a table: "ghosts[].name" of "ghosts[3].name". */
char *spk_conf_row_name(const char *key);
/* Whether there are rows of later.c below that name. */
gboolean spk_conf_is_later_section(const char *key);

/* ---- one value ---- */
typedef struct {
	char *text; /* as given, paths expanded and absolute */
	gint64 integer;
	double real;
	gboolean boolean;
	const char *origin;
	guint line; /* in the file it comes from; 0: none */
} SpkConfValue;

/* A list as canonical JSON, from JSON or from words between commas; NULL with the reason in
 * words. */
char *spk_conf_list_parse(const SpkOpt *opt, const char *text, char **ret_why);
/* The strings of such a text. */
char **spk_conf_list_items(const char *json);
/* FALSE with the reason in words ("is 0, but must be …"). */
gboolean spk_conf_value_parse(const SpkOpt *opt, const char *text,
			      SpkConfValue *ret_value, char **ret_why);
/* Why a TOML value of that type can't be the option's, or NULL when it may. */
char *spk_conf_type_clash(const SpkOpt *opt, const SpkConfEntry *entry);

/* ---- the object ---- */
typedef struct {
	char *value; /* found in keyring or file; NULL: nowhere */
	gint64 looked_us;
} SpkConfKept;

struct SpkConfTable {
	char *name; /* "ghosts[0]", "prompt_scanner.mode_overrides[0]" */
	char *file, *folder;
	guint line;
	GHashTable *values; /* key -> SpkConfValue */
};
void spk_conf_table_free(SpkConfTable *table);

struct SpkConf {
	gatomicrefcount refs;
	SpkConf *base; /* keeps the secrets of one with knobs; NULL: it is a loaded one */
	SpkConfValue *values; /* in the order of the table */
	char *path;
	char *folder; /* of path; NULL: it came with the current folder, or there is none */
	char *cwd;    /* when it was loaded: what is given by word is relative to it */
	gboolean trusted;
	/* NULL, but for the lock, where there is a base */
	GHashTable *secrets; /* of a trusted .env: variable -> value */
	GHashTable *inlined; /* of a config file, where that is allowed: likewise */
	GMutex lock;	     /* of kept */
	GHashTable *kept;    /* variable -> SpkConfKept */
	GPtrArray *tables;   /* SpkConfTable: [[ghosts]] */
	GPtrArray *modes;    /* likewise: [[prompt_scanner.mode_overrides]] */
	GPtrArray *warnings; /* NULL-terminated once loaded */
	char *store_path;
};

/* What a profile's text gives alone: its tables and warnings, and problems as GError. */
SpkConf *spk_conf_of_profile(const char *name, const char *text, gsize len,
			     GPtrArray **ret_problems);

/* ---- trust ---- */
typedef enum {
	SPK_TRUST_NONE,
	SPK_TRUST_YES,
	SPK_TRUST_DECLINED, /* asked before, for the same bytes */
} SpkTrust;

/* `path` of a file with that content. */
SpkTrust spk_trust_look(const char *path, const char *text, gsize len);
gboolean spk_trust_record(const char *path, const char *text, gsize len, gboolean yes,
			  GError **error);
/* Shows `lines` (what would take effect) on the terminal and asks. FALSE too when there is
 * no terminal. */
gboolean spk_trust_ask(const char *path, GPtrArray *lines, gboolean *ret_answered);

#ifdef __cplusplus
}
#endif

#endif
