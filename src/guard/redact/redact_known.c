/* Values that are known: one pass over the folded text with a filter of what their forms begin
 * with; what it lets through is compared in full. */
#include <string.h>

#include "guard/redact/redact_priv.h"

#define MIX G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)

enum { WINDOW = 8, SHORT_WINDOW = 4, MAX_FALSE_START = 5 };

/* What a form's folded text begins with, or goes on with after `skip` symbols. */
typedef struct {
	guint8 window[WINDOW]; /* zeros behind a short one */
	guint32 form, next;    /* next: in the same bucket, + 1 */
	guint8 skip;
} Seed;

typedef struct {
	GArray *seeds; /* sorted by window */
	gsize width;
	guint64 mask;
	guint8 *bits;
	guint32 *buckets; /* seed + 1 */
	guint bit_shift, bucket_shift;
} Seeds;

struct RedactKnown {
	GPtrArray *names;
	GArray *forms;	   /* RedactForm */
	Seeds whole, some; /* of 8 symbols, of 4 for forms that have no 8 */
	GArray *odd;	   /* guint32: forms with less than that */
	GArray *led;	   /* guint32: forms that don't begin with a letter or digit */
};

static guint64 load(const guint8 *symbols)
{
	guint64 word;

	memcpy(&word, symbols, sizeof(word));
	return GUINT64_FROM_LE(word);
}

/* ---- building ---- */

static void seeds_init(Seeds *seeds, gsize width)
{
	*seeds = (Seeds){ .seeds = g_array_new(FALSE, FALSE, sizeof(Seed)),
			  .width = width,
			  .mask = width == WINDOW ? G_MAXUINT64 : G_MAXUINT32 };
}

static void seeds_clear(Seeds *seeds)
{
	g_array_unref(seeds->seeds);
	g_free(seeds->bits);
	g_free(seeds->buckets);
}

static gint by_window(gconstpointer a, gconstpointer b)
{
	return memcmp(((const Seed *)a)->window, ((const Seed *)b)->window, WINDOW);
}

static void seeds_close(Seeds *seeds)
{
	guint bits = 12, buckets = 8;

	while (bits < 20 && (1u << bits) < seeds->seeds->len * 64)
		bits++;
	while (buckets < 18 && (1u << buckets) < seeds->seeds->len * 2)
		buckets++;
	seeds->bit_shift = 64 - bits;
	seeds->bucket_shift = 64 - buckets;
	seeds->bits = g_malloc0((1u << bits) / 8);
	seeds->buckets = g_new0(guint32, 1u << buckets);
	g_array_sort(seeds->seeds, by_window);
	for (guint i = 0; i < seeds->seeds->len; i++) {
		Seed *seed = &g_array_index(seeds->seeds, Seed, i);
		guint64 hash = load(seed->window) * MIX;
		guint32 *bucket = &seeds->buckets[hash >> seeds->bucket_shift];

		seeds->bits[hash >> seeds->bit_shift >> 3] |=
			(guint8)(1u << (hash >> seeds->bit_shift & 7));
		seed->next = *bucket;
		*bucket = i + 1;
	}
}

static void add_seed(Seeds *seeds, const guint8 *symbols, guint32 form, gsize skip)
{
	Seed seed = { .form = form, .skip = (guint8)skip };

	memcpy(seed.window, symbols + skip, seeds->width);
	g_array_append_val(seeds->seeds, seed);
}

/* How many symbols at the beginning may be taken for the end of an escape that stands before
 * them, as "n" in C:\name. Adds a seed behind each such beginning. */
static void add_false_starts(Seeds *seeds, const RedactForm *form, const guint8 *symbols,
			     gsize n, guint32 index)
{
	const char *first = form->bytes;
	gsize digits = 0;

	if (form->lead)
		return;
	if (strchr("nrtbf", *first) && n > seeds->width)
		add_seed(seeds, symbols, index, 1);
	if (*first == 'x' || *first == 'u') /* \xXX, \uXXXX */
		first++;
	while (digits < 4 && g_ascii_isxdigit(first[digits]))
		digits++;
	digits += first > form->bytes;
	for (gsize skip = 1; skip <= digits && skip <= MAX_FALSE_START; skip++)
		if (n >= seeds->width + skip)
			add_seed(seeds, symbols, index, skip);
}

