/* A load under way, and putting the entries of one source into it (apply.c). */
#ifndef SPK_CONF_LOAD_PRIV_H
#define SPK_CONF_LOAD_PRIV_H

#include "conf/conf_priv.h"

/* What of one section of a file has no effect in this version. */
typedef struct {
	char *section;
	guint line;	/* of the first */
	GString *names; /* "provider, allow_all" */
} SpkConfLater;

typedef struct {
	SpkConf *conf;
	const SpkConfSource *source;
	GPtrArray *problems;
	GPtrArray *later; /* SpkConfLater, in the order of the file */
	guint unknown;	  /* that were told, or would have been */
} SpkConfLoad;

/* A file whose entries are to be applied. */
typedef struct {
	const char *path;
	char *text;
	gsize len;
	GPtrArray *entries;
	gboolean dotenv; /* else TOML */
	gboolean mine;	 /* explicit, or in SPARKS_HOME */
	gboolean trusted;
	gboolean
		beneath; /* only what is sensitive counts: a file that isn't trusted hides it */
} SpkConfLayer;

#define SPK_LOAD_MAX_SHOWN 200 /* bytes of a value that a message shows */

void spk_load_problem(SpkConfLoad *load, const char *hint, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
void spk_load_warning(SpkConfLoad *load, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* `where` begins the message of a problem: "config.toml:3:1: ". */
void spk_load_value(SpkConfLoad *load, guint index, const char *text, const char *origin,
		    guint line, const char *where);
void spk_load_layer(SpkConfLoad *load, const SpkConfLayer *layer);
/* The option of a variable, or -1. */
int spk_load_variable(const char *variable);
/* Warns of a variable that looks like one of ours and has no effect: of an option that is not
 * in this version, or of none, which is most likely a slip. */
void spk_load_check_variable(SpkConfLoad *load, const char *name, const char *text,
			     const char *where);
/* A table of a list that lacks what it must have is a problem. */
void spk_load_check_required(SpkConfLoad *load, const SpkConfLayer *layer);

/* ---- [[ghosts]] ---- */
/* "ghosts[3]" itself, where a table of the list begins. */
gboolean spk_load_is_table(const SpkConfEntry *entry);
/* The one that the entry belongs to: "ghosts[3]" of "ghosts[3].name". NULL: one too many,
 * which is a problem of the first of these. */
SpkConfTable *spk_load_table(SpkConfLoad *load, const SpkConfLayer *layer,
			     const SpkConfEntry *entry);
/* Takes the value's text. Its key is what stands behind "ghosts[3].". */
void spk_load_keep(SpkConfTable *table, const SpkConfEntry *entry, SpkConfValue *value);
/* Two tables of one name, from the table number `first` on, are a problem. */
void spk_load_check_names(SpkConfLoad *load, guint first);

/* One profile's text; `path` is its name in messages. */
void spk_load_profile(SpkConfLoad *load, const char *path, const char *text, gsize len);
/* ~/.sparks/ghosts, one spark a file; what is wrong in one is a problem of the load. */
void spk_load_profiles(SpkConfLoad *load);

/* Whether a file that came with the folder may set what is sensitive: asks on the terminal
 * where it may, else warns with the names that have no effect. */
gboolean spk_load_may_trust(SpkConfLoad *load, const SpkConfLayer *layer);

#endif
