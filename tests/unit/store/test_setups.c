#include "test_store.h"

#include "store/setups.h"

static void put(SpkStore *store, const char *repo, const char *command)
{
	g_autoptr(json_t) allow = json_pack("[s]", "@npm");
	SpkSetup setup = { .repo = (char *)repo,
			   .folder = (char *)"sub",
			   .command = (char *)command,
			   .allow = allow };

	assert_ok(spk_setup_put(store, &setup, ERR));
}

static void test_one_for_each_repository(void **state)
{
	Fixture *f = *state;
	g_autoptr(GPtrArray) all = NULL;
	SpkSetup *found;
	gboolean was;

	assert_ok(spk_setup_find(f->store, "/a", &found, ERR));
	assert_null(found);
	put(f->store, "/b", "npm ci");
	put(f->store, "/a", "first");
	put(f->store, "/a", "it's \"second\"");
	assert_ok(spk_setup_find(f->store, "/a", &found, ERR));
	assert_string_equal(found->command, "it's \"second\"");
	assert_string_equal(found->folder, "sub");
	assert_string_equal(json_string_value(json_array_get(found->allow, 0)), "@npm");
	assert_true(found->set_us > 0);
	spk_setup_free(found);
	all = spk_setup_list(f->store, NULL);
	assert_non_null(all);
	assert_int_equal(all->len, 2);
	assert_string_equal(((SpkSetup *)all->pdata[1])->repo, "/b");
	assert_ok(spk_setup_drop(f->store, "/a", &was, ERR));
	assert_true(was);
	assert_ok(spk_setup_drop(f->store, "/a", &was, ERR));
	assert_false(was);
	assert_ok(spk_setup_find(f->store, "/a", &found, ERR));
	assert_null(found);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(test_one_for_each_repository),
};
const Suite setups_suite = { tests, G_N_ELEMENTS(tests) };
