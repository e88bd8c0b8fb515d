/* The judges of this room, joined. */
#include "guard/law.h"

#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "guard/guard.h"
#include "guard/path.h"
#include "guard/url.h"
#include "net/allow.h"

/* What an operator's rule for a command is about. */
#define OF_COMMANDS (SPK_DOES(COMMAND) | SPK_DOES(SENSITIVE) | SPK_DOES(UNKNOWN))
/* What somebody has approved who named the host, the key or the program. */
#define OF_NAMED     (SPK_DOES(EGRESS) | SPK_DOES(SECRET) | SPK_DOES(POST))
#define DEFAULT_PORT 443

struct SpkLaw {
	SpkLevel level;
	SpkCommandRules *rules;
	SpkAllow *allow;
	gboolean has_hosts;
	char **files;
};

SpkLaw *spk_law_new(const SpkLawSpec *spec, GError **error)
{
	g_autoptr(SpkLaw) law = g_new0(SpkLaw, 1);

	law->level = spec->level;
	law->files = g_strdupv((char **)spec->files);
	law->has_hosts = spec->hosts && spec->hosts[0];
	law->rules =
		spk_command_rules_new(spec->sensitive, spec->allow, spec->deny, error);
	if (!law->rules)
		return NULL;
	law->allow = spk_allow_new(spec->hosts, spec->addresses, error);
	return law->allow ? g_steal_pointer(&law) : NULL;
}

void spk_law_free(SpkLaw *law)
{
	if (!law)
		return;
	g_clear_pointer(&law->rules, spk_command_rules_unref);
	g_clear_pointer(&law->allow, spk_allow_free);
	g_strfreev(law->files);
	g_free(law);
}

SpkLevel spk_law_level(const SpkLaw *law)
{
	return law->level;
}

void spk_law_view_clear(SpkLawView *view)
{
	spk_decision_clear(&view->decision);
	g_strfreev(view->hosts);
	g_free(view->normal);
	g_strfreev(view->made);
	g_strfreev(view->parts);
	g_free(view->offer);
	g_free(view->pattern);
	*view = (SpkLawView){ 0 };
}

/* One judgement under way. */
typedef struct {
	const SpkLaw *law;
	SpkLawView *view;
	SpkRisk risk;
	const char
		*lifted;   /* rule of the operator that lifts what is asked of commands */
	const char *named; /* … of those that send, or have a key */
	GStrvBuilder *hosts;
	SpkDecision asks; /* what the judge of commands says */
} Case;

static gboolean endpoint_of(const char *named, SpkEndpoint *ret)
{
	return strstr(named, "://") ? spk_url_endpoint(named, ret)
				    : spk_endpoint_parse(named, strlen(named), ret, NULL);
}

/* The sandbox has a loopback of its own. */
static gboolean is_loopback(const SpkEndpoint *endpoint)
{
	if (endpoint->is_address)
		return !g_strcmp0(spk_address_special(&endpoint->address), "loopback");
	return !strcmp(endpoint->name, "localhost") ||
	       g_str_has_suffix(endpoint->name, ".localhost");
}

static void add_host(GStrvBuilder *hosts, const SpkEndpoint *endpoint)
{
	gboolean usual = !endpoint->port || endpoint->port == 80 || endpoint->port == 443;
	const char *colon =
		endpoint->is_address && endpoint->address.family != AF_INET ? ":" : NULL;
	g_autofree char *name = colon ? g_strdup_printf("[%s]", endpoint->name)
				      : g_strdup(endpoint->name);
	g_autofree char *full = g_strdup_printf("%s:%u", name, endpoint->port);

	g_strv_builder_add(hosts, usual ? name : full);
}

/* One that is refused for what it is (a private address in another spelling) is refused; one that
 * nobody allowed is collected. TRUE: it is to be asked for. */
