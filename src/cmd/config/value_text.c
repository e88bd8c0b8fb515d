/* The value of an option, as it is shown. */
#include "base/text.h"
#include "cmd/config/config_all.h"

static char *list_text(const SpkConf *conf, const SpkOpt *opt)
{
	g_auto(GStrv) items = spk_conf_list(conf, opt->name);
	g_autofree char *text = g_strjoinv(", ", items);

	return spk_text_clean(text, -1, SPK_CLEAN_LINE);
}

char *spk_config_value_text(const SpkConf *conf, const SpkOpt *opt)
{
	switch (opt->type) {
	case SPK_OPT_INT:
		return g_strdup_printf("%" G_GINT64_FORMAT,
				       spk_conf_int(conf, opt->name));
	case SPK_OPT_REAL:
		return g_strdup_printf("%g", spk_conf_real(conf, opt->name));
	case SPK_OPT_BOOL:
		return g_strdup(spk_conf_bool(conf, opt->name) ? "true" : "false");
	case SPK_OPT_LIST:
	case SPK_OPT_PATTERNS:
		return list_text(conf, opt);
	default:
		return spk_text_clean(spk_conf_str(conf, opt->name), -1, SPK_CLEAN_LINE);
	}
}
