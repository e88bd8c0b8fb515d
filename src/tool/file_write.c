/*
 * file_write: a whole file, in one step.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"

static gint64 count_lines(const char *text, gsize len)
{
	gint64 lines = len > 0 && text[len - 1] != '\n';

	for (gsize i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

/* The content with what placeholders stand for in the file that is there, or in this task. */
static char *real_content(const SpkToolCtx *ctx, const char *rel, const json_t *args,
			  char **ret_left)
{
	g_autofree char *real = NULL, *there = NULL;
	struct stat st;
	spk_autofd int fd = path_open_file(ctx, rel, &real, &st, NULL);
	gsize len;

	if (fd >= 0 && st.st_size <= TOOL_FILE_MAX)
		there = spk_fs_read_fd(fd, rel, TOOL_FILE_MAX, &len, NULL);
	return spk_redact_restore(NULL, ctx->vault, there, spk_json_str(args, "content"),
				  ret_left);
}

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	const char *path = spk_json_str(args, "path");
	GError *problem = NULL;
	g_autofree char *rel = path_resolve(ctx, path, &problem);
	g_autofree char *left = NULL;
	g_autofree char *content = rel ? real_content(ctx, rel, args, &left) : NULL;
	gsize len = content ? strlen(content) : 0;
	gboolean created = FALSE;

	if (left) {
		result_refuse(ret_result,
			      "%s is not text but stands for a secret, " PLACEHOLDER_HELP,
			      left);
		return TRUE;
	}
	if (!rel || !path_write(ctx, rel, content, len, &created, &problem))
		return result_fail(ret_result, problem, error);
	result_say(ret_result,
		   "%s %s: %" G_GINT64_FORMAT " lines, %" G_GSIZE_FORMAT " bytes",
		   created ? "created" : "replaced", path, count_lines(content, len),
		   len);
	ret_result->meta =
		json_pack("{s:I, s:b}", "bytes", (json_int_t)len, "created", created);
	return TRUE;
}

const SpkTool tool_file_write = {
	.name = "file_write",
	.sentence =
		"Writes a whole file; what was in it is replaced, missing folders are made. "
		"To change part of a file use file_edit.",
	.args =
		(const SpkToolArg[]){
			{ "path", SPK_ARG_STRING, TRUE, 0, 4095,
			  "relative to the folder you work in, or absolute inside the work tree" },
			{ "content", SPK_ARG_STRING, TRUE, 0, 8 << 20,
			  "all of the new file" },
			{ NULL },
		},
	.effect = SPK_EFFECT_IDEMPOTENT,
	.writes = TRUE,
	.does = SPK_DOES(EDIT),
	.deed = SPK_DEED_PATH,
	.subject = "path",
	.run = run,
};
