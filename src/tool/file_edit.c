/*
 * file_edit: replaces one exact text by another. When that can't be done, the answer says what
 * stands in the way, with line numbers, so that the next try can be right.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

#define PLACES_MAX 10 /* line numbers that are listed */
#define EDITED_MAX (64u << 20)

/* "\n" as "\r\n". */
static char *with_crlf(const char *text)
{
	GString *out = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '\n')
			g_string_append_c(out, '\r');
		g_string_append_c(out, *text);
	}
	return g_string_free(out, FALSE);
}

/* Every line ends in CRLF, and there is one. */
static gboolean is_crlf(const char *data)
{
	const char *p = strchr(data, '\n');

	for (; p; p = strchr(p + 1, '\n'))
		if (p == data || p[-1] != '\r')
			return FALSE;
	return strchr(data, '\n') != NULL;
}

static gint64 line_of(const char *data, const char *at)
{
	gint64 line = 1;

	for (const char *p = data; (p = memchr(p, '\n', at - p)); p++)
		line++;
	return line;
}

/* Counts the places; the numbers of the first lines go to `lines`. */
static guint find_places(const char *data, const char *old, GString *lines)
{
	guint count = 0;

	for (const char *at = strstr(data, old); at; at = strstr(at + strlen(old), old))
		if (count++ < PLACES_MAX)
			g_string_append_printf(lines, "%s%" G_GINT64_FORMAT,
					       count > 1 ? ", " : "", line_of(data, at));
	return count;
}

static GString *replace_all(const char *data, const char *old, const char *new)
{
	GString *out = g_string_new(NULL);
	const char *from = data;

	for (const char *at; (at = strstr(from, old)); from = at + strlen(old)) {
		g_string_append_len(out, from, at - from);
		g_string_append(out, new);
		if (out->len > EDITED_MAX)
			break;
	}
	return g_string_append(out, from);
}

static void refuse_missing(const char *path, const char *data, const char *old,
			   SpkToolResult *result)
{
	g_autofree char *why = near_explain(data, old);
	gboolean crlf = strstr(data, "\r\n") != NULL;

	result_refuse(result, "old_string is not in %s. %s%s", path, why,
		      crlf && !is_crlf(data)
			      ? "Line ends are mixed, CRLF and LF; old_string must "
				"have the same.\n"
			      : "");
}

/* An argument with what placeholders stand for in it; NULL, with words, when one stands for
 * nothing here. */
static char *real_text(const SpkToolCtx *ctx, const json_t *args, const char *name,
		       const char *data, SpkToolResult *result)
{
	g_autofree char *left = NULL;
	g_autofree char *text = spk_redact_restore(NULL, ctx->vault, data,
						   spk_json_str(args, name), &left);

	if (!left)
		return g_steal_pointer(&text);
	result_refuse(result,
		      "%s in %s is not text but stands for a secret, " PLACEHOLDER_HELP,
		      left, name);
	return NULL;
}

/* The new content, or NULL with the reason in the result. */
static GString *edit(const SpkToolCtx *ctx, const json_t *args, const char *data,
		     SpkToolResult *result)
{
	const char *path = spk_json_str(args, "path");
	g_autofree char *old_string = real_text(ctx, args, "old_string", data, result);
	g_autofree char *new_string =
		old_string ? real_text(ctx, args, "new_string", data, result) : NULL;
	gboolean crlf = new_string && is_crlf(data) && !strstr(old_string, "\r\n");
	g_autofree char *old = crlf ? with_crlf(old_string) : g_strdup(old_string);
	g_autofree char *new = crlf ? with_crlf(new_string) : g_strdup(new_string);
	g_autoptr(GString) lines = g_string_new(NULL);
	guint count;

	if (!new_string)
		return NULL;
	count = find_places(data, old, lines);
	if (count == 0) {
		refuse_missing(path, data, old_string, result);
		return NULL;
	}
	if (count > 1 && !spk_json_bool(args, "replace_all", FALSE)) {
		result_refuse(
			result,
			"old_string is in %s %u times (lines %s%s). Add lines around "
			"it so that it is there once, or set replace_all",
			path, count, lines->str, count > PLACES_MAX ? ", …" : "");
		return NULL;
	}
	result_say(result, "edited %s: %u place%s, line%s %s%s%s", path, count,
		   count > 1 ? "s" : "", count > 1 ? "s" : "", lines->str,
		   count > PLACES_MAX ? ", …" : "", crlf ? " (line ends stay CRLF)" : "");
	result->meta = json_pack("{s:i}", "places", (int)count);
	return replace_all(data, old, new);
}

/* The text of the file; NULL with what is wrong. */
static char *load(const SpkToolCtx *ctx, const char *path, char **ret_real,
		  GError **ret_problem)
{
	g_autofree char *rel = path_resolve(ctx, path, ret_problem);
	g_autofree char *data = NULL;
	spk_autofd int fd = -1;
	struct stat st;
	gsize len;

	if (!rel)
		return NULL;
	fd = path_open_file(ctx, rel, ret_real, &st, ret_problem);
	if (fd < 0)
		return NULL;
	data = spk_fs_read_fd(fd, path, TOOL_FILE_MAX, &len, ret_problem);
	if (!data || strlen(data) == len)
		return g_steal_pointer(&data);
	spk_error_set(ret_problem, SPK_ERR_BAD_INPUT,
		      "change it with a program in the shell tool", "%s is a binary file",
		      path);
	return NULL;
}

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	const char *old_string = spk_json_str(args, "old_string");
	g_autofree char *real = NULL, *data = NULL;
	g_autoptr(GString) edited = NULL;
	GError *problem = NULL;
	gboolean created;

	if (!*old_string) {
		result_refuse(ret_result,
			      "old_string is empty; file_write makes new files");
		return TRUE;
	}
	if (!strcmp(old_string, spk_json_str(args, "new_string"))) {
		result_refuse(ret_result, "old_string and new_string are the same");
		return TRUE;
	}
	data = load(ctx, spk_json_str(args, "path"), &real, &problem);
	if (!data)
		return result_fail(ret_result, problem, error);
	edited = edit(ctx, args, data, ret_result);
	if (!edited)
		return TRUE;
	if (edited->len > EDITED_MAX) {
		result_refuse(ret_result, "the file would grow past %u bytes",
			      EDITED_MAX);
		return TRUE;
	}
	return path_write(ctx, real, edited->str, edited->len, &created, &problem) ||
	       result_fail(ret_result, problem, error);
}

const SpkTool tool_file_edit = {
	.name = "file_edit",
	.sentence =
		"Replaces old_string by new_string in a file. old_string must be in the file "
		"exactly, white space included and without line numbers, and only once "
		"unless replace_all is set.",
	.args =
		(const SpkToolArg[]){
			{ "path", SPK_ARG_STRING, TRUE, 0, 4095,
			  "relative to the folder you work in, or absolute inside the work tree" },
			{ "old_string", SPK_ARG_STRING, TRUE, 0, 0,
			  "the text to replace, with enough lines around it to be unique" },
			{ "new_string", SPK_ARG_STRING, TRUE, 0, 0,
			  "the text to put in its place" },
			{ "replace_all", SPK_ARG_BOOL, FALSE, 0, 0,
			  "replace every occurrence" },
			{ NULL },
		},
	.effect = SPK_EFFECT_IDEMPOTENT,
	.writes = TRUE,
	.does = SPK_DOES(EDIT),
	.deed = SPK_DEED_PATH,
	.subject = "path",
	.run = run,
};
