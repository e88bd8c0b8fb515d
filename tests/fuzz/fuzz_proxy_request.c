/* A proxy's requests: what is sent on holds one request that our own rules read the same way,
 * and a body ends at the same byte however it is cut. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "net/head_priv.h"
#include "net/proxy_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gsize count_lines(const GString *text)
{
	gsize n = 0;

	for (gsize i = 0; i < text->len; i++)
		n += text->str[i] == '\n';
	return n;
}

/* The head that is sent on, as if a client had sent it to a proxy. */
static void check_again(const SpkProxyRequest *request)
{
	const char *sent = request->head->str;
	gsize len = request->head->len;
	const char *path = strchr(sent, ' ');
	g_autoptr(GString) head = g_string_new(NULL);
	g_auto(SpkProxyRequest) again = { 0 };
	gboolean v6 = strchr(request->to.name, ':') != NULL;

	g_assert(spk_proxy_head_len(sent, len) == len && path);
	g_string_append_len(head, sent, path + 1 - sent);
	g_string_append_printf(head, v6 ? "http://[%s]:%u" : "http://%s:%u",
			       request->to.name, request->to.port);
	g_string_append_len(head, path + 1, (gssize)len - (path + 1 - sent));
	/* what we add (Host, Connection) may go past a limit for clients */
	if (head->len > SPK_PROXY_HEAD_MAX || count_lines(head) > HEAD_FIELDS_MAX + 2)
		return;
	g_assert(spk_proxy_request_parse(head->str, head->len, &again, NULL));
	g_assert(g_string_equal(again.head, request->head));
	g_assert(again.body == request->body && again.length == request->length);
}

static gssize body_len(const SpkProxyRequest *request, const char *bytes, gsize len,
		       gsize step)
{
	SpkBody body;
	gsize total = 0;

	spk_body_init(&body, request->body, request->length);
	for (gsize at = 0; at < len && !body.ended; at += step) {
		gssize n = spk_body_take(&body, bytes + at, MIN(step, len - at), NULL);

		if (n < 0)
			return -1;
		total += (gsize)n;
	}
	return (gssize)total;
}

/* With a key: one line has it, none of the client's goes where it or the host stands, and a proxy
 * would read the whole as one request. */
static void check_key(SpkProxyRequest *request, const SpkRoute *route)
{
	g_autoptr(GString) lower = NULL;
	const char *sent;

	if (request->is_connect || !spk_proxy_request_inject(request, route, 0, NULL))
		return;
	sent = request->head->str;
	g_assert(spk_proxy_head_len(sent, request->head->len) == request->head->len);
	g_assert(strstr(sent, " /base") == strchr(sent, ' '));
	g_assert(g_str_has_prefix(request->path, "/base"));
	lower = g_string_new_len(sent, (gssize)request->head->len);
	g_string_ascii_down(lower);
	for (gsize i = 0; i < 3; i++) {
		static const char *const once[] = { "\nauthorization:", "\nhost:",
						    "\naccept-encoding:" };
		const char *at = strstr(lower->str, once[i]);

		g_assert(at && !strstr(at + 1, once[i]));
	}
	g_assert(strstr(sent, "\nAuthorization: Bearer sk-0123456789\r\n"));
	g_assert(strstr(sent, "\nHost: api.test\r\n"));
}

static const SpkRoute *get_route(void)
{
	static const SpkRouteSpec spec = { .origin = "https://api.test/base",
					   .header = "Authorization",
					   .prefix = "Bearer ",
					   .key = "sk-0123456789" };
	static SpkRoute *route;

	if (!route)
		route = spk_route_new(&spec, NULL);
	return route;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	gsize len = spk_proxy_head_len(bytes, size);
	g_auto(SpkProxyRequest) request = { 0 };
	gssize whole;

	g_assert(len <= size);
	if (!len || !spk_proxy_request_parse(bytes, len, &request, NULL))
		return 0;
	if (!request.is_connect && !request.is_origin)
		check_again(&request);
	whole = body_len(&request, bytes + len, size - len, size);
	g_assert(whole <= (gssize)(size - len));
	for (gsize step = 1; step < 8; step++)
		g_assert(body_len(&request, bytes + len, size - len, step) == whole);
	check_key(&request, get_route());
	return 0;
}
