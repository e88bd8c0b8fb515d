#include "tool/cli_run_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "llm/llm_impl.h"
#include "llm/route.h"
#include "tool/cli_place.h"

#define KEPT_OUT 4096 /* of what the box itself keeps; the watch has its own */

/* ---- before ---- */

static char *words_of(const GError *error)
{
	const char *hint = spk_error_hint(error);

	return g_strconcat(error->message, hint ? "; " : "", hint, NULL);
}

/* What an attempt needs besides the box. */
typedef struct {
	char *provider, *model;
	CliPlace place;
	SpkLlmRoute to;
} Means;

static void means_clear(Means *means)
{
	g_free(means->provider);
	g_free(means->model);
	cli_place_clear(&means->place);
	spk_llm_route_clear(&means->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Means, means_clear)

/* `ctx`: of the task, or NULL. */
static CliCause get_means(SpkConf *conf, const Cli *cli, const char *model,
			  const SpkToolCtx *ctx, Means *means, char **ret_why)
{
	g_auto(GStrv) folders = spk_conf_list(conf, "cli.path");
	const CliSearch search = {
		.folders = (const char *const *)folders,
		.work = ctx ? spk_tree_work(ctx->tree) : NULL,
		.in_image = ctx ? spk_box_tier(ctx->box) == SPK_TIER_DOCKER
				: !strcmp(spk_conf_str(conf, "box.backend"), "docker"),
	};
	g_autoptr(GError) error = NULL;
	CliCause cause = CLI_CAUSE_DONE;

	if (!cli_place_find(cli->program, &search, &means->place, &error))
		cause = CLI_CAUSE_NOT_INSTALLED;
	else if (!cli->choose(conf, model, &means->provider, &means->model, &error))
		cause = CLI_CAUSE_REFUSED;
	else if (!spk_llm_route(conf, means->provider, &means->to, &error))
		cause = CLI_CAUSE_NO_CREDENTIAL;
	if (error)
		*ret_why = words_of(error);
	return cause;
}

CliCause cli_obstacle(SpkConf *conf, const Cli *cli, const char *model, char **ret_why)
{
	g_auto(Means) means = { 0 };

	*ret_why = NULL;
	return get_means(conf, cli, model, NULL, &means, ret_why);
}

gboolean cli_is_local(SpkConf *conf, const Cli *cli, const char *model)
{
	g_auto(Means) means = { 0 };
	g_autofree char *why = NULL;
	g_autoptr(GUri) uri = NULL;

	if (get_means(conf, cli, model, NULL, &means, &why) != CLI_CAUSE_DONE)
		return FALSE;
	uri = g_uri_parse(means.to.origin, G_URI_FLAGS_NONE, NULL);
	return uri && g_uri_get_host(uri) && spk_host_is_local(g_uri_get_host(uri));
}

/* ---- while it runs ---- */

typedef struct {
	const SpkToolCtx *ctx;
	const CliAttempt *attempt;
	CliEnd *end; /* filled when it is over, but for provider and model */
	CliWatch *watch;
	SpkCancel *cancel;
	guint failures_max;
	gint64 tokens_max; /* 0: no limit */
	double usd_max;
	CliStop stop;
} Listener;

static SpkToolBill bill_of(const CliAttempt *attempt, const CliEnd *end)
{
	return (SpkToolBill){ .purpose = attempt->cli->tool,
			      .provider = end->provider,
			      .model = end->model ? end->model : "default",
			      .number = attempt->number,
			      .input = end->input,
			      .output = end->output,
			      .cached = end->cached,
			      .cache_write = end->cache_write,
			      .usd = end->usd };
}

static void take_usage(CliEnd *end, const CliReport *report)
{
	end->input = report->input;
	end->output = report->output;
	end->cached = report->cached;
	end->cache_write = report->cache_write;
	end->usd = report->usd;
}

/* As it says itself, else by our own prices. */
static gboolean is_past_usd(const Listener *listener)
{
	const SpkToolPurse *purse = listener->ctx->purse;
	SpkToolBill bill;

	if (listener->usd_max <= 0 || !purse)
		return FALSE;
	take_usage(listener->end, cli_watch_report(listener->watch));
	bill = bill_of(listener->attempt, listener->end);
	return purse->cost(&bill, purse->user) > listener->usd_max;
}

static CliStop reason_to_stop(const Listener *listener)
{
	const CliReport *report = cli_watch_report(listener->watch);

	if (cli_watch_bytes(listener->watch) > CLI_OUTPUT_MAX)
		return CLI_STOP_FLOOD;
	if (report->ended)
		return CLI_STOP_NONE; /* it is about to go */
	if (report->failures > listener->failures_max)
		return CLI_STOP_FAILURES;
	if (listener->tokens_max && report->input + report->output > listener->tokens_max)
		return CLI_STOP_BUDGET;
	if (is_past_usd(listener))
		return CLI_STOP_BUDGET;
	return CLI_STOP_NONE;
}

static void look(Listener *listener)
{
	if (listener->stop)
		return;
	listener->stop = reason_to_stop(listener);
	if (listener->stop)
		spk_cancel_fire(listener->cancel, "the agent program was stopped");
}

static void on_out(const char *data, gsize len, gpointer user)
{
	Listener *listener = user;

	cli_watch_out(listener->watch, data, len);
	look(listener);
}

static void on_err(const char *data, gsize len, gpointer user)
{
	Listener *listener = user;

	cli_watch_err(listener->watch, data, len);
	look(listener);
}

/* A file without a name: the prompt may be longer than a word of a command line can be. */
static int prompt_file(const char *prompt, GError **error)
{
	spk_autofd int fd = memfd_create("sparks-prompt", MFD_CLOEXEC);

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "cannot make a file in memory");
		return -1;
	}
	if (!spk_fs_write_all(fd, prompt, strlen(prompt), error))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "the prompt");
		return -1;
	}
	return spk_fd_steal(&fd);
}

