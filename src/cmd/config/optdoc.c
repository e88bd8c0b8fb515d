#include "cmd/config/optdoc.h"

#include <string.h>

#include "cmd/frame/roff.h"

/* The order of the places that a value comes from; the first one that has it wins. */
static const struct {
	const char *place, *sentence;
} places[] = {
	{ "command line", "--set NAME=VALUE, and flags such as --max-steps" },
	{ "knob", "what `sparks knobs set` has set, while it holds" },
	{ "environment", "SPARKS_SECTION_KEY, as in SPARKS_UP_WORKERS" },
	{ ".env",
	  "beside the file in force; where there is none, ./.env or ~/.sparks/.env" },
	{ "file",
	  "--config PATH, else ./config.toml, else ~/.sparks/config.toml; one file, never two" },
	{ "default", "the built-in value" },
};

static const char trust[] =
	"./config.toml and ./.env come with whatever folder one stands in. Options marked "
	"sensitive have no effect from there until `sparks config trust` has recorded the "
	"files as they are; until then what ~/.sparks/config.toml says of these holds.";
static const char restart[] =
	"changed by a restart: a running daemon takes a changed configuration over for the "
	"tasks that begin after it, but these it keeps until it starts again.";

static const char *section_end(const char *name)
{
	return strrchr(name, '.');
}

static gboolean is_of(const SpkOpt *opt, const char *section)
{
	gsize len = (gsize)(section_end(opt->name) - opt->name);

	return strlen(section) == len && !strncmp(section, opt->name, len);
}

/* A name in the table may lie between two of another section, and TOML wants each once. */
static GPtrArray *sections(void)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++) {
		gboolean known = FALSE;

		for (guint i = 0; i < all->len && !known; i++)
			known = is_of(opt, all->pdata[i]);
		if (!known)
			g_ptr_array_add(all, g_strndup(opt->name,
						       (gsize)(section_end(opt->name) -
							       opt->name)));
	}
	return all;
}

typedef void (*Put)(GString *out, const SpkOpt *opt, GHashTable *values);

static void put_options_of(GString *out, const char *section, GHashTable *values, Put put)
{
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		if (is_of(opt, section))
			put(out, opt, values);
}

static char *choices_text(const SpkOpt *opt)
{
	g_auto(GStrv) words = g_strsplit(opt->choices, "|", -1);

	return g_strjoinv(", ", words);
}

char *spk_optdoc_range(const SpkOpt *opt)
{
	g_autofree char *words = opt->choices ? choices_text(opt) : NULL;

	switch (opt->type) {
	case SPK_OPT_INT:
		return g_strdup_printf("a whole number from %.15g to %.15g", opt->min,
				       opt->max);
	case SPK_OPT_REAL:
		return g_strdup_printf("a number from %.15g to %.15g", opt->min,
				       opt->max);
	case SPK_OPT_BOOL:
		return g_strdup("true or false");
	case SPK_OPT_ENUM:
		return g_strdup_printf("one of %s", words);
	case SPK_OPT_PATH:
		return g_strdup("a path; ~/ is the home folder");
	case SPK_OPT_LIST:
		return g_strdup(opt->flags & SPK_OPT_NUMBERS
					? "a list of texts or whole numbers"
				: opt->flags & SPK_OPT_NAMES
					? "a list of names of files, with * and ?"
					: "a list of texts");
	case SPK_OPT_PATTERNS:
		return g_strdup("a list of regular expressions");
	default:
		return g_strdup("a text");
	}
}

char *spk_optdoc_toml(const SpkOpt *opt, const char *value)
{
	g_autoptr(GString) text = g_string_new("\"");

	if (opt->type != SPK_OPT_STRING && opt->type != SPK_OPT_ENUM &&
	    opt->type != SPK_OPT_PATH)
		return g_strdup(value);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			g_string_append_c(text, '\\');
		g_string_append_c(text, *value);
	}
	g_string_append_c(text, '"');
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* ---- manual page ---- */
static void put_man_option(GString *out, const SpkOpt *opt, GHashTable *values)
{
	g_autofree char *range = spk_optdoc_range(opt);
	g_autoptr(GString) text = g_string_new(opt->sentence);

	g_string_append_printf(text, ". Takes %s. Default: %s.", range,
			       *opt->fallback ? opt->fallback : "empty");
	if (opt->flags & SPK_OPT_SENSITIVE)
		g_string_append(text, " Sensitive.");
	if (opt->flags & SPK_OPT_RESTART)
		g_string_append(text, " Changed by a restart.");
	spk_roff_item(out, opt->name, text->str);
}

