/* `sparks memory search`: what a question brings back, and with --explain how that came about. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

static json_t *rank_or_null(int rank)
{
	return rank ? json_integer(rank) : json_null();
}

static json_t *explained(const SpkMemoryHit *hit)
{
	return json_pack("{s:{s:o,s:o,s:f},s:{s:o,s:o,s:f},s:f,s:f,s:f,s:f,s:f,s:f,s:f}",
			 "words", "rank", rank_or_null(hit->rank_words), "bm25",
			 hit->rank_words ? json_real(hit->bm25) : json_null(), "scaled",
			 hit->words, "vector", "rank", rank_or_null(hit->rank_vector),
			 "cosine",
			 hit->cosine != 0 ? json_real(hit->cosine) : json_null(),
			 "scaled", hit->vector, "lent", hit->lent, "named", hit->named,
			 "timed", hit->timed, "dated", hit->dated, "age", hit->age,
			 "substance", hit->substance, "apart", hit->apart);
}

static json_t *hit_to_json(const SpkMemoryHit *hit, gboolean explain)
{
	json_t *object = spk_portable_row(hit->row);

	spk_json_set(object, "score", json_real(hit->score));
	if (explain)
		spk_json_set(object, "explain", explained(hit));
	return object;
}

/* What a leg gave: its share of the score, or with other formulas than the sum what it handed on. */
static void append_leg(GString *out, const char *name, int rank, const char *unit,
		       double value, double share)
{
	g_string_append_printf(out, "      %-10s %7.4f  ", name, share);
	if (rank)
		g_string_append_printf(out, "rank %d, %s %.4f\n", rank, unit, value);
	else if (value != 0)
		g_string_append_printf(out, "not among its best; %s %.4f\n", unit, value);
	else
		g_string_append(out, "not found by it\n");
}

/* Bonuses that are nothing are left out, the legs never. */
static void append_explained(GString *out, const SpkMemoryHit *hit, const SpkConf *conf)
{
	gboolean sum = !strcmp(spk_conf_str(conf, "memory.fusion"), "scaled");
	const struct {
		const char *name, *why;
		double share;
	} parts[] = {
		{ "lent", "by the turns beside it", hit->lent },
		{ "named", "the question names its speaker", hit->named },
		{ "timed", "it names a time, and one is asked for", hit->timed },
		{ "dated", "it is of the time that the question names", hit->dated },
		{ "age", sum ? "it is recent" : "a factor", hit->age },
		{ "substance", "how much it says, and whether it only asks",
		  hit->substance },
		{ "apart", "alike ones are held apart (memory.diversity)", hit->apart },
	};

	append_leg(out, "words", hit->rank_words, "bm25", hit->bm25,
		   hit->words * (sum ? spk_conf_real(conf, "memory.weight_words") : 1));
	append_leg(out, "vector", hit->rank_vector, "cosine", hit->cosine,
		   hit->vector * (sum ? spk_conf_real(conf, "memory.weight_vector") : 1));
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		if (parts[i].share != 0)
			g_string_append_printf(out, "      %-10s %7.4f  %s\n",
					       parts[i].name, parts[i].share,
					       parts[i].why);
}

static void print(const GPtrArray *hits, const SpkConf *explain, gint64 now_us)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (guint i = 0; i < hits->len; i++) {
		const SpkMemoryHit *hit = hits->pdata[i];
		g_autofree char *score = g_strdup_printf("%.3f", hit->score);

		spk_row_append(out, hit->row, score, now_us);
		if (explain)
			append_explained(out, hit, explain);
	}
	fputs(out->str, stdout);
	if (!hits->len)
		fputs("nothing found; what there is: sparks memory list\n", stderr);
}

static gboolean read_options(const SpkArgs *args, SpkMemoryQuery *query,
			     char ***ret_scopes, GError **error)
{
	const char *const *kinds = spk_args_list(args, "kind");
	const char *at = spk_args_str(args, "at");

	query->k = spk_args_int(args, "limit", 10);
	query->kinds = *kinds ? kinds : NULL;
	query->words_only = spk_args_flag(args, "words");
	*ret_scopes = spk_desk_scopes(spk_args_list(args, "scope"), error);
	if (!*ret_scopes)
		return FALSE;
	query->scopes = **ret_scopes ? (const char *const *)*ret_scopes : NULL;
	return !at || spk_desk_time("at", at, &query->now_us, error);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) hits = NULL;
	g_autoptr(json_t) array = json_array();
	g_auto(GStrv) scopes = NULL;
	g_autofree char *text = g_strjoinv(" ", (char **)spk_args_rest(args));
	gboolean explain = spk_args_flag(args, "explain");
	SpkMemoryQuery query = { .text = text };
	int code;

	if (!read_options(args, &query, &scopes, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	hits = spk_memory_search(desk.memory, &query, &error);
	if (!hits)
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	for (guint i = 0; desk.json && i < hits->len; i++)
		json_array_append_new(array, hit_to_json(hits->pdata[i], explain));
	if (desk.json)
		spk_cmd_print_json(array);
	else
		print(hits, explain ? desk.session.conf : NULL,
		      query.now_us ? query.now_us : spk_now_us());
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "limit", .letter = 'n', .type = SPK_CMD_INT, .value = "N", .min = 1,
	  .max = SPK_MEMORY_K_MAX, .sentence = "at most N (default 10)" },
	SPK_DESK_OPT_SCOPE,
	SPK_DESK_OPT_KIND,
	{ "explain", .type = SPK_CMD_FLAG,
	  .sentence =
		  "how each score came about: the legs, their ranks, what was added" },
	{ "words", .type = SPK_CMD_FLAG,
	  .sentence = "by its words alone, without the model" },
	{ "at", .type = SPK_CMD_STRING, .value = "TIME",
	  .sentence = "ages count from then instead of now" },
	{ "json", .type = SPK_CMD_FLAG, .sentence = "one JSON array on stdout" },
	{ NULL },
};

const SpkCmd spk_memory_cmd_search = {
	.name = "search",
	.usage = "QUESTION",
	.min_args = 1,
	.max_args = -1,
	.summary = "Search the memories; best first, with score, age, scope and kind.",
	.details =
		"Words and meaning count both; nothing in a question is syntax.\n"
		"--json: an array of objects of " SPK_ROW_JSON
		", and score; with --explain also explain: {\"words\": {\"rank\", "
		"\"bm25\", \"scaled\"}, \"vector\": {\"rank\", \"cosine\", "
		"\"scaled\"}, \"lent\", \"named\", \"timed\", \"dated\", \"age\", "
		"\"substance\", \"apart\"}; memory.weight_words and memory.weight_vector are not in "
		"scaled yet.",
	.example = "sparks memory search which database does staging use\n"
		   "sparks memory search 'flaky tests' --scope repo --explain",
	.options = options,
	.run = run,
};
