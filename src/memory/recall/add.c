/* What is added: checked, cleaned, embedded, merged with what says the same, written. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "guard/redact.h"
#include "memory/recall/memory_priv.h"

#define NEAREST		4    /* memories that a new one is compared with */
#define NEAREST_OF_ALL	32   /* among which they are looked for */
#define RELATED		0.80 /* cosine from which two may be about the same thing */
#define EQUAL_WORDS	8    /* likewise without vectors: the best by words */
#define TRIES		4    /* of a merge, where others write at the same time */
#define RETIRED_AT_ONCE 256

void spk_memory_added_clear(SpkMemoryAdded *added)
{
	g_clear_pointer(&added->id, g_free);
	g_clear_pointer(&added->merged_into, g_free);
	g_clear_pointer(&added->superseded, g_free);
}

/* One that is on its way in. */
typedef struct {
	const SpkMemoryNew *from;
	SpkMemoryRow *row;
	float *vector; /* NULL: none */
	gboolean done; /* it is in the store, as itself or merged */
	SpkMemoryAdded *ret;
} Entry;

static void entry_free(gpointer data)
{
	Entry *entry = data;

	g_clear_pointer(&entry->row, spk_memory_row_free);
	g_free(entry->vector);
	g_free(entry);
}

/* ---- what it is ---- */

char *spk_memory_clean(const char *text, GError **error)
{
	g_autofree char *clean = NULL, *redacted = NULL;

	if (!text || !g_utf8_validate(text, -1, NULL)) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "text is UTF-8",
			      "the memory's text is not UTF-8");
		return NULL;
	}
	if (strlen(text) > SPK_MEMORY_TEXT_MAX) {
		spk_error_set(
			error, SPK_ERR_BAD_INPUT,
			"store what matters of it, in several memories if need be",
			"the memory has %zu bytes, more than the %u that one may have",
			strlen(text), SPK_MEMORY_TEXT_MAX);
		return NULL;
	}
	clean = spk_text_clean(text, -1, SPK_CLEAN_TEXT);
	redacted = spk_redact_text(NULL, clean);
	g_strstrip(redacted);
	if (!*redacted) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "say what is to be kept",
			      "the text of the memory is empty");
		return NULL;
	}
	return spk_text_clip(redacted, SPK_MEMORY_TEXT_MAX);
}

static char *word_or(const char *word, const char *fallback)
{
	return g_strdup(word && *word ? word : fallback);
}

static SpkMemoryRow *row_of(const SpkMemoryNew *add, GError **error)
{
	g_autoptr(SpkMemoryRow) row = g_new0(SpkMemoryRow, 1);
	gsize speaker;

	row->text = spk_memory_clean(add->text, error);
	if (!row->text)
		return NULL;
	speaker = add->is_turn ? spk_traits_speaker(row->text) : 0;
	row->speaker = speaker ? g_strndup(row->text, speaker) : NULL;
	row->id = add->id ? g_strdup(add->id) : spk_id_new();
	row->kind = word_or(add->kind, "fact");
	row->scope = word_or(add->scope, "user");
	row->source = word_or(add->source, "user");
	row->task = g_strdup(add->task);
	row->entry = add->task ? add->entry : 0;
	row->untrusted = add->untrusted;
	row->time_us = add->time_us ? add->time_us : spk_now_us();
	row->confidence = add->confidence > 0 ? MIN(add->confidence, 1) : 1;
	row->supersedes = g_strdup(add->supersedes);
	return g_steal_pointer(&row);
}

static gboolean is_known(SpkMemory *memory, const char *id, GError **error)
{
	g_autoptr(SpkMemoryRow) row = NULL;

	if (!spk_memories_get(memory->store, id, &row, error))
		return FALSE;
	if (!row)
		spk_error_set(error, SPK_ERR_NOT_FOUND, "sparks memory list",
			      "there is no memory \"%s\" to take the place of", id);
	return row != NULL;
}

