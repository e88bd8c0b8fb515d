/*
 * The kernels, written once with the compiler's vector types; kernels_*.c set WIDTH (floats of a
 * vector), TOKENS and VECTORS (whose product many vectors are summed up at once: how many
 * registers there are), TOKENS8 (the same for bytes), NAME and HERE, and may bring their own sum of
 * four products of bytes (dot4) or of eight (dot8, with the largest byte of activations that it
 * stands: BYTE_MOST; BYTE_ZERO is what they subtract from those to have a sign), and of the bytes of a vector (bytes_of).
 */
#include <math.h>
#include <string.h>

#include "memory/kernels_priv.h"

typedef float vf __attribute__((vector_size(4 * WIDTH)));
typedef gint32 vi __attribute__((vector_size(4 * WIDTH)));
typedef guint8 vb __attribute__((vector_size(WIDTH)));
/* the same at any address */
typedef float vf_any __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef gint32 vi_any __attribute__((vector_size(4 * WIDTH), aligned(1)));
typedef guint8 vb_any __attribute__((vector_size(WIDTH), aligned(1)));

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define ALWAYS static inline __attribute__((always_inline))
#ifndef BYTE_ZERO
#define BYTE_ZERO 0
#endif
/* rows of a tile */
#define STRIP (WIDTH * VECTORS)
/* Steps of k that a panel is asked for in advance; a step is two lines of the cache. */
#define AHEAD 24

ALWAYS vf vf_at(const float *at)
{
	return *(const vf_any *)(const void *)at;
}

ALWAYS void vf_put(float *at, vf value)
{
	*(vf_any *)(void *)at = value;
}

/* less nothing, which compilers leave out; plus nothing isn't nothing for -0 */
ALWAYS vf vf_all(float value)
{
	return value - (vf){ 0 };
}

