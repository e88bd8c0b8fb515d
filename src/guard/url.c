#include "guard/url.h"

#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "guard/url_priv.h"

#define SHOWN_MAX 80 /* bytes of a host that is no proper one */

typedef struct {
	const char *host; /* as it is written, with its port */
	gsize len;
	guint16 port; /* of the scheme */
} Authority;

static void deny(SpkDecision *ret, const char *rule, const char *what, const char *why,
		 const char *hint)
{
	spk_decision_set(ret, SPK_LAW_DENY, SPK_RISK_HIGH, rule, what, why, hint);
}

static char *shown(const char *text, gsize len)
{
	return spk_text_clean(text, (gssize)MIN(len, SHOWN_MAX), SPK_CLEAN_LINE);
}

/* ---- the form ---- */

/* Bytes that one client drops, another escapes, and a third takes for a separator. */
static const char *bad_byte(const char *url)
{
	for (const guchar *at = (const guchar *)url; *at; at++) {
		if (*at < ' ' || *at == 0x7f)
			return "has a control character in it";
		if (*at == ' ')
			return "has a blank in it";
		if (*at == '\\')
			return "has a backslash in it, which some clients take for a slash";
	}
	return g_utf8_validate(url, -1, NULL) ? NULL : "is not valid UTF-8";
}

static gboolean split_scheme(const char *url, Authority *ret, SpkDecision *refused)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789+-.";
	gsize len = strspn(url, letters);
	g_autofree char *scheme = g_ascii_strdown(url, (gssize)MIN(len, SHOWN_MAX)),
			*why = NULL;

	if (url[len] != ':' || strncmp(url + len, "://", 3) != 0) {
		deny(refused, "url.form", NULL,
		     "it is no URL that begins with http:// or https://", NULL);
		return FALSE;
	}
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
		why = g_strdup_printf("it is a URL of %s; only http and https may be "
				      "asked for",
				      len ? scheme : "nothing");
		deny(refused, "url.scheme", scheme, why, NULL);
		return FALSE;
	}
	ret->port = strcmp(scheme, "http") == 0 ? 80 : 443;
	ret->host = url + len + 3;
	ret->len = strcspn(ret->host, "/?#");
	return TRUE;
}

static gboolean refuse_user(const Authority *at, SpkDecision *ret)
{
	const char *host = g_strrstr_len(at->host, (gssize)at->len, "@");
	g_autofree char *words = NULL, *clean = NULL, *why = NULL;
	SpkAddress address;
	gsize len;

	if (!host)
		return FALSE;
	host++;
	len = at->len - (gsize)(host - at->host);
	clean = shown(host, len);
	if (url_loose_address(host, len, &address))
		words = url_describe(&address);
	why = g_strdup_printf("what stands before the \"@\" is a user name; the host "
			      "really is %s%s%s",
			      clean, words ? ": " : "", words ? words : "");
	deny(ret, "url.userinfo", clean, why, "write the URL without a user name");
	return TRUE;
}

static gboolean split(const char *url, Authority *ret, SpkDecision *refused)
{
	const char *bad = strlen(url) > SPK_URL_MAX ? "is longer than 8192 bytes"
						    : bad_byte(url);
	g_autofree char *why = NULL;
	const char *end;

	if (bad) {
		why = g_strdup_printf("the URL %s", bad);
		deny(refused, "url.form", NULL, why, NULL);
		return FALSE;
	}
	if (!split_scheme(url, ret, refused) || refuse_user(ret, refused))
		return FALSE;
	end = ret->host + ret->len;
	if (!ret->len)
		deny(refused, "url.form", NULL, "the URL has no host", NULL);
	else if ((*end == '?' || *end == '#') && strchr(end, '@'))
		deny(refused, "url.form", NULL,
		     "clients don't agree where the host ends: write a \"/\" behind it",
		     NULL);
	else
		return TRUE;
	return FALSE;
}

/* ---- the host ---- */

/* The host is spelled in a way that is not the one: named by what it really is. */
static void refuse_spelling(const char *host, gsize len, const char *fault,
			    SpkDecision *ret)
{
	g_autofree char *clean = shown(host, len), *words = NULL, *why = NULL;
	SpkAddress address;

	if (!url_loose_address(host, len, &address)) {
		deny(ret, "url.form", clean, fault, NULL);
		return;
	}
	words = url_describe(&address);
	why = g_strdup_printf("the host \"%s\" is another spelling of %s", clean, words);
	deny(ret, spk_address_special(&address) ? "url.private" : "url.spelling", clean,
	     why, "write an address as four decimal numbers, or IPv6 in brackets");
}

static gboolean parse_host(const char *host, gsize len, guint16 port, SpkEndpoint *ret,
			   SpkDecision *refused)
{
	g_autoptr(GError) error = NULL;
	gsize name_len;

	if (!spk_endpoint_parse(host, len, ret, &error)) {
		refuse_spelling(host, len, error->message, refused);
		return FALSE;
	}
	name_len = strlen(ret->name);
	if (ret->is_address && ret->address.family == AF_INET && name_len < len &&
	    host[name_len] == '.') {
		refuse_spelling(host, len, "", refused);
		return FALSE;
	}
	if (!ret->port)
		ret->port = port;
	return TRUE;
}

