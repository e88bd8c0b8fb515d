/* Embedders that are servers, over a real socket: what they are told, and what they answer. */
#include "test_memory.h"

#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "memory/embed_wire.h"
#include "memory/embedder.h"
#include "memory/memory.h"
#include "../../play_server/wire.h"

#define CANARY "sk-test-embedding-canary-0123456789"

/* A server whose next answers are these; the last one stays. */
typedef struct {
	const char *provider;
	const char *answers[4]; /* whole answers of HTTP; NULL: made of the request */
	const char *poison, *refusal; /* what has the one in it gets the other */
	guint dims;
	GPtrArray *heads, *bodies;
	GMutex lock;
	Wire *wire;
	char *home;
} Server;

/* A vector that tells which text it is of. */
static json_t *vector_of(const char *text, guint dims)
{
	json_t *vector = json_array();

	for (guint i = 0; i < dims; i++)
		json_array_append_new(vector,
				      json_real(i ? 0.5 : (double)strlen(text) + 1));
	return vector;
}

static char *make_answer(const Server *server, const json_t *input)
{
	g_autoptr(json_t) body = NULL;
	json_t *list = json_array();
	const json_t *text;
	size_t i;

	json_array_foreach(input, i, text) {
		json_t *vector = vector_of(json_string_value(text), server->dims);

		if (!strcmp(server->provider, "ollama"))
			json_array_append_new(list, vector);
		else /* the last one first: the index counts */
			json_array_insert_new(list, 0,
					      json_pack("{s:i,s:o}", "index", (int)i,
							"embedding", vector));
	}
	body = json_pack("{s:o}",
			 strcmp(server->provider, "ollama") ? "data" : "embeddings",
			 list);
	return spk_json_dump(body);
}

static char *http(const char *status, const char *body)
{
	return g_strdup_printf("HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status,
			       strlen(body), body);
}

static gboolean answer(const WireRequest *request, gpointer user)
{
	Server *server = user;
	g_autoptr(json_t) body =
		spk_json_parse(request->body->str, request->body->len, 1 << 20, NULL);
	g_autofree char *made = make_answer(server, json_object_get(body, "input"));
	g_autofree char *whole = http("200 OK", made);
	guint n;

	g_mutex_lock(&server->lock);
	n = server->heads->len;
	g_ptr_array_add(server->heads, g_strdup(request->head));
	g_ptr_array_add(server->bodies, g_strdup(request->body->str));
	g_mutex_unlock(&server->lock);
	if (n < G_N_ELEMENTS(server->answers) && server->answers[n])
		return wire_puts(request, server->answers[n]);
	if (server->poison && strstr(request->body->str, server->poison))
		return wire_puts(request, server->refusal);
	return wire_puts(request, whole);
}

static void server_start(Server *server, const char *provider, guint dims)
{
	*server = (Server){ .provider = provider, .dims = dims };
	g_mutex_init(&server->lock);
	server->heads = g_ptr_array_new_with_free_func(g_free);
	server->bodies = g_ptr_array_new_with_free_func(g_free);
	server->home = g_dir_make_tmp("embedXXXXXX", NULL);
	server->wire = wire_start(0, answer, server);
	assert_non_null(server->wire);
}

static void server_clear(Server *server)
{
	wire_stop(server->wire);
	g_ptr_array_unref(server->heads);
	g_ptr_array_unref(server->bodies);
	g_mutex_clear(&server->lock);
	(void)spk_fs_remove_tree(server->home, NULL);
	g_free(server->home);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Server, server_clear)

static SpkConf *conf_of(const Server *server, const char *more)
{
	g_autofree char *url = g_strdup_printf("embedding.url=http://127.0.0.1:%d",
					       wire_port(server->wire));
	g_autofree char *provider =
		g_strconcat("embedding.provider=", server->provider, NULL);
	const char *words[] = {
		url,  provider, "embedding.model=test-model", "embedding.timeout_secs=2",
		more, NULL
	};
	SpkConfSource source = { .overrides = words };
	SpkConf *conf = spk_conf_load(&source, NULL);

	assert_non_null(conf);
	return conf;
}

static SpkEmbedder *open_it(const Server *server, const char *more, GError **error)
{
	g_autoptr(SpkConf) conf = conf_of(server, more);

	return spk_embedder_open(conf, server->home, error);
}

static const char *const providers[] = { "openai", "ollama" };

/* ---- what works ---- */

