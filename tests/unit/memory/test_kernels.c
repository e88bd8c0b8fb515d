/* Every set of kernels that this processor has, against the formulas: all remainders of tiles,
 * panels, groups and vectors, in memory that ends where the kernels may read no further. */
#include "test_memory.h"

#include <math.h>
#include <string.h>

#include "memory/kernels_priv.h"

static const char *const sets[] = { "portable", "avx2", "avxvnni",
				    "avx512",	"neon", "dotprod" };
static const gsize depths[] = { 1, 5, 8, 17, 32, 63, 64, 65, 72, 130, 384 };
static const gsize counts[] = { 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 25, 62 };

typedef struct {
	gsize n, rows, depth, in_stride, out_stride;
	float *w, *in, *bias, *add, *out; /* w as [row][k] */
	double *want;
	Panels panels;
	float *floats, *scale, *sums;
	gint8 *q;
	Bytes bytes;
} Case;

static float noise(guint32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return (float)(*state >> 8) / (float)(1 << 23) - 1;
}

static float *floats_new(gsize n, guint32 *state)
{
	float *ret = g_aligned_alloc0(MAX(n, 1), sizeof(float), KERNEL_ALIGN);

	for (gsize i = 0; state && i < n; i++)
		ret[i] = noise(state);
	return ret;
}

static void case_init(Case *c, gsize n, gsize rows, gsize depth)
{
	guint32 seed = (guint32)(n * 31 + rows * 7 + depth);
	gsize wide = ROUND_UP(rows, PANEL), panels = PANELS_OF(rows);
	gsize bytes_depth = ROUND_UP(depth, BYTES_AT_ONCE), groups = GROUPS_OF(depth);

	*c = (Case){ .n = n, .rows = rows, .depth = depth };
	c->in_stride = ROUND_UP(depth, 16);
	c->out_stride = wide;
	c->w = floats_new(rows * depth, &seed);
	c->in = floats_new(n * c->in_stride, NULL);
	for (gsize i = 0; i < n * depth; i++)
		c->in[i / depth * c->in_stride + i % depth] = noise(&seed);
	c->bias = floats_new(wide, &seed);
	c->add = floats_new(n * wide, &seed);
	c->out = floats_new(n * wide, NULL);
	c->want = g_new0(double, n *wide);
	c->floats = floats_new(panels * PANEL * depth, NULL);
	c->scale = floats_new(panels * groups * PANEL, &seed);
	c->sums = floats_new(panels * groups * PANEL, NULL);
	c->q = g_aligned_alloc0(panels * PANEL, bytes_depth, KERNEL_ALIGN);
	c->bytes = (Bytes){ .n = n, .depth = depth };
	c->bytes.bytes = g_aligned_alloc0(n, ROUND_UP(depth, PANEL), KERNEL_ALIGN);
	c->bytes.step = floats_new(n * groups, NULL);
	c->bytes.low = floats_new(n * groups, NULL);
	c->panels = (Panels){ .rows = rows, .depth = depth };
}

static void case_clear(Case *c)
{
	void *const owned[] = { c->w,	c->in,	       c->bias,	     c->add,
				c->out, c->scale,      c->sums,	     c->floats,
				c->q,	c->bytes.step, c->bytes.low, c->bytes.bytes };

	for (gsize i = 0; i < G_N_ELEMENTS(owned); i++)
		g_aligned_free(owned[i]);
	g_free(c->want);
}

/* `extras` says which of bias and add there are; the largest error may be `most`. */
static void case_run(Case *c, const Kernels *kernels, guint extras, double most)
{
	const Product product = { .w = &c->panels,
				  .bias = extras & 1 ? c->bias : NULL,
				  .in = c->in,
				  .bytes = &c->bytes,
				  .add = extras & 2 ? c->add : NULL,
				  .out = c->out,
				  .n = c->n,
				  .in_stride = c->in_stride,
				  .out_stride = c->out_stride };

	kernels->product(&product);
	for (gsize i = 0; i < c->n * c->rows; i++) {
		gsize r = i % c->rows, at = i / c->rows * c->out_stride + r;
		double want = c->want[at];

		if (extras & 1)
			want += (double)c->bias[r];
		if (extras & 2)
			want += (double)c->add[at];
		if (!(fabs((double)c->out[at] - want) <= most))
			fail_msg("%s, %zu tokens, %zu x %zu: %f at token %zu, row %zu, "
				 "not %f",
				 kernels->name, c->n, c->rows, c->depth,
				 (double)c->out[at], i / c->rows, r, want);
	}
}

