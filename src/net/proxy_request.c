#include "net/proxy_request.h"

#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"

#define SCHEME "http://"

void spk_proxy_request_clear(SpkProxyRequest *request)
{
	g_free(request->path);
	if (request->head)
		g_string_free(request->head, TRUE);
	*request = (SpkProxyRequest){ 0 };
}

gsize spk_proxy_head_len(const char *bytes, gsize len)
{
	for (const char *at = bytes; (at = memchr(at, '\n', len - (gsize)(at - bytes)));
	     at++) {
		gsize next = (gsize)(at - bytes) + 1;

		if (next < len && bytes[next] == '\n')
			return next + 1;
		if (next + 1 < len && bytes[next] == '\r' && bytes[next + 1] == '\n')
			return next + 2;
	}
	return 0;
}

static gboolean bad(GError **error, const char *why)
{
	spk_error_set(
		error, SPK_ERR_BAD_INPUT,
		"a proxy takes CONNECT host:port, and http://host/path for the rest",
		"the request %s", why);
	return FALSE;
}

/* ---- lines ---- */

typedef struct {
	const char *text; /* not terminated */
	gsize len;
} Span;

/* RFC 9110 §5.6.2 */
static gboolean is_token(Span span)
{
	for (gsize i = 0; i < span.len; i++)
		if (!g_ascii_isalnum(span.text[i]) &&
		    (!span.text[i] || !strchr("!#$%&'*+-.^_`|~", span.text[i])))
			return FALSE;
	return span.len > 0;
}

static gboolean is_word(Span span, const char *word)
{
	return span.len == strlen(word) &&
	       g_ascii_strncasecmp(span.text, word, span.len) == 0;
}

static Span trim(Span span)
{
	while (span.len && (span.text[0] == ' ' || span.text[0] == '\t')) {
		span.text++;
		span.len--;
	}
	while (span.len &&
	       (span.text[span.len - 1] == ' ' || span.text[span.len - 1] == '\t'))
		span.len--;
	return span;
}

/* The next line without its end; FALSE: it ends otherwise than in CR LF, or holds something
 * that is no text. */
static gboolean take_line(Span *rest, Span *ret_line)
{
	const char *end = memchr(rest->text, '\n', rest->len);
	gsize len = end ? (gsize)(end - rest->text) : 0;

	if (!len || rest->text[len - 1] != '\r')
		return FALSE;
	*ret_line = (Span){ rest->text, len - 1 };
	rest->text += len + 1;
	rest->len -= len + 1;
	for (gsize i = 0; i < ret_line->len; i++)
		if (g_ascii_iscntrl(ret_line->text[i]) && ret_line->text[i] != '\t')
			return FALSE;
	return TRUE;
}

/* Up to the next `separator` or the end, which it steps over. */
static Span take_until(Span *rest, char separator)
{
	const char *end = rest->len ? memchr(rest->text, separator, rest->len) : NULL;
	Span part = { rest->text, end ? (gsize)(end - rest->text) : rest->len };
	gsize step = part.len + (end != NULL);

	rest->text += step;
	rest->len -= step;
	return part;
}

/* ---- the first line ---- */

static gboolean parse_connect(Span target, SpkProxyRequest *request, GError **error)
{
	if (!spk_endpoint_parse(target.text, target.len, &request->to, error))
		return FALSE;
	request->is_connect = TRUE;
	return request->to.port ? TRUE : bad(error, "says CONNECT without a port");
}

static gboolean parse_absolute(Span target, SpkProxyRequest *request, Span *ret_rest,
			       GError **error)
{
	gsize scheme = strlen(SCHEME), end = scheme;
	Span rest, path;

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
	rest = (Span){ target.text + end, target.len - end };
	if (rest.len && memchr(rest.text, '#', rest.len))
		return bad(error, "has a fragment in its address");
	*ret_rest = rest;
	path = take_until(&rest, '?');
	request->path = path.len ? g_strndup(path.text, path.len) : g_strdup("/");
	return TRUE;
}

