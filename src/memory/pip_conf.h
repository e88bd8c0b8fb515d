/*
 * Where this machine gets Python packages from, as pip would (pip.pypa.io, "Configuration"): the
 * variables PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX before the same keys
 * of its files, which are read in pip's order: of the system, the user, $VIRTUAL_ENV and
 * PIP_CONFIG_FILE, a later one over an earlier one.
 */
#ifndef SPK_MEMORY_PIP_CONF_H
#define SPK_MEMORY_PIP_CONF_H

#include <glib.h>

typedef struct {
	char **indexes; /* base URLs, in the order they are asked; may hold passwords */
	char **links;	/* find-links: folders and URLs */
} SpkPipConf;

/* What can't be read is passed over, as by pip. */
void spk_pip_conf_read(SpkPipConf *conf);
void spk_pip_conf_clear(SpkPipConf *conf);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkPipConf, spk_pip_conf_clear)

/* Values of one file's text into `values` (key to value; those of [global], then of [download]);
 * a value over several lines has "\n" between them. */
void spk_pip_conf_parse(const char *text, GHashTable *values);

#endif
