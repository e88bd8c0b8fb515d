/* Strings with the shape of a secret: published prefixes, JSON Web Tokens, private keys,
 * passwords in addresses. A pass stops only at the few characters that each shape has at a
 * known place, and looks round there. */
#include <string.h>

#include "guard/redact/redact_priv.h"

enum { PEM_MAX = 65536, NEAR_KEY = 256, ADDRESS_MAX = 512, DENSE_MAX = 512 };

/* ---- characters ---- */

static gsize run_of(const char *p, const char *end, guint set)
{
	const char *start = p;

	while (p < end && (redact_class(*p) & set))
		p++;
	return (gsize)(p - start);
}

typedef struct {
	const char *text, *end;
	GArray *spans;
	gsize open;
	/* so that no text is walked again and again: the last run, and how far no key ends */
	const char *run_from, *run_to, *no_finish;
	guint run_set;
	const char *done; /* what was found reaches to there */
} Search;

/* run_of() to the end of the text. */
static gsize run_on(Search *search, const char *p, guint set)
{
	if (set != search->run_set || p < search->run_from || p >= search->run_to) {
		search->run_set = set;
		search->run_from = p;
		search->run_to = p + run_of(p, search->end, set);
	}
	return (gsize)(search->run_to - p);
}

/* A run that may go on behind a line end or a joined string as long as it is not complete. */
static const char *stretch(Search *search, const char *p, guint set, gsize min,
			   gsize *ret_n)
{
	const char *end = search->end;
	gsize n = run_on(search, p, set);
	gboolean open = FALSE;

	p += n;
	while (n && n < min && p < end) {
		gsize gap = redact_gap(p, end, &open);
		gsize more = gap ? run_of(p + gap, end, set) : 0;

		if (!more && (open || (gap && p + gap == end)))
			p = end; /* may yet go on */
		if (!more)
			break;
		n += more;
		p += gap + more;
	}
	*ret_n = n;
	return p;
}

static void add(Search *search, const char *start, const char *stop, const char *name)
{
	redact_span_add(search->spans, start - search->text, stop - search->text, name);
	search->done = MAX(search->done, stop);
	if (stop == search->end)
		search->open = MIN(search->open, (gsize)(start - search->text));
}

static void is_open(Search *search, const char *start)
{
	search->open = MIN(search->open, (gsize)(start - search->text));
}

/* No letter or digit before p, or one that belongs to an escape. */
static gboolean begins_word(const Search *search, const char *p)
{
	gsize before = p - search->text;

	if (!before || !(redact_class(p[-1]) & (ALNUM | UNDER)))
		return TRUE;
	if (before >= 2 && p[-2] == '\\' && strchr("nrt", p[-1]))
		return TRUE;
	return before >= 3 && p[-3] == '%' && g_ascii_isxdigit(p[-2]) &&
	       g_ascii_isxdigit(p[-1]);
}

/* ---- published prefixes ---- */

enum { MIXED = 1 }; /* letters and digits, densely: the prefix alone says little */

