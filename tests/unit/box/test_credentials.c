/* Rows of [box] credentials: which are some, and what is said of the others. */
#include "suites.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "box/credentials.h"

static SpkConf *with_rows(const char *const *rows)
{
	g_autoptr(json_t) list = json_array();
	g_autofree char *text = NULL, *set = NULL;
	const char *overrides[2] = { NULL };
	const SpkConfSource source = { .overrides = overrides };
	SpkConf *conf;

	for (; *rows; rows++)
		json_array_append_new(list, json_string(*rows));
	text = spk_json_dump(list);
	overrides[0] = set = g_strconcat("box.credentials=", text, NULL);
	conf = spk_conf_load(&source, NULL);
	assert_non_null(conf);
	return conf;
}

static void test_rows(void **state)
{
	const char *rows[] = { "api.github.com Authorization: Bearer {github.token}",
			       "R.example.com:8443 X-Api-Key: {key.r}",
			       "[2001:db8::1] Authorization: Basic deploy:{key.r}",
			       NULL };
	g_autoptr(SpkConf) conf = with_rows(rows);
	g_autoptr(GPtrArray) all = spk_credentials(conf, NULL);
	static const struct {
		const char *host, *header, *prefix, *user, *key;
	} wanted[] = {
		{ "api.github.com", "Authorization", "Bearer ", NULL, "github.token" },
		{ "r.example.com:8443", "X-Api-Key", "", NULL, "key.r" },
		{ "[2001:db8::1]:443", "Authorization", "Basic ", "deploy", "key.r" },
	};

	assert_non_null(all);
	assert_int_equal(all->len, 3);
	for (guint i = 0; i < all->len; i++) {
		const SpkCredential *one = all->pdata[i];
		g_autofree char *host = spk_credential_host(one);

		assert_string_equal(host, wanted[i].host);
		assert_string_equal(one->header, wanted[i].header);
		assert_string_equal(one->prefix, wanted[i].prefix);
		assert_int_equal(g_strcmp0(one->user, wanted[i].user), 0);
		assert_string_equal(one->secret->key, wanted[i].key);
	}
}

static void test_what_is_none(void **state)
{
	static const struct {
		const char *row, *why;
	} bad[] = {
		{ "", "is not HOST" },
		{ "a.test", "is not HOST" },
		{ "a.test X:{key.a}", "is not HOST" },
		{ "127.1 X: {key.a}", "begin with a host" },
		{ "*.a.test X: {key.a}", "begin with a host" },
		{ "a.test X: sk-inline-canary", "does not end in {SECRET}" },
		{ "a.test X: {key.a} sk-inline-canary", "does not end in {SECRET}" },
		{ "a.test X: {sk-inline-canary}", "names no secret" },
		{ "a.test X: {GH_TOKEN}", "names no secret" },
		{ "a.test Host: {key.a}", "header that can't" },
		{ "a.test X Y: {key.a}", "header that can't" },
		{ "a.test Authorization: Basic {key.a}", "not USER" },
		{ "a.test/v1 X: {key.a}", "has a path" },
		{ "a.test/v1?q X: {key.a} as A", "a path that is none" },
		{ "a.test/%00 X: {key.a} as", "one or two variables" },
		{ "a.test X: {key.a} as  A", "one or two variables" },
		{ "a.test X: {key.a} as A B C", "one or two variables" },
		{ "a.test X: {key.a} as 1A", "one or two variables" },
		{ "a.test X: {key.a} as A=B", "one or two variables" },
		{ "a.test X: {key.a} as LD_PRELOAD", "one or two variables" },
		{ "a.test X: {key.a} as A https_proxy", "one or two variables" },
		{ "a.test X: {key.a} as A A", "a variable twice" },
		{ "a.test X: {key.a}as A", "does not end in {SECRET}" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *rows[] = { bad[i].row, NULL };
		g_autoptr(SpkConf) conf = with_rows(rows);
		g_autoptr(GError) error = NULL;

		assert_null(spk_credentials(conf, &error));
		assert_true(spk_error_is(error, SPK_ERR_CONFIG));
		assert_null(strstr(error->message, "canary"));
		if (!strstr(error->message, bad[i].why))
			fail_msg("%s: %s", bad[i].row, error->message);
	}
}

static void test_a_host_stands_once(void **state)
{
	const char *rows[] = { "a.test X: {key.a}", "A.test:443 Y: {key.b}", NULL };
	g_autoptr(SpkConf) conf = with_rows(rows);
	g_autoptr(GError) error = NULL;

	assert_null(spk_credentials(conf, &error));
	assert_non_null(strstr(error->message, "another row"));
}

static void test_a_base_url(void **state)
{
	const char *rows[] = { "git.test:8443/api/v3 X: {key.a} as API_URL API_TOKEN",
			       "b.test X: {key.b} as B_URL", NULL };
	const char *twice[] = { rows[0], "c.test X: {key.c} as C_URL API_TOKEN", NULL };
	g_autoptr(SpkConf) conf = with_rows(rows), bad = with_rows(twice);
	g_autoptr(GPtrArray) all = spk_credentials(conf, NULL);
	g_autoptr(GError) error = NULL;
	const SpkCredential *one;

	assert_non_null(all);
	one = all->pdata[0];
	assert_string_equal(one->path, "/api/v3");
	assert_string_equal(one->url_variable, "API_URL");
	assert_string_equal(one->key_variable, "API_TOKEN");
	one = all->pdata[1];
	assert_string_equal(one->url_variable, "B_URL");
	assert_null(one->key_variable);
	assert_null(spk_credentials(bad, &error));
	assert_non_null(strstr(error->message, "a variable that another row"));
}

static void test_the_key_comes_from_where_secrets_are(void **state)
{
	const char *rows[] = { "a.test X: {key.unit_canary}", NULL };
	g_autoptr(SpkConf) conf = with_rows(rows);
	g_autoptr(GPtrArray) all = spk_credentials(conf, NULL);
	g_autoptr(GError) missing = NULL, unfit = NULL;
	SpkRoute *route;

	assert_null(spk_credential_route(all->pdata[0], conf, &missing));
	assert_non_null(strstr(missing->message, "there is no key.unit_canary"));
	g_setenv("SPARKS_KEY_UNIT_CANARY", "short", TRUE);
	assert_null(spk_credential_route(all->pdata[0], conf, &unfit));
	assert_non_null(strstr(unfit->message, "shorter than 8"));
	g_setenv("SPARKS_KEY_UNIT_CANARY", "long-enough", TRUE);
	route = spk_credential_route(all->pdata[0], conf, NULL);
	assert_non_null(route);
	assert_string_equal(route->value, "long-enough");
	spk_route_unref(route);
	g_unsetenv("SPARKS_KEY_UNIT_CANARY");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rows),
	cmocka_unit_test(test_what_is_none),
	cmocka_unit_test(test_a_host_stands_once),
	cmocka_unit_test(test_a_base_url),
	cmocka_unit_test(test_the_key_comes_from_where_secrets_are),
};
SUITE(credentials_suite, tests);
