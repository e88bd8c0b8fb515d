/*
 * What a path could be taken for.
 */
#ifndef SPK_GUARD_PATH_PRIV_H
#define SPK_GUARD_PATH_PRIV_H

#include <glib.h>

/* "a/b" of "./a//x/../b"; an absolute path keeps its "/". NULL: ".." climbs over the top. */
char *path_normal(const char *path);
/* The path as somebody else may read it, for comparing only: percent signs decoded, backslashes
 * as slashes, compatibility forms, marks and invisible characters gone, letters that look like
 * Latin ones as these, lower case; blanks, dots and streams at the end of names cut off; short
 * names of Windows spelled out where they stand for .git. `path` is valid UTF-8. */
char *path_skeleton(const char *path);
/* TRUE when the skeleton of the path may differ from it in more than case. */
gboolean path_is_odd(const char *path);
/* The first character that can't be seen and joins nothing; 0: there is none. */
gunichar path_invisible(const char *path);

#endif
