/*
 * `sparks memory forget`, which removes for good, and `retire` and `revive`, which take out of use
 * and put back.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
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

/* `--records -` */
static gboolean is_text(const SpkArgs *args)
{
	const char *const *rest = spk_args_rest(args);

	return spk_args_flag(args, "records") && *rest && !rest[1] && !strcmp(*rest, "-");
}

/* SpkMemoryRow of the ids given, or NULL with the error about the first that is unknown, before
 * anything is done. */
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

/* What an id stands for that was merged: its own text, of the one that it counts towards. */
static SpkMemoryRow *merged_row(SpkStore *store, const SpkMemoryRow *into, const char *id,
				GError **error)
{
	g_autoptr(GPtrArray) past = spk_memories_history(store, into->num, error);
	g_autoptr(SpkMemoryRow) row = past ? spk_memory_row_copy(into) : NULL;

	for (guint i = 0; past && i < past->len; i++) {
		const SpkMemoryPast *one = past->pdata[i];

		if (g_strcmp0(one->id, id) != 0 || !one->text)
			continue;
		g_free(row->text);
		row->text = g_strdup(one->text);
	}
	if (row) {
		g_free(row->id);
		row->id = g_strdup(id);
	}
	return g_steal_pointer(&row);
}

/* As rows_named(), but an id that was merged means no more than what was merged. */
static GPtrArray *rows_typed(SpkStore *store, const char *const *ids, gboolean tell,
			     GError **error)
{
	GPtrArray *rows = rows_named(store, ids, error);

	for (guint i = 0; rows && i < rows->len; i++) {
		const SpkMemoryRow *into = rows->pdata[i];
		SpkMemoryRow *row;

		if (!spk_desk_is_merged(store, into, ids[i]))
			continue;
		row = merged_row(store, into, ids[i], error);
		if (!row) {
			g_clear_pointer(&rows, g_ptr_array_unref);
			break;
		}
		if (tell)
			fprintf(stderr, "%s counts towards %s, which stays\n", ids[i],
				into->id);
		spk_memory_row_free(rows->pdata[i]);
		rows->pdata[i] = row;
	}
	return rows;
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

/* What a task said again is no memory of its own, and goes from that which it counts towards. */
static gboolean add_merged(const SpkDesk *desk, const char *task, GPtrArray *rows,
			   GError **error)
{
	g_autoptr(GPtrArray) ids = spk_memories_merged_of(desk->store, task, error);

	for (guint i = 0; ids && i < ids->len; i++) {
		g_autoptr(SpkMemoryRow) into = NULL;
		SpkMemoryRow *row;

		if (!spk_memories_get(desk->store, ids->pdata[i], &into, error))
			return FALSE;
		if (!into || !g_strcmp0(into->task, task))
			continue; /* that goes as a whole */
		row = merged_row(desk->store, into, ids->pdata[i], error);
		if (!row)
			return FALSE;
		g_ptr_array_add(rows, row);
	}
	return ids != NULL;
}

static GPtrArray *rows_chosen(const SpkDesk *desk, const SpkMemoryList *what,
			      GError **error)
{
	g_autoptr(GPtrArray) rows = spk_memories_list(desk->store, what, error);
	gboolean whole = what->task && what->state < 0 && !what->filter.scopes &&
			 !what->filter.kinds && !what->source && !what->from_us &&
			 !what->until_us;

	if (rows && whole && !add_merged(desk, what->task, rows, error))
		return NULL;
	return g_steal_pointer(&rows);
}

static GPtrArray *rows_to_forget(const SpkDesk *desk, const SpkArgs *args, GError **error)
{
	g_auto(SpkDeskHold) hold = { 0 };
	SpkMemoryList what = { .state = -1 };
	const char *name = spk_args_str(args, "state");
	SpkMemoryState state;

	if (is_text(args))
		return g_ptr_array_new();
	if (*spk_args_rest(args))
		return rows_typed(desk->store, spk_args_rest(args), !desk->json, error);
	if (!spk_desk_which(desk, args, &what, &hold, error))
		return NULL;
	if (name && spk_memory_state_parse(name, &state))
		what.state = (int)state;
	return rows_chosen(desk, &what, error);
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
		g_autofree char *id = spk_ui_line(row->id, SPK_MEMORY_ID_MAX);
		g_autofree char *text = spk_ui_line(
			row->text, MAX(16, spk_ui_columns(STDERR_FILENO) - 18));

		g_string_append_printf(out, "  %s  %s\n", id, text);
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

static json_t *strings_of(const GPtrArray *strings)
{
	json_t *list = json_array();

	for (guint i = 0; i < strings->len; i++)
		json_array_append_new(list, spk_json_text(strings->pdata[i]));
	return list;
}

static gboolean forget(const SpkDesk *desk, const GPtrArray *rows, gsize *ret_n,
		       GError **error)
{
	g_autofree const char **ids = g_new0(const char *, rows->len + 1);

	for (guint i = 0; i < rows->len; i++)
		ids[i] = ((const SpkMemoryRow *)rows->pdata[i])->id;
	return spk_memory_forget_many(desk->memory, ids, rows->len, ret_n, error);
}

/* ---- what tasks have said in the same words ---- */

static GPtrArray *texts_of(const SpkDesk *desk, const GPtrArray *rows, GError **error)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < rows->len; i++)
		if (!spk_memories_add_texts(desk->store,
					    ((const SpkMemoryRow *)rows->pdata[i])->id,
					    texts, error))
			return NULL;
	return g_steal_pointer(&texts);
}

