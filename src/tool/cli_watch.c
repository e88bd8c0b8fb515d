#include "tool/cli_watch.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define KEPT_MAX 32768 /* of the beginning, and of the end, of each stream */

/* Beginning and end of a stream. */
typedef struct {
	GString *head, *tail;
	guint64 total;
} Kept;

struct CliWatch {
	CliEventFn event;
	CliReport report;
	GString *line, *err_line;
	gboolean too_long; /* the line at hand is passed over */
	Kept out, err;
};

void cli_report_clear(CliReport *report)
{
	g_free(report->words);
	g_free(report->problem);
	g_free(report->model);
	g_free(report->latest);
	*report = (CliReport){ .usd = -1 };
}

static void kept_init(Kept *kept)
{
	kept->head = g_string_new(NULL);
	kept->tail = g_string_new(NULL);
}

static void kept_clear(Kept *kept)
{
	g_string_free(kept->head, TRUE);
	g_string_free(kept->tail, TRUE);
}

static void keep(Kept *kept, const char *data, gsize len)
{
	gsize room = MIN(len, KEPT_MAX - kept->head->len);

	kept->total += len;
	g_string_append_len(kept->head, data, room);
	data += room;
	len -= room;
	if (len > KEPT_MAX) {
		data += len - KEPT_MAX;
		len = KEPT_MAX;
	}
	g_string_append_len(kept->tail, data, len);
	if (kept->tail->len > 2 * KEPT_MAX)
		g_string_erase(kept->tail, 0, kept->tail->len - KEPT_MAX);
}

CliWatch *cli_watch_new(CliEventFn event)
{
	CliWatch *watch = g_new0(CliWatch, 1);

	watch->event = event;
	watch->report.usd = -1;
	watch->line = g_string_new(NULL);
	watch->err_line = g_string_new(NULL);
	kept_init(&watch->out);
	kept_init(&watch->err);
	return watch;
}

void cli_watch_free(CliWatch *watch)
{
	if (!watch)
		return;
	cli_report_clear(&watch->report);
	g_string_free(watch->line, TRUE);
	g_string_free(watch->err_line, TRUE);
	kept_clear(&watch->out);
	kept_clear(&watch->err);
	g_free(watch);
}

/* ---- lines ---- */

static gboolean is_blank(const GString *line)
{
	return strspn(line->str, " \t\r\n") == line->len;
}

static void take_line(CliWatch *watch)
{
	g_autoptr(json_t) event = NULL;

	if (watch->too_long)
		watch->report.noise++;
	else if (!is_blank(watch->line)) {
		event = spk_json_parse(watch->line->str, watch->line->len, CLI_LINE_MAX,
				       NULL);
		if (json_is_object(event)) {
			watch->report.events++;
			watch->event(&watch->report, event);
		} else {
			watch->report.noise++;
		}
	}
	watch->too_long = FALSE;
	g_string_truncate(watch->line, 0);
}

static void add_to_line(CliWatch *watch, const char *data, gsize len)
{
	watch->too_long |= watch->line->len + len > CLI_LINE_MAX;
	if (watch->too_long)
		g_string_truncate(watch->line, 0);
	else
		g_string_append_len(watch->line, data, len);
}

void cli_watch_out(CliWatch *watch, const char *data, gsize len)
{
	keep(&watch->out, data, len);
	while (len) {
		const char *end = memchr(data, '\n', len);
		gsize n = end ? (gsize)(end - data) : len;

		add_to_line(watch, data, n);
		if (!end)
			return;
		take_line(watch);
		data += n + 1;
		len -= n + 1;
	}
}

/* opencode tries again without an end, and says so nowhere else. */
static void take_err_line(CliWatch *watch)
{
	const char *line = watch->err_line->str;
	const char *error = strstr(line, "error.error=");

	if (strstr(line, "level=ERROR") && strstr(line, "message=\"stream error\"")) {
		watch->report.failures++;
		g_free(watch->report.problem);
		watch->report.problem = spk_text_clip(
			error ? error + strlen("error.error=") : line, CLI_PROBLEM_MAX);
	}
	g_string_truncate(watch->err_line, 0);
}

void cli_watch_err(CliWatch *watch, const char *data, gsize len)
{
	keep(&watch->err, data, len);
	for (gsize i = 0; i < len; i++)
		if (data[i] == '\n')
			take_err_line(watch);
		else if (watch->err_line->len < CLI_PROBLEM_MAX && data[i])
			g_string_append_c(watch->err_line, data[i]);
}

void cli_watch_end(CliWatch *watch)
{
	take_line(watch);
	take_err_line(watch);
}

const CliReport *cli_watch_report(const CliWatch *watch)
{
	return &watch->report;
}

guint64 cli_watch_bytes(const CliWatch *watch)
{
	return watch->out.total + watch->err.total;
}

char *cli_watch_text(const CliWatch *watch, gboolean of_stderr, gsize max)
{
	const Kept *kept = of_stderr ? &watch->err : &watch->out;
	g_autoptr(GString) all = g_string_new_len(kept->head->str, kept->head->len);
	guint64 shown = kept->head->len + kept->tail->len;
	g_autofree char *clean = NULL;

	if (shown < kept->total)
		g_string_append_printf(all,
				       "\n[… %" G_GUINT64_FORMAT " bytes left out …]\n",
				       kept->total - shown);
	g_string_append_len(all, kept->tail->str, kept->tail->len);
	clean = spk_text_clean(all->str, all->len, SPK_CLEAN_TEXT);
	return spk_text_clip_middle(clean, strlen(clean), max);
}
