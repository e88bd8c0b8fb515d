/* The table of providers: what the configuration makes of its rows, before anybody is asked. */
#include "test_llm.h"

#include <string.h>

#include "llm/address_priv.h"
#include "llm/models_priv.h"
#include "base/json.h"

static const SpkProvider *row_of(const char *name)
{
	const SpkProvider *row = spk_provider_find(name, strlen(name));

	assert_non_null(row);
	return row;
}

static void test_rows_and_options_agree(void **state)
{
	g_autoptr(SpkConf) conf = conf_of("llm.provider=openai", NULL);
	static const char *const keys[] = { "model", "url", "context_window",
					    "max_tokens", "temperature" };

	for (const SpkProvider *row = spk_providers; row->name; row++) {
		g_autofree char *url = g_strconcat(row->name, ".url", NULL);
		g_autofree char *chosen = g_strconcat("llm.provider=", row->name, NULL);
		g_autoptr(SpkConf) choice = conf_of(chosen, NULL);

		assert_non_null(choice);
		if (!row->url)
			continue;
		for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
			g_autofree char *name =
				g_strconcat(row->name, ".", keys[i], NULL);

			(void)spk_conf_origin(conf, name); /* asserts that it is there */
		}
		/* [openai] url alone is empty, so that a key without it means OpenAI */
		if (strcmp(row->name, "openai") != 0)
			assert_string_equal(spk_conf_str(conf, url), row->url);
	}
}