static const struct {
	const char *prefix; /* its last character is one that the pass stops at */
	guint set;
	gsize min;
	guint flags;
	const char *name;
} prefixes[] = {
	{ "sk-", URL64, 16, MIXED, "api-key" }, /* OpenAI, Anthropic, OpenRouter */
	{ "ghp_", ALNUM, 20, 0, "github-token" },
	{ "gho_", ALNUM, 20, 0, "github-token" },
	{ "ghu_", ALNUM, 20, 0, "github-token" },
	{ "ghs_", ALNUM, 20, 0, "github-token" },
	{ "ghr_", ALNUM, 20, 0, "github-token" },
	{ "github_pat_", ALNUM | UNDER, 20, 0, "github-token" },
	{ "glpat-", URL64, 16, 0, "gitlab-token" },
	{ "gldt-", URL64, 16, MIXED, "gitlab-token" },
	{ "glrt-", URL64, 16, MIXED, "gitlab-token" },
	{ "glptt-", URL64, 20, MIXED, "gitlab-token" },
	{ "glcbt-", URL64, 16, MIXED, "gitlab-token" },
	{ "lin_api_", ALNUM, 16, 0, "linear-key" },
	{ "xoxa-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xoxb-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xoxe-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xoxo-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xoxp-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xoxr-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xoxs-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "xapp-", ALNUM | DASH, 10, MIXED, "slack-token" },
	{ "npm_", ALNUM, 30, 0, "npm-token" },
	{ "pypi-", URL64, 50, MIXED, "pypi-token" },
	{ "dckr_pat_", URL64, 20, 0, "docker-token" },
	{ "dckr_oat_", URL64, 20, 0, "docker-token" },
	{ "hf_", ALNUM, 30, 0, "huggingface-token" },
	{ "gsk_", ALNUM, 40, 0, "api-key" }, /* Groq */
	{ "xai-", ALNUM, 40, MIXED, "api-key" },
	{ "nvapi-", URL64, 40, MIXED, "api-key" },
	{ "pplx-", ALNUM, 40, MIXED, "api-key" },
	{ "sk_live_", ALNUM, 16, 0, "stripe-key" },
	{ "sk_test_", ALNUM, 16, 0, "stripe-key" },
	{ "rk_live_", ALNUM, 16, 0, "stripe-key" },
	{ "rk_test_", ALNUM, 16, 0, "stripe-key" },
	{ "whsec_", BASE64, 24, MIXED, "stripe-key" },
	{ "shpat_", ALNUM, 32, MIXED, "shopify-token" },
	{ "shpss_", ALNUM, 32, MIXED, "shopify-token" },
	{ "shpca_", ALNUM, 32, MIXED, "shopify-token" },
	{ "dop_v1_", ALNUM, 40, MIXED, "digitalocean-token" },
	{ "glsa_", ALNUM | UNDER, 32, MIXED, "grafana-token" },
	{ "rubygems_", ALNUM, 40, MIXED, "rubygems-key" },
	{ "sntrys_", URL64, 40, MIXED, "sentry-token" },
	{ "figd_", URL64, 40, MIXED, "figma-token" },
	{ "lsv2_pt_", ALNUM | UNDER, 32, MIXED, "api-key" },
	{ "GOCSPX-", URL64, 20, MIXED, "google-secret" },
	{ "ya29.", URL64, 20, MIXED, "google-token" },
	{ "hvs.", URL64, 24, MIXED, "vault-token" },
	{ "SG.", URL64 | DOT, 50, MIXED, "sendgrid-key" },
	{ "AGE-SECRET-KEY-", UPPER | DIGIT, 50, MIXED, "age-key" },
};

static struct {
	guint8 pairs[8192]; /* a bit for the two characters before the last one */
	guint8 first[256];  /* by the last but one: row + 1 */
	guint8 next[G_N_ELEMENTS(prefixes)], len[G_N_ELEMENTS(prefixes)];
} rows;

static guint pair_of(const char *last)
{
	return (guint)(guchar)last[-2] << 8 | (guchar)last[-1];
}

static void index_prefixes(void)
{
	static gsize done;

	if (!g_once_init_enter(&done))
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		gsize len = strlen(prefixes[i].prefix);
		guint8 *first = &rows.first[(guchar)prefixes[i].prefix[len - 2]];

		guint pair = pair_of(prefixes[i].prefix + len - 1);

		rows.pairs[pair >> 3] |= (guint8)(1u << (pair & 7));
		rows.len[i] = (guint8)len;
		rows.next[i] = *first;
		*first = (guint8)(i + 1);
	}
	g_once_init_leave(&done, 1);
}

/* One piece between dashes that is long and mixed: "sk-loading-spinner-2" has none. */
static gboolean is_dense(const char *p, const char *end)
{
	end = MIN(end, p + DENSE_MAX);
	while (p < end) {
		gsize n = run_of(p, end, ALNUM);

		if (n >= 10 && redact_is_random(p, n, FALSE))
			return TRUE;
		p += n + 1;
	}
	return FALSE;
}

static void look_at_row(Search *search, const char *start, const char *p, gsize row)
{
	gsize min = prefixes[row].min, n;
	const char *stop;

	if (!begins_word(search, start))
		return;
	stop = stretch(search, p, prefixes[row].set, min, &n);
	if (stop == search->end)
		is_open(search, start);
	if (n >= min && (!(prefixes[row].flags & MIXED) || is_dense(p, stop)))
		add(search, start, stop, prefixes[row].name);
}

static void look_at_prefix(Search *search, const char *at)
{
	gsize before = (gsize)(at - search->text) + 1;
	guint row, pair = before > 2 ? pair_of(at) : 0;

	if (!(rows.pairs[pair >> 3] & (1u << (pair & 7))))
		return;
	row = rows.first[(guchar)at[-1]];
	for (; row; row = rows.next[row - 1]) {
		gsize len = rows.len[row - 1];

		if (len <= before && !memcmp(at + 1 - len, prefixes[row - 1].prefix, len))
			look_at_row(search, at + 1 - len, at + 1, row - 1);
	}
}

/* ---- keys that have no mark at the end of their prefix ---- */

/* The secret that goes with an access key of AWS stands near it, with nothing to tell it. */
static void look_near_aws(Search *search, const char *p)
{
	const char *end = MIN(search->end, p + NEAR_KEY);

	while (p < end) {
		gsize n = run_of(p, search->end, BASE64);

		if (n == 40 && redact_is_random(p, n, TRUE) &&
		    run_of(p, search->end, LOWER | DIGIT) < 40)
			add(search, p, p + n, "aws-secret");
		p += n + 1;
	}
}