static void test_texts_come_back_in_order(void **state)
{
	const char *texts[150];

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		texts[i] = i % 3 == 0 ? "a" : i % 3 == 1 ? "four" : "seventeen letters";
	for (gsize p = 0; p < G_N_ELEMENTS(providers); p++) {
		g_auto(Server) server = { 0 };
		g_autofree float *vectors = g_new0(float, 150 * 8);
		g_autoptr(SpkEmbedder) embedder = NULL;

		server_start(&server, providers[p], 8);
		embedder = open_it(&server, NULL, NULL);
		assert_non_null(embedder);
		assert_int_equal(spk_embedder_dims(embedder), 8);
		assert_true(spk_embedder_embed(embedder, texts, 150, SPK_EMBED_PASSAGE,
					       vectors, NULL, NULL));
		for (gsize i = 0; i < 150; i++) {
			const float *one = vectors + 8 * i;
			double length = 0, first = (double)strlen(texts[i]) + 1;

			for (int d = 0; d < 8; d++)
				length += (double)one[d] * (double)one[d];
			assert_float_equal(length, 1, 1e-5);
			assert_float_equal(one[0], first / sqrt(first * first + 7 * 0.25),
					   1e-5);
		}
		/* the question for the dimensions, and batches */
		assert_in_range(wire_requests(server.wire), 4, 6);
	}
}

static void test_dimensions_are_learned_once(void **state)
{
	g_auto(Server) server = { 0 };
	g_autofree char *first = NULL;

	server_start(&server, "openai", 8);
	for (int i = 0; i < 3; i++) {
		g_autoptr(SpkEmbedder) embedder = open_it(&server, NULL, NULL);

		assert_non_null(embedder);
		assert_int_equal(wire_requests(server.wire), 1);
		if (i)
			assert_string_equal(spk_embedder_fingerprint(embedder), first);
		else
			first = g_strdup(spk_embedder_fingerprint(embedder));
	}
	assert_non_null(strstr(first, "openai/test-model/8/"));
}

/* What decides about the vectors is in the fingerprint, what doesn't isn't. */
static void test_fingerprints(void **state)
{
	static const struct {
		const char *word;
		gboolean same;
	} cases[] = {
		{ "embedding.query_prefix=q: ", TRUE },
		{ "embedding.timeout_secs=3", TRUE },
		{ "embedding.passage_prefix=p: ", FALSE },
		{ "embedding.dimensions=4", FALSE },
		{ "embedding.model=other", FALSE },
	};
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) plain = NULL;

	server_start(&server, "openai", 8);
	plain = open_it(&server, NULL, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(SpkEmbedder) other = open_it(&server, cases[i].word, NULL);

		assert_int_equal(!strcmp(spk_embedder_fingerprint(plain),
					 spk_embedder_fingerprint(other)),
				 cases[i].same);
	}
}

static void test_prefixes_and_dimensions_are_sent(void **state)
{
	const char *texts[] = { "hello" };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	float vector[4];

	server_start(&server, "openai", 4);
	g_setenv("SPARKS_EMBEDDING_DIMENSIONS", "4", TRUE);
	embedder = open_it(&server, "embedding.query_prefix=query: ", NULL);
	g_unsetenv("SPARKS_EMBEDDING_DIMENSIONS");
	assert_int_equal(wire_requests(server.wire), 0); /* the dimensions are known */
	assert_true(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY, vector, NULL,
				       NULL));
	assert_true(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_PASSAGE, vector,
				       NULL, NULL));
	assert_string_equal(server.bodies->pdata[0],
			    "{\"model\":\"test-model\",\"input\":[\"query: hello\"],"
			    "\"dimensions\":4}");
	assert_string_equal(server.bodies->pdata[1],
			    "{\"model\":\"test-model\",\"input\":[\"hello\"],"
			    "\"dimensions\":4}");
	assert_true(g_str_has_prefix(server.heads->pdata[0], "POST /v1/embeddings "));
}

/* Empty texts, bytes that are no text, and secrets. */
static void test_what_leaves_is_clean(void **state)
{
	const char *texts[] = { "", "a\xff\xfe",
				"token=ghp_0123456789abcdefghijABCDEFGHIJ456789" };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(json_t) body = NULL;
	float vectors[3 * 4];
	json_t *input;

	server_start(&server, "ollama", 4);
	embedder = open_it(&server, "embedding.dimensions=4", NULL);
	assert_true(spk_embedder_embed(embedder, texts, 3, SPK_EMBED_PASSAGE, vectors,
				       NULL, NULL));
	body = spk_json_parse(server.bodies->pdata[0], strlen(server.bodies->pdata[0]),
			      1 << 20, NULL);
	input = json_object_get(body, "input");
	assert_string_equal(json_string_value(json_array_get(input, 0)), " ");
	assert_string_equal(json_string_value(json_array_get(input, 1)),
			    "a\xef\xbf\xbd\xef\xbf\xbd");
	assert_null(strstr(json_string_value(json_array_get(input, 2)), "ghp_"));
}

