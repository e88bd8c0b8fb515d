/* URLs, against libcurl's parser: what is not refused is the same host and port to it, has no user
 * name, and is no address but of the internet. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "guard/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
	CURLU *(*url)(void);
	void (*cleanup)(CURLU *);
	CURLUcode (*get)(const CURLU *, CURLUPart, char **, unsigned int);
	CURLUcode (*set)(CURLU *, CURLUPart, const char *, unsigned int);
	void (*free)(void *);
} Lib;

static const Lib *lib(void)
{
	static Lib table;
	static gboolean looked;
	void *library = looked ? NULL : dlopen("libcurl.so.4", RTLD_NOW);

	looked = TRUE;
	if (library) {
		*(void **)&table.url = dlsym(library, "curl_url");
		*(void **)&table.cleanup = dlsym(library, "curl_url_cleanup");
		*(void **)&table.get = dlsym(library, "curl_url_get");
		*(void **)&table.set = dlsym(library, "curl_url_set");
		*(void **)&table.free = dlsym(library, "curl_free");
	}
	g_assert(table.url && table.set); /* it is a dependency of the build */
	return &table;
}

static char *part_of(CURLU *url, CURLUPart part, unsigned int flags)
{
	char *text = NULL, *copy;

	if (lib()->get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = g_ascii_strdown(text, -1);
	lib()->free(text);
	return copy;
}

/* By what resolvers take for an address, which is more than we do. */
static void check_address(const char *host)
{
	SpkAddress address = { .family = AF_INET };
	struct in_addr number;

	if (inet_aton(host, &number))
		memcpy(address.bytes, &number, 4);
	else if (!spk_address_parse(host, &address))
		return;
	g_assert(!spk_address_special(&address));
}

static void compare(const char *text, const SpkEndpoint *to)
{
	CURLU *url = lib()->url();
	g_autofree char *host = NULL, *port = NULL, *user = NULL;
	gsize len;

	g_assert(lib()->set(url, CURLUPART_URL, text, 0) == CURLUE_OK);
	host = part_of(url, CURLUPART_HOST, 0);
	port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	user = part_of(url, CURLUPART_USER, 0);
	lib()->cleanup(url);
	g_assert(host && port && !user);
	len = strlen(host);
	if (*host == '[') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	} else if (host[len - 1] == '.') {
		host[len - 1] = '\0';
	}
	if (to->is_address) {
		SpkAddress theirs;

		g_assert(spk_address_parse(host, &theirs));
		g_assert(spk_address_equal(&theirs, &to->address));
	} else {
		g_assert_cmpstr(host, ==, to->name);
	}
	g_assert_cmpint(g_ascii_strtoll(port, NULL, 10), ==, to->port);
	check_address(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = { "good.org", "*.wild.org", NULL };
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(SpkAllow) allow = spk_allow_new(hosts, NULL, NULL);
	g_auto(SpkDecision) none = { 0 }, some = { 0 }, host = { 0 };
	SpkEndpoint to;

	spk_url_judge(text, NULL, &none);
	spk_url_judge(text, allow, &some);
	spk_host_judge(text, 80, NULL, &host);
	g_assert(none.rule && none.why && some.rule && host.rule);
	g_assert(g_utf8_validate(none.why, -1, NULL));
	g_assert(none.verdict != SPK_LAW_ALLOW);
	/* who is named may be asked for; else both say the same */
	g_assert(some.verdict == none.verdict || some.verdict == SPK_LAW_ALLOW);
	if (some.verdict == SPK_LAW_DENY)
		return 0;
	g_assert(spk_url_endpoint(text, &to));
	compare(text, &to);
	return 0;
}
