/*
 * The parser of command lines: a loop over argv with the tables of cmd.h. Nothing is
 * abbreviated or guessed: what is not in a table is refused with the nearest name.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cmd/frame/cmd_priv.h"

typedef struct {
	SpkArgs *args;
	const SpkCmd *const *subs; /* what the next word may name; NULL: positionals */
	int argc;
	char **argv;
	int at; /* the next word to look at */
} Parser;

const SpkCmdOpt spk_cmd_globals[] = {
	{ "config", NULL, 0, SPK_CMD_STRING, "PATH",
	  .sentence = "configuration file to use" },
	{ "help", NULL, 'h', SPK_CMD_FLAG, .sentence = "show help for the command" },
	{ "set", NULL, 0, SPK_CMD_STRINGS, "NAME=VALUE",
	  .sentence = "set a configuration option for this run" },
	{ "version", NULL, 0, SPK_CMD_FLAG, .sentence = "show the version" },
	{ "yes", NULL, 'y', SPK_CMD_FLAG,
	  .sentence = "approve what would be asked on the terminal" },
	{ NULL },
};

static const SpkCmdOpt no_options[] = { { NULL } };

static const SpkCmdOpt *options_of(const SpkCmd *cmd)
{
	return cmd && cmd->options ? cmd->options : no_options;
}

static gboolean usage_error(const Parser *parser, GError **error, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static gboolean usage_error(const Parser *parser, GError **error, const char *format, ...)
{
	const char *path = parser->args->path;
	g_autofree char *hint =
		g_strdup_printf("run `%s --help` to see what it takes", path);
	g_autofree char *what = NULL;
	va_list args;

	va_start(args, format);
	what = g_strdup_vprintf(format, args);
	va_end(args);
	/* "sparks: " is put in front of every error already. */
	path += strlen("sparks");
	path += *path == ' ';
	spk_error_set(error, SPK_ERR_USAGE, hint, "%s%s%s", path, *path ? ": " : "",
		      what);
	return FALSE;
}

/* ---- options ---- */
static const SpkCmdOpt *find_long_in(const SpkCmdOpt *opt, const char *name, gsize len)
{
	for (; opt->name; opt++) {
		if (strlen(opt->name) == len && !strncmp(opt->name, name, len))
			return opt;
		if (opt->alias && strlen(opt->alias) == len &&
		    !strncmp(opt->alias, name, len))
			return opt;
	}
	return NULL;
}

const SpkCmdOpt *spk_cmd_option(const SpkCmd *cmd, const char *name, gsize len)
{
	const SpkCmdOpt *opt = find_long_in(options_of(cmd), name, len);

	return opt ? opt : find_long_in(spk_cmd_globals, name, len);
}

static const SpkCmdOpt *find_letter(const SpkCmd *cmd, char letter)
{
	const SpkCmdOpt *const tables[] = { options_of(cmd), spk_cmd_globals };

	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
		for (const SpkCmdOpt *opt = tables[i]; opt->name; opt++)
			if (opt->letter && opt->letter == letter)
				return opt;
	return NULL;
}

static gboolean unknown_option(const Parser *parser, const char *word, gsize len,
			       GError **error)
{
	const SpkCmd *cmd = parser->args->cmd;
	const SpkCmdOpt *const tables[] = { options_of(cmd), spk_cmd_globals };
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *shown = g_strndup(word, len);
	g_autofree char *nearest = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
		for (const SpkCmdOpt *opt = tables[i]; opt->name; opt++) {
			g_ptr_array_add(names, g_strconcat("--", opt->name, NULL));
			if (opt->alias)
				g_ptr_array_add(names,
						g_strconcat("--", opt->alias, NULL));
		}
	}
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(shown, (const char *const *)names->pdata);
	return usage_error(parser, error, "unknown option %s%s%s", shown, nearest,
			   cmd ? "" : "; options of a command stand after its name");
}

static gboolean is_choice(const char *choices, const char *value)
{
	g_auto(GStrv) words = g_strsplit(choices, "|", -1);

	return g_strv_contains((const char *const *)words, value);
}

static gboolean check_value(const Parser *parser, const SpkCmdOpt *opt, const char *value,
			    GError **error)
{
	gint64 number;

	/* --check "$UNSET" would pass with nothing run */
	if (opt->type == SPK_CMD_STRINGS && !value[strspn(value, " \t\r\n")])
		return usage_error(parser, error, "--%s is empty: --%s %s", opt->name,
				   opt->name, opt->value);
	if (opt->type == SPK_CMD_INT &&
	    !spk_text_to_int(value, opt->min, opt->max, &number))
		return usage_error(
			parser, error,
			"--%s is \"%s\", but must be a whole number from %" G_GINT64_FORMAT
			" to %" G_GINT64_FORMAT,
			opt->name, value, opt->min, opt->max);
	if (opt->choices && !is_choice(opt->choices, value)) {
		g_auto(GStrv) words = g_strsplit(opt->choices, "|", -1);
		g_autofree char *all = g_strjoinv(", ", words);
		g_autofree char *nearest =
			spk_text_did_you_mean(value, (const char *const *)words);

		return usage_error(parser, error,
				   "--%s is \"%s\", but must be one of %s%s", opt->name,
				   value, all, nearest);
	}
	return TRUE;
}

