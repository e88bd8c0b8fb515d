/*
 * Where a provider's requests go and what they carry, as the configuration says: address, key,
 * wire, model and its limits. Nobody is contacted.
 */
#ifndef SPK_LLM_ENDPOINT_PRIV_H
#define SPK_LLM_ENDPOINT_PRIV_H

#include "llm/wire_priv.h"

typedef struct {
	const SpkWire *wire;
	SpkFaultSource source;
	SpkModelInfo info; /* its strings are of the two that follow */
	char *model, *shown;
	char *base; /* of the requests; may hold a password, which `shown` doesn't */
	char *key;  /* "": none */
	char *key_header; /* NULL without a key */
	SpkConf *conf;	  /* holds the two that follow */
	const char *effort, *summary;
	double temperature;
	gint64 connect_ms, first_byte_ms, idle_ms;
	guint quirks; /* of the model, by its name */
	gboolean tells_cost;
} SpkEndpoint;

/* See SpkProviderImpl. */
gboolean spk_endpoint_describe(const SpkProvider *row, SpkConf *conf,
			       SpkProviderState *ret_state, GError **error);
/* Base address and key ("": none) alone, whatever the model; NULL: CONFIG. */
const SpkWire *spk_endpoint_find(const SpkProvider *row, SpkConf *conf, char **ret_base,
				 char **ret_key, GError **error);
/* FALSE and CONFIG when something is missing; spk_endpoint_clear() either way. */
gboolean spk_endpoint_init(SpkEndpoint *end, const SpkProvider *row, SpkConf *conf,
			   const char *model, GError **error);
void spk_endpoint_clear(SpkEndpoint *end);

/* The hint of "no model is configured". */
extern const char *const spk_endpoint_ways_on;

#endif
