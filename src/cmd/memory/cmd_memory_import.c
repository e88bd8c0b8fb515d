/*
 * `sparks memory import`: JSON lines of an export, or by hand; with --from a database of the
 * reference program. All of it is read and checked before the first memory is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/ui.h"
#include "memory/portable.h"
#include "store/memory_moves.h"

enum { AT_ONCE = 500 }; /* memories in one transaction */
/* Rows of a reference database whose vectors are compared with those of our model. */
#define SAMPLE	     8
#define SAMPLE_MIN   3
#define SAMPLE_DIMS  384
#define SAME_MODEL   0.999
#define MEMORIES_MAX (5 * 1000 * 1000)

typedef struct {
	GPtrArray *all;	   /* SpkPortable, in the order of the file */
	GHashTable *lines; /* id -> number of its line */
} Batch;

static void batch_clear(Batch *batch)
{
	g_clear_pointer(&batch->all, g_ptr_array_unref);
	g_clear_pointer(&batch->lines, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Batch, batch_clear)

typedef struct {
	gint64 written, replaced, kept; /* kept: the id was there, and stays as it is */
} Counts;

/* ---- reading ---- */

static gboolean take(Batch *batch, SpkPortable *take_one, guint line, GError **error)
{
	g_autoptr(SpkPortable) one = take_one;
	guint before = GPOINTER_TO_UINT(g_hash_table_lookup(batch->lines, one->row->id));

	if (before) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "each id stands for one memory",
			      "its id is that of line %u, too", before);
		return FALSE;
	}
	if (batch->all->len >= MEMORIES_MAX) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "split the file",
			      "more than %d memories", MEMORIES_MAX);
		return FALSE;
	}
	g_hash_table_insert(batch->lines, one->row->id, GUINT_TO_POINTER(line));
	g_ptr_array_add(batch->all, g_steal_pointer(&one));
	return TRUE;
}

/* At most SPK_PORTABLE_LINE_MAX bytes and what tells that there are more; -1: the end. */
static gssize next_line(FILE *file, char *buffer)
{
	gsize len = 0;
	int c;

	while (len <= SPK_PORTABLE_LINE_MAX && (c = getc_unlocked(file)) != EOF) {
		buffer[len++] = (char)c;
		if (c == '\n')
			break;
	}
	return len ? (gssize)len : -1;
}

static gboolean read_line(Batch *batch, const char *line, gsize len, guint number,
			  const char *source, GError **error)
{
	SpkPortable *one = NULL;

	if (number == 1 && len >= 15 && !memcmp(line, "SQLite format 3", 15)) {
		spk_error_set(
			error, SPK_ERR_BAD_INPUT,
			"of the reference program: sparks memory import --from PATH",
			"this is a database");
		return FALSE;
	}
	if (len > SPK_PORTABLE_LINE_MAX) {
		spk_error_set(error, SPK_ERR_BAD_INPUT,
			      "a memory has at most 64 KiB of text",
			      "it is longer than %u bytes", SPK_PORTABLE_LINE_MAX);
		return FALSE;
	}
	return spk_portable_read(line, len, source, &one, error) &&
	       (!one || take(batch, one, number, error));
}

static gboolean read_lines(FILE *file, const char *name, const char *source, Batch *batch,
			   GError **error)
{
	g_autofree char *buffer = g_malloc(SPK_PORTABLE_LINE_MAX + 1);
	gssize len;

	for (guint line = 1; (len = next_line(file, buffer)) >= 0; line++)
		if (!read_line(batch, buffer, (gsize)len, line, source, error)) {
			g_prefix_error(error, "%s, line %u: ", name, line);
			return FALSE;
		}
	if (!ferror(file))
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno,
			    "name a file of JSON lines, or - for stdin",
			    "%s cannot be read", name);
	return FALSE;
}

static gboolean read_file(const char *path, Batch *batch, GError **error)
{
	gboolean is_stdin = !strcmp(path, "-");
	g_autofree char *source = g_strconcat("import:", is_stdin ? "stdin" : path, NULL);
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	gboolean ok;

	if (!file) {
		spk_error_set_errno(error, SPK_ERR_IO, errno,
				    "give a file that can be read, or - for stdin",
				    "%s cannot be opened", path);
		return FALSE;
	}
	ok = read_lines(file, is_stdin ? "stdin" : path, source, batch, error);
	if (!is_stdin)
		fclose(file);
	return ok;
}

/* ---- writing ---- */

