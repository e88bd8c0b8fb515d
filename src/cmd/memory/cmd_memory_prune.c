/*
 * `sparks memory prune`: what time has left little of, by the decay of [memory]; and `duplicates`:
 * what is there twice. Both only tell, unless --apply takes it out of use.
 */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

#define DAY_US (86400.0 * G_USEC_PER_SEC)

typedef struct {
	double min_score, half_life_days;
} Rule;

static gboolean read_rule(const SpkDesk *desk, const SpkArgs *args, Rule *rule,
			  GError **error)
{
	const char *min = spk_args_str(args, "min-score"),
		   *days = spk_args_str(args, "half-life-days");

	*rule = (Rule){ 0.1, spk_conf_real(desk->session.conf,
					   "memory.decay_half_life_days") };
	return (!min || spk_desk_real("min-score", min, 0, 1, &rule->min_score, error)) &&
	       (!days || spk_desk_real("half-life-days", days, 0, 1e9,
				       &rule->half_life_days, error));
}

/* What is left of it: its confidence, halved once in each half-life. 0 days: it stays. */
static double score_of(const SpkMemoryRow *row, const Rule *rule, gint64 now_us)
{
	double age_days = MAX(0, (double)(now_us - row->time_us)) / DAY_US;

	return rule->half_life_days > 0
		       ? row->confidence * exp2(-age_days / rule->half_life_days)
		       : row->confidence;
}

static json_t *row_to_json(const SpkMemoryRow *row, double score)
{
	json_t *object = spk_portable_row(row);

	spk_json_set(object, "score", json_real(score));
	return object;
}

static void tell(GString *out, const SpkMemoryRow *row, double score, gint64 now_us)
{
	g_autofree char *lead = g_strdup_printf("%.3f", score);

	spk_row_append(out, row, lead, now_us);
}

static void summary(guint due, guint all, gboolean apply)
{
	if (!due)
		fprintf(stderr,
			"nothing is due among %u; --min-score and "
			"--half-life-days widen it\n",
			all);
	else if (apply)
		fprintf(stderr,
			"%u of %u taken out of use; `sparks memory revive ID` puts "
			"one back, `sparks memory forget --state retired` removes "
			"them\n",
			due, all);
	else
		fprintf(stderr,
			"%u of %u would be taken out of use; nothing was changed: "
			"--apply does it\n",
			due, all);
}

/* One after the other: what Ctrl-C leaves is as it was. */
static gboolean prune(SpkDesk *desk, const GPtrArray *rows, const Rule *rule,
		      gboolean apply, json_t *due, GString *out, GError **error)
{
	gint64 now_us = spk_now_us();
	gboolean was;

	for (guint i = 0; i < rows->len; i++) {
		const SpkMemoryRow *row = rows->pdata[i];
		double score = score_of(row, rule, now_us);

		if (score >= rule->min_score)
			continue;
		if (apply && !spk_memories_retire(desk->store, row->id, &was, error))
			return FALSE;
		json_array_append_new(due, row_to_json(row, score));
		tell(out, row, score, now_us);
	}
	return TRUE;
}

static int run_prune(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_auto(SpkDeskHold) hold = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(json_t) object = NULL, due = json_array();
	SpkMemoryList what = { .state = SPK_MEMORY_ACTIVE, .oldest_first = TRUE };
	gboolean apply = spk_args_flag(args, "apply");
	Rule rule;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	if (!read_rule(&desk, args, &rule, &error) ||
	    !spk_desk_which(&desk, args, &what, &hold, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	rows = spk_memories_list(desk.store, &what, &error);
	if (!rows || !prune(&desk, rows, &rule, apply, due, out, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	object = json_pack("{s:b,s:f,s:f,s:O}", "applied", apply, "min_score",
			   rule.min_score, "half_life_days", rule.half_life_days, "due",
			   due);
	if (desk.json) {
		spk_cmd_print_json(object);
		return 0;
	}
	fputs(out->str, stdout);
	fflush(stdout);
	summary(json_array_size(due), rows->len, apply);
	return 0;
}

static const SpkCmdOpt prune_options[] = {
	{ "min-score", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "due is what has less than this left, 0 to 1 (default 0.1)" },
	{ "half-life-days", .type = SPK_CMD_STRING, .value = "DAYS",
	  .sentence = "days in which half of it goes (default: "
		      "memory.decay_half_life_days); 0: it doesn't" },
	{ "apply", .type = SPK_CMD_FLAG, .sentence = "take them out of use" },
	SPK_DESK_OPTS_WHICH,
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_prune = {
	.name = "prune",
	.usage = "",
	.summary = "Show what time has left little of; --apply takes it out of use.",
	.details =
		"What is left of a memory is its confidence, halved once in each half-life "
		"since it was said.\n"
		"--json: {\"applied\", \"min_score\", \"half_life_days\", \"due\": [objects of " SPK_ROW_JSON
		", and score]}",
	.example = "sparks memory prune --half-life-days 90\n"
		   "sparks memory prune --scope repo --min-score 0.05 --apply",
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
		"By their vectors: without a model there are none. From memory.dedup_threshold "
		"on they are merged when they are added.\n"
		"--json: [{\"cosine\", \"one\", \"other\"}], both objects of " SPK_ROW_JSON
		".",
	.example = "sparks memory duplicates --threshold 0.9",
	.options = duplicates_options,
	.run = run_duplicates,
};
