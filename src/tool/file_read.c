/*
 * file_read: numbered lines of a text file, or of a spill file.
 */
#include "tool/tool_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "tool/image.h"

#define SPILL_MAX      (64u << 20) /* what a command may spill (net/child.h) */
#define LINE_MAX_BYTES 2000
#define NOTE_ROOM      400 /* of the cap, for what is said below the lines */

typedef struct {
	const char *data;
	gsize len;
	gint64 lines;	    /* in all */
	gboolean crlf, lf;  /* line ends seen */
	gint64 first, last; /* shown; last < first: none */
	gint64 unclean;	    /* lines shown with characters left out */
	gboolean hidden;    /* secrets have placeholders */
} Page;

static gint64 count_lines(Page *page)
{
	const char *end = page->data + page->len;

	for (const char *p = page->data; p < end; page->lines++) {
		const char *newline = memchr(p, '\n', end - p);

		if (newline && newline > p && newline[-1] == '\r')
			page->crlf = TRUE;
		else if (newline)
			page->lf = TRUE;
		p = newline ? newline + 1 : end;
	}
	return page->lines;
}

static void append_line(Page *page, GString *out, gint64 number, const char *line,
			gsize len)
{
	gsize keep = spk_text_prefix_len(line, len, LINE_MAX_BYTES);
	g_autofree char *clean = spk_text_clean(line, keep, SPK_CLEAN_TEXT);

	if (strlen(clean) != keep || memcmp(clean, line, keep))
		page->unclean++;
	g_string_append_printf(out, "%6" G_GINT64_FORMAT "\t%s", number, clean);
	if (keep < len)
		g_string_append_printf(out,
				       " [… %" G_GSIZE_FORMAT " more bytes in this line]",
				       len - keep);
	g_string_append_c(out, '\n');
}

/* Lines first … last, or up to the room. */
static void append_lines(Page *page, gint64 limit, gsize room, GString *out)
{
	const char *end = page->data + page->len;
	gint64 number = 0;

	for (const char *p = page->data; p < end;) {
		const char *newline = memchr(p, '\n', end - p);
		const char *stop = newline ? newline : end;
		gsize before = out->len;

		number++;
		if (number >= page->first + limit)
			return;
		if (newline && stop > p && stop[-1] == '\r')
			stop--;
		if (number >= page->first) {
			append_line(page, out, number, p, stop - p);
			if (out->len > room && number > page->first) {
				g_string_truncate(out, before);
				return;
			}
			page->last = number;
		}
		p = newline ? newline + 1 : end;
	}
}

static void append_notes(const Page *page, GString *out)
{
	if (page->first > 1 || page->last < page->lines)
		g_string_append_printf(out,
				       "[lines %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
				       " of %" G_GINT64_FORMAT,
				       page->first, page->last, page->lines);
	if (page->last < page->lines)
		g_string_append_printf(out, "; go on with offset %" G_GINT64_FORMAT,
				       page->last + 1);
	if (page->first > 1 || page->last < page->lines)
		g_string_append(out, "]\n");
	if (page->crlf)
		g_string_append(out, page->lf ? "[line ends are mixed: CRLF and LF]\n"
					      : "[line ends are CRLF]\n");
	if (page->data[page->len - 1] != '\n')
		g_string_append(out, "[no newline at the end of the file]\n");
	if (page->hidden)
		g_string_append(out,
				"[what is secret here is shown as [redacted …]; an edit "
				"may hold that and keeps the real text]\n");
	if (page->unclean)
		g_string_append_printf(
			out,
			"[%" G_GINT64_FORMAT " of these lines hold control "
			"characters or bytes that are not UTF-8: they are not "
			"shown as they are]\n",
			page->unclean);
}

