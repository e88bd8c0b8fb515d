/*
 * Shared by the lists of files, paths and URLs of this room.
 */
#ifndef SPK_GUARD_GUARD_PRIV_H
#define SPK_GUARD_GUARD_PRIV_H

#include <glib.h>

/* Whether the pattern matches the whole text: "*" and "?" match no "/", "[a-z]" and "[!a-z]" one
 * byte, a backslash takes what follows as it is; case of ASCII is ignored. */
gboolean glob_matches(const char *pattern, const char *text);
/* One pattern, in the language of spk_guard_match() without "!". leaf: the match must end where
 * the path ends (patterns that end in "/" excepted), so that a file's pattern does not cover
 * a folder of that name. */
gboolean pattern_finds(const char *pattern, const char *path, gboolean leaf);

/* "%2e" becomes ".", in place; "%00" stays. TRUE: there was one. */
gboolean guard_decode_percent(char *text);

#endif
