/*
 * The option table as documents: the manual page sparks-config(5), the reference in Markdown
 * (docs/config.md), the sample file. All are wholly made of the table in conf/options.c.
 */
#ifndef SPK_CMD_OPTDOC_H
#define SPK_CMD_OPTDOC_H

#include <glib.h>

#include "conf/conf.h"

/* What a value may be: "a whole number from 1 to 1000", "one of a, b, c", "a path". */
char *spk_optdoc_range(const SpkOpt *opt);
/* A value as TOML would write it; strings in quotes. */
char *spk_optdoc_toml(const SpkOpt *opt, const char *value);

char *spk_optdoc_man(void);
char *spk_optdoc_markdown(void);
/* Every option commented out with its default: a config file that changes nothing. */
char *spk_optdoc_sample(void);
/* The same with these set: name -> value, as text. */
char *spk_optdoc_sample_with(GHashTable *values);

#endif