/* Those of [from, to) that are to be written. */
static gboolean choose(SpkDesk *desk, const Batch *batch, guint from, guint to,
		       gboolean replace, GPtrArray *ret, Counts *counts, GError **error)
{
	for (guint i = from; i < to; i++) {
		SpkPortable *one = batch->all->pdata[i];
		g_autoptr(SpkMemoryRow) there = NULL;

		if (!spk_memories_get(desk->store, one->row->id, &there, error))
			return FALSE;
		counts->kept += there && !replace;
		counts->replaced += there && replace;
		counts->written += !there;
		if (!there || replace)
			g_ptr_array_add(ret, one);
	}
	return TRUE;
}

/* Whether this one makes one more that is in use. */
static gboolean adds_one(SpkDesk *desk, const SpkMemoryRow *row, gboolean replace,
			 gboolean *ret, GError **error)
{
	g_autoptr(SpkMemoryRow) there = NULL;

	if (!spk_memories_get(desk->store, row->id, &there, error))
		return FALSE;
	*ret = row->state == SPK_MEMORY_ACTIVE &&
	       (!there || (replace && there->state != SPK_MEMORY_ACTIVE));
	return TRUE;
}

/* More than there may be would be retired by whatever is remembered next. */
static gboolean has_room(SpkDesk *desk, const Batch *batch, gboolean replace,
			 GError **error)
{
	gint64 most = spk_conf_int(desk->session.conf, "memory.max_entries"), n = 0;
	SpkMemoryList active = { .state = SPK_MEMORY_ACTIVE };
	gint64 added = 0;

	if (!spk_memories_count(desk->store, &active, &n, error))
		return FALSE;
	for (guint i = 0; most && n + batch->all->len > most && i < batch->all->len;
	     i++) {
		const SpkPortable *one = batch->all->pdata[i];
		gboolean adds;

		if (!adds_one(desk, one->row, replace, &adds, error))
			return FALSE;
		added += adds;
	}
	if (!added || n + added <= most)
		return TRUE;
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "raise [memory] max_entries, or `sparks memory prune` first",
		      "%" G_GINT64_FORMAT " memories are in use and %" G_GINT64_FORMAT
		      " would come in: memory.max_entries is %" G_GINT64_FORMAT,
		      n, added, most);
	return FALSE;
}

/* Vectors of one call have one length; those of another one are made anew later. */
static gboolean put(SpkDesk *desk, const GPtrArray *chosen, GError **error)
{
	g_autofree SpkMemoryRow **rows = g_new0(SpkMemoryRow *, chosen->len + 1);
	g_autofree const float **vectors = g_new0(const float *, chosen->len + 1);
	guint dims = 0;

	for (guint i = 0; i < chosen->len; i++) {
		SpkPortable *one = chosen->pdata[i];

		dims = dims ? dims : one->dims;
		rows[i] = one->row;
		if (one->vector && one->dims == dims)
			vectors[i] = one->vector;
		else
			g_clear_pointer(&one->row->model, g_free);
	}
	return spk_memories_put_many(desk->store, rows, vectors, dims, chosen->len,
				     error);
}

static gboolean write_all(SpkDesk *desk, const SpkArgs *args, const Batch *batch,
			  Counts *counts, GError **error)
{
	for (guint i = 0; i < batch->all->len; i += AT_ONCE) {
		g_autoptr(GPtrArray) chosen = g_ptr_array_new();
		guint to = MIN(i + AT_ONCE, batch->all->len);

		if (!choose(desk, batch, i, to, spk_args_flag(args, "replace"), chosen,
			    counts, error) ||
		    (chosen->len && !put(desk, chosen, error)))
			return FALSE;
	}
	return TRUE;
}

/* ---- what the store takes over itself ---- */

/* How many there would be nobody knows before all is read: what comes in stays until something is
 * remembered. */
static void warn_of_too_many(const SpkDesk *desk)
{
	gint64 most = spk_conf_int(desk->session.conf, "memory.max_entries"), n = 0;
	SpkMemoryList active = { .state = SPK_MEMORY_ACTIVE };

	if (most && spk_memories_count(desk->store, &active, &n, NULL) && n > most)
		fprintf(stderr,
			"%" G_GINT64_FORMAT " memories are in use now, and "
			"memory.max_entries is %" G_GINT64_FORMAT ": the oldest are "
			"retired as soon as something is remembered; raise it before\n",
			n, most);
}

