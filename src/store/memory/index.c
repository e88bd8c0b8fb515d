/*
 * The words of active memories: memory_words (postings.h) and memory_sums. Both can be made anew
 * out of the rows, and are when a block turns out to be damaged.
 */
#include "base/error.h"
#include "store/memory/memory_priv.h"

#define HINT "`sparks memory reindex` makes the words anew out of the memories"

/* ---- sums ---- */

static gboolean damaged(const char *what, GError **error)
{
	spk_error_set(error, SPK_ERR_CORRUPT, HINT, "the words of the memories %s", what);
	return FALSE;
}

static gboolean add_sum(SpkTx *tx, gint64 scope, gint64 kind, gint64 n, gint64 length,
			GError **error)
{
	gint64 now = 0;

	if (!spk_tx_int(tx,
			"INSERT INTO memory_sums (scope, kind, n, length)"
			" VALUES ($1, $2, $3, $4) ON CONFLICT (scope, kind) DO UPDATE"
			" SET n = memory_sums.n + excluded.n,"
			" length = memory_sums.length + excluded.length RETURNING n",
			SPK_ARGS(spk_db_int(scope), spk_db_int(kind), spk_db_int(n),
				 spk_db_int(length)),
			&now, error))
		return FALSE;
	return now >= 0 || damaged("are not counted", error);
}

/* A name that nobody has any more goes. */
static gboolean drop_empty(SpkTx *tx, gint64 scope, gint64 kind, gint64 name,
			   GError **error)
{
	gint64 changed = 0;

	return spk_tx_exec(tx,
			   "DELETE FROM memory_sums WHERE scope = $1 AND kind = $2"
			   " AND n <= 0",
			   SPK_ARGS(spk_db_int(scope), spk_db_int(kind)), &changed,
			   error) &&
	       (!changed || !name || spk_memory_name_drop(tx, name, error));
}

gboolean spk_memory_sums_add(SpkTx *tx, gint64 scope, gint64 kind, gint64 n,
			     gint64 length, GError **error)
{
	if (!add_sum(tx, scope, kind, n, length, error) ||
	    !add_sum(tx, scope, 0, n, length, error) ||
	    !add_sum(tx, 0, kind, n, length, error) ||
	    !add_sum(tx, 0, 0, n, length, error))
		return FALSE;
	return n > 0 ||
	       (drop_empty(tx, scope, kind, 0, error) &&
		drop_empty(tx, scope, 0, scope, error) &&
		drop_empty(tx, 0, kind, kind, error) && drop_empty(tx, 0, 0, 0, error));
}

/* ---- blocks ---- */

typedef struct {
	gint64 first; /* 0: there is none */
	GArray *postings;
	GByteArray *packed; /* for writing */
	gboolean damaged;
} Block;

static gboolean read_block(const SpkDbValue *row, gpointer user, GError **error)
{
	Block *block = user;

	block->first = row[0].integer;
	block->damaged = row[1].type != SPK_DB_BLOB ||
			 !spk_postings_read(row[1].blob, row[1].len, block->first,
					    block->postings);
	return TRUE;
}

/* The block of a word that `num` is in or belongs into: the last one that begins at or before it,
 * else the first. */
static gboolean find_block(SpkTx *tx, const char *word, gint64 num, Block *block,
			   GError **error)
{
	block->first = 0;
	g_array_set_size(block->postings, 0);
	if (!spk_tx_each(tx,
			 "SELECT first, postings FROM memory_words WHERE word = $1"
			 " AND first <= $2 ORDER BY first DESC LIMIT 1",
			 SPK_ARGS(spk_db_text(word), spk_db_int(num)), read_block, block,
			 error))
		return FALSE;
	if (!block->first &&
	    !spk_tx_each(tx,
			 "SELECT first, postings FROM memory_words WHERE word = $1"
			 " ORDER BY first LIMIT 1",
			 SPK_ARGS(spk_db_text(word)), read_block, block, error))
		return FALSE;
	if (!block->damaged)
		return TRUE;
	return damaged("are damaged", error);
}

static gboolean insert_block(SpkTx *tx, const char *word, gint64 first,
			     const GByteArray *packed, GError **error)
{
	return spk_tx_exec(tx,
			   "INSERT INTO memory_words (word, first, postings)"
			   " VALUES ($1, $2, $3)",
			   SPK_ARGS(spk_db_text(word), spk_db_int(first),
				    spk_db_blob(packed->data, packed->len)),
			   NULL, error);
}

static gboolean delete_block(SpkTx *tx, const char *word, gint64 first, GError **error)
{
	return spk_tx_exec(tx, "DELETE FROM memory_words WHERE word = $1 AND first = $2",
			   SPK_ARGS(spk_db_text(word), spk_db_int(first)), NULL, error);
}

static gboolean insert_all(SpkTx *tx, const char *word, const SpkPosting *postings,
			   gsize n, GByteArray *packed, GError **error)
{
	while (n > 0) {
		gsize done = spk_postings_write(postings, n, packed);

		if (!insert_block(tx, word, postings->num, packed, error))
			return FALSE;
		postings += done;
		n -= done;
	}
	return TRUE;
}

