/* The emergency stop: one row that is there or not. While it is, no task is taken up. */
#ifndef SPK_STORE_HALT_H
#define SPK_STORE_HALT_H

#include "store/store.h"

typedef struct {
	char *by;
	char *note; /* NULL */
	gint64 set_us;
} SpkHalt;
void spk_halt_free(SpkHalt *halt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkHalt, spk_halt_free)

/* *ret is NULL when nothing is stopped. One cheap query. */
gboolean spk_halt_find(SpkStore *store, SpkHalt **ret, GError **error);
/* *ret_was (may be NULL): it was on already, and stays as it was. */
gboolean spk_halt_set(SpkStore *store, const char *by, const char *note,
		      gboolean *ret_was, GError **error);
gboolean spk_halt_lift(SpkStore *store, gboolean *ret_was, GError **error);
/* FALSE and POLICY, saying since when, by whom and how to lift it, while it is on. */
gboolean spk_halt_check(SpkStore *store, GError **error);

#endif
