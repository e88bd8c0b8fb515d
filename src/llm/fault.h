/*
 * What a server says went wrong, in the many forms there are, turned into
 * one error of ours.
 */
#ifndef SPK_LLM_FAULT_H
#define SPK_LLM_FAULT_H

#include <glib.h>
#include <jansson.h>

typedef struct {
	long status;   /* of HTTP; 0: unknown (an error inside a stream) */
	char *message; /* one clean line, bounded; never NULL after the parse */
	char *code;    /* "context_length_exceeded", ...; NULL */
	char *type;    /* "invalid_request_error", ...; NULL */
	char *param;   /* the parameter the server refuses; NULL */
} SpkFault;

/* `status` 0: taken from the body when it names one. Never fails: a body of unknown form
 * is its own message. */
void spk_fault_parse(SpkFault *fault, long status, const char *body, gsize len);
void spk_fault_parse_json(SpkFault *fault, long status, const json_t *body);
void spk_fault_clear(SpkFault *fault);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkFault, spk_fault_clear)

/* Whose fault it is: what the hints name. */
typedef struct {
	const char *section; /* of the configuration; NULL: no hints */
	const char *key;     /* variable of the key; NULL: none */
	const char *missing; /* more to do when the model is not there, or NULL */
	gboolean by_file;    /* the configuration alone names the model, no flag does */
} SpkFaultSource;

/* Sets the error; *ret_retry_after_s becomes SPK_RETRY_NEVER where the code alone would
 * let it be tried again. */
void spk_fault_to_error(const SpkFault *fault, const SpkFaultSource *source,
			double *ret_retry_after_s, GError **error);

#endif