static void for_all_shapes(void (*check)(const Kernels *, Case *, guint))
{
	static const gsize rows[] = { 1, 32, 33, 64 };
	guint extras = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
		const Kernels *kernels = kernels_get(sets[i]);

		for (gsize d = 0; kernels && d < G_N_ELEMENTS(depths); d++)
			for (gsize t = 0; t < G_N_ELEMENTS(counts); t++) {
				Case c;

				case_init(&c, counts[t], rows[extras / 4 % 4], depths[d]);
				check(kernels, &c, extras++ % 4);
				case_clear(&c);
			}
	}
	assert_true(extras >= G_N_ELEMENTS(depths) * G_N_ELEMENTS(counts));
}

static void check_floats(const Kernels *kernels, Case *c, guint extras)
{
	c->panels.w = c->floats;
	for (gsize r = 0; r < c->rows; r++)
		for (gsize k = 0; k < c->depth; k++) {
			float w = c->w[r * c->depth + k];

			c->floats[(r / PANEL * c->depth + k) * PANEL + r % PANEL] = w;
			for (gsize t = 0; t < c->n; t++)
				c->want[t * c->out_stride + r] +=
					(double)w * (double)c->in[t * c->in_stride + k];
		}
	case_run(c, kernels, extras, 1e-5 * sqrt((double)c->depth));
}

static void test_floats(void **state)
{
	for_all_shapes(check_floats);
}

/* ---- bytes ---- */

/* The largest that QUAD_MOST allows, of either sign: alike in a quad, or two large ones. */
static gint8 large_byte(gsize row, gsize k)
{
	int byte = row % 3 ? QUAD_MOST / 4
			   : (k & 5 ? 0 : 127) + ((k & 5) == 5 ? QUAD_MOST - 127 : 0);

	return (gint8)(row & 1 ? -byte : byte);
}

static void fill_bytes(Case *c)
{
	gsize depth = ROUND_UP(c->depth, BYTES_AT_ONCE), groups = GROUPS_OF(c->depth);

	c->panels.q = c->q;
	c->panels.scale = c->scale;
	c->panels.sums = c->sums;
	for (gsize r = 0; r < c->rows; r++)
		for (gsize k = 0; k < c->depth; k++) {
			gint8 byte =
				r % 2 ? large_byte(r / 2, k)
				      : (gint8)(c->w[r * c->depth + k] * QUAD_MOST / 4);
			gsize at = r / PANEL * groups + k / GROUP;

			c->q[r / PANEL * depth * PANEL + k / 4 * 4 * PANEL +
			     r % PANEL * 4 + k % 4] = byte;
			c->sums[at * PANEL + r % PANEL] += byte;
		}
}

/* What the bytes of activations and weights mean, multiplied one by one. */
static void want_bytes(Case *c)
{
	gsize depth = ROUND_UP(c->depth, BYTES_AT_ONCE), groups = GROUPS_OF(c->depth);

	for (gsize i = 0; i < c->n * c->rows * c->depth; i++) {
		gsize k = i % c->depth, r = i / c->depth % c->rows;
		gsize t = i / c->depth / c->rows, group = k / GROUP;
		gsize byte = r / PANEL * depth * PANEL + k / 4 * 4 * PANEL +
			     r % PANEL * 4 + k % 4;
		double w = (double)c->scale[(r / PANEL * groups + group) * PANEL +
					    r % PANEL] *
			   c->q[byte];
		double x = (double)c->bytes.low[t * groups + group] +
			   (double)c->bytes.step[t * groups + group] *
				   c->bytes.bytes[t * ROUND_UP(c->depth, PANEL) + k];

		c->want[t * c->out_stride + r] += w * x;
	}
}

static void check_bytes(const Kernels *kernels, Case *c, guint extras)
{
	gsize groups = GROUPS_OF(c->depth);

	/* every third token: only the least and the largest, mostly the largest */
	for (gsize i = 0; i < c->n * c->depth; i++)
		if (i / c->depth % 3 == 0)
			c->in[i / c->depth * c->in_stride + i % c->depth] =
				i % c->depth % 31 ? 1.0F : -1.0F;
	fill_bytes(c);
	kernels->quantise(c->in, c->in_stride, &c->bytes);
	for (gsize i = 0; i < c->n * c->depth; i++) {
		gsize t = i / c->depth, k = i % c->depth, at = t * groups + k / GROUP;
		double step = (double)c->bytes.step[at];
		double x = (double)c->bytes.low[at] +
			   step * c->bytes.bytes[t * ROUND_UP(c->depth, PANEL) + k];

		assert_true(step < 2.001 / 180);
		assert_true(fabs(x - (double)c->in[t * c->in_stride + k]) <=
			    0.501 * step + 1e-6);
	}
	want_bytes(c);
	case_run(c, kernels, extras, 2e-4 * (double)c->depth);
}

