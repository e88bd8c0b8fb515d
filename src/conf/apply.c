/*
 * From entries to values: each entry of a file or `.env` becomes the value of an option, a
 * problem, or a warning.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/veil.h"
#include "conf/load_priv.h"
#include "conf/secret.h"

enum { MAX_UNKNOWN = 12, MAX_SHOWN = 20 };

/* ---- values ---- */
void spk_load_value(SpkConfLoad *load, guint index, const char *text, const char *origin,
		    guint line, const char *where)
{
	const SpkOpt *opt = &spk_conf_options()[index];
	g_autofree char *why = NULL;
	SpkConfValue value;

	if (!strcmp(opt->name, "llm.provider") && !strcmp(text, "ouath")) {
		spk_load_warning(load, "%s%s \"ouath\" is an old spelling of openai",
				 where, opt->name);
		text = "openai";
	}
	if (!spk_conf_value_parse(opt, text, &value, &why)) {
		spk_load_problem(load, "`sparks help --man` lists all options", "%s%s %s",
				 where, opt->name, why);
		return;
	}
	value.origin = origin;
	value.line = line;
	g_free(load->conf->values[index].text);
	load->conf->values[index] = value;
}

static gboolean is_section(const char *name)
{
	gsize len = strlen(name);

	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		if (!strncmp(opt->name, name, len) && opt->name[len] == '.')
			return TRUE;
	return FALSE;
}

/* ---- what this version lacks ---- */
static void free_later(gpointer data)
{
	SpkConfLater *later = data;

	g_free(later->section);
	g_string_free(later->names, TRUE);
	g_free(later);
}

static SpkConfLater *later_of(SpkConfLoad *load, const char *row, guint line)
{
	g_autofree char *section = g_strndup(row, strcspn(row, ".["));
	SpkConfLater *later;

	for (guint i = 0; i < load->later->len; i++) {
		later = load->later->pdata[i];
		if (!strcmp(later->section, section))
			return later;
	}
	later = g_new0(SpkConfLater, 1);
	later->section = g_steal_pointer(&section);
	later->line = line;
	later->names = g_string_new(NULL);
	g_ptr_array_add(load->later, later);
	return later;
}

/* A name once, though each table of a list has it. */
static gboolean has_name(const GString *names, const char *name)
{
	g_auto(GStrv) words = g_strsplit(names->str, ", ", -1);

	return g_strv_contains((const char *const *)words, name);
}

static void name_later(SpkConfLoad *load, const SpkConfLayer *layer)
{
	for (guint i = 0; i < load->later->len; i++) {
		const SpkConfLater *later = load->later->pdata[i];

		spk_load_warning(load,
				 "%s:%u: [%s] %s: known, but not in this version: "
				 "no effect",
				 layer->path, later->line, later->section,
				 later->names->str);
	}
}

/* A table of an unknown list: the list itself was named before. */
static gboolean is_of_unknown_list(const char *key)
{
	const char *bracket = strchr(key, '[');
	g_autofree char *list = g_strndup(key, bracket ? (gsize)(bracket - key) : 0);

	return bracket && g_ascii_isdigit(bracket[1]) && !spk_conf_is_later_section(list);
}

static void table_key(SpkConfLoad *load, const SpkConfLayer *layer,
		      const SpkConfEntry *entry, const SpkOpt *opt)
{
	SpkConfTable *table = spk_load_table(load, layer, entry);
	g_autofree char *why = spk_conf_type_clash(opt, entry);
	SpkConfValue value = { NULL };

	if (!table)
		return;
	if (!why)
		(void)spk_conf_value_parse(opt, entry->text, &value, &why);
	if (why) {
		spk_load_problem(load, "put this line right", "%s:%u:%u: %s %s",
				 layer->path, entry->line, entry->column, opt->name, why);
		return;
	}
	spk_load_keep(table, entry, &value);
}

/* A value that can't be keeps nobody from working either: it would have no effect anyway. */
static void later_key(SpkConfLoad *load, const SpkConfLayer *layer,
		      const SpkConfEntry *entry, const SpkOpt *opt)
{
	SpkConfLater *later = later_of(load, opt->name, entry->line);
	const char *name = opt->name + strlen(later->section);
	g_autofree char *why = spk_conf_type_clash(opt, entry);
	SpkConfValue value = { NULL };

	name += strspn(name, ".");
	if (!has_name(later->names, name))
		g_string_append_printf(later->names, "%s%s",
				       later->names->len ? ", " : "", name);
	if (!why)
		(void)spk_conf_value_parse(opt, entry->text, &value, &why);
	if (!why && g_str_has_prefix(opt->name, "ghosts[]."))
		spk_load_keep(spk_load_table(load, layer, entry), entry, &value);
	else
		g_free(value.text);
	if (why && load->unknown++ < MAX_UNKNOWN) {
		g_autofree char *shown = spk_text_clip(why, SPK_LOAD_MAX_SHOWN);

		spk_load_warning(load, "%s:%u:%u: %s %s", layer->path, entry->line,
				 entry->column, opt->name, shown);
	}
}

