/*
 * file_list: which files there are, deeper folders summed up.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define LIST_SECONDS  20
#define DEFAULT_DEPTH 3
#define NOTE_ROOM     200

/* As path_show(), quoted with escapes when the name would not read as it is. */
static char *shown_name(const SpkToolCtx *ctx, const char *path)
{
	g_autofree char *shown = path_show(ctx, path);
	g_autofree char *clean = spk_text_clean(shown, -1, SPK_CLEAN_LINE);
	g_autofree char *escaped = NULL;

	if (!strcmp(shown, clean))
		return g_steal_pointer(&shown);
	escaped = g_strescape(shown, NULL);
	return g_strdup_printf("\"%s\"", escaped);
}

/* Length of the folder at `depth` components below `start`, or 0 when the path is not deeper. */
static gsize folder_len(const char *path, gsize start, gint64 depth)
{
	for (const char *p = path + start; (p = strchr(p, '/')); p++)
		if (--depth == 0)
			return p - path;
	return 0;
}

/* One line for paths[i], or for its folder and all files there; returns how many it covers. */
static guint append_entry(const SpkToolCtx *ctx, const GPtrArray *paths, guint i,
			  gsize start, gint64 depth, GString *out)
{
	const char *path = paths->pdata[i];
	gsize len = folder_len(path, start, depth);
	g_autofree char *folder = NULL, *shown = NULL;
	guint n = 1;

	if (!len) {
		shown = shown_name(ctx, path);
		g_string_append_printf(out, "%s%s\n", shown,
				       path_is_secret(ctx, path)
					       ? " [may hold secrets: off limits]"
					       : "");
		return 1;
	}
	while (i + n < paths->len && !strncmp(paths->pdata[i + n], path, len + 1))
		n++;
	folder = g_strndup(path, len);
	shown = shown_name(ctx, folder);
	g_string_append_printf(out, "%s/ (%u file%s)\n", shown, n, n == 1 ? "" : "s");
	return n;
}

static void show(const SpkToolCtx *ctx, const GPtrArray *paths, gsize start, gint64 depth,
		 SpkToolResult *result)
{
	g_autoptr(GString) out = g_string_new(NULL);
	gsize cap = result_cap(ctx);
	guint i = 0;

	while (i < paths->len) {
		gsize before = out->len;
		guint n = append_entry(ctx, paths, i, start, depth, out);

		if (out->len > cap - MIN(cap / 2, NOTE_ROOM)) {
			g_string_truncate(out, before);
			break;
		}
		i += n;
	}
	if (i < paths->len)
		g_string_append_printf(
			out,
			"[and %u more files; narrow it by path, pattern or a "
			"smaller depth]\n",
			paths->len - i);
	if (!paths->len)
		g_string_append(out, "[no files]\n");
	result_say(result, "%s", out->str);
	result->meta = json_pack("{s:i}", "files", (int)paths->len);
}

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	const char *path = spk_json_str(args, "path");
	const char *pattern = spk_json_str(args, "pattern");
	gint64 depth = spk_json_int(args, "depth", pattern ? G_MAXINT32 : DEFAULT_DEPTH);
	g_autoptr(SpkCancel) limited = spk_cancel_new(cancel);
	g_autofree char *rel = NULL, *folder = NULL;
	g_autoptr(GPtrArray) paths = NULL;
	GError *problem = NULL;

	spk_cancel_set_deadline(limited, LIST_SECONDS * 1000);
	rel = path_resolve(ctx, path ? path : ".", &problem);
	folder = rel ? path_real_folder(ctx, rel, &problem) : NULL;
	paths = folder ? listing_files(ctx, folder, pattern, limited, &problem) : NULL;
	if (!paths)
		return result_fail(ret_result, problem, error);
	show(ctx, paths, *folder ? strlen(folder) + 1 : 0, depth, ret_result);
	return TRUE;
}

const SpkTool tool_file_list = {
	.name = "file_list",
	.sentence =
		"Lists the files of a folder and of those below it, without what .gitignore "
		"leaves out. Folders deeper than depth are summed up in one line.",
	.args =
		(const SpkToolArg[]){
			{ "path", SPK_ARG_STRING, FALSE, 0, 4095,
			  "folder, relative to the one you work in (the default) or absolute inside the "
			  "work tree" },
			{ "pattern", SPK_ARG_STRING, FALSE, 0, 1000,
			  "only files that match: \"*.c\" at any depth, \"src/**/*.h\" from the folder" },
			{ "depth", SPK_ARG_INT, FALSE, 1, 100,
			  "levels shown, from 1 (3; with a pattern all)" },
			{ NULL },
		},
	.effect = SPK_EFFECT_PURE,
	.deed = SPK_DEED_PATH,
	.subject = "path",
	.run = run,
};
