#include "memory/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"
#include "llm/address.h"

enum { REDIRECTS = 5, TRIES = 4, IDLE_MS = 30000 };
#define FIRST_WAIT_MS 500

/* ---- one request ---- */

typedef struct {
	SpkHttp *http;
	char *url; /* in the end */
	const char *header;
	gsize max;
	SpkHttpSink sink;
	gpointer user;
} Ask;

static gboolean is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	       status == 308;
}

/* FALSE and *error: it may not go there. */
static gboolean follow(Ask *ask, const SpkHttpResponse *response, GError **error)
{
	const char *to = g_hash_table_lookup(response->headers, "location");
	char *whole = to ? g_uri_resolve_relative(ask->url, to, G_URI_FLAGS_ENCODED, NULL)
			 : NULL;

	if (!whole || (g_str_has_prefix(ask->url, "https:") &&
		       !g_str_has_prefix(whole, "https:"))) {
		g_free(whole);
		spk_error_set(error, SPK_ERR_PROVIDER, NULL,
			      "the server redirects to where it is not followed");
		return FALSE;
	}
	g_free(ask->url);
	ask->url = whole;
	return TRUE;
}

static gboolean refuse(const Ask *ask, long status, GError **error)
{
	g_autofree char *shown = spk_address_shown(ask->url);
	gboolean auth = status == 401 || status == 403;
	SpkErr code = auth			       ? SPK_ERR_PROVIDER_AUTH
		      : status == 404 || status == 410 ? SPK_ERR_NOT_FOUND
						       : SPK_ERR_PROVIDER;

	spk_error_set(error, code,
		      auth ? "check name and password in the address"
			   : "check the address, or name another: sparks memory model "
			     "install FOLDER|URL",
		      "%s: the server answers with HTTP %ld", shown ? shown : "?",
		      status);
	return FALSE;
}

/* A 2xx answer, wherever it is in the end. */
static gboolean ask_for(Ask *ask, SpkHttpResponse *ret, SpkCancel *cancel, GError **error)
{
	const char *headers[] = { ask->header, NULL };

	for (int i = 0; i <= REDIRECTS; i++) {
		g_auto(SpkHttpResponse) response = { 0 };
		SpkHttpRequest request = { .url = ask->url,
					   .headers = headers,
					   .first_byte_ms = IDLE_MS,
					   .idle_ms = IDLE_MS,
					   .max_bytes = ask->max };

		if (!spk_http_fetch(ask->http, &request, ask->sink, ask->user, cancel,
				    &response, error))
			return FALSE;
		if (response.status / 100 == 2) {
			*ret = response;
			response = (SpkHttpResponse){ 0 };
			return TRUE;
		}
		if (!is_redirect(response.status))
			return refuse(ask, response.status, error);
		if (!follow(ask, &response, error))
			return FALSE;
	}
	spk_error_set(error, SPK_ERR_PROVIDER, NULL, "the server redirects in a circle");
	return FALSE;
}

/* Whether it is worth another attempt, after waiting for it. */
static gboolean again(guint attempt, const GError *why, SpkCancel *cancel)
{
	gint64 wait_ms = FIRST_WAIT_MS << (2 * attempt);

	if (attempt + 1 >= TRIES || !spk_err_info(spk_error_code(why))->retryable)
		return FALSE;
	spk_info("memory", "%s; trying again in %.1f s", why->message, wait_ms / 1e3);
	spk_sleep_ms(wait_ms, cancel);
	return spk_cancel_check(cancel, NULL);
}

/* ---- pages ---- */

GString *spk_fetch_page(SpkHttp *http, const char *url, const char *header, gsize max,
			char **ret_url, SpkCancel *cancel, GError **error)
{
	for (guint attempt = 0;; attempt++) {
		Ask ask = { http, g_strdup(url), header, max, NULL, NULL };
		g_auto(SpkHttpResponse) response = { 0 };
		g_autoptr(GError) why = NULL;

		if (ask_for(&ask, &response, cancel, &why)) {
			*ret_url = ask.url;
			return g_steal_pointer(&response.body);
		}
		g_free(ask.url);
		if (again(attempt, why, cancel))
			continue;
		g_propagate_error(error, g_steal_pointer(&why));
		return NULL;
	}
}

/* ---- files ---- */

typedef struct {
	const SpkFetch *fetch;
	int fd;
	guint64 bytes;
} Into;

static gboolean write_piece(const char *data, gsize len, gpointer user, GError **error)
{
	Into *into = user;

	into->bytes += len;
	if (into->bytes > into->fetch->max_bytes) {
		spk_error_set(error, SPK_ERR_LIMIT, NULL,
			      "the file is longer than %" G_GUINT64_FORMAT " bytes",
			      into->fetch->max_bytes);
		return FALSE;
	}
	if (!spk_fs_write_all(into->fd, data, len, error)) {
		g_prefix_error(error, "%s: ", into->fetch->path);
		return FALSE;
	}
	if (into->fetch->progress)
		into->fetch->progress(into->bytes, into->fetch->user);
	return TRUE;
}

