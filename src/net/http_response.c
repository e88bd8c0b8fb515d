#include "base/clock.h"
#include "base/text.h"
#include "net/curl_priv.h"
#include "net/http.h"

void spk_http_response_clear(SpkHttpResponse *response)
{
	g_clear_pointer(&response->headers, g_hash_table_unref);
	if (response->body)
		g_string_free(g_steal_pointer(&response->body), TRUE);
}

double spk_http_retry_after(const SpkHttpResponse *response)
{
	const char *value = g_hash_table_lookup(response->headers, "retry-after");
	const char *date = g_hash_table_lookup(response->headers, "date");
	const SpkCurl *curl = spk_curl_get(NULL);
	gint64 seconds;
	time_t then, now;

	if (!value)
		return -1;
	if (spk_text_to_int(value, 0, G_MAXINT64, &seconds))
		return MIN(seconds, 3600);
	then = curl ? curl->getdate(value, NULL) : -1;
	if (then < 0)
		return -1;
	/* By the server's own clock where it tells it: ours may be wrong. */
	now = date ? curl->getdate(date, NULL) : -1;
	if (now < 0)
		now = spk_now_us() / G_USEC_PER_SEC;
	return CLAMP(difftime(then, now), 0, 3600);
}
