/* Secrets: the table, the lines, the seal, and which source wins. */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/veil.h"
#include "conf/secret.h"
#include "conf/secret_priv.h"
#include "test_conf.h"

static void test_table_is_sorted_and_unique(void **state)
{
	for (const SpkSecret *one = spk_secrets(); one->key; one++) {
		assert_true(!one[1].key || strcmp(one->key, one[1].key) < 0);
		assert_ptr_equal(spk_secret_find(one->key), one);
		assert_ptr_equal(spk_secret_find(one->env), one);
		assert_true(*one->sentence);
	}
}

static void test_names(void **state)
{
	g_autofree char *near = spk_secret_nearest("github.tokn");
	g_autofree char *none = spk_secret_nearest("quite.other.things");

	assert_string_equal(spk_secret_find("zen.api_key")->env, "OPENCODE_API_KEY");
	assert_string_equal(spk_secret_find("GH_TOKEN")->key, "github.token");
	assert_null(spk_secret_find("openai.url"));
	assert_null(spk_secret_find(""));
	assert_string_equal(near, " (did you mean \"github.token\"?)");
	assert_string_equal(none, "");
}

static void see_npm(const char *name, const char *value, gpointer user)
{
	if (!strcmp(name, "SPARKS_KEY_NPM_2") && !strcmp(value, "npm_canary"))
		*(gboolean *)user = TRUE;
}

static void test_keys_of_ones_own(void **state)
{
	static const char *const bad[] = { "key.",
					   "key.A",
					   "key.a-b",
					   "SPARKS_KEY_",
					   "SPARKS_KEY_a",
					   "key.a.b",
					   "key.a2345678901234567890123456789012x" };
	const SpkSecret *secret = spk_secret_find("key.npm_2");
	g_autofree const SpkSecret **own = NULL;
	g_autoptr(SpkConf) conf = load_ok(NULL);
	gboolean known = FALSE;

	assert_string_equal(secret->env, "SPARKS_KEY_NPM_2");
	assert_ptr_equal(spk_secret_find("SPARKS_KEY_NPM_2"), secret);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_null(spk_secret_find(bad[i]));
	own = spk_secrets_own();
	assert_ptr_equal(own[0], secret);
	assert_null(own[1]);
	g_setenv(secret->env, "npm_canary", TRUE);
	assert_string_equal(spk_conf_secret(conf, secret->env), "npm_canary");
	spk_veil_each(see_npm, &known);
	assert_true(known);
	g_unsetenv(secret->env);
}

static void test_only_models_keys_are_compared(void **state)
{
	g_autoptr(SpkConf) without = load_ok(NULL);
	g_autoptr(json_t) before = spk_conf_task_values(without);
	g_autoptr(json_t) other = NULL, with = NULL;

	g_setenv("GH_TOKEN", "ghp_x", TRUE);
	other = spk_conf_task_values(without);
	assert_true(json_equal(before, other));
	g_setenv("ANTHROPIC_API_KEY", "sk-x", TRUE);
	with = spk_conf_task_values(without);
	assert_false(json_equal(before, with));
	g_unsetenv("ANTHROPIC_API_KEY");
	g_unsetenv("GH_TOKEN");
}

static void test_keys_of_the_box_are_compared(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(json_t) before = NULL, with = NULL;

	g_setenv("SPARKS_BOX_CREDENTIALS", "[\"a.test X: {github.token}\", \"b\", \"{\"]",
		 TRUE);
	conf = load_ok(NULL);
	before = spk_conf_task_values(conf);
	g_setenv("GH_TOKEN", "ghp_x", TRUE);
	with = spk_conf_task_values(conf);
	assert_true(json_is_false(json_object_get(before, "GH_TOKEN")));
	assert_true(json_is_true(json_object_get(with, "GH_TOKEN")));
	g_unsetenv("GH_TOKEN");
	g_unsetenv("SPARKS_BOX_CREDENTIALS");
}

/* ---- text ---- */
static void test_lines(void **state)
{
	g_autofree char *one = spk_secret_text_put("", "a.b", "1");
	g_autofree char *two = spk_secret_text_put("# head\na.b=1\na.bc=2", "x.y", "3=4");
	g_autofree char *changed = spk_secret_text_put(two, "a.b", "new");
	g_autofree char *gone = spk_secret_text_put(two, "a.bc", NULL);
	g_autofree char *value = spk_secret_text_get(two, "x.y");
	g_auto(GStrv) keys = spk_secret_text_keys(two);
	g_autofree char *joined = g_strjoinv(" ", keys);

	assert_string_equal(one, "a.b=1\n");
	assert_string_equal(two, "# head\na.b=1\na.bc=2\nx.y=3=4\n");
	assert_string_equal(changed, "# head\na.b=new\na.bc=2\nx.y=3=4\n");
	assert_string_equal(gone, "# head\na.b=1\nx.y=3=4\n");
	assert_string_equal(value, "3=4");
	assert_string_equal(joined, "a.b a.bc x.y");
	assert_null(spk_secret_text_get(two, "a"));
	assert_null(spk_secret_text_get("a.b=\n", "a.b"));
}

