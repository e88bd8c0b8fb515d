/*
 * The loop guard. Two things are no work: the same calls with the same results, over the same
 * files, again and again; and a long row of calls that change nothing and tell nothing. A call
 * tells something when its result is new, or when the call is new and the answer short ("no
 * match"): reading the same text once more by another spelling does not. So reading through a
 * repository, however long, is never a loop, and neither is testing after each change.
 */
#include "guard/loop.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define SHORT_ANSWER 200 /* bytes: what a new call may be told twice */
#define SHOWN_BYTES  160 /* of a call or a result, as evidence */
#define CYCLE_MAX    4
#define IDLE_MIN     6 /* calls without news, however small the window */
#define NEVER	     (-1)

typedef struct {
	char *hash; /* of call, result and files; NULL: not used yet */
	char *call, *result;
} LoopEntry;

struct SpkLoopGuard {
	guint window, threshold;
	LoopEntry *ring;   /* `window` entries */
	guint n;	   /* calls so far */
	char *tree;	   /* the files before the next call; NULL: as at the start */
	GHashTable *known; /* hashes of results, of calls with results, and of files */
	guint idle;	   /* calls in a row that brought nothing */
	gint64 told_at;	   /* number of the call at which the model was told */
	guint told_turn;
};

SpkLoopGuard *spk_loop_guard_new(guint window, guint threshold)
{
	SpkLoopGuard *guard = g_new0(SpkLoopGuard, 1);

	guard->window = CLAMP(window, 1, 1000);
	guard->threshold = MAX(threshold, 1);
	guard->ring = g_new0(LoopEntry, guard->window);
	guard->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	guard->told_at = NEVER;
	return guard;
}

static void entry_clear(LoopEntry *entry)
{
	g_free(entry->hash);
	g_free(entry->call);
	g_free(entry->result);
	*entry = (LoopEntry){ 0 };
}

void spk_loop_guard_free(SpkLoopGuard *guard)
{
	if (!guard)
		return;
	for (guint i = 0; i < guard->window; i++)
		entry_clear(&guard->ring[i]);
	g_free(guard->ring);
	g_hash_table_unref(guard->known);
	g_free(guard->tree);
	g_free(guard);
}

void spk_loop_finding_clear(SpkLoopFinding *finding)
{
	g_free(finding->reason);
	json_decref(finding->evidence);
	*finding = (SpkLoopFinding){ 0 };
}

/* ---- what a call brought ---- */

/* The lengths keep ("ab","c") apart from ("a","bc"). */
static char *hash_of(const char *a, const char *b, const char *c)
{
	const char *const parts[] = { a, b, c };
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		guint64 len = strlen(parts[i]);

		g_checksum_update(sum, (const guchar *)&len, sizeof(len));
		g_checksum_update(sum, (const guchar *)parts[i], len);
	}
	return g_strdup(g_checksum_get_string(sum));
}

/* TRUE the first time. */
static gboolean learn(SpkLoopGuard *guard, const char *what, const char *a, const char *b)
{
	return g_hash_table_add(guard->known, hash_of(what, a, b));
}

static gboolean brings_something(SpkLoopGuard *guard, const SpkLoopCall *call)
{
	gboolean files = call->tree && learn(guard, "files", call->tree, "");
	gboolean result = learn(guard, "result", call->result, "");
	gboolean pair = learn(guard, "pair", call->call, call->result);

	return files || result || (pair && strlen(call->result) <= SHORT_ANSWER);
}

static LoopEntry *entry_back(SpkLoopGuard *guard, guint back)
{
	return &guard->ring[(guard->n - 1 - back) % guard->window];
}

static char *shown(const char *text)
{
	g_autofree char *part =
		g_strndup(text, spk_text_prefix_len(text, strlen(text), 4 * SHOWN_BYTES));
	g_autofree char *line = spk_text_clean(part, -1, SPK_CLEAN_LINE);

	return spk_text_clip(line, SHOWN_BYTES);
}

/* Two changes that take each other back lead to files that were there before: those are part
 * of what a call is. */
static void take(SpkLoopGuard *guard, const SpkLoopCall *call)
{
	LoopEntry *entry = &guard->ring[guard->n++ % guard->window];

	entry_clear(entry);
	entry->hash = hash_of(call->call, call->result, guard->tree ? guard->tree : "");
	entry->call = shown(call->call);
	entry->result = shown(call->result);
	guard->idle = brings_something(guard, call) ? 0 : guard->idle + 1;
	if (call->tree) {
		g_free(guard->tree);
		guard->tree = g_strdup(call->tree);
	}
}

