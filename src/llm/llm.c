#include "llm/llm.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "guard/redact.h"
#include "llm/choose_priv.h"
#include "llm/llm_impl.h"
#include "llm/tooluse_priv.h"

#define LEARN_MS 2000
#define RAW_MAX	 4096

/* A provider that is open. */
typedef struct {
	const SpkProvider *row;
	const SpkModelInfo *info;
	gpointer self;
	gint64 window; /* tokens, as the server says; 0: nobody asked, or it doesn't */
} Opened;

struct SpkLlm {
	SpkConf *conf;
	GMutex lock;
	GArray *opened; /* Opened: the first choice, then who took over; guarded by lock */
};

/* The one that answers now. Names and limits of an earlier one stay valid all the same. */
static Opened current(SpkLlm *llm)
{
	Opened now;

	g_mutex_lock(&llm->lock);
	now = g_array_index(llm->opened, Opened, llm->opened->len - 1);
	g_mutex_unlock(&llm->lock);
	return now;
}

static SpkLlmWho who_of(const Opened *opened)
{
	return (SpkLlmWho){ opened->row->name, opened->info->model,
			    opened->info->max_output, opened->info->local };
}

/* ---- secrets ---- */

/* A server may repeat the key it was given, a model what it has seen: neither record nor model
 * sees it again. What calls hold that only looks like a key is kept by whoever runs them. */
static void hide_in_reply(const SpkLlmRequest *request, SpkLlmReply *reply)
{
	g_autofree char *readable = spk_text_clean(reply->text, -1, SPK_CLEAN_TEXT);
	char *text = spk_redact_text(NULL, readable);
	json_t *calls = spk_redact_json_into(NULL, request->vault, reply->tool_calls);

	g_free(reply->text);
	reply->text = text;
	json_decref(reply->tool_calls);
	reply->tool_calls = calls;
}

static void add_opened(SpkLlm *llm, const SpkProvider *row, gpointer self)
{
	Opened opened = { row, row->impl->info(self), self, 0 };

	g_mutex_lock(&llm->lock);
	g_array_append_val(llm->opened, opened);
	g_mutex_unlock(&llm->lock);
}

SpkLlm *spk_llm_open(SpkConf *conf, const char *model, GError **error)
{
	g_autofree char *name = NULL;
	const SpkProvider *row = spk_choose(conf, model, &name, error);
	gpointer self = row ? row->impl->open(row, conf, name, error) : NULL;
	SpkLlm *llm;

	if (!self)
		return NULL;
	llm = g_new0(SpkLlm, 1);
	g_mutex_init(&llm->lock);
	llm->conf = spk_conf_ref(conf);
	llm->opened = g_array_new(FALSE, FALSE, sizeof(Opened));
	add_opened(llm, row, self);
	return llm;
}

void spk_llm_free(SpkLlm *llm)
{
	if (!llm)
		return;
	for (guint i = 0; i < llm->opened->len; i++) {
		const Opened *opened = &g_array_index(llm->opened, Opened, i);

		opened->row->impl->close(opened->self);
	}
	g_array_unref(llm->opened);
	g_mutex_clear(&llm->lock);
	spk_conf_unref(llm->conf);
	g_free(llm);
}

const char *spk_llm_provider(SpkLlm *llm)
{
	return current(llm).row->name;
}

const char *spk_llm_model(SpkLlm *llm)
{
	return current(llm).info->model;
}

gint64 spk_llm_context_window(SpkLlm *llm)
{
	Opened now = current(llm);

	return now.window ? now.window : now.info->context_window;
}

const char *spk_llm_window_from(SpkLlm *llm)
{
	Opened now = current(llm);

	return now.window ? "server" : now.info->window_from;
}

const char *spk_llm_tools(SpkLlm *llm)
{
	Opened now = current(llm);

	return spk_tooluse_told(now.info, spk_conf_str(llm->conf, "llm.tools"));
}

