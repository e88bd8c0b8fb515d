/* Active memories as ranking needs them: pages by num, and the order of turns in each scope. */
#include "memory/recall/turns.h"

#include <string.h>

#include "store/memory/words.h"

#define PAGE_BITS 8
#define PAGE	  (1u << PAGE_BITS)

typedef struct {
	gint64 time_us, num;
} Place;

typedef struct {
	GArray *order; /* Place: turns only, sorted */
	gsize all;
} Scope;

struct SpkTurns {
	GHashTable *pages; /* num >> PAGE_BITS -> SpkTurn[PAGE] */
	GHashTable *names; /* owned name -> number */
	GHashTable
		*called; /* word of a speaker's name, folded -> GArray of their numbers */
	GHashTable *scopes;   /* number -> Scope */
	GHashTable *speakers; /* numbers whose words are in `called` */
	gsize count;
};

static void scope_free(gpointer data)
{
	Scope *scope = data;

	g_array_unref(scope->order);
	g_free(scope);
}

SpkTurns *spk_turns_new(void)
{
	SpkTurns *turns = g_new0(SpkTurns, 1);

	turns->pages = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	turns->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	turns->called = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)g_array_unref);
	turns->scopes = g_hash_table_new_full(NULL, NULL, NULL, scope_free);
	turns->speakers = g_hash_table_new(NULL, NULL);
	return turns;
}

void spk_turns_free(SpkTurns *turns)
{
	if (!turns)
		return;
	g_hash_table_unref(turns->pages);
	g_hash_table_unref(turns->names);
	g_hash_table_unref(turns->called);
	g_hash_table_unref(turns->scopes);
	g_hash_table_unref(turns->speakers);
	g_free(turns);
}

guint32 spk_turns_name(const SpkTurns *turns, const char *name)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(turns->names, name));
}

static guint32 number_of(SpkTurns *turns, const char *name)
{
	guint32 number = spk_turns_name(turns, name);

	if (!number) {
		number = g_hash_table_size(turns->names) + 1;
		g_hash_table_insert(turns->names, g_strdup(name),
				    GUINT_TO_POINTER(number));
	}
	return number;
}

/* ---- who is called how ---- */

/* The next word of `*at`: its begin, with *at behind it; NULL: there is none. What follows an
 * apostrophe ("Maya's") is left out. */
static const char *next_word(const char **at, gsize *ret_len)
{
	const char *p = *at, *begin;

	while (*p && !g_unichar_isalnum(g_utf8_get_char(p)))
		p = g_utf8_next_char(p);
	begin = p;
	while (*p && (g_unichar_isalnum(g_utf8_get_char(p)) || *p == '-' || *p == '_'))
		p = g_utf8_next_char(p);
	*ret_len = (gsize)(p - begin);
	if (strncmp(p, "'s", 2) == 0)
		p += 2;
	else if (g_str_has_prefix(p, "\xe2\x80\x99s"))
		p += 4;
	*at = p;
	return *ret_len ? begin : NULL;
}

static void learn_speaker(SpkTurns *turns, const char *name, guint32 number)
{
	const char *at = name, *word;
	gsize len;

	if (!g_hash_table_add(turns->speakers, GUINT_TO_POINTER(number)))
		return;
	while ((word = next_word(&at, &len))) {
		g_autofree char *folded = g_utf8_strdown(word, (gssize)len);
		GArray *who = g_hash_table_lookup(turns->called, folded);

		if (len < 2)
			continue;
		if (!who) {
			who = g_array_new(FALSE, FALSE, sizeof(guint32));
			g_hash_table_insert(turns->called, g_steal_pointer(&folded), who);
		}
		g_array_append_val(who, number);
	}
}

static gboolean has_capital(const char *text)
{
	for (const char *p = text; *p; p = g_utf8_next_char(p))
		if (g_unichar_isupper(g_utf8_get_char(p)))
			return TRUE;
	return FALSE;
}

GArray *spk_turns_named(SpkTurns *turns, const char *question, char **ret_rest)
{
	GArray *named = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GString) rest = g_string_new(NULL);
	gboolean capitals = has_capital(question);
	const char *at = question, *copied = question, *word;
	gsize len;

	while ((word = next_word(&at, &len))) {
		g_autofree char *folded = g_utf8_strdown(word, (gssize)len);
		GArray *who = g_hash_table_lookup(turns->called, folded);

		if (!who || (capitals && !g_unichar_isupper(g_utf8_get_char(word))) ||
		    ((word == question || !capitals) && spk_words_is_stop(folded)))
			continue;
		g_array_append_vals(named, who->data, who->len);
		g_string_append_len(rest, copied, word - copied);
		copied = at;
	}
	g_string_append(rest, copied);
	if (ret_rest)
		*ret_rest = g_string_free(g_steal_pointer(&rest), FALSE);
	return named;
}

/* ---- what stands where ---- */

static Scope *scope_of(SpkTurns *turns, guint32 number)
{
	return g_hash_table_lookup(turns->scopes, GUINT_TO_POINTER(number));
}

static Scope *scope_make(SpkTurns *turns, guint32 number)
{
	Scope *scope = scope_of(turns, number);

	if (!scope) {
		scope = g_new0(Scope, 1);
		scope->order = g_array_new(FALSE, FALSE, sizeof(Place));
		g_hash_table_insert(turns->scopes, GUINT_TO_POINTER(number), scope);
	}
	return scope;
}

