/* Addresses of servers as a wire has them. */
#ifndef SPK_LLM_ADDRESS_PRIV_H
#define SPK_LLM_ADDRESS_PRIV_H

#include "llm/address.h"
#include "llm/wire_priv.h"

/* spk_address_form() of a wire. */
char *spk_address_complete(const char *url, const SpkWire *wire, const char *section,
			   GError **error);

#endif