/* What looks like an escape in a value is none when the value itself is written in escapes. */
static void add_unopened(RedactKnown *known, const RedactForm *form, guint32 index)
{
	g_autoptr(GString) symbols = g_string_sized_new(form->len + WINDOW);

	for (gsize i = 0; i < form->len; i++)
		if (g_ascii_isalnum(form->bytes[i]))
			g_string_append_c(symbols, g_ascii_tolower(form->bytes[i]));
	if (symbols->len >= SHORT_WINDOW)
		add_seed(symbols->len >= WINDOW ? &known->whole : &known->some,
			 (const guint8 *)symbols->str, index, 0);
	explicit_bzero(symbols->str, symbols->len);
}

static void add_form(RedactKnown *known, guint32 index)
{
	const RedactForm *form = &g_array_index(known->forms, RedactForm, index);
	g_autofree guint8 *symbols = NULL;
	Seeds *seeds;
	gsize n;

	symbols = redact_fold_all(form->bytes, form->len, &n);
	if (memchr(form->bytes, '%', form->len) || memchr(form->bytes, '\\', form->len))
		add_unopened(known, form, index);
	seeds = n >= WINDOW ? &known->whole : &known->some;
	if (form->lead)
		g_array_append_val(known->led, index);
	if (n < SHORT_WINDOW) {
		g_array_append_val(known->odd, index);
	} else {
		add_seed(seeds, symbols, index, 0);
		add_false_starts(seeds, form, symbols, n, index);
	}
	explicit_bzero(symbols, n);
}

RedactKnown *redact_known_new(const char *const *names, const char *const *values,
			      guint n)
{
	RedactKnown *known;

	if (!n)
		return NULL;
	known = g_new0(RedactKnown, 1);
	known->names = g_ptr_array_new_with_free_func(g_free);
	known->forms = g_array_new(FALSE, FALSE, sizeof(RedactForm));
	known->odd = g_array_new(FALSE, FALSE, sizeof(guint32));
	known->led = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_array_set_clear_func(known->forms, redact_form_clear);
	seeds_init(&known->whole, WINDOW);
	seeds_init(&known->some, SHORT_WINDOW);
	for (guint i = 0; i < n; i++) {
		g_ptr_array_add(known->names, g_strdup(names[i]));
		redact_forms_of(values[i], i, known->forms);
	}
	for (guint32 i = 0; i < known->forms->len; i++)
		add_form(known, i);
	seeds_close(&known->whole);
	seeds_close(&known->some);
	return known;
}

void redact_known_free(RedactKnown *known)
{
	if (!known)
		return;
	seeds_clear(&known->whole);
	seeds_clear(&known->some);
	g_array_unref(known->forms);
	g_array_unref(known->odd);
	g_array_unref(known->led);
	g_ptr_array_unref(known->names);
	g_free(known);
}

/* ---- finding ---- */

typedef struct {
	const RedactKnown *known;
	const char *text;
	gsize len;
	GArray *spans; /* NULL: only `open` is wanted */
	gsize open;    /* first place where a value begins that the end cuts */
} Search;

static gboolean is_base64(char c)
{
	return g_ascii_isalnum(c) || strchr("+/-_", c);
}

static void add_span(Search *search, const RedactForm *form, gsize start, gsize end)
{
	RedactSpan span = { start, end, search->known->names->pdata[form->known], TRUE,
			    form->is_value && end - start == form->len &&
				    !memcmp(search->text + start, form->bytes,
					    form->len) };

	/* the characters that hold some of its bits */
	if (form->kind == FORM_BASE64) {
		span.start -= start > 0 && is_base64(search->text[start - 1]);
		span.end += end < search->len && search->text[end] &&
			    is_base64(search->text[end]);
	}
	g_array_append_val(search->spans, span);
}

static gboolean try_at(Search *search, const RedactForm *form, gsize at)
{
	gsize end;

	switch (redact_form_match(form, search->text, search->len, at, &end)) {
	case MATCH_YES:
		if (search->spans)
			add_span(search, form, at, end);
		return TRUE;
	case MATCH_OPEN:
		search->open = MIN(search->open, at);
		return FALSE;
	default:
		return FALSE;
	}
}

/* The seed stands at `place`. What comes before it in the form takes up to 6 bytes each. */
static void try_seed(Search *search, const Seed *seed, gsize place)
{
	const RedactForm *form =
		&g_array_index(search->known->forms, RedactForm, seed->form);
	gsize before = form->lead + seed->skip, most = MIN(place, before * 6);

	for (gsize back = before; back <= most || !back; back++) {
		gsize at = place - back;
		gboolean yes = try_at(search, form, at);

		/* a value that begins with "\" may be written with two */
		if (!before || (yes && (!at || search->text[at - 1] != '\\')))
			return;
	}
}