static gboolean prepare(SpkMemory *memory, const SpkMemoryNew *add, Entry *entry,
			GError **error)
{
	gboolean has;

	entry->from = add;
	entry->row = row_of(add, error);
	if (!entry->row)
		return FALSE;
	if (add->embedding) {
		if (!spk_memory_model_for(memory, add->dims, &has, error))
			return FALSE;
		entry->vector = spk_memory_unit(add->embedding, add->dims, error);
		if (!entry->vector)
			return FALSE;
	}
	return !add->supersedes || is_known(memory, add->supersedes, error);
}

/* ---- its vector ---- */

/* Puts a turn that comes in with it among those before it: later than what is in the store at the
 * same time. */
static void put_earlier(SpkMemoryEarlier *earlier, const SpkMemoryRow *row)
{
	guint at = 0;

	while (at < SPK_MEMORY_EARLIER && earlier->text[at] &&
	       earlier->time_us[at] > row->time_us)
		at++;
	if (at == SPK_MEMORY_EARLIER)
		return;
	g_free(earlier->text[SPK_MEMORY_EARLIER - 1]);
	for (guint i = SPK_MEMORY_EARLIER - 1; i > at; i--) {
		earlier->text[i] = earlier->text[i - 1];
		earlier->time_us[i] = earlier->time_us[i - 1];
	}
	earlier->text[at] = g_strdup(row->text);
	earlier->time_us[at] = row->time_us;
}

/* A pause ends what belongs together. */
static void cut_at_gap(SpkMemoryEarlier *earlier, gint64 time_us, gint64 gap_us)
{
	for (guint i = 0; i < SPK_MEMORY_EARLIER; i++) {
		if (earlier->text[i] && time_us - earlier->time_us[i] <= gap_us) {
			time_us = earlier->time_us[i];
			continue;
		}
		for (; i < SPK_MEMORY_EARLIER; i++)
			g_clear_pointer(&earlier->text[i], g_free);
	}
}

/* What was said before the i-th, in the store and by those that come in with it. */
static gboolean text_before(SpkMemory *memory, const GPtrArray *entries, guint i,
			    char **ret, GError **error)
{
	const SpkMemoryRow *row = ((const Entry *)entries->pdata[i])->row;
	SpkMemoryEarlier earlier;

	*ret = NULL;
	if (!row->speaker)
		return TRUE;
	if (!spk_memory_find_earlier(memory, row->scope, row->time_us, G_MAXINT64,
				     &earlier, error))
		return FALSE;
	for (guint j = 0; j < entries->len; j++) {
		const SpkMemoryRow *other = ((const Entry *)entries->pdata[j])->row;

		if (j != i && other->speaker && strcmp(other->scope, row->scope) == 0 &&
		    (other->time_us < row->time_us ||
		     (other->time_us == row->time_us && j < i)))
			put_earlier(&earlier, other);
	}
	cut_at_gap(&earlier, row->time_us, memory->knobs.lend_gap_us);
	*ret = spk_memory_said_before(&earlier);
	spk_memory_earlier_clear(&earlier);
	return TRUE;
}

static void passages_free(SpkMemoryPassage *passages)
{
	for (gsize i = 0; passages[i].text; i++)
		spk_memory_passage_clear(&passages[i]);
	g_free(passages);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkMemoryPassage, passages_free)

/* Of those that came without one. A model that fails leaves them for later: what was said is
 * kept in any case. */
