/* The keyword leg: what is a word, and the ranking beside a slow one. */
#include "test_memory.h"

#include <math.h>
#include <stdlib.h>

#include "store/memory/postings.h"
#include "store/memory/stem.h"
#include "store/memory/words.h"

static void assert_words(const char *text, const char *wanted)
{
	g_autoptr(SpkWords) words = spk_words_of(text, 0);
	g_autoptr(GString) list = g_string_new(NULL);

	for (guint i = 0; i < words->words->len; i++)
		g_string_append_printf(list, "%s%s", i ? " " : "",
				       g_array_index(words->words, SpkWord, i).word);
	assert_string_equal(list->str, wanted);
}

/* As many parts as a memory can have: no deeper for it. */
static void test_many_apostrophes(void **state)
{
	GString *text = g_string_new("b");
	g_autoptr(SpkWords) words = NULL;

	while (text->len < SPK_MEMORY_TEXT_MAX - 2)
		g_string_append(text, "'b");
	words = spk_words_of(text->str, 0);
	assert_int_equal(words->length, (text->len + 1) / 2);
	g_string_free(text, TRUE);
}

static void test_words(void **state)
{
	(void)state;
	assert_words("The builds were failing again", "build fail");
	assert_words("What did Will say?", "will sai");
	assert_words("She went and BOUGHT three knives", "go bui three knife");
	assert_words("go buys a knife", "go bui knife");
	assert_words("Will it rain? It will.", "rain");
	assert_words("The Quick Brown Fox Is Here", "quick brown fox");
	assert_words("to be or not to be", "to be or not");
	assert_words("don't we've O'Brien's Ann's", "obriens o brien ann");
	assert_words("spk_memories_put()", "spk memori put spk_memories_put");
	assert_words("src/store/tx.c:12",
		     "src store tx c tx.c src/store/tx.c 12 src/store/tx.c:12");
	assert_words("parseHTTPHeader2", "parsehttpheader2 pars http header2");
	assert_words("sha256sum and utf8", "sha256sum sha 256 sum utf8");
	assert_words("C++, C# and c", "c c++ c#");
	assert_words("Caf\xc3\xa9 NA\xc3\x8fVE na\xc3\xafve", "cafe naiv");
	assert_words("M\xc3\xbcller Stra\xc3\x9f"
		     "e",
		     "muller stra\xc3\x9f"
		     "e");
	assert_words("\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd",
		     "\xe6\x9d\xb1\xe4\xba\xac \xe4\xba\xac\xe9\x83\xbd");
	assert_words("\xf0\x9f\x8e\x89 party", "\xf0\x9f\x8e\x89 parti");
	assert_words("2024-05-01 10:30", "2024 05 01 2024-05-01 10 30 10:30");
	assert_words(" ... -- ' \" * ( ) ", "");
}

/* Ends of words that the length of the buffer is easily wrong at. */
static void test_long_words(void **state)
{
	(void)state;
	for (gsize len = SPK_WORD_MAX - 3; len < SPK_WORD_MAX + 3; len++) {
		g_autofree char *text = g_strnfill(len, 'x');
		g_autofree char *path = g_strconcat("/", text, "/\xc3\xa4", text, NULL);
		g_autoptr(SpkWords) words = spk_words_of(text, 0);
		g_autoptr(SpkWords) parts = spk_words_of(path, 0);

		assert_int_equal(strlen(g_array_index(words->words, SpkWord, 0).word),
				 MIN(len, SPK_WORD_MAX));
		for (guint i = 0; i < parts->words->len; i++) {
			const char *word = g_array_index(parts->words, SpkWord, i).word;

			assert_true(strlen(word) <= SPK_WORD_MAX);
			assert_true(g_utf8_validate(word, -1, NULL));
		}
	}
}

/* ---- postings ---- */

static void test_postings(void **state)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	g_autoptr(GArray) back = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	g_autoptr(GByteArray) block = g_byte_array_new();
	gint64 num = 1;
	gsize done;

	(void)state;
	for (guint i = 0; i < 500; i++) {
		SpkPosting p = { num, i % 3 + 1, i * 41 % 9000, i / 100, i / 250 };

		g_array_append_val(list, p);
		num += (gint64)i * i * i + 1;
	}
	done = spk_postings_write((SpkPosting *)list->data, list->len, block);
	assert_true(done > 50 && done < 500);
	assert_true(block->len <= SPK_POSTINGS_BYTES);
	assert_true(spk_postings_read(block->data, block->len, 1, back));
	assert_int_equal(back->len, done);
	assert_memory_equal(back->data, list->data, done * sizeof(SpkPosting));
	assert_false(spk_postings_read(block->data, block->len, 2, back));
	assert_false(spk_postings_read(block->data, block->len - 1, 1, back));
	for (guint i = 0; i < block->len; i++) {
		block->data[i] ^= 0x10;
		assert_false(spk_postings_read(block->data, block->len, 1, back));
		block->data[i] ^= 0x10;
	}
	assert_false(spk_postings_read(block->data, 3, 1, back));
}