static void try_bucket(Search *search, const Seeds *seeds, guint64 word, gsize place)
{
	guint32 next = seeds->buckets[(word * MIX) >> seeds->bucket_shift];

	while (next) {
		const Seed *seed = &g_array_index(seeds->seeds, Seed, next - 1);

		if (load(seed->window) == word)
			try_seed(search, seed, place);
		next = seed->next;
	}
}

static void look_through(Search *search, const Seeds *seeds, const RedactFold *fold)
{
	const guint8 *bits = seeds->bits, *symbols = fold->symbols;
	guint shift = seeds->bit_shift;

	if (!seeds->seeds->len)
		return;
	for (gsize i = 0; i + seeds->width <= fold->n; i++) {
		guint64 word = load(symbols + i) & seeds->mask;
		guint64 bit = (word * MIX) >> shift;

		if (G_UNLIKELY(bits[bit >> 3] & (1u << (bit & 7))))
			try_bucket(search, seeds, word, fold->places[i]);
	}
}

static void look_for_odd(Search *search)
{
	for (guint i = 0; i < search->known->odd->len; i++) {
		const RedactForm *form =
			&g_array_index(search->known->forms, RedactForm,
				       g_array_index(search->known->odd, guint32, i));
		const char *at = search->text, *end = search->text + search->len;

		while ((at = memmem(at, end - at, form->bytes, form->len))) {
			(void)try_at(search, form, at - search->text);
			at += form->len;
		}
	}
}

/* ---- an end that is cut ---- */

/* The text ends in the first k symbols of a seed. */
static void look_at_end(Search *search, const Seeds *seeds, const guint8 *tail, gsize k,
			gsize place)
{
	guint low = 0, high = seeds->seeds->len;

	while (low < high) {
		guint mid = low + (high - low) / 2;
		const Seed *seed = &g_array_index(seeds->seeds, Seed, mid);

		if (memcmp(seed->window, tail, k) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < seeds->seeds->len; low++) {
		const Seed *seed = &g_array_index(seeds->seeds, Seed, low);

		if (memcmp(seed->window, tail, k) != 0)
			return;
		try_seed(search, seed, place);
	}
}

static void look_at_ends(Search *search, const RedactFold *fold)
{
	for (gsize k = 1; k < WINDOW && k <= fold->n; k++) {
		const guint8 *tail = fold->symbols + fold->n - k;
		gsize place = fold->places[fold->n - k];

		look_at_end(search, &search->known->whole, tail, k, place);
		if (k < SHORT_WINDOW)
			look_at_end(search, &search->known->some, tail, k, place);
	}
}

static void look_at_led(Search *search, const GArray *list)
{
	for (guint i = 0; i < list->len; i++) {
		const RedactForm *form = &g_array_index(search->known->forms, RedactForm,
							g_array_index(list, guint32, i));
		gsize most = MIN(search->len, form->len * 6);

		for (gsize back = 1; back <= most; back++)
			(void)try_at(search, form, search->len - back);
	}
}

/* An escape that may yet become the first byte of a value. */
static void look_at_escape(Search *search)
{
	for (gsize back = 1; back <= MIN(search->len, 5); back++) {
		const char *p = search->text + search->len - back;

		if (*p == '\\' || (*p == '%' && back < 3))
			search->open = MIN(search->open, search->len - back);
	}
}

static void run(Search *search, gboolean ends)
{
	gsize room = MIN(search->len, FOLD_BLOCK) + FOLD_ROOM - FOLD_BLOCK;
	guint8 *symbols = g_malloc(room);
	guint32 *places = g_new(guint32, room);
	RedactFold fold = { search->text, search->len, 0, symbols, places, 0 };

	while (redact_fold_next(&fold)) {
		look_through(search, &search->known->whole, &fold);
		look_through(search, &search->known->some, &fold);
	}
	look_for_odd(search);
	if (ends) {
		look_at_ends(search, &fold);
		look_at_led(search, search->known->odd);
		look_at_led(search, search->known->led);
		look_at_escape(search);
	}
	g_free(symbols);
	g_free(places);
}

void redact_known_find(const RedactKnown *known, const char *text, gsize len,
		       GArray *spans)
{
	Search search = { known, text, len, spans, len };

	run(&search, FALSE);
}

gsize redact_known_open(const RedactKnown *known, const char *text, gsize len)
{
	Search search = { known, text, len, NULL, len };

	run(&search, TRUE);
	return search.open;
}