static gboolean is_visible(Span span)
{
	for (gsize i = 0; i < span.len; i++)
		if (!g_ascii_isgraph(span.text[i]))
			return FALSE;
	return span.len > 0;
}

static gboolean parse_first(Span line, SpkProxyRequest *request, Span *ret_version,
			    GError **error)
{
	Span method = take_until(&line, ' ');
	Span target = take_until(&line, ' ');
	Span path = { "", 0 };

	*ret_version = line;
	if (!is_token(method) || method.len > SPK_PROXY_METHOD_MAX || !is_visible(target))
		return bad(error, "does not begin with a method and an address");
	if (line.len != 8 || (memcmp(line.text, "HTTP/1.1", 8) != 0 &&
			      memcmp(line.text, "HTTP/1.0", 8) != 0))
		return bad(error, "is none of HTTP/1.0 or HTTP/1.1");
	memcpy(request->method, method.text, method.len);
	if (strcmp(request->method, "CONNECT") == 0)
		return parse_connect(target, request, error);
	if (!parse_absolute(target, request, &path, error))
		return FALSE;
	request->head = g_string_new(request->method);
	g_string_append(request->head, path.len && path.text[0] == '/' ? " " : " /");
	g_string_append_len(request->head, path.text, (gssize)path.len);
	g_string_append_printf(request->head, " %.8s\r\n", line.text);
	return TRUE;
}

/* ---- the fields ---- */

typedef struct {
	Span name, value;
} Field;

/* What concerns the connection to the proxy alone (RFC 9110 §7.6.1). */
static const char *const of_connection[] = {
	"connection",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"upgrade",
};

/* What decides where a request goes and ends: Connection must not name these. */
static const char *const of_message[] = { "host", "content-length", "transfer-encoding" };

static gboolean is_one_of(Span word, const char *const *words, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (is_word(word, words[i]))
			return TRUE;
	return FALSE;
}

static gboolean parse_field(Span line, Field *ret_field)
{
	ret_field->name = take_until(&line, ':');
	/* a blank before the colon or at the start of a line makes it no token */
	if (!is_token(ret_field->name) || line.text[-1] != ':')
		return FALSE;
	ret_field->value = trim(line);
	return TRUE;
}

static gboolean take_fields(Span rest, GArray *fields, GError **error)
{
	for (;;) {
		Span line;
		Field field;

		if (!rest.len || !take_line(&rest, &line))
			return bad(error, "has a line that is not text up to CR LF");
		if (!line.len)
			return rest.len ? bad(error, "has a blank line in its head")
					: TRUE;
		if (fields->len == SPK_PROXY_HEADERS_MAX)
			return bad(error, "has too many header lines");
		if (!parse_field(line, &field))
			return bad(error, "has a header line that is none");
		g_array_append_val(fields, field);
	}
}

/* The only field of that name, or NULL; FALSE: there are two. */
static gboolean find_single(const GArray *fields, const char *name,
			    const Field **ret_field)
{
	*ret_field = NULL;
	for (guint i = 0; i < fields->len; i++) {
		const Field *field = &g_array_index(fields, Field, i);

		if (!is_word(field->name, name))
			continue;
		if (*ret_field)
			return FALSE;
		*ret_field = field;
	}
	return TRUE;
}

static gboolean same_endpoint(const SpkEndpoint *to, const SpkEndpoint *host)
{
	if ((host->port ? host->port : 80) != to->port)
		return FALSE;
	return to->is_address ? host->is_address &&
					spk_address_equal(&to->address, &host->address)
			      : strcmp(to->name, host->name) == 0;
}

