#include "llm/llm.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "llm/llm_impl.h"
#include "llm/retry_priv.h"

struct SpkLlm {
	SpkRetry retry;
	gint64 context_window;
};

static const SpkProviderImpl *find_provider(const char *name, gsize len)
{
	for (gsize i = 0; spk_providers[i]; i++)
		if (strlen(spk_providers[i]->name) == len &&
		    strncmp(spk_providers[i]->name, name, len) == 0)
			return spk_providers[i];
	return NULL;
}

static const SpkProviderImpl *configured_provider(SpkConf *conf, GError **error)
{
	const char *name = spk_conf_str(conf, "llm.provider");
	const SpkProviderImpl *impl = find_provider(name, strlen(name));
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL;

	if (impl)
		return impl;
	for (gsize i = 0; spk_providers[i]; i++)
		g_ptr_array_add(names, (gpointer)spk_providers[i]->name);
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	spk_error_set(error, SPK_ERR_CONFIG,
		      "set [llm] provider to \"openai\" or \"script\"",
		      "[llm] provider \"%s\" is not one%s", name, nearest);
	return NULL;
}

/* "PROVIDER:NAME" when that provider exists; other names may hold colons ("qwen2.5:7b"). */
static const SpkProviderImpl *choose(SpkConf *conf, const char **model, GError **error)
{
	const char *colon = *model ? strchr(*model, ':') : NULL;
	const SpkProviderImpl *impl = colon ? find_provider(*model, colon - *model)
					    : NULL;

	if (!impl)
		return configured_provider(conf, error);
	*model = colon[1] ? colon + 1 : NULL;
	return impl;
}

SpkLlm *spk_llm_open(SpkConf *conf, const char *model, GError **error)
{
	g_autofree SpkLlm *llm = g_new0(SpkLlm, 1);

	llm->retry.impl = choose(conf, &model, error);
	if (!llm->retry.impl)
		return NULL;
	llm->retry.self = llm->retry.impl->open(conf, model, error);
	if (!llm->retry.self)
		return NULL;
	llm->retry.max_retries = spk_conf_int(conf, "llm.max_retries");
	llm->context_window = spk_conf_int(conf, "openai.context_window");
	return g_steal_pointer(&llm);
}

void spk_llm_free(SpkLlm *llm)
{
	if (!llm)
		return;
	llm->retry.impl->close(llm->retry.self);
	g_free(llm);
}

const char *spk_llm_provider(SpkLlm *llm)
{
	return llm->retry.impl->name;
}

const char *spk_llm_model(SpkLlm *llm)
{
	return llm->retry.impl->model(llm->retry.self);
}

gint64 spk_llm_context_window(SpkLlm *llm)
{
	return llm->context_window;
}

gboolean spk_llm_complete(SpkLlm *llm, const SpkLlmRequest *request,
			  const SpkLlmSink *sink, SpkCancel *cancel,
			  SpkLlmReply *ret_reply, GError **error)
{
	return spk_retry_complete(&llm->retry, request, sink, cancel, ret_reply, error);
}

gboolean spk_llm_ping(SpkLlm *llm, SpkCancel *cancel, GError **error)
{
	const SpkRetry *retry = &llm->retry;

	return !retry->impl->ping || retry->impl->ping(retry->self, cancel, error);
}
