#include "net/proxy_request.h"

#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/head_priv.h"

#define SCHEME "http://"

void spk_proxy_request_clear(SpkProxyRequest *request)
{
	g_free(request->path);
	if (request->head) {
		explicit_bzero(request->head->str, request->head->len);
		g_string_free(request->head, TRUE);
	}
	g_free(request->text);
	g_clear_pointer(&request->fields, g_array_unref);
	g_clear_pointer(&request->listed, g_array_unref);
	*request = (SpkProxyRequest){ 0 };
}

gsize spk_proxy_head_len(const char *bytes, gsize len)
{
	return head_len(bytes, len);
}

static gboolean bad(GError **error, const char *why)
{
	spk_error_set(
		error, SPK_ERR_BAD_INPUT,
		"a proxy takes CONNECT host:port, and http://host/path for the rest",
		"the request %s", why);
	return FALSE;
}

/* ---- the first line ---- */

static gboolean parse_connect(Span target, SpkProxyRequest *request, GError **error)
{
	if (!spk_endpoint_parse(target.text, target.len, &request->to, error))
		return FALSE;
	request->is_connect = TRUE;
	return request->to.port ? TRUE : bad(error, "says CONNECT without a port");
}

static gboolean take_target(Span target, SpkProxyRequest *request, GError **error)
{
	Span rest = target, path;

	if (target.len && memchr(target.text, '#', target.len))
		return bad(error, "has a fragment in its address");
	request->target = target.text;
	request->target_len = target.len;
	path = head_take_until(&rest, '?');
	request->path = path.len ? g_strndup(path.text, path.len) : g_strdup("/");
	return TRUE;
}

static gboolean parse_absolute(Span target, SpkProxyRequest *request, GError **error)
{
	gsize scheme = strlen(SCHEME), end = scheme;

	if (target.len <= scheme || g_ascii_strncasecmp(target.text, SCHEME, scheme) != 0)
		return bad(error,
			   "is not for an http:// address (of https:// the proxy is "
			   "asked by CONNECT)");
	while (end < target.len && target.text[end] != '/' && target.text[end] != '?')
		end++;
	if (!spk_endpoint_parse(target.text + scheme, end - scheme, &request->to, error))
		return FALSE;
	if (!request->to.port)
		request->to.port = 80;
	return take_target((Span){ target.text + end, target.len - end }, request, error);
}

static gboolean is_visible(Span span)
{
	for (gsize i = 0; i < span.len; i++)
		if (!g_ascii_isgraph(span.text[i]))
			return FALSE;
	return span.len > 0;
}

static gboolean parse_first(Span line, SpkProxyRequest *request, GError **error)
{
	Span method = head_take_until(&line, ' ');
	Span target = head_take_until(&line, ' ');

	if (!head_is_token(method) || method.len > SPK_PROXY_METHOD_MAX ||
	    !is_visible(target))
		return bad(error, "does not begin with a method and an address");
	if (line.len != 8 || (memcmp(line.text, "HTTP/1.1", 8) != 0 &&
			      memcmp(line.text, "HTTP/1.0", 8) != 0))
		return bad(error, "is none of HTTP/1.0 or HTTP/1.1");
	request->is_1_1 = line.text[7] == '1';
	memcpy(request->method, method.text, method.len);
	if (strcmp(request->method, "CONNECT") == 0)
		return parse_connect(target, request, error);
	request->is_origin = target.text[0] == '/';
	return request->is_origin ? take_target(target, request, error)
				  : parse_absolute(target, request, error);
}

/* ---- the fields ---- */

static gboolean same_endpoint(const SpkEndpoint *to, const SpkEndpoint *host)
{
	if ((host->port ? host->port : 80) != to->port)
		return FALSE;
	return to->is_address ? host->is_address &&
					spk_address_equal(&to->address, &host->address)
			      : strcmp(to->name, host->name) == 0;
}

