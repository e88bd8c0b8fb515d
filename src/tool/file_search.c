/*
 * file_search: lines that match a regular expression. In our own process, line by line: PCRE's
 * match limit bounds the work on one line, the deadline the whole. Long lines are searched in
 * their first part only, which bounds the memory of a match.
 */
#include "tool/tool_priv.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"

#define SEARCH_SECONDS 20
#define LINE_MAX_BYTES 8192 /* of a line that are searched */
#define LINE_SHOWN     300  /* of a line that are shown */
#define COSTLY_MAX     20   /* lines on which the pattern may pass PCRE's limit */
#define NOTE_ROOM      400

typedef struct {
	const SpkToolCtx *ctx;
	GRegex *regex;
	SpkCancel *cancel;
	gint64 context; /* lines shown round a match */
	gsize room;	/* bytes of output */
	GString *out;
	guint matches, files, costly, refused;
	gboolean full; /* the room is used up */
} Search;

typedef struct {
	const char *path;
	const char *text, *end;
	const char *line; /* the line looked at */
	gint64 number;
	gint64 printed; /* last line that was shown */
	gint64 until;	/* show lines up to this one, after a match */
} Cursor;

static const char *line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', end - line);

	return newline ? newline : end;
}

static gboolean line_matches(Search *search, const char *line, gsize len)
{
	g_autoptr(GError) problem = NULL;
	gsize keep = spk_text_prefix_len(line, len, LINE_MAX_BYTES);
	gboolean found =
		g_regex_match_full(search->regex, line, keep, 0, 0, NULL, &problem);

	if (problem)
		search->costly++;
	return found;
}

static void show_line(Search *search, Cursor *at, const char *line, gint64 number,
		      char mark)
{
	gsize len = line_end(line, at->end) - line;
	gsize keep = spk_text_prefix_len(line, len, LINE_SHOWN);
	g_autofree char *clean = spk_text_clean(line, keep, SPK_CLEAN_TEXT);
	g_autofree char *path = path_show(search->ctx, at->path);
	gsize before = search->out->len;

	if (search->context && at->printed && number > at->printed + 1)
		g_string_append(search->out, "--\n");
	g_string_append_printf(search->out, "%s%c%" G_GINT64_FORMAT "%c %s%s\n", path,
			       mark, number, mark, clean, keep < len ? "…" : "");
	at->printed = number;
	if (search->out->len <= search->room)
		return;
	g_string_truncate(search->out, before);
	search->full = TRUE;
}

/* The lines before a match that were not shown yet. */
static void show_before(Search *search, Cursor *at)
{
	gint64 number = at->number;
	const char *line = at->line;

	while (line > at->text && number > at->number - search->context &&
	       number - 1 > at->printed) {
		for (line--; line > at->text && line[-1] != '\n'; line--)
			;
		number--;
	}
	for (; number < at->number && !search->full; number++) {
		show_line(search, at, line, number, '-');
		line = line_end(line, at->end) + 1;
	}
}

static gboolean may_go_on(Search *search)
{
	return !search->full && search->costly < COSTLY_MAX &&
	       spk_cancel_check(search->cancel, NULL);
}

static void search_text(Search *search, const char *path, const char *text, gsize len)
{
	Cursor at = {
		.path = path, .text = text, .end = text + len, .line = text, .number = 1
	};
	guint before = search->matches;

	for (; at.line < at.end && may_go_on(search); at.number++) {
		const char *stop = line_end(at.line, at.end);

		if (line_matches(search, at.line, stop - at.line)) {
			search->matches++;
			show_before(search, &at);
			if (!search->full)
				show_line(search, &at, at.line, at.number, ':');
			at.until = at.number + search->context;
		} else if (at.number <= at.until) {
			show_line(search, &at, at.line, at.number, '-');
		}
		at.line = stop + 1;
	}
	search->files += search->matches > before;
}

/* Files that can't be read, are too large or binary are passed over. */
static void search_file(Search *search, const char *path)
{
	g_autofree char *real = NULL, *data = NULL, *valid = NULL;
	g_autoptr(GString) clean = NULL;
	const char *text;
	struct stat st;
	g_autoptr(GError) ignored = NULL;
	spk_autofd int fd = path_open_file(search->ctx, path, &real, &st, &ignored);
	gsize len;

	if (fd < 0 && spk_error_is(ignored, SPK_ERR_POLICY))
		search->refused++;
	if (fd < 0 || st.st_size > TOOL_FILE_MAX)
		return;
	data = spk_fs_read_fd(fd, path, TOOL_FILE_MAX, &len, NULL);
	if (!data || memchr(data, '\0', len))
		return;
	if (!g_utf8_validate(data, len, NULL))
		valid = g_utf8_make_valid(data, len);
	text = valid ? valid : data;
	len = valid ? strlen(valid) : len;
	/* also not to be guessed, character by character */
	clean = spk_redact_lines(NULL, search->ctx->vault, text, len);
	search_text(search, path, clean ? clean->str : text, clean ? clean->len : len);
}

