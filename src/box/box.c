/* Which backend, and whether it is strong enough; the work is the backend's. */
#include "box/box.h"

#include <string.h>

#include "base/error.h"
#include "box/box_impl.h"
#include "box/box_priv.h"
#include "box/credentials.h"

struct SpkBox {
	const SpkBoxBackend *backend;
	gboolean tells; /* calls that are refused */
	gpointer self;
	SpkBoxReach reach;
};

static const SpkBoxBackend *const backends[] = { &spk_box_native, &spk_box_docker };

static SpkTier tier_of(const char *name)
{
	SpkTier tier = SPK_TIER_NONE;

	while (strcmp(spk_tier_name(tier), name) != 0)
		tier++; /* conf has checked it; the name of none asserts */
	return tier;
}

/* ---- opening ---- */

static gboolean refuse(SpkErr code, const char *hint, GError **error, const char *what,
		       const char *why)
{
	spk_error_set(error, code, hint, "%s: %s", what, why);
	return FALSE;
}

static gboolean check_tier(const SpkBoxReach *reach, SpkConf *conf, GError **error)
{
	SpkTier required = tier_of(spk_conf_str(conf, "box.require_tier"));
	g_autofree char *what = NULL;

	if (reach->tier == SPK_TIER_NONE)
		return refuse(SPK_ERR_BOX_TIER, reach->remedy, error,
			      "no sandbox can be built here", reach->why);
	if (reach->tier >= required)
		return TRUE;
	what = g_strdup_printf(
		"[box] require_tier is %s, but here the sandbox reaches %s",
		spk_tier_name(required), spk_tier_name(reach->tier));
	return refuse(SPK_ERR_BOX_TIER,
		      reach->why ? reach->remedy : "lower [box] require_tier", error,
		      what, reach->why ? reach->why : "it has none stronger");
}

/* An engine is there, but of no use. */
static void add_why(SpkBoxReach *reach, const char *message)
{
	char *more = g_strdup_printf("%s; %s", reach->describe, message);

	g_free(reach->describe);
	reach->describe = more;
}

static gboolean open_backend(SpkBox *box, const SpkBoxBackend *backend, SpkConf *conf,
			     GError **error)
{
	box->self = backend->open(conf, &box->reach, error);
	box->backend = box->self ? backend : NULL;
	return box->self != NULL;
}

/* The native one where it reaches native, else a container engine where one answers. */
static gboolean open_strongest(SpkBox *box, SpkConf *conf, GError **error)
{
	gboolean weaker_chosen = strcmp(spk_conf_str(conf, "box.tier"), "landlock") == 0;
	g_auto(SpkBoxReach) reach = { 0 };
	g_autoptr(GError) why_native = NULL, why_docker = NULL;
	gpointer native = spk_box_native.open(conf, &reach, &why_native);

	if (weaker_chosen || (native && reach.tier >= SPK_TIER_NATIVE) ||
	    !open_backend(box, &spk_box_docker, conf, &why_docker)) {
		box->backend = &spk_box_native;
		box->self = native;
		box->reach = reach;
		reach = (SpkBoxReach){ 0 };
		if (!native)
			g_propagate_error(error, g_steal_pointer(&why_native));
		else if (why_docker && !spk_error_is(why_docker, SPK_ERR_ENGINE))
			add_why(&box->reach, why_docker->message);
		return native != NULL;
	}
	if (native)
		spk_box_native.free(native);
	return TRUE;
}

static gboolean open_chosen(SpkBox *box, SpkConf *conf, GError **error)
{
	const char *name = spk_conf_str(conf, "box.backend");

	for (gsize i = 0; i < G_N_ELEMENTS(backends); i++)
		if (strcmp(backends[i]->name, name) == 0)
			return open_backend(box, backends[i], conf, error);
	return open_strongest(box, conf, error);
}

SpkBox *spk_box_open(SpkConf *conf, GError **error)
{
	g_autoptr(SpkBox) box = g_new0(SpkBox, 1);
	/* also when no host is allowed: a row may hold a key where only its name belongs */
	g_autoptr(GPtrArray) credentials = spk_credentials(conf, error);

	if (!credentials)
		return NULL;
	box->tells = spk_conf_bool(conf, "box.count_refused");
	if (!open_chosen(box, conf, error) || !check_tier(&box->reach, conf, error))
		return NULL;
	return g_steal_pointer(&box);
}

void spk_box_free(SpkBox *box)
{
	if (!box)
		return;
	if (box->self)
		box->backend->free(box->self);
	spk_box_reach_clear(&box->reach);
	g_free(box);
}

SpkTier spk_box_tier(SpkBox *box)
{
	return box->reach.tier;
}

const char *spk_box_remedy(SpkBox *box)
{
	return box->reach.why ? box->reach.remedy : NULL;
}

const char *spk_box_describe(SpkBox *box)
{
	return box->reach.describe;
}

json_t *spk_box_controls(SpkBox *box)
{
	return json_deep_copy(box->reach.controls);
}

/* ---- running ---- */

gboolean spk_box_lends(SpkBox *box)
{
	return spk_box_tier(box) >= SPK_TIER_DOCKER;
}

const SpkToolchains *spk_box_tools(SpkBox *box)
{
	return box->backend->tools ? box->backend->tools(box->self) : NULL;
}

gboolean spk_box_has_way_out(SpkBox *box)
{
	return box->backend->has_way_out && box->backend->has_way_out(box->self);
}

static gboolean check_way_out(SpkBox *box, const SpkBoxRun *run, GError **error)
{
	if (!run->way_out || spk_box_has_way_out(box))
		return TRUE;
	spk_error_set(
		error, SPK_ERR_POLICY,
		"leave the hosts out, or see `sparks doctor` for a stronger sandbox",
		"hosts are allowed, but the sandbox here (%s) has no way out to them",
		spk_tier_name(spk_box_tier(box)));
	return FALSE;
}

gboolean spk_box_run(SpkBox *box, const SpkBoxRun *run, SpkCancel *cancel,
		     SpkBoxResult *ret_result, GError **error)
{
	if (!spk_box_plan_check(run, error) || !check_way_out(box, run, error) ||
	    !box->backend->run(box->self, run, cancel, ret_result, error))
		return FALSE;
	if (!box->tells && !ret_result->untold)
		ret_result->untold = g_strdup("[box] count_refused is off");
	return TRUE;
}

void spk_box_leave(SpkBox *box, const char *work)
{
	if (box->backend->leave)
		box->backend->leave(box->self, work);
}

guint spk_box_end_stale(SpkBox *box, const char *work)
{
	guint n = box->backend->end_stale(box->self, work);

	/* whoever held the task may have had another configuration */
	if (box->backend != &spk_box_native)
		n += spk_box_end_processes(work);
	return n;
}