static void look_at_aws(Search *search, const char *at)
{
	const char *start = at - 2; /* AK IA, AS IA */
	gsize n;

	if (at - search->text < 2 || search->end - at < 2 || at[1] != 'A' ||
	    start[0] != 'A' || (start[1] != 'K' && start[1] != 'S') ||
	    !begins_word(search, start))
		return;
	n = run_of(at + 2, search->end, UPPER | DIGIT);
	if (search->end - start < NEAR_KEY)
		is_open(search, start);
	if (n != 16 || run_of(at + 2, search->end, ALNUM | UNDER) != 16)
		return;
	add(search, start, at + 2 + n, "aws-key");
	look_near_aws(search, at + 2 + n);
}

static void look_at_google(Search *search, const char *at)
{
	gsize n;

	if (at == search->text || search->end - at < 3 ||
	    memcmp(at - 1, "AIza", 4) != 0 || !begins_word(search, at - 1))
		return;
	n = run_on(search, at + 3, URL64);
	if (n >= 30 && n <= 60)
		add(search, at - 1, at + 3 + n, "google-key");
}

/* eyJ….….… */
static void look_at_jwt(Search *search, const char *at)
{
	const char *p = at + 1, *start = at - 2;
	gsize n;

	if (at - search->text < 2 || memcmp(start, "eyJ", 3) != 0 ||
	    !begins_word(search, start))
		return;
	for (guint part = 0; part < 3; part++) {
		n = run_on(search, p, URL64);
		if (p + n == search->end)
			is_open(search, start);
		if (n < (part == 2 ? 4 : 8))
			return;
		p += n;
		if (part < 2 && (p == search->end || *p++ != '.'))
			return;
	}
	while (p < search->end && *p == '.') { /* an encrypted one has five */
		n = run_of(p + 1, search->end, URL64);
		if (n < 4)
			break;
		p += 1 + n;
	}
	add(search, start, p, "jwt");
}

/* Bearer TOKEN, without the header's name. */
static void look_at_bearer(Search *search, const char *at)
{
	static const char word[] = "Bearer ";
	const char *p = at + strlen(word);
	gsize n;

	if (search->end - at <= (gssize)strlen(word) || memcmp(at, word, strlen(word)))
		return;
	n = run_of(p, search->end, URL64 | OTHER64 | DOT);
	if (p + n == search->end)
		is_open(search, at);
	if (n >= 16 && redact_is_random(p, n, FALSE))
		add(search, p, p + n, "authorization");
}

/* 123456789:AA… of a bot. */
static void look_at_telegram(Search *search, const char *at)
{
	const char *start = at;
	gsize n;

	while (start > search->text && at - start < 11 && g_ascii_isdigit(start[-1]))
		start--;
	if (at - start < 8 || at - start > 10 || !begins_word(search, start))
		return;
	n = run_of(at + 1, search->end, URL64);
	if (at + 1 + n == search->end)
		is_open(search, start);
	if (n == 35 && redact_is_random(at + 1, n, FALSE))
		add(search, start, at + 1 + n, "telegram-token");
}

/* ---- addresses ---- */

static const char *const placeholders[] = {
	"password", "passwd", "pass",  "pwd",  "secret",  "token",	"changeme",
	"example",  "xxx",    "admin", "root", "test",	  "guest",	"user",
	"username", "pw",     "foo",   "bar",  "dummy",	  "postgres",	"mysql",
	"redis",    "mongo",  "none",  "null", "key",	  "api_key",	"apikey",
	"yourpass", "ci",     "dev",   "demo", "hunter2", "minioadmin", "rabbitmq",
};

static gboolean is_placeholder(const char *p, gsize len)
{
	for (gsize i = 0; i < G_N_ELEMENTS(placeholders); i++)
		if (strlen(placeholders[i]) == len &&
		    !g_ascii_strncasecmp(p, placeholders[i], len))
			return TRUE;
	for (gsize i = 1; i < len; i++)
		if (p[i] != p[0])
			return memchr(p, '$', len) || memchr(p, '{', len) ||
			       memchr(p, '<', len) || memchr(p, '[', len) ||
			       memchr(p, '*', len) || *p == '%';
	return TRUE; /* "****" */
}

/* scheme://user:password@ */
static void look_at_address(Search *search, const char *at)
{
	const char *low = at - MIN(at - search->text, ADDRESS_MAX), *p = at, *colon;

	while (p > low && !strchr(" \t\r\n\"'`<>/@", p[-1]))
		p--;
	if (p - search->text < 3 || memcmp(p - 3, "://", 3) != 0)
		return;
	colon = memchr(p, ':', at - p);
	if (colon && at - colon > 3 && !is_placeholder(colon + 1, at - colon - 1))
		add(search, colon + 1, at, "url-password");
}

