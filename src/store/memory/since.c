/* What caches over the table have to learn. */
#include "base/error.h"
#include "store/memory/memory_priv.h"

typedef struct {
	SpkMemoryChangeFn fn;
	gpointer user;
	GArray *buffer;
} Reader;

static gboolean tell(const SpkDbValue *column, gpointer user, GError **error)
{
	Reader *reader = user;
	g_autofree char *scope = spk_db_dup_text(&column[4]);
	g_autofree char *kind = spk_db_dup_text(&column[5]);
	g_autofree char *speaker = spk_db_dup_text(&column[6]);
	SpkMemoryChange change = { .num = column[0].integer,
				   .change = column[1].integer,
				   .gone = column[2].type != SPK_DB_INT,
				   .scope = scope,
				   .kind = kind,
				   .speaker = speaker };

	if (!change.gone) {
		change.state = (SpkMemoryState)CLAMP(column[2].integer, 0,
						     SPK_N_MEMORY_STATES - 1);
		change.time_us = column[3].integer;
		change.dims = spk_memory_vector_read(&column[7], reader->buffer);
	}
	if (change.dims)
		change.vector = (const float *)reader->buffer->data;
	return reader->fn(&change, reader->user, error);
}

/* Two sorted lists, told as one: the order of UNION ALL is made by the database, which merges. */
static const char changes[] =
	"SELECT m.num, m.change, m.state, m.time_us, m.scope, m.kind, m.speaker, v.vector"
	" FROM memories m LEFT JOIN memory_vectors v ON v.num = m.num AND v.model = $2"
	" WHERE m.change > $1"
	" UNION ALL SELECT g.num, g.change, NULL, NULL, NULL, NULL, NULL, NULL"
	" FROM memory_gone g WHERE g.change > $1 ORDER BY 2, 1";

gboolean spk_memories_since(SpkStore *store, gint64 change, const char *model,
			    SpkMemoryChangeFn fn, gpointer user, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_READ, error);
	g_autoptr(GArray) buffer = g_array_new(FALSE, FALSE, sizeof(float));
	Reader reader = { .fn = fn, .user = user, .buffer = buffer };
	gint64 id = 0;

	if (!tx ||
	    (model && !spk_memory_name_find(tx, SPK_MEMORY_MODEL, model, &id, error)))
		return FALSE;
	return spk_tx_each(tx, changes, SPK_ARGS(spk_db_int(change), spk_db_int(id)),
			   tell, &reader, error);
}
