/*
 * `sparks completions SHELL`: prints a completion script made of the command table. bash
 * and zsh share one POSIX function that walks the words before the cursor; fish gets rows.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cmd/cmd_all.h"
#include "cmd/cmd_priv.h"

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
	g_string_append(out, "\" ;;\n");
}

static void add_choices(GString *out, const char *path, const SpkCmd *cmd)
{
	for (const SpkCmdOpt *opt = cmd->options; opt && opt->name; opt++) {
		g_autofree char *words = NULL;

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
	g_autoptr(GString) out = g_string_new(NULL);
	GError *error = NULL;

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

const SpkCmd spk_cmd_completions = {
	.name = "completions",
	.usage = "bash|fish|zsh",
	.summary = "Print the completion script of a shell.",
	.details = "./setup install puts them in place; this is for other places.",
	.example = "source <(sparks completions bash)",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
