/*
 * `sparks completions SHELL`: prints a completion script made of the command table. bash
 * and zsh share one POSIX function that walks the words before the cursor; fish gets rows.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "agent/agent.h"
#include "cmd/cmd_all.h"
#include "cmd/frame/cmd_priv.h"
#include "conf/knob.h"
#include "conf/secret.h"
#include "store/memories.h"
#include "store/store.h"

/* ---- values that only the program knows ---- */
enum { TASKS = 50, GOAL = 60 };

/* "id<TAB>goal"; a store that isn't there is not made, and what is wrong is not told here. */
static void print_tasks(void)
{
	SpkConfSource source = { NULL };
	g_autoptr(SpkConf) conf = spk_conf_load(&source, NULL);
	g_autoptr(SpkStore) store = NULL;
	g_autoptr(GPtrArray) tasks = NULL;

	if (conf)
		store = spk_store_open(spk_conf_store_path(conf), "normal",
				       SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST, NULL);
	tasks = store ? spk_task_list(store, -1, TASKS, NULL) : NULL;
	for (guint i = 0; tasks && i < tasks->len; i++) {
		const SpkTask *task = tasks->pdata[i];
		g_autofree char *clean = spk_text_clean(task->goal, -1, SPK_CLEAN_LINE);
		g_autofree char *goal = spk_text_clip(clean, GOAL);

		printf("%s\t%s\n", task->id, goal);
	}
}

/* "id<TAB>text", the newest. */
static void print_memories(void)
{
	SpkConfSource source = { NULL };
	g_autoptr(SpkConf) conf = spk_conf_load(&source, NULL);
	g_autoptr(SpkStore) store = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	SpkMemoryList newest = { .state = -1, .limit = TASKS };

	if (conf)
		store = spk_store_open(spk_conf_store_path(conf), "normal",
				       SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST, NULL);
	rows = store ? spk_memories_list(store, &newest, NULL) : NULL;
	for (guint i = 0; rows && i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];
		g_autofree char *clean = spk_text_clean(row->text, -1, SPK_CLEAN_LINE);
		g_autofree char *text = spk_text_clip(clean, GOAL);

		printf("%s\t%s\n", row->id, text);
	}
}

static void print_options(void)
{
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		printf("%s\t%s\n", opt->name, opt->sentence);
}

static void print_settings(void)
{
	for (const SpkOpt *opt = spk_conf_options(); opt->name; opt++)
		printf("%s=\t%s\n", opt->name, opt->sentence);
}

static void print_knobs(void)
{
	for (const SpkKnob *knob = spk_knobs(); knob->name; knob++)
		if (knob->option)
			printf("%s\n", knob->name);
}

static void print_secrets(void)
{
	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
		printf("%s\t%s\n", secret->key, secret->sentence);
}

static void print_sparks(void)
{
	SpkConfSource source = { .explicit_path = NULL };
	g_autoptr(SpkConf) conf = spk_conf_load(&source, NULL);
	g_autoptr(GPtrArray) sparks = conf ? spk_sparks(conf, NULL) : NULL;

	for (guint i = 0; sparks && i < sparks->len; i++) {
		const SpkSpark *spark = sparks->pdata[i];
		g_autofree char *words =
			spk_text_clean(spark->description, -1, SPK_CLEAN_LINE);

		printf("%s\t%s\n", spark->name, words);
	}
}

static const struct {
	const char *kind;
	void (*print)(void);
} values[] = {
	{ "knobs", print_knobs },	{ "memories", print_memories },
	{ "options", print_options },	{ "secrets", print_secrets },
	{ "settings", print_settings }, { "sparks", print_sparks },
	{ "tasks", print_tasks },
};