static void judge_address(const SpkEndpoint *to, const SpkAllow *allow, SpkDecision *ret)
{
	const char *special = spk_address_special(&to->address);
	gboolean refused = allow ? spk_allow_refuses(allow, &to->address, to->port) !=
					   NULL
				 : special || spk_address_is_own(&to->address);
	g_autofree char *words = NULL, *why = NULL, *hint = NULL;
	char place[SPK_ENDPOINT_TEXT];

	if (!refused)
		return;
	words = url_describe(&to->address);
	spk_address_print(&to->address, to->port, place);
	why = g_strdup_printf("the host is %s%s; only addresses of the internet may be "
			      "asked for",
			      words, special ? "" : ", which is this machine's own");
	hint = g_strdup_printf("the operator opens it by [box] allow and allow_private, "
			       "both with \"%s\"",
			       place);
	deny(ret, "url.private", to->name, why, hint);
}

/* Letters beyond ASCII come as "xn--": they must mean something, and the same when written
 * back. *ret_shown: as people see the name. */
static gboolean check_idn(const char *name, char **ret_shown)
{
	g_autofree char *unicode = NULL, *back = NULL;

	if (!g_hostname_is_ascii_encoded(name))
		return TRUE;
	unicode = g_hostname_to_unicode(name);
	back = unicode ? g_hostname_to_ascii(unicode) : NULL;
	if (!back || strcmp(back, name) != 0 || g_str_is_ascii(unicode))
		return FALSE;
	*ret_shown = spk_text_clean(unicode, -1, SPK_CLEAN_LINE);
	return TRUE;
}

static void ask(const SpkEndpoint *to, const char *idn, SpkDecision *ret)
{
	g_autofree char *as = idn ? g_strdup_printf(" (shown as \"%s\")", idn) : NULL;
	gboolean v6 = to->is_address && to->address.family == AF_INET6;
	g_autofree char *place =
		g_strdup_printf(v6 ? "[%s]:%u" : "%s:%u", to->name, to->port);
	g_autofree char *why = g_strdup_printf("%s%s is not among the allowed hosts",
					       place, as ? as : "");
	g_autofree char *hint = g_strdup_printf(
		"allow it for a task with --allow %s, or always with [box] allow", place);

	spk_decision_set(ret, SPK_LAW_ASK,
			 idn || to->is_address ? SPK_RISK_HIGH : SPK_RISK_MEDIUM,
			 "url.host", to->name, why, hint);
}

static void judge_name(const SpkEndpoint *to, SpkDecision *ret)
{
	g_autofree char *idn = NULL, *why = NULL;
	const char *local = url_local_name(to->name);

	if (local) {
		why = g_strdup_printf(
			"%s %s; only hosts of the internet may be asked for", to->name,
			local);
		deny(ret, "url.private", to->name, why,
		     "the operator opens it by [box] allow and allow_private");
	} else if (!check_idn(to->name, &idn)) {
		why = g_strdup_printf("\"%s\" is the coded form of no name", to->name);
		deny(ret, "url.spelling", to->name, why, NULL);
	} else {
		ask(to, idn, ret);
	}
}

static void judge_endpoint(const SpkEndpoint *to, const SpkAllow *allow, SpkDecision *ret)
{
	g_autofree char *why = NULL;

	if (to->is_address)
		judge_address(to, allow, ret);
	if (ret->rule)
		return;
	if (allow && spk_allow_host(allow, to)) {
		why = g_strdup_printf("the operator allows %s:%u", to->name, to->port);
		spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_LOW, "operator.allow",
				 to->name, why, NULL);
	} else if (to->is_address) {
		ask(to, NULL, ret);
	} else {
		judge_name(to, ret);
	}
}

void spk_url_judge(const char *url, const SpkAllow *allow, SpkDecision *ret)
{
	SpkEndpoint to;
	Authority at;

	spk_decision_clear(ret);
	if (split(url, &at, ret) && parse_host(at.host, at.len, at.port, &to, ret))
		judge_endpoint(&to, allow, ret);
}

void spk_host_judge(const char *host, guint16 port, const SpkAllow *allow,
		    SpkDecision *ret)
{
	const Authority at = { host, strlen(host), port };
	g_autofree char *why = NULL;
	const char *bad = at.len > SPK_URL_MAX ? "is too long" : bad_byte(host);
	SpkEndpoint to;

	spk_decision_clear(ret);
	if (bad) {
		why = g_strdup_printf("the host %s", bad);
		deny(ret, "url.form", NULL, why, NULL);
	} else if (!refuse_user(&at, ret) && parse_host(host, at.len, port, &to, ret)) {
		judge_endpoint(&to, allow, ret);
	}
}

gboolean spk_url_endpoint(const char *url, SpkEndpoint *ret)
{
	g_auto(SpkDecision) refused = { 0 };
	Authority at;

	return split(url, &at, &refused) &&
	       parse_host(at.host, at.len, at.port, ret, &refused);
}