static char *names_of(const GPtrArray *tasks)
{
	GString *names = g_string_new(NULL);

	for (guint i = 0; i < MIN(tasks->len, SHOWN); i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "",
				       (const char *)tasks->pdata[i]);
	if (tasks->len > SHOWN)
		g_string_append_printf(names, " and %u more", tasks->len - SHOWN);
	return g_string_free(names, FALSE);
}

/* Whether the records are to lose it, too: said on the command line, or asked once it is known that
 * they have it. */
static gboolean wants_records(const SpkDesk *desk, const SpkArgs *args,
			      const SpkMemorySaid *said)
{
	g_autofree char *names = names_of(said->over);
	g_autofree char *question = NULL;

	if (!said->over->len || spk_args_yes(args) || desk->json || !spk_ui_can_ask())
		return FALSE;
	question =
		g_strdup_printf("The same words are on record of %s %s (what was said, "
				"answered or printed). Take them out there, too?",
				said->over->len == 1 ? "task" : "tasks", names);
	return spk_ui_ask(question);
}

static gboolean forget_records(const SpkDesk *desk, const SpkArgs *args,
			       const GPtrArray *texts, SpkMemorySaid *ret_left,
			       GError **error)
{
	g_auto(SpkMemorySaid) gone = { 0 };
	SpkCore *core = desk->session.core;

	if (!spk_args_flag(args, "records")) {
		if (!spk_core_said(core, texts, FALSE, ret_left, error))
			return FALSE;
		if (!wants_records(desk, args, ret_left))
			return TRUE;
		spk_memory_said_clear(ret_left);
	}
	return spk_core_said(core, texts, TRUE, &gone, error) &&
	       spk_core_said(core, texts, FALSE, ret_left, error);
}

/* Those that were found on the way: they are in no memory any more, and in these records still. */
static void print_left(const SpkMemorySaid *left)
{
	g_autofree char *over = names_of(left->over), *on = names_of(left->going_on);

	if (left->over->len)
		fprintf(stderr,
			"the same words are still on record of %s: what was said, answered "
			"or printed there goes with\n  echo 'TEXT' | sparks memory forget "
			"--records -\n",
			over);
	if (left->going_on->len)
		fprintf(stderr,
			"%s %s not over, and still %s it: once over, its record loses it "
			"with\n  echo 'TEXT' | sparks memory forget --records -\n",
			on, left->going_on->len == 1 ? "is" : "are",
			left->going_on->len == 1 ? "has" : "have");
}

