/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_LLM_H
#define TEST_LLM_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

#include "base/error.h"
#include "conf/conf.h"
#include "llm/llm.h"
#include "llm/wire_priv.h"

/* A configuration of "name=value" words, NULL-terminated. */
SpkConf *conf_of(const char *first, ...) G_GNUC_NULL_TERMINATED;
/* messages of a system prompt and a goal, then `turns` answers with a tool result each; one
 * tool named "shell". request_clear() frees both. */
SpkLlmRequest request_of(guint turns);
void request_clear(SpkLlmRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkLlmRequest, request_clear)

/* Takes pieces and restarts down as "piece|" and "<restart>". */
void note_piece(const char *piece, gpointer seen);
void note_restart(const char *why, gpointer seen);

/* What comes of `body`, fed in pieces of `step` bytes as turn 3: "text / id:name(arguments) ...
 * / finish / input,output,cached" (and ",cache_write" where that is known), or "CODE: message". */
char *stream_reply(const SpkWire *wire, const char *body, gsize step);

/* Sleeping takes no time and is added up in *ret_slept_ms (a list of gint64). */
void use_fast_clock(GArray *slept_ms);
void use_real_clock(void);

#define assert_error(error, code_, words)                                            \
	do {                                                                         \
		if (!spk_error_is(error, code_) || !strstr((error)->message, words)) \
			fail_msg("wanted \"%s\", got %s", words,                     \
				 (error) ? (error)->message : "no error");           \
	} while (0)

#define TESTS(room)                                    \
	extern const struct CMUnitTest room##_tests[]; \
	extern const size_t n_##room##_tests
TESTS(play);
TESTS(stream);
TESTS(wires);
TESTS(bodies);
TESTS(textcall);
TESTS(providers);
TESTS(fault);
TESTS(script);
TESTS(server);
#endif
