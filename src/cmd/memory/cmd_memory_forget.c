/*
 * `sparks memory forget`, which removes for good, and `retire` and `revive`, which take out of use
 * and put back.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

enum { SHOWN = 5 };

/* ---- which ---- */

static gboolean is_choice(const SpkArgs *args)
{
	return spk_desk_narrowed(args) || spk_args_has(args, "state");
}

/* SpkMemoryRow of the ids given; the first that is unknown is an error before anything is done. */
static GPtrArray *rows_named(SpkStore *store, const char *const *ids, GError **error)
{
	g_autoptr(GPtrArray) rows =
		g_ptr_array_new_with_free_func((GDestroyNotify)spk_memory_row_free);

	for (; *ids; ids++) {
		SpkMemoryRow *row = spk_desk_find(store, *ids, error);

		if (!row)
			return NULL;
		g_ptr_array_add(rows, row);
	}
	return g_steal_pointer(&rows);
}

static gboolean check_words(const SpkArgs *args, GError **error)
{
	gboolean named = *spk_args_rest(args) != NULL, narrowed = is_choice(args);

	if (named != narrowed)
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE,
		      "sparks memory forget ID…, or --scope, --task, --source, --kind, "
		      "--state, --since, --until for all of these",
		      named ? "ids and a choice exclude each other"
			    : "which memories is not said");
	return FALSE;
}

static GPtrArray *rows_to_forget(const SpkDesk *desk, const SpkArgs *args, GError **error)
{
	g_auto(SpkDeskHold) hold = { 0 };
	SpkMemoryList what = { .state = -1 };
	const char *name = spk_args_str(args, "state");
	SpkMemoryState state;

	if (*spk_args_rest(args))
		return rows_named(desk->store, spk_args_rest(args), error);
	if (!spk_desk_which(desk, args, &what, &hold, error))
		return NULL;
	if (name && spk_memory_state_parse(name, &state))
		what.state = (int)state;
	return spk_memories_list(desk->store, &what, error);
}

/* ---- the question ---- */

/* One that was named is what its name says; several, or what a choice found, are shown first. */
static gboolean may_go(const SpkArgs *args, const GPtrArray *rows, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *question = NULL, *count = NULL;

	if (spk_args_yes(args) || !rows->len || (rows->len == 1 && !is_choice(args)))
		return TRUE;
	count = g_strdup_printf("%u %s", rows->len,
				rows->len == 1 ? "memory" : "memories");
	if (!spk_ui_can_ask()) {
		spk_error_set(error, SPK_ERR_USAGE, "say yes with -y",
			      "%s would be forgotten for good, and there is no terminal "
			      "to ask at",
			      count);
		return FALSE;
	}
	for (guint i = 0; i < MIN(rows->len, SHOWN); i++) {
		const SpkMemoryRow *row = rows->pdata[i];
		g_autofree char *text = spk_ui_line(
			row->text, MAX(16, spk_ui_columns(STDERR_FILENO) - 18));

		g_string_append_printf(out, "  %s  %s\n", row->id, text);
	}
	if (rows->len > SHOWN)
		g_string_append_printf(out, "  and %u more\n", rows->len - SHOWN);
	fputs(out->str, stderr);
	question = g_strdup_printf("Forget %s? This cannot be undone.", count);
	if (spk_ui_ask(question))
		return TRUE;
	spk_error_set(error, SPK_ERR_CANCELLED, NULL, "nothing was forgotten");
	return FALSE;
}

/* ---- doing it ---- */

static json_t *ids_of(const GPtrArray *rows)
{
	json_t *ids = json_array();

	for (guint i = 0; i < rows->len; i++)
		json_array_append_new(
			ids, spk_json_text(((SpkMemoryRow *)rows->pdata[i])->id));
	return ids;
}

static gboolean forget(const SpkDesk *desk, const GPtrArray *rows, gsize *ret_n,
		       GError **error)
{
	g_autofree const char **ids = g_new0(const char *, rows->len + 1);

	for (guint i = 0; i < rows->len; i++)
		ids[i] = ((const SpkMemoryRow *)rows->pdata[i])->id;
	return spk_memory_forget_many(desk->memory, ids, rows->len, ret_n, error);
}

static int run_forget(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	gsize n = 0;
	int code;

	if (!check_words(args, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	rows = rows_to_forget(&desk, args, &error);
	if (!rows || !may_go(args, rows, &error) || !forget(&desk, rows, &n, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	object = json_pack("{s:I,s:o}", "forgotten", (json_int_t)n, "ids", ids_of(rows));
	if (desk.json)
		spk_cmd_print_json(object);
	else
		printf("forgot %zu %s\n", n, n == 1 ? "memory" : "memories");
	return 0;
}

/* ---- out of use, and back ---- */

typedef gboolean (*SwitchFn)(SpkStore *store, const char *id, gboolean *ret_was,
			     GError **error);

static int run_switch(const SpkArgs *args, SwitchFn fn, const char *key, const char *done,
		      const char *not_done)
{
	g_auto(SpkDesk) desk = { 0 };
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL, ids = json_array();
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	rows = rows_named(desk.store, spk_args_rest(args), &error);
	for (guint i = 0; rows && i < rows->len; i++) {
		const char *id = ((const SpkMemoryRow *)rows->pdata[i])->id;
		gboolean was;

		if (!fn(desk.store, id, &was, &error))
			break;
		if (was)
			json_array_append_new(ids, spk_json_text(id));
		if (!desk.json)
			printf("%s: %s\n", id, was ? done : not_done);
	}
	if (error)
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	object = json_pack("{s:O}", key, ids);
	if (desk.json)
		spk_cmd_print_json(object);
	return 0;
}

static int run_retire(const SpkArgs *args)
{
	return run_switch(args, spk_memories_retire, "retired",
			  "out of use; sparks memory revive takes it back",
			  "was not in use");
}

static int run_revive(const SpkArgs *args)
{
	return run_switch(args, spk_memories_revive, "revived", "in use again",
			  "was in use");
}

static const SpkCmdOpt options[] = {
	SPK_DESK_OPTS_WHICH,
	{ "state", .type = SPK_CMD_STRING, .value = "STATE",
	  .choices = "active|superseded|retired",
	  .sentence = "only those in this state" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_forget = {
	.name = "forget",
	.usage = "[ID…]",
	.max_args = -1,
	.summary = "Remove memories for good: text, words, vector, history.",
	.details =
		"What is removed is overwritten in the database and leaves every index; nothing "
		"brings it back, but a backup or an export that you made before. Several at "
		"once, and what --scope and the like choose, are asked about (-y answers). "
		"`sparks memory retire` only takes a memory out of use.\n"
		"--json: {\"forgotten\", \"ids\"}",
	.example = "sparks memory forget k3f9a\nsparks memory forget --task t7m2q -y",
	.options = options,
	.run = run_forget,
};

const SpkCmd spk_memory_cmd_retire = {
	.name = "retire",
	.usage = "ID…",
	.min_args = 1,
	.max_args = -1,
	.summary = "Take memories out of use: no search finds them, `list --all` does.",
	.details = "--json: {\"retired\": [ids that were in use]}",
	.example = "sparks memory retire k3f9a",
	.options = spk_only_json,
	.run = run_retire,
};

const SpkCmd spk_memory_cmd_revive = {
	.name = "revive",
	.usage = "ID…",
	.min_args = 1,
	.max_args = -1,
	.summary = "Put memories back into use, whatever took them out.",
	.details = "--json: {\"revived\": [ids that were out of use]}",
	.example = "sparks memory revive k3f9a",
	.options = spk_only_json,
	.run = run_revive,
};