/* Whether the server gives a rest alone is asked with one byte of it. */
static gboolean gives_rest(SpkHttp *http, const char *url, guint64 at, SpkCancel *cancel)
{
	g_autofree char *header = g_strdup_printf(
		"Range: bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, at, at);
	g_auto(SpkHttpResponse) response = { 0 };
	Ask ask = { http, g_strdup(url), header, 1, NULL, NULL };
	gboolean ok = ask_for(&ask, &response, cancel, NULL) && response.status == 206 &&
		      response.body->len == 1;

	g_free(ask.url);
	return ok;
}

static gboolean fetch_once(SpkHttp *http, Into *into, SpkCancel *cancel, GError **error)
{
	const SpkFetch *fetch = into->fetch;
	g_autofree char *header = NULL;
	g_auto(SpkHttpResponse) response = { 0 };
	Ask ask = { http, NULL, NULL, 0, write_piece, into };
	off_t at = lseek(into->fd, 0, SEEK_END);
	gboolean ok;

	if (at > 0 &&
	    (!fetch->sha256 || !gives_rest(http, fetch->url, (guint64)at, cancel)))
		at = 0;
	if (at < 0 || ftruncate(into->fd, at) < 0 || lseek(into->fd, at, SEEK_SET) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", fetch->path);
		return FALSE;
	}
	if (at)
		ask.header = header = g_strdup_printf(
			"Range: bytes=%" G_GUINT64_FORMAT "-", (guint64)at);
	into->bytes = (guint64)at;
	ask.url = g_strdup(fetch->url);
	ask.max = fetch->max_bytes;
	ok = ask_for(&ask, &response, cancel, error);
	g_free(ask.url);
	return ok;
}

char *spk_fetch_sha256(const char *path, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guchar *piece = g_malloc(1 << 20);
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	gssize n = -1;

	while (fd >= 0 && (n = read(fd, piece, 1 << 20)) > 0)
		g_checksum_update(sum, piece, n);
	if (n < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", path);
		return NULL;
	}
	return g_strdup(g_checksum_get_string(sum));
}

/* FALSE without *error: it is not what it should be, and gone. */
static gboolean is_right(const SpkFetch *fetch, GError **error)
{
	g_autofree char *sum = NULL;

	if (!fetch->sha256)
		return TRUE;
	sum = spk_fetch_sha256(fetch->path, error);
	if (!sum || !strcmp(sum, fetch->sha256))
		return sum != NULL;
	(void)unlink(fetch->path); /* a part that is of no use */
	return FALSE;
}

/* An earlier call may have ended between the last byte and what is done with it. */
static gboolean is_whole(const SpkFetch *fetch)
{
	g_autofree char *sum = spk_fetch_sha256(fetch->path, NULL);

	return !g_strcmp0(sum, fetch->sha256);
}

static gboolean fetch_tries(SpkHttp *http, Into *into, SpkCancel *cancel, GError **error)
{
	for (guint attempt = 0;; attempt++) {
		g_autoptr(GError) why = NULL;

		if (fetch_once(http, into, cancel, &why))
			return TRUE;
		if (again(attempt, why, cancel))
			continue;
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
}

static gboolean fetch_whole(SpkHttp *http, const SpkFetch *fetch, gboolean *ret_resumed,
			    SpkCancel *cancel, GError **error)
{
	spk_autofd int fd =
		open(fetch->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	Into into = { .fetch = fetch, .fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", fetch->path);
		return FALSE;
	}
	*ret_resumed = st.st_size > 0;
	if (fetch_tries(http, &into, cancel, error))
		return TRUE;
	if (fstat(fd, &st) == 0 && st.st_size == 0)
		(void)unlink(fetch->path); /* nothing that one could go on with */
	return FALSE;
}

gboolean spk_fetch_file(SpkHttp *http, const SpkFetch *fetch, SpkCancel *cancel,
			GError **error)
{
	if (fetch->sha256 && g_file_test(fetch->path, G_FILE_TEST_IS_REGULAR) &&
	    is_whole(fetch))
		return TRUE;
	/* a resumed one may be of another file that lay there: once more, from the start */
	for (int i = 0; i < 2; i++) {
		gboolean resumed = FALSE;
		GError *why = NULL;

		if (!fetch_whole(http, fetch, &resumed, cancel, error))
			return FALSE;
		if (is_right(fetch, &why))
			return TRUE;
		if (why) {
			g_propagate_error(error, why);
			return FALSE;
		}
		if (!resumed)
			break;
	}
	spk_error_set(
		error, SPK_ERR_CORRUPT,
		"the server has another file than the one that is known; nothing was "
		"installed",
		"the download has another SHA-256 than it should have");
	return FALSE;
}
