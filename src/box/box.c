/* Which backend, and whether it is strong enough; the work is the backend's. */
#include "box/box.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "box/box_impl.h"
#include "box/box_priv.h"

struct SpkBox {
	const SpkBoxBackend *backend;
	gboolean tells; /* calls that are refused */
	gpointer self;
	SpkBoxReach reach;
};

static const SpkBoxBackend *const backends[] = { &spk_box_native, &spk_box_docker };

static const char *const tier_names[] = {
	[SPK_TIER_NONE] = "none",
	[SPK_TIER_LANDLOCK] = "landlock",
	[SPK_TIER_DOCKER] = "docker",
	[SPK_TIER_NATIVE] = "native",
	[SPK_TIER_NATIVE_FULL] = "native-full",
};

static void mount_free(SpkBoxMount *mount)
{
	g_free(mount->from);
	g_free(mount->to);
	g_free(mount);
}

SpkBoxMount *spk_box_mount_new(const char *from, const char *to, gboolean read_only)
{
	SpkBoxMount *mount = g_new0(SpkBoxMount, 1);

	*mount = (SpkBoxMount){ g_strdup(from), g_strdup(to), read_only };
	return mount;
}

GPtrArray *spk_box_mounts_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)mount_free);
}

const char *spk_tier_name(SpkTier tier)
{
	g_assert((gsize)tier < G_N_ELEMENTS(tier_names));
	return tier_names[tier];
}

static SpkTier tier_of(const char *name)
{
	gsize tier = 0;

	while (strcmp(tier_names[tier], name) != 0)
		g_assert(++tier < G_N_ELEMENTS(tier_names)); /* conf has checked it */
	return (SpkTier)tier;
}

void spk_box_reach_clear(SpkBoxReach *reach)
{
	g_free(reach->describe);
	g_free(reach->why);
	json_decref(reach->controls);
	*reach = (SpkBoxReach){ 0 };
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

void spk_box_result_clear(SpkBoxResult *result)
{
	if (result->out)
		g_string_free(result->out, TRUE);
	if (result->err)
		g_string_free(result->err, TRUE);
	g_free(result->out_sha256);
	json_decref(result->blocked);
	json_decref(result->refused);
	g_free(result->untold);
	*result = (SpkBoxResult){ 0 };
}

void spk_box_result_tell(const SpkBoxResult *result, json_t *object)
{
	if (result->blocked)
		spk_json_set(object, "blocked", json_deep_copy(result->blocked));
	if (result->refused)
		spk_json_set(object, "refused", json_deep_copy(result->refused));
	if (result->untold)
		spk_json_set(object, "untold", spk_json_text(result->untold));
}

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