ALWAYS vf vf_pick(vi mask, vf yes, vf no)
{
	return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* in pairs, so that one step doesn't wait for another */
ALWAYS float vf_sum(vf x)
{
	float sums[WIDTH];

	vf_put(sums, x);
	UNROLL for (int half = WIDTH / 2; half; half /= 2)
		UNROLL for (int i = 0; i < half; i++) sums[i] += sums[i + half];
	return sums[0];
}

ALWAYS float vf_most(vf x)
{
	float most[WIDTH];

	vf_put(most, x);
	UNROLL for (int half = WIDTH / 2; half; half /= 2)
		UNROLL for (int i = 0; i < half; i++)
			most[i] = most[i] > most[i + half] ? most[i] : most[i + half];
	return most[0];
}

#ifndef HAS_BYTES_OF
ALWAYS vb bytes_of(vi whole)
{
	return __builtin_convertvector(whole, vb);
}
#endif

/* ---- products ---- */

/* The sums of a tile, to their places. */
ALWAYS void put_tile(const Product *p, gsize row, gsize t, int n_tokens, const vf *sums)
{
	UNROLL for (int i = 0; i < n_tokens; i++)
	{
		gsize at = (t + (gsize)i) * p->out_stride + row;

		UNROLL for (int v = 0; v < VECTORS; v++)
		{
			vf sum = sums[i * VECTORS + v];

			if (p->bias)
				sum += vf_at(p->bias + row + WIDTH * v);
			if (p->add)
				sum += vf_at(p->add + at + WIDTH * v);
			vf_put(p->out + at + WIDTH * v, sum);
		}
	}
}

ALWAYS void tile(const Product *p, gsize row, gsize t, int n_tokens)
{
	gsize depth = p->w->depth, stride = p->in_stride;
	const float *w = p->w->w + row / PANEL * depth * PANEL + row % PANEL;
	const float *in = p->in + t * stride;
	vf sums[TOKENS * VECTORS];

	UNROLL for (int i = 0; i < n_tokens * VECTORS; i++) sums[i] = (vf){ 0 };
	for (gsize k = 0; k < depth; k++) {
		vf column[VECTORS];

		__builtin_prefetch(w + AHEAD * PANEL);
		__builtin_prefetch(w + AHEAD * PANEL + 16);
		UNROLL for (int v = 0; v < VECTORS; v++) column[v] = vf_at(w + WIDTH * v);
		UNROLL for (int i = 0; i < n_tokens; i++)
		{
			vf x = vf_all(in[(gsize)i * stride + k]);

			UNROLL for (int v = 0; v < VECTORS; v++)
				sums[i * VECTORS + v] += x * column[v];
		}
		w += PANEL;
	}
	put_tile(p, row, t, n_tokens, sums);
}

#if !defined(HAS_DOT4) && !defined(HAS_DOT8)
/* sums + the four products of each lane: signed bytes of `w`, unsigned `in`, the same for all */
ALWAYS vi dot4(vi sums, gint32 in, vi w)
{
	UNROLL for (int i = 0; i < 4; i++) sums +=
		((w << (24 - 8 * i)) >> 24) * (gint32)((guint32)in >> (8 * i) & 255);
	return sums;
}
#endif

#ifndef HAS_DOT8
#define BYTE_MOST 255
/* the same of this step of k and the next */
#define dot8(sums, in, in_next, w, w_next) dot4(dot4(sums, in, w), in_next, w_next)
#endif

ALWAYS vi vi_at(const gint8 *at)
{
	return *(const vi_any *)(const void *)at;
}

ALWAYS gint32 four_at(const guint8 *at)
{
	gint32 four;

	memcpy(&four, at, sizeof(four));
	return four;
}

/* One group of k, from the panel's bytes at `w`, added to the sums. */
ALWAYS void group8(const Product *p, gsize group, gsize row, gsize t, int n_tokens,
		   vf *sums)
{
	gsize depth = ROUND_UP(p->w->depth, BYTES_AT_ONCE),
	      stride = ROUND_UP(p->w->depth, PANEL);
	gsize groups = GROUPS_OF(depth), from = group * GROUP;
	gsize to = MIN(from + GROUP, depth), panel = row / PANEL;
	const gint8 *w = p->w->q + (panel * depth + from) * PANEL + row % PANEL * 4;
	const guint8 *in = p->bytes->bytes + t * stride;
	gsize at = (panel * groups + group) * PANEL + row % PANEL;
	vi whole[TOKENS8 * VECTORS];

	UNROLL for (int i = 0; i < n_tokens * VECTORS; i++) whole[i] = (vi){ 0 };
	for (gsize k = from; k < to; k += 8) {
		vi column[2 * VECTORS];

		__builtin_prefetch(w + 4 * AHEAD * PANEL);
		__builtin_prefetch(w + 4 * AHEAD * PANEL + 64);
		__builtin_prefetch(w + 4 * AHEAD * PANEL + 128);
		__builtin_prefetch(w + 4 * AHEAD * PANEL + 192);
		UNROLL for (int v = 0; v < VECTORS; v++)
		{
			column[v] = vi_at(w + 4 * WIDTH * v);
			column[VECTORS + v] = vi_at(w + 4 * PANEL + 4 * WIDTH * v);
		}
		UNROLL for (int i = 0; i < n_tokens; i++)
		{
			const guint8 *eight = in + (gsize)i * stride + k;
			gint32 four = four_at(eight), next = four_at(eight + 4);

			UNROLL for (int v = 0; v < VECTORS; v++) whole[i * VECTORS + v] =
				dot8(whole[i * VECTORS + v], four, next, column[v],
				     column[VECTORS + v]);
		}
		w += 8 * PANEL;
	}
	UNROLL for (int i = 0; i < n_tokens; i++)
	{
		gsize place = (t + (gsize)i) * groups + group;
		float step = p->bytes->step[place];
		float low = p->bytes->low[place] + BYTE_ZERO * step;

		UNROLL for (int v = 0; v < VECTORS; v++)
		{
			vf sum = __builtin_convertvector(whole[i * VECTORS + v], vf) *
					 step +
				 vf_at(p->w->sums + at + WIDTH * v) * low;

			sums[i * VECTORS + v] +=
				sum * vf_at(p->w->scale + at + WIDTH * v);
		}
	}
}

ALWAYS void tile8(const Product *p, gsize row, gsize t, int n_tokens)
{
	gsize groups = GROUPS_OF(p->w->depth);
	vf sums[TOKENS8 * VECTORS];

	UNROLL for (int i = 0; i < n_tokens * VECTORS; i++) sums[i] = (vf){ 0 };
	for (gsize group = 0; group < groups; group++)
		group8(p, group, row, t, n_tokens, sums);
	put_tile(p, row, t, n_tokens, sums);
}

/* The number of tokens is a constant in each case, so that the sums stay in registers. */
#define CASE(tile, n, most)                              \
	case n:                                          \
		if (n <= (most))                         \
			tile(p, row, t, MIN(n, (most))); \
		break;
#define CASES(tile, most)    \
	CASE(tile, 1, most)  \
	CASE(tile, 2, most)  \
	CASE(tile, 3, most)  \
	CASE(tile, 4, most)  \
	CASE(tile, 5, most)  \
	CASE(tile, 6, most)  \
	CASE(tile, 7, most)  \
	CASE(tile, 8, most)  \
	CASE(tile, 9, most)  \
	CASE(tile, 10, most) \
	CASE(tile, 11, most) \
	CASE(tile, 12, most)

static void run_tile(const Product *p, gsize row, gsize t, gsize n)
{
	switch (n) {
		CASES(tile, TOKENS)
	}
}

static void run_tile8(const Product *p, gsize row, gsize t, gsize n)
{
	switch (n) {
		CASES(tile8, TOKENS8)
	}
}

/* Tiles of about the same number of tokens. */
static void product(const Product *p)
{
	gsize most = p->w->q ? TOKENS8 : TOKENS;
	gsize tiles = (p->n + most - 1) / most;

	for (gsize row = 0; row < ROUND_UP(p->w->rows, PANEL); row += STRIP) {
		gsize t = 0;

		for (gsize i = 0; i < tiles; i++) {
			gsize n = (p->n - t) / (tiles - i);

			if (p->w->q)
				run_tile8(p, row, t, n);
			else
				run_tile(p, row, t, n);
			t += n;
		}
	}
}

ALWAYS void quantise_group(const float *x, gsize n, guint8 *ret, float *ret_step,
			   float *ret_low)
{
	vf low = vf_at(x), high = low;
	float least, most, inverse;

	for (gsize k = WIDTH; k < n; k += WIDTH) {
		vf value = vf_at(x + k);

		low = vf_pick(value < low, value, low);
		high = vf_pick(value > high, value, high);
	}
	least = -vf_most(-low);
	most = vf_most(high);
	inverse = most > least ? BYTE_MOST / (most - least) : 0;
	*ret_step = (most - least) / BYTE_MOST;
	*ret_low = least;
	for (gsize k = 0; k < n; k += WIDTH) {
		vf value = (vf_at(x + k) - least) * inverse + 0.5F;

		*(vb_any *)(void *)(ret + k) =
			bytes_of(__builtin_convertvector(value, vi));
	}
}

static void quantise(const float *x, gsize stride, const Bytes *ret)
{
	gsize depth = ROUND_UP(ret->depth, 16), bytes = ROUND_UP(ret->depth, PANEL);
	gsize groups = GROUPS_OF(ret->depth);

	for (gsize t = 0; t < ret->n; t++) {
		for (gsize g = 0; g < groups; g++)
			quantise_group(x + t * stride + g * GROUP,
				       MIN(GROUP, depth - g * GROUP),
				       ret->bytes + t * bytes + g * GROUP,
				       ret->step + t * groups + g,
				       ret->low + t * groups + g);
	}
}

/* ---- functions ---- */

/* e^x for x <= 0 or so: x = n ln 2 + r, e^r by the polynomial of Cephes' expf; below -87 it is 0. */
ALWAYS vf vf_exp(vf x)
{
	vf low = vf_all(-87.0F);
	vf clamped = vf_pick(x < low, low, x);
	vf scaled = clamped * 1.44269504F;
	vi n = __builtin_convertvector(
		scaled + vf_pick(scaled < 0, vf_all(-0.5F), vf_all(0.5F)), vi);
	vf whole = __builtin_convertvector(n, vf);
	vf r = clamped - whole * 0.693359375F + whole * 2.12194440e-4F;
	vf y = vf_all(1.9875691500e-4F);

	y = y * r + 1.3981999507e-3F;
	y = y * r + 8.3334519073e-3F;
	y = y * r + 4.1665795894e-2F;
	y = y * r + 1.6666665459e-1F;
	y = y * r + 5.0000001201e-1F;
	y = y * r * r + r + 1;
	return y * (vf)((n + 127) << 23);
}

/* erf by formula 7.1.26 of Abramowitz and Stegun: off by 1.5e-7 at most */
static void gelu(float *x, gsize n)
{
	for (gsize i = 0; i < n; i += WIDTH) {
		vf value = vf_at(x + i);
		vf z = vf_pick(value < 0, -value, value) * 0.70710678F;
		vf t = 1 / (1 + 0.3275911F * z);
		vf y = vf_all(1.061405429F);
		vf erf;

		y = y * t - 1.453152027F;
		y = y * t + 1.421413741F;
		y = y * t - 0.284496736F;
		y = y * t + 0.254829592F;
		erf = 1 - y * t * vf_exp(-z * z);
		erf = vf_pick(value < 0, -erf, erf);
		vf_put(x + i, 0.5F * value * (1 + erf));
	}
}

static void norm(float *x, gsize n, gsize stride, gsize width, const float *gain,
		 const float *bias, float epsilon)
{
	gsize whole = ROUND_UP(width, 16);

	for (gsize t = 0; t < n; t++, x += stride) {
		vf sum = { 0 }, spread = { 0 };
		float mean, variance, factor;

		for (gsize i = 0; i < whole; i += WIDTH)
			sum += vf_at(x + i);
		mean = vf_sum(sum) / (float)width;
		for (gsize i = 0; i < whole; i += WIDTH) {
			vf off = vf_at(x + i) - mean;

			spread += off * off;
		}
		/* less what the zeros beyond the width added */
		variance = (vf_sum(spread) - (float)(whole - width) * mean * mean) /
			   (float)width;
		factor = 1 / sqrtf(variance + epsilon);
		for (gsize i = 0; i < whole; i += WIDTH)
			vf_put(x + i, (vf_at(x + i) - mean) * factor * vf_at(gain + i) +
					      vf_at(bias + i));
	}
}

/* The lanes of a vector at `i` that lie before `width`. */
ALWAYS vi before(gsize i, gsize width)
{
	vi lane;

	UNROLL for (int v = 0; v < WIDTH; v++) lane[v] = v;
	return lane < (gint32)(width - i);
}

static void softmax(float *x, gsize n, gsize stride, gsize width, float scale)
{
	for (gsize t = 0; t < n; t++, x += stride) {
		vf high = vf_all(x[0]), sum = { 0 };
		float most, factor;

		for (gsize i = 0; i < width; i += WIDTH) {
			vf value = vf_at(x + i);

			high = vf_pick((value > high) & before(i, width), value, high);
		}
		most = vf_most(high);
		for (gsize i = 0; i < width; i += WIDTH) {
			vf value = vf_exp((vf_at(x + i) - most) * scale);

			value = vf_pick(before(i, width), value, (vf){ 0 });
			sum += value;
			vf_put(x + i, value);
		}
		factor = 1 / vf_sum(sum);
		for (gsize i = 0; i < width; i += WIDTH)
			vf_put(x + i, vf_at(x + i) * factor);
	}
}

static gboolean is_here(void)
{
	return HERE;
}

const Kernels KERNELS = { NAME, is_here, product, quantise, gelu, norm, softmax };
