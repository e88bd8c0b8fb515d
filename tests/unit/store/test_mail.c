#include "test_store.h"

#define TASK "aaaa00000001"

static void assert_next(SpkStore *store, const SpkLease *lease, const char *kind,
			const char *text)
{
	g_autofree char *seen = NULL, *taken = NULL;
	g_autoptr(json_t) payload = NULL;

	assert_ok(spk_mail_peek(store, TASK, &seen, ERR));
	assert_string_equal(seen, kind);
	payload = spk_mail_take(store, TASK, lease->token, &taken, NULL);
	assert_non_null(payload);
	assert_string_equal(taken, kind);
	assert_string_equal(spk_json_str(payload, "text") ?: "", text);
}

static void test_in_order_and_once(void **state)
{
	Fixture *f = *state;
	g_autoptr(json_t) payload = json_pack("{s:s}", "text", "schneller, bitte");
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *kind = NULL;

	add_task(f->store, TASK);
	add_task(f->store, "bbbb00000002");
	assert_ok(spk_mail_post(f->store, "bbbb00000002", "cancel", NULL, ERR));
	assert_ok(spk_mail_peek(f->store, TASK, &kind, ERR));
	assert_null(kind);
	assert_ok(spk_mail_post(f->store, TASK, "note", payload, ERR));
	assert_ok(spk_mail_post(f->store, TASK, "pause", NULL, ERR));
	lease = hold(f->store, TASK);
	assert_next(f->store, lease, "note", "schneller, bitte");
	assert_ok(spk_mail_post(f->store, TASK, "cancel", NULL, ERR));
	assert_next(f->store, lease, "pause", "");
	assert_next(f->store, lease, "cancel", "");
	assert_null(spk_mail_take(f->store, TASK, lease->token, &kind, &error));
	assert_null(error);
	assert_null(kind);
}

static void test_nobody_to_read_it(void **state)
{
	Fixture *f = *state;
	g_autoptr(SpkLease) lease = NULL;
	g_autoptr(GError) error = NULL;

	assert_false(spk_mail_post(f->store, "nobody", "cancel", NULL, &error));
	assert_failed(&error, SPK_ERR_NOT_FOUND);
	add_task(f->store, TASK);
	lease = hold(f->store, TASK);
	walk_to(f->store, lease, SPK_STATE_DONE);
	assert_false(spk_mail_post(f->store, TASK, "cancel", NULL, &error));
	assert_failed(&error, SPK_ERR_CONFLICT);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_in_order_and_once),
	STORE_TEST(test_nobody_to_read_it),
};
const Suite mail_suite = { tests, G_N_ELEMENTS(tests) };
