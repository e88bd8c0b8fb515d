/*
 * Spill files: what was too long for the model, one file a step, paged by file_read as
 * "spill:STEP".
 */
#include "tool/tool_priv.h"

#include <string.h>

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

char *spill_lookup(const SpkToolCtx *ctx, const char *name)
{
	gint64 step;

	if (!g_str_has_prefix(name, "spill:") ||
	    !spk_text_to_int(name + strlen("spill:"), 0, G_MAXINT64, &step))
		return NULL;
	return file_of_step(ctx, step);
}
