/* `sparks memory stats`: how many there are, of what, and what they take. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/health.h"
#include "cmd/memory/memory_all.h"
#include "cmd/memory/rows.h"
#include "cmd/ui.h"

enum { SHOWN = 12 };

static gint64 file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* ---- JSON ---- */

static json_t *sums_to_json(const GArray *sums)
{
	json_t *array = json_array();

	for (guint i = 0; sums && i < sums->len; i++) {
		const SpkMemorySum *sum = &g_array_index(sums, SpkMemorySum, i);

		json_array_append_new(array, json_pack("{s:o,s:I}", "name",
						       spk_json_text(sum->name), "count",
						       (json_int_t)sum->n));
	}
	return array;
}

static json_t *time_or_null(gint64 us)
{
	g_autofree char *time = us ? spk_time_format(us) : NULL;

	return spk_json_text(time);
}

static json_t *to_json(const SpkMemoryStats *stats, const SpkHealth *health,
		       gint64 without, gint64 others)
{
	g_autofree char *model = spk_memory_model(health->memory);
	gint64 index = spk_health_index_bytes(health);
	json_t *object = json_object();

	for (guint i = 0; i < SPK_N_MEMORY_STATES; i++)
		spk_json_set(object, spk_memory_state_name(i),
			     json_integer(stats->by_state[i]));
	spk_json_set(object, "untrusted", json_integer(stats->untrusted));
	spk_json_set(object, "merged", json_integer(stats->merged));
	spk_json_set(object, "edited", json_integer(stats->edited));
	spk_json_set(object, "forgotten", json_integer(stats->gone));
	spk_json_set(object, "oldest", time_or_null(stats->oldest_us));
	spk_json_set(object, "newest", time_or_null(stats->newest_us));
	spk_json_set(object, "scopes", sums_to_json(stats->scopes));
	spk_json_set(object, "kinds", sums_to_json(stats->kinds));
	spk_json_set(object, "models", sums_to_json(stats->models));
	spk_json_set(object, "model", spk_json_text(model));
	spk_json_set(object, "without_vector", json_integer(without));
	spk_json_set(object, "other_vectors", json_integer(others));
	spk_json_set(object, "words", json_integer(stats->words));
	spk_json_set(object, "text_bytes", json_integer(stats->text_bytes));
	spk_json_set(object, "store_bytes",
		     json_integer(file_bytes(spk_store_path(health->store))));
	spk_json_set(object, "index_bytes",
		     index < 0 ? json_null() : json_integer(index));
	return object;
}

/* ---- words ---- */

static void print_sums(const char *title, const GArray *sums)
{
	guint n = sums ? sums->len : 0;

	if (n)
		printf("%s\n", title);
	for (guint i = 0; i < MIN(n, SHOWN); i++) {
		const SpkMemorySum *sum = &g_array_index(sums, SpkMemorySum, i);
		g_autofree char *name = spk_ui_line(sum->name, 60);
		g_autofree char *number = spk_ui_number(sum->n);

		printf("  %8s  %s\n", number, name);
	}
	if (n > SHOWN)
		printf("            and %u more\n", n - SHOWN);
}

static void print_states(const SpkMemoryStats *stats)
{
	g_autofree char *active = spk_ui_number(stats->by_state[SPK_MEMORY_ACTIVE]);
	const struct {
		gint64 n;
		const char *what;
	} rest[] = {
		{ stats->by_state[SPK_MEMORY_SUPERSEDED], "superseded" },
		{ stats->by_state[SPK_MEMORY_RETIRED], "retired" },
		{ stats->untrusted, "of them untrusted" },
		{ stats->merged, "said again and merged" },
		{ stats->edited, "edited" },
	};

	printf("%s in use", active);
	for (gsize i = 0; i < G_N_ELEMENTS(rest); i++)
		if (rest[i].n)
			printf(", %" G_GINT64_FORMAT " %s", rest[i].n, rest[i].what);
	putchar('\n');
}

static void print(const SpkMemoryStats *stats, const SpkHealth *health, gint64 without,
		  gint64 others)
{
	g_autofree char *model = spk_memory_model(health->memory);
	g_autofree char *text = spk_text_bytes(stats->text_bytes);
	g_autofree char *store =
		spk_text_bytes(file_bytes(spk_store_path(health->store)));
	gint64 index_bytes = spk_health_index_bytes(health);
	g_autofree char *index = index_bytes < 0 ? g_strdup("none saved")
						 : spk_text_bytes(index_bytes);
	g_autofree char *words = spk_ui_number(stats->words);

	print_states(stats);
	if (stats->newest_us) {
		g_autofree char *oldest = spk_ui_time(stats->oldest_us);
		g_autofree char *newest = spk_ui_time(stats->newest_us);

		printf("from %s to %s\n", oldest, newest);
	}
	print_sums("scopes", stats->scopes);
	print_sums("kinds", stats->kinds);
	print_sums("vectors of", stats->models);
	printf("model     %s\n", model ? model : "none: searches go by words alone");
	if (model && without)
		printf("          %" G_GINT64_FORMAT
		       " memories without its vector: sparks memory reindex\n",
		       without);
	if (others)
		printf("          %" G_GINT64_FORMAT
		       " vectors of other models: sparks memory reindex --drop-others\n",
		       others);
	printf("texts     %s, %s different words\n", text, words);
	printf("on disk   database %s (tasks and all), index %s\n", store, index);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_auto(SpkMemoryStats) stats = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	SpkHealth health;
	gint64 without, others;
	int code;

	if (!spk_desk_open(&desk, args, &code))
		return code;
	health = (SpkHealth){ .store = desk.store,
			      .memory = desk.memory,
			      .conf = desk.session.conf,
			      .home = spk_core_home(desk.session.core) };
	if (!spk_memories_stats(desk.store, &stats, &error) ||
	    !spk_health_without_vector(&health, &without, &error) ||
	    !spk_health_other_vectors(&health, &others, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!desk.json) {
		print(&stats, &health, without, others);
		return 0;
	}
	object = to_json(&stats, &health, without, others);
	spk_cmd_print_json(object);
	return 0;
}

const SpkCmd spk_memory_cmd_stats = {
	.name = "stats",
	.usage = "",
	.summary =
		"Count the memories by scope, kind and model, and what they take on disk.",
	.details =
		"--json: an object of active, superseded, retired, untrusted, merged, edited, "
		"forgotten, oldest, newest, scopes, kinds and models (arrays of {\"name\", "
		"\"count\"} of those in use), model (in force), without_vector, other_vectors (of models that "
		"are not in force), words, "
		"text_bytes, store_bytes and index_bytes.",
	.example = "sparks memory stats --json",
	.options = spk_only_json,
	.run = run,
};
