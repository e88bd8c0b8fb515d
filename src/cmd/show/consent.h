/*
 * Before a task's changes reach the user's folder. Saying `apply` is the operator's word for what
 * only that folder shows; files that run code elsewhere (CI, hooks, build scripts), and all of a
 * task that has read text from outside, need an answer to a question, which is on record.
 */
#ifndef SPK_CMD_CONSENT_H
#define SPK_CMD_CONSENT_H

#include "cmd/show/trail.h"
#include "store/store.h"

typedef enum {
	SPK_CONSENT_ASK,
	SPK_CONSENT_YES, /* -y: answers what only the level asks for, never what taint does */
	SPK_CONSENT_SAID, /* a person has just said so at a terminal, having seen the files */
} SpkConsent;

/* Names on stderr the files the task changed that run code elsewhere; returns how many. For who
 * asks about the whole change anyway. */
guint spk_consent_name_risky(const SpkTask *task);

/* FALSE, POLICY: a critic objects, so that nobody's files change unless they say so after that. */
gboolean spk_consent_unasked(const SpkTask *task, GError **error);

/* The decision, for spk_changes_apply(); asks at a terminal where it must. NULL: POLICY, refused;
 * APPROVAL, there is no terminal, and the question stands open. */
json_t *spk_consent_to_apply(SpkStore *store, const SpkTask *task, const SpkTrail *trail,
			     SpkConsent how, GError **error);

#endif
