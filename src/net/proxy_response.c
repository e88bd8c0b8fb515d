#include "net/proxy_response.h"

#include <string.h>

#include "net/head_priv.h"

void spk_proxy_response_clear(SpkProxyResponse *response)
{
	if (response->head)
		g_string_free(response->head, TRUE);
	*response = (SpkProxyResponse){ 0 };
}

static gboolean is_digits(Span span)
{
	for (gsize i = 0; i < span.len; i++)
		if (!g_ascii_isdigit(span.text[i]))
			return FALSE;
	return TRUE;
}

/* "HTTP/1.1 200 Why" */
static const char *parse_first(Span line, int *ret_status)
{
	Span version = head_take_until(&line, ' '), status = head_take_until(&line, ' ');

	if (version.len != 8 || (memcmp(version.text, "HTTP/1.1", 8) != 0 &&
				 memcmp(version.text, "HTTP/1.0", 8) != 0))
		return "is none of HTTP/1.0 or HTTP/1.1";
	if (status.len != 3 || !is_digits(status) || status.text[0] < '1' ||
	    status.text[0] > '5')
		return "has no status";
	*ret_status = (status.text[0] - '0') * 100 + (status.text[1] - '0') * 10 +
		      (status.text[2] - '0');
	return *ret_status == 101 ? "changes the protocol" : NULL;
}

static const char *check_encoding(const GArray *fields)
{
	for (guint i = 0; i < fields->len; i++) {
		const Field *field = &g_array_index(fields, Field, i);

		if (head_is_word(field->name, "content-encoding") && field->value.len &&
		    !head_is_word(field->value, "identity"))
			return "is packed, so that nobody could see a key in it";
	}
	return NULL;
}

static const char *find_body(const GArray *fields, const SpkProxyAsked *asked,
			     SpkProxyResponse *response)
{
	const Field *length, *encoding;

	if (!head_find_single(fields, "content-length", &length) ||
	    !head_find_single(fields, "transfer-encoding", &encoding))
		return "tells the size of its body twice";
	if (length && encoding)
		return "has both Content-Length and Transfer-Encoding";
	if (encoding && !head_is_word(encoding->value, "chunked"))
		return "has a Transfer-Encoding other than chunked";
	if (length && !head_parse_length(length->value, &response->length))
		return "has a Content-Length that is no number";
	if (asked->is_head || response->status == 204 || response->status == 304)
		response->body = SPK_BODY_NONE;
	else if (encoding)
		response->body = SPK_BODY_CHUNKED;
	else
		response->body = length ? SPK_BODY_LENGTH : SPK_BODY_CLOSE;
	return NULL;
}

/* What would outlive the request: a cookie may be as good as the key, and other ways to the
 * server are not ours. */
static gboolean is_kept_back(Span name)
{
	static const char *const names[] = { "set-cookie", "set-cookie2", "alt-svc" };

	return head_is_one_of(name, names, G_N_ELEMENTS(names));
}

/* A body of chunks goes on in chunks of ours, what ends with the connection does so again. */
static void write_head(Span first, const GArray *fields, const GArray *listed,
		       SpkProxyResponse *response)
{
	GString *head = g_string_new("HTTP/1.1");

	g_string_append_len(head, first.text + 8, (gssize)first.len - 8);
	g_string_append(head, "\r\n");
	for (guint i = 0; i < fields->len; i++) {
		const Field *field = &g_array_index(fields, Field, i);

		if (!head_is_listed(field->name, listed) &&
		    !head_is_of_connection(field->name) && !is_kept_back(field->name) &&
		    !head_is_word(field->name, "transfer-encoding"))
			head_put_field(head, field);
	}
	if (response->chunked)
		g_string_append(head, "Transfer-Encoding: chunked\r\n");
	g_string_append(head, "Connection: close\r\n\r\n");
	response->head = head;
}

const char *spk_proxy_response_parse(const char *head, gsize len,
				     const SpkProxyAsked *asked,
				     SpkProxyResponse *ret_response)
{
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(Field));
	g_autoptr(GArray) listed = g_array_new(FALSE, FALSE, sizeof(Span));
	SpkProxyResponse response = { 0 };
	Span rest = { head, len }, first;
	const char *why;

	if (!head_take_line(&rest, &first))
		return "has a line that is not text up to CR LF";
	why = parse_first(first, &response.status);
	if (!why && head_take_fields(rest, fields))
		why = "has a header line that is none, or too many";
	if (!why)
		why = check_encoding(fields);
	if (!why)
		why = find_body(fields, asked, &response);
	if (!why && !head_find_listed(fields, listed))
		why = "lists in Connection what is not of the connection";
	if (why)
		return why;
	response.chunked = response.body == SPK_BODY_CHUNKED && asked->is_1_1;
	if (response.status >= 200)
		write_head(first, fields, listed, &response);
	else
		response.head = g_string_new(NULL);
	*ret_response = response;
	return NULL;
}
