/*
 * Files that a sensitive one is known by under another name: hard links, and what a symlink of
 * a sensitive name leads to. Names are looked at, no file is opened. One thread at a time.
 */
#ifndef SPK_GUARD_LINKS_H
#define SPK_GUARD_LINKS_H

#include <glib.h>
#include <sys/stat.h>

typedef struct SpkLinks SpkLinks;

/* `sensitive`: patterns of spk_guard_match(), borrowed. */
SpkLinks *spk_links_new(const char *const *sensitive);
void spk_links_free(SpkLinks *links);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkLinks, spk_links_free)

/* The entry `name` of the folder `dir`, known as `path`, if that is a sensitive name. */
void spk_links_add(SpkLinks *links, int dir, const char *name, const char *path);
/* All below the folder `top`; .git is left out. */
void spk_links_walk(SpkLinks *links, int top);
/* Those of the user's home that programs keep their keys in. */
void spk_links_walk_home(SpkLinks *links, const char *home);
/* FALSE: no file has another name. */
gboolean spk_links_any(const SpkLinks *links);
/* What the file is elsewhere: the path of a sensitive one, borrowed; NULL: nothing. A file with
 * more than one name is not vouched for where there was too much to look through. */
const char *spk_links_find(const SpkLinks *links, const struct stat *st);

#endif