/* What the words after a command are, by its usage; NULL: nothing we know. */
static const char *kind_of(const char *path, const SpkCmd *cmd)
{
	static const struct {
		const char *path, *usage, *kind;
	} kinds[] = {
		{ "/tasks/", "ID", "tasks" },
		{ "/memory/", "ID", "memories" },
		{ "/memory/", "[ID", "memories" },
		{ "/config/explain", "KEY", "options" },
		{ "/knobs/", "NAME", "knobs" },
		{ "/knobs/", "[NAME", "knobs" },
		{ "/secrets/", "KEY", "secrets" },
		{ "/ghosts/show", "NAME", "sparks" },
	};

	for (gsize i = 0; cmd->usage && i < G_N_ELEMENTS(kinds); i++)
		if (g_str_has_prefix(path, kinds[i].path) &&
		    g_str_has_prefix(cmd->usage, kinds[i].usage))
			return kinds[i].kind;
	return NULL;
}

static const char *kind_of_option(const SpkCmdOpt *opt)
{
	if (!strcmp(opt->name, "set"))
		return "settings";
	return !strcmp(opt->name, "ghost") || !strcmp(opt->name, "spark") ? "sparks"
									  : NULL;
}

#define ASK "$(command sparks completions --values %s 2>/dev/null | cut -f1)"

/* A row of the walk: "/tasks/list" is a path, the program itself is "". */
typedef void (*Visit)(GString *out, const char *path, const SpkCmd *cmd);

static void walk(GString *out, const char *prefix, const SpkCmd *const *commands,
		 Visit visit)
{
	for (; *commands; commands++) {
		g_autofree char *path = g_strconcat(prefix, "/", (*commands)->name, NULL);

		visit(out, path, *commands);
		if ((*commands)->subs)
			walk(out, path, (*commands)->subs, visit);
	}
}

/* ---- bash and zsh ---- */
static void add_path(GString *out, const char *path, const SpkCmd *cmd)
{
	g_string_append_printf(out, "%s%s", out->len ? " | " : "", path);
}

/* Options that take the next word, for `case $where:$w in`. */
static void add_valued(GString *out, const char *path, const SpkCmdOpt *opt)
{
	for (; opt && opt->name; opt++) {
		if (opt->type == SPK_CMD_FLAG || opt->unbuilt)
			continue;
		g_string_append_printf(out, "%s%s:--%s", out->len ? " | " : "", path,
				       opt->name);
		if (opt->alias)
			g_string_append_printf(out, " | %s:--%s", path, opt->alias);
		if (opt->letter)
			g_string_append_printf(out, " | %s:-%c", path, opt->letter);
	}
}

static void add_valued_of(GString *out, const char *path, const SpkCmd *cmd)
{
	add_valued(out, path, cmd->options);
}

static void add_option_names(GString *out, const SpkCmdOpt *opt)
{
	for (; opt && opt->name; opt++) {
		if (opt->unbuilt)
			continue;
		g_string_append_printf(out, " --%s", opt->name);
		if (opt->alias)
			g_string_append_printf(out, " --%s", opt->alias);
	}
}

static void add_command_names(GString *out, const SpkCmd *const *commands)
{
	for (; commands && *commands; commands++)
		g_string_append_printf(out, " %s", (*commands)->name);
}

static void add_words(GString *out, const char *path, const SpkCmd *cmd)
{
	g_string_append_printf(out, "\t\"%s\") list=\"", path);
	add_command_names(out, cmd->subs);
	add_option_names(out, cmd->options);
	add_option_names(out, spk_cmd_globals);
	if (kind_of(path, cmd))
		g_string_append_printf(out, " " ASK, kind_of(path, cmd));
	g_string_append(out, "\" ;;\n");
}

static void add_asked(GString *out, const char *path, const SpkCmdOpt *opt)
{
	g_string_append_printf(out, "\t%s:--%s", path, opt->name);
	if (opt->alias)
		g_string_append_printf(out, " | %s:--%s", path, opt->alias);
	g_string_append_printf(out, ") list=\"" ASK "\" ;;\n", kind_of_option(opt));
}

