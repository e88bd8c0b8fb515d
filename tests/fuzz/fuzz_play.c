/* Plays: what the parser accepts can be played to its end. */
#include <glib.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "llm/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play_through(const SpkPlay *play)
{
	g_autoptr(json_t) messages = json_pack("[{s:s,s:s},{s:s,s:[{s:s}]},{}]", "role",
					       "system", "content", "s", "role", "tool",
					       "content", "text", "result");
	SpkLlmRequest request = { .messages = messages };

	g_assert(spk_json_int(spk_play_header(play), "play", 0) == 1);
	for (guint turn = 0; turn < spk_play_turns(play); turn++) {
		g_autoptr(GError) error = NULL;

		g_assert(json_is_object(spk_play_say(play, turn)));
		request.turn = turn;
		if (!spk_play_check(play, turn, &request, &error))
			g_assert(spk_error_is(error, SPK_ERR_REPLAY_DIFFERS));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkPlay)
		play = spk_play_parse((const char *)data, size, "fuzz", &error);

	if (play)
		play_through(play);
	else
		g_assert(spk_error_is(error, SPK_ERR_BAD_INPUT));
	return 0;
}
