/*
 * Options of the reference program that have no effect in this version, in the shape of the
 * option table: they may stand in a file, are checked, and are named in a warning. Beside
 * them, without SPK_OPT_LATER, those of [[ghosts]] and [[prompt_scanner.mode_overrides]]:
 * table.c keeps these. "[]" in a
 * name stands for each table of a list: ghosts[].name is name in [[ghosts]].
 */
#include <string.h>

#include "base/text.h"
#include "conf/conf_priv.h"

#define ROW(name, type, fallback, min, max, choices, sentence)                   \
	{                                                                        \
		name, type, fallback, min, max, choices, SPK_OPT_LATER, sentence \
	}
/* of [[ghosts]], which have one */
#define GHOST(key, type, fallback, choices, sentence)                              \
	{                                                                          \
		"ghosts[]." key, type, fallback, 0, 0, choices, SPK_OPT_SENSITIVE, \
			sentence                                                   \
	}
/* of [[prompt_scanner.mode_overrides]], likewise */
#define MODES(key, type, fallback, choices, sentence)                                  \
	{                                                                              \
		"prompt_scanner.mode_overrides[]." key, type, fallback, 0, 0, choices, \
			SPK_OPT_SENSITIVE, sentence                                    \
	}
#define STR(name, fallback, sentence) \
	ROW(name, SPK_OPT_STRING, fallback, 0, 0, NULL, sentence)
#define PATH(name, fallback, sentence) \
	ROW(name, SPK_OPT_PATH, fallback, 0, 0, NULL, sentence)
#define BOOL(name, fallback, sentence) \
	ROW(name, SPK_OPT_BOOL, fallback, 0, 0, NULL, sentence)
#define ENUM(name, fallback, choices, sentence) \
	ROW(name, SPK_OPT_ENUM, fallback, 0, 0, choices, sentence)
#define INT(name, fallback, min, max, sentence) \
	ROW(name, SPK_OPT_INT, fallback, min, max, NULL, sentence)
#define REAL(name, fallback, min, max, sentence) \
	ROW(name, SPK_OPT_REAL, fallback, min, max, NULL, sentence)
#define LIST(name, fallback, sentence) \
	ROW(name, SPK_OPT_LIST, fallback, 0, 0, NULL, sentence)
#define PATTERNS(name, fallback, sentence) \
	ROW(name, SPK_OPT_PATTERNS, fallback, 0, 0, NULL, sentence)
#define DAY   86400
#define YEAR  (366.0 * DAY)
#define COUNT 1e9
#define BYTES 1e15