static void test_what_can_be_a_secret(void **state)
{
	g_autofree char *longest = g_strnfill(SPK_SECRET_MAX, 'x');
	g_autofree char *longer = g_strnfill(SPK_SECRET_MAX + 1, 'x');

	assert_null(spk_secret_unfit("p\xc3\xa4ss w\xc3\xb6rd"));
	assert_null(spk_secret_unfit(longest));
	assert_non_null(spk_secret_unfit(longer));
	assert_non_null(spk_secret_unfit(""));
	assert_non_null(spk_secret_unfit("a\nb"));
	assert_non_null(spk_secret_unfit("a\x1b[1m"));
	assert_non_null(spk_secret_unfit("\xff\xfe"));
}

/* ---- seal ---- */
static char *sealed(SpkSealKind kind, const char *text, guint8 key[SPK_SEAL_KEY],
		    gsize *ret_len)
{
	SpkSeal seal;
	char *bytes;

	spk_seal_init(&seal, kind);
	assert_true(spk_seal_derive(&seal, "the key", 7, key, NULL));
	bytes = spk_seal_close(&seal, key, text, ret_len, NULL);
	assert_non_null(bytes);
	return bytes;
}

static void test_seal_opens_with_its_key_only(void **state)
{
	static const SpkSealKind kinds[] = { SPK_SEAL_PASSPHRASE, SPK_SEAL_FILE };

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		guint8 key[SPK_SEAL_KEY], again[SPK_SEAL_KEY];
		gsize len;
		g_autofree char *bytes = sealed(kinds[i], "a.b=1\n", key, &len);
		g_autofree char *text = NULL;
		g_autoptr(GError) error = NULL;
		SpkSeal seal;

		assert_true(spk_seal_parse(bytes, len, &seal, NULL));
		assert_int_equal(seal.kind, kinds[i]);
		assert_true(spk_seal_derive(&seal, "the key", 7, again, NULL));
		assert_memory_equal(key, again, sizeof(key));
		text = spk_seal_open(bytes, len, again, NULL);
		assert_true(g_str_has_prefix(text, "a.b=1\n\n"));
		/* the length tells only how many times 256 bytes there are */
		g_free(bytes);
		bytes = sealed(kinds[i], "", again, &len);
		assert_int_equal(len, SPK_SEAL_HEADER + 256 + 16);
		assert_null(spk_seal_open(bytes, len, key, &error));
		assert_true(spk_error_is(error, SPK_ERR_CORRUPT));
	}
}

static void test_seal_tells_every_changed_byte(void **state)
{
	guint8 key[SPK_SEAL_KEY];
	gsize len;
	g_autofree char *bytes = sealed(SPK_SEAL_FILE, "a.b=1\n", key, &len);

	for (gsize i = 0; i < len; i++) {
		g_autoptr(GError) error = NULL;

		bytes[i] ^= 4;
		assert_null(spk_seal_open(bytes, len, key, &error));
		assert_true(spk_error_is(error, SPK_ERR_CORRUPT));
		bytes[i] ^= 4;
		if (i < len - 1) {
			g_clear_error(&error);
			assert_null(spk_seal_open(bytes, i, key, &error));
			assert_true(spk_error_is(error, SPK_ERR_CORRUPT));
		}
	}
}

static void test_two_seals_share_nothing(void **state)
{
	guint8 key[SPK_SEAL_KEY], other[SPK_SEAL_KEY];
	gsize len;
	g_autofree char *one = sealed(SPK_SEAL_FILE, "a.b=1\n", key, &len);
	g_autofree char *two = sealed(SPK_SEAL_FILE, "a.b=1\n", other, &len);

	assert_memory_not_equal(key, other, sizeof(key));
	assert_memory_not_equal(one + 36, two + 36, SPK_SEAL_NONCE);
	assert_memory_not_equal(one + SPK_SEAL_HEADER, two + SPK_SEAL_HEADER, 64);
}

/* ---- the kernel ---- */
static void test_kernel_forgets_in_time(void **state)
{
	guint8 key[SPK_SEAL_KEY], found[SPK_SEAL_KEY];
	g_autofree char *name = g_strdup_printf("sparks:test:%d", (int)getpid());
	g_autoptr(GError) refused = NULL;

	memset(key, 7, sizeof(key));
	if (!spk_keyctl_put(name, key, 1, &refused)) {
		/* a container may forbid it: then it says so, and finds nothing */
		assert_has(refused->message, "the kernel's keyring is not to be had");
		assert_false(spk_keyctl_get(name, found, NULL));
		return;
	}
	assert_true(spk_keyctl_get(name, found, NULL));
	assert_memory_equal(found, key, sizeof(key));
	assert_false(spk_keyctl_get("sparks:test:other", found, NULL));
	g_usleep(1200000);
	assert_false(spk_keyctl_get(name, found, &refused));
	assert_null(refused);
}

