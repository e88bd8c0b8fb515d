/* One HTTP exchange on handles of curl that somebody else keeps. */
#ifndef SPK_NET_HTTP_TRANSFER_PRIV_H
#define SPK_NET_HTTP_TRANSFER_PRIV_H

#include "net/curl_priv.h"
#include "net/http.h"

typedef struct {
	const SpkCurl *curl;
	CURL *easy;
	CURLM *multi;
	const SpkHttpRequest *request;
	SpkHttpSink sink;
	gpointer user;
	SpkCancel *cancel;
} SpkTransferSpec;

/* As spk_http_fetch(). Leaves `easy` out of `multi`, with its options set. */
gboolean spk_transfer_run(const SpkTransferSpec *spec, SpkHttpResponse *ret_response,
			  GError **error);

#endif