static void print_moved(const SpkDesk *desk, const SpkMemoryMoved *moved)
{
	json_t *why = json_array();
	g_autoptr(json_t) object = NULL;

	warn_of_too_many(desk);
	for (guint i = 0; moved->why && i < moved->why->len; i++)
		json_array_append_new(why, spk_json_text(moved->why->pdata[i]));
	object = json_pack("{s:I,s:i,s:I,s:I,s:o}", "imported", (json_int_t)moved->taken,
			   "replaced", 0, "kept", (json_int_t)moved->there, "refused",
			   (json_int_t)moved->refused, "why", why);
	if (desk->json) {
		spk_cmd_print_json(object);
		return;
	}
	printf("imported %" G_GINT64_FORMAT, moved->taken);
	if (moved->vectors)
		printf(", %" G_GINT64_FORMAT " with their vectors", moved->vectors);
	putchar('\n');
	fflush(stdout);
	if (moved->there)
		fprintf(stderr, "%" G_GINT64_FORMAT " were here already\n", moved->there);
	for (guint i = 0; moved->why && i < moved->why->len; i++) {
		g_autofree char *line = spk_ui_line(moved->why->pdata[i], 300);

		fprintf(stderr, "left out: %s\n", line);
	}
	if (moved->refused > (gint64)json_array_size(why))
		fprintf(stderr, "%" G_GINT64_FORMAT " were left out in all\n",
			moved->refused);
}

/* ---- whose its vectors are ---- */

typedef struct {
	GPtrArray *texts;
	GArray *vectors; /* float */
} Sample;

static void keep_sample(const char *text, const float *vector, gpointer user)
{
	Sample *sample = user;

	g_ptr_array_add(sample->texts, g_strdup(text));
	g_array_append_vals(sample->vectors, vector, SAMPLE_DIMS);
}

static gboolean are_equal(const Sample *sample, const float *ours)
{
	const float *theirs = (const float *)(void *)sample->vectors->data;

	for (guint i = 0; i < sample->texts->len; i++) {
		double cosine = 0;

		for (guint d = 0; d < SAMPLE_DIMS; d++)
			cosine += (double)ours[i * SAMPLE_DIMS + d] *
				  theirs[i * SAMPLE_DIMS + d];
		if (!(cosine >= SAME_MODEL))
			return FALSE;
	}
	return TRUE;
}

/* Which model made them is not on record there. Where ours makes the same of some texts they are
 * taken; NULL: they are not, or nobody can tell. */
static char *model_of_vectors(SpkDesk *desk, const char *file, SpkCancel *cancel)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) vectors = g_array_new(FALSE, FALSE, sizeof(float));
	Sample sample = { texts, vectors };
	g_autoptr(GError) error = NULL; /* the import meets it, too */
	g_autofree float *ours = NULL;
	guint dims;

	if (!spk_memories_sample_reference(file, SAMPLE, cancel, keep_sample, &sample,
					   &error) ||
	    texts->len < SAMPLE_MIN)
		return NULL;
	ours = spk_memory_embed(desk->memory, (const char *const *)texts->pdata,
				texts->len, SPK_EMBED_PASSAGE, &dims, &error);
	return ours && dims == SAMPLE_DIMS && are_equal(&sample, ours)
		       ? spk_memory_model(desk->memory)
		       : NULL;
}

static int import_reference(SpkDesk *desk, const char *path)
{
	g_auto(SpkMemoryMoved) moved = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autofree char *file = spk_fs_expand(path);
	g_autofree char *model = model_of_vectors(desk, file, cancel);

	if (!spk_memories_import_reference(desk->store, file, model, cancel, &moved,
					   &error)) {
		if (moved.taken && !desk->json)
			print_moved(desk, &moved);
		return spk_desk_fail(desk, g_steal_pointer(&error));
	}
	print_moved(desk, &moved);
	return 0;
}

static int import_full(SpkDesk *desk, const char *path)
{
	g_auto(SpkMemoryMoved) moved = { 0 };
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	gboolean is_stdin = !strcmp(path, "-");
	spk_autofd int fd = is_stdin ? dup(STDIN_FILENO)
				     : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		spk_error_set_errno(&error, SPK_ERR_IO, errno,
				    "give a file that can be read, or - for stdin",
				    "%s cannot be opened", path);
	else if (spk_memories_import(desk->store, fd, cancel, &moved, &error))
		print_moved(desk, &moved);
	return error ? spk_desk_fail(desk, g_steal_pointer(&error)) : 0;
}

