/* Answers of servers: what goes on is read as one head again and has no key, and a body gives the
 * same data without it however it is cut. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "net/proxy_request.h"
#include "net/proxy_response.h"
#include "net/strip.h"

#define KEY "abcab"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GPtrArray *get_secrets(void)
{
	static GPtrArray *secrets;

	if (!secrets) {
		secrets = g_ptr_array_new();
		g_ptr_array_add(secrets, (gpointer)KEY);
		g_ptr_array_add(secrets, (gpointer) "bcbc");
	}
	return secrets;
}

/* NULL: it is not of its form. */
static GByteArray *clean(const SpkProxyResponse *response, const char *bytes, gsize len,
			 gsize step)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	gboolean ok = TRUE;
	SpkStrip strip;
	SpkBody body;

	spk_body_init(&body, response->body, response->length);
	body.lenient = TRUE;
	spk_strip_init(&strip, get_secrets());
	for (gsize at = 0; at < len && !body.ended && ok; at += step) {
		g_autoptr(GByteArray) part = g_byte_array_new();

		ok = spk_body_take(&body, bytes + at, MIN(step, len - at), part) >= 0;
		spk_strip_feed(&strip, part->data, part->len, out);
	}
	spk_strip_end(&strip, out);
	spk_strip_clear(&strip);
	return ok ? g_steal_pointer(&out) : NULL;
}

static void check_body(const SpkProxyResponse *response, const char *bytes, gsize len)
{
	g_autoptr(GByteArray) whole = clean(response, bytes, len, MAX(len, 1));

	g_assert(!whole || !memmem(whole->data, whole->len, KEY, strlen(KEY)));
	for (gsize step = 1; step < 8; step++) {
		g_autoptr(GByteArray) again = clean(response, bytes, len, step);

		g_assert(!again == !whole);
		if (whole)
			g_assert(again->len == whole->len &&
				 (!again->len ||
				  !memcmp(again->data, whole->data, whole->len)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	gsize len = spk_proxy_head_len(bytes, size);
	const SpkProxyAsked asked = { .is_1_1 = TRUE };
	g_auto(SpkProxyResponse) response = { 0 }, again = { 0 };

	if (!len || len > SPK_RESPONSE_HEAD_MAX ||
	    spk_proxy_response_parse(bytes, len, &asked, &response))
		return 0;
	if (response.head->len && response.head->len <= SPK_RESPONSE_HEAD_MAX) {
		g_assert(spk_proxy_head_len(response.head->str, response.head->len) ==
			 response.head->len);
		/* the lines we add may be one too many for a second reading */
		if (!spk_proxy_response_parse(response.head->str, response.head->len,
					      &asked, &again))
			g_assert(g_string_equal(again.head, response.head) &&
				 again.body == response.body &&
				 again.length == response.length);
	}
	check_body(&response, bytes + len, size - len);
	return 0;
}
