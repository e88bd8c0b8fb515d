#include "llm/llm.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "guard/redact.h"
#include "llm/llm_impl.h"
#include "llm/retry_priv.h"

struct SpkLlm {
	const SpkProvider *row;
	const SpkModelInfo *info;
	SpkRetry retry;
	SpkRedact *redact; /* of the keys that are known */
};

static const SpkProvider *configured_provider(SpkConf *conf, GError **error)
{
	const char *name = spk_conf_str(conf, "llm.provider");
	const SpkProvider *row = spk_provider_find(name, strlen(name));
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *nearest = NULL;

	if (row)
		return row;
	for (row = spk_providers; row->name; row++)
		g_ptr_array_add(names, (gpointer)row->name);
	g_ptr_array_add(names, NULL);
	nearest = spk_text_did_you_mean(name, (const char *const *)names->pdata);
	spk_error_set(error, SPK_ERR_CONFIG, "`sparks config show` names the providers",
		      "[llm] provider \"%s\" is not one%s", name, nearest);
	return NULL;
}

/* "PROVIDER:NAME" when that provider exists; other names may hold colons ("qwen2.5:7b"). */
static const SpkProvider *choose(SpkConf *conf, const char **model, GError **error)
{
	const char *colon = *model ? strchr(*model, ':') : NULL;
	const SpkProvider *row = colon ? spk_provider_find(*model, colon - *model) : NULL;

	if (!row)
		return configured_provider(conf, error);
	*model = colon[1] ? colon + 1 : NULL;
	return row;
}

/* ---- keys in answers ---- */
static SpkRedact *known_keys(SpkConf *conf)
{
	char **values = spk_conf_secret_values(conf);
	SpkRedact *redact = spk_redact_new((const char *const *)values);

	spk_conf_secret_values_free(values);
	return redact;
}

/* A server may repeat the key it was given: neither record nor model sees it again. (What it
 * says in an error is treated in server.c.) */
static void hide_in_reply(const SpkLlm *llm, SpkLlmReply *reply)
{
	char *text = spk_redact_known(llm->redact, reply->text);
	json_t *calls = spk_redact_known_json(llm->redact, reply->tool_calls);

	g_free(reply->text);
	reply->text = text;
	json_decref(reply->tool_calls);
	reply->tool_calls = calls;
}

SpkLlm *spk_llm_open(SpkConf *conf, const char *model, GError **error)
{
	g_autofree SpkLlm *llm = g_new0(SpkLlm, 1);

	llm->row = choose(conf, &model, error);
	if (!llm->row)
		return NULL;
	llm->retry.impl = llm->row->impl;
	llm->retry.self = llm->retry.impl->open(llm->row, conf, model, error);
	if (!llm->retry.self)
		return NULL;
	llm->info = llm->retry.impl->info(llm->retry.self);
	llm->retry.max_retries = spk_conf_int(conf, "llm.max_retries");
	llm->redact = known_keys(conf);
	return g_steal_pointer(&llm);
}

void spk_llm_free(SpkLlm *llm)
{
	if (!llm)
		return;
	llm->retry.impl->close(llm->retry.self);
	spk_redact_free(llm->redact);
	g_free(llm);
}

const char *spk_llm_provider(SpkLlm *llm)
{
	return llm->row->name;
}

const char *spk_llm_model(SpkLlm *llm)
{
	return llm->info->model;
}

gint64 spk_llm_context_window(SpkLlm *llm)
{
	return llm->info->context_window;
}

/* ---- the same while it streams ---- */
typedef struct {
	const SpkLlmSink *sink;
	const SpkRedact *redact;
	GString *held;
} Veil;

static void veil_text(const char *piece, gpointer user)
{
	Veil *veil = user;
	g_autofree char *out = spk_redact_piece(veil->redact, veil->held, piece);

	if (*out)
		veil->sink->on_text(out, veil->sink->user);
}

static void veil_restart(const char *why, gpointer user)
{
	Veil *veil = user;

	g_string_truncate(veil->held, 0);
	if (veil->sink->on_restart)
		veil->sink->on_restart(why, veil->sink->user);
}

gint64 spk_llm_max_output(SpkLlm *llm)
{
	return llm->info->max_output;
}

gboolean spk_llm_is_local(SpkLlm *llm)
{
	return llm->info->local;
}

gboolean spk_llm_complete(SpkLlm *llm, const SpkLlmRequest *request,
			  const SpkLlmSink *sink, SpkCancel *cancel,
			  SpkLlmReply *ret_reply, GError **error)
{
	g_autoptr(GString) held = g_string_new(NULL);
	Veil veil = { sink, llm->redact, held };
	SpkLlmSink veiled = { veil_text, veil_restart, &veil };
	gboolean streams = sink && sink->on_text;

	if (!spk_retry_complete(&llm->retry, request, streams ? &veiled : sink, cancel,
				ret_reply, error))
		return FALSE;
	if (streams)
		veil_text(NULL, &veil);
	hide_in_reply(llm, ret_reply);
	return TRUE;
}

gboolean spk_llm_ping(SpkLlm *llm, SpkCancel *cancel, GError **error)
{
	const SpkRetry *retry = &llm->retry;

	return !retry->impl->ping || retry->impl->ping(retry->self, cancel, error);
}

char **spk_llm_models(SpkLlm *llm, SpkCancel *cancel, GError **error)
{
	const SpkRetry *retry = &llm->retry;
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	g_autoptr(GPtrArray) models = NULL;

	if (!retry->impl->models) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "%s has no list of models",
			      llm->row->name);
		return NULL;
	}
	models = retry->impl->models(retry->self, cancel, error);
	if (!models)
		return NULL;
	for (guint i = 0; i < models->len; i++)
		g_strv_builder_add(names, ((SpkModelEntry *)models->pdata[i])->id);
	return g_strv_builder_end(names);
}