static void conclude(Search *search, SpkToolResult *result)
{
	GString *out = search->out;
	gboolean late = !spk_cancel_check(search->cancel, NULL);

	if (search->costly >= COSTLY_MAX || (late && !search->matches)) {
		result_refuse(
			result,
			"the pattern takes too long here; make it simpler, or narrow "
			"the search by path or include");
		return;
	}
	if (!search->matches)
		g_string_append(out, "[no match]\n");
	if (search->refused)
		g_string_append_printf(out,
				       "[%u files that are off limits (they may hold "
				       "secrets, or lead out) were not searched]\n",
				       search->refused);
	if (search->full || late)
		g_string_append_printf(
			out, "[stopped after %u matches, %s; narrow the search]\n",
			search->matches, late ? "time ran out" : "there is more");
	else if (search->costly)
		g_string_append_printf(
			out,
			"[%u lines were too costly for this pattern and are "
			"not decided]\n",
			search->costly);
	result_say(result, "%s", out->str);
	result->meta = json_pack("{s:i, s:i}", "matches", (int)search->matches, "files",
				 (int)search->files);
}

/* The files to search: one, or those below a folder. */
static GPtrArray *choose_files(const SpkToolCtx *ctx, const json_t *args,
			       SpkCancel *cancel, GError **ret_problem)
{
	const char *path = spk_json_str(args, "path");
	const char *include = spk_json_str(args, "include");
	g_autofree char *rel = path_resolve(ctx, path ? path : ".", ret_problem);
	g_autofree char *folder = NULL, *real = NULL;
	g_autoptr(GError) no_folder = NULL;
	GPtrArray *one;
	struct stat st;
	spk_autofd int fd = -1;

	if (!rel)
		return NULL;
	folder = path_real_folder(ctx, rel, &no_folder);
	if (folder)
		return listing_files(ctx, folder, include, cancel, ret_problem);
	fd = path_open_file(ctx, rel, &real, &st, ret_problem);
	if (fd < 0)
		return NULL;
	one = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(one, g_steal_pointer(&rel));
	return one;
}

static gboolean run(const SpkToolCtx *ctx, const json_t *args, SpkCancel *cancel,
		    SpkToolResult *ret_result, GError **error)
{
	GRegexCompileFlags flags = G_REGEX_OPTIMIZE;
	g_autoptr(SpkCancel) limited = spk_cancel_new(cancel);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GRegex) regex = NULL;
	gsize cap = result_cap(ctx);
	GError *problem = NULL;
	Search search = { .ctx = ctx, .cancel = limited, .out = out };

	if (spk_json_bool(args, "ignore_case", FALSE))
		flags |= G_REGEX_CASELESS;
	regex = g_regex_new(spk_json_str(args, "pattern"), flags, 0, &problem);
	if (!regex) {
		result_refuse(ret_result, "the pattern is no regular expression: %s",
			      problem->message);
		g_error_free(problem);
		return TRUE;
	}
	spk_cancel_set_deadline(limited, SEARCH_SECONDS * 1000);
	files = choose_files(ctx, args, limited, &problem);
	if (!files)
		return result_fail(ret_result, problem, error);
	search.regex = regex;
	search.context = spk_json_int(args, "context", 0);
	search.room = cap - MIN(cap / 2, NOTE_ROOM);
	for (guint i = 0; i < files->len && may_go_on(&search); i++)
		search_file(&search, files->pdata[i]);
	if (!spk_cancel_check(cancel, error))
		return FALSE;
	conclude(&search, ret_result);
	return TRUE;
}

const SpkTool tool_file_search = {
	.name = "file_search",
	.sentence =
		"Finds lines that match a regular expression (Perl syntax), in files that "
		".gitignore doesn't leave out. Answers path:line: text.",
	.args =
		(const SpkToolArg[]){
			{ "pattern", SPK_ARG_STRING, TRUE, 0, 1000,
			  "regular expression, tried on each line" },
			{ "path", SPK_ARG_STRING, FALSE, 0, 4095,
			  "folder or file, relative to the folder you work in (the default) or absolute "
			  "inside the work tree" },
			{ "include", SPK_ARG_STRING, FALSE, 0, 1000,
			  "only files that match: \"*.c\" at any depth, \"src/**/*.h\" from the folder" },
			{ "ignore_case", SPK_ARG_BOOL, FALSE, 0, 0,
			  "upper and lower case are the same" },
			{ "context", SPK_ARG_INT, FALSE, 0, 20,
			  "lines shown before and after a match" },
			{ NULL },
		},
	.effect = SPK_EFFECT_PURE,
	.restores = TRUE,
	.deed = SPK_DEED_PATH,
	.subject = "path",
	.run = run,
};