static void show(const SpkToolCtx *ctx, const json_t *args, const char *name, Page *page,
		 SpkToolResult *result)
{
	g_autoptr(GString) out = g_string_new(NULL), clean = NULL;
	gsize cap = result_cap(ctx);

	page->first = spk_json_int(args, "offset", 1);
	result->meta = json_pack("{s:I}", "bytes", (json_int_t)page->len);
	if (spk_image_kind(page->data, page->len)) {
		result_refuse(result,
			      "%s is an image (%s), and " SPK_IMAGE_NOT_SHOWN
			      ": go on without it, and don't guess what it shows",
			      name, spk_image_kind(page->data, page->len));
	} else if (memchr(page->data, '\0', page->len)) {
		result_refuse(result,
			      "%s is a binary file of %" G_GSIZE_FORMAT
			      " bytes; look at it "
			      "with the shell tool (file, od, strings)",
			      name, page->len);
	} else if (page->len == 0) {
		result_say(result, "[%s is empty]", name);
	} else if (page->first > count_lines(page)) {
		result_refuse(result, "%s has only %" G_GINT64_FORMAT " lines", name,
			      page->lines);
	} else {
		/* all of it, not the page: half a key has no shape */
		clean = spk_redact_lines(NULL, ctx->vault, page->data, page->len);
		if (clean) {
			page->data = clean->str;
			page->len = clean->len;
			page->hidden = TRUE;
		}
		append_lines(page, spk_json_int(args, "limit", G_MAXINT32),
			     cap > 2 * NOTE_ROOM ? cap - NOTE_ROOM : cap / 2, out);
		append_notes(page, out);
		result_say(result, "%s", out->str);
	}
}

static char *load_spill(const SpkToolCtx *ctx, const char *name, gsize *ret_len,
			GError **ret_problem)
{
	g_autofree char *path = spill_lookup(ctx, name);

	if (path && g_file_test(path, G_FILE_TEST_EXISTS))
		return spk_fs_read(path, SPILL_MAX, ret_len, ret_problem);
	spk_error_set(ret_problem, SPK_ERR_NOT_FOUND,
		      "the note at the end of a long result has the right name",
		      "there is no spill file %s", name);
	return NULL;
}

/* The bytes of what `path` names; NULL with the reason in *ret_problem. */
static char *load(const SpkToolCtx *ctx, const char *path, gsize *ret_len,
		  GError **ret_problem)
{
	g_autofree char *rel = NULL, *real = NULL;
	spk_autofd int fd = -1;
	struct stat st;

	if (g_str_has_prefix(path, "spill:"))
		return load_spill(ctx, path, ret_len, ret_problem);
	rel = path_resolve(ctx, path, ret_problem);
	if (!rel)
		return NULL;
	fd = path_open_file(ctx, rel, &real, &st, ret_problem);
	if (fd < 0)
		return NULL;
	if (st.st_size > TOOL_FILE_MAX) {
		spk_error_set(ret_problem, SPK_ERR_LIMIT,
			      "read parts of it with the shell tool "
			      "(head, tail, sed -n)",
			      "%s has %" G_GINT64_FORMAT " bytes, at most %u "
			      "are read",
			      path, (gint64)st.st_size, TOOL_FILE_MAX);
		return NULL;
	}
	return spk_fs_read_fd(fd, path, TOOL_FILE_MAX, ret_len, ret_problem);
}

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	const char *path = spk_json_str(args, "path");
	GError *problem = NULL;
	Page page = { 0 };
	g_autofree char *data = load(ctx, path, &page.len, &problem);

	if (!data)
		return result_fail(ret_result, problem, error);
	page.data = data;
	show(ctx, args, path, &page, ret_result);
	return TRUE;
}

const SpkTool tool_file_read = {
	.name = "file_read",
	.sentence =
		"Reads a text file: each line with its number and a tab before it. Long files "
		"come in pages; the note at the end says how to go on.",
	.args =
		(const SpkToolArg[]){
			{ "path", SPK_ARG_STRING, TRUE, 0, 4095,
			  "relative to the folder you work in, or absolute inside the work tree; "
			  "\"spill:N\" pages the long output of an earlier call" },
			{ "offset", SPK_ARG_INT, FALSE, 1, G_MAXINT32,
			  "first line, from 1" },
			{ "limit", SPK_ARG_INT, FALSE, 1, G_MAXINT32, "most lines" },
			{ NULL },
		},
	.effect = SPK_EFFECT_PURE,
	.deed = SPK_DEED_PATH,
	.subject = "path",
	.run = run,
};