/* clang-format off */
static const SpkOpt rows[] = {
	INT("alerts.check_interval_secs", "30", 1, YEAR, "seconds between two looks at the alerts"),
	ENUM("alerts.delivery_channel", "log", "log|webhook|slack|teams", "where alerts go"),
	BOOL("alerts.enabled", "true", "raise alerts"),
	STR("alerts.min_severity", "info", "weakest alert that is delivered"),
	INT("alerts.silence_secs", "300", 0, YEAR, "time in which an equal alert isn't repeated"),
	STR("alerts.webhook_url", "", "address that alerts are posted to"),
	GHOST("allow", SPK_OPT_LIST, "[]", NULL, "hosts that its commands may reach besides box.allow: HOST[:PORT], *.HOST[:PORT]"),
	GHOST("auto_approve_patterns", SPK_OPT_PATTERNS, "[]", NULL, "commands of this spark that need no yes, besides manager.auto_approve_patterns"),
	{ "ghosts[].autonomy", SPK_OPT_ENUM, "inherit", 0, 0, "inherit|observe|propose|assist|deliver|autonomous|0|1|2|3|4",
	  SPK_OPT_SENSITIVE | SPK_OPT_NUMBERS, "level of the spark, instead of autonomy.level" },
	GHOST("deny_patterns", SPK_OPT_PATTERNS, "[]", NULL, "commands that this spark never runs, besides manager.deny_patterns"),
	GHOST("description", SPK_OPT_STRING, "", NULL, "what the spark is for, in a sentence"),
	GHOST("image", SPK_OPT_STRING, "", NULL, "image of its containers in the tier docker, instead of docker.image"),
	GHOST("mounts[].container_path", SPK_OPT_STRING, "", NULL, "where it is seen inside; empty: at the same path"),
	GHOST("mounts[].host_path", SPK_OPT_STRING, "", NULL, "folder or file of this machine that the spark's commands are given"),
	GHOST("mounts[].read_only", SPK_OPT_BOOL, "false", NULL, "whether it can only be read; checks of a result always only read it"),
	GHOST("name", SPK_OPT_STRING, "", NULL, "name of the spark"),
	GHOST("role", SPK_OPT_ENUM, "worker", "coordinator|coder|critic|worker", "part that the spark plays"),
	GHOST("skill_file", SPK_OPT_STRING, "", NULL, "Markdown with a skill, put into the system prompt"),
	GHOST("skill_files", SPK_OPT_LIST, "[]", NULL, "more of these"),
	GHOST("soul_file", SPK_OPT_STRING, "", NULL, "Markdown that begins the system prompt"),
	GHOST("strategy", SPK_OPT_ENUM, "react", "react|code", "how the spark works"),
	GHOST("tools", SPK_OPT_LIST, "[]", NULL, "tools that the spark may use"),
	BOOL("heartbeat.enabled", "false", "think without being asked, now and then"),
	INT("heartbeat.interval_secs", "1800", 1, YEAR, "seconds between two heartbeats"),
	REAL("heartbeat.jitter", "0.2", 0, 1, "part of the interval that is left to chance"),
	STR("heartbeat.soul_file", "", "Markdown for the heartbeat's prompt"),
	INT("initiative.quiet_hours_end", "", 0, 24, "hour at which quiet ends; empty: none"),
	INT("initiative.quiet_hours_start", "", 0, 24, "hour at which quiet begins; empty: none"),
	REAL("initiative.tolerance", "0.5", 0, 1, "how readily something is begun unasked"),
	STR("langfuse.base_url", "", "address of the Langfuse server"),
	BOOL("langfuse.enabled", "", "send traces; empty: when LANGFUSE_PUBLIC_KEY is set"),
	REAL("leaderboard.ab_test_fraction", "0.1", 0, 1, "part of the tasks that the spark on trial gets"),
	STR("leaderboard.ab_test_ghost", "", "spark on trial"),
	BOOL("leaderboard.enabled", "true", "compare sparks by their results"),
	INT("leaderboard.min_samples_for_recommendation", "50", 0, COUNT, "tasks before one is recommended"),
	REAL("leaderboard.promotion_threshold", "0.10", 0, 1, "lead that a spark needs to be promoted"),
	STR("manager.dynamic_tools_path", "", "folder with tools of one's own"),
	INT("mcp.discovery_ttl_secs", "60", 0, YEAR, "time for which a server's list of tools is kept"),
	BOOL("mcp.enabled", "false", "use tools of MCP servers"),
	LIST("mcp.servers[].allowed_tools", "[]", "tools that may be used; empty: none, *: all"),
	LIST("mcp.servers[].args", "[]", "arguments of the command"),
	STR("mcp.servers[].command", "", "program to start; needed with stdio"),
	BOOL("mcp.servers[].enabled", "true", "use this server"),
	LIST("mcp.servers[].env", "[]", "names of variables that are passed on"),
	STR("mcp.servers[].name", "", "name of the server; needed"),
	INT("mcp.servers[].reconnect_delay_secs", "5", 0, YEAR, "pause before a new connection"),
	BOOL("mcp.servers[].requires_confirmation", "false", "ask before each call"),
	INT("mcp.servers[].timeout_secs", "30", 1, YEAR, "time of one call"),
	ENUM("mcp.servers[].transport", "stdio", "stdio|sse|websocket", "how the server is reached"),
	INT("mood.drift_interval_secs", "900", 1, YEAR, "seconds between two changes of mood"),
	BOOL("mood.enabled", "false", "have a mood"),
	REAL("mood.timezone_offset", "0", -24, 24, "hours from UTC"),
	STR("openai.auth_file", "~/.sparks/openai.json", "tokens of a ChatGPT subscription; we take OPENAI_API_KEY"),
	LIST("openai.include", "[]", "more parts of an answer to ask for (responses)"),
	STR("openai.redirect_uri", "", "where signing in to a subscription comes back to"),
	LIST("openai_api.advertised_models", "[]", "models that our server lists"),
	STR("openai_api.api_key_env", "SPARKS_OPENAI_API_KEY", "variable with the key that clients show"),
	STR("openai_api.bind", "127.0.0.1:8787", "address and port of our server"),
	INT("openai_api.burst", "30", 0, COUNT, "requests that may come at once"),
	BOOL("openai_api.enabled", "false", "serve the OpenAI API"),
	STR("openai_api.principal", "self", "who clients act for"),
	INT("openai_api.requests_per_minute", "120", 0, COUNT, "requests of a client per minute"),
	BOOL("proactive.enabled", "false", "begin a talk unasked"),
	INT("proactive.idle_threshold_secs", "1800", 0, YEAR, "silence before that"),
	INT("proactive.memory_scan_interval_secs", "3600", 1, YEAR, "seconds between two looks at the memories"),
	INT("proactive.reentry_delay_secs", "7200", 0, YEAR, "pause before a subject is taken up again"),
	REAL("proactive.reentry_jitter", "0.7", 0, 1, "part of that pause that is left to chance"),
	REAL("proactive.spontaneity", "0.3", 0, 1, "how often something is said"),
	MODES("mode", SPK_OPT_ENUM, "flag_only", "flag_only|block", "mode for these texts"),
	MODES("provider", SPK_OPT_STRING, "", NULL, "where they come from: operator, chat, repository, github, ...; empty: anywhere"),
	MODES("repo", SPK_OPT_STRING, "", NULL, "repository that they belong to, by its name or path; empty: any"),
	ENUM("runtime.profile", "standard", "standard|container_strict|local_only|self_dev_trusted", "set of rules; ours are those of container_strict"),
	BOOL("self_dev.code_indexer_enabled", "false", "keep an index of the code"),
	INT("self_dev.code_indexer_interval_secs", "14400", 1, YEAR, "seconds between two indexings"),
	BOOL("self_dev.enabled", "false", "let the program work on itself"),
	INT("self_dev.metrics_interval_secs", "30", 1, YEAR, "seconds between two measurements"),
	BOOL("self_dev.refactoring_scan_enabled", "false", "look for code to put in order"),
	INT("self_dev.refactoring_scan_interval_secs", "21600", 1, YEAR, "seconds between two such looks"),
	LIST("self_dev.trusted_repos", "[]", "repositories that may be worked on"),
	BOOL("slack.allow_all", "false", "answer in every channel"),
	LIST("slack.allowed_channels", "[]", "channels to answer in"),
	INT("slack.confirm_timeout_secs", "300", 1, YEAR, "time for a yes"),
	STR("slack.events_api_bind", "127.0.0.1:3000", "address and port for events"),
	ENUM("slack.mode", "socket", "socket|events_api", "how messages arrive"),
	BOOL("slack.planning_auto", "true", "plan where it seems useful"),
	BOOL("slack.planning_enabled", "true", "plan before work"),
	INT("slack.planning_timeout_secs", "900", 1, YEAR, "time for a plan"),
	STR("slack.provider", "", "provider for Slack; empty: llm.provider"),
	BOOL("slack.thread_replies", "true", "answer in threads"),
	BOOL("snapshot.enabled", "false", "keep copies of the work"),
	LIST("snapshot.exclude", "[\"target/\", \".git/\", \".worktrees/\", \"*.db\", \"*.log\"]", "what a copy leaves out"),
	LIST("snapshot.include", "[\".\"]", "what a copy holds"),
	INT("snapshot.max_snapshots", "20", 0, COUNT, "copies that are kept"),
	INT("snapshot.max_workspace_mb", "50", 0, COUNT, "largest work that is copied"),
	PATH("snapshot.snapshot_dir", "~/.sparks/snapshots", "folder of the copies"),
	BOOL("sonarqube.block_on_failure", "true", "a failed gate stops the work"),
	INT("sonarqube.gate_timeout_secs", "120", 1, YEAR, "time for the gate"),
	STR("sonarqube.organization", "", "organization there"),
	INT("sonarqube.poll_interval_secs", "5", 1, YEAR, "seconds between two looks at the gate"),
	STR("sonarqube.project_key", "", "project there"),
	STR("sonarqube.server_url", "https://sonarcloud.io", "address of the server"),
	BOOL("teams.allow_all_tenants", "false", "answer every tenant"),
	LIST("teams.allowed_tenants", "[]", "tenants to answer"),
	STR("teams.bind_addr", "0.0.0.0:3979", "address and port for messages"),
	INT("teams.confirm_timeout_secs", "300", 1, YEAR, "time for a yes"),
	BOOL("teams.planning_auto", "true", "plan where it seems useful"),
	BOOL("teams.planning_enabled", "true", "plan before work"),
	INT("teams.planning_timeout_secs", "900", 1, YEAR, "time for a plan"),
	STR("teams.provider", "", "provider for Teams; empty: llm.provider"),
	INT("teams.rate_limit_secs", "5", 0, YEAR, "seconds between two messages of a person"),
	BOOL("teams.skip_auth", "false", "believe every sender"),
	BOOL("telegram.allow_all", "false", "answer in every chat"),
	{ "telegram.allowed_chats", SPK_OPT_LIST, "[]", 0, 0, NULL, SPK_OPT_LATER | SPK_OPT_NUMBERS, "chats to answer in" },
	INT("telegram.confirm_timeout_secs", "300", 1, YEAR, "time for a yes"),
	BOOL("telegram.planning_auto", "true", "plan where it seems useful"),
	BOOL("telegram.planning_enabled", "true", "plan before work"),
	INT("telegram.planning_timeout_secs", "900", 1, YEAR, "time for a plan"),
	STR("telegram.provider", "", "provider for Telegram; empty: llm.provider"),
	STR("telegram.stt_model", "", "model that writes down speech"),
	STR("telegram.stt_url", "", "address of the service that does"),
	BOOL("ticket_intake.ci_autopilot.auto_merge", "true", "merge what passed"),
	BOOL("ticket_intake.ci_autopilot.enabled", "true", "watch the checks of pull requests"),
	BOOL("ticket_intake.ci_autopilot.heal", "true", "work on failed checks"),
	INT("ticket_intake.ci_autopilot.max_heal_attempts", "2", 0, COUNT, "times that is tried"),
	INT("ticket_intake.ci_autopilot.poll_interval_secs", "45", 1, YEAR, "seconds between two looks"),
	INT("ticket_intake.ci_autopilot.timeout_secs", "1200", 1, YEAR, "time for the checks"),
	BOOL("ticket_intake.enabled", "false", "take tasks from tickets"),
	BOOL("ticket_intake.mock_dispatch", "false", "only say what would be begun"),
	INT("ticket_intake.poll_interval_secs", "300", 1, YEAR, "seconds between two looks"),
	STR("ticket_intake.sources[].api_base", "", "address of the provider's API"),
	STR("ticket_intake.sources[].email_env", "", "variable with the account's address"),
	STR("ticket_intake.sources[].filter_label", "sparks", "label of the tickets to take"),
	ENUM("ticket_intake.sources[].provider", "", "github|gitlab|linear|jira", "where the tickets are; needed"),
	STR("ticket_intake.sources[].repo", "", "repository or project there; needed"),
	STR("ticket_intake.sources[].token_env", "", "variable with the token"),
	STR("ticket_intake.webhook.bind", "127.0.0.1:8765", "address and port for webhooks"),
	BOOL("ticket_intake.webhook.enabled", "false", "let providers call us"),
	STR("ticket_intake.webhook.github_secret_env", "", "variable with GitHub's secret"),
	STR("ticket_intake.webhook.gitlab_secret_env", "", "variable with GitLab's secret"),
	STR("ticket_intake.webhook.jira_secret_env", "", "variable with Jira's secret"),
	STR("ticket_intake.webhook.linear_secret_env", "", "variable with Linear's secret"),
	{ NULL },
};
/* clang-format on */

const SpkOpt *spk_conf_later_options(void)
{
	return rows;
}

char *spk_conf_row_name(const char *key)
{
	GString *name = g_string_new(NULL);

	for (; *key; key++) {
		g_string_append_c(name, *key);
		if (*key == '[')
			key += strspn(key + 1, "0123456789");
	}
	return g_string_free(name, FALSE);
}

const SpkOpt *spk_conf_find_later(const char *key)
{
	g_autofree char *name = spk_conf_row_name(key);

	for (const SpkOpt *opt = rows; opt->name; opt++)
		if (!strcmp(opt->name, name))
			return opt;
	return NULL;
}

static gboolean begins_section(const char *name, const char *section, gsize len)
{
	return !strncmp(name, section, len) && (name[len] == '.' || name[len] == '[');
}

gboolean spk_conf_is_later_section(const char *key)
{
	g_autofree char *name = spk_conf_row_name(key);

	for (const SpkOpt *opt = rows; opt->name; opt++)
		if (begins_section(opt->name, name, strlen(name)))
			return TRUE;
	return FALSE;
}
