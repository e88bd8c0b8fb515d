#include "test_base.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

#define T0 G_GINT64_CONSTANT(1767225600000000) /* 2026-01-01 */

static gint64 wall, mono, slept;
static guint8 chance;

static gint64 fake_wall(void)
{
	return wall;
}

static gint64 fake_mono(void)
{
	return mono;
}

static void fake_sleep(gint64 us, int wake_fd)
{
	slept += us;
	mono += us;
	wall += us;
}

static void fake_random(void *buffer, gsize len)
{
	memset(buffer, chance, len);
}

static const SpkClock fake = { fake_wall, fake_mono, fake_sleep, fake_random };

static int use_fake(void **state)
{
	wall = T0;
	mono = slept = chance = 0;
	spk_clock_use(&fake);
	return 0;
}

static int use_system(void **state)
{
	spk_clock_use(NULL);
	return 0;
}

static void system_clock_runs(void **state)
{
	gint64 before = spk_mono_us();

	assert_true(spk_now_us() > T0 / 2); /* some time after 1998 */
	spk_clock_sleep_us(2000, -1);
	assert_true(spk_mono_us() - before >= 2000);
	spk_clock_sleep_us(0, -1);
	spk_clock_sleep_us(-5, -1);
}

static void sleep_ends_when_the_descriptor_is_readable(void **state)
{
	spk_autofd int reader = -1;
	spk_autofd int writer = -1;
	int ends[2];
	gint64 before = spk_mono_us();

	assert_int_equal(pipe(ends), 0);
	reader = ends[0];
	writer = ends[1];
	assert_int_equal(write(writer, "x", 1), 1);
	spk_clock_sleep_us(G_MAXINT64, reader);
	assert_true(spk_mono_us() - before < 5 * G_USEC_PER_SEC);
}

static void fake_clock_is_what_all_see(void **state)
{
	assert_int_equal(spk_now_us(), T0);
	spk_clock_sleep_us(1500, -1);
	assert_int_equal(spk_now_us(), T0 + 1500);
	assert_int_equal(spk_mono_us(), 1500);
	assert_int_equal(slept, 1500);
}

static void unit_stays_below_one(void **state)
{
	assert_true(spk_random_unit() == 0.0);
	chance = 0xff;
	assert_true(spk_random_unit() < 1.0);
	assert_true(spk_random_unit() > 0.999);
}

static void random_differs(void **state)
{
	guint8 a[32] = { 0 }, b[32] = { 0 };

	spk_random(a, sizeof(a));
	spk_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

static void time_format(void **state)
{
	static const struct {
		gint64 us;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ T0, "2026-01-01T00:00:00.000Z" },
		{ T0 + 999999, "2026-01-01T00:00:00.999Z" },
		{ G_GINT64_CONSTANT(1709209845123456), "2024-02-29T12:30:45.123Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -500000, "1969-12-31T23:59:59.500Z" },
		{ -1000000, "1969-12-31T23:59:59.000Z" },
		{ G_GINT64_CONSTANT(-61346678400000000), "0026-01-01T00:00:00.000Z" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = spk_time_format(rows[i].us);

		assert_string_equal(text, rows[i].text);
	}
}

static void time_parse(void **state)
{
	static const struct {
		const char *text;
		gint64 us;
	} good[] = {
		{ "2026-01-01T00:00:00Z", T0 },
		{ "2026-01-01T00:00:00.345Z", T0 + 345000 },
		{ "2026-01-01T00:00:00.123456Z", T0 + 123456 },
		{ "2026-01-01T02:30:00+02:30", T0 },
		{ "2025-12-31T23:59:59.5-00:00", T0 - 500000 },
		{ "1969-12-31T23:59:59.500Z", -500000 },
	};
	static const char *const bad[] = { "",
					   "now",
					   "2026-13-01T00:00:00Z",
					   "2026-02-30",
					   "2026-01-01T25:00:00Z",
					   "2026-01-01T00:00:00Zx",
					   "2026-1-1",
					   "99999-01-01T00:00:00Z" };
	gint64 us = 7, midnight;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		assert_true(spk_time_parse(good[i].text, &us));
		assert_int_equal(us, good[i].us);
	}
	us = 7;
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(spk_time_parse(bad[i], &us));
	assert_int_equal(us, 7);
	/* without a zone: the machine's, whichever that is */
	assert_true(spk_time_parse("2026-01-31", &us));
	assert_true(spk_time_parse("2026-01-31T00:00:00", &midnight));
	assert_int_equal(us, midnight);
}

static void ids_have_their_form(void **state)
{
	g_autofree char *id = spk_id_new();

	assert_int_equal(strlen(id), 12);
	assert_int_equal(strspn(id, "0123456789abcdefghjkmnpqrstvwxyz"), 12);
}

static void ids_sort_by_time(void **state)
{
	g_autofree char *last = spk_id_new();

	for (int i = 0; i < 200; i++) {
		g_autofree char *id = NULL;

		wall += G_USEC_PER_SEC * (1 + (gint64)i * i * i);
		chance = (guint8)(i * 37);
		id = spk_id_new();
		assert_true(strcmp(last, id) < 0);
		g_free(g_steal_pointer(&last));
		last = g_steal_pointer(&id);
	}
}

/* Also when chance gives the same number again and again, and up to the end of its range. */
static void ids_of_one_second_ascend(void **state)
{
	g_autofree char *last = NULL;

	chance = 0xff;
	wall += G_GINT64_CONSTANT(3600000000);
	last = spk_id_new();
	for (int i = 0; i < 1000; i++) {
		char *id = spk_id_new();

		assert_true(strcmp(last, id) < 0);
		g_free(last);
		last = id;
	}
}

static gpointer make_ids(gpointer data)
{
	GPtrArray *ids = data;

	for (int i = 0; i < 2000; i++)
		g_ptr_array_add(ids, spk_id_new());
	return NULL;
}

static void ids_of_many_threads_are_unique(void **state)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *ids[8];
	GThread *threads[8];

	for (int t = 0; t < 8; t++) {
		ids[t] = g_ptr_array_new_with_free_func(g_free);
		threads[t] = g_thread_new("ids", make_ids, ids[t]);
	}
	for (int t = 0; t < 8; t++)
		g_thread_join(threads[t]);
	for (int t = 0; t < 8; t++)
		for (guint i = 0; i < ids[t]->len; i++)
			assert_true(g_hash_table_add(seen, ids[t]->pdata[i]));
	for (int t = 0; t < 8; t++)
		g_ptr_array_unref(ids[t]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(system_clock_runs),
	cmocka_unit_test(sleep_ends_when_the_descriptor_is_readable),
	cmocka_unit_test_setup_teardown(fake_clock_is_what_all_see, use_fake, use_system),
	cmocka_unit_test_setup_teardown(unit_stays_below_one, use_fake, use_system),
	cmocka_unit_test(random_differs),
	cmocka_unit_test(time_format),
	cmocka_unit_test(time_parse),
	cmocka_unit_test(ids_have_their_form),
	cmocka_unit_test_setup_teardown(ids_sort_by_time, use_fake, use_system),
	cmocka_unit_test_setup_teardown(ids_of_one_second_ascend, use_fake, use_system),
	cmocka_unit_test(ids_of_many_threads_are_unique),
};

SUITE(clock_suite, tests);