static void test_bytes(void **state)
{
	for_all_shapes(check_bytes);
}

/* ---- functions ---- */

static void check_gelu(const Kernels *kernels)
{
	float *x = floats_new(4096, NULL);

	for (gsize i = 0; i < 4096; i++)
		x[i] = ((float)i - 2048) / 128;
	kernels->gelu(x, 4096);
	for (gsize i = 0; i < 4096; i++) {
		double of = ((double)i - 2048) / 128;
		double want = of * (1 + erf(of / sqrt(2))) / 2;

		assert_true(fabs((double)x[i] - want) <= 4e-6);
	}
	g_aligned_free(x);
}

static void check_norm(const Kernels *kernels, gsize width)
{
	gsize stride = ROUND_UP(width, 16), n = 3;
	guint32 seed = (guint32)width;
	float *x = floats_new(n * stride, NULL), *before = floats_new(n * stride, NULL);
	float *gain = floats_new(stride, NULL), *bias = floats_new(stride, NULL);

	for (gsize k = 0; k < width; k++) {
		gain[k] = noise(&seed);
		bias[k] = noise(&seed);
		for (gsize t = 0; t < n; t++)
			before[t * stride + k] = x[t * stride + k] = 3 * noise(&seed) + 1;
	}
	kernels->norm(x, n, stride, width, gain, bias, 1e-6F);
	for (gsize t = 0; t < n; t++) {
		double mean = 0, variance = 0;

		for (gsize k = 0; k < width; k++)
			mean += (double)before[t * stride + k] / (double)width;
		for (gsize k = 0; k < width; k++)
			variance += pow((double)before[t * stride + k] - mean, 2) /
				    (double)width;
		for (gsize k = 0; k < width; k++) {
			double want = ((double)before[t * stride + k] - mean) /
					      sqrt(variance + 1e-6) * (double)gain[k] +
				      (double)bias[k];

			assert_true(fabs((double)x[t * stride + k] - want) <= 1e-4);
		}
		for (gsize k = width; k < stride; k++)
			assert_true(x[t * stride + k] == 0);
	}
	g_aligned_free(x);
	g_aligned_free(before);
	g_aligned_free(gain);
	g_aligned_free(bias);
}

static void check_softmax(const Kernels *kernels, gsize width)
{
	gsize stride = ROUND_UP(width, PANEL), n = 2;
	guint32 seed = (guint32)width;
	float *x = floats_new(n * stride, &seed), *before = floats_new(n * stride, NULL);

	for (gsize i = 0; i < n * stride; i++)
		before[i] = x[i] *= 40;
	kernels->softmax(x, n, stride, width, 0.5F);
	for (gsize t = 0; t < n; t++) {
		double most = -1e9, sum = 0;

		for (gsize k = 0; k < width; k++)
			most = fmax(most, (double)before[t * stride + k]);
		for (gsize k = 0; k < width; k++)
			sum += exp(((double)before[t * stride + k] - most) / 2);
		for (gsize k = 0; k < width; k++)
			assert_true(fabs((double)x[t * stride + k] -
					 exp(((double)before[t * stride + k] - most) /
					     2) / sum) <= 2e-6);
	}
	g_aligned_free(x);
	g_aligned_free(before);
}

static void test_functions(void **state)
{
	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
		const Kernels *kernels = kernels_get(sets[i]);

		if (!kernels)
			continue;
		check_gelu(kernels);
		for (gsize width = 8; width < 70; width++)
			check_norm(kernels, width);
		for (gsize width = 1; width < 70; width++)
			check_softmax(kernels, width);
	}
}

const struct CMUnitTest kernels_tests[] = {
	{ "kernels: products of floats", test_floats, NULL, NULL, NULL },
	{ "kernels: products of bytes", test_bytes, NULL, NULL, NULL },
	{ "kernels: GELU, norm and softmax", test_functions, NULL, NULL, NULL },
};
const size_t n_kernels_tests = G_N_ELEMENTS(kernels_tests);