void spk_llm_learn(SpkLlm *llm, SpkCancel *cancel)
{
	g_autoptr(SpkCancel) patience = spk_cancel_new(cancel);
	Opened now = current(llm);
	gint64 window;

	if (!now.row->impl->window || !now.info->local || now.window ||
	    !strcmp(now.info->window_from, "configuration"))
		return;
	spk_cancel_set_deadline(patience, LEARN_MS);
	window = now.row->impl->window(now.self, patience);
	g_mutex_lock(&llm->lock);
	for (guint i = 0; i < llm->opened->len; i++) {
		Opened *opened = &g_array_index(llm->opened, Opened, i);

		if (opened->self == now.self)
			opened->window = window;
	}
	g_mutex_unlock(&llm->lock);
}

/* ---- the same while it streams ---- */
typedef struct {
	const SpkLlmSink *sink;
	GString *raw;  /* what may be the beginning of an escape sequence */
	GString *held; /* what may be that of a secret */
} Veil;

/* Without what a terminal would obey, also when that comes in two pieces. */
static char *settle(GString *raw, const char *piece)
{
	gsize settled;
	char *clean;

	g_string_append(raw, piece ? piece : "");
	settled = !piece || raw->len > RAW_MAX ? raw->len
					       : spk_text_settled_len(raw->str, raw->len);
	clean = spk_text_clean(raw->str, (gssize)settled, SPK_CLEAN_TEXT);
	g_string_erase(raw, 0, (gssize)settled);
	return clean;
}

static void veil_text(const char *piece, gpointer user)
{
	Veil *veil = user;
	g_autofree char *clean = settle(veil->raw, piece);
	g_autofree char *some = spk_redact_piece(NULL, veil->held, clean);
	g_autofree char *rest = piece ? NULL : spk_redact_piece(NULL, veil->held, NULL);
	g_autofree char *out = g_strconcat(some, rest, NULL);

	if (*out)
		veil->sink->on_text(out, veil->sink->user);
}

static void veil_restart(const char *why, gpointer user)
{
	Veil *veil = user;

	g_string_truncate(veil->raw, 0);
	g_string_truncate(veil->held, 0);
	if (veil->sink->on_restart)
		veil->sink->on_restart(why, veil->sink->user);
}

SpkLlmWho spk_llm_who(SpkLlm *llm)
{
	Opened now = current(llm);

	return who_of(&now);
}

/* ---- answers ---- */

/* What another provider may do better: this one is away, refuses the key, is at its limit, or
 * answers nonsense. Not what is wrong with the request, or what the caller wants. */
static gboolean is_curable(const GError *error)
{
	static const SpkErr codes[] = { SPK_ERR_PROVIDER, SPK_ERR_PROVIDER_AUTH,
					SPK_ERR_PROVIDER_REPLY, SPK_ERR_RATE_LIMITED,
					SPK_ERR_TIMEOUT };

	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (spk_error_is(error, codes[i]))
			return TRUE;
	return FALSE;
}

/* The same error; what to do is also to let the one take over that could. */
static void tell_refused(GError **why, const char *refused)
{
	const char *old_hint = spk_error_hint(*why);
	g_autofree char *hint = g_strdup_printf(
		"%s%s[llm] fallback_to_cloud = true lets %s take over",
		old_hint ? old_hint : "", old_hint ? "; or: " : "", refused);
	g_autoptr(GError) old = *why;

	*why = NULL;
	spk_error_set(why, spk_error_code(old), hint, "%s", old->message);
}

/* Names of those that have had their turn, NULL-terminated. */
static GPtrArray *tried(SpkLlm *llm)
{
	GPtrArray *names = g_ptr_array_new();

	g_mutex_lock(&llm->lock);
	for (guint i = 0; i < llm->opened->len; i++)
		g_ptr_array_add(
			names, (gpointer)g_array_index(llm->opened, Opened, i).row->name);
	g_mutex_unlock(&llm->lock);
	g_ptr_array_add(names, NULL);
	return names;
}