static GPtrArray *all_mounts(const SpkToolCtx *ctx, const CliPlace *place)
{
	const GPtrArray *const lists[] = { ctx->mounts, place->mounts };
	GPtrArray *all = spk_box_mounts_new();

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		for (guint k = 0; lists[i] && k < lists[i]->len; k++) {
			const SpkBoxMount *mount = lists[i]->pdata[k];

			g_ptr_array_add(all, spk_box_mount_new(mount->from, mount->to,
							       mount->read_only));
		}
	return all;
}

static gint64 timeout_ms(const SpkToolCtx *ctx)
{
	gint64 most = spk_conf_int(ctx->conf, "cli.timeout_secs") * 1000;

	return ctx->left_ms > 0 ? MIN(most, ctx->left_ms) : most;
}

static const char *style_of(SpkConf *conf, const char *provider)
{
	return !strcmp(provider, "openai") ? spk_conf_str(conf, "openai.api_style") : "";
}

/* Words and variables of the call. */
static void build(const SpkToolCtx *ctx, const Cli *cli, const Means *means,
		  const SpkWayOutRoute *route, double usd, GPtrArray *argv,
		  GPtrArray *env)
{
	const CliCall call = {
		.provider = means->provider,
		.model = means->model,
		.url = spk_way_out_route_url(route),
		.placeholder = spk_way_out_route_placeholder(route),
		.style = style_of(ctx->conf, means->provider),
		.usd = usd,
	};

	for (char **word = means->place.command; *word; word++)
		g_ptr_array_add(argv, g_strdup(*word));
	cli->build(&call, argv, env);
	g_ptr_array_add(argv, NULL);
	g_ptr_array_add(env, NULL);
}

static SpkWayOutRoute *open_route(const SpkToolCtx *ctx, const Cli *cli,
				  const SpkLlmRoute *to, GError **error)
{
	g_autofree char *origin = g_strdup(to->origin);

	while (g_str_has_suffix(origin, "/"))
		origin[strlen(origin) - 1] = '\0';
	if (cli->drops && g_str_has_suffix(origin, cli->drops))
		origin[strlen(origin) - strlen(cli->drops)] = '\0';
	return spk_way_out_route_open(ctx->way,
				      &(SpkRouteSpec){ .credential = to->credential,
						       .origin = origin,
						       .header = to->header,
						       .prefix = to->prefix,
						       .key = to->key },
				      error);
}

/* ---- what became of it ---- */