/* ---- loops ---- */

static guint times_in_ring(SpkLoopGuard *guard)
{
	const char *hash = entry_back(guard, 0)->hash;
	guint times = 0;

	for (guint i = 0; i < guard->window; i++)
		times += !g_strcmp0(guard->ring[i].hash, hash);
	return times;
}

/* The last calls repeat what was `length` calls before each of them. */
static gboolean goes_round(SpkLoopGuard *guard, guint length)
{
	guint all = length * guard->threshold + 1;

	if (all > MIN(guard->n, guard->window))
		return FALSE;
	for (guint i = 0; i + length < all; i++)
		if (strcmp(entry_back(guard, i)->hash,
			   entry_back(guard, i + length)->hash))
			return FALSE;
	return TRUE;
}

static void add_evidence(SpkLoopGuard *guard, guint n, SpkLoopFinding *finding)
{
	finding->evidence = json_array();
	for (guint i = MIN(n, MIN(guard->n, guard->window)); i > 0; i--) {
		const LoopEntry *entry = entry_back(guard, i - 1);

		json_array_append_new(finding->evidence,
				      json_pack("{s:o,s:o}", "call",
						spk_json_text(entry->call), "result",
						spk_json_text(entry->result)));
	}
}

static void describe_loop(SpkLoopGuard *guard, guint times, SpkLoopFinding *finding)
{
	guint length = 1;

	while (length <= CYCLE_MAX && !goes_round(guard, length))
		length++;
	if (length > CYCLE_MAX)
		length = 1;
	finding->shape = length == 1 ? SPK_LOOP_IDENTICAL : SPK_LOOP_CYCLE;
	finding->length = length;
	add_evidence(guard, length, finding);
	if (length == 1)
		finding->reason = g_strdup_printf(
			"the same call gave the same result %u times within the last %u "
			"calls: %s",
			times, guard->window, entry_back(guard, 0)->call);
	else
		finding->reason = g_strdup_printf(
			"the same %u calls, with the same results, came round %u times "
			"within the last %u calls; the last one: %s",
			length, times, guard->window, entry_back(guard, 0)->call);
}

static void describe_idle(SpkLoopGuard *guard, SpkLoopFinding *finding)
{
	finding->shape = SPK_LOOP_IDLE;
	finding->length = guard->idle;
	add_evidence(guard, CYCLE_MAX, finding);
	finding->reason = g_strdup_printf("the last %u calls changed nothing and told "
					  "nothing new; the last one: %s",
					  guard->idle, entry_back(guard, 0)->call);
}

/* ---- verdicts ---- */

/* The model was told lately, and has answered since. */
static gboolean was_told(const SpkLoopGuard *guard, guint turn, gboolean *ret_now)
{
	gboolean lately = guard->told_at != NEVER &&
			  guard->n - guard->told_at <= guard->window;

	*ret_now = lately && guard->told_turn == turn;
	return lately && !*ret_now;
}

static guint idle_max(const SpkLoopGuard *guard)
{
	return MAX(guard->window, IDLE_MIN);
}

static SpkLoopVerdict verdict_on(SpkLoopGuard *guard, guint times, guint turn)
{
	gboolean now, told = was_told(guard, turn, &now);
	gboolean loops = times > guard->threshold;

	if (now || (!loops && guard->idle < idle_max(guard)))
		return SPK_LOOP_OK;
	if (!told)
		return SPK_LOOP_WARN;
	/* who reads on for a while after the word may still be about to act */
	return loops || guard->idle >= idle_max(guard) * 3 / 2 ? SPK_LOOP_STOP
							       : SPK_LOOP_OK;
}

SpkLoopVerdict spk_loop_guard_note(SpkLoopGuard *guard, const SpkLoopCall *call,
				   SpkLoopFinding *ret)
{
	SpkLoopVerdict verdict;
	guint times;

	*ret = (SpkLoopFinding){ 0 };
	take(guard, call);
	times = times_in_ring(guard);
	verdict = verdict_on(guard, times, call->turn);
	if (verdict == SPK_LOOP_OK)
		return verdict;
	if (times > guard->threshold)
		describe_loop(guard, times, ret);
	else
		describe_idle(guard, ret);
	if (verdict == SPK_LOOP_WARN) {
		guard->told_at = guard->n;
		guard->told_turn = call->turn;
	}
	return verdict;
}

const char *spk_loop_shape_name(SpkLoopShape shape)
{
	static const char *const names[] = { "identical", "cycle", "no_progress" };

	return names[shape];
}