/* Addresses that are a secret as a whole. */
static void look_at_hook(Search *search, const char *at)
{
	static const struct {
		const char *host;
		gsize min;
	} hooks[] = {
		{ "://hooks.slack.com/services/", 20 },
		{ "://hooks.slack.com/workflows/", 20 },
		{ "://discord.com/api/webhooks/", 40 },
		{ "://discordapp.com/api/webhooks/", 40 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
		gsize len = strlen(hooks[i].host), n;

		if ((gsize)(search->end - at) < len || memcmp(at, hooks[i].host, len))
			continue;
		n = run_of(at + len, search->end, URL64 | OTHER64);
		if (n >= hooks[i].min)
			add(search, at + len, at + len + n, "webhook");
	}
}

/* ---- private keys ---- */

/* Without an end: as far as it looks like one. */
static const char *pem_body(const char *p, const char *end)
{
	while (p < end && (redact_class(*p) & BASE64 || strchr("=\r\n\t \\\":,'+", *p)) &&
	       *p)
		p++;
	return p;
}

static void look_at_pem(Search *search, const char *at)
{
	static const char begin[] = "-----BEGIN ", finish[] = "-----END ";
	const char *line, *stop, *limit = MIN(search->end, at + PEM_MAX);
	const char *mark, *from;

	if ((gsize)(search->end - at) < strlen(begin))
		return;
	if (memcmp(at, begin, strlen(begin)) != 0)
		return;
	line = at + strlen(begin);
	mark = g_strstr_len(line, MIN(search->end - line, 60), "PRIVATE KEY");
	if (!mark) {
		if (search->end - line < 60)
			is_open(search, at);
		return;
	}
	line = g_strstr_len(mark, MIN(search->end - mark, 30), "-----");
	/* the name of one, not one */
	if (line && search->end - line > 5 && !strchr("\r\n\t \\\"'", line[5]))
		return;
	from = line ? MAX(line + 5, search->no_finish) : limit;
	stop = from < limit ? g_strstr_len(from, limit - from, finish) : NULL;
	if (!stop && line)
		search->no_finish = MAX(search->no_finish, limit - strlen(finish));
	if (stop)
		stop = g_strstr_len(stop + strlen(finish),
				    MIN(search->end - stop - strlen(finish), 60),
				    "-----");
	if (!stop && search->end - at < PEM_MAX)
		is_open(search, at);
	add(search, at, stop ? stop + 5 : pem_body(line ? line + 5 : mark + 11, limit),
	    "private-key");
}

/* ---- the pass ---- */

static void look_at_assign(Search *search, const char *at)
{
	redact_assign_find(search->text, search->end - search->text, at - search->text,
			   search->spans, &search->open);
}

static void look_at_option(Search *search, const char *at)
{
	if (search->end - at > 3 && g_ascii_isalpha(at[2]) &&
	    (at == search->text || strchr(" \t\n\"'`(", at[-1])))
		redact_option_find(search->text, search->end - search->text,
				   at - search->text, search->spans, &search->open);
}

static void look_at(Search *search, const char *at)
{
	switch (*at) {
	case '-':
		if (search->end - at > 1 && at[1] == '-' &&
		    (at == search->text || at[-1] != '-')) {
			look_at_pem(search, at);
			look_at_option(search, at);
		}
		G_GNUC_FALLTHROUGH;
	case '_':
	case '.':
		look_at_prefix(search, at);
		return;
	case ':':
		look_at_telegram(search, at);
		if (search->end - at > 3 && at[1] == '/' && at[2] == '/')
			look_at_hook(search, at);
		else
			look_at_assign(search, at);
		return;
	case '=':
		look_at_assign(search, at);
		return;
	case '@':
		look_at_address(search, at);
		return;
	case 'B':
		look_at_bearer(search, at);
		return;
	case 'J':
		look_at_jwt(search, at);
		return;
	default:
		look_at_aws(search, at);
		look_at_google(search, at);
		return;
	}
}

static const guint8 stops[256] = {
	['-'] = 1, ['_'] = 1, ['.'] = 1, [':'] = 1, ['='] = 1,
	['@'] = 1, ['J'] = 1, ['B'] = 1, ['I'] = 1,
};

void redact_shapes_find(const char *text, gsize len, GArray *spans, gsize *open)
{
	Search search = { .text = text,
			  .end = text + len,
			  .spans = spans,
			  .open = len,
			  .no_finish = text,
			  .done = text };

	index_prefixes();
	for (const char *p = text; p < search.end; p++)
		if (G_UNLIKELY(stops[(guchar)*p]) && p >= search.done)
			look_at(&search, p);
	if (open)
		*open = MIN(*open, search.open);
}