static gboolean judge_host(Case *at, const char *named)
{
	g_auto(SpkDecision) decision = { 0 };
	SpkEndpoint endpoint = { 0 };
	gboolean known = endpoint_of(named, &endpoint);

	if (strstr(named, "://"))
		spk_url_judge(named, at->law->allow, &decision);
	else
		spk_host_judge(named, DEFAULT_PORT, at->law->allow, &decision);
	if (decision.verdict == SPK_LAW_ALLOW) {
		at->named = "operator.allow";
		return FALSE;
	}
	if (known && is_loopback(&endpoint))
		return FALSE;
	/* "$URL" is no host: which one it is cannot be told, so it is asked */
	if (decision.verdict == SPK_LAW_DENY &&
	    (known || g_strcmp0(decision.rule, "url.form") != 0)) {
		spk_decision_join(&at->view->decision, &decision);
		return FALSE;
	}
	if (known)
		add_host(at->hosts, &endpoint);
	return TRUE;
}

static void copy_parts(const SpkCommandView *command, SpkLawView *view)
{
	g_autoptr(GStrvBuilder) parts = g_strv_builder_new();

	for (guint i = 0; command->parts && i < command->parts->len; i++)
		g_strv_builder_add(parts,
				   ((SpkCommandPart *)command->parts->pdata[i])->line);
	view->parts = g_strv_builder_end(parts);
}

/* A sensitive command that is so for what it reaches (curl) is as good as the hosts it names. */
static gboolean only_reaches(const SpkCommandView *command)
{
	gboolean found = FALSE;

	for (guint i = 0; i < command->parts->len; i++) {
		const SpkCommandPart *part = command->parts->pdata[i];

		if (part->decision.verdict != SPK_LAW_ASK)
			continue;
		if (!(part->does & SPK_DOES(EGRESS)) || part->does & SPK_DOES(UNKNOWN))
			return FALSE;
		found = TRUE;
	}
	return found;
}

/* What connects is about the hosts that it names: all of them allowed, it needs no question. One
 * that names none can reach, from the sandbox, only what the operator allowed, if anything. */
static void judge_hosts(Case *at, const SpkCommandView *command)
{
	const GPtrArray *urls = command->urls;
	gboolean asked = FALSE;

	for (guint i = 0; urls && i < urls->len; i++)
		asked |= judge_host(at, urls->pdata[i]);
	if (asked)
		at->view->does |= SPK_DOES(EGRESS);
	else if ((urls && urls->len) || at->law->has_hosts)
		at->view->does &= ~SPK_DOES(EGRESS);
	if (!asked && at->named && only_reaches(command))
		at->lifted = at->named;
}

/* The box has none of the user's; but no call may go for one, and what a command makes under such
 * a name is none of the tools' either. */
static void judge_files(Case *at, const SpkCommandView *command)
{
	const GPtrArray *files = command->files;

	for (guint i = 0; files && i < files->len; i++) {
		g_auto(SpkDecision) decision = { 0 };

		spk_path_judge_word(files->pdata[i], (const char *const *)at->law->files,
				    &decision);
		if (decision.verdict != SPK_LAW_ALLOW)
			spk_decision_join(&at->view->decision, &decision);
	}
}

static void judge_command(Case *at, const SpkLawCall *call)
{
	g_auto(SpkCommandView) command = { 0 };
	SpkLawView *view = at->view;

	spk_command_judge(at->law->rules, call->scripts, call->command, &command);
	view->does |= command.does;
	if (!command.read_only)
		view->does |= SPK_DOES(COMMAND);
	at->risk = MAX(at->risk, command.decision.risk);
	if (command.decision.verdict == SPK_LAW_ALLOW && command.pattern)
		at->lifted = "operator.rule";
	if (command.pattern)
		view->pattern = g_strdup(command.pattern);
	view->offer = g_strdup(command.offer);
	view->normal = g_strdup(command.normal);
	g_ptr_array_add(command.made, NULL);
	view->made = g_strdupv((char **)command.made->pdata);
	copy_parts(&command, view);
	judge_hosts(at, &command);
	judge_files(at, &command);
	/* what asks here says why in better words than the ladder; it counts when the ladder asks */
	at->asks = command.decision;
	command.decision = (SpkDecision){ 0 };
	if (at->asks.verdict == SPK_LAW_DENY)
		spk_decision_join(&view->decision, &at->asks);
}

