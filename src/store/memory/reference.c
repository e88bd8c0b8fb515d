/*
 * Memories of the reference program: rows (id, category, content, active, created_at, updated_at,
 * embedding: 384 little-endian floats), in a SQLite file that anybody may have written. It is opened
 * to read only, a copy of it when there is a -wal file, so that nothing is ever made beside it; its
 * schema is not trusted (no views, no virtual tables), values have a maximum, statements a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "base/veil.h"
#include "store/memory/memory_priv.h"

#define DIMS	  384
#define AT_ONCE	  200
#define VALUE_MAX (64 << 20) /* bytes of one of its values; a longer one is damage */
#define STEPS	  100000     /* of its machine between two looks at the clock */
#define SLOW_US	  (120 * G_USEC_PER_SEC)
#define ROWS_MAX  2000000
#define TIME_MAX  40
#define NAME	  "reference database"

typedef struct {
	const char *path;
	char *copy; /* folder; NULL */
	sqlite3 *sqlite;
	sqlite3_stmt *rows;
	SpkCancel *cancel;
	gint64 deadline_us;
	const char *model; /* NULL: no vectors */
	SpkMemoryMoved *moved;
	guint sample; /* so many rows that have a vector; 0: all rows */
} Source;

static void source_clear(Source *source)
{
	sqlite3_finalize(source->rows);
	sqlite3_close(source->sqlite);
	if (source->copy)
		(void)spk_fs_remove_tree(source->copy, NULL); /* a copy of ours */
	g_free(source->copy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Source, source_clear)

static gboolean failed(const Source *source, GError **error)
{
	int code = sqlite3_errcode(source->sqlite) & 0xff;

	if (code == SQLITE_INTERRUPT && !spk_cancel_check(source->cancel, error))
		return FALSE;
	if (code == SQLITE_INTERRUPT)
		spk_error_set(error, SPK_ERR_TIMEOUT, "what came before it is taken",
			      "the " NAME " %s takes too long to read", source->path);
	else if (code == SQLITE_NOTADB)
		spk_error_set(error, SPK_ERR_BAD_INPUT, "give the file of its memories",
			      "%s is no SQLite database", source->path);
	else
		spk_error_set(error, SPK_ERR_CORRUPT,
			      "what could be read before that is taken",
			      "the " NAME " %s cannot be read on: %s", source->path,
			      sqlite3_errmsg(source->sqlite));
	return FALSE;
}

/* ---- opening ---- */

static gboolean find_file(const char *path, GError **error)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		spk_error_set_errno(error,
				    errno == ENOENT ? SPK_ERR_NOT_FOUND : SPK_ERR_IO,
				    errno, "give the file of its memories",
				    "cannot open %s", path);
		return FALSE;
	}
	if (S_ISREG(st.st_mode))
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT, "give the file of its memories",
		      "%s is no file", path);
	return FALSE;
}

static gboolean has_wal(const char *path)
{
	g_autofree char *wal = g_strconcat(path, "-wal", NULL);
	struct stat st;

	return stat(wal, &st) == 0 && st.st_size > 0;
}

static gboolean copy_in(Source *source, const char *suffix, GError **error)
{
	g_autofree char *from = g_strconcat(source->path, suffix, NULL);
	g_autofree char *to = g_strconcat(source->copy, "/copy.db", suffix, NULL);

	return spk_fs_copy_file(AT_FDCWD, from, AT_FDCWD, to, error);
}

static char *place_to_read(Source *source, GError **error)
{
	g_autofree char *absolute = NULL, *escaped = NULL;

	if (!has_wal(source->path)) {
		absolute = g_canonicalize_filename(source->path, NULL);
		escaped = g_uri_escape_string(absolute, "/", FALSE);
		return g_strdup_printf("file:%s?immutable=1", escaped);
	}
	source->copy = g_dir_make_tmp("sparks-import-XXXXXX", NULL);
	if (!source->copy) {
		spk_error_set(error, SPK_ERR_IO, "set TMPDIR to a folder with room",
			      "there is no place for a copy of %s", source->path);
		return NULL;
	}
	if (!copy_in(source, "", error) || !copy_in(source, "-wal", error))
		return NULL;
	escaped = g_uri_escape_string(source->copy, "/", FALSE);
	return g_strdup_printf("file:%s/copy.db", escaped);
}

static int look_at_clock(void *user)
{
	const Source *source = user;

	return spk_cancel_is_fired(source->cancel) || spk_mono_us() > source->deadline_us;
}

static void distrust(Source *source)
{
	sqlite3 *sqlite = source->sqlite;

	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	sqlite3_limit(sqlite, SQLITE_LIMIT_SQL_LENGTH, VALUE_MAX);
	sqlite3_limit(sqlite, SQLITE_LIMIT_ATTACHED, 0);
	source->deadline_us = spk_mono_us() + SLOW_US;
	sqlite3_progress_handler(sqlite, STEPS, look_at_clock, source);
	/* a page that lies about its cells is found before it is used */
	(void)sqlite3_exec(sqlite, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
}

static gboolean open_source(Source *source, GError **error)
{
	g_autofree char *uri = NULL;
	int flags;

	if (!find_file(source->path, error))
		return FALSE;
	uri = place_to_read(source, error);
	if (!uri)
		return FALSE;
	/* the copy's -wal file has to be brought in */
	flags = source->copy ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(uri, &source->sqlite, flags | SQLITE_OPEN_URI, NULL) !=
	    SQLITE_OK)
		return failed(source, error);
	distrust(source);
	return TRUE;
}

