/*
 * The functions of libcurl that net uses, opened on first use: linking it costs every
 * start of the program 5 ms and 6 MiB.
 */
#ifndef SPK_NET_CURL_PRIV_H
#define SPK_NET_CURL_PRIV_H

#include <curl/curl.h>
#include <glib.h>

#define SPK_CURL_FUNCTIONS(X)  \
	X(global_init)         \
	X(getdate)             \
	X(slist_append)        \
	X(slist_free_all)      \
	X(easy_init)           \
	X(easy_setopt)         \
	X(easy_getinfo)        \
	X(easy_reset)          \
	X(easy_strerror)       \
	X(easy_cleanup)        \
	X(multi_init)          \
	X(multi_add_handle)    \
	X(multi_remove_handle) \
	X(multi_perform)       \
	X(multi_poll)          \
	X(multi_info_read)     \
	X(multi_strerror)      \
	X(multi_cleanup)

typedef struct {
#define X(name) __typeof__(curl_##name) *name;
	SPK_CURL_FUNCTIONS(X)
#undef X
} SpkCurl;

/* The table, the same at each call; any thread. NULL and PROVIDER when libcurl is missing or
 * too old; the next call tries again. */
const SpkCurl *spk_curl_get(GError **error);

#endif