/* "[github]", where nothing but a secret would stand. */
static gboolean is_section_of_secrets(const char *name)
{
	gsize len = strlen(name);

	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
		if (!strncmp(secret->key, name, len) && secret->key[len] == '.')
			return TRUE;
	return FALSE;
}

/* "sources = []": a list of tables that has none. */
static gboolean is_empty_list(const SpkConfEntry *entry)
{
	g_autofree char *list = g_strconcat(entry->key, "[]", NULL);

	return entry->type == SPK_TOML_LIST && !strcmp(entry->text, "[]") &&
	       spk_conf_is_later_section(list);
}

static gboolean is_heading(const SpkConfEntry *entry)
{
	if (entry->type == SPK_TOML_LIST)
		return is_empty_list(entry);
	/* A table of a list was named with its list. */
	return (entry->type == SPK_TOML_TABLE &&
		(g_str_has_suffix(entry->key, "]") || is_section(entry->key) ||
		 is_section_of_secrets(entry->key))) ||
	       ((entry->type == SPK_TOML_TABLE || entry->type == SPK_TOML_TABLES) &&
		spk_conf_is_later_section(entry->key));
}

static void unknown_key(SpkConfLoad *load, const SpkConfLayer *layer,
			const SpkConfEntry *entry)
{
	const SpkOpt *later = spk_conf_find_later(entry->key);
	g_autofree char *nearest = NULL;
	g_autofree char *key = NULL;

	if (spk_load_is_table(entry)) {
		(void)spk_load_table(load, layer, entry); /* there, even without a key */
		return;
	}
	if (later && !(later->flags & SPK_OPT_LATER)) {
		table_key(load, layer, entry, later);
		return;
	}
	if (later) {
		later_key(load, layer, entry, later);
		return;
	}
	if (is_heading(entry) || is_of_unknown_list(entry->key))
		return;
	if (load->unknown++ >= MAX_UNKNOWN)
		return;
	nearest = spk_conf_nearest(entry->key);
	key = spk_text_clip(entry->key, SPK_LOAD_MAX_SHOWN);
	spk_load_warning(load, "%s:%u: unknown key %s%s: no effect", layer->path,
			 entry->line, key, nearest);
}

/* ---- files ---- */
/* The secret that a file's entry holds, by its variable or its option; or NULL. */
static const SpkSecret *secret_of(const SpkConfLayer *layer, const SpkConfEntry *entry)
{
	const SpkSecret *secret = spk_secret_find(entry->key);

	return secret && !strcmp(layer->dotenv ? secret->env : secret->key, entry->key)
		       ? secret
		       : NULL;
}

static int option_of(const SpkConfLayer *layer, const SpkConfEntry *entry)
{
	return layer->dotenv ? spk_load_variable(entry->key) : spk_conf_find(entry->key);
}

static gboolean is_sensitive(const SpkConfLayer *layer, const SpkConfEntry *entry)
{
	int index = option_of(layer, entry);
	const SpkOpt *row = layer->dotenv ? NULL : spk_conf_find_later(entry->key);

	if (secret_of(layer, entry) || (row && row->flags & SPK_OPT_SENSITIVE) ||
	    spk_load_is_table(entry))
		return TRUE;
	return index >= 0 && spk_conf_options()[index].flags & SPK_OPT_SENSITIVE;
}

/* "name = value" of what has no effect without trust, secrets without their value; their
 * names joined in `names`. */
static GPtrArray *sensitive_lines(const SpkConfLayer *layer, GString *names)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	guint more = 0;

	for (guint i = 0; i < layer->entries->len; i++) {
		const SpkConfEntry *entry = layer->entries->pdata[i];
		g_autofree char *value = spk_text_clip(entry->text, SPK_LOAD_MAX_SHOWN);

		if (!is_sensitive(layer, entry) || spk_load_is_table(entry) ||
		    (lines->len >= MAX_SHOWN && ++more))
			continue;
		g_string_append_printf(names, "%s%s", names->len ? ", " : "", entry->key);
		g_ptr_array_add(lines, g_strdup_printf("%s = %s", entry->key,
						       secret_of(layer, entry) ? "(a key)"
									       : value));
	}
	if (more) {
		g_string_append_printf(names, " and %u more", more);
		g_ptr_array_add(lines,
				g_strdup_printf("and %u more: look at the file", more));
	}
	return lines;
}