static gboolean check_host(const GArray *fields, const SpkProxyRequest *request,
			   gboolean needed, GError **error)
{
	const Field *host;
	SpkEndpoint named;

	if (!find_single(fields, "host", &host))
		return bad(error, "has two Host lines");
	if (request->is_connect)
		return TRUE; /* nobody behind us will see it */
	if (!host)
		return needed ? bad(error, "has no Host line") : TRUE;
	if (!spk_endpoint_parse(host->value.text, host->value.len, &named, error))
		return FALSE;
	return same_endpoint(&request->to, &named)
		       ? TRUE
		       : bad(error, "names one host in its address and another in Host");
}

static gboolean parse_length(Span value, guint64 *ret_length)
{
	guint64 length = 0;

	if (value.len < 1 || value.len > 18)
		return FALSE;
	for (gsize i = 0; i < value.len; i++) {
		if (!g_ascii_isdigit(value.text[i]))
			return FALSE;
		length = 10 * length + (guint64)(value.text[i] - '0');
	}
	*ret_length = length;
	return TRUE;
}

static gboolean find_body(const GArray *fields, gboolean is_1_1, SpkProxyRequest *request,
			  GError **error)
{
	const Field *length, *encoding;

	if (!find_single(fields, "content-length", &length) ||
	    !find_single(fields, "transfer-encoding", &encoding))
		return bad(error, "tells the size of its body twice");
	if (request->is_connect && (length || encoding))
		return bad(error, "says CONNECT and has a body");
	if (length && encoding)
		return bad(error, "has both Content-Length and Transfer-Encoding");
	if (encoding) {
		request->body = SPK_BODY_CHUNKED;
		return is_1_1 && is_word(encoding->value, "chunked")
			       ? TRUE
			       : bad(error, "has a Transfer-Encoding other than chunked");
	}
	if (length) {
		request->body = SPK_BODY_LENGTH;
		return parse_length(length->value, &request->length)
			       ? TRUE
			       : bad(error, "has a Content-Length that is no number");
	}
	return TRUE;
}

/* Every name that Connection lists is about this connection, too. */
static gboolean find_listed(const GArray *fields, GArray *listed, GError **error)
{
	for (guint i = 0; i < fields->len; i++) {
		Field field = g_array_index(fields, Field, i);

		if (!is_word(field.name, "connection") &&
		    !is_word(field.name, "proxy-connection"))
			continue;
		while (field.value.len) {
			Span word = trim(take_until(&field.value, ','));

			if (!word.len)
				continue;
			if (!is_token(word) ||
			    is_one_of(word, of_message, G_N_ELEMENTS(of_message)))
				return bad(error, "lists in Connection what is not of "
						  "the connection");
			g_array_append_val(listed, word);
		}
	}
	return TRUE;
}

static gboolean is_listed(const GArray *listed, Span name)
{
	for (guint i = 0; i < listed->len; i++) {
		Span word = g_array_index(listed, Span, i);

		if (word.len == name.len &&
		    g_ascii_strncasecmp(word.text, name.text, name.len) == 0)
			return TRUE;
	}
	return FALSE;
}

static void write_host(const SpkEndpoint *to, GString *head)
{
	gboolean v6 = to->is_address && to->address.family == AF_INET6;

	g_string_append_printf(head, "Host: %s%s%s", v6 ? "[" : "", to->name,
			       v6 ? "]" : "");
	if (to->port != 80)
		g_string_append_printf(head, ":%u", to->port);
	g_string_append(head, "\r\n");
}

static void write_fields(const GArray *fields, const GArray *listed,
			 SpkProxyRequest *request)
{
	write_host(&request->to, request->head);
	for (guint i = 0; i < fields->len; i++) {
		const Field *field = &g_array_index(fields, Field, i);

		if (is_word(field->name, "host") || is_listed(listed, field->name) ||
		    is_one_of(field->name, of_connection, G_N_ELEMENTS(of_connection)))
			continue;
		g_string_append_len(request->head, field->name.text,
				    (gssize)field->name.len);
		g_string_append(request->head, ": ");
		g_string_append_len(request->head, field->value.text,
				    (gssize)field->value.len);
		g_string_append(request->head, "\r\n");
	}
	g_string_append(request->head, "Connection: close\r\n\r\n");
}

