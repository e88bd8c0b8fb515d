/* Whom TLS asks for, in first messages made by hand. */
#include "test_net.h"

#include <string.h>

#include "net/hello.h"

static void put(GByteArray *to, guint number, guint bytes)
{
	for (guint i = bytes; i-- > 0;) {
		guint8 byte = (guint8)(number >> (8 * i));

		g_byte_array_append(to, &byte, 1);
	}
}

static void put_sized(GByteArray *to, const GByteArray *what, guint bytes)
{
	put(to, what->len, bytes);
	g_byte_array_append(to, what->data, what->len);
}

/* A name that stands `times` times, in records of at most `record` bytes. */
static GByteArray *make(const char *name, guint times, guint record)
{
	g_autoptr(GByteArray) extensions = g_byte_array_new(), hello = g_byte_array_new(),
			      message = g_byte_array_new();
	GByteArray *all = g_byte_array_new();

	put(extensions, 0x2b, 2);
	put(extensions, 0, 2);
	for (guint i = 0; i < times; i++) {
		g_autoptr(GByteArray) list = g_byte_array_new(), one = g_byte_array_new();

		put(one, 0, 1);
		put(one, (guint)strlen(name), 2);
		g_byte_array_append(one, (const guint8 *)name, (guint)strlen(name));
		put_sized(list, one, 2);
		put(extensions, 0, 2);
		put_sized(extensions, list, 2);
	}
	put(hello, 0x0303, 2);
	for (int i = 0; i < 32; i++)
		put(hello, 7, 1);
	put(hello, 0, 1);
	put(hello, 0x00021301, 4);
	put(hello, 0x0100, 2);
	put_sized(hello, extensions, 2);
	put(message, 1, 1);
	put_sized(message, hello, 3);
	for (guint at = 0; at < message->len; at += record) {
		guint n = MIN(record, message->len - at);

		put(all, 0x160301, 3);
		put(all, n, 2);
		g_byte_array_append(all, message->data + at, n);
	}
	return all;
}

static void expect(const GByteArray *bytes, gsize len, SpkHello expected,
		   const char *name)
{
	/* what is read must lie within what is given */
	g_autofree guint8 *copy = g_memdup2(bytes->data, len);
	g_autofree char *found = NULL;

	assert_int_equal(spk_hello_read(copy, len, &found), expected);
	if (name)
		assert_string_equal(found, name);
	else
		assert_null(found);
}

static void test_a_name_at_every_cut(void **state)
{
	for (guint record = 1; record < 100; record += 7) {
		g_autoptr(GByteArray) hello = make("API.Example.com.", 1, record);

		for (gsize len = 0; len < hello->len; len++)
			expect(hello, len, SPK_HELLO_MORE, NULL);
		expect(hello, hello->len, SPK_HELLO_NAME, "api.example.com");
		put(hello, 0xffff, 2);
		expect(hello, hello->len, SPK_HELLO_NAME, "api.example.com");
	}
}

static void test_without_a_name_and_with_two(void **state)
{
	g_autoptr(GByteArray) none = make("", 0, 1000), two = make("a.test", 2, 1000),
			      odd = make("a b", 1, 1000), empty = make("", 1, 1000);

	expect(none, none->len, SPK_HELLO_NO_NAME, NULL);
	expect(two, two->len, SPK_HELLO_BROKEN, NULL);
	expect(odd, odd->len, SPK_HELLO_BROKEN, NULL);
	expect(empty, empty->len, SPK_HELLO_BROKEN, NULL);
}

static void test_what_is_none(void **state)
{
	static const char ssh[] = "SSH-2.0-x\r\n", other[] = "\x16\x02xxxxxxx";
	g_autoptr(GByteArray) hello = make("a.test", 1, 1000), text = g_byte_array_new(),
			      two = g_byte_array_new();

	g_byte_array_append(text, (const guint8 *)ssh, strlen(ssh));
	expect(text, text->len, SPK_HELLO_OTHER, NULL);
	g_byte_array_append(two, (const guint8 *)other, strlen(other));
	expect(two, two->len, SPK_HELLO_OTHER, NULL);
	hello->data[5] = 2; /* a server's */
	expect(hello, hello->len, SPK_HELLO_BROKEN, NULL);
	hello->data[5] = 1;
	for (guint i = 43; i < hello->len; i++) { /* lengths that lie */
		guint8 was = hello->data[i];
		g_autofree char *name = NULL;

		hello->data[i] = 0xff;
		(void)spk_hello_read(hello->data, hello->len, &name);
		hello->data[i] = was;
	}
}

const struct CMUnitTest hello_tests[] = {
	cmocka_unit_test(test_a_name_at_every_cut),
	cmocka_unit_test(test_without_a_name_and_with_two),
	cmocka_unit_test(test_what_is_none),
};
const size_t n_hello_tests = G_N_ELEMENTS(hello_tests);