/* ---- which table ---- */

/* An ordinary table that has all columns, whatever it is called. */
static const char find_table[] =
	"SELECT m.name, (SELECT count(*) FROM pragma_table_xinfo(m.name) c"
	" WHERE c.name IN ('id', 'category', 'content', 'active', 'created_at')"
	" AND c.hidden = 0), (SELECT count(*) FROM pragma_table_xinfo(m.name) c"
	" WHERE c.name = 'embedding' AND c.hidden = 0) FROM sqlite_master m"
	" WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY 1";

static gboolean no_memories(const Source *source, GError **error)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "it has a table with the columns id, category, content, active and"
		      " created_at; exports are read from standard input",
		      "%s has no memories of the reference program", source->path);
	return FALSE;
}

static gboolean prepare_rows(Source *source, const char *table, gboolean vectors,
			     GError **error)
{
	const char *some = vectors ? " WHERE length(embedding) = 1536"
				     " AND length(content) <= 500 ORDER BY random()"
				   : " WHERE 0";
	char *sql = sqlite3_mprintf("SELECT id, category, content, active, created_at,"
				    " %s FROM \"%w\"%s LIMIT %d",
				    vectors ? "embedding" : "NULL", table,
				    source->sample ? some : "",
				    source->sample ? (int)source->sample : ROWS_MAX);
	int result = sqlite3_prepare_v2(source->sqlite, sql, -1, &source->rows, NULL);

	sqlite3_free(sql);
	return result == SQLITE_OK || failed(source, error);
}

static gboolean find_rows(Source *source, GError **error)
{
	sqlite3_stmt *tables = NULL;
	g_autofree char *table = NULL;
	gboolean vectors = FALSE;
	int result = sqlite3_prepare_v2(source->sqlite, find_table, -1, &tables, NULL);

	while (result == SQLITE_OK || result == SQLITE_ROW) {
		result = sqlite3_step(tables);
		if (result != SQLITE_ROW || sqlite3_column_int(tables, 1) != 5)
			continue;
		table = g_strdup((const char *)sqlite3_column_text(tables, 0));
		vectors = sqlite3_column_int(tables, 2) == 1;
		break;
	}
	if (result != SQLITE_ROW && result != SQLITE_DONE) {
		(void)failed(source, error);
		sqlite3_finalize(tables);
		return FALSE;
	}
	sqlite3_finalize(tables);
	return table ? prepare_rows(source, table, vectors, error)
		     : no_memories(source, error);
}

/* ---- a row ---- */

/* Valid, without what a terminal would act on; NULL: there is none. */
static char *dup_column(sqlite3_stmt *rows, int i, SpkCleanMode mode)
{
	const char *text = (const char *)sqlite3_column_text(rows, i);
	int len = sqlite3_column_bytes(rows, i);

	return text && len > 0 ? spk_text_clean(text, len, mode) : NULL;
}

/* Seconds, milliseconds or microseconds since 1970, or a date as SQLite and RFC 3339 write it.
 * 0: unknown. */
static gint64 read_time(sqlite3_stmt *rows, int i)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = NULL;
	g_autofree char *text =
		g_strndup((const char *)sqlite3_column_text(rows, i), TIME_MAX);
	char *end = NULL;
	double number = text ? g_ascii_strtod(text, &end) : 0;

	if (!text)
		return 0;
	if (!*end) {
		if (!(number > 0 && number < 4e15))
			return 0;
		return (gint64)(number < 4e9	? number * 1e6
				: number < 4e12 ? number * 1e3
						: number);
	}
	if (strlen(text) > 10 && text[10] == ' ')
		text[10] = 'T';
	time = g_date_time_new_from_iso8601(text, utc);
	if (!time || g_date_time_to_unix(time) < 0)
		return 0;
	return g_date_time_to_unix(time) * G_USEC_PER_SEC +
	       g_date_time_get_microsecond(time);
}

/* An id of ours that names the row and what it says: two databases may both have a row 7. */
static char *make_id(sqlite3_stmt *rows, const char *kind, const char *text)
{
	g_autofree char *id = dup_column(rows, 0, SPK_CLEAN_LINE);
	g_autofree char *both = g_strconcat(kind, "\n", text, NULL);
	g_autofree char *hash = spk_text_sha256(both, strlen(both));
	g_autofree char *start = g_strndup(id ? id : "", SPK_MEMORY_ID_MAX / 2);
	g_autofree char *valid = g_utf8_make_valid(start, -1);

	return g_strdup_printf("ref-%s-%.8s", valid, hash);
}