/* The first place that is not before (time_us, num). */
static guint find_place(const GArray *order, gint64 time_us, gint64 num)
{
	guint low = 0, high = order->len;

	/* Turns mostly come in order. */
	if (high && (g_array_index(order, Place, high - 1).time_us < time_us ||
		     (g_array_index(order, Place, high - 1).time_us == time_us &&
		      g_array_index(order, Place, high - 1).num < num)))
		return high;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		const Place *place = &g_array_index(order, Place, middle);

		if (place->time_us < time_us ||
		    (place->time_us == time_us && place->num < num))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static SpkTurn *slot_of(SpkTurns *turns, gint64 num)
{
	gpointer page =
		g_hash_table_lookup(turns->pages, GSIZE_TO_POINTER(num >> PAGE_BITS));

	return page ? (SpkTurn *)page + (num & (PAGE - 1)) : NULL;
}

SpkTurn *spk_turns_get(SpkTurns *turns, gint64 num)
{
	SpkTurn *turn = slot_of(turns, num);

	return turn && turn->num ? turn : NULL;
}

gsize spk_turns_count(const SpkTurns *turns)
{
	return turns->count;
}

static void drop(SpkTurns *turns, SpkTurn *turn)
{
	Scope *scope = scope_of(turns, turn->scope);

	if (turn->speaker)
		g_array_remove_index(scope->order,
				     find_place(scope->order, turn->time_us, turn->num));
	scope->all--;
	turns->count--;
	memset(turn, 0, sizeof(*turn));
}

static void put(SpkTurns *turns, SpkTurn *turn, const SpkMemoryChange *change)
{
	Scope *scope;

	turn->num = change->num;
	turn->change = change->change;
	turn->time_us = change->time_us;
	turn->scope = number_of(turns, change->scope);
	turn->kind = number_of(turns, change->kind);
	turn->speaker = change->speaker ? number_of(turns, change->speaker) : 0;
	scope = scope_make(turns, turn->scope);
	scope->all++;
	turns->count++;
	if (turn->speaker) {
		Place place = { turn->time_us, turn->num };

		learn_speaker(turns, change->speaker, turn->speaker);
		g_array_insert_val(scope->order,
				   find_place(scope->order, turn->time_us, turn->num),
				   place);
	}
}

void spk_turns_apply(SpkTurns *turns, const SpkMemoryChange *change)
{
	SpkTurn *turn = slot_of(turns, change->num);

	if (turn && turn->num) {
		if (turn->change == change->change)
			return;
		drop(turns, turn);
	}
	if (change->gone || change->state != SPK_MEMORY_ACTIVE)
		return;
	if (!turn) {
		g_hash_table_insert(turns->pages,
				    GSIZE_TO_POINTER(change->num >> PAGE_BITS),
				    g_new0(SpkTurn, PAGE));
		turn = slot_of(turns, change->num);
	}
	put(turns, turn, change);
}

/* ---- order ---- */

static SpkTurn *within(SpkTurns *turns, const GArray *order, guint at, gint64 time_us,
		       gint64 gap_us)
{
	const Place *place;

	if (at >= order->len)
		return NULL;
	place = &g_array_index(order, Place, at);
	if (ABS(place->time_us - time_us) > gap_us)
		return NULL;
	return spk_turns_get(turns, place->num);
}

void spk_turns_beside(SpkTurns *turns, const SpkTurn *turn, gint64 gap_us,
		      SpkTurn **ret_before, SpkTurn **ret_after)
{
	const GArray *order;
	guint at;

	*ret_before = *ret_after = NULL;
	if (!turn->speaker)
		return;
	order = scope_of(turns, turn->scope)->order;
	at = find_place(order, turn->time_us, turn->num);
	if (at > 0)
		*ret_before = within(turns, order, at - 1, turn->time_us, gap_us);
	*ret_after = within(turns, order, at + 1, turn->time_us, gap_us);
}

SpkTurn *spk_turns_before(SpkTurns *turns, const char *scope, gint64 time_us, gint64 num,
			  gint64 gap_us)
{
	const Scope *found = scope_of(turns, spk_turns_name(turns, scope));
	guint at = found ? find_place(found->order, time_us, num) : 0;

	return at ? within(turns, found->order, at - 1, time_us, gap_us) : NULL;
}

void spk_turns_each(SpkTurns *turns, gsize most, SpkTurnFn fn, gpointer user)
{
	GHashTableIter iter;
	gpointer page;

	g_hash_table_iter_init(&iter, turns->pages);
	while (most && g_hash_table_iter_next(&iter, NULL, &page)) {
		const SpkTurn *turn = page;

		for (guint i = 0; i < PAGE && most; i++) {
			if (!turn[i].num)
				continue;
			fn(&turn[i], user);
			most--;
		}
	}
}

gboolean spk_turns_is_talk(SpkTurns *turns, const char *const *scopes)
{
	gsize talk = 0, all = 0;
	GHashTableIter iter;
	gpointer value;

	if (scopes) {
		for (gsize i = 0; scopes[i]; i++) {
			const Scope *scope =
				scope_of(turns, spk_turns_name(turns, scopes[i]));

			talk += scope ? scope->order->len : 0;
			all += scope ? scope->all : 0;
		}
		return talk * 2 > all;
	}
	g_hash_table_iter_init(&iter, turns->scopes);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		talk += ((const Scope *)value)->order->len;
		all += ((const Scope *)value)->all;
	}
	return talk * 2 > all;
}
