/* [persona]: files that go into the prompt of every spark. */
#ifndef SPK_AGENT_PERSONA_H
#define SPK_AGENT_PERSONA_H

#include "agent/agent.h"

typedef struct {
	struct {
		char *text, *path; /* NULL: not set */
	} soul, self, tools;
} SpkPersona;

/* CONFIG with the place of the option. */
gboolean spk_persona_read(const SpkConf *conf, SpkPersona *ret_persona, GError **error);
void spk_persona_clear(SpkPersona *persona);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkPersona, spk_persona_clear)

/* The spark's prompt becomes: soul (but where the spark has a soul_file of its own), self, its
 * own words, tools. */
void spk_persona_apply(const SpkPersona *persona, SpkSpark *spark);

#endif
