#include "net/allow.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define ALL_SETS "@registries"

typedef struct {
	gboolean below; /* of names that end in "." and this one */
	SpkEndpoint is;
} Rule;

struct SpkAllow {
	GArray *hosts, *addresses; /* of Rule */
};

/* Where tools fetch packages from, by the names of the registries. */
static const struct {
	const char *name, *hosts[4];
} sets[] = {
	{ "@crates", { "crates.io:443", "index.crates.io:443", "static.crates.io:443" } },
	{ "@debian", { "deb.debian.org", "security.debian.org" } },
	{ "@go", { "proxy.golang.org:443", "sum.golang.org:443" } },
	{ "@maven", { "repo.maven.apache.org:443", "repo1.maven.org:443" } },
	{ "@npm", { "registry.npmjs.org:443" } },
	{ "@pypi", { "pypi.org:443", "files.pythonhosted.org:443" } },
	{ "@rubygems", { "rubygems.org:443", "index.rubygems.org:443" } },
};

static gboolean too_many(const char *what, GError **error)
{
	spk_error_set(error, SPK_ERR_LIMIT,
		      "name what is needed, or all below a host: "
		      "\"*.example.com\"",
		      "more than %d %s", SPK_ALLOW_MAX, what);
	return FALSE;
}

static gboolean add_host(GArray *rules, const char *text, GError **error)
{
	Rule rule = { .below = g_str_has_prefix(text, "*.") };
	const char *host = rule.below ? text + 2 : text;

	if (rules->len == SPK_ALLOW_MAX)
		return too_many("hosts are allowed", error);
	if (strcmp(text, "*") == 0) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "name the hosts that are needed",
			      "\"*\" would allow every host");
		return FALSE;
	}
	if (!spk_endpoint_parse(host, strlen(host), &rule.is, error))
		return FALSE;
	if (rule.below && (rule.is.is_address || !strchr(rule.is.name, '.'))) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "like *.example.com",
			      "\"%s\" must name a domain with a dot below the star",
			      text);
		return FALSE;
	}
	g_array_append_val(rules, rule);
	return TRUE;
}

static gboolean unknown_set(const char *name, GError **error)
{
	const char *names[G_N_ELEMENTS(sets) + 2] = { ALL_SETS };
	g_autofree char *nearest = NULL, *all = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
		names[i + 1] = sets[i].name;
	nearest = spk_text_did_you_mean(name, names);
	all = g_strjoinv(" ", (char **)names);
	spk_error_set(error, SPK_ERR_BAD_INPUT, all, "\"%s\" is no set of hosts%s", name,
		      nearest);
	return FALSE;
}

static gboolean add_set(GArray *rules, const char *name, GError **error)
{
	gboolean found = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
		if (strcmp(name, sets[i].name) != 0 && strcmp(name, ALL_SETS) != 0)
			continue;
		found = TRUE;
		for (gsize j = 0; j < G_N_ELEMENTS(sets[i].hosts) && sets[i].hosts[j];
		     j++)
			if (!add_host(rules, sets[i].hosts[j], error))
				return FALSE;
	}
	return found || unknown_set(name, error);
}

static gboolean add_address(GArray *rules, const char *text, GError **error)
{
	Rule rule = { 0 };

	if (rules->len == SPK_ALLOW_MAX)
		return too_many("private addresses are allowed", error);
	if (!spk_endpoint_parse(text, strlen(text), &rule.is, error))
		return FALSE;
	if (!rule.is.is_address || !rule.is.port) {
		spk_error_set(error, SPK_ERR_BAD_INPUT,
			      "like 127.0.0.1:8080 or [fd00::1]:443",
			      "\"%s\" must be an address with a port", text);
		return FALSE;
	}
	g_array_append_val(rules, rule);
	return TRUE;
}

SpkAllow *spk_allow_new(const char *const *hosts, const char *const *addresses,
			GError **error)
{
	g_autoptr(SpkAllow) allow = g_new0(SpkAllow, 1);

	allow->hosts = g_array_new(FALSE, FALSE, sizeof(Rule));
	allow->addresses = g_array_new(FALSE, FALSE, sizeof(Rule));
	for (; hosts && *hosts; hosts++)
		if (!(**hosts == '@' ? add_set : add_host)(allow->hosts, *hosts, error))
			return NULL;
	for (; addresses && *addresses; addresses++)
		if (!add_address(allow->addresses, *addresses, error))
			return NULL;
	return g_steal_pointer(&allow);
}

void spk_allow_free(SpkAllow *allow)
{
	if (!allow)
		return;
	g_array_unref(allow->hosts);
	g_array_unref(allow->addresses);
	g_free(allow);
}

static gboolean names(const Rule *rule, const char *name)
{
	gsize len = strlen(name), of_rule = strlen(rule->is.name);

	if (!rule->below)
		return strcmp(rule->is.name, name) == 0;
	return len > of_rule + 1 && name[len - of_rule - 1] == '.' &&
	       strcmp(name + len - of_rule, rule->is.name) == 0;
}

static gboolean same_host(const Rule *rule, const SpkEndpoint *endpoint)
{
	if (!endpoint->is_address)
		return names(rule, endpoint->name);
	return rule->is.is_address &&
	       spk_address_equal(&rule->is.address, &endpoint->address);
}

gboolean spk_allow_host(const SpkAllow *allow, const SpkEndpoint *endpoint)
{
	for (guint i = 0; i < allow->hosts->len; i++) {
		const Rule *rule = &g_array_index(allow->hosts, Rule, i);
		gboolean port = rule->is.port
					? endpoint->port == rule->is.port
					: endpoint->port == 80 || endpoint->port == 443;

		if (port && same_host(rule, endpoint))
			return TRUE;
	}
	return FALSE;
}

gboolean spk_allow_knows(const SpkAllow *allow, const char *name)
{
	for (guint i = 0; i < allow->hosts->len; i++)
		if (names(&g_array_index(allow->hosts, Rule, i), name))
			return TRUE;
	return FALSE;
}

const char *spk_allow_refuses(const SpkAllow *allow, const SpkAddress *address,
			      guint16 port)
{
	const char *special = spk_address_special(address);

	for (guint i = 0; i < allow->addresses->len; i++) {
		const Rule *rule = &g_array_index(allow->addresses, Rule, i);

		if (rule->is.port == port &&
		    spk_address_equal(&rule->is.address, address))
			return NULL;
	}
	if (special)
		return special;
	return spk_address_is_own(address) ? "of this machine" : NULL;
}

gboolean spk_allow_is_empty(const SpkAllow *allow)
{
	return allow->hosts->len == 0;
}