char *spk_optdoc_man(void)
{
	GString *out = g_string_new(".TH SPARKS-CONFIG 5 \"\" \"sparks " SPK_VERSION
				    "\" \"File Formats\"\n.SH NAME\n"
				    "sparks\\-config \\- configuration of sparks\n"
				    ".SH DESCRIPTION\n");
	g_autoptr(GPtrArray) all = sections();

	spk_roff_line(out,
		      "A TOML file. openai.model is model in the section [openai]. "
		      "`sparks config sample` prints one with all options, "
		      "`sparks config check` says what is wrong with one, "
		      "`sparks config explain KEY` where a value comes from. "
		      "An unknown key is a warning; a value that cannot be is an error.");
	g_string_append(out,
			".SH PRECEDENCE\nThe first of these that has a value wins:\n");
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		spk_roff_item(out, places[i].place, places[i].sentence);
	g_string_append(out, ".SH TRUST\n");
	spk_roff_line(out, trust);
	g_string_append(out, ".SH OPTIONS\n");
	for (guint i = 0; i < all->len; i++) {
		g_string_append(out, ".SS ");
		spk_roff_line(out, all->pdata[i]);
		put_options_of(out, all->pdata[i], NULL, put_man_option);
	}
	g_string_append(out, ".SH GHOSTS\n");
	spk_roff_line(out,
		      "Each [[ghosts]] is a spark, beside those built in or in the "
		      "place of one. Each [[prompt_scanner.mode_overrides]] says the "
		      "scanner's mode for some texts; the first that fits counts.");
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++)
		if (!(opt->flags & SPK_OPT_LATER))
			put_man_option(out, opt, NULL);
	g_string_append(out, ".SH NOT IN THIS VERSION\n");
	spk_roff_line(
		out, "Options of the reference program that may stand in a file and have "
		     "no effect here; a warning names them.");
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++)
		if (opt->flags & SPK_OPT_LATER)
			put_man_option(out, opt, NULL);
	g_string_append(out, ".SH SEE ALSO\n.BR sparks (1)\n");
	return g_string_free(out, FALSE);
}

/* ---- Markdown ---- */
static void put_cell(GString *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *text);
	}
}

static const char *marks(const SpkOpt *opt)
{
	static const char *const texts[] = { "", " †", " ‡", " † ‡" };

	return texts[(opt->flags & SPK_OPT_SENSITIVE ? 1 : 0) +
		     (opt->flags & SPK_OPT_RESTART ? 2 : 0)];
}

static void put_other(GString *out, gboolean ghosts)
{
	g_string_append(
		out,
		ghosts ? "\n## [[ghosts]] and [[prompt_scanner.mode_overrides]] †\n\n"
			 "Sparks of your own, beside those built in or in the place of one; "
			 "and the scanner's mode for some texts: the first that fits counts."
			 "\n\n"
		       : "\n## Not in this version\n\nOptions of the reference program "
			 "that have no effect here. They may stand in a file: a warning "
			 "names them with their line.\n\n");
	g_string_append(out,
			"| option | default | takes | meaning |\n|---|---|---|---|\n");
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
		g_autofree char *range = spk_optdoc_range(opt);

		if (((opt->flags & SPK_OPT_LATER) == 0) != ghosts)
			continue;
		g_string_append_printf(out, "| `%s` | ", opt->name);
		g_string_append(out, *opt->fallback ? "`" : "–");
		put_cell(out, opt->fallback);
		g_string_append(out, *opt->fallback ? "` | " : " | ");
		put_cell(out, range);
		g_string_append(out, " | ");
		put_cell(out, opt->sentence);
		g_string_append(out, " |\n");
	}
}

static void put_full_row(GString *out, const SpkOpt *opt, GHashTable *values)
{
	g_autofree char *range = spk_optdoc_range(opt);
	g_autofree char *env = spk_conf_env_name(opt->name);

	g_string_append_printf(out, "| `%s`%s | ", section_end(opt->name) + 1,
			       marks(opt));
	g_string_append_printf(out, *opt->fallback ? "`%s` | " : "– | ", opt->fallback);
	put_cell(out, range);
	g_string_append_printf(out, " | `%s` | ", env);
	put_cell(out, opt->sentence);
	g_string_append(out, " |\n");
}