/* Why another goes on, allocated; NULL: nobody takes over. */
static char *take_over(SpkLlm *llm, const Opened *from, GError **why)
{
	g_autofree char *refused = NULL;
	g_autoptr(GPtrArray) names = tried(llm);
	SpkLlmWho who = who_of(from);
	const SpkProvider *next;
	gpointer self = NULL;

	if (!from->row->url || !is_curable(*why) ||
	    !spk_conf_bool(llm->conf, "llm.fallback"))
		return NULL;
	next = spk_choose_next(llm->conf, (const char *const *)names->pdata, &who, &self,
			       &refused);
	if (!next) {
		if (refused)
			tell_refused(why, refused);
		return NULL;
	}
	add_opened(llm, next, self);
	return g_strdup_printf("%s: %s; going on with %s %s", from->row->name,
			       (*why)->message, next->name,
			       next->impl->info(self)->model);
}

/* What a failed call has taken is the payer's to know, whoever goes on. */
static void tell_failed(const SpkToolUse *use, const SpkLlmRequest *request,
			const GError *why)
{
	const SpkLlmGate *gate = request->gate;

	if (gate && gate->failed && use->asked)
		gate->failed(&use->who, &use->spent, use->refused ? NULL : why,
			     gate->user);
}

static gboolean complete(SpkLlm *llm, const SpkLlmRequest *request,
			 const SpkLlmSink *sink, SpkCancel *cancel,
			 SpkLlmReply *ret_reply, GError **error)
{
	g_autofree char *told = NULL;

	for (;;) {
		Opened now = current(llm);
		SpkToolUse use = { .retry = { now.row->impl, now.self,
					      spk_conf_int(llm->conf,
							   "llm.max_retries") },
				   .info = now.info,
				   .who = who_of(&now),
				   .how = spk_conf_str(llm->conf, "llm.tools") };
		GError *why = NULL;

		if (spk_tooluse_complete(&use, request, sink, cancel, ret_reply, &why)) {
			ret_reply->who = use.who;
			return TRUE;
		}
		tell_failed(&use, request, why);
		if (use.refused && told)
			g_prefix_error(&why, "%s: ", told);
		g_clear_pointer(&told, g_free);
		if (!use.refused && spk_cancel_check(cancel, NULL))
			told = take_over(llm, &now, &why);
		if (!told) {
			g_propagate_error(error, why);
			return FALSE;
		}
		g_error_free(why);
		spk_llm_learn(llm, cancel);
		spk_warn("llm", "%s", told);
		if (sink && sink->on_restart)
			sink->on_restart(told, sink->user);
	}
}

gboolean spk_llm_complete(SpkLlm *llm, const SpkLlmRequest *given, const SpkLlmSink *sink,
			  SpkCancel *cancel, SpkLlmReply *ret_reply, GError **error)
{
	/* A secret that stands in the repository, or that a command has printed, goes to no
	 * model; nor what only looks like one. */
	g_autoptr(json_t) messages = spk_redact_json(NULL, given->messages);
	g_autoptr(json_t) tools = given->tools ? spk_redact_json(NULL, given->tools)
					       : NULL;
	SpkLlmRequest request = *given;
	g_autoptr(GString) raw = g_string_new(NULL), held = g_string_new(NULL);
	Veil veil = { sink, raw, held };
	SpkLlmSink veiled = { veil_text, veil_restart, &veil };
	gboolean streams = sink && sink->on_text;

	request.messages = messages;
	request.tools = tools;
	if (!complete(llm, &request, streams ? &veiled : sink, cancel, ret_reply, error))
		return FALSE;
	if (streams)
		veil_text(NULL, &veil);
	hide_in_reply(given, ret_reply);
	return TRUE;
}

gboolean spk_llm_ping(SpkLlm *llm, SpkCancel *cancel, GError **error)
{
	Opened now = current(llm);

	return !now.row->impl->ping || now.row->impl->ping(now.self, cancel, error);
}

char **spk_llm_models(SpkLlm *llm, SpkCancel *cancel, GError **error)
{
	Opened now = current(llm);
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	g_autoptr(GPtrArray) models = NULL;

	if (!now.row->impl->models) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "%s has no list of models",
			      now.row->name);
		return NULL;
	}
	models = now.row->impl->models(now.self, cancel, error);
	if (!models)
		return NULL;
	for (guint i = 0; i < models->len; i++)
		g_strv_builder_add(names, ((SpkModelEntry *)models->pdata[i])->id);
	return g_strv_builder_end(names);
}
