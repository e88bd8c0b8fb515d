/* Reading the neutral form of messages (llm.h), for wires that have another. */
#ifndef SPK_LLM_MESSAGES_PRIV_H
#define SPK_LLM_MESSAGES_PRIV_H

#include <glib.h>
#include <jansson.h>

/* FALSE and BAD_INPUT when there is more in a message than text: a picture, a sound. No wire
 * carries them in this version, and a model that doesn't see them guesses. */
gboolean spk_messages_check(const json_t *messages, GError **error);
/* The text of a message: its content, or the texts of its parts joined; "" when none. */
char *spk_message_text(const json_t *message);
/* messages[0] is the system prompt: its text; and from where the rest begins (0 or 1). */
char *spk_message_system(const json_t *messages, gsize *ret_rest);
/* The arguments of one of "tool_calls" as an object; what isn't one stands in it as "text",
 * as a model once wrote it. */
json_t *spk_message_arguments(const json_t *call);
/* The function's name of a call, never NULL. */
const char *spk_message_call_name(const json_t *call);

#endif