static gboolean embed(SpkMemory *memory, const GPtrArray *entries, SpkCancel *cancel,
		      GError **error)
{
	g_autoptr(SpkMemoryPassage) passages = g_new0(SpkMemoryPassage, entries->len + 1);
	g_autofree float *vectors = NULL;
	g_autoptr(GError) failed = NULL;
	gsize n = 0, at = 0;

	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = entries->pdata[i];

		if (entry->vector || !spk_memory_embedder(memory))
			continue;
		if (!text_before(memory, entries, i, &passages[n].before, error))
			return FALSE;
		passages[n++].text = spk_memory_said(entry->row);
	}
	vectors = spk_memory_vectors(memory, passages, n, cancel, &failed);
	if (failed)
		spk_memory_tell_late(failed);
	for (guint i = 0; vectors && i < entries->len; i++) {
		Entry *entry = entries->pdata[i];

		if (!entry->vector)
			entry->vector = g_memdup2(vectors + at++ * memory->dims,
						  memory->dims * sizeof(float));
	}
	return TRUE;
}

/* ---- what says the same ---- */

typedef struct {
	SpkTurns *turns;
	guint32 scope, kind;
} Place;

static gboolean is_at(gint64 num, gpointer user)
{
	const Place *place = user;
	const SpkTurn *turn = spk_turns_get(place->turns, num);

	return turn && turn->scope == place->scope && turn->kind == place->kind;
}

/*
 * Those of the place that are near enough to matter, best first. Looked for among all, which
 * takes no time that grows with the memory; a filter that lets few pass would. Only where all that
 * was found is that near may there be more.
 */
static gsize nearest_at(SpkMemory *memory, const Entry *entry, Place *place, SpkNear *ret)
{
	SpkNear all[NEAREST_OF_ALL];
	gsize n = spk_index_search(memory->index, entry->vector, NEAREST_OF_ALL, NULL,
				   NULL, all);
	gsize found = 0;

	if (n == NEAREST_OF_ALL &&
	    (double)all[n - 1].score >= MIN(RELATED, memory->dedup))
		return spk_index_search(memory->index, entry->vector, NEAREST, is_at,
					place, ret);
	for (gsize i = 0; i < n && found < NEAREST; i++)
		if (is_at(all[i].num, place))
			ret[found++] = all[i];
	return found;
}

/* The nearest of its scope and kind, best first; their cosines where there are vectors. */
static GPtrArray *nearest(SpkMemory *memory, const Entry *entry, double *ret_cosines,
			  GError **error)
{
	Place place = { memory->turns, spk_turns_name(memory->turns, entry->row->scope),
			spk_turns_name(memory->turns, entry->row->kind) };
	gint64 nums[EQUAL_WORDS];
	gsize n = 0;

	if (entry->vector) {
		SpkNear near[NEAREST];

		n = nearest_at(memory, entry, &place, near);
		for (gsize i = 0; i < n; i++) {
			nums[i] = near[i].num;
			ret_cosines[i] = (double)near[i].score;
		}
	} else {
		const char *scopes[] = { entry->row->scope, NULL };
		const char *kinds[] = { entry->row->kind, NULL };
		SpkMemoryFilter filter = { scopes, kinds };
		g_autoptr(GArray)
			found = spk_memories_match(memory->store, entry->row->text,
						   &filter, EQUAL_WORDS, NULL, error);

		if (!found)
			return NULL;
		for (; n < found->len; n++) {
			nums[n] = g_array_index(found, SpkMemoryMatch, n).num;
			ret_cosines[n] = 0;
		}
	}
	return spk_memories_by_num(memory->store, nums, n, error);
}

static gboolean is_same(SpkMemory *memory, const SpkMemoryRow *old,
			const SpkMemoryRow *row, double cosine)
{
	gboolean equal = strcmp(old->text, row->text) == 0;

	if (g_strcmp0(old->speaker, row->speaker) != 0)
		return FALSE;
	/* The same words of the same person at another time are another turn. */
	if (row->speaker && cosine < memory->dedup)
		return equal && old->time_us == row->time_us;
	return equal || (memory->dedup < 1 && cosine >= memory->dedup &&
			 spk_memory_is_same_said(old->text, row->text));
}