/* ---- the command ---- */

static gboolean check_words(const SpkArgs *args, GError **error)
{
	gboolean from = spk_args_has(args, "from"), full = spk_args_flag(args, "full");
	gboolean how = spk_args_flag(args, "replace") || spk_args_flag(args, "untrusted");

	if ((spk_args_rest(args)[0] != NULL) == from) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "sparks memory import FILE, or --from a database of the "
			      "reference",
			      "what to import is %s", from ? "said twice" : "not said");
		return FALSE;
	}
	if ((from && full) || ((from || full) && how)) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "only lines of a plain export can be changed on the way",
			      "--from and --full take things as they are");
		return FALSE;
	}
	return TRUE;
}

static void mark_untrusted(const Batch *batch)
{
	for (guint i = 0; i < batch->all->len; i++)
		((SpkPortable *)batch->all->pdata[i])->row->untrusted = TRUE;
}

static void print(const SpkDesk *desk, const Counts *counts)
{
	g_autoptr(json_t)
		object = json_pack("{s:I,s:I,s:I,s:i,s:[]}", "imported",
				   (json_int_t)counts->written, "replaced",
				   (json_int_t)counts->replaced, "kept",
				   (json_int_t)counts->kept, "refused", 0, "why");

	if (desk->json) {
		spk_cmd_print_json(object);
		return;
	}
	printf("imported %" G_GINT64_FORMAT, counts->written);
	if (counts->replaced)
		printf(", replaced %" G_GINT64_FORMAT, counts->replaced);
	putchar('\n');
	fflush(stdout);
	if (counts->kept)
		fprintf(stderr,
			"%" G_GINT64_FORMAT " were here already and stayed as they are "
			"(--replace)\n",
			counts->kept);
}

static int import_lines(SpkDesk *desk, const SpkArgs *args, const Batch *batch)
{
	g_autoptr(GError) error = NULL;
	Counts counts = { 0 };

	if (spk_args_flag(args, "untrusted"))
		mark_untrusted(batch);
	if (!has_room(desk, batch, spk_args_flag(args, "replace"), &error) ||
	    !write_all(desk, args, batch, &counts, &error))
		return spk_desk_fail(desk, g_steal_pointer(&error));
	print(desk, &counts);
	return 0;
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_auto(Batch) batch = { g_ptr_array_new_with_free_func(
					(GDestroyNotify)spk_portable_free),
				g_hash_table_new(g_str_hash, g_str_equal) };
	g_autoptr(GError) error = NULL;
	const char *from = spk_args_str(args, "from"), *path = spk_args_rest(args)[0];
	gboolean full = spk_args_flag(args, "full");
	int code;

	if (!check_words(args, &error) ||
	    (!from && !full && !read_file(path, &batch, &error)))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	return from   ? import_reference(&desk, from)
	       : full ? import_full(&desk, path)
		      : import_lines(&desk, args, &batch);
}

static const SpkCmdOpt options[] = {
	{ "from", .type = SPK_CMD_STRING, .value = "PATH",
	  .sentence =
		  "memories of a database of the reference program, which is only read" },
	{ "full", .type = SPK_CMD_FLAG,
	  .sentence = "it is of `export --full`; what is not of its form is left out" },
	{ "replace", .type = SPK_CMD_FLAG,
	  .sentence = "what has an id of the import already is replaced, not kept" },
	{ "untrusted", .type = SPK_CMD_FLAG,
	  .sentence = "all of it comes from strangers" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_import = {
	.name = "import",
	.usage = "[FILE|-]",
	.max_args = 1,
	.summary = "Read memories from JSON lines, or from the reference's database.",
	.details =
		"Lines are objects as `sparks memory export` writes them; only text must be "
		"there. Nothing is written unless every line can be read. Secrets are taken "
		"out; what comes without a vector gets one later (`sparks memory reindex`: "
		"now). Nothing is merged. More than memory.max_entries does not come in; with --full "
		"and --from it is told.\n"
		"Of a database of the reference program the vectors stay behind, and what "
		"cannot be a memory is left out and told; run again, it takes only what is "
		"new.\n"
		"--json: {\"imported\", \"replaced\", \"kept\", \"refused\", \"why\"}",
	.example = "sparks memory import ~/memories.jsonl\n"
		   "sparks memory import --from ~/.sparks/sparks.db",
	.options = options,
	.run = run,
};
