/* A conversation, whatever it holds (ids, names and arguments are a model's), as the request of
 * each wire: an object that can be written and read back; and sides take turns where they
 * must. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "llm/wire_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_turns(const json_t *turns)
{
	const json_t *turn;
	const char *before = "";
	gsize i;

	json_array_foreach(turns, i, turn) {
		const char *role = spk_json_str(turn, "role");

		g_assert(role && strcmp(role, before) != 0);
		g_assert(json_array_size(json_object_get(turn, "content")));
		before = role;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const SpkWire *const wires[] = { &spk_wire_chat, &spk_wire_responses,
						&spk_wire_messages, &spk_wire_ollama };
	g_autoptr(json_t)
		messages = spk_json_parse((const char *)data, size, 65536, NULL);
	SpkWireParams params = { .model = "m", .effort = "", .summary = "" };
	SpkLlmRequest request = { .messages = messages };

	if (!json_is_array(messages))
		return 0;
	for (gsize i = 0; i < G_N_ELEMENTS(wires); i++) {
		g_autoptr(json_t) body = wires[i]->body(&params, &request);
		g_autoptr(json_t) again = NULL;
		g_autofree char *text = NULL;

		g_assert(json_is_object(body));
		text = spk_json_dump(body);
		again = spk_json_parse(text, strlen(text), SPK_JSON_MAX, NULL);
		g_assert(again);
		if (wires[i] == &spk_wire_messages)
			check_turns(json_object_get(body, "messages"));
	}
	return 0;
}
