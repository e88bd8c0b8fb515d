/* The files that a play's header describes, written to a folder. */
#ifndef SPK_CMD_PLAYREPO_H
#define SPK_CMD_PLAYREPO_H

#include <glib.h>
#include <jansson.h>

/* `repo` is {"files":{NAME: TEXT | {"text"|"base64"|"link", "mode"}}, "git":BOOL}; mode is
 * octal digits, as text or number ("755", 755). `folder` is made; with git (default TRUE) all is committed. */
gboolean spk_playrepo_write(const json_t *repo, const char *folder, GError **error);

#endif
