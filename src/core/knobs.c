/* Knobs: set by anybody on this store, in force for whoever runs tasks on it. */
#include "conf/knob.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "core/core_priv.h"
#include "core/knobs.h"
#include "store/knobs.h"

SpkConf *knobs_over(SpkConf *base, SpkStore *store, GError **error)
{
	g_autoptr(GPtrArray) rows = spk_knob_rows(store, error);
	g_autoptr(GHashTable) values = NULL;

	if (!rows)
		return NULL;
	values = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < rows->len; i++) {
		SpkKnobRow *row = rows->pdata[i];

		g_hash_table_insert(values, row->name, row->value);
	}
	return spk_conf_with_knobs(base, values);
}

SpkConf *spk_core_peek(SpkConf *conf)
{
	g_autoptr(SpkStore)
		store = spk_store_open(spk_conf_store_path(conf), "normal",
				       SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST, NULL);
	SpkConf *with = store ? knobs_over(conf, store, NULL) : NULL;

	return with ? with : spk_conf_ref(conf);
}

/* The command line of the daemon is the one thing that a knob doesn't change. */
static gboolean is_fixed(SpkCore *core, const char *holder, const SpkKnob *knob,
			 GError **error)
{
	if (!holder || !core_daemon_fixed(core, holder, knob->option))
		return FALSE;
	spk_error_set(error, SPK_ERR_CONFLICT, "start the daemon without it",
		      "the daemon was given %s on its command line, which stays in force",
		      knob->option);
	return TRUE;
}

gboolean spk_core_knob_set(SpkCore *core, const char *name, const char *value,
			   gboolean keep, GError **error)
{
	const SpkKnob *knob = spk_knob_find(name, error);
	g_autoptr(GError) broken = NULL;
	g_autofree char *holder = NULL;

	if (!knob || !spk_knob_check(knob, value, error))
		return FALSE;
	holder = spk_worker_find(spk_core_store(core), &broken);
	if (broken) {
		g_propagate_error(error, g_steal_pointer(&broken));
		return FALSE;
	}
	if (!holder && !keep) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "--keep lets it hold for all tasks from now on; else start "
			      "the daemon first: sparks up",
			      "no daemon runs here that %s could be set for", name);
		return FALSE;
	}
	if (is_fixed(core, holder, knob, error) ||
	    !spk_knob_put(spk_core_store(core), name, value, keep ? NULL : holder, error))
		return FALSE;
	wake_others(spk_core_home(core));
	return TRUE;
}

gboolean spk_core_knob_reset(SpkCore *core, const char *name, gboolean *ret_was,
			     GError **error)
{
	if (!spk_knob_find(name, error) ||
	    !spk_knob_drop(spk_core_store(core), name, ret_was, error))
		return FALSE;
	wake_others(spk_core_home(core));
	return TRUE;
}
