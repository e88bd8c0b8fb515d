/* Files of which a prompt is made, found and read. */
#ifndef SPK_AGENT_PROMPT_FILE_H
#define SPK_AGENT_PROMPT_FILE_H

#include <glib.h>

#define SPK_PROMPT_MAX (128u << 10) /* bytes of one */

/*
 * Adds the text of a file (at most 32 KiB of UTF-8) to `prompt`, and gives its path. A relative
 * name is in `folder`, and a bare one else in ~/.sparks/SHELF ("souls", "skills"). Without a
 * folder the name came with the current one: then only files of ~/.sparks/souls and
 * ~/.sparks/skills are read. NULL: *ret_why and *ret_hint say why, in words that go on after the name of the key.
 */
char *spk_prompt_add(GString *prompt, const char *folder, const char *shelf,
		     const char *name, char **ret_why, const char **ret_hint);

#endif