static gboolean check_host(SpkProxyRequest *request, GError **error)
{
	const Field *host;
	SpkEndpoint named;

	if (!head_find_single(request->fields, "host", &host))
		return bad(error, "has two Host lines");
	if (request->is_connect)
		return TRUE; /* nobody behind us will see it */
	if (!host)
		return request->is_1_1 ? bad(error, "has no Host line") : TRUE;
	if (!spk_endpoint_parse(host->value.text, host->value.len, &named, error))
		return FALSE;
	if (request->is_origin) {
		request->to = named;
		return TRUE;
	}
	return same_endpoint(&request->to, &named)
		       ? TRUE
		       : bad(error, "names one host in its address and another in Host");
}

static gboolean find_body(SpkProxyRequest *request, GError **error)
{
	const GArray *fields = request->fields;
	const Field *length, *encoding;

	if (!head_find_single(fields, "content-length", &length) ||
	    !head_find_single(fields, "transfer-encoding", &encoding))
		return bad(error, "tells the size of its body twice");
	if (request->is_connect && (length || encoding))
		return bad(error, "says CONNECT and has a body");
	if (length && encoding)
		return bad(error, "has both Content-Length and Transfer-Encoding");
	if (encoding) {
		request->body = SPK_BODY_CHUNKED;
		return request->is_1_1 && head_is_word(encoding->value, "chunked")
			       ? TRUE
			       : bad(error, "has a Transfer-Encoding other than chunked");
	}
	if (length) {
		request->body = SPK_BODY_LENGTH;
		return head_parse_length(length->value, &request->length)
			       ? TRUE
			       : bad(error, "has a Content-Length that is no number");
	}
	return TRUE;
}

static void find_expectation(SpkProxyRequest *request)
{
	const Field *expect;

	request->expects = head_find_single(request->fields, "expect", &expect) &&
			   expect && head_is_word(expect->value, "100-continue") &&
			   request->body != SPK_BODY_NONE;
}

/* ---- the head for the server ---- */

static void write_host(const SpkEndpoint *to, guint16 default_port, GString *head)
{
	gboolean v6 = to->is_address && to->address.family == AF_INET6;

	g_string_append_printf(head, "Host: %s%s%s", v6 ? "[" : "", to->name,
			       v6 ? "]" : "");
	if (to->port != default_port)
		g_string_append_printf(head, ":%u", to->port);
	g_string_append(head, "\r\n");
}

/* What goes on of a client's fields. */
static gboolean is_passed(const SpkProxyRequest *request, const Field *field)
{
	return !head_is_word(field->name, "host") &&
	       !head_is_listed(field->name, request->listed) &&
	       !head_is_of_connection(field->name);
}

static void write_head(SpkProxyRequest *request)
{
	gboolean rooted = request->target_len && request->target[0] == '/';

	request->head = g_string_new(request->method);
	g_string_append(request->head, rooted ? " " : " /");
	g_string_append_len(request->head, request->target, (gssize)request->target_len);
	g_string_append_printf(request->head, " HTTP/1.%d\r\n", request->is_1_1);
	write_host(&request->to, 80, request->head);
	for (guint i = 0; i < request->fields->len; i++) {
		const Field *field = &g_array_index(request->fields, Field, i);

		if (is_passed(request, field))
			head_put_field(request->head, field);
	}
	g_string_append(request->head, "Connection: close\r\n\r\n");
}

static gboolean parse(SpkProxyRequest *request, gsize len, GError **error)
{
	Span rest = { request->text, len }, first;
	const char *why;

	if (!head_take_line(&rest, &first))
		return bad(error, "has a line that is not text up to CR LF");
	if (!parse_first(first, request, error))
		return FALSE;
	why = head_take_fields(rest, request->fields);
	if (why)
		return bad(error, why);
	if (!check_host(request, error) || !find_body(request, error))
		return FALSE;
	if (!head_find_listed(request->fields, request->listed))
		return bad(error, "lists in Connection what is not of the connection");
	find_expectation(request);
	return TRUE;
}