/* What is in block->postings now, in the place of the row it came from. One that has grown too
 * large is cut in two halves, so that the next one there finds room. */
static gboolean write_block(SpkTx *tx, const char *word, const Block *block,
			    GError **error)
{
	const SpkPosting *postings = (const SpkPosting *)block->postings->data;
	gsize n = block->postings->len, half = n / 2;

	if (n && postings->num == block->first &&
	    spk_postings_write(postings, n, block->packed) == n)
		return spk_tx_exec(
			tx,
			"UPDATE memory_words SET postings = $3"
			" WHERE word = $1 AND first = $2",
			SPK_ARGS(spk_db_text(word), spk_db_int(block->first),
				 spk_db_blob(block->packed->data, block->packed->len)),
			NULL, error);
	if (block->first && !delete_block(tx, word, block->first, error))
		return FALSE;
	if (!n || spk_postings_write(postings, n, block->packed) == n)
		return insert_all(tx, word, postings, n, block->packed, error);
	return insert_all(tx, word, postings, half, block->packed, error) &&
	       insert_all(tx, word, postings + half, n - half, block->packed, error);
}

/* Index of the first posting at or behind num. */
static guint place_of(const GArray *postings, gint64 num)
{
	guint from = 0, to = postings->len;

	while (from < to) {
		guint middle = from + (to - from) / 2;

		if (g_array_index(postings, SpkPosting, middle).num < num)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static gboolean is_at(const GArray *postings, guint place, gint64 num)
{
	return place < postings->len &&
	       g_array_index(postings, SpkPosting, place).num == num;
}

static gboolean add_posting(SpkTx *tx, const char *word, const SpkPosting *posting,
			    Block *block, GError **error)
{
	guint place;

	if (!find_block(tx, word, posting->num, block, error))
		return FALSE;
	place = place_of(block->postings, posting->num);
	if (is_at(block->postings, place, posting->num))
		return damaged("have one twice", error);
	g_array_insert_val(block->postings, place, *posting);
	if (block->first && place + 1 == block->postings->len &&
	    spk_postings_write((const SpkPosting *)block->postings->data,
			       block->postings->len,
			       block->packed) < block->postings->len)
		/* at the end: full blocks stay full */
		return insert_all(tx, word, posting, 1, block->packed, error);
	return write_block(tx, word, block, error);
}

static gboolean remove_posting(SpkTx *tx, const char *word, gint64 num, Block *block,
			       GError **error)
{
	guint place;

	if (!find_block(tx, word, num, block, error))
		return FALSE;
	place = place_of(block->postings, num);
	if (!is_at(block->postings, place, num))
		return damaged("lack one", error);
	g_array_remove_index(block->postings, place);
	return write_block(tx, word, block, error);
}

gboolean spk_memory_index_append(SpkTx *tx, const char *word, const SpkPosting *postings,
				 gsize n, GError **error)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	g_autoptr(GByteArray) packed = g_byte_array_new();
	Block block = { .postings = list, .packed = packed };

	if (!find_block(tx, word, G_MAXINT64, &block, error))
		return FALSE;
	g_array_append_vals(list, postings, (guint)n);
	if (block.first && !delete_block(tx, word, block.first, error))
		return FALSE;
	return insert_all(tx, word, (const SpkPosting *)list->data, list->len, packed,
			  error);
}

/* ---- a memory ---- */

static gboolean change_words(SpkTx *tx, const SpkMemoryRow *row, gboolean add,
			     SpkPosting *posting, GError **error)
{
	g_autoptr(SpkWords) words = spk_words_of(row->text, 0);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(SpkPosting));
	g_autoptr(GByteArray) packed = g_byte_array_new();
	Block block = { .postings = list, .packed = packed };

	spk_words_sort(words);
	posting->length = words->length;
	for (guint i = 0; i < words->words->len; i++) {
		const SpkWord *word = &g_array_index(words->words, SpkWord, i);

		posting->n = word->n;
		if (!(add ? add_posting(tx, word->word, posting, &block, error)
			  : remove_posting(tx, word->word, row->num, &block, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean change_row(SpkTx *tx, const SpkMemoryRow *row, gboolean add,
			   GError **error)
{
	SpkPosting posting = { .num = row->num };
	gint64 scope, kind, one = add ? 1 : -1;

	if (!spk_memory_name_get(tx, SPK_MEMORY_SCOPE, row->scope, &scope, error) ||
	    !spk_memory_name_get(tx, SPK_MEMORY_KIND, row->kind, &kind, error))
		return FALSE;
	posting.scope = (guint32)scope;
	posting.kind = (guint32)kind;
	return change_words(tx, row, add, &posting, error) &&
	       spk_memory_sums_add(tx, scope, kind, one, one * posting.length, error);
}

gboolean spk_memory_index_try(SpkTx *tx, const SpkMemoryRow *old, const SpkMemoryRow *now,
			      GError **error)
{
	if (old && old->state != SPK_MEMORY_ACTIVE)
		old = NULL;
	if (now && now->state != SPK_MEMORY_ACTIVE)
		now = NULL;
	return (!old || change_row(tx, old, FALSE, error)) &&
	       (!now || change_row(tx, now, TRUE, error));
}
