/* `sparks memory edit`: change what a memory says, or what is said about it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/show/edit.h"
#include "cmd/ui.h"

static gboolean read_options(const SpkArgs *args, SpkMemoryEdit *edit, char **ret_scope,
			     GError **error)
{
	const char *scope = spk_args_str(args, "scope"),
		   *time = spk_args_str(args, "time"),
		   *confidence = spk_args_str(args, "confidence");

	edit->kind = spk_args_str(args, "kind");
	edit->scope = *ret_scope = scope ? spk_desk_scope(scope, error) : NULL;
	return (!scope || edit->scope) &&
	       (!time || spk_desk_time("time", time, &edit->time_us, error)) &&
	       (!confidence ||
		spk_desk_real("confidence", confidence, 0, 1, &edit->confidence, error));
}

/* The text typed at the terminal, which begins as the old one. NULL: nothing is to be changed. */
static char *typed(const SpkMemoryRow *row, GError **error)
{
	g_autofree char *text = NULL;

	if (!spk_ui_can_ask()) {
		spk_error_set(error, SPK_ERR_USAGE, "sparks memory edit ID \"NEW TEXT\"",
			      "what to change is not said");
		return NULL;
	}
	if (strchr(row->text, '\n')) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "give the new text: sparks memory edit ID \"$(cat FILE)\"",
			      "%s has several lines", row->id);
		return NULL;
	}
	text = spk_edit_line("text: ", row->text);
	if (text && strcmp(text, row->text) != 0)
		return g_steal_pointer(&text);
	spk_error_set(error, SPK_ERR_CANCELLED, NULL, "nothing was changed");
	return NULL;
}

static gboolean is_empty(const SpkMemoryEdit *edit)
{
	return !edit->text && !edit->kind && !edit->scope && edit->confidence < 0 &&
	       !edit->time_us;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_autoptr(SpkMemoryRow) row = NULL, now = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *scope = NULL, *text = NULL, *id = NULL;
	const char *const *words = spk_args_rest(args);
	SpkMemoryEdit edit = { .text = words[1], .confidence = -1 };
	int code;

	if (!read_options(args, &edit, &scope, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	row = spk_desk_find(desk.store, words[0], &error);
	if (row)
		spk_desk_say_merged(desk.store, row, words[0]);
	if (row && is_empty(&edit))
		edit.text = text = typed(row, &error);
	if (error || !spk_memory_edit(desk.memory, row->id, &edit, &error) ||
	    !spk_memories_get(desk.store, row->id, &now, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	id = spk_ui_line(row->id, SPK_MEMORY_ID_MAX);
	object = now ? spk_portable_row(now) : json_null();
	if (desk.json)
		spk_cmd_print_json(object);
	else
		printf("%s: changed; what it said before: sparks memory why %s\n", id,
		       id);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "kind", .type = SPK_CMD_STRING, .value = "KIND", .sentence = "what it is" },
	{ "scope", .type = SPK_CMD_STRING, .value = "SCOPE",
	  .sentence = "whom it concerns: user, repo, repo:PATH, spark:NAME, task:ID, …" },
	{ "time", .type = SPK_CMD_STRING, .value = "TIME",
	  .sentence = "when it was said: 2026-01-31, or RFC 3339" },
	{ "confidence", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "how sure it is, 0 to 1" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_edit = {
	.name = "edit",
	.usage = "ID [TEXT]",
	.min_args = 1,
	.max_args = 2,
	.summary = "Change a memory; words and vector follow.",
	.details =
		"Without TEXT and options its text is changed at the terminal. What it said "
		"before stays in `sparks memory why`; where the old words are wrong rather "
		"than old, and must go: `forget` it and `add` it anew.\n"
		"--json: an object of " SPK_ROW_JSON ".",
	.example = "sparks memory edit k3f9a 'staging is pg-stage-3 since May'\n"
		   "sparks memory edit k3f9a --kind preference",
	.options = options,
	.run = run,
};