static gboolean takes_place_of(const SpkMemoryRow *old, const SpkMemoryRow *row)
{
	return !row->speaker && !row->supersedes && !row->untrusted &&
	       strcmp(row->kind, "failure") != 0 && strcmp(row->kind, "success") != 0 &&
	       old->time_us <= row->time_us &&
	       spk_memory_contradicts(old->text, row->text);
}

/* Whether the store has a memory of its id, which it takes the place of. An id that was merged into
 * another one says something of its own from now on. */
static gboolean find_replaced(SpkMemory *memory, const Entry *entry, gboolean *ret,
			      GError **error)
{
	g_autoptr(SpkMemoryRow) old = NULL;

	*ret = FALSE;
	if (!entry->from->id)
		return TRUE;
	if (!spk_memories_get(memory->store, entry->row->id, &old, error))
		return FALSE;
	*ret = old && strcmp(old->id, entry->row->id) == 0;
	return TRUE;
}

/* *ret_same: the one that it is merged into, or NULL; else what it supersedes goes into the row. */
static gboolean compare(SpkMemory *memory, const Entry *entry, SpkMemoryRow **ret_same,
			GError **error)
{
	double cosines[EQUAL_WORDS];
	g_autoptr(GPtrArray) rows = NULL;
	const char *less_trusted = NULL, *contradicted = NULL;
	gboolean replaces;

	*ret_same = NULL;
	if (!find_replaced(memory, entry, &replaces, error))
		return FALSE;
	if (replaces || entry->row->supersedes)
		return TRUE;
	rows = nearest(memory, entry, cosines, error);
	for (guint i = 0; rows && i < rows->len; i++) {
		const SpkMemoryRow *old = rows->pdata[i];

		if (!old || old->state != SPK_MEMORY_ACTIVE)
			continue;
		if (!is_same(memory, old, entry->row, cosines[i])) {
			if (!contradicted && takes_place_of(old, entry->row))
				contradicted = old->id;
		} else if (!old->untrusted || entry->row->untrusted) {
			*ret_same = spk_memory_row_copy(old);
			return TRUE;
		} else if (!less_trusted) {
			/* What is trusted doesn't vanish behind the words of a stranger. */
			less_trusted = old->id;
		}
	}
	entry->row->supersedes = g_strdup(contradicted ? contradicted : less_trusted);
	return rows != NULL;
}

/* ---- writing ---- */

/* Entries that are to be written together. */
typedef struct {
	SpkMemory *memory;
	GPtrArray *entries; /* borrowed */
} Group;

static gboolean put_all(SpkMemory *memory, const GPtrArray *entries, GError **error)
{
	guint n = entries->len;
	g_autofree SpkMemoryRow **rows = g_new(SpkMemoryRow *, n + 1);
	g_autofree const float **vectors = g_new(const float *, n + 1);

	for (guint i = 0; i < n; i++) {
		const Entry *entry = entries->pdata[i];

		rows[i] = entry->row;
		vectors[i] = entry->vector;
	}
	return !n || spk_memories_put_many(memory->store, rows, vectors, memory->dims, n,
					   error);
}

static gboolean flush(Group *group, GError **error)
{
	gboolean ok = put_all(group->memory, group->entries, error);

	for (guint i = 0; ok && i < group->entries->len; i++) {
		Entry *entry = group->entries->pdata[i];

		entry->done = TRUE;
		spk_memory_note(group->memory, entry->row, entry->vector);
	}
	g_ptr_array_set_size(group->entries, 0);
	return ok;
}

/* Whether one that waits in the group has to be in the store before this one is compared. */
static gboolean waits_for(const Group *group, const Entry *entry)
{
	const SpkMemory *memory = group->memory;

	for (guint i = 0; i < group->entries->len; i++) {
		const Entry *other = group->entries->pdata[i];

		if (strcmp(other->row->id, entry->row->id) == 0)
			return TRUE;
		if (strcmp(other->row->scope, entry->row->scope) != 0 ||
		    strcmp(other->row->kind, entry->row->kind) != 0)
			continue;
		if (!other->vector || !entry->vector ||
		    spk_pool_dot(other->vector, entry->vector, memory->dims) >=
			    MIN(RELATED, memory->dedup) ||
		    takes_place_of(other->row, entry->row))
			return TRUE;
	}
	return FALSE;
}