static void take_report(CliEnd *end, const CliWatch *watch)
{
	const CliReport *report = cli_watch_report(watch);

	end->words = report->words ? spk_text_clean(report->words, -1, SPK_CLEAN_TEXT)
				   : NULL;
	end->problem = report->problem
			       ? spk_text_clean(report->problem, -1, SPK_CLEAN_LINE)
			       : NULL;
	if (report->model) {
		g_free(end->model);
		end->model = spk_text_clean(report->model, -1, SPK_CLEAN_LINE);
	}
	take_usage(end, report);
	end->out = cli_watch_text(watch, FALSE, CLI_TEXT_MAX);
	end->err = cli_watch_text(watch, TRUE, CLI_TEXT_MAX);
}

static gboolean take_changes(const SpkToolCtx *ctx, CliEnd *end, SpkCancel *cancel,
			     GError **error)
{
	g_autoptr(GPtrArray) changes = NULL;

	end->changed = g_ptr_array_new_with_free_func(g_free);
	end->tree = spk_tree_snapshot(ctx->tree, ctx->step, cancel, error);
	if (!end->tree)
		return FALSE;
	changes = spk_tree_changes(ctx->tree, ctx->last_tree, end->tree, error);
	if (!changes)
		return FALSE;
	end->n_changed = changes->len;
	for (guint i = 0; i < changes->len && i < CLI_CHANGED_MAX; i++)
		g_ptr_array_add(end->changed,
				g_strdup(((SpkTreeChange *)changes->pdata[i])->path));
	return TRUE;
}

/* Its files are shown there, but what they need to run is the image's. */
static void blame_image(const SpkToolCtx *ctx, const char *program, CliEnd *end)
{
	const char *image = ctx->image && *ctx->image
				    ? ctx->image
				    : spk_conf_str(ctx->conf, "docker.image");

	g_free(end->problem);
	end->problem = g_strdup_printf(
		strchr(program, '/')
			? "the image %s cannot run %s: it lacks its loader or libraries (those of "
			  "this machine's kind); name another one in [docker] image"
			: "the image %s has no %s; name one that has in [docker] image",
		image, program);
}

/* ---- the run ---- */

/* TRUE: it ran, or was stopped by us. */
static gboolean run_box(const SpkToolCtx *ctx, const CliAttempt *attempt,
			const Means *means, const BoxedCall *call, Listener *listener,
			CliEnd *end, gboolean *ret_timed_out, GError **error)
{
	g_autoptr(GPtrArray) mounts = all_mounts(ctx, &means->place);
	SpkBoxSink sink = { on_out, on_err, listener };
	g_auto(SpkBoxResult) ran = { 0 };
	g_autoptr(GError) problem = NULL;
	spk_autofd int input = prompt_file(attempt->prompt, error);
	SpkBoxRun run = call->run;
	gboolean ok;

	if (input < 0)
		return FALSE;
	run.mounts = mounts;
	run.timeout_ms = timeout_ms(ctx);
	run.max_out = KEPT_OUT;
	run.split = TRUE;
	run.stdin_fd = input;
	run.sink = &sink;
	spk_way_out_use(ctx->way, &run);
	ok = spk_box_run(ctx->box, &run, listener->cancel, &ran, &problem);
	if (ok) {
		spk_way_out_note(ctx->way, &ran);
		end->exit_code = ran.exit_code;
		end->blocked = g_steal_pointer(&ran.blocked);
		*ret_timed_out = ran.timed_out;
	} else if (!listener->stop || !spk_error_is(problem, SPK_ERR_CANCELLED)) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	cli_watch_end(listener->watch);
	return TRUE;
}

static gboolean run(const SpkToolCtx *ctx, const CliAttempt *attempt, const Means *means,
		    const SpkWayOutRoute *route, Listener *listener, CliEnd *end,
		    GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);
	g_auto(BoxedCall) call = { 0 };
	gboolean timed_out = FALSE;

	build(ctx, attempt->cli, means, route, listener->usd_max, argv, env);
	if (!boxed_prepare(ctx, (const char *const *)env->pdata, &call, error))
		return FALSE;
	call.run.argv = (const char *const *)argv->pdata;
	end->started_us = spk_now_us();
	if (!run_box(ctx, attempt, means, &call, listener, end, &timed_out, error))
		return FALSE;
	end->ended_us = spk_now_us();
	take_report(end, listener->watch);
	if (!take_changes(ctx, end, NULL, error))
		return FALSE;
	end->cause = cli_judge(end, cli_watch_report(listener->watch), listener->stop,
			       timed_out);
	if (end->cause == CLI_CAUSE_CANNOT_START &&
	    spk_box_tier(ctx->box) == SPK_TIER_DOCKER)
		blame_image(ctx, argv->pdata[0], end);
	return TRUE;
}

