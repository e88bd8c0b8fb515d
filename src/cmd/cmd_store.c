/* `sparks store`: copy the database while it is in use, put a copy back, look over every page. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "box/tree.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"

static gint64 file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* ---- backup ---- */

static int run_backup(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	const char *path = spk_args_rest(args)[0];
	g_autofree char *size = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_store_backup(session.store, path, spk_args_flag(args, "force"), cancel,
			      &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	size = spk_text_bytes(file_bytes(path));
	if (session.json) {
		object = json_pack("{s:o,s:o,s:I,s:i}", "store",
				   spk_json_text(spk_store_path(session.store)), "backup",
				   spk_json_text(path), "bytes",
				   (json_int_t)file_bytes(path), "schema",
				   spk_store_schema_version(session.store));
		spk_cmd_print_json(object);
	} else {
		printf("%s: %s, checked\n", path, size);
	}
	return 0;
}

/* ---- restore ---- */

static int run_restore(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *aside = NULL;
	const char *path = spk_args_rest(args)[0];
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_store_restore(session.store, path, &aside, cancel, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	if (session.json) {
		object = json_pack("{s:o,s:o,s:o}", "store",
				   spk_json_text(spk_store_path(session.store)),
				   "restored_from", spk_json_text(path), "before",
				   spk_json_text(aside));
		spk_cmd_print_json(object);
	} else {
		printf("%s is as %s was\nwhat was there before: %s\n",
		       spk_store_path(session.store), path, aside);
	}
	return 0;
}

/* ---- check ---- */

static json_t *folder_size(SpkSession *session, const char *name)
{
	g_autofree char *path =
		g_build_filename(spk_core_home(session->core), name, NULL);

	return json_integer(MAX(spk_tree_bytes(path), 0));
}

static json_t *count_states(const GPtrArray *tasks)
{
	json_t *counts = json_object();

	for (guint i = 0; i < tasks->len; i++) {
		const char *state =
			spk_state_name(((const SpkTask *)tasks->pdata[i])->status);

		spk_json_set(counts, state,
			     json_integer(spk_json_int(counts, state, 0) + 1));
	}
	return counts;
}

static void print_check(const json_t *object)
{
	static const struct {
		const char *key, *words;
	} sizes[] = { { "store_bytes", "database" },
		      { "copies_bytes", "private copies" },
		      { "spill_bytes", "long outputs" } };
	const char *state;
	const json_t *count;

	printf("%s: every page and reference is sound, schema %d\n",
	       spk_json_str(object, "store"), (int)spk_json_int(object, "schema", 0));
	json_object_foreach(json_object_get(object, "tasks"), state, count)
		printf("  %-16s %6" JSON_INTEGER_FORMAT "\n", state,
		       json_integer_value(count));
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *size =
			spk_text_bytes(spk_json_int(object, sizes[i].key, 0));

		printf("  %-16s %10s\n", sizes[i].words, size);
	}
}

static int run_check(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(GPtrArray) tasks = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	int code;

	if (!spk_session_open(&session, args, spk_args_flag(args, "json"), &code))
		return code;
	if (!spk_store_check(session.store, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	tasks = spk_task_list(session.store, -1, 0, &error);
	if (!tasks)
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	object = json_pack("{s:o,s:b,s:i,s:o,s:I,s:o,s:o}", "store",
			   spk_json_text(spk_store_path(session.store)), "sound", TRUE,
			   "schema", spk_store_schema_version(session.store), "tasks",
			   count_states(tasks), "store_bytes",
			   (json_int_t)file_bytes(spk_store_path(session.store)),
			   "copies_bytes", folder_size(&session, "trees"), "spill_bytes",
			   folder_size(&session, "spill"));
	if (session.json)
		spk_cmd_print_json(object);
	else
		print_check(object);
	return 0;
}

static const SpkCmdOpt backup_options[] = {
	{ "force", .type = SPK_CMD_FLAG,
	  .sentence = "replace the file when it is there" },
	SPK_OPT_JSON,
	{ NULL },
};

static const SpkCmd store_backup = {
	.name = "backup",
	.usage = "FILE",
	.summary = "Copy the database to a file; a daemon may go on meanwhile.",
	.details =
		"All that was recorded until now, at one instant. The copy is checked "
		"before it gets its name. Private copies (trees/) are not in it: diff, "
		"apply and undo of a task need them.",
	.example = "sparks store backup ~/sparks-backup.db",
	.options = backup_options,
	.min_args = 1,
	.max_args = 1,
	.run = run_backup,
};

static const SpkCmd store_check = {
	.name = "check",
	.usage = "",
	.summary = "Look over every page and reference of the database.",
	.example = "sparks store check",
	.options = spk_only_json,
	.run = run_check,
};

static const SpkCmd store_restore = {
	.name = "restore",
	.usage = "FILE",
	.summary = "Put a copy in the place of the database.",
	.details =
		"Refused while a daemon runs or a task is worked on. What was there is "
		"kept in a file beside it, which is named. A copy of an older version "
		"is brought up to date.",
	.example = "sparks store restore ~/sparks-backup.db",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = 1,
	.run = run_restore,
};

static const SpkCmd *const subs[] = { &store_backup, &store_check, &store_restore, NULL };

const SpkCmd spk_cmd_store = {
	.name = "store",
	.summary = "Back up, restore and check the database.",
	.example = "sparks store backup ~/sparks-backup.db",
	.subs = subs,
};
