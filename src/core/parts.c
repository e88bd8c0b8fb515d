/* What a core has: its store, its home, its configuration as it is now, its sandbox. */
#include "core/core_priv.h"

SpkStore *spk_core_store(SpkCore *core)
{
	return core->store;
}

SpkConf *core_ref_conf(SpkCore *core, SpkConf **which)
{
	g_autoptr(GMutexLocker)
		locker G_GNUC_UNUSED = g_mutex_locker_new(&core->conf_lock);

	return spk_conf_ref(*which);
}

SpkConf *core_swap_conf(SpkCore *core, SpkConf **which, SpkConf *take_conf)
{
	g_autoptr(GMutexLocker)
		locker G_GNUC_UNUSED = g_mutex_locker_new(&core->conf_lock);
	SpkConf *old = *which;

	*which = take_conf;
	return old;
}

SpkConf *spk_core_conf(SpkCore *core)
{
	return core_ref_conf(core, &core->conf);
}

const char *spk_core_home(SpkCore *core)
{
	return core->home;
}

SpkBox *core_box(SpkCore *core, GError **error)
{
	g_autoptr(SpkConf) base = core_ref_conf(core, &core->base);
	SpkBox *box;

	g_mutex_lock(&core->box_lock);
	if (!core->box)
		core->box = spk_box_open(base, error); /* no knob of its own */
	box = core->box;
	g_mutex_unlock(&core->box_lock);
	return box;
}