/* ---- who pays ---- */

static gboolean open_purse(const SpkToolCtx *ctx, const CliAttempt *attempt,
			   const CliEnd *end, Listener *listener, GError **error)
{
	const SpkToolBill bill = bill_of(attempt, end);

	return !ctx->purse ||
	       ctx->purse->open(&bill, attempt->cli->bounds_usd, &listener->tokens_max,
				&listener->usd_max, ctx->purse->user, error);
}

static gboolean close_purse(const SpkToolCtx *ctx, const CliAttempt *attempt,
			    const CliEnd *end, GError **error)
{
	const SpkToolBill bill = bill_of(attempt, end);
	g_autoptr(json_t) envelope = cli_envelope(ctx, attempt, end);

	return !ctx->purse || ctx->purse->close(&bill, envelope, ctx->purse->user, error);
}

/* It was cancelled, or the sandbox broke: what it has taken so far is no less taken. */
static void fail_purse(const SpkToolCtx *ctx, const CliAttempt *attempt, CliEnd *end,
		       const CliWatch *watch)
{
	SpkToolBill bill;

	take_usage(end, cli_watch_report(watch));
	bill = bill_of(attempt, end);
	if (ctx->purse)
		ctx->purse->fail(&bill, ctx->purse->user);
}

/* ---- the whole ---- */

static gboolean never_ran(CliEnd *end, CliCause cause, char *take_why)
{
	end->cause = cause;
	end->problem = take_why;
	end->started_us = end->ended_us = spk_now_us();
	return TRUE;
}

static gboolean go(const SpkToolCtx *ctx, const CliAttempt *attempt, const Means *means,
		   const SpkWayOutRoute *route, SpkCancel *cancel, CliEnd *end,
		   GError **error)
{
	g_autoptr(CliWatch) watch = cli_watch_new(attempt->cli->event);
	g_autoptr(SpkCancel) stop = spk_cancel_new(cancel);
	Listener listener = { .ctx = ctx,
			      .attempt = attempt,
			      .end = end,
			      .watch = watch,
			      .cancel = stop,
			      .failures_max = attempt->cli->failures_max };

	if (!open_purse(ctx, attempt, end, &listener, error))
		return FALSE;
	if (run(ctx, attempt, means, route, &listener, end, error))
		return close_purse(ctx, attempt, end, error);
	fail_purse(ctx, attempt, end, watch);
	return FALSE;
}

gboolean cli_attempt(const SpkToolCtx *ctx, const CliAttempt *attempt, SpkCancel *cancel,
		     CliEnd *ret_end, GError **error)
{
	g_auto(Means) means = { 0 };
	g_autoptr(SpkWayOutRoute) route = NULL;
	g_autoptr(GError) problem = NULL;
	char *why = NULL;
	CliCause cause;

	*ret_end = (CliEnd){ .exit_code = -1,
			     .usd = -1,
			     .timeout_secs = (timeout_ms(ctx) + 999) / 1000 };
	cause = get_means(ctx->conf, attempt->cli, attempt->model, ctx, &means, &why);
	if (cause != CLI_CAUSE_DONE)
		return never_ran(ret_end, cause, why);
	ret_end->provider = g_strdup(means.provider);
	ret_end->model = g_strdup(means.model);
	if (!ctx->way)
		return never_ran(ret_end, CLI_CAUSE_NO_WAY_OUT,
				 g_strdup("this run reaches nobody (a replay)"));
	route = open_route(ctx, attempt->cli, &means.to, &problem);
	if (!route && spk_error_is(problem, SPK_ERR_POLICY))
		return never_ran(ret_end, CLI_CAUSE_NO_WAY_OUT, words_of(problem));
	if (!route && spk_error_is(problem, SPK_ERR_BAD_INPUT))
		return never_ran(ret_end, CLI_CAUSE_NO_CREDENTIAL, words_of(problem));
	if (!route) {
		g_propagate_error(error, g_steal_pointer(&problem));
		return FALSE;
	}
	return go(ctx, attempt, &means, route, cancel, ret_end, error);
}
