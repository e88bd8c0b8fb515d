/* Hosts: what is taken has one spelling, which is taken again and means the same; a number in
 * any clothes is never a name. */
#include <arpa/inet.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "net/allow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const SpkEndpoint *endpoint)
{
	struct in_addr number;

	g_assert(strlen(endpoint->name) <= SPK_HOST_MAX);
	for (const char *at = endpoint->name; *at; at++)
		g_assert(g_ascii_isalnum(*at) || strchr("-_.", *at));
	g_assert(inet_aton(endpoint->name, &number) == 0);
}

static void check_address(const SpkEndpoint *endpoint)
{
	char text[SPK_ENDPOINT_TEXT];
	SpkEndpoint again;

	spk_address_print(&endpoint->address, endpoint->port ? endpoint->port : 1, text);
	g_assert(spk_endpoint_parse(text, strlen(text), &again, NULL));
	g_assert(again.is_address &&
		 spk_address_equal(&again.address, &endpoint->address));
	g_assert(!spk_address_special(&endpoint->address) ==
		 !spk_address_special(&again.address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *rule = g_strndup((const char *)data, size);
	const char *const rules[] = { rule, NULL };
	g_autoptr(SpkAllow) allow = spk_allow_new(rules, NULL, NULL);
	g_autoptr(SpkAllow) addresses = spk_allow_new(NULL, rules, NULL);
	SpkEndpoint endpoint;

	if (addresses)
		g_assert(allow); /* an address with a port can be a rule of hosts, too */
	if (!spk_endpoint_parse((const char *)data, size, &endpoint, NULL))
		return 0;
	g_assert(allow);
	if (endpoint.is_address)
		check_address(&endpoint);
	else
		check_name(&endpoint);
	if (!endpoint.port)
		endpoint.port = 443;
	g_assert(spk_allow_host(allow, &endpoint));
	return 0;
}