/* ---- the command ---- */

static void print(const SpkDesk *desk, const GPtrArray *rows, gsize n,
		  const SpkMemorySaid *left)
{
	g_autoptr(json_t) object = NULL;

	if (desk->json) {
		object = json_pack("{s:I,s:o,s:o,s:o}", "forgotten", (json_int_t)n, "ids",
				   ids_of(rows), "on_record", strings_of(left->over),
				   "going_on", strings_of(left->going_on));
		spk_cmd_print_json(object);
		return;
	}
	if (rows->len)
		printf("forgot %zu %s\n", n, n == 1 ? "memory" : "memories");
	else
		printf("taken out of all records\n");
	(void)fflush(stdout);
	print_left(left);
}

/* `--records -`: a text that is in no memory. */
static GPtrArray *text_of_stdin(GError **error)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	gsize len;
	g_autofree char *text = spk_fs_read_fd(STDIN_FILENO, "standard input",
					       SPK_MEMORY_TEXT_MAX, &len, error);

	if (!text)
		return NULL;
	g_strstrip(text);
	if (strlen(text) < SPK_MEMORY_SAID_MIN || !g_utf8_validate(text, -1, NULL)) {
		spk_error_set(
			error, SPK_ERR_USAGE,
			"give a whole sentence, or a word that is nothing else's",
			"a text to take out of the records has %d bytes of UTF-8 or "
			"more",
			SPK_MEMORY_SAID_MIN);
		return NULL;
	}
	g_ptr_array_add(texts, g_steal_pointer(&text));
	return g_steal_pointer(&texts);
}

/* The records first when they are to go: until then the memory tells what is looked for. */
static gboolean forget_all(const SpkDesk *desk, const SpkArgs *args,
			   const GPtrArray *rows, gsize *ret_n, SpkMemorySaid *ret_left,
			   GError **error)
{
	g_autoptr(GPtrArray) texts = is_text(args) ? text_of_stdin(error)
						   : texts_of(desk, rows, error);

	if (!texts)
		return FALSE;
	if (spk_args_flag(args, "records"))
		return forget_records(desk, args, texts, ret_left, error) &&
		       forget(desk, rows, ret_n, error);
	return forget(desk, rows, ret_n, error) &&
	       forget_records(desk, args, texts, ret_left, error);
}

static int run_forget(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_auto(SpkMemorySaid) left = { 0 };
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GError) error = NULL;
	gsize n = 0;
	int code;

	if (!check_words(args, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	rows = rows_to_forget(&desk, args, &error);
	if (!rows || !may_go(args, rows, &error) ||
	    !forget_all(&desk, args, rows, &n, &left, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	print(&desk, rows, n, &left);
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
		g_autofree char *shown = spk_ui_line(id, SPK_MEMORY_ID_MAX);
		gboolean was;

		spk_desk_say_merged(desk.store, rows->pdata[i], spk_args_rest(args)[i]);
		if (!fn(desk.store, id, &was, &error))
			break;
		if (was)
			json_array_append_new(ids, spk_json_text(id));
		if (!desk.json)
			printf("%s: %s\n", shown, was ? done : not_done);
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
	{ "records",
	  .sentence =
		  "and take the same words out of what is on record of tasks that are "
		  "over" },
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
		"The id of one that was merged into another (`memory add` says so) means only what "
		"was merged: the other stays. "
		"What tasks were told of it, taught, found or noted goes with it. Where somebody "
		"said the same in their own words (a message, an answer, what a command printed) "
		"the tasks are named, and at a terminal it is asked; --records takes the words "
		"out there, too, once a task is over, and `--records -` a text that it reads "
		"from stdin. "
		"`sparks memory retire` only takes a memory out of use.\n"
		"--json: {\"forgotten\", \"ids\", \"on_record\": [tasks that still say it], "
		"\"going_on\": [those of them that are not over]}",
	.example = "sparks memory forget k3f9a\nsparks memory forget --task t7m2q -y\n"
		   "sparks memory forget --records k3f9a",
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
