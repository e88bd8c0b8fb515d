/*
 * What a chat completions server says went wrong, in the many forms there are, turned into
 * one error of ours.
 */
#ifndef SPK_LLM_CHAT_ERROR_PRIV_H
#define SPK_LLM_CHAT_ERROR_PRIV_H

#include <glib.h>
#include <jansson.h>

typedef struct {
	long status;   /* of HTTP; 0: unknown (an error inside a stream) */
	char *message; /* one clean line, bounded; never NULL after the parse */
	char *code;    /* "context_length_exceeded", ...; NULL */
	char *type;    /* "invalid_request_error", ...; NULL */
	char *param;   /* the parameter the server refuses; NULL */
} SpkChatFault;

/* `status` 0: taken from the body when it names one. Never fails: a body of unknown form
 * is its own message. */
void spk_chat_fault_parse(SpkChatFault *fault, long status, const char *body, gsize len);
void spk_chat_fault_parse_json(SpkChatFault *fault, long status, const json_t *body);
void spk_chat_fault_clear(SpkChatFault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkChatFault, spk_chat_fault_clear)

/* Sets the error; *ret_retry_after_s becomes SPK_RETRY_NEVER where the code alone would
 * let it be tried again. */
void spk_chat_fault_to_error(const SpkChatFault *fault, double *ret_retry_after_s,
			     GError **error);

#endif
