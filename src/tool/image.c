#include "tool/image.h"

#include <string.h>

#define MAX_WORDS 10000

static const struct {
	const char *name;
	gsize at, len;
	const char *bytes;
} kinds[] = {
	{ "PNG", 0, 8, "\x89PNG\r\n\x1a\n" },
	{ "JPEG", 0, 3, "\xff\xd8\xff" },
	{ "GIF", 0, 5, "GIF87" },
	{ "GIF", 0, 5, "GIF89" },
	{ "WebP", 8, 4, "WEBP" },
	{ "AVIF", 4, 8, "ftypavif" },
	{ "HEIC", 4, 8, "ftypheic" },
	{ "TIFF", 0, 4, "II*\0" },
	{ "TIFF", 0, 4, "MM\0*" },
};

static const char *const ends[] = { ".png", ".jpg",  ".jpeg", ".gif", ".webp",
				    ".bmp", ".tiff", ".avif", ".heic" };

const char *spk_image_kind(const char *data, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (len >= kinds[i].at + kinds[i].len &&
		    memcmp(data + kinds[i].at, kinds[i].bytes, kinds[i].len) == 0)
			return kinds[i].name;
	return NULL;
}

static gboolean has_end(const char *word)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		gsize len = strlen(word), end = strlen(ends[i]);

		if (len > end && g_ascii_strcasecmp(word + len - end, ends[i]) == 0)
			return TRUE;
	}
	return FALSE;
}

char *spk_image_named(const char *text, const char *folder)
{
	g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n,;:!?\"'`()[]{}<>", MAX_WORDS);

	for (char **word = words; *word; word++) {
		gsize len = strlen(*word);
		g_autofree char *path = NULL;

		if (len && (*word)[len - 1] == '.')
			(*word)[len - 1] = '\0';
		if (!has_end(*word))
			continue;
		path = g_canonicalize_filename(*word, folder);
		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_strdup(*word);
	}
	return NULL;
}
