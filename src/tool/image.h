/*
 * Images, which no model sees in this version: so that whoever names one is told, instead of
 * getting an answer that was guessed.
 */
#ifndef SPK_TOOL_IMAGE_H
#define SPK_TOOL_IMAGE_H

#include <glib.h>

#define SPK_IMAGE_NOT_SHOWN "images are not shown to models in this version"

/* "PNG", "JPEG", ... by the first bytes; NULL for what is none of them. */
const char *spk_image_kind(const char *data, gsize len);
/* The first word of a text that names an image file there is, relative to `folder` or
 * absolute; NULL: none. */
char *spk_image_named(const char *text, const char *folder);

#endif