/* ---- the ranking ---- */

#define DOCS  400
#define WORDS 60

typedef struct {
	gint64 num;
	const char *scope, *kind;
	int counts[WORDS];
	int length;
	double score;
} Doc;

static const char *const scopes[] = { "user", "repo:/a", "repo:/b" };
static const char *const kinds[] = { "fact", "failure" };

static char *spell(int word)
{
	return g_strdup_printf("w%dq", word);
}

static int draw(unsigned *seed)
{
	return rand_r(seed) % (rand_r(seed) % WORDS + 1);
}

static void make_doc(SpkStore *store, int n, Doc *doc, unsigned *seed)
{
	g_autofree char *id = g_strdup_printf("d%d", n);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(SpkMemoryRow) row = NULL;

	*doc = (Doc){ .scope = scopes[rand_r(seed) % 3],
		      .kind = kinds[rand_r(seed) % 2] };
	for (int i = rand_r(seed) % 30 + 1; i > 0; i--) {
		int word = draw(seed);
		g_autofree char *spelled = spell(word);

		doc->counts[word]++;
		doc->length++;
		g_string_append_printf(text, "%s ", spelled);
	}
	row = memory_new(id, text->str);
	g_free(row->scope);
	g_free(row->kind);
	row->scope = g_strdup(doc->scope);
	row->kind = g_strdup(doc->kind);
	assert_ok(spk_memories_put(store, row, NULL, 0, ERR));
	doc->num = row->num;
}

static gboolean passes(const Doc *doc, const char *scope, const char *kind)
{
	return doc->num && (!scope || !strcmp(scope, doc->scope)) &&
	       (!kind || !strcmp(kind, doc->kind));
}

/* The formula of the paper, word by word over every document. */
static void score_slowly(Doc *docs, const int *query, int n_query, const char *scope,
			 const char *kind)
{
	double n = 0, length = 0;

	for (int d = 0; d < DOCS; d++) {
		docs[d].score = 0;
		n += passes(&docs[d], scope, kind);
		length += passes(&docs[d], scope, kind) ? docs[d].length : 0;
	}
	for (int q = 0; q < n_query; q++) {
		double df = 0;

		for (int d = 0; d < DOCS; d++)
			df += passes(&docs[d], scope, kind) && docs[d].counts[query[q]];
		for (int d = 0; d < DOCS; d++) {
			double tf = docs[d].counts[query[q]];

			if (passes(&docs[d], scope, kind) && tf > 0)
				docs[d].score +=
					log(1 + (n - df + 0.5) / (df + 0.5)) * tf * 2.2 /
					(tf + 1.2 * (0.25 + 0.75 * docs[d].length /
								    (length / n)));
		}
	}
}

static int best_first(const void *a, const void *b)
{
	const Doc *x = *(const Doc *const *)a, *y = *(const Doc *const *)b;

	if (fabs(x->score - y->score) > 1e-9)
		return x->score > y->score ? -1 : 1;
	return x->num > y->num ? -1 : 1;
}

static void compare(SpkStore *store, Doc *docs, unsigned *seed, guint k)
{
	const char *scope = rand_r(seed) % 2 ? scopes[rand_r(seed) % 3] : NULL;
	const char *kind = rand_r(seed) % 2 ? kinds[rand_r(seed) % 2] : NULL;
	const char *const scope_list[] = { scope, "nowhere", scope, NULL };
	const char *const kind_list[] = { kind, NULL };
	const SpkMemoryFilter filter = { scope ? scope_list : NULL,
					 kind ? kind_list : NULL };
	g_autoptr(GString) text = g_string_new("the ");
	g_autoptr(GArray) found = NULL;
	const Doc *order[DOCS];
	int query[5], n = 0;

	while (n < 5) {
		int word = draw(seed), known = 0;
		g_autofree char *spelled = spell(word);

		for (int i = 0; i < n; i++)
			known |= query[i] == word;
		g_string_append_printf(text, "%s ", spelled);
		if (known)
			break;
		query[n++] = word;
	}
	score_slowly(docs, query, n, scope, kind);
	for (int d = 0; d < DOCS; d++)
		order[d] = &docs[d];
	qsort(order, DOCS, sizeof(*order), best_first);
	found = spk_memories_match(store, text->str, &filter, k, NULL, NULL);
	assert_non_null(found);
	for (guint i = 0; i < found->len; i++) {
		const SpkMemoryMatch *match = &g_array_index(found, SpkMemoryMatch, i);

		if (match->num != order[i]->num ||
		    fabs(match->bm25 - order[i]->score) > 1e-9)
			fail_msg("\"%s\" in %s, %s: place %u", text->str,
				 scope ? scope : "all", kind ? kind : "all", i);
	}
	assert_true(found->len == k || order[found->len]->score == 0);
}

