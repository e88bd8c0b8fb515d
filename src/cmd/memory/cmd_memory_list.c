/* `sparks memory list`: the memories by their time, a page of them. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

enum { PAGE = 50 };

static gboolean parse_state(const SpkArgs *args, int *ret_state, GError **error)
{
	const char *name = spk_args_str(args, "state");
	SpkMemoryState state = SPK_MEMORY_ACTIVE;

	/* its choices are in the option's row */
	if (name && !spk_memory_state_parse(name, &state)) {
		spk_error_set(error, SPK_ERR_USAGE, "active, superseded or retired",
			      "there is no state \"%s\"", name);
		return FALSE;
	}
	*ret_state = spk_args_flag(args, "all") ? -1 : (int)state;
	return TRUE;
}

static void print(const GPtrArray *rows, const SpkMemoryList *what, gint64 total)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; i < rows->len; i++)
		spk_row_append(out, rows->pdata[i], NULL, spk_now_us());
	fputs(out->str, stdout);
	fflush(stdout);
	if (!total)
		fputs("no memories here; `sparks memory add TEXT` keeps one\n", stderr);
	else if (what->offset + rows->len < total)
		fprintf(stderr,
			"%u of %" G_GINT64_FORMAT "; the next: --offset %u, all: "
			"--limit 0\n",
			rows->len, total, what->offset + rows->len);
}

static int list(SpkDesk *desk, const SpkMemoryList *what)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = spk_memories_list(desk->store, what, &error);
	g_autoptr(json_t) array = json_array();
	gint64 total;

	if (!rows || !spk_memories_count(desk->store, what, &total, &error))
		return spk_desk_fail(desk, g_steal_pointer(&error));
	if (!desk->json) {
		print(rows, what, total);
		return 0;
	}
	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(array, spk_portable_row(rows->pdata[i]));
	spk_cmd_print_json(array);
	return 0;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_auto(SpkDeskHold) hold = { 0 };
	g_autoptr(GError) error = NULL;
	SpkMemoryList what = { .limit = spk_args_int(args, "limit", PAGE),
			       .offset = spk_args_int(args, "offset", 0),
			       .untrusted = spk_args_flag(args, "untrusted"),
			       .oldest_first = spk_args_flag(args, "oldest") };
	int code;

	if (!parse_state(args, &what.state, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	if (!spk_desk_which(&desk, args, &what, &hold, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	return list(&desk, &what);
}

static const SpkCmdOpt options[] = {
	SPK_DESK_OPTS_WHICH,
	{ "untrusted", .type = SPK_CMD_FLAG,
	  .sentence = "only what comes from strangers" },
	{ "state", .type = SPK_CMD_STRING, .value = "STATE",
	  .choices = "active|superseded|retired",
	  .sentence = "those in this state (default: active)" },
	{ "all", .type = SPK_CMD_FLAG, .sentence = "those in any state" },
	{ "limit", .letter = 'n', .type = SPK_CMD_INT, .value = "N", .min = 0,
	  .max = 1000000000, .sentence = "at most N (default 50); 0: all" },
	{ "offset", .type = SPK_CMD_INT, .value = "N", .min = 0, .max = 1000000000,
	  .sentence = "without the first N" },
	{ "oldest", .type = SPK_CMD_FLAG, .sentence = "the oldest first" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON array on stdout" },
	{ NULL },
};

const SpkCmd spk_memory_cmd_list = {
	.name = "list",
	.usage = "",
	.summary = "List the memories, newest first.",
	.details = "--json: an array of objects of " SPK_ROW_JSON ".",
	.example = "sparks memory list --scope repo --kind failure\n"
		   "sparks memory list --untrusted --all",
	.options = options,
	.run = run,
};