static void judge_line(Case *at, const char *line)
{
	g_auto(SpkDecision) decision = { 0 };

	at->view->normal = spk_text_clean(line, -1, SPK_CLEAN_LINE);
	if (!spk_command_rules_try(at->law->rules, line, &decision, &at->view->pattern))
		return;
	if (decision.verdict == SPK_LAW_ALLOW)
		at->lifted = "operator.rule";
	else
		spk_decision_join(&at->view->decision, &decision);
}

static void judge_path(Case *at, const SpkLawCall *call)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge(call->path, call->write, (const char *const *)at->law->files,
		       &decision);
	if (decision.verdict != SPK_LAW_ALLOW)
		spk_decision_join(&at->view->decision, &decision);
	if (call->write && spk_guard_risky(call->path))
		at->risk = SPK_RISK_HIGH;
}

/* What the ladder says; `lifted` is the operator's rule that lifts what it would ask, or NULL. */
static void judge_level(Case *at, SpkDoesSet does, const char *lifted)
{
	g_auto(SpkDecision) decision = { 0 };

	if (!does)
		return;
	spk_ladder_judge(at->law->level, does, at->risk, &decision);
	if (decision.verdict != SPK_LAW_DENY && lifted)
		spk_decision_set(&decision, SPK_LAW_ALLOW, at->risk, lifted,
				 at->view->pattern, "the operator has allowed it", NULL);
	else if (decision.verdict == SPK_LAW_ASK && at->asks.verdict == SPK_LAW_ASK)
		spk_decision_join(&at->view->decision, &at->asks);
	if (decision.verdict != SPK_LAW_ALLOW || lifted)
		spk_decision_join(&at->view->decision, &decision);
}

static void judge_taint(Case *at, const SpkTaintMark *taint)
{
	g_auto(SpkDecision) decision = { 0 };

	if (!spk_taint_judge(taint, at->view->does, &decision))
		return;
	at->view->by_taint = TRUE;
	if (at->view->hosts[0])
		decision.what = g_strjoinv(", ", at->view->hosts);
	spk_decision_join(&at->view->decision, &decision);
}

void spk_law_judge(const SpkLaw *law, const SpkLawCall *call, const SpkTaintMark *taint,
		   SpkLawView *ret)
{
	g_autoptr(GStrvBuilder) hosts = g_strv_builder_new();
	Case at = { .law = law, .view = ret, .named = call->named, .hosts = hosts };

	spk_law_view_clear(ret);
	ret->does = call->does;
	if (call->command)
		judge_command(&at, call);
	else
		judge_line(&at, call->line);
	if (call->path)
		judge_path(&at, call);
	if (call->url && judge_host(&at, call->url))
		ret->does |= SPK_DOES(EGRESS);
	if (call->named)
		ret->does &= ~OF_NAMED;
	ret->hosts = g_strv_builder_end(hosts);
	judge_taint(
		&at,
		taint); /* first: of two that ask, the one that nothing lifts is told */
	judge_level(&at, ret->does & OF_COMMANDS, at.lifted);
	judge_level(&at, ret->does & ~OF_COMMANDS, NULL);
	spk_decision_clear(&at.asks);
	if (!ret->decision.rule && at.named)
		spk_decision_set(&ret->decision, SPK_LAW_ALLOW, at.risk, at.named, NULL,
				 "the operator has named it", NULL);
	else if (!ret->decision.rule)
		spk_ladder_judge(law->level, ret->does, at.risk, &ret->decision);
}
