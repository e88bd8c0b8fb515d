#include "net/http.h"

#include "base/error.h"
#include "net/http_transfer_priv.h"

#define MAX_IDLE_LANES 8

/* A multi handle keeps the connections, so it is pooled with its easy handle. */
typedef struct {
	CURLM *multi;
	CURL *easy;
} Lane;

struct SpkHttp {
	const SpkCurl *curl;
	GMutex lock;
	GPtrArray *idle; /* Lane; guarded by lock */
};

static void lane_free(const SpkCurl *curl, Lane *lane)
{
	if (lane->easy)
		curl->easy_cleanup(lane->easy);
	if (lane->multi)
		curl->multi_cleanup(lane->multi);
	g_free(lane);
}

static Lane *take_lane(SpkHttp *http, GError **error)
{
	Lane *lane = NULL;

	g_mutex_lock(&http->lock);
	if (http->idle->len)
		lane = g_ptr_array_steal_index(http->idle, http->idle->len - 1);
	g_mutex_unlock(&http->lock);
	if (lane)
		return lane;
	lane = g_new0(Lane, 1);
	lane->easy = http->curl->easy_init();
	lane->multi = http->curl->multi_init();
	if (lane->easy && lane->multi)
		return lane;
	spk_error_set(error, SPK_ERR_PROVIDER, NULL, "libcurl gives no handle");
	lane_free(http->curl, lane);
	return NULL;
}

static void give_lane(SpkHttp *http, Lane *lane)
{
	http->curl->easy_reset(lane->easy); /* connections stay */
	g_mutex_lock(&http->lock);
	if (http->idle->len < MAX_IDLE_LANES)
		g_ptr_array_add(http->idle, g_steal_pointer(&lane));
	g_mutex_unlock(&http->lock);
	if (lane)
		lane_free(http->curl, lane);
}

SpkHttp *spk_http_new(GError **error)
{
	const SpkCurl *curl = spk_curl_get(error);
	SpkHttp *http;

	if (!curl)
		return NULL;
	http = g_new0(SpkHttp, 1);
	http->curl = curl;
	http->idle = g_ptr_array_new();
	g_mutex_init(&http->lock);
	return http;
}

void spk_http_free(SpkHttp *http)
{
	if (!http)
		return;
	for (guint i = 0; i < http->idle->len; i++)
		lane_free(http->curl, http->idle->pdata[i]);
	g_ptr_array_unref(http->idle);
	g_mutex_clear(&http->lock);
	g_free(http);
}

gboolean spk_http_fetch(SpkHttp *http, const SpkHttpRequest *request, SpkHttpSink sink,
			gpointer user, SpkCancel *cancel, SpkHttpResponse *ret_response,
			GError **error)
{
	SpkTransferSpec spec = { .curl = http->curl,
				 .request = request,
				 .sink = sink,
				 .user = user,
				 .cancel = cancel };
	Lane *lane = take_lane(http, error);
	gboolean ok;

	if (!lane)
		return FALSE;
	spec.easy = lane->easy;
	spec.multi = lane->multi;
	ok = spk_transfer_run(&spec, ret_response, error);
	give_lane(http, lane);
	return ok;
}
