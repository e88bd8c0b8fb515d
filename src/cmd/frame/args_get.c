/* What was given on the command line, for the commands. */
#include <string.h>

#include "cmd/frame/cmd_priv.h"

/* The last one given, or NULL. A name that the command's table lacks is a bug in its code. */
static const SpkGiven *find_given(const SpkArgs *args, const char *name)
{
	const SpkCmdOpt *opt = spk_cmd_option(args->cmd, name, strlen(name));

	g_assert(opt && !strcmp(opt->name, name));
	for (guint i = args->given->len; i > 0; i--) {
		const SpkGiven *given = &g_array_index(args->given, SpkGiven, i - 1);

		if (given->opt == opt)
			return given;
	}
	return NULL;
}

gboolean spk_args_has(const SpkArgs *args, const char *name)
{
	return find_given(args, name) != NULL;
}

gboolean spk_args_flag(const SpkArgs *args, const char *name)
{
	return find_given(args, name) != NULL;
}

const char *spk_args_str(const SpkArgs *args, const char *name)
{
	const SpkGiven *given = find_given(args, name);

	return given ? given->value : NULL;
}

gint64 spk_args_int(const SpkArgs *args, const char *name, gint64 fallback)
{
	const SpkGiven *given = find_given(args, name);

	return given ? g_ascii_strtoll(given->value, NULL, 10) : fallback;
}

const char *const *spk_args_list(const SpkArgs *args, const char *name)
{
	const char *const *list = g_hash_table_lookup(args->lists, name);

	g_assert(list);
	return list;
}

const char *const *spk_args_rest(const SpkArgs *args)
{
	return (const char *const *)args->rest->pdata;
}

const char *spk_args_config(const SpkArgs *args)
{
	return spk_args_str(args, "config");
}

const char *const *spk_args_set(const SpkArgs *args)
{
	return spk_args_list(args, "set");
}

gboolean spk_args_yes(const SpkArgs *args)
{
	return spk_args_flag(args, "yes");
}
