#include "store/states.h"

#include <string.h>

static const struct {
	const char *name;
	gboolean terminal;
	const char *successors;
} states[SPK_N_STATES] = {
#define X(sym, name, terminal, successors) \
	[SPK_STATE_##sym] = { name, terminal, successors },
	SPK_STATE_TABLE(X)
#undef X
};

static const char *const verdicts[SPK_N_VERDICTS] = {
#define X(sym, name) [SPK_VERDICT_##sym] = name,
	SPK_VERDICT_TABLE(X)
#undef X
};

const char *spk_state_name(SpkState state)
{
	g_assert((guint)state < SPK_N_STATES);
	return states[state].name;
}

gboolean spk_state_parse(const char *name, SpkState *ret_state)
{
	for (guint i = 0; i < SPK_N_STATES; i++) {
		if (strcmp(states[i].name, name) != 0)
			continue;
		*ret_state = (SpkState)i;
		return TRUE;
	}
	return FALSE;
}

gboolean spk_state_is_terminal(SpkState state)
{
	g_assert((guint)state < SPK_N_STATES);
	return states[state].terminal;
}

gboolean spk_state_may_follow(SpkState from, SpkState to)
{
	const char *name = spk_state_name(to);
	const char *word;

	g_assert((guint)from < SPK_N_STATES);
	for (word = states[from].successors; *word; word += strspn(word, " ")) {
		gsize len = strcspn(word, " ");

		if (len == strlen(name) && !strncmp(word, name, len))
			return TRUE;
		word += len;
	}
	return FALSE;
}

const char *spk_verdict_name(SpkVerdict verdict)
{
	g_assert((guint)verdict < SPK_N_VERDICTS);
	return verdicts[verdict];
}

gboolean spk_verdict_parse(const char *name, SpkVerdict *ret_verdict)
{
	for (guint i = 0; i < SPK_N_VERDICTS; i++) {
		if (strcmp(verdicts[i], name) != 0)
			continue;
		*ret_verdict = (SpkVerdict)i;
		return TRUE;
	}
	return FALSE;
}