/* ---- keys ---- */

static const char *header_of(const Server *server, guint i)
{
	const char *at = strstr(server->heads->pdata[i], "Authorization:");

	return at ? at : "";
}

/* The chat model's key goes to the chat model's server only. */
static void test_keys_stay_at_home(void **state)
{
	g_auto(Server) server = { 0 };
	g_autofree char *chat = NULL;
	const char *texts[] = { "x" };
	float vector[4];

	server_start(&server, "openai", 4);
	g_setenv("OPENAI_API_KEY", CANARY, TRUE);
	chat = g_strdup_printf("openai.url=http://127.0.0.1:%d/v1",
			       wire_port(server.wire));
	for (guint i = 0; i < 3; i++) {
		g_autoptr(SpkEmbedder) embedder = NULL;

		if (i == 2)
			g_setenv("SPARKS_EMBEDDING_API_KEY", "of-its-own-1234", TRUE);
		g_setenv("SPARKS_EMBEDDING_DIMENSIONS", "4", TRUE);
		embedder = open_it(&server, i == 1 ? chat : NULL, NULL);
		g_unsetenv("SPARKS_EMBEDDING_DIMENSIONS");
		assert_true(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY,
					       vector, NULL, NULL));
	}
	g_unsetenv("OPENAI_API_KEY");
	g_unsetenv("SPARKS_EMBEDDING_API_KEY");
	assert_string_equal(header_of(&server, 0), "");
	assert_true(
		g_str_has_prefix(header_of(&server, 1), "Authorization: Bearer " CANARY));
	assert_true(g_str_has_prefix(header_of(&server, 2),
				     "Authorization: Bearer of-its-own-1234"));
}

static void test_a_refused_key_is_not_repeated(void **state)
{
	g_autofree char *refusal = http("401 No", "Incorrect key " CANARY " provided");
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(GError) error = NULL;

	server_start(&server, "openai", 4);
	server.answers[0] = refusal;
	g_setenv("SPARKS_EMBEDDING_API_KEY", CANARY, TRUE);
	embedder = open_it(&server, NULL, &error);
	g_unsetenv("SPARKS_EMBEDDING_API_KEY");
	assert_null(embedder);
	assert_true(spk_error_is(error, SPK_ERR_PROVIDER_AUTH));
	assert_null(strstr(error->message, CANARY));
	assert_non_null(strstr(spk_error_hint(error), "SPARKS_EMBEDDING_API_KEY"));
	assert_int_equal(wire_requests(server.wire), 1); /* not tried again */
}

/* ---- what goes wrong ---- */

static void test_failures_that_pass_are_tried_again(void **state)
{
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;

	server_start(&server, "ollama", 4);
	server.answers[0] = "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy";
	server.answers[1] =
		"HTTP/1.1 429 No\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nslow";
	embedder = open_it(&server, NULL, NULL);
	assert_non_null(embedder);
	assert_int_equal(wire_requests(server.wire), 3);
}

static void test_a_text_that_is_too_long_is_cut(void **state)
{
	g_autofree char *text = g_strnfill(10000, 'x');
	g_autofree char *refusal =
		http("400 No", "{\"error\":{\"code\":\"context_length_exceeded\"}}");
	const char *texts[] = { text };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	float vector[4];

	server_start(&server, "openai", 4);
	embedder = open_it(&server, "embedding.dimensions=4", NULL);
	for (guint i = 0; i < 2; i++)
		server.answers[i] = refusal;
	assert_true(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_PASSAGE, vector,
				       NULL, NULL));
	assert_int_equal(wire_requests(server.wire), 3);
	assert_float_equal(vector[0], 1, 1e-4);
}

