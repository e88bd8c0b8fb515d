/* Which model does what besides the work itself. */
#include "llm/choose_priv.h"
#include "llm/llm.h"

char *spk_llm_model_for(SpkConf *conf, const char *purpose, const char *model)
{
	g_autofree char *option = g_strconcat("llm.", purpose, "_model", NULL);
	const char *named = spk_conf_str(conf, option);
	g_autofree char *own = NULL, *ignored = NULL;
	const SpkProvider *row;

	if (*named)
		return g_strdup(named);
	row = spk_choose(conf, model, &ignored, NULL);
	own = row ? g_strconcat(row->name, ".", purpose, "_model", NULL) : NULL;
	if (!own || spk_conf_find(own) < 0)
		return NULL;
	named = spk_conf_str(conf, own);
	return *named ? g_strconcat(row->name, ":", named, NULL) : NULL;
}
