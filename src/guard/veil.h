/*
 * The process's own redaction: values of its environment that hold secrets by their name, and
 * all that spk_veil_learn() was told. Made when it is first needed, and anew when a value came.
 */
#ifndef SPK_GUARD_VEIL_H
#define SPK_GUARD_VEIL_H

#include "guard/redact.h"

/* For a whole program: puts it before log and journal (base/veil.h), and keeps the key of the tags
 * in SPARKS_HOME/redact.key, so that a text has the same tag in each process; without that they
 * last as long as the process. Nothing is made yet. Before threads are there. */
void spk_guard_veil(void);
/* Reads that key now: before SPARKS_HOME changes. */
void spk_guard_veil_key(void);
/* A new reference to what is in force. */
SpkRedact *spk_guard_redact(void);

#endif