static void test_describe(void **state)
{
	static const struct {
		const char *provider, *word, *url;
		gboolean configured, local;
	} cases[] = {
		{ "openai", "llm.max_retries=1", "https://api.openai.com/v1", FALSE,
		  FALSE },
		{ "openai", "openai.url=http://127.0.0.1:8080",
		  "http://127.0.0.1:8080/v1", TRUE, TRUE },
		{ "anthropic", "llm.max_retries=1", "https://api.anthropic.com/v1", FALSE,
		  FALSE },
		{ "ollama", "llm.max_retries=1", "http://localhost:11434/api", FALSE,
		  TRUE },
		{ "ollama", "ollama.model=x", "http://localhost:11434/api", TRUE, TRUE },
		{ "ollama", "ollama.url=https://gpu.example.com/v1/",
		  "https://gpu.example.com/api", TRUE, FALSE },
		{ "zen", "zen.model=x", "https://opencode.ai/zen/v1", FALSE, FALSE },
		{ "script", "script.play=/x", NULL, TRUE, TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(SpkConf) conf = conf_of(cases[i].word, NULL);
		const SpkProvider *row = row_of(cases[i].provider);
		g_auto(SpkProviderState) got = { 0 };

		assert_true(row->impl->describe(row, conf, &got, NULL));
		assert_int_equal(got.configured, cases[i].configured);
		assert_int_equal(got.local, cases[i].local);
		if (g_strcmp0(got.url, cases[i].url) != 0)
			fail_msg("%s: %s", cases[i].word, got.url);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const SpkWire *wire;
		const char *url, *base;
	} cases[] = {
		{ &spk_wire_chat, "http://h", "http://h/v1" },
		{ &spk_wire_chat, "http://h:1/", "http://h:1/v1" },
		{ &spk_wire_chat, "http://h/v1//", "http://h/v1" },
		{ &spk_wire_chat, "https://h/a/v1/chat/completions", "https://h/a/v1" },
		{ &spk_wire_responses, "https://h/v1/responses", "https://h/v1" },
		{ &spk_wire_messages, "https://api.anthropic.com",
		  "https://api.anthropic.com/v1" },
		{ &spk_wire_messages, "https://h/v1/messages/", "https://h/v1" },
		{ &spk_wire_ollama, "http://h:11434", "http://h:11434/api" },
		{ &spk_wire_ollama, "http://h:11434/v1", "http://h:11434/api" },
		{ &spk_wire_ollama, "http://h/api/chat", "http://h/api" },
		{ &spk_wire_ollama, "http://h/proxy/api", "http://h/proxy/api" },
		{ &spk_wire_chat, "http://[::1]:8080", "http://[::1]:8080/v1" },
	};
	static const char *const wrong[] = {
		"",	   "h",	   "ftp://h",
		"http://", "://x", "https://ChatGPT.com/backend-api/codex"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *base =
			spk_address_complete(cases[i].url, cases[i].wire, "x", NULL);

		if (g_strcmp0(base, cases[i].base) != 0)
			fail_msg("%s: %s", cases[i].url, base);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(spk_address_complete(wrong[i], &spk_wire_chat, "x", &error));
		assert_error(error, SPK_ERR_CONFIG, "[x] url");
		assert_non_null(spk_error_hint(error));
	}
}

/* A password in an address is for the requests alone. */
static void test_address_is_shown_without_password(void **state)
{
	g_autoptr(SpkConf)
		conf = conf_of("openai.url=http://me:canary@127.0.0.1:1/v1", NULL);
	const SpkProvider *row = row_of("openai");
	g_autoptr(SpkLlm) llm = spk_llm_open(conf, "m", NULL);
	g_auto(SpkProviderState) state_of = { 0 };
	g_autoptr(GError) error = NULL;

	assert_true(row->impl->describe(row, conf, &state_of, NULL));
	assert_string_equal(state_of.url, "http://127.0.0.1:1/v1");
	assert_false(spk_llm_ping(llm, NULL, &error));
	assert_null(strstr(error->message, "canary"));
}

static void test_local_hosts(void **state)
{
	static const char *const local[] = {
		"localhost",	 "LOCALHOST.",	"127.0.0.1",   "127.1",
		"2130706433",	 "0x7f000001",	"10.1.2.3",    "172.16.0.1",
		"172.31.255.1",	 "192.168.1.1", "169.254.1.1", "100.64.0.1",
		"::1",		 "fe80::1",	"fd00::1",     "::ffff:10.0.0.1",
		"nas",		 "nas.local",	"gpu.lan",     "host.docker.internal",
		"x.y.home.arpa", "0.0.0.0"
	};
	static const char *const cloud[] = { "api.openai.com", "8.8.8.8",
					     "172.32.0.1",     "100.128.0.1",
					     "2001:db8::1",    "11.0.0.1",
					     "::ffff:8.8.8.8", "x.localx" };

	for (gsize i = 0; i < G_N_ELEMENTS(local); i++)
		if (!spk_host_is_local(local[i]))
			fail_msg("%s", local[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(cloud); i++)
		if (spk_host_is_local(cloud[i]))
			fail_msg("%s", cloud[i]);
	assert_false(spk_host_is_local(""));
}

static void test_missing_parts(void **state)
{
	static const struct {
		const char *provider, *word, *words, *hint;
	} cases[] = {
		{ "openai", "openai.model=x", "no model is configured",
		  "OPENAI_API_KEY" },
		{ "anthropic", "anthropic.model=x", "no key for anthropic",
		  "ANTHROPIC_API_KEY" },
		{ "openrouter", "openrouter.url=http://localhost:1",
		  "no model of openrouter is named", "[openrouter] model" },
		{ "openrouter", "openrouter.model=x", "no key for openrouter",
		  "OPENROUTER_API_KEY" },
		{ "zen", "zen.url=http://localhost:1", "no model of zen is named",
		  "--model zen:NAME" },
	};
	g_autoptr(SpkConf) gemini = conf_of("llm.provider=zen", "zen.url=http://h",
					    "zen.model=gemini-3", NULL);
	g_autoptr(GError) unbuilt = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *provider =
			g_strconcat("llm.provider=", cases[i].provider, NULL);
		g_autoptr(SpkConf) conf = conf_of(provider, cases[i].word, NULL);
		g_autoptr(GError) error = NULL;

		assert_null(spk_llm_open(conf, NULL, &error));
		assert_error(error, SPK_ERR_CONFIG, cases[i].words);
		if (!strstr(spk_error_hint(error), cases[i].hint))
			fail_msg("%s: %s", cases[i].word, spk_error_hint(error));
	}
	assert_null(spk_llm_open(gemini, NULL, &unbuilt));
	assert_error(unbuilt, SPK_ERR_CONFIG, "gemini-");
}

static void test_windows(void **state)
{
	static const struct {
		const char *url, *model, *word;
		gint64 window, answer;
	} cases[] = {
		{ "openai.url=http://127.0.0.1:1", "openai:gpt-5.3-codex",
		  "llm.max_retries=1", 128000, 4096 },
		{ "openai.url=http://h.example.com", "openai:gpt-5.3-codex",
		  "llm.max_retries=1", 400000, 4096 },
		{ "openai.url=http://h.example.com", "openai:gpt-5.3-codex",
		  "openai.context_window=9000", 9000, 4096 },
		{ "openai.url=http://h.example.com", "openai:qwen2.5:7b",
		  "llm.max_retries=1", 128000, 4096 },
		{ "openai.url=http://h.example.com", "openai:claude-3-opus",
		  "openai.max_tokens=8000", 200000, 8000 },
		{ "openai.url=http://h.example.com", "openai:gpt-4", "llm.max_retries=1",
		  8192, 4096 },
		{ "openai.url=http://h.example.com", "ollama:llama3.2",
		  "llm.max_retries=1", 16384, 4096 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(SpkConf) conf = conf_of(cases[i].url, cases[i].word, NULL);
		g_autofree char *name =
			g_strndup(cases[i].model, strcspn(cases[i].model, ":"));
		const SpkProvider *row = row_of(name);
		gpointer self = row->impl->open(row, conf,
						cases[i].model + strlen(name) + 1, NULL);
		const SpkModelInfo *info = row->impl->info(self);

		assert_int_equal(info->context_window, cases[i].window);
		assert_int_equal(info->max_output, cases[i].answer);
		row->impl->close(self);
	}
}

static void test_lists_of_models(void **state)
{
	static const char *const lists[] = {
		"{\"data\":[{\"id\":\"a\",\"max_model_len\":8},{\"id\":\"b\",\"meta\":{\"n_ctx\":9}},{\"id\":7},{}]}",
		"{\"models\":[{\"name\":\"a\",\"context_length\":8},{\"model\":\"x\",\"name\":\"b\"},7,null]}",
	};
	g_autoptr(json_t) nothing = json_array();
	g_autoptr(GPtrArray) none = spk_models_from_list(nothing, 10);

	assert_int_equal(none->len, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_autoptr(json_t)
			list = spk_json_parse(lists[i], strlen(lists[i]), 4096, NULL);
		g_autoptr(GPtrArray) models = spk_models_from_list(list, 10);
		g_autoptr(GPtrArray) one = spk_models_from_list(list, 1);
		const SpkModelEntry *first = models->pdata[0], *second = models->pdata[1];

		assert_int_equal(one->len, 1);
		assert_int_equal(models->len, 2);
		assert_string_equal(first->id, "a");
		assert_int_equal(first->context_window, 8);
		assert_string_equal(second->id, "b");
		assert_int_equal(second->context_window, i == 0 ? 9 : 0);
	}
}

const struct CMUnitTest providers_tests[] = {
	cmocka_unit_test(test_rows_and_options_agree),
	cmocka_unit_test(test_describe),
	cmocka_unit_test(test_addresses),
	cmocka_unit_test(test_address_is_shown_without_password),
	cmocka_unit_test(test_local_hosts),
	cmocka_unit_test(test_missing_parts),
	cmocka_unit_test(test_windows),
	cmocka_unit_test(test_lists_of_models),
};
const size_t n_providers_tests = G_N_ELEMENTS(providers_tests);
