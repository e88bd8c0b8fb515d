/*
 * Shared by the file lists of this room.
 */
#ifndef SPK_GUARD_GUARD_PRIV_H
#define SPK_GUARD_GUARD_PRIV_H

#include <glib.h>

/* One pattern, in the language of spk_guard_match() without "!". leaf: the match must end where
 * the path ends (patterns that end in "/" excepted), so that a file's pattern does not cover
 * a folder of that name. */
gboolean pattern_finds(const char *pattern, const char *path, gboolean leaf);

#endif
