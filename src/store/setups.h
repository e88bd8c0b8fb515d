/* What a repository's tasks begin with: a command that was given once and is remembered. */
#ifndef SPK_STORE_SETUPS_H
#define SPK_STORE_SETUPS_H

#include "store/store.h"

typedef struct {
	char *repo;    /* top folder, absolute */
	char *folder;  /* "" or the folder below it that the command runs in */
	char *command; /* for /bin/sh */
	json_t *allow; /* hosts that are open for it alone: array of strings */
	gint64 set_us; /* 0: now */
} SpkSetup;
void spk_setup_free(SpkSetup *setup);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkSetup, spk_setup_free)

/* All of them, by repository. */
GPtrArray *spk_setup_list(SpkStore *store, GError **error);
/* *ret_setup is NULL when none is remembered. */
gboolean spk_setup_find(SpkStore *store, const char *repo, SpkSetup **ret_setup,
			GError **error);
/* In the place of what was there. */
gboolean spk_setup_put(SpkStore *store, const SpkSetup *setup, GError **error);
/* *ret_was: there was one. */
gboolean spk_setup_drop(SpkStore *store, const char *repo, gboolean *ret_was,
			GError **error);

#endif