gboolean spk_proxy_request_parse(const char *head, gsize len,
				 SpkProxyRequest *ret_request, GError **error)
{
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(Field));
	g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(Span));
	g_auto(SpkProxyRequest) request = { 0 };
	Span rest = { head, len }, first, version;
	gboolean is_1_1;

	if (len > SPK_PROXY_HEAD_MAX) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "the head of the request is longer than %u bytes",
			      SPK_PROXY_HEAD_MAX);
		return FALSE;
	}
	if (!take_line(&rest, &first))
		return bad(error, "has a line that is not text up to CR LF");
	if (!parse_first(first, &request, &version, error))
		return FALSE;
	is_1_1 = version.text[7] == '1';
	if (!take_fields(rest, fields, error) ||
	    !check_host(fields, &request, is_1_1, error) ||
	    !find_body(fields, is_1_1, &request, error) ||
	    !find_listed(fields, listed, error))
		return FALSE;
	if (!request.is_connect)
		write_fields(fields, listed, &request);
	*ret_request = request;
	request = (SpkProxyRequest){ 0 };
	return TRUE;
}

/* ---- the body ---- */

enum { SIZE, SIZE_LF, DATA, DATA_CR, DATA_LF, LAST_CR, LAST_LF };

#define CHUNK_DIGITS 15 /* less than 2^60 bytes */

void spk_body_init(SpkBody *body, const SpkProxyRequest *request)
{
	*body = (SpkBody){ .kind = request->body,
			   .left = request->length,
			   .state = SIZE };
	body->ended = request->body == SPK_BODY_NONE ||
		      (request->body == SPK_BODY_LENGTH && !request->length);
	if (request->body == SPK_BODY_CHUNKED)
		body->left = 0;
}

static gboolean size_byte(SpkBody *body, char byte)
{
	int digit = g_ascii_xdigit_value(byte);

	if (byte == '\r' && body->line) {
		body->state = SIZE_LF;
		return TRUE;
	}
	if (digit < 0 || ++body->line > CHUNK_DIGITS)
		return FALSE;
	body->left = body->left * 16 + (guint64)digit;
	return TRUE;
}

/* One byte that is not of a chunk's data. */
static gboolean frame_byte(SpkBody *body, char byte)
{
	static const struct {
		char byte;
		int next;
	} expected[] = {
		[SIZE_LF] = { '\n', DATA },    [DATA_CR] = { '\r', DATA_LF },
		[DATA_LF] = { '\n', SIZE },    [LAST_CR] = { '\r', LAST_LF },
		[LAST_LF] = { '\n', LAST_LF },
	};

	if (body->state == SIZE)
		return size_byte(body, byte);
	if (byte != expected[body->state].byte)
		return FALSE;
	body->ended = body->state == LAST_LF;
	if (body->state == SIZE_LF && !body->left)
		body->state = LAST_CR;
	else
		body->state = expected[body->state].next;
	body->line = 0;
	return TRUE;
}

static gsize take_data(SpkBody *body, gsize len)
{
	gsize n = (gsize)MIN((guint64)len, body->left);

	body->left -= n;
	if (!body->left && body->kind == SPK_BODY_LENGTH)
		body->ended = TRUE;
	else if (!body->left)
		body->state = DATA_CR;
	return n;
}

gssize spk_body_take(SpkBody *body, const char *bytes, gsize len)
{
	gsize at = 0;

	while (at < len && !body->ended) {
		if (body->kind == SPK_BODY_LENGTH || body->state == DATA)
			at += take_data(body, len - at);
		else if (!frame_byte(body, bytes[at++]))
			return -1;
	}
	return (gssize)at;
}