/* One that is too long changes nothing about those that are asked with it. */
static void test_others_are_not_cut(void **state)
{
	g_autofree char *text = g_strnfill(10000, 'x'), *whole = g_strnfill(5001, 'x');
	g_autofree char *other = g_strnfill(9000, 'y');
	g_autofree char *refusal =
		http("400 No", "{\"error\":{\"code\":\"context_length_exceeded\"}}");
	const char *texts[] = { "short", other, text, other, "short" };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	float vectors[5 * 4], alone[4];

	server_start(&server, "openai", 4);
	embedder = open_it(&server, "embedding.dimensions=4", NULL);
	assert_true(spk_embedder_embed(embedder, &texts[1], 1, SPK_EMBED_PASSAGE, alone,
				       NULL, NULL));
	server.poison = whole;
	server.refusal = refusal;
	assert_true(spk_embedder_embed(embedder, texts, 5, SPK_EMBED_PASSAGE, vectors,
				       NULL, NULL));
	assert_memory_equal(vectors + 4, alone, sizeof(alone));
	assert_memory_equal(vectors + 12, alone, sizeof(alone));
	assert_memory_equal(vectors, vectors + 16, sizeof(alone));
	assert_memory_not_equal(vectors, vectors + 4, sizeof(alone));
}

/* ---- vectors that are missing ---- */

static void store_text(SpkStore *store, const char *text)
{
	g_autoptr(SpkMemoryRow) row = g_new0(SpkMemoryRow, 1);

	row->id = g_strdup(text);
	row->text = g_strdup(text);
	row->kind = g_strdup("fact");
	row->scope = g_strdup("user");
	row->source = g_strdup("user");
	row->confidence = 1;
	assert_true(spk_memories_put(store, row, NULL, 0, NULL));
}

/* A text that the server chokes on stays without one, alone; a server that is down does not. */
static void test_one_bad_text_blocks_no_other(void **state)
{
	g_autofree char *refusal = http("400 No", "{\"error\":\"cannot do that\"}");
	g_auto(Server) server = { 0 };
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *path = NULL;
	SpkStore *store;
	SpkMemory *memory;
	guint left, asked;

	server_start(&server, "openai", 4);
	server.poison = "poison";
	server.refusal = refusal;
	path = g_build_filename(server.home, "store.db", NULL);
	store = spk_store_open(path, "normal", 0, NULL);
	conf = conf_of(&server, "embedding.dimensions=4");
	memory = spk_memory_open(store, conf, server.home, NULL);
	store_text(store, "poison at first");
	store_text(store, "fine");
	store_text(store, "more poison");
	store_text(store, "fine, too");
	assert_true(spk_memory_fill(memory, 10, &left, NULL, NULL));
	assert_int_equal(left, 2);
	asked = wire_requests(server.wire);
	assert_true(spk_memory_fill(memory, 10, &left, NULL, NULL));
	assert_int_equal(left, 2);
	assert_int_equal(wire_requests(server.wire), asked); /* they are known */
	server.poison = "input";
	store_text(store, "good while it is down");
	assert_false(spk_memory_fill(memory, 10, &left, NULL, NULL));
	server.poison = NULL;
	assert_true(spk_memory_fill(memory, 10, &left, NULL, NULL));
	assert_int_equal(left, 2);
	spk_memory_close(memory);
	spk_store_close(store);
}

/* Answers that are none, each with a word of what is said about it. */
static void test_answers_of_another_form(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{ "", "not JSON" },
		{ "<html>", "not JSON" },
		{ "{}", "\"data\" is missing" },
		{ "{\"data\":[]}", "0 embeddings for 1 text" },
		{ "{\"data\":[{\"embedding\":[1,2,3]},{\"embedding\":[1,2,3]}]}",
		  "2 embeddings for 1 text" },
		{ "{\"data\":[{\"embedding\":[1,2,3]}]}", "3 dimensions where 4" },
		{ "{\"data\":[{\"embedding\":[1,2,3,\"x\"]}]}", "no finite number" },
		{ "{\"data\":[{\"embedding\":[1,2,3,1e39]}]}", "no finite number" },
		{ "{\"data\":[{\"embedding\":[1,2,3,NaN]}]}", "not JSON" },
		{ "{\"data\":[{\"embedding\":[0,0,0,0]}]}", "all zeros" },
		{ "{\"data\":[{\"embedding\":\"AACAPw==\"}]}", "no array" },
		{ "{\"data\":[{\"index\":7,\"embedding\":[1,2,3,4]}]}", "or none" },
	};
	const char *texts[] = { "x" };
	float vector[4];

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *whole = http("200 OK", cases[i].body);
		g_auto(Server) server = { 0 };
		g_autoptr(SpkEmbedder) embedder = NULL;
		g_autoptr(GError) error = NULL;

		server_start(&server, "openai", 4);
		for (guint n = 0; n < 4; n++)
			server.answers[n] = whole;
		embedder = open_it(&server, "embedding.dimensions=4", NULL);
		assert_false(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY,
						vector, NULL, &error));
		assert_true(spk_error_is(error, SPK_ERR_PROVIDER_REPLY));
		if (!strstr(error->message, cases[i].says))
			fail_msg("%s: %s", cases[i].body, error->message);
	}
}

