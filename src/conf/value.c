/* One option's value from a text: the same rules for a file, a variable, a flag. */
#include <math.h>
#include <string.h>

#include "base/fs.h"
#include "base/text.h"
#include "conf/conf_priv.h"

void spk_conf_entry_free(SpkConfEntry *entry)
{
	g_free(entry->key);
	g_free(entry->text);
	g_free(entry);
}

static char *range_text(const SpkOpt *opt)
{
	return g_strdup_printf("must be a %snumber from %.15g to %.15g",
			       opt->type == SPK_OPT_INT ? "whole " : "", opt->min,
			       opt->max);
}

static const char *type_text(SpkTomlType type)
{
	static const char *const texts[] = {
		[SPK_TOML_STRING] = "a string",
		[SPK_TOML_INT] = "a whole number",
		[SPK_TOML_REAL] = "a number",
		[SPK_TOML_BOOL] = "a boolean",
		[SPK_TOML_LIST] = "a list",
		[SPK_TOML_OTHER] = "an array or a date",
		[SPK_TOML_TABLE] = "a table",
		[SPK_TOML_TABLES] = "a list of tables",
		[SPK_TOML_NUMBERS] = "a list with whole numbers",
	};

	return texts[type];
}

static char *wanted_text(const SpkOpt *opt)
{
	switch (opt->type) {
	case SPK_OPT_INT:
	case SPK_OPT_REAL:
		return range_text(opt);
	case SPK_OPT_BOOL:
		return g_strdup("must be true or false, without quotes");
	case SPK_OPT_LIST:
	case SPK_OPT_PATTERNS:
		return g_strdup("must be a list of strings: [\"…\", \"…\"]");
	default:
		return g_strdup("must be a string in quotes");
	}
}

static gboolean type_fits(const SpkOpt *opt, SpkTomlType have)
{
	switch (opt->type) {
	case SPK_OPT_INT:
		return have == SPK_TOML_INT;
	case SPK_OPT_REAL:
		return have == SPK_TOML_INT || have == SPK_TOML_REAL;
	case SPK_OPT_BOOL:
		return have == SPK_TOML_BOOL;
	case SPK_OPT_LIST:
	case SPK_OPT_PATTERNS:
		return have == SPK_TOML_LIST ||
		       (have == SPK_TOML_NUMBERS && opt->flags & SPK_OPT_NUMBERS);
	default:
		return have == SPK_TOML_STRING ||
		       (have == SPK_TOML_INT && opt->flags & SPK_OPT_NUMBERS);
	}
}

char *spk_conf_type_clash(const SpkOpt *opt, const SpkConfEntry *entry)
{
	g_autofree char *wanted = NULL;

	if (type_fits(opt, entry->type))
		return NULL;
	wanted = wanted_text(opt);
	return g_strdup_printf("is %s%s%s, but %s", type_text(entry->type),
			       *entry->text ? ": " : "", entry->text, wanted);
}

static gboolean parse_number(const SpkOpt *opt, const char *text, SpkConfValue *value)
{
	char *end;

	if (opt->type == SPK_OPT_INT) {
		if (!spk_text_to_int(text, (gint64)opt->min, (gint64)opt->max,
				     &value->integer))
			return FALSE;
		value->real = (double)value->integer;
		return TRUE;
	}
	value->real = g_ascii_strtod(text, &end);
	return *text && !*end && isfinite(value->real) && value->real >= opt->min &&
	       value->real <= opt->max;
}

static gboolean parse_bool(const char *text, gboolean *ret_value)
{
	static const char *const yes[] = { "true", "1", "yes", "on", NULL };
	static const char *const no[] = { "false", "0", "no", "off", NULL };

	*ret_value = g_strv_contains(yes, text);
	return *ret_value || g_strv_contains(no, text);
}

static char *enum_why(const SpkOpt *opt, const char *text)
{
	g_auto(GStrv) words = g_strsplit(opt->choices, "|", -1);
	g_autofree char *all = g_strjoinv(", ", words);
	g_autofree char *nearest = NULL;

	if (g_strv_contains((const char *const *)words, text))
		return NULL;
	nearest = spk_text_did_you_mean(text, (const char *const *)words);
	return g_strdup_printf("is \"%s\", but must be one of %s%s", text, all, nearest);
}

static char *absolute_path(const char *text)
{
	g_autofree char *expanded = spk_fs_expand(text);

	return *expanded ? g_canonicalize_filename(expanded, NULL) : g_strdup("");
}

static char *number_why(const SpkOpt *opt, const char *text)
{
	g_autofree char *range = range_text(opt);

	return g_strdup_printf("is %s, but %s", *text ? text : "empty", range);
}

static gboolean is_list(const SpkOpt *opt)
{
	return opt->type == SPK_OPT_LIST || opt->type == SPK_OPT_PATTERNS;
}

/* What may be left open is empty by default. */
static gboolean is_open(const SpkOpt *opt, const char *text)
{
	return !*text && !*opt->fallback;
}

static char *text_of(const SpkOpt *opt, const char *text, char **ret_why)
{
	if (opt->type == SPK_OPT_PATH)
		return absolute_path(text);
	return is_list(opt) ? spk_conf_list_parse(opt, text, ret_why) : g_strdup(text);
}

gboolean spk_conf_value_parse(const SpkOpt *opt, const char *text,
			      SpkConfValue *ret_value, char **ret_why)
{
	guint max_bytes = is_list(opt) ? SPK_CONF_MAX_LIST : SPK_CONF_MAX_VALUE;
	SpkConfValue value = { NULL };

	*ret_why = NULL;
	if (strlen(text) > max_bytes)
		*ret_why = g_strdup_printf("is longer than %u bytes", max_bytes);
	else if (!g_utf8_validate(text, -1, NULL))
		*ret_why = g_strdup("is not valid UTF-8");
	else if (is_open(opt, text))
		;
	else if ((opt->type == SPK_OPT_INT || opt->type == SPK_OPT_REAL) &&
		 !parse_number(opt, text, &value))
		*ret_why = number_why(opt, text);
	else if (opt->type == SPK_OPT_BOOL && !parse_bool(text, &value.boolean))
		*ret_why = g_strdup_printf("is \"%s\", but must be true or false", text);
	else if (opt->type == SPK_OPT_ENUM)
		*ret_why = enum_why(opt, text);
	else if (!*text && *opt->fallback)
		*ret_why = g_strdup("is empty, but must not be");
	if (!*ret_why)
		value.text = text_of(opt, text, ret_why);
	if (*ret_why)
		return FALSE;
	*ret_value = value;
	return TRUE;
}

char *spk_conf_unfit(const SpkOpt *opt, const char *text)
{
	SpkConfValue value;
	char *why = NULL;

	if (spk_conf_value_parse(opt, text, &value, &why))
		g_free(value.text);
	return why;
}

char *spk_conf_canon(const SpkOpt *opt, const char *text)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];
	g_autofree char *why = NULL, *own = NULL;
	SpkConfValue value;

	if (!spk_conf_value_parse(opt, text, &value, &why))
		return NULL;
	own = value.text;
	switch (opt->type) {
	case SPK_OPT_INT:
		return g_strdup_printf("%" G_GINT64_FORMAT, value.integer);
	case SPK_OPT_REAL:
		return g_strdup(
			g_ascii_formatd(digits, sizeof(digits), "%.15g", value.real));
	case SPK_OPT_BOOL:
		return g_strdup(value.boolean ? "true" : "false");
	case SPK_OPT_LIST:
	case SPK_OPT_PATTERNS:
		return g_steal_pointer(&own);
	default:
		return g_strdup(text);
	}
}