char *spk_optdoc_markdown(void)
{
	GString *out = g_string_new(
		"# Options\n\n"
		"Made by `tools/option-documents` from the option table; the same stands in "
		"`man sparks-config`.\nA file with all of them: "
		"[config.sample.toml](config.sample.toml). "
		"`sparks config explain KEY` tells what holds now.\n\n"
		"The first of these that has a value wins:\n\n");
	g_autoptr(GPtrArray) all = sections();

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		g_string_append_printf(out, "%u. %s: %s\n", (guint)i + 1, places[i].place,
				       places[i].sentence);
	g_string_append_printf(out, "\n† sensitive: %s\n\n‡ %s\n", trust, restart);
	for (guint i = 0; i < all->len; i++) {
		g_string_append_printf(out,
				       "\n## [%s]\n\n| key | default | takes | "
				       "environment | meaning |\n|---|---|---|---|---|\n",
				       (char *)all->pdata[i]);
		put_options_of(out, all->pdata[i], NULL, put_full_row);
	}
	put_other(out, TRUE);
	put_other(out, FALSE);
	return g_string_free(out, FALSE);
}

/* ---- sample ---- */
static void put_sample_option(GString *out, const SpkOpt *opt, GHashTable *values)
{
	const char *given = values ? g_hash_table_lookup(values, opt->name) : NULL;
	g_autofree char *range = spk_optdoc_range(opt);
	g_autofree char *value = spk_optdoc_toml(opt, given ? given : opt->fallback);

	g_string_append_printf(out, "\n# %s\n# takes %s%s\n", opt->sentence, range,
			       opt->flags & SPK_OPT_SENSITIVE ? "; sensitive" : "");
	g_string_append_printf(out, "%s%s = %s\n", given ? "" : "#",
			       section_end(opt->name) + 1, value);
}

/* A spark that works once its # are gone; other keys are there with their defaults. */
static const struct {
	const char *name, *value;
} examples[] = {
	{ "ghosts[].name", "reviewer" },
	{ "ghosts[].description", "reads a change and says what is wrong with it" },
	{ "ghosts[].tools", "[\"file_read\", \"file_search\", \"git\", \"finish\"]" },
	{ "ghosts[].mounts[].host_path", "~/.cache/pip" },
};

/* Those of the list itself, or of a list in it. */
static void put_sample_keys(GString *out, const char *list)
{
	for (const SpkOpt *opt = spk_conf_later_options(); opt->name; opt++) {
		g_autofree char *range = spk_optdoc_range(opt);
		g_autofree char *value = NULL;
		const char *text = opt->fallback;

		if ((opt->flags & SPK_OPT_LATER) || !g_str_has_prefix(opt->name, list) ||
		    strchr(opt->name + strlen(list), '.'))
			continue;
		for (gsize i = 0; i < G_N_ELEMENTS(examples); i++)
			if (!strcmp(examples[i].name, opt->name))
				text = examples[i].value;
		value = spk_optdoc_toml(opt, text);
		g_string_append_printf(out, "\n# %s\n# takes %s; sensitive\n#%s = %s\n",
				       opt->sentence, range, section_end(opt->name) + 1,
				       value);
	}
}

static void put_sample_spark(GString *out)
{
	g_string_append(
		out,
		"\n# Sparks of your own, as many as you like; the same keys may stand in files of\n"
		"# ~/.sparks/ghosts. Take away the # of [[ghosts]] and of the keys that you want.\n"
		"#[[ghosts]]\n");
	put_sample_keys(out, "ghosts[].");
	g_string_append(out, "\n#[[ghosts.mounts]]\n");
	put_sample_keys(out, "ghosts[].mounts[].");
	g_string_append(out, "\n# The scanner's mode for some texts; the first that fits "
			     "counts.\n#[[prompt_scanner.mode_overrides]]\n");
	put_sample_keys(out, "prompt_scanner.mode_overrides[].");
}

char *spk_optdoc_sample(void)
{
	return spk_optdoc_sample_with(NULL);
}

char *spk_optdoc_sample_with(GHashTable *values)
{
	GString *out = g_string_new(
		"# Options of sparks with their defaults. What is commented out changes\n"
		"# nothing; take away the # in front of a key to set it. Keys of services\n"
		"# don't belong here: `sparks secrets set`.\n");
	g_autoptr(GPtrArray) all = sections();

	for (guint i = 0; i < all->len; i++) {
		g_string_append_printf(out, "\n[%s]\n", (char *)all->pdata[i]);
		put_options_of(out, all->pdata[i], values, put_sample_option);
	}
	put_sample_spark(out);
	return g_string_free(out, FALSE);
}
