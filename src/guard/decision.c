/* Names and values of decisions. */
#include "guard/decision.h"

#include <string.h>

#include "base/json.h"

#define X(sym, name) name,
static const char *const law_names[] = { SPK_LAW_TABLE(X) };
static const char *const risk_names[] = { SPK_RISK_TABLE(X) };
static const char *const taint_names[] = { SPK_TAINT_TABLE(X) };
static const char *const does_names[] = { SPK_DOES_TABLE(X) };
#undef X

static const char *name_of(const char *const *names, guint n, guint value)
{
	return value < n ? names[value] : "?";
}

/* The place of `name`, or -1. */
static int place_of(const char *const *names, guint n, const char *name)
{
	for (guint i = 0; name && i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

const char *spk_law_name(SpkLawVerdict verdict)
{
	return name_of(law_names, G_N_ELEMENTS(law_names), verdict);
}

const char *spk_risk_name(SpkRisk risk)
{
	return name_of(risk_names, G_N_ELEMENTS(risk_names), risk);
}

const char *spk_taint_name(SpkTaint taint)
{
	return name_of(taint_names, G_N_ELEMENTS(taint_names), taint);
}

const char *spk_does_name(SpkDoes does)
{
	return name_of(does_names, G_N_ELEMENTS(does_names), does);
}

gboolean spk_law_parse(const char *name, SpkLawVerdict *ret)
{
	int at = place_of(law_names, G_N_ELEMENTS(law_names), name);

	*ret = at < 0 ? SPK_LAW_DENY : (SpkLawVerdict)at;
	return at >= 0;
}

gboolean spk_risk_parse(const char *name, SpkRisk *ret)
{
	int at = place_of(risk_names, G_N_ELEMENTS(risk_names), name);

	*ret = at < 0 ? SPK_RISK_HIGH : (SpkRisk)at;
	return at >= 0;
}

gboolean spk_taint_parse(const char *name, SpkTaint *ret)
{
	int at = place_of(taint_names, G_N_ELEMENTS(taint_names), name);

	*ret = at < 0 ? SPK_TAINT_OUTSIDE : (SpkTaint)at;
	return at >= 0;
}

void spk_decision_clear(SpkDecision *decision)
{
	g_free(decision->rule);
	g_free(decision->what);
	g_free(decision->why);
	g_free(decision->hint);
	*decision = (SpkDecision){ 0 };
}

void spk_decision_set(SpkDecision *decision, SpkLawVerdict verdict, SpkRisk risk,
		      const char *rule, const char *what, const char *why,
		      const char *hint)
{
	SpkDecision made = { verdict,	     risk,	    g_strdup(rule),
			     g_strdup(what), g_strdup(why), g_strdup(hint) };

	spk_decision_clear(decision);
	*decision = made;
}

void spk_decision_join(SpkDecision *decision, SpkDecision *other)
{
	gboolean stricter =
		other->verdict > decision->verdict ||
		(other->verdict == decision->verdict && other->risk > decision->risk);

	if (stricter || (!decision->rule && other->verdict == decision->verdict)) {
		spk_decision_clear(decision);
		*decision = *other;
		*other = (SpkDecision){ 0 };
	}
	spk_decision_clear(other);
}

json_t *spk_decision_to_json(const SpkDecision *decision)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "verdict",
			 spk_law_name(decision->verdict), "risk",
			 spk_risk_name(decision->risk), "rule",
			 spk_json_text(decision->rule), "what",
			 spk_json_text(decision->what), "why",
			 spk_json_text(decision->why), "hint",
			 spk_json_text(decision->hint));
}

gboolean spk_decision_from_json(const json_t *json, SpkDecision *ret)
{
	SpkLawVerdict verdict;
	SpkRisk risk;

	spk_decision_clear(ret);
	if (!spk_law_parse(spk_json_str(json, "verdict"), &verdict) ||
	    !spk_risk_parse(spk_json_str(json, "risk"), &risk))
		return FALSE;
	spk_decision_set(ret, verdict, risk, spk_json_str(json, "rule"),
			 spk_json_str(json, "what"), spk_json_str(json, "why"),
			 spk_json_str(json, "hint"));
	return TRUE;
}