gboolean spk_proxy_request_parse(const char *head, gsize len,
				 SpkProxyRequest *ret_request, GError **error)
{
	g_auto(SpkProxyRequest) request = { 0 };

	if (len > SPK_PROXY_HEAD_MAX) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "the head of the request is longer than %u bytes",
			      SPK_PROXY_HEAD_MAX);
		return FALSE;
	}
	request.text = g_memdup2(head, len);
	request.fields = g_array_new(FALSE, FALSE, sizeof(Field));
	request.listed = g_array_new(FALSE, FALSE, sizeof(Span));
	if (!parse(&request, len, error))
		return FALSE;
	if (!request.is_connect && !request.is_origin)
		write_head(&request);
	*ret_request = request;
	request = (SpkProxyRequest){ 0 };
	return TRUE;
}

/* ---- with a key ---- */

/* Where programs put a key of theirs; what we say ourselves; and what would have a server tell
 * the key in parts. */
static const char *const replaced[] = {
	"authorization",   "x-api-key", "api-key", "x-goog-api-key",
	"accept-encoding", "expect",	"range",   "if-range",
};

/* "X_Api_Key" is the same to a server that makes variables of headers. */
static gboolean is_same(Span name, const char *other)
{
	if (name.len != strlen(other))
		return FALSE;
	for (gsize i = 0; i < name.len; i++) {
		char a = name.text[i] == '_' ? '-' : g_ascii_tolower(name.text[i]);
		char b = other[i] == '_' ? '-' : g_ascii_tolower(other[i]);

		if (a != b)
			return FALSE;
	}
	return TRUE;
}

static gboolean is_replaced(Span name, const SpkRoute *route)
{
	for (gsize i = 0; i < G_N_ELEMENTS(replaced); i++)
		if (is_same(name, replaced[i]))
			return TRUE;
	return route->header && is_same(name, route->header);
}

/* Whether the path goes up somewhere, in any spelling. */
static gboolean climbs(Span path)
{
	g_autofree char *given = g_strndup(path.text, path.len);
	g_autofree char *plain = g_uri_unescape_string(given, NULL);
	g_auto(GStrv) parts = plain ? g_strsplit_set(plain, "/\\", -1) : NULL;

	for (char **part = parts; part && *part; part++)
		if (!strcmp(*part, ".") || !strcmp(*part, ".."))
			return TRUE;
	return !plain; /* a NUL, or no hexadecimal digits */
}

static void write_with_key(SpkProxyRequest *request, const SpkRoute *route, Span target)
{
	GString *head = g_string_sized_new(SPK_PROXY_HEAD_MAX + SPK_ROUTE_KEY_MAX);
	gboolean rooted = (target.len && target.text[0] == '/') || *route->path;

	g_string_append_printf(head, "%s %s%s%.*s HTTP/1.1\r\n", request->method,
			       rooted ? "" : "/", route->path, (int)target.len,
			       target.text);
	write_host(&route->origin, route->is_tls ? 443 : 80, head);
	for (guint i = 0; i < request->fields->len; i++) {
		const Field *field = &g_array_index(request->fields, Field, i);

		if (is_passed(request, field) && !is_replaced(field->name, route))
			head_put_field(head, field);
	}
	if (route->header)
		g_string_append_printf(head, "%s: %s\r\n", route->header, route->value);
	/* what is packed could hide a key */
	g_string_append(head, "Accept-Encoding: identity\r\nConnection: close\r\n\r\n");
	request->head = head;
}

gboolean spk_proxy_request_inject(SpkProxyRequest *request, const SpkRoute *route,
				  gsize skip, GError **error)
{
	Span target = { request->target + skip, request->target_len - skip };
	Span rest = target, path = head_take_until(&rest, '?');

	if (strcmp(request->method, "TRACE") == 0)
		return bad(error, "is TRACE, which has a server repeat what it was sent");
	if (climbs(path))
		return bad(error, "has a path with \".\" or \"..\" in it");
	if (request->head)
		g_string_free(request->head, TRUE); /* holds nothing secret */
	write_with_key(request, route, target);
	g_free(request->path);
	request->path = g_strdup_printf("%s%s%.*s", route->path,
					path.len || *route->path ? "" : "/",
					(int)path.len, path.text);
	request->to = route->origin;
	return TRUE;
}