gboolean spk_load_may_trust(SpkConfLoad *load, const SpkConfLayer *layer)
{
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GPtrArray) lines = sensitive_lines(layer, names);
	g_autoptr(GError) error = NULL;
	SpkTrust trust = spk_trust_look(layer->path, layer->text, layer->len);
	gboolean yes = trust == SPK_TRUST_YES;
	gboolean answered = FALSE;

	if (yes || !lines->len)
		return yes;
	if (load->source->ask_trust && trust == SPK_TRUST_NONE)
		yes = spk_trust_ask(layer->path, lines, &answered);
	if (answered &&
	    !spk_trust_record(layer->path, layer->text, layer->len, yes, &error))
		spk_load_warning(load, "the answer could not be kept: %s",
				 error->message);
	if (!yes)
		spk_load_warning(load,
				 "%s is not trusted: %s %s no effect; look at the file, "
				 "then run `sparks config trust`",
				 layer->path, names->str,
				 lines->len == 1 ? "has" : "have");
	return yes;
}

/* A file gets copied, shown and committed: a secret in it is refused, unless one insists. */
static void apply_inline(SpkConfLoad *load, const SpkConfEntry *entry,
			 const SpkSecret *secret, const char *where)
{
	const char *allow = g_getenv("SPARKS_ALLOW_INLINE_SECRETS");
	const char *unfit = entry->type == SPK_TOML_STRING ? spk_secret_unfit(entry->text)
							   : "must be a string in quotes";
	g_autofree char *hint = NULL;

	if (entry->type == SPK_TOML_STRING && !*entry->text)
		return;
	if (g_strcmp0(allow, "1") != 0) {
		hint = g_strdup_printf(
			"take it out, then `sparks secrets set %s`, or put "
			"it into the environment as %s; "
			"SPARKS_ALLOW_INLINE_SECRETS=1 reads it from here "
			"all the same",
			secret->key, secret->env);
		spk_load_problem(load, hint, "%s%s is a secret, and not for a file",
				 where, secret->key);
	} else if (unfit) {
		spk_load_problem(load, "put this line right", "%s%s %s", where,
				 secret->key, unfit);
	} else {
		g_hash_table_replace(load->conf->inlined, g_strdup(secret->env),
				     g_strdup(entry->text));
		spk_veil_learn(secret->env, entry->text);
	}
}

static void take_secret(SpkConfLoad *load, const SpkConfEntry *entry)
{
	g_hash_table_replace(load->conf->secrets, g_strdup(entry->key),
			     g_strdup(entry->text));
	spk_veil_learn(entry->key, entry->text);
}

static void apply_secret(SpkConfLoad *load, const SpkConfLayer *layer,
			 const SpkConfEntry *entry, const char *where)
{
	const SpkSecret *secret = secret_of(layer, entry);

	if (layer->dotenv)
		take_secret(load, entry);
	else
		apply_inline(load, entry, secret, where);
}

static void apply_entry(SpkConfLoad *load, const SpkConfLayer *layer,
			const SpkConfEntry *entry)
{
	int index = option_of(layer, entry);
	const SpkOpt *opt = index < 0 ? NULL : &spk_conf_options()[index];
	g_autofree char *where =
		g_strdup_printf("%s:%u:%u: ", layer->path, entry->line, entry->column);
	g_autofree char *clash = opt && !layer->dotenv ? spk_conf_type_clash(opt, entry)
						       : NULL;

	if (layer->trusted ? layer->beneath && !is_sensitive(layer, entry)
			   : is_sensitive(layer, entry))
		return;
	if (layer->dotenv && spk_veil_is_secret_name(entry->key))
		spk_veil_learn(entry->key, entry->text);
	if (secret_of(layer, entry))
		apply_secret(load, layer, entry, where);
	else if (clash)
		spk_load_problem(load, "put this line right", "%s%s %s", where, opt->name,
				 clash);
	else if (opt)
		spk_load_value(load, (guint)index, entry->text,
			       layer->dotenv ? ".env" : "file",
			       layer->beneath ? 0 : entry->line, where);
	else if (layer->dotenv)
		spk_load_check_variable(load, entry->key, entry->text, where);
	else
		unknown_key(load, layer, entry);
}

void spk_load_layer(SpkConfLoad *load, const SpkConfLayer *layer)
{
	g_autoptr(GPtrArray) later = g_ptr_array_new_with_free_func(free_later);

	load->later = later;
	for (guint i = 0; i < layer->entries->len; i++)
		apply_entry(load, layer, layer->entries->pdata[i]);
	name_later(load, layer);
	if (!layer->dotenv && !layer->beneath)
		spk_load_check_required(load, layer);
	load->later = NULL;
	if (!layer->dotenv && load->unknown > MAX_UNKNOWN)
		spk_load_warning(load, "%s: and %u more keys of this kind", layer->path,
				 load->unknown - MAX_UNKNOWN);
}