/* As compare(), and merged into the one that says the same: *ret_same is its id, or NULL. Another
 * process may take that one out of use meanwhile. */
static gboolean merge(SpkMemory *memory, Entry *entry, char **ret_same, GError **error)
{
	*ret_same = NULL;
	for (guint tries = 1;; tries++) {
		g_autoptr(SpkMemoryRow) same = NULL;
		g_autoptr(GError) why = NULL;

		if (!compare(memory, entry, &same, error))
			return FALSE;
		if (!same)
			return TRUE;
		if (spk_memories_merge(memory->store, same->id, entry->row, &why)) {
			*ret_same = g_strdup(same->id);
			return TRUE;
		}
		if (tries == TRIES || (!spk_error_is(why, SPK_ERR_CONFLICT) &&
				       !spk_error_is(why, SPK_ERR_NOT_FOUND))) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
		if (!spk_memory_sync(memory, TRUE, error))
			return FALSE;
	}
}

static gboolean stage(Group *group, Entry *entry, GError **error)
{
	SpkMemory *memory = group->memory;
	g_autofree char *same = NULL;

	if (waits_for(group, entry) &&
	    (!flush(group, error) || !spk_memory_sync(memory, TRUE, error)))
		return FALSE;
	if (!merge(memory, entry, &same, error))
		return FALSE;
	entry->ret->id = g_strdup(entry->row->id);
	if (same) {
		entry->ret->merged_into = g_steal_pointer(&same);
		return entry->done = TRUE;
	}
	entry->ret->superseded = g_strdup(entry->row->supersedes);
	g_free(entry->row->model);
	entry->row->model = entry->vector ? g_strdup(memory->model) : NULL;
	g_ptr_array_add(group->entries, entry);
	/* What it takes the place of is gone for those that follow. */
	return !entry->row->supersedes ||
	       (flush(group, error) && spk_memory_sync(memory, TRUE, error));
}

/* More than memory.max_entries: the oldest others are retired, so many at once that nobody waits
 * long; the next that is added goes on. */
static gboolean make_room(SpkMemory *memory, Entry *const *entries, guint n,
			  GError **error)
{
	g_autofree gint64 *spared = NULL;
	gint64 retired;

	if (!memory->max_entries ||
	    (gint64)spk_turns_count(memory->turns) <= memory->max_entries)
		return TRUE;
	spared = g_new(gint64, n + 1);
	for (guint i = 0; i < n; i++)
		spared[i] = entries[i]->row->num;
	if (!spk_memories_retire_oldest(memory->store, memory->max_entries, spared, n,
					MAX(n, RETIRED_AT_ONCE), &retired, error))
		return FALSE;
	if (retired)
		spk_warn("memory",
			 "the oldest %" G_GINT64_FORMAT " of the memories %s retired: "
			 "memory.max_entries = %" G_GINT64_FORMAT " is reached",
			 retired, retired == 1 ? "is" : "are", memory->max_entries);
	return spk_memory_sync(memory, FALSE, error);
}

/* In one transaction, as far as they have nothing to do with each other. FALSE: those of which
 * `done` isn't set were not written. */
static gboolean write_entries(SpkMemory *memory, Entry *const *entries, guint n,
			      GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&memory->lock);
	g_autoptr(GPtrArray) waiting = g_ptr_array_new();
	g_autoptr(GError) full = NULL;
	Group group = { memory, waiting };
	gboolean ok = spk_memory_sync(memory, TRUE, error);

	for (guint i = 0; ok && i < n; i++)
		ok = stage(&group, entries[i], error) &&
		     (i + 1 < n || flush(&group, error));
	if (ok && (!spk_memory_sync(memory, FALSE, &full) ||
		   !make_room(memory, entries, n, &full)))
		spk_warn("memory", "old memories were not retired: %s", full->message);
	return ok;
}

