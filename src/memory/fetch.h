/*
 * A large file over HTTP: into a file beside its place, resumed where the last attempt stopped,
 * tried again where that may help, checked by its SHA-256.
 */
#ifndef SPK_MEMORY_FETCH_H
#define SPK_MEMORY_FETCH_H

#include <glib.h>

#include "base/cancel.h"
#include "net/http.h"

typedef struct {
	const char *url;
	const char *path; /* of the file */
	const char
		*sha256; /* 64 digits in lower case; NULL: not known, and not resumed */
	guint64 max_bytes;
	/* Now and then, in the calling thread: bytes that are there; NULL: not wanted. */
	void (*progress)(guint64 bytes, gpointer user);
	gpointer user;
} SpkFetch;

/* TRUE: the file is whole. Redirects are followed, at most five, never from https to http. What
 * fails leaves the file as far as it came. PROVIDER, PROVIDER_AUTH, NOT_FOUND, TIMEOUT, CANCELLED,
 * LIMIT, CORRUPT: another SHA-256, which deletes it. */
gboolean spk_fetch_file(SpkHttp *http, const SpkFetch *fetch, SpkCancel *cancel,
			GError **error);
/* A page of at most `max` bytes, tried again likewise. *ret_url: where it was in the end. `header`
 * may be NULL. */
GString *spk_fetch_page(SpkHttp *http, const char *url, const char *header, gsize max,
			char **ret_url, SpkCancel *cancel, GError **error);
/* Lower-case hexadecimal SHA-256 of a file. */
char *spk_fetch_sha256(const char *path, GError **error);

#endif