static void add_choices(GString *out, const char *path, const SpkCmd *cmd)
{
	for (const SpkCmdOpt *opt = cmd->options; opt && opt->name; opt++) {
		g_autofree char *words = NULL;

		if (kind_of_option(opt))
			add_asked(out, path, opt);
		if (!opt->choices || opt->unbuilt)
			continue;
		words = g_strdelimit(g_strdup(opt->choices), "|", ' ');
		g_string_append_printf(out, "\t%s:--%s) list=\"%s\" ;;\n", path,
				       opt->name, words);
	}
}

static void add_walker(GString *out, const SpkProgram *program)
{
	g_autoptr(GString) paths = g_string_new(NULL);
	g_autoptr(GString) valued = g_string_new(NULL);
	const SpkCmd top = { .subs = program->commands };

	walk(paths, "", program->commands, add_path);
	walk(valued, "", program->commands, add_valued_of);
	add_valued(valued, "*", spk_cmd_globals);
	g_string_append_printf(
		out,
		"# Sets list to what may follow the words given.\n"
		"__sparks_list()\n{\n\twhere= skip= list=\n"
		"\tfor w in \"$@\"; do\n"
		"\t\tif [ -n \"$skip\" ]; then skip=; continue; fi\n"
		"\t\tcase $where:$w in %s) skip=$where:$w; continue ;; esac\n"
		"\t\tcase $where/$w in %s) where=$where/$w ;; esac\n"
		"\tdone\n\tif [ -n \"$skip\" ]; then\n\tcase $skip in\n",
		valued->str, paths->str);
	walk(out, "", program->commands, add_choices);
	for (const SpkCmdOpt *opt = spk_cmd_globals; opt->name; opt++)
		if (kind_of_option(opt))
			add_asked(out, "*", opt);
	g_string_append(out, "\tesac\n\treturn\n\tfi\n\tcase $where in\n");
	add_words(out, "", &top);
	walk(out, "", program->commands, add_words);
	g_string_append(out, "\tesac\n}\n");
}

static void add_bash(GString *out, const SpkProgram *program)
{
	g_string_append(out, "# bash completion of sparks\n");
	add_walker(out, program);
	g_string_append(out, "_sparks()\n{\n\tlocal where skip list w\n"
			     "\t__sparks_list \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
			     "\tmapfile -t COMPREPLY < <(compgen -W \"$list\" -- "
			     "\"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
			     "complete -o default -F _sparks sparks\n");
}

static void add_zsh(GString *out, const SpkProgram *program)
{
	g_string_append(out, "#compdef sparks\n");
	add_walker(out, program);
	g_string_append(out,
			"_sparks()\n{\n\tlocal where skip list w\n"
			"\t__sparks_list \"${(@)words[2,CURRENT-1]}\"\n"
			"\tcompadd -- ${=list} || _files\n}\n"
			"if [ \"$funcstack[1]\" = _sparks ]; then\n\t_sparks \"$@\"\n"
			"else\n\tcompdef _sparks sparks\nfi\n");
}

/* ---- fish ---- */
static void add_fish_text(GString *out, const char *text)
{
	g_string_append_c(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *text);
	}
	g_string_append_c(out, '\'');
}

static void add_fish_option(GString *out, const char *condition, const SpkCmdOpt *opt)
{
	g_string_append_printf(out, "complete -c sparks -n '%s' -l %s", condition,
			       opt->name);
	if (opt->alias)
		g_string_append_printf(out, " -l %s", opt->alias);
	if (opt->letter)
		g_string_append_printf(out, " -s %c", opt->letter);
	if (opt->choices) {
		g_autofree char *words = g_strdelimit(g_strdup(opt->choices), "|", ' ');

		g_string_append_printf(out, " -x -a '%s'", words);
	} else if (kind_of_option(opt)) {
		g_string_append_printf(out,
				       " -x -a '(sparks completions --values %s "
				       "2>/dev/null)'",
				       kind_of_option(opt));
	} else if (opt->type != SPK_CMD_FLAG) {
		g_string_append(out, " -r");
	}
	g_string_append(out, " -d ");
	add_fish_text(out, opt->sentence);
	g_string_append_c(out, '\n');
}