/* ---- lookups ---- */
static void keep_in_file(const char *key, const char *value)
{
	g_autofree char *weak = NULL, *where = NULL;

	where = spk_secret_set(spk_secret_find(key), value, &weak, NULL);
	assert_non_null(where);
	assert_non_null(weak);
}

static void test_environment_before_dotenv_before_file_before_config(void **state)
{
	g_autofree char *dotenv = in_home(".env"), *config = in_home("config.toml");
	g_autoptr(SpkConf) all = NULL, kept = NULL, inlined = NULL;

	g_setenv("SPARKS_ALLOW_INLINE_SECRETS", "1", TRUE);
	put(config, "[openai]\napi_key = 'of-config'\n");
	inlined = load_ok(NULL);
	assert_string_equal(spk_conf_secret(inlined, "OPENAI_API_KEY"), "of-config");
	assert_string_equal(spk_conf_secret_near(inlined, "OPENAI_API_KEY"), "file");
	keep_in_file("openai.api_key", "of-store");
	kept = load_ok(NULL);
	assert_string_equal(spk_conf_secret(kept, "OPENAI_API_KEY"), "of-store");
	put(dotenv, "OPENAI_API_KEY=of-dotenv\n");
	all = load_ok(NULL);
	assert_string_equal(spk_conf_secret(all, "OPENAI_API_KEY"), "of-dotenv");
	g_setenv("OPENAI_API_KEY", "of-environment", TRUE);
	assert_string_equal(spk_conf_secret(all, "OPENAI_API_KEY"), "of-environment");
	assert_string_equal(spk_conf_secret_near(all, "OPENAI_API_KEY"), "environment");
	g_unsetenv("OPENAI_API_KEY");
	g_unsetenv("SPARKS_ALLOW_INLINE_SECRETS");
}

static void see_kept(const char *name, const char *value, gpointer user)
{
	if (!strcmp(name, "OPENAI_API_KEY") && !strcmp(value, "unasked-for"))
		*(gboolean *)user = TRUE;
}

static void test_nothing_is_opened_unasked(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(json_t) values = NULL, shown = NULL;
	gboolean known = FALSE;

	keep_in_file("openai.api_key", "unasked-for");
	conf = load_ok(NULL);
	shown = spk_conf_to_json(conf);
	values = spk_conf_task_values(conf);
	spk_veil_each(see_kept, &known);
	assert_false(known);
	assert_null(spk_conf_secret_near(conf, "OPENAI_API_KEY"));
	assert_string_equal(spk_conf_secret(conf, "OPENAI_API_KEY"), "unasked-for");
	spk_veil_each(see_kept, &known);
	assert_true(known);
}

static void test_inline_is_refused(void **state)
{
	g_autofree char *message = NULL, *wrong = NULL;
	g_autoptr(SpkConf) empty = NULL, untrusted = NULL;
	g_autofree char *all = NULL;

	put("x.toml", "[telegram]\ntoken = 'canary'\n");
	message = load_message("x.toml");
	assert_has(message, "x.toml:2:9: telegram.token is a secret");
	assert_lacks(message, "canary");
	put("x.toml", "[telegram]\ntoken = ''\n");
	empty = load_ok("x.toml");
	g_setenv("SPARKS_ALLOW_INLINE_SECRETS", "1", TRUE);
	put("x.toml", "[telegram]\ntoken = [1]\n");
	wrong = load_message("x.toml");
	assert_has(wrong, "telegram.token must be a string");
	g_unsetenv("SPARKS_ALLOW_INLINE_SECRETS");
	put("config.toml", "[telegram]\ntoken = 'canary'\n");
	untrusted = load_ok(NULL);
	all = warnings_of(untrusted);
	assert_has(all, "telegram.token has no effect");
	assert_lacks(all, "canary");
	assert_null(spk_conf_secret(untrusted, "SPARKS_TELEGRAM_TOKEN"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

const struct CMUnitTest secret_tests[] = {
	TEST(test_table_is_sorted_and_unique),
	TEST(test_names),
	TEST(test_keys_of_ones_own),
	TEST(test_only_models_keys_are_compared),
	TEST(test_keys_of_the_box_are_compared),
	TEST(test_lines),
	TEST(test_what_can_be_a_secret),
	TEST(test_seal_opens_with_its_key_only),
	TEST(test_seal_tells_every_changed_byte),
	TEST(test_two_seals_share_nothing),
	TEST(test_kernel_forgets_in_time),
	TEST(test_environment_before_dotenv_before_file_before_config),
	TEST(test_nothing_is_opened_unasked),
	TEST(test_inline_is_refused),
};
const size_t n_secret_tests = G_N_ELEMENTS(secret_tests);
