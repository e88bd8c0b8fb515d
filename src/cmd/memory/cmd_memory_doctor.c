/* `sparks memory doctor` and `sparks memory reindex`: does all agree, and make it agree. */
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/health.h"
#include "cmd/memory/memory_all.h"
#include "cmd/ui.h"

static const struct {
	const char *id, *title, *expected;
	SpkFinding (*fn)(const SpkHealth *health);
} checks[] = {
	{ "rows", "memories", "can be read", spk_health_rows },
	{ "words", "words", "as the rows say", spk_health_words },
	{ "model", "model", "there, and makes vectors", spk_health_model },
	{ "vectors", "vectors", "one for each memory in use", spk_health_vectors },
	{ "index", "saved index", "as the table says, or none", spk_health_index },
};

static SpkHealth health_of(const SpkDesk *desk)
{
	return (SpkHealth){ .store = desk->store,
			    .memory = desk->memory,
			    .conf = desk->session.conf,
			    .home = spk_core_home(desk->session.core) };
}

/* ---- looking ---- */

static void check_all(const SpkHealth *health, gboolean json, json_t *rows, guint *counts)
{
	for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
		g_auto(SpkFinding) finding = checks[i].fn(health);

		counts[finding.status]++;
		if (json)
			json_array_append_new(
				rows, spk_finding_to_json(checks[i].id,
							  checks[i].expected, &finding));
		else
			spk_finding_print(checks[i].title, &finding);
	}
}

static void print_mended(const SpkMended *mended)
{
	g_autofree char *made = spk_ui_count(mended->made, "vector");

	printf("words made anew; ");
	if (mended->no_model)
		puts("there is no model, so searches go by them alone");
	else if (mended->left)
		printf("%s made, %u memories still without\n", made, mended->left);
	else
		printf("%s made, and the index anew\n", made);
}

static json_t *mended_to_json(const SpkMended *mended)
{
	return json_pack("{s:I,s:I,s:b}", "vectors_made", (json_int_t)mended->made,
			 "without_vector", (json_int_t)mended->left, "model",
			 !mended->no_model);
}

static int run_doctor(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) rows = json_array(), object = NULL;
	guint counts[SPK_N_FOUND] = { 0 };
	SpkMended mended = { 0 };
	gboolean fix = spk_args_flag(args, "fix");
	SpkHealth health;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	health = health_of(&desk);
	health.cancel = cancel;
	if (fix && !spk_health_mend(&health, &mended, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (fix && !desk.json)
		print_mended(&mended);
	check_all(&health, desk.json, rows, counts);
	object = json_pack("{s:o,s:O}", "fixed",
			   fix ? mended_to_json(&mended) : json_null(), "checks", rows);
	if (desk.json)
		spk_cmd_print_json(object);
	else
		printf("%u pass, %u warn, %u fail\n", counts[SPK_FOUND_PASS],
		       counts[SPK_FOUND_WARN], counts[SPK_FOUND_FAIL]);
	return counts[SPK_FOUND_FAIL] ? 1 : 0;
}

/* ---- mending ---- */

/* Only where nothing would be found by its meaning any less. */
static gboolean drop_others(const SpkHealth *health, const SpkMended *mended,
			    gint64 *ret_n, GError **error)
{
	g_autofree char *model = spk_memory_model(health->memory);

	if (model && !mended->left)
		return spk_memories_drop_vectors(health->store, model, ret_n, error);
	spk_error_set(error, SPK_ERR_CONFLICT,
		      "`sparks memory model show` says which model is in force",
		      "vectors of other models stay: %s",
		      model ? "not every memory has one of this model yet"
			    : "there is no model to make others by");
	return FALSE;
}

static int run_reindex(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	SpkMended mended;
	SpkHealth health;
	gint64 dropped = 0;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	health = health_of(&desk);
	health.cancel = cancel;
	if (!spk_health_mend(&health, &mended, &error) ||
	    (spk_args_flag(args, "drop-others") &&
	     !drop_others(&health, &mended, &dropped, &error)))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	object = mended_to_json(&mended);
	if (spk_args_flag(args, "drop-others"))
		spk_json_set(object, "vectors_dropped", json_integer(dropped));
	if (desk.json) {
		spk_cmd_print_json(object);
		return 0;
	}
	print_mended(&mended);
	if (spk_args_flag(args, "drop-others"))
		printf("vectors of other models removed: %" G_GINT64_FORMAT "\n",
		       dropped);
	return 0;
}

static const SpkCmdOpt reindex_options[] = {
	{ "drop-others", .type = SPK_CMD_FLAG,
	  .sentence = "and remove the vectors of models that are not in force" },
	SPK_OPT_JSON,
	{ NULL },
};

static const SpkCmdOpt options[] = {
	{ "fix", .type = SPK_CMD_FLAG,
	  .sentence = "first do what `reindex` does, then look" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "Check that memories, words, vectors, model and saved index agree.",
	.details =
		"Exits with 1 when a check fails. Nothing but the memories themselves is "
		"the only place of anything: --fix makes the rest anew out of them.\n"
		"--json: {\"fixed\": null or what reindex prints, \"checks\": [{\"id\", "
		"\"status\", \"observed\", \"expected\", \"remediation\"}]}",
	.example = "sparks memory doctor\nsparks memory doctor --fix",
	.options = options,
	.run = run_doctor,
};

const SpkCmd spk_memory_cmd_reindex = {
	.name = "reindex",
	.usage = "",
	.summary = "Make words and index anew, and the vectors that are missing.",
	.details =
		"Nobody has to: writes keep all of it up to date, and what is damaged is made "
		"anew by whoever sees it. After another model was chosen it makes the vectors "
		"now that would otherwise come by and by. Ctrl-C keeps those that are made.\n"
		"Vectors of models that were in force before stay, so that one may go back to "
		"them, until --drop-others.\n"
		"--json: {\"vectors_made\", \"without_vector\", \"model\"}, and "
		"\"vectors_dropped\" with --drop-others",
	.example = "sparks memory reindex",
	.options = reindex_options,
	.run = run_reindex,
};
