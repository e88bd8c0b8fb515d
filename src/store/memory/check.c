/* Do words, sums and rows say the same? */
#include <string.h>

#include "base/error.h"
#include "store/memory/memory_priv.h"

typedef struct {
	SpkTx *tx;
	GArray *block;
	char *word;	     /* of the block before */
	gint64 last;	     /* its last num */
	gint64 postings;     /* counted in the blocks */
	gint64 wanted;	     /* counted in the rows */
	gint64 n, length;    /* of the rows */
	guint64 marks, seen; /* of what the rows have and of what the blocks have */
} Check;

static gboolean differs(const char *what, GError **error)
{
	spk_error_set(error, SPK_ERR_CORRUPT,
		      "`sparks memory reindex` makes the words anew out of the memories",
		      "the words of the memories are damaged: %s", what);
	return FALSE;
}

/* A sum of these over a set tells whether two sets are the same, whatever their order. */
static guint64 mark(const char *word, gint64 num, guint32 n, guint32 length)
{
	guint64 hash = 0xcbf29ce484222325u;

	for (; *word; word++)
		hash = (hash ^ (guint8)*word) * 0x100000001b3u;
	hash = (hash ^ (guint64)num) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ (hash >> 31) ^ ((guint64)n << 32 | length)) * 0xbf58476d1ce4e5b9u;
	return hash ^ hash >> 29;
}

static gboolean read_row(const SpkDbValue *column, gpointer user, GError **error)
{
	Check *check = user;
	g_autofree char *text = spk_db_dup_text(&column[1]);
	g_autoptr(SpkWords) words = NULL;

	if (!text || !g_utf8_validate(text, -1, NULL))
		return differs("a row has no text", error);
	words = spk_words_of(text, 0);
	for (guint i = 0; i < words->words->len; i++) {
		const SpkWord *word = &g_array_index(words->words, SpkWord, i);

		check->marks +=
			mark(word->word, column[0].integer, word->n, words->length);
		check->wanted++;
	}
	check->n++;
	check->length += words->length;
	return TRUE;
}

static gboolean read_block(const SpkDbValue *column, gpointer user, GError **error)
{
	Check *check = user;
	g_autofree char *word = spk_db_dup_text(&column[0]);

	g_array_set_size(check->block, 0);
	if (!word || column[2].type != SPK_DB_BLOB ||
	    !spk_postings_read(column[2].blob, column[2].len, column[1].integer,
			       check->block))
		return differs("a block cannot be read", error);
	if (check->word && !strcmp(check->word, word) && column[1].integer <= check->last)
		return differs("two blocks overlap", error);
	for (guint i = 0; i < check->block->len; i++) {
		const SpkPosting *p = &g_array_index(check->block, SpkPosting, i);

		check->seen += mark(word, p->num, p->n, p->length);
		check->postings++;
		check->last = p->num;
	}
	g_free(check->word);
	check->word = g_steal_pointer(&word);
	return TRUE;
}

static gboolean compare_sums(const Check *check, GError **error)
{
	gint64 n = 0, length = 0;

	if (!spk_tx_int(check->tx,
			"SELECT n FROM memory_sums WHERE scope = 0 AND kind = 0", NULL,
			&n, error) ||
	    !spk_tx_int(check->tx,
			"SELECT length FROM memory_sums WHERE scope = 0 AND kind = 0",
			NULL, &length, error))
		return FALSE;
	if (check->wanted != check->postings || check->marks != check->seen)
		return differs("they are not those of the memories", error);
	return (n == check->n && length == check->length) ||
	       differs("the sums are wrong", error);
}

static gboolean run(Check *check, GError **error)
{
	SpkMemoryCounters counters;

	if (!spk_memory_counters(check->tx, &counters, error))
		return FALSE;
	if (counters.change && counters.words != SPK_WORDS_VERSION)
		return differs("they are of another version", error);
	return spk_tx_each(check->tx,
			   "SELECT num, text FROM memories WHERE state = 0 ORDER BY num",
			   NULL, read_row, check, error) &&
	       spk_tx_each(check->tx,
			   "SELECT word, first, postings FROM memory_words"
			   " ORDER BY word, first",
			   NULL, read_block, check, error) &&
	       compare_sums(check, error);
}

gboolean spk_memories_check(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GArray) block = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	Check check = { .tx = tx, .block = block };
	gboolean ok = tx && run(&check, error);

	g_free(check.word);
	return ok;
}
