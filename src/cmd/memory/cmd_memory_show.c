/* `sparks memory show ID`: one memory, all of its text. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

#define LINES 4000

static void field(GString *out, const char *label, const char *text)
{
	spk_ui_field(out, STDOUT_FILENO, "", label, text, 8);
}

static void print(const SpkMemoryRow *row)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *id = spk_ui_line(row->id, SPK_MEMORY_ID_MAX);
	g_autofree char *time = spk_ui_time(row->time_us);
	g_autofree char *age = spk_row_age(row->time_us, spk_now_us());
	g_autofree char *said = g_strdup_printf("%s (%s)", time, age);
	g_autofree char *sure = g_strdup_printf("%g", row->confidence);
	g_autofree char *merged = row->merged ? spk_ui_count(row->merged, "time") : NULL;

	spk_ui_paint(out, STDOUT_FILENO, "bold", id);
	g_string_append_c(out, '\n');
	spk_ui_fold(out, row->text, 2, spk_ui_columns(STDOUT_FILENO), LINES);
	g_string_append_c(out, '\n');
	field(out, "kind", row->kind);
	field(out, "scope", row->scope);
	field(out, "state", spk_memory_state_name(row->state));
	field(out, "source", row->source);
	field(out, "speaker", row->speaker);
	field(out, "time", said);
	field(out, "sure", row->confidence < 1 ? sure : NULL);
	field(out, "said again", merged);
	field(out, "trust", row->untrusted ? SPK_ROW_UNTRUSTED : NULL);
	field(out, "vector", row->model ? row->model : "none yet");
	fputs(out->str, stdout);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkMemoryRow) row = NULL;
	g_autoptr(json_t) object = NULL;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	row = spk_desk_find(desk.store, spk_args_rest(args)[0], &error);
	if (!row)
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	object = spk_portable_row(row);
	if (desk.json)
		spk_cmd_print_json(object);
	else
		print(row);
	return 0;
}

const SpkCmd spk_memory_cmd_show = {
	.name = "show",
	SPK_TAKES_ID,
	.summary = "Show a memory: its whole text, whom it concerns, who said it.",
	.details = "--json: an object of " SPK_ROW_JSON ".",
	.example = "sparks memory show k3f9a",
	.options = spk_only_json,
	.run = run,
};
