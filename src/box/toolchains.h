/*
 * What of the user's HOME commands in the box get to build with: toolchains (rustup, pyenv, nvm
 * and their like), read-only at the path they have outside, and caches of packages, read-only
 * below a layer of the task's own. Which folders that are is one table; what is in none of its
 * rows, such as a file with tokens beside them, is not there.
 */
#ifndef SPK_BOX_TOOLCHAINS_H
#define SPK_BOX_TOOLCHAINS_H

#include <glib.h>

typedef struct {
	char *from, *to; /* of the host, in the box; both absolute */
} SpkShown;

typedef struct {
	const char *name;  /* of the layers' folder; static */
	const char *signs; /* as of the table; static */
	char *from;	 /* folder of the host; NULL: there is none, or it is not shown */
	char *to;	 /* in the box */
	char *masked;	 /* path in the box that is not to be seen; NULL: none */
	gboolean folder; /* `masked` is one */
	gboolean by_link; /* of use where it can only be read, too */
} SpkCache;

typedef struct {
	GPtrArray *shown;  /* SpkShown */
	GPtrArray *caches; /* SpkCache */
	char **masked;	   /* files in what is shown that are not to be seen */
	char **env;	   /* "K=V" */
	char *path;	   /* PATH of the box; NULL: the image's */
} SpkToolchains;

/* `env` as of g_get_environ(): variables that say where something is, and PATH, whose folders
 * below what is shown, /usr and /opt go before the system's. `state` is our own folder, which is
 * no part of anything that is shown. `can_mask`: else what has files to be masked is left out.
 * NULL `home`: nothing but PATH. */
SpkToolchains *spk_toolchains_find(const char *home, char **env, const char *state,
				   gboolean can_mask);
/* For containers, whose programs are the image's: the caches that the user has, and no more. */
SpkToolchains *spk_toolchains_caches(const char *home, char **env, const char *state);
void spk_toolchains_free(SpkToolchains *tools);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkToolchains, spk_toolchains_free)

/* A bit for each of `caches` that a project in the folder uses, by its manifests and lock files, down
 * to three folders below it. All of them where the folder has more than is looked at. */
guint64 spk_caches_of(const SpkToolchains *tools, const char *folder);

#endif