static SpkMemoryRow *read_row(const Source *source, GError **error)
{
	g_autoptr(SpkMemoryRow) row = g_new0(SpkMemoryRow, 1);
	g_autofree char *text = dup_column(source->rows, 2, SPK_CLEAN_TEXT);
	gint64 now = spk_now_us();

	row->kind = dup_column(source->rows, 1, SPK_CLEAN_LINE);
	if (!row->kind || !*row->kind) {
		g_free(row->kind);
		row->kind = g_strdup("fact");
	}
	row->text = spk_veil_text(text ? text : "");
	row->scope = g_strdup("user");
	row->source = g_strdup_printf("import:%s", source->path);
	row->id = make_id(source->rows, row->kind, row->text);
	row->state = sqlite3_column_int(source->rows, 3) ? SPK_MEMORY_ACTIVE
							 : SPK_MEMORY_RETIRED;
	row->confidence = 1;
	row->time_us = read_time(source->rows, 4);
	if (!row->time_us)
		row->time_us = now;
	row->stored_us = row->updated_us = now;
	return spk_memory_check_row(row, error) ? g_steal_pointer(&row) : NULL;
}

/* Of length 1; NULL: not of its form. */
static GBytes *read_vector(const Source *source)
{
	const guint8 *blob = sqlite3_column_blob(source->rows, 5);
	g_autofree float *vector = NULL;
	double length = 0;

	if ((!source->model && !source->sample) || !blob ||
	    sqlite3_column_bytes(source->rows, 5) != DIMS * (int)sizeof(float))
		return NULL;
	vector = g_new(float, DIMS);
	for (gsize i = 0; i < DIMS; i++) {
		guint32 bits;

		memcpy(&bits, blob + i * sizeof(bits), sizeof(bits));
		bits = GUINT32_FROM_LE(bits);
		memcpy(&vector[i], &bits, sizeof(bits));
		length += (double)vector[i] * vector[i];
	}
	length = sqrt(length);
	if (!isfinite(length) || length < 1e-6)
		return NULL;
	for (gsize i = 0; i < DIMS; i++)
		vector[i] = (float)(vector[i] / length);
	return g_bytes_new_take(g_steal_pointer(&vector), DIMS * sizeof(float));
}

static gboolean take_row(Source *source, SpkTx *tx, SpkMemoryBulk *bulk, GError **error)
{
	g_autoptr(GHashTable) vectors = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
	g_autoptr(GError) problem = NULL;
	g_autoptr(SpkMemoryRow) row = read_row(source, &problem);
	GBytes *vector = row ? read_vector(source) : NULL;
	g_autofree char *which = NULL;

	source->moved->read++;
	if (!row) {
		which = g_strdup_printf("row %" G_GINT64_FORMAT, source->moved->read);
		spk_memory_moved_refuse(source->moved, which, g_steal_pointer(&problem));
		return TRUE;
	}
	if (vector)
		g_hash_table_insert(vectors, (gpointer)source->model, vector);
	return spk_memory_moved_put(tx, bulk, row, NULL, vectors, source->moved, error);
}

/* Up to AT_ONCE rows; *ret_more: there may be others. What was read before the damage is kept. */
static gboolean take_some(Source *source, SpkStore *store, gboolean *ret_more,
			  GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	g_autoptr(SpkMemoryBulk) bulk = tx ? spk_memory_bulk_new(tx) : NULL;
	int result = SQLITE_ROW;

	*ret_more = FALSE;
	for (int i = 0; tx && i < AT_ONCE && result == SQLITE_ROW; i++) {
		result = sqlite3_step(source->rows);
		if (result == SQLITE_ROW && !take_row(source, tx, bulk, error))
			return FALSE;
	}
	if (!tx || !spk_memory_bulk_finish(bulk, error) ||
	    !spk_tx_commit(g_steal_pointer(&tx), error))
		return FALSE;
	*ret_more = result == SQLITE_ROW;
	return *ret_more || result == SQLITE_DONE || failed(source, error);
}

gboolean spk_memories_import_reference(SpkStore *store, const char *path,
				       const char *model, SpkCancel *cancel,
				       SpkMemoryMoved *ret, GError **error)
{
	g_auto(Source)
		source = { .path = path, .cancel = cancel, .model = model, .moved = ret };
	gboolean more = TRUE;

	*ret = (SpkMemoryMoved){ 0 };
	if (!open_source(&source, error) || !find_rows(&source, error))
		return FALSE;
	while (more)
		if (!spk_cancel_check(cancel, error) ||
		    !take_some(&source, store, &more, error))
			return FALSE;
	return TRUE;
}

gboolean spk_memories_sample_reference(const char *path, guint n, SpkCancel *cancel,
				       SpkMemorySampleFn fn, gpointer user,
				       GError **error)
{
	g_auto(Source) source = { .path = path, .cancel = cancel, .sample = n };
	int result;

	if (!open_source(&source, error) || !find_rows(&source, error))
		return FALSE;
	while ((result = sqlite3_step(source.rows)) == SQLITE_ROW) {
		g_autoptr(SpkMemoryRow) row = read_row(&source, NULL);
		g_autoptr(GBytes) vector = read_vector(&source);

		if (row && vector)
			fn(row->text, g_bytes_get_data(vector, NULL), user);
	}
	return result == SQLITE_DONE || failed(&source, error);
}
