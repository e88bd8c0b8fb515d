/* Written a panel at a time, so that making it takes little memory. */
#include "memory/prepared_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"

#define SCALE_OF "%s scale"
#define SUMS_OF	 "%s sums"
/* Grows when panels, groups or kinds of bytes change. */
#define VERSION 3

/* What the cache was made from; another file, or another version of it, makes another. The size and
 * the time of writing can be those of another model (cp -p, one date for all files of an archive);
 * that of the last change and the number of the file are nobody's to set, and a sample of what is
 * in it tells what was exchanged below. */
static char *source_key(const Weights *source, const char *digest, gboolean int8)
{
	struct stat st;

	if (stat(weights_name(source), &st))
		return NULL;
	return g_strdup_printf("%d %s %lld %lld.%09ld %lld.%09ld %llu %s", VERSION,
			       int8 ? "int8" : "f32", (long long)st.st_size,
			       (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			       (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
			       (unsigned long long)st.st_ino, digest);
}

/* One for each path of a model. */
static char *cache_path(const Weights *source, const char *dir, gboolean int8)
{
	g_autofree char *whole = g_canonicalize_filename(weights_name(source), NULL);
	g_autofree char *folder = g_path_get_dirname(whole);
	g_autofree char *model = g_path_get_basename(folder);

	return g_strdup_printf("%s/%s-%08x.%s.safetensors", dir, model, g_str_hash(whole),
			       int8 ? "int8" : "f32");
}

/* ---- sizes ---- */

/* rows of the tensor that holds all panels */
static guint64 steps_of(const PreparedMatrix *m, gboolean int8)
{
	return PANELS_OF(m->rows) *
	       (int8 ? ROUND_UP(m->depth, BYTES_AT_ONCE) / 4 : m->depth);
}

static guint64 columns_of(gboolean int8)
{
	return int8 ? 4 * PANEL : PANEL;
}

static guint64 groups_of(const PreparedMatrix *m)
{
	return PANELS_OF(m->rows) * GROUPS_OF(m->depth);
}

/* ---- making ---- */

static void add_entry(json_t *header, const char *name, const char *type, guint64 rows,
		      guint64 columns, guint64 *at)
{
	guint64 size = rows * columns * (strcmp(type, "I8") ? 4 : 1);

	spk_json_set(header, name,
		     json_pack("{s:s,s:[I,I],s:[I,I]}", "dtype", type, "shape",
			       (json_int_t)rows, (json_int_t)columns, "data_offsets",
			       (json_int_t)*at, (json_int_t)(*at + size)));
	*at += size;
}

static json_t *make_header(const PreparedMatrix *matrices, gsize n, gboolean int8,
			   const char *key)
{
	json_t *header = json_pack("{s:{s:s}}", "__metadata__", "source", key);
	guint64 at = 0;

	for (gsize i = 0; i < n; i++) {
		const PreparedMatrix *m = &matrices[i];
		g_autofree char *scale = g_strdup_printf(SCALE_OF, m->name);
		g_autofree char *sums = g_strdup_printf(SUMS_OF, m->name);

		add_entry(header, m->name, int8 ? "I8" : "F32", steps_of(m, int8),
			  columns_of(int8), &at);
		if (int8) {
			add_entry(header, scale, "F32", groups_of(m), PANEL, &at);
			add_entry(header, sums, "F32", groups_of(m), PANEL, &at);
		}
	}
	return header;
}

/* Padded with blanks, so that the values start at a multiple of 64. */
static gboolean write_header(int fd, json_t *header, GError **error)
{
	g_autofree char *text = spk_json_dump(header);
	gsize n = strlen(text), padded = ROUND_UP(n + 8, KERNEL_ALIGN) - 8;
	g_autofree char *bytes = g_malloc(8 + padded);
	guint64 length = GUINT64_TO_LE(padded);

	memcpy(bytes, &length, 8);
	memcpy(bytes + 8, text, n);
	memset(bytes + 8 + n, ' ', padded - n);
	return spk_fs_write_all(fd, bytes, 8 + padded, error);
}

/* The rows of a panel as [k][row]; those that aren't there are zeros. */
static void take_panel(const Weight *from, gsize panel, float *ret)
{
	gsize depth = from->columns, first = panel * PANEL;
	gsize rows = MIN(PANEL, from->rows - first);
	gsize row_step = from->turned ? 1 : depth, k_step = from->turned ? from->rows : 1;

	memset(ret, 0, depth * PANEL * sizeof(float));
	for (gsize r = 0; r < rows; r++)
		for (gsize k = 0; k < depth; k++)
			memcpy(ret + k * PANEL + r,
			       from->bytes + 4 * ((first + r) * row_step + k * k_step),
			       4);
}

static gboolean write_floats(int fd, const Weight *from, GError **error)
{
	g_autofree float *panel = g_new(float, from->columns *PANEL);

	for (gsize p = 0; p < PANELS_OF(from->rows); p++) {
		take_panel(from, p, panel);
		if (!spk_fs_write_all(fd, panel, 4 * from->columns * PANEL, error))
			return FALSE;
	}
	return TRUE;
}

/* The largest sum of bytes of one sign among those that QUAD_MOST is about. */
static int largest_quad(const gint8 *q)
{
	static const guint beside[] = { 0, 1, 4, 5 };
	int most = 0;

	for (guint k = 0; k < GROUP; k += k % 4 ? 6 : 2) {
		int above = 0, below = 0;

		for (guint i = 0; i < G_N_ELEMENTS(beside); i++) {
			above += MAX(q[k + beside[i]], 0);
			below -= MIN(q[k + beside[i]], 0);
		}
		most = MAX(most, MAX(above, below));
	}
	return most;
}

/* One row of one group, with the scale that its largest value asks for, or its largest quad. */
static void to_bytes(const float *panel, gsize depth, gsize row, gsize group, gint8 *ret,
		     float *ret_scale, float *ret_sum)
{
	gsize from = group * GROUP, n = MIN(GROUP, depth - from);
	float most = 0, top = 127, sum = 0;
	gint8 q[GROUP] = { 0 };
	int quad;

	for (gsize k = 0; k < n; k++)
		most = fmaxf(most, fabsf(panel[(from + k) * PANEL + row]));
	do {
		for (gsize k = 0; k < n && most > 0; k++)
			q[k] = (gint8)rintf(panel[(from + k) * PANEL + row] * top / most);
		*ret_scale = most / top;
		quad = largest_quad(q);
		top *= (float)QUAD_MOST / (float)MAX(quad, QUAD_MOST + 1);
	} while (quad > QUAD_MOST);
	for (gsize k = 0; k < n; k++) {
		ret[(from + k) / 4 * 4 * PANEL + 4 * row + k % 4] = q[k];
		sum += q[k];
	}
	*ret_sum = sum;
}

static gboolean write_bytes(int fd, const Weight *from, GError **error)
{
	gsize depth = from->columns, groups = GROUPS_OF(depth);
	gsize panels = PANELS_OF(from->rows), n = ROUND_UP(depth, BYTES_AT_ONCE) * PANEL;
	g_autofree float *panel = g_new(float, depth *PANEL);
	g_autofree float *scale = g_new(float, panels *groups *PANEL);
	g_autofree float *sums = g_new(float, panels *groups *PANEL);
	g_autofree gint8 *q = g_malloc0(n);

	for (gsize p = 0; p < panels; p++) {
		take_panel(from, p, panel);
		for (gsize i = 0; i < groups * PANEL; i++) {
			gsize at = p * groups * PANEL + i;

			to_bytes(panel, depth, i % PANEL, i / PANEL, q, &scale[at],
				 &sums[at]);
		}
		if (!spk_fs_write_all(fd, q, n, error))
			return FALSE;
	}
	return spk_fs_write_all(fd, scale, 4 * panels * groups * PANEL, error) &&
	       spk_fs_write_all(fd, sums, 4 * panels * groups * PANEL, error);
}

static gboolean write_all(int fd, const Weights *source, const char *key,
			  const PreparedMatrix *matrices, gsize n, gboolean int8,
			  GError **error)
{
	g_autoptr(json_t) header = make_header(matrices, n, int8, key);

	if (!write_header(fd, header, error))
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		const PreparedMatrix *m = &matrices[i];
		const Weight *from = weights_get(source, m->name, WEIGHT_F32, m->rows,
						 m->depth, error);

		if (!from || !(int8 ? write_bytes(fd, from, error)
				    : write_floats(fd, from, error)))
			return FALSE;
	}
	return TRUE;
}

/* ---- taking ---- */

static const float *floats(const Weights *weights, const char *format, const char *of,
			   guint64 rows, guint64 columns, GError **error)
{
	g_autofree char *name = g_strdup_printf(format, of);
	const Weight *weight =
		weights_get(weights, name, WEIGHT_F32, rows, columns, error);

	return weight ? (const float *)(const void *)weight->bytes : NULL;
}

static gboolean take_matrix(const Weights *weights, const PreparedMatrix *m,
			    gboolean int8, GError **error)
{
	const Weight *q;

	*m->ret = (Panels){ .rows = m->rows, .depth = m->depth };
	if (!int8) {
		m->ret->w =
			floats(weights, "%s", m->name, steps_of(m, FALSE), PANEL, error);
		return m->ret->w != NULL;
	}
	q = weights_get(weights, m->name, WEIGHT_I8, steps_of(m, TRUE), columns_of(TRUE),
			error);
	if (!q)
		return FALSE;
	m->ret->q = (const gint8 *)q->bytes;
	m->ret->scale = floats(weights, SCALE_OF, m->name, groups_of(m), PANEL, error);
	m->ret->sums = m->ret->scale ? floats(weights, SUMS_OF, m->name, groups_of(m),
					      PANEL, error)
				     : NULL;
	return m->ret->sums != NULL;
}

static gboolean take_all(const Weights *weights, const PreparedMatrix *matrices, gsize n,
			 gboolean int8, GError **error)
{
	for (gsize i = 0; i < n; i++)
		if (!take_matrix(weights, &matrices[i], int8, error))
			return FALSE;
	return TRUE;
}

/* ---- keeping ---- */

/* NULL: none, or a damaged one or one of another file, which is made anew. */
static Weights *open_kept(const char *path, const char *key,
			  const PreparedMatrix *matrices, gsize n, gboolean int8)
{
	g_autoptr(Weights) weights = NULL;
	const char *of;

	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return NULL;
	weights = weights_open(path, NULL);
	of = weights ? weights_note(weights, "source") : NULL;
	if (!of || strcmp(of, key) != 0 || !take_all(weights, matrices, n, int8, NULL))
		return NULL;
	return g_steal_pointer(&weights);
}

/* Opened and locked, empty; -1: not now. One name, so that what a kill leaves is used again. */
static int open_beside(const char *beside)
{
	spk_autofd int fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat mine, there;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &mine) ||
	    stat(beside, &there) || mine.st_ino != there.st_ino || ftruncate(fd, 0))
		return -1; /* somebody else makes it, or has just made it of this one */
	return spk_fd_steal(&fd);
}