static void add_fish_command(GString *out, const char *path, const SpkCmd *cmd)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *here = g_strdup_printf("__sparks_at %s", path);

	g_string_append_printf(out, "complete -c sparks -f -n '__sparks_at %s' -a %s -d ",
			       strcmp(parent, "/") != 0 ? parent : "\"\"", cmd->name);
	add_fish_text(out, cmd->summary);
	g_string_append_c(out, '\n');
	if (kind_of(path, cmd))
		g_string_append_printf(out,
				       "complete -c sparks -f -n '%s' -a '(sparks "
				       "completions --values %s 2>/dev/null)'\n",
				       here, kind_of(path, cmd));
	for (const SpkCmdOpt *opt = cmd->options; opt && opt->name; opt++)
		if (!opt->unbuilt)
			add_fish_option(out, here, opt);
}

static void add_fish_path(GString *out, const char *path, const SpkCmd *cmd)
{
	g_string_append_printf(out, " %s", path);
}

static void add_fish(GString *out, const SpkProgram *program)
{
	g_string_append(out,
			"# fish completion of sparks\n"
			"# True when the words before the cursor name this command.\n"
			"function __sparks_at\n\tset -l where \"\"\n\tset -l paths");
	walk(out, "", program->commands, add_fish_path);
	g_string_append(out, "\n\tfor w in (commandline -opc)[2..-1]\n"
			     "\t\tif contains -- $where/$w $paths\n"
			     "\t\t\tset where $where/$w\n\t\tend\n\tend\n"
			     "\ttest \"$where\" = \"$argv[1]\"\nend\n");
	for (const SpkCmdOpt *opt = spk_cmd_globals; opt->name; opt++)
		add_fish_option(out, "true", opt);
	walk(out, "", program->commands, add_fish_command);
}

/* ---- the command ---- */
static const struct {
	const char *name;
	void (*add)(GString *out, const SpkProgram *program);
} shells[] = { { "bash", add_bash }, { "fish", add_fish }, { "zsh", add_zsh } };

static int run(const SpkArgs *args)
{
	const char *name = spk_args_rest(args)[0];
	const char *kind = spk_args_str(args, "values");
	g_autoptr(GString) out = g_string_new(NULL);
	GError *error = NULL;

	for (gsize i = 0; kind && i < G_N_ELEMENTS(values); i++)
		if (!strcmp(values[i].kind, kind))
			values[i].print();
	if (kind)
		return 0;
	if (!name) {
		spk_error_set(&error, SPK_ERR_USAGE, "choose bash, fish or zsh",
			      "for which shell?");
		return spk_cmd_fail(error, FALSE);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(shells); i++) {
		if (strcmp(shells[i].name, name) != 0)
			continue;
		shells[i].add(out, args->program);
		fputs(out->str, stdout);
		return 0;
	}
	spk_error_set(&error, SPK_ERR_USAGE, "choose bash, fish or zsh",
		      "no completions for the shell \"%s\"", name);
	return spk_cmd_fail(error, FALSE);
}

static const SpkCmdOpt options[] = {
	{ "values", .type = SPK_CMD_STRING, .value = "KIND",
	  .choices = "knobs|memories|options|secrets|settings|sparks|tasks",
	  .sentence = "print what the scripts ask for: names, a tab, what they are" },
	{ NULL },
};

const SpkCmd spk_cmd_completions = {
	.name = "completions",
	.usage = "bash|fish|zsh",
	.summary = "Print the completion script of a shell.",
	.details = "./setup install puts them in place; this is for other places.",
	.example = "source <(sparks completions bash)",
	.options = options,
	.max_args = 1,
	.run = run,
};