static void write_all(SpkMemory *memory, GPtrArray *entries, const guint *places,
		      GError **ret_errors)
{
	g_autoptr(GError) failed = NULL;

	if (write_entries(memory, (Entry *const *)entries->pdata, entries->len, &failed))
		return;
	/* Each by itself then: the one at fault takes no other with it. */
	for (guint i = 0; i < entries->len; i++) {
		Entry *entry = entries->pdata[i];
		g_autoptr(GError) its = NULL;

		if (entry->done)
			continue;
		spk_memory_added_clear(entry->ret);
		if (!write_entries(memory, &entry, 1, &its) && !entry->done)
			ret_errors[places[i]] = g_steal_pointer(&its);
	}
}

/* ---- turns that come before others ---- */

static gboolean is_one_of(const GPtrArray *entries, gint64 num)
{
	for (guint i = 0; i < entries->len; i++)
		if (((const Entry *)entries->pdata[i])->row->num == num)
			return TRUE;
	return FALSE;
}

/* Turns that stand behind one of these and came before them: their vectors are of another turn. */
static void remake_next(SpkMemory *memory, const GPtrArray *entries)
{
	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = entries->pdata[i];
		g_autoptr(GArray) nexts = g_array_new(FALSE, FALSE, sizeof(gint64));
		g_autoptr(GError) error = NULL;
		gboolean ok;

		if (!entry->done || !entry->row->speaker || entry->ret->merged_into ||
		    !memory->embedder)
			continue;
		ok = spk_memory_next_turns(memory, entry->row, nexts, &error);
		for (guint n = 0; ok && n < nexts->len; n++) {
			gint64 num = g_array_index(nexts, gint64, n);

			ok = is_one_of(entries, num) ||
			     spk_memory_remake(memory, num, &error);
		}
		if (!ok)
			spk_info("memory", "a vector is not of the latest: %s",
				 error->message);
	}
}

/* ---- the calls ---- */

void spk_memory_add_many(SpkMemory *memory, const SpkMemoryNew *adds, gsize n,
			 SpkMemoryAdded *ret, GError **ret_errors)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(entry_free);
	g_autofree guint *places = g_new(guint, n + 1);
	g_autoptr(GError) failed = NULL;

	memset(ret, 0, n * sizeof(*ret));
	memset(ret_errors, 0, n * sizeof(*ret_errors));
	for (gsize i = 0; i < n; i++) {
		Entry *entry = g_new0(Entry, 1);

		entry->ret = &ret[i];
		if (!prepare(memory, &adds[i], entry, &ret_errors[i])) {
			entry_free(entry);
			continue;
		}
		places[entries->len] = (guint)i;
		g_ptr_array_add(entries, entry);
	}
	if (!embed(memory, entries, n ? adds->cancel : NULL, &failed)) {
		for (guint i = 0; i < entries->len; i++)
			ret_errors[places[i]] = g_error_copy(failed);
		return;
	}
	write_all(memory, entries, places, ret_errors);
	remake_next(memory, entries);
	for (gsize i = 0; i < n; i++)
		if (ret_errors[i])
			spk_memory_added_clear(&ret[i]);
}

gboolean spk_memory_add(SpkMemory *memory, const SpkMemoryNew *add, SpkMemoryAdded *ret,
			GError **error)
{
	SpkMemoryAdded added;
	GError *failed = NULL;

	spk_memory_add_many(memory, add, 1, &added, &failed);
	if (failed) {
		g_propagate_error(error, failed);
		return FALSE;
	}
	if (ret)
		*ret = added;
	else
		spk_memory_added_clear(&added);
	return TRUE;
}
