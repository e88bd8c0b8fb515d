#include "test_store.h"

#include "store/levels.h"

#define ROW(spark, repo, level)                                               \
	{                                                                     \
		(char *)spark, (char *)repo, (char *)level, (char *)"anna", 0 \
	}

static void set_over_and_dropped(void **state)
{
	Fixture *f = *state;
	SpkLevelRow row = ROW("coder", "/src", "propose");
	SpkLevelRow all = ROW("", "", "observe");
	g_autoptr(GPtrArray) none = spk_levels_list(f->store, NULL), list = NULL;
	gboolean was;

	assert_int_equal(none->len, 0);
	assert_true(spk_levels_put(f->store, &row, NULL));
	assert_true(spk_levels_put(f->store, &all, NULL));
	row.level = (char *)"assist";
	assert_true(spk_levels_put(f->store, &row, NULL));
	list = spk_levels_list(f->store, NULL);
	assert_int_equal(list->len, 2);
	assert_string_equal(((SpkLevelRow *)list->pdata[0])->level, "observe");
	assert_true(((SpkLevelRow *)list->pdata[0])->set_us > 0);
	assert_string_equal(((SpkLevelRow *)list->pdata[1])->level, "assist");
	assert_string_equal(((SpkLevelRow *)list->pdata[1])->repo, "/src");
	assert_true(spk_levels_drop(f->store, "coder", "", &was, NULL));
	assert_false(was);
	assert_true(spk_levels_drop(f->store, "coder", "/src", &was, NULL));
	assert_true(was);
}

static const struct CMUnitTest tests[] = {
	STORE_TEST(set_over_and_dropped),
};
const Suite levels_suite = { tests, G_N_ELEMENTS(tests) };
