/* `sparks config sample`: the option table as a config file, or as the documents made of it. */
#include <stdio.h>
#include <string.h>

#include "cmd/config/config_all.h"
#include "cmd/config/optdoc.h"

static const struct {
	const char *name;
	char *(*make)(void);
} forms[] = {
	{ "toml", spk_optdoc_sample },
	{ "man", spk_optdoc_man },
	{ "markdown", spk_optdoc_markdown },
};

static int run(const SpkArgs *args)
{
	const char *form = spk_args_str(args, "as");

	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autofree char *text = NULL;

		if (strcmp(forms[i].name, form ? form : "toml") != 0)
			continue;
		text = forms[i].make();
		fputs(text, stdout);
	}
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "as", .type = SPK_CMD_STRING, .value = "FORM", .choices = "toml|man|markdown",
	  .sentence = "a config file, or the same as a document" },
	{ NULL },
};

const SpkCmd spk_cmd_config_sample = {
	.name = "sample",
	.usage = "",
	.summary = "Print a config file with every option, commented.",
	.details = "It changes nothing as it is: every key is commented out and has its "
		   "default.",
	.example = "sparks config sample > ~/.sparks/config.toml",
	.options = options,
	.run = run,
};
