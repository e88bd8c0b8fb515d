#include "tool/tool_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"

void spk_tool_result_clear(SpkToolResult *result)
{
	g_clear_pointer(&result->text, g_free);
	g_clear_pointer(&result->meta, json_decref);
	result->ok = result->finished = FALSE;
	result->brings = SPK_TAINT_OPERATOR;
}

static void set_text(SpkToolResult *result, gboolean ok, const char *format, va_list args)
{
	g_free(result->text);
	result->text = g_strdup_vprintf(format, args);
	result->ok = ok;
}

void result_say(SpkToolResult *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_text(result, TRUE, format, args);
	va_end(args);
}

void result_refuse(SpkToolResult *result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_text(result, FALSE, format, args);
	va_end(args);
}

gboolean result_fail(SpkToolResult *result, GError *take_problem, GError **error)
{
	const char *hint = spk_error_hint(take_problem);

	switch (spk_error_code(take_problem)) {
	case SPK_ERR_POLICY:
	case SPK_ERR_NOT_FOUND:
	case SPK_ERR_BAD_INPUT:
	case SPK_ERR_LIMIT:
	case SPK_ERR_IO:
	case SPK_ERR_GIT:
	case SPK_ERR_TIMEOUT:
		result_refuse(result, "%s%s%s", take_problem->message, hint ? "; " : "",
			      hint ? hint : "");
		g_error_free(take_problem);
		return TRUE;
	default:
		g_propagate_error(error, take_problem);
		return FALSE;
	}
}

gsize result_cap(const SpkToolCtx *ctx)
{
	return spk_conf_int(ctx->conf, "task.output_chars");
}

gboolean result_bound(const SpkToolCtx *ctx, SpkToolResult *result, GError **error)
{
	g_autofree char *readable = spk_text_clean(result->text, -1, SPK_CLEAN_TEXT);
	g_autofree char *clean = spk_redact_text_into(NULL, ctx->vault, readable);
	gsize cap = result_cap(ctx), len = strlen(clean);
	g_autofree char *path = NULL, *clipped = NULL;
	gint64 step;

	g_clear_pointer(&result->text, g_free);
	if (len <= cap) {
		result->text = g_steal_pointer(&clean);
		return TRUE;
	}
	path = spill_path(ctx, error);
	if (!path || !spk_fs_write_atomic(path, clean, len, 0600, error))
		return FALSE;
	step = spill_settle(ctx);
	clipped = spk_text_clip_middle(clean, len, cap);
	result->text = g_strdup_printf("%s\n[all %" G_GSIZE_FORMAT
				       " bytes: file_read with path "
				       "\"spill:%" G_GINT64_FORMAT "\"]",
				       clipped, len, step);
	if (!result->meta)
		result->meta = json_object();
	spk_json_set(result->meta, "spill", json_integer(step));
	return TRUE;
}