/* Beside it first, so that nobody ever sees a half of it, after a power cut either. */
static gboolean keep(const Weights *source, const char *path, const char *key,
		     const PreparedMatrix *matrices, gsize n, gboolean int8)
{
	g_autofree char *beside = g_strconcat(path, ".new", NULL);
	spk_autofd int fd = open_beside(beside);

	if (fd < 0)
		return FALSE;
	if (write_all(fd, source, key, matrices, n, int8, NULL) && !fsync(fd) &&
	    !rename(beside, path))
		return TRUE;
	(void)unlink(beside); /* a full disk has no use for it */
	return FALSE;
}

/* By its name below /proc, which nobody else can open. */
static Weights *hold(const Weights *source, const PreparedMatrix *matrices, gsize n,
		     gboolean int8, GError **error)
{
	spk_autofd int fd = memfd_create("weights", MFD_CLOEXEC);
	g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", fd);
	g_autoptr(Weights) weights = NULL;

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
				    "no memory for the weights");
		return NULL;
	}
	if (!write_all(fd, source, "", matrices, n, int8, error))
		return NULL;
	weights = weights_open(name, error);
	if (!weights || !take_all(weights, matrices, n, int8, error))
		return NULL;
	return g_steal_pointer(&weights);
}

Weights *prepared_open(const Weights *source, const char *digest, const char *dir,
		       const PreparedMatrix *matrices, gsize n, gboolean int8,
		       GError **error)
{
	g_autofree char *key = source_key(source, digest, int8);
	g_autofree char *path = dir ? cache_path(source, dir, int8) : NULL;
	Weights *weights = NULL;

	if (path && key) {
		weights = open_kept(path, key, matrices, n, int8);
		if (!weights && spk_fs_mkdirs(dir, 0700, NULL) &&
		    keep(source, path, key, matrices, n, int8))
			weights = open_kept(path, key, matrices, n, int8);
	}
	return weights ? weights : hold(source, matrices, n, int8, error);
}