static gboolean note(Parser *parser, const SpkCmdOpt *opt, const char *value,
		     GError **error)
{
	SpkGiven given = { opt, value };

	if (opt->unbuilt) {
		spk_error_set(error, SPK_ERR_USAGE, opt->unbuilt,
			      "--%s is not in this version", opt->name);
		return FALSE;
	}
	if (value && !check_value(parser, opt, value, error))
		return FALSE;
	g_array_append_val(parser->args->given, given);
	parser->args->help |= opt->type == SPK_CMD_FLAG && !strcmp(opt->name, "help");
	parser->args->version |= opt->type == SPK_CMD_FLAG &&
				 !strcmp(opt->name, "version");
	return TRUE;
}

/* The value of an option from the next word. A word that looks like an option isn't taken:
 * a forgotten value must not swallow a flag. */
static gboolean note_next(Parser *parser, const SpkCmdOpt *opt, GError **error)
{
	const char *next = parser->at < parser->argc ? parser->argv[parser->at] : NULL;
	gboolean number = next && opt->type == SPK_CMD_INT &&
			  g_ascii_isdigit(next[0] ? next[1] : 0);

	if (opt->unbuilt)
		return note(parser, opt, NULL, error);
	if (!next)
		return usage_error(parser, error, "--%s needs a value: --%s %s",
				   opt->name, opt->name, opt->value);
	if (next[0] == '-' && next[1] && !number)
		return usage_error(
			parser, error,
			"--%s needs a value, but %s follows; write --%s=%s if that is it",
			opt->name, next, opt->name, next);
	parser->at++;
	return note(parser, opt, next, error);
}

static gboolean parse_long(Parser *parser, const char *word, GError **error)
{
	const char *equals = strchr(word, '=');
	gsize len = equals ? (gsize)(equals - word) : strlen(word);
	const SpkCmdOpt *opt = spk_cmd_option(parser->args->cmd, word + 2, len - 2);

	if (!opt)
		return unknown_option(parser, word, len, error);
	if (opt->type != SPK_CMD_FLAG && !equals)
		return note_next(parser, opt, error);
	if (opt->type == SPK_CMD_FLAG && equals)
		return usage_error(parser, error, "--%s takes no value", opt->name);
	return note(parser, opt, equals ? equals + 1 : NULL, error);
}

/* "-y", "-yn5", "-n 5" */
static gboolean parse_short(Parser *parser, const char *word, GError **error)
{
	for (const char *p = word + 1; *p; p++) {
		const SpkCmdOpt *opt = find_letter(parser->args->cmd, *p);

		if (!opt) {
			char shown[8] = "-";

			memcpy(shown + 1, p, spk_text_prefix_len(p, strlen(p), 4));
			*g_utf8_next_char(shown + 1) = '\0';
			return usage_error(parser, error, "unknown option %s", shown);
		}
		if (opt->type == SPK_CMD_FLAG) {
			if (!note(parser, opt, NULL, error))
				return FALSE;
			continue;
		}
		return p[1] ? note(parser, opt, p + 1, error)
			    : note_next(parser, opt, error);
	}
	return TRUE;
}

/* ---- commands and positionals ---- */
const SpkCmd *spk_cmd_find(const SpkCmd *const *commands, const char *name)
{
	for (; *commands; commands++)
		if (!strcmp((*commands)->name, name))
			return *commands;
	return NULL;
}

static const char *hint_for(const SpkCmdLater *row, const char *word)
{
	for (; row && row->name; row++)
		if (!strcmp(row->name, word))
			return row->hint;
	return NULL;
}

/* Where a word is a command that is typed elsewhere ("show": `sparks tasks show` or ...), or
 * a goal; NULL when it is nothing we know. */
static char *typed_instead(const SpkProgram *program, const char *word)
{
	const char *other = hint_for(program->others, word);
	g_autoptr(GString) places = g_string_new(other);

	for (const SpkCmd *const *cmd = program->commands; *cmd && !other; cmd++)
		if ((*cmd)->subs && spk_cmd_find((*cmd)->subs, word))
			g_string_append_printf(places, "%s`sparks %s %s`",
					       places->len ? " or " : "", (*cmd)->name,
					       word);
	if (!places->len && strpbrk(word, " \n\t"))
		g_string_append(places, "`sparks do \"GOAL\"`");
	return places->len ? g_strdup_printf("type %s", places->str) : NULL;
}

static gboolean unknown_command(const Parser *parser, const char *word, GError **error)
{
	const SpkProgram *program = parser->args->program;
	gboolean top = !parser->args->cmd;
	const char *later = top ? hint_for(program->later, word) : NULL;
	g_autofree char *instead = top ? typed_instead(program, word) : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL;

	if (later || instead) {
		spk_error_set(error, SPK_ERR_USAGE, later ? later : instead,
			      later ? "`sparks %s` is not in this version"
				    : "there is no command \"%s\"",
			      word);
		return FALSE;
	}
	for (const SpkCmd *const *sub = parser->subs; *sub; sub++)
		g_ptr_array_add(names, (gpointer)(*sub)->name);
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(word, (const char *const *)names->pdata);
	return usage_error(parser, error, "unknown command \"%s\"%s", word, nearest);
}

