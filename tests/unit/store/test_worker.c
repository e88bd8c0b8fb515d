#include "test_store.h"

#include <unistd.h>

#define ELSEWHERE "another-boot/1/77/88"

static void test_one_daemon(void **state)
{
	Fixture *f = *state;
	g_autofree char *found = NULL, *pid = g_strdup_printf("%d", getpid());
	g_autoptr(GError) error = NULL;

	assert_null(spk_worker_find(f->store, &error));
	assert_null(error);
	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR));
	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR)); /* renews */
	found = spk_worker_find(f->store, NULL);
	assert_string_equal(found, spk_holder_self());
	assert_false(spk_worker_register(f->store, ELSEWHERE, &error));
	assert_non_null(strstr(error->message, pid));
	assert_failed(&error, SPK_ERR_BUSY);
	assert_ok(spk_worker_unregister(f->store, spk_holder_self(), ERR));
	assert_null(spk_worker_find(f->store, NULL));
}

/* One of this machine counts as long as its process is there, however long it slept. */
static void test_no_time_limit_here(void **state)
{
	Fixture *f = *state;
	g_autofree char *found = NULL;

	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR));
	clock_add_ms(SPK_LEASE_MS * 10);
	found = spk_worker_find(f->store, NULL);
	assert_string_equal(found, spk_holder_self());
}

static void test_dead_daemon(void **state)
{
	Fixture *f = *state;
	g_autofree char *gone = dead_holder(), *found = NULL;

	assert_ok(spk_worker_register(f->store, gone, ERR));
	assert_null(spk_worker_find(f->store, NULL));
	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR));
	found = spk_worker_find(f->store, NULL);
	assert_string_equal(found, spk_holder_self());
}

static void test_elsewhere_by_time(void **state)
{
	Fixture *f = *state;
	g_autofree char *found = NULL;
	g_autoptr(GError) error = NULL;

	assert_ok(spk_worker_register(f->store, ELSEWHERE, ERR));
	clock_add_ms(SPK_LEASE_MS - 1);
	assert_false(spk_worker_register(f->store, spk_holder_self(), &error));
	assert_failed(&error, SPK_ERR_BUSY);
	clock_add_ms(2);
	assert_ok(spk_worker_register(f->store, spk_holder_self(), ERR));
	found = spk_worker_find(f->store, NULL);
	assert_string_equal(found, spk_holder_self());
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_one_daemon),
	STORE_TEST(test_no_time_limit_here),
	STORE_TEST(test_dead_daemon),
	STORE_TEST(test_elsewhere_by_time),
};
const Suite worker_suite = { tests, G_N_ELEMENTS(tests) };