/* A model that was exchanged behind its name gives no vectors under the old name. */
static void test_other_dimensions_later(void **state)
{
	const char *texts[] = { "x" };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL, anew = NULL;
	float vector[8];

	server_start(&server, "ollama", 8);
	embedder = open_it(&server, NULL, NULL);
	server.dims = 4;
	assert_false(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY, vector, NULL,
					NULL));
	anew = open_it(&server, NULL, NULL);
	assert_int_equal(spk_embedder_dims(anew), 4);
	assert_string_not_equal(spk_embedder_fingerprint(embedder),
				spk_embedder_fingerprint(anew));
}

static void test_an_endless_answer_ends(void **state)
{
	g_autofree char *flood = g_strnfill(2 << 20, ' ');
	g_autofree char *whole = g_strconcat("HTTP/1.1 200 OK\r\n\r\n", flood, NULL);
	const char *texts[] = { "x" };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(GError) error = NULL;
	float vector[4];

	server_start(&server, "openai", 4);
	server.answers[0] = whole;
	embedder = open_it(&server, "embedding.dimensions=4", NULL);
	assert_false(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY, vector, NULL,
					&error));
	assert_true(spk_error_is(error, SPK_ERR_LIMIT));
}

static void test_cancelled(void **state)
{
	const char *texts[] = { "x" };
	g_auto(Server) server = { 0 };
	g_autoptr(SpkEmbedder) embedder = NULL;
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) error = NULL;
	float vector[4];

	server_start(&server, "openai", 4);
	embedder = open_it(&server, "embedding.dimensions=4", NULL);
	spk_cancel_fire(cancel, "enough");
	assert_false(spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY, vector,
					cancel, &error));
	assert_true(spk_error_is(error, SPK_ERR_CANCELLED));
	assert_int_equal(wire_requests(server.wire), 0);
}

/* ---- what the configuration lacks ---- */

static void test_configurations(void **state)
{
	static const struct {
		const char *words[3];
		SpkErr code;
		const char *says;
	} cases[] = {
		{ { "embedding.enabled=false" }, SPK_ERR_NOT_FOUND, "switched off" },
		{ { "embedding.provider=openai" }, SPK_ERR_CONFIG, "no model is named" },
		{ { "embedding.provider=openai", "embedding.model=m" },
		  SPK_ERR_CONFIG,
		  "no key for embeddings" },
		{ { "embedding.provider=ollama", "embedding.model=m",
		    "embedding.url=ftp://x" },
		  SPK_ERR_CONFIG,
		  "http or https" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		SpkConfSource source = { .overrides = (const char *const[]){
						 cases[i].words[0], cases[i].words[1],
						 cases[i].words[2], NULL } };
		g_autoptr(SpkConf) conf = spk_conf_load(&source, NULL);
		g_autoptr(GError) error = NULL;

		assert_null(spk_embedder_open(conf, "/nowhere", &error));
		assert_true(spk_error_is(error, cases[i].code));
		if (!strstr(error->message, cases[i].says))
			fail_msg("%s", error->message);
		assert_non_null(spk_error_hint(error));
	}
}

const struct CMUnitTest embed_server_tests[] = {
	cmocka_unit_test(test_texts_come_back_in_order),
	cmocka_unit_test(test_dimensions_are_learned_once),
	cmocka_unit_test(test_fingerprints),
	cmocka_unit_test(test_prefixes_and_dimensions_are_sent),
	cmocka_unit_test(test_what_leaves_is_clean),
	cmocka_unit_test(test_keys_stay_at_home),
	cmocka_unit_test(test_a_refused_key_is_not_repeated),
	cmocka_unit_test(test_failures_that_pass_are_tried_again),
	cmocka_unit_test(test_a_text_that_is_too_long_is_cut),
	cmocka_unit_test(test_others_are_not_cut),
	cmocka_unit_test(test_one_bad_text_blocks_no_other),
	cmocka_unit_test(test_answers_of_another_form),
	cmocka_unit_test(test_other_dimensions_later),
	cmocka_unit_test(test_an_endless_answer_ends),
	cmocka_unit_test(test_cancelled),
	cmocka_unit_test(test_configurations),
};
const size_t n_embed_server_tests = G_N_ELEMENTS(embed_server_tests);
