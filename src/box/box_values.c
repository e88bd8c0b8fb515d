/* The values that go in and out of a box: mounts, tiers, what it reaches, results. */
#include "base/json.h"
#include "box/box_impl.h"

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

void spk_box_reach_clear(SpkBoxReach *reach)
{
	g_free(reach->describe);
	g_free(reach->why);
	json_decref(reach->controls);
	*reach = (SpkBoxReach){ 0 };
}

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