static void test_ranking(void **state)
{
	Fixture *f = *state;
	g_autofree Doc *docs = g_new0(Doc, DOCS);
	unsigned seed = 3;

	for (int i = 0; i < DOCS; i++)
		make_doc(f->store, i, &docs[i], &seed);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 60; i++)
			compare(f->store, docs, &seed, i % 3 ? 10 : DOCS);
		for (int i = 0; i < 60; i++) {
			int d = rand_r(&seed) % DOCS;
			g_autofree char *id = g_strdup_printf("d%d", d);

			if (i % 2) { /* another text under the same number */
				make_doc(f->store, d, &docs[d], &seed);
				continue;
			}
			assert_ok(spk_memories_forget(f->store, id, NULL, ERR));
			docs[d].num = 0;
		}
		assert_ok(spk_memories_check(f->store, ERR));
	}
	assert_ok(spk_memories_rebuild_words(f->store, ERR));
	assert_ok(spk_memories_check(f->store, ERR));
	for (int i = 0; i < 60; i++)
		compare(f->store, docs, &seed, 10);
}

/* ---- questions ---- */

static void test_nothing_is_syntax(void **state)
{
	Fixture *f = *state;
	g_autofree char *long_text = g_strnfill(1 << 20, 'z');
	const char *const questions[] = {
		"",
		" ",
		"\"",
		"\"port",
		"port AND (",
		"port NEAR/3 8080",
		"text:port",
		"port*",
		"^port",
		"-port",
		"port'; DROP TABLE memories; --",
		"port\\",
		"{port}",
		"+port",
		"\xff\xfe port",
		"port \xf0\x9f\x8e\x89",
		"port \xe6\x9d\xb1",
		long_text,
	};

	memory_put(f->store, "m", "the port is 8080");
	for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
		g_autofree char *found = memory_matches(f->store, questions[i], NULL);

		assert_string_equal(found, strstr(questions[i], "port") ? "m" : "");
	}
}

static void test_code(void **state)
{
	Fixture *f = *state;
	const char *const questions[] = { "SpkMemoryRow",   "memory row", "tx.c",
					  "src/store/tx.c", "store",	  "TX" };

	memory_put(f->store, "a", "SpkMemoryRow is filled in by src/store/tx.c");
	memory_put(f->store, "b", "nothing of that kind");
	for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
		g_autofree char *found = memory_matches(f->store, questions[i], NULL);

		assert_string_equal(found, "a");
	}
}

static void damage(const Fixture *f, const char *sql)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(f->store, SPK_TX_WRITE, NULL);
	gint64 changed = 0;

	assert_ok(spk_tx_exec(tx, sql, NULL, &changed, ERR));
	assert_true(changed > 0);
	assert_ok(spk_tx_commit(g_steal_pointer(&tx), ERR));
}

/* Whatever happens to the words: the search and the writes go on, right. */
static void test_damaged_words(void **state)
{
	Fixture *f = *state;
	static const char *const damages[] = {
		"UPDATE memory_words SET postings = x'00'",
		"UPDATE memory_words SET postings = 'text'",
		"UPDATE memory_words SET first = first + 1000",
		"DELETE FROM memory_words",
		"UPDATE memory_counters SET words = 0",
		"DELETE FROM memory_sums",
	};
	g_autoptr(GError) error = NULL;
	gboolean was;

	for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
		g_autofree char *again = NULL;

		memory_put(f->store, "a", "the port is 8080");
		memory_put(f->store, "b", "the port is open");
		damage(f, damages[i]);
		assert_false(spk_memories_check(f->store, &error));
		assert_failed(&error, SPK_ERR_CORRUPT);
		if (i != 3) {
			g_autofree char *found =
				memory_matches(f->store, "8080 port", NULL);

			assert_string_equal(found, "a b");
		} else {
			assert_ok(spk_memories_forget(f->store, "b", &was, ERR));
			memory_put(f->store, "b", "the port is open");
		}
		assert_ok(spk_memories_check(f->store, ERR));
		again = memory_matches(f->store, "8080 port", NULL);
		assert_string_equal(again, "a b");
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_words),
	cmocka_unit_test(test_long_words),
	cmocka_unit_test(test_many_apostrophes),
	cmocka_unit_test(test_postings),
	STORE_TEST(test_ranking),
	STORE_TEST(test_nothing_is_syntax),
	STORE_TEST(test_code),
	STORE_TEST(test_damaged_words),
};
const Suite match_suite = { tests, G_N_ELEMENTS(tests) };
