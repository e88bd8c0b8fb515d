/*
 * `sparks memory prune`: what time has left little of, by the decay of [memory]; and `duplicates`:
 * what is there twice. Both only tell, unless --apply takes it out of use.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"
#include "store/memory_moves.h"

static gboolean read_rules(const SpkDesk *desk, const SpkArgs *args,
			   SpkMemoryPrune *rules, GError **error)
{
	const char *min = spk_args_str(args, "min-score"),
		   *days = spk_args_str(args, "half-life-days");

	*rules = (SpkMemoryPrune){
		.min_score = 0.1,
		.half_life_days =
			spk_conf_real(desk->session.conf, "memory.decay_half_life_days"),
		.max_entries = spk_conf_int(desk->session.conf, "memory.max_entries"),
	};
	return (!min ||
		spk_desk_real("min-score", min, 0, 1, &rules->min_score, error)) &&
	       (!days || spk_desk_real("half-life-days", days, 0.001, 1e6,
				       &rules->half_life_days, error));
}

static void summary(gsize n, gboolean apply)
{
	if (!n)
		fputs("nothing is due; --min-score and --half-life-days widen it\n",
		      stderr);
	else if (apply)
		fprintf(stderr,
			"%zu taken out of use; `sparks memory revive ID` puts one back, "
			"`sparks memory forget --state retired` removes all that are\n",
			n);
	else
		fprintf(stderr,
			"%zu would be taken out of use; nothing was changed: --apply does "
			"it\n",
			n);
}

static void print_due(const GPtrArray *due)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; i < due->len; i++) {
		const SpkMemoryOld *old = due->pdata[i];
		g_autofree char *lead = g_strdup_printf("%.3f", old->score);

		spk_row_append(out, old->row, lead, spk_now_us());
	}
	fputs(out->str, stdout);
	fflush(stdout);
}

static void print_due_json(const GPtrArray *due, const SpkMemoryPrune *rules,
			   gboolean apply, gsize n)
{
	json_t *rows = json_array();
	g_autoptr(json_t) object = NULL;

	for (guint i = 0; i < due->len; i++) {
		const SpkMemoryOld *old = due->pdata[i];
		json_t *row = spk_portable_row(old->row);

		spk_json_set(row, "score", json_real(old->score));
		json_array_append_new(rows, row);
	}
	object = json_pack("{s:b,s:f,s:f,s:I,s:o}", "applied", apply, "min_score",
			   rules->min_score, "half_life_days", rules->half_life_days,
			   "retired", (json_int_t)n, "due", rows);
	spk_cmd_print_json(object);
}

static int run_prune(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) due = NULL;
	gboolean apply = spk_args_flag(args, "apply");
	SpkMemoryPrune rules;
	gsize n = 0;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	if (!read_rules(&desk, args, &rules, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	due = spk_memories_prune_find(desk.store, &rules, &error);
	if (!due || (apply && !spk_memories_prune(desk.store, &rules, &n, &error)))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (desk.json) {
		print_due_json(due, &rules, apply, n);
		return 0;
	}
	print_due(due);
	summary(apply ? n : due->len, apply);
	return 0;
}

static const SpkCmdOpt prune_options[] = {
	{ "min-score", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "due is what has less than this left, 0 to 1 (default 0.1)" },
	{ "half-life-days", .type = SPK_CMD_STRING, .value = "DAYS",
	  .sentence = "days in which half of it goes (default: "
		      "memory.decay_half_life_days)" },
	{ "apply", .type = SPK_CMD_FLAG, .sentence = "take them out of use" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_prune = {
	.name = "prune",
	.usage = "",
	.summary = "Show what time has left little of; --apply takes it out of use.",
	.details =
		"What is left of a memory is its confidence, halved once in each half-life "
		"since it was said. Due is also what is beyond memory.max_entries, the least "
		"first.\n"
		"--json: {\"applied\", \"min_score\", \"half_life_days\", \"retired\", \"due\": [objects of " SPK_ROW_JSON
		", and score]}",
	.example = "sparks memory prune --half-life-days 90\n"
		   "sparks memory prune --min-score 0.05 --apply",
	.options = prune_options,
	.run = run_prune,
};

/* ---- duplicates ---- */

