/*
 * Spill files: what was too long for the model, one file a step, paged by file_read as
 * "spill:STEP".
 */
#include "tool/tool_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/text.h"

static char *file_of_step(const SpkToolCtx *ctx, gint64 step)
{
	return g_strdup_printf("%s/%" G_GINT64_FORMAT ".txt", ctx->spill_dir, step);
}

char *spill_path(const SpkToolCtx *ctx, GError **error)
{
	if (!spk_fs_mkdirs(ctx->spill_dir, 0700, error))
		return NULL;
	return file_of_step(ctx, ctx->step);
}

static GMappedFile *map_if_size(const char *path, gsize size)
{
	GMappedFile *map = g_mapped_file_new(path, FALSE, NULL);

	if (map && g_mapped_file_get_length(map) != size)
		g_clear_pointer(&map, g_mapped_file_unref);
	return map;
}

/* Step of another spill file with this content, or -1. */
static gint64 find_equal(const SpkToolCtx *ctx, const char *data, gsize size)
{
	g_autoptr(GDir) dir = g_dir_open(ctx->spill_dir, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *number = g_strndup(name, strcspn(name, "."));
		g_autofree char *path = g_build_filename(ctx->spill_dir, name, NULL);
		g_autoptr(GMappedFile) map = NULL;
		gint64 step;

		if (!spk_text_to_int(number, 0, G_MAXINT64, &step) || step == ctx->step)
			continue;
		map = map_if_size(path, size);
		if (map && !memcmp(g_mapped_file_get_contents(map), data, size))
			return step;
	}
	return -1;
}

gint64 spill_settle(const SpkToolCtx *ctx)
{
	g_autofree char *path = file_of_step(ctx, ctx->step);
	g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, NULL);
	gint64 step = -1;

	if (map && g_mapped_file_get_length(map) > 0)
		step = find_equal(ctx, g_mapped_file_get_contents(map),
				  g_mapped_file_get_length(map));
	if (step < 0)
		return ctx->step;
	(void)unlink(path); /* at worst it stays, unnamed */
	return step;
}

char *spill_lookup(const SpkToolCtx *ctx, const char *name)
{
	gint64 step;

	if (!g_str_has_prefix(name, "spill:") ||
	    !spk_text_to_int(name + strlen("spill:"), 0, G_MAXINT64, &step))
		return NULL;
	return file_of_step(ctx, step);
}