/* An option of a command, given before the name of one of its subs, which lacks it. */
static gboolean check_order(const Parser *parser, const SpkCmd *sub, GError **error)
{
	const SpkArgs *args = parser->args;

	for (guint i = 0; i < args->given->len; i++) {
		const char *name = g_array_index(args->given, SpkGiven, i).opt->name;

		if (!find_long_in(spk_cmd_globals, name, strlen(name)))
			return usage_error(parser, error, "--%s stands before \"%s\"%s",
					   name, sub->name,
					   find_long_in(options_of(sub), name,
							strlen(name))
						   ? ": put it behind"
						   : ", which doesn't take it");
	}
	return TRUE;
}

static gboolean parse_word(Parser *parser, const char *word, GError **error)
{
	SpkArgs *args = parser->args;
	const SpkCmd *cmd;
	char *path;

	if (!parser->subs) {
		g_ptr_array_add(args->rest, (gpointer)word);
		return TRUE;
	}
	cmd = spk_cmd_find(parser->subs, word);
	/* a command that runs by itself takes the word (`scan FILE`, `scan rules`) */
	if (!cmd && args->cmd && args->cmd->run && args->cmd->max_args) {
		parser->subs = NULL;
		return parse_word(parser, word, error);
	}
	if (!cmd)
		return unknown_command(parser, word, error);
	if (!check_order(parser, cmd, error))
		return FALSE;
	path = g_strconcat(args->path, " ", cmd->name, NULL);
	g_free(args->path);
	args->path = path;
	args->cmd = cmd;
	parser->subs = cmd->subs;
	return TRUE;
}

static gboolean parse_all(Parser *parser, GError **error)
{
	gboolean options = TRUE;

	while (parser->at < parser->argc) {
		const char *word = parser->argv[parser->at++];
		const SpkArgs *args = parser->args;
		gboolean ok;

		if (args->cmd && args->cmd->rest && args->rest->len)
			options = FALSE;
		if (options && !strcmp(word, "--")) {
			options = FALSE;
			continue;
		}
		if (options && g_str_has_prefix(word, "--"))
			ok = parse_long(parser, word, error);
		else if (options && word[0] == '-' && word[1])
			ok = parse_short(parser, word, error);
		else
			ok = parse_word(parser, word, error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

static gboolean check_count(const Parser *parser, GError **error)
{
	const SpkArgs *args = parser->args;
	const SpkCmd *cmd = args->cmd;

	if (!cmd || !cmd->run)
		return TRUE;
	if ((int)args->rest->len < cmd->min_args)
		return usage_error(parser, error, "%s is missing: %s %s",
				   args->rest->len ? "a word" : cmd->usage, args->path,
				   cmd->usage);
	if (cmd->max_args >= 0 && (int)args->rest->len > cmd->max_args)
		return usage_error(parser, error, "\"%s\" is one word too many%s",
				   (const char *)args->rest->pdata[cmd->max_args],
				   cmd->max_args ? "; put text with blanks in quotes"
						 : "");
	return TRUE;
}

static void collect_list(SpkArgs *args, const SpkCmdOpt *opt)
{
	GPtrArray *values = g_ptr_array_new();

	for (guint i = 0; i < args->given->len; i++) {
		const SpkGiven *given = &g_array_index(args->given, SpkGiven, i);

		if (given->opt == opt)
			g_ptr_array_add(values, (gpointer)given->value);
	}
	g_ptr_array_add(values, NULL);
	g_hash_table_insert(args->lists, (gpointer)opt->name,
			    g_ptr_array_free(values, FALSE));
}

static void collect_lists(SpkArgs *args, const SpkCmdOpt *opt)
{
	for (; opt->name; opt++)
		if (opt->type == SPK_CMD_STRINGS)
			collect_list(args, opt);
}

SpkArgs *spk_args_parse(const SpkProgram *program, int argc, char **argv, GError **error)
{
	g_autoptr(SpkArgs) args = g_new0(SpkArgs, 1);
	Parser parser = { args, program->commands, argc, argv, 1 };

	args->program = program;
	args->path = g_strdup("sparks");
	args->given = g_array_new(FALSE, FALSE, sizeof(SpkGiven));
	args->rest = g_ptr_array_new();
	args->lists = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	if (!parse_all(&parser, error))
		return NULL;
	if (!args->help && !args->version && !check_count(&parser, error))
		return NULL;
	g_ptr_array_add(args->rest, NULL);
	collect_lists(args, spk_cmd_globals);
	collect_lists(args, options_of(args->cmd));
	return g_steal_pointer(&args);
}

void spk_args_free(SpkArgs *args)
{
	g_free(args->path);
	g_array_unref(args->given);
	g_ptr_array_unref(args->rest);
	g_hash_table_unref(args->lists);
	g_free(args);
}
