/* JSON lines that an export wrote, or anybody. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "store/memory/memory_priv.h"

#define LINE_MAX_BYTES (16u << 20)
#define AT_ONCE	       200	  /* lines of a transaction */
#define BYTES_AT_ONCE  (4u << 20) /* … and about as much of them */
#define CHUNK	       65536

typedef struct {
	SpkStore *store;
	SpkMemoryMoved *moved;
	GPtrArray *lines; /* json_t * that wait */
	GByteArray *rest; /* of a line whose end hasn't come */
	gint64 n;	  /* lines seen */
	GArray *numbers;  /* gint64, of those */
	gsize bytes;	  /* of those */
	gboolean begun;	  /* the head has come */
	gboolean skips;	  /* the rest of a line that is too long */
} Import;

static void note(Import *import, gint64 number, GError *take_error)
{
	g_autofree char *which = g_strdup_printf("line %" G_GINT64_FORMAT, number);

	spk_memory_moved_refuse(import->moved, which, take_error);
}

static gboolean put_line(Import *import, SpkTx *tx, SpkMemoryBulk *bulk, guint i,
			 GError **error)
{
	g_autoptr(GPtrArray) past = NULL;
	g_autoptr(GHashTable) vectors = NULL;
	g_autoptr(GError) problem = NULL;
	g_autoptr(SpkMemoryRow) row =
		spk_memory_from_json(import->lines->pdata[i], &past, &vectors, &problem);

	if (row)
		return spk_memory_moved_put(tx, bulk, row, past, vectors, import->moved,
					    error);
	note(import, g_array_index(import->numbers, gint64, i),
	     g_steal_pointer(&problem));
	return TRUE;
}

static gboolean flush(Import *import, GError **error)
{
	g_autoptr(SpkTx) tx = NULL;
	g_autoptr(SpkMemoryBulk) bulk = NULL;

	if (!import->lines->len)
		return TRUE;
	tx = spk_tx_begin(import->store, SPK_TX_WRITE, error);
	if (!tx)
		return FALSE;
	bulk = spk_memory_bulk_new(tx);
	for (guint i = 0; i < import->lines->len; i++)
		if (!put_line(import, tx, bulk, i, error))
			return FALSE;
	g_ptr_array_set_size(import->lines, 0);
	g_array_set_size(import->numbers, 0);
	import->bytes = 0;
	return spk_memory_bulk_finish(bulk, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

static gboolean read_head(Import *import, const json_t *json, GError **error)
{
	import->begun = TRUE;
	if (spk_json_int(json, "memories", 0) == 1)
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "give a file that `sparks memory export` wrote",
		      "this is no export of memories that this sparks knows");
	return FALSE;
}

static gboolean take_line(Import *import, const char *line, gsize len, GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(json_t) json = NULL;

	import->n++;
	if (!len)
		return TRUE;
	json = spk_json_parse(line, len, LINE_MAX_BYTES, &problem);
	if (!import->begun)
		return read_head(import, json, error);
	import->moved->read++;
	if (!json) {
		note(import, import->n, g_steal_pointer(&problem));
		return TRUE;
	}
	g_array_append_val(import->numbers, import->n);
	g_ptr_array_add(import->lines, g_steal_pointer(&json));
	import->bytes += len;
	return (import->lines->len < AT_ONCE && import->bytes < BYTES_AT_ONCE) ||
	       flush(import, error);
}

static gboolean take_rest(Import *import, GError **error)
{
	gboolean ok = import->skips || take_line(import, (const char *)import->rest->data,
						 import->rest->len, error);

	import->skips = FALSE;
	g_byte_array_set_size(import->rest, 0);
	return ok;
}

static void skip_line(Import *import)
{
	GError *problem = NULL;

	import->skips = TRUE;
	import->n++;
	import->moved->read++;
	spk_error_set(&problem, SPK_ERR_BAD_INPUT, NULL, "it is longer than 16 MiB");
	note(import, import->n, problem);
}

static gboolean take_chunk(Import *import, const char *data, gsize len, GError **error)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		gsize n = end ? (gsize)(end - data) : len;

		if (!import->skips && import->rest->len + n > LINE_MAX_BYTES)
			skip_line(import);
		if (!import->skips)
			g_byte_array_append(import->rest, (const guint8 *)data, (guint)n);
		if (end && !take_rest(import, error))
			return FALSE;
		data += n + (end != NULL);
		len -= n + (end != NULL);
	}
	return TRUE;
}

static gboolean read_all(Import *import, int fd, SpkCancel *cancel, GError **error)
{
	g_autofree char *chunk = g_malloc(CHUNK);
	gssize n;

	while ((n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
					    "cannot read the memories");
			return FALSE;
		}
		if (!spk_cancel_check(cancel, error) ||
		    !take_chunk(import, chunk, (gsize)n, error))
			return FALSE;
	}
	if (import->rest->len && !take_rest(import, error))
		return FALSE;
	return import->begun ? flush(import, error) : read_head(import, NULL, error);
}

gboolean spk_memories_import(SpkStore *store, int fd, SpkCancel *cancel,
			     SpkMemoryMoved *ret, GError **error)
{
	g_autoptr(GPtrArray)
		lines = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_autoptr(GByteArray) rest = g_byte_array_new();
	Import import = { .store = store,
			  .moved = ret,
			  .lines = lines,
			  .numbers = numbers,
			  .rest = rest };

	*ret = (SpkMemoryMoved){ 0 };
	return read_all(&import, fd, cancel, error);
}