typedef struct {
	SpkStore *store;
	json_t *pairs;
	GString *out;
	gint64 now_us;
	gboolean json;
	GError *error;
} Pairs;

static void tell_pair(Pairs *pairs, const SpkMemoryRow *one, const SpkMemoryRow *other,
		      double cosine)
{
	g_autofree char *lead = g_strdup_printf("%.3f", cosine);

	spk_row_append(pairs->out, one, lead, pairs->now_us);
	spk_row_append(pairs->out, other, "     ", pairs->now_us);
}

/* One of the two may be forgotten by another process right now: then there is no pair. */
static void on_pair(const char *id, const char *other_id, double cosine, gpointer user)
{
	Pairs *pairs = user;
	g_autoptr(SpkMemoryRow) one = NULL, other = NULL;

	if (pairs->error || !spk_memories_get(pairs->store, id, &one, &pairs->error) ||
	    !spk_memories_get(pairs->store, other_id, &other, &pairs->error) || !one ||
	    !other)
		return;
	json_array_append_new(pairs->pairs, json_pack("{s:f,s:o,s:o}", "cosine", cosine,
						      "one", spk_portable_row(one),
						      "other", spk_portable_row(other)));
	if (!pairs->json)
		tell_pair(pairs, one, other, cosine);
}

/* Without vectors nobody can tell, which is another answer than none. */
static gboolean check_model(const SpkDesk *desk, GError **error)
{
	g_autofree char *model = spk_memory_model(desk->memory);

	if (model)
		return TRUE;
	spk_error_set(
		error, SPK_ERR_NOT_FOUND,
		"`sparks memory model install` gets one; [embedding] enabled must be "
		"true",
		"memories are compared by a model, and there is none");
	return FALSE;
}

static int run_duplicates(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) array = json_array();
	g_autoptr(GString) out = g_string_new(NULL);
	const char *given = spk_args_str(args, "threshold");
	double threshold = 0.92;
	Pairs pairs = { .pairs = array, .out = out, .now_us = spk_now_us() };
	int code;

	if (given && !spk_desk_real("threshold", given, 0, 1, &threshold, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	if (!check_model(&desk, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	pairs.store = desk.store;
	pairs.json = desk.json;
	if (!spk_memory_duplicates(desk.memory, threshold,
				   spk_args_int(args, "limit", 100), on_pair, &pairs,
				   cancel, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (pairs.error)
		return spk_desk_fail(&desk, g_steal_pointer(&pairs.error));
	if (desk.json)
		spk_cmd_print_json(array);
	fputs(out->str, stdout);
	fflush(stdout);
	if (!desk.json)
		fprintf(stderr, json_array_size(array)
					? "keep one of each: sparks memory retire ID\n"
					: "no two are that alike\n");
	return 0;
}

static const SpkCmdOpt duplicates_options[] = {
	{ "threshold", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "likeness (cosine) from which two are listed (default 0.92)" },
	{ "limit", .letter = 'n', .type = SPK_CMD_INT, .value = "N", .min = 1,
	  .max = 100000, .sentence = "at most N pairs (default 100)" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON array on stdout" },
	{ NULL },
};

const SpkCmd spk_memory_cmd_duplicates = {
	.name = "duplicates",
	.usage = "",
	.summary = "List pairs of one scope that say nearly the same, likest first.",
	.details =
		"By their vectors, so a model is needed. From memory.dedup_threshold "
		"on they are merged when they are added.\n"
		"--json: [{\"cosine\", \"one\", \"other\"}], both objects of " SPK_ROW_JSON
		".",
	.example = "sparks memory duplicates --threshold 0.9",
	.options = duplicates_options,
	.run = run_duplicates,
};
