#include "tool/cli_table.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

#define MODEL_MAX 200

static void add(GPtrArray *list, const char *text)
{
	g_ptr_array_add(list, g_strdup(text));
}

static void add_all(GPtrArray *list, const char *const *texts)
{
	for (; *texts; texts++)
		add(list, *texts);
}

static void set(GPtrArray *env, const char *name, const char *value)
{
	g_ptr_array_add(env, g_strconcat(name, "=", value, NULL));
}

/* It becomes a word of a command line. */
static gboolean check_model(const char *model, GError **error)
{
	gsize len = strlen(model);

	if (len <= MODEL_MAX && model[0] != '-' &&
	    strspn(model, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			  "._:/@[]+-") == len)
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFIG, "as in --cli-model claude-sonnet-4-5",
		      "\"%.60s\" is not the name of a model", model);
	return FALSE;
}

/* ---- Claude Code ---- */

static gboolean choose_claude(SpkConf *conf, const char *wanted, char **ret_provider,
			      char **ret_model, GError **error)
{
	(void)conf;
	if (wanted && !check_model(wanted, error))
		return FALSE;
	*ret_provider = g_strdup("anthropic");
	*ret_model = g_strdup(wanted);
	return TRUE;
}

/* The box is the wall, so it need not ask for permission; IS_SANDBOX says so where it is root. */
static void build_claude(const CliCall *call, GPtrArray *argv, GPtrArray *env)
{
	static const char *const words[] = {
		"--print",
		"--output-format",
		"stream-json",
		"--verbose",
		"--dangerously-skip-permissions",
		"--strict-mcp-config",
		NULL,
	};

	add_all(argv, words);
	if (call->model) {
		add(argv, "--model");
		add(argv, call->model);
	}
	if (call->usd > 0) {
		add(argv, "--max-budget-usd");
		g_ptr_array_add(argv, g_strdup_printf("%.6f", call->usd));
	}
	set(env, "ANTHROPIC_BASE_URL", call->url);
	set(env, "ANTHROPIC_API_KEY", call->placeholder);
	set(env, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
	set(env, "CLAUDE_CODE_MAX_RETRIES", "3");
	set(env, "DISABLE_AUTOUPDATER", "1");
	set(env, "IS_SANDBOX", "1");
}

static const Cli claude_code = {
	.tool = "claude_code",
	.program = "claude",
	.title = "Claude Code",
	.bounds_usd = TRUE,
	.drops = "/v1",
	.failures_max = 8,
	.event = cli_event_claude,
	.choose = choose_claude,
	.build = build_claude,
};

/* ---- Codex ---- */

static gboolean choose_codex(SpkConf *conf, const char *wanted, char **ret_provider,
			     char **ret_model, GError **error)
{
	const char *model = wanted ? wanted : spk_conf_str(conf, "openai.model");

	if (!check_model(model, error))
		return FALSE;
	*ret_provider = g_strdup("openai");
	*ret_model = g_strdup(model);
	return TRUE;
}

/* Its own sandbox needs user namespaces, which the box has none of. */
static void build_codex(const CliCall *call, GPtrArray *argv, GPtrArray *env)
{
	static const char *const words[] = {
		"exec",
		"--json",
		"--skip-git-repo-check",
		"--dangerously-bypass-approvals-and-sandbox",
		"--color",
		"never",
		"-c",
		"model_provider=\"sparks\"",
		"-c",
		NULL,
	};

	add_all(argv, words);
	g_ptr_array_add(argv,
			g_strdup_printf("model_providers.sparks={name=\"sparks\","
					"base_url=\"%s\",env_key=\"SPARKS_PLACEHOLDER\","
					"wire_api=\"responses\",request_max_retries=2,"
					"stream_max_retries=2}",
					call->url));
	add(argv, "-m");
	add(argv, call->model);
	add(argv, "-"); /* the prompt is on stdin */
	set(env, "SPARKS_PLACEHOLDER", call->placeholder);
}

static const Cli codex = {
	.tool = "codex",
	.program = "codex",
	.title = "Codex",
	.failures_max = 8,
	.event = cli_event_codex,
	.choose = choose_codex,
	.build = build_codex,
};

/* ---- opencode ---- */

/* Providers that it can be pointed at, and the part of it that speaks their protocol. */
static const struct {
	const char *provider, *model; /* option of the default */
	const char *style, *package;
} servers[] = {
	{ "zen", "zen.model", "chat_completions", "@ai-sdk/openai-compatible" },
	{ "openai", "openai.model", "chat_completions", "@ai-sdk/openai-compatible" },
	{ "openai", "openai.model", "responses", "@ai-sdk/openai" },
	{ "anthropic", "anthropic.model", "messages", "@ai-sdk/anthropic" },
	{ "openrouter", "openrouter.model", "chat_completions",
	  "@ai-sdk/openai-compatible" },
};

static gsize server_of(const char *provider, gsize len)
{
	gsize i = 0;

	while (i < G_N_ELEMENTS(servers) &&
	       (strncmp(servers[i].provider, provider, len) != 0 ||
		servers[i].provider[len]))
		i++;
	return i;
}

/* "anthropic/claude-sonnet-4-5", or a model of [llm] provider. */
static gboolean choose_opencode(SpkConf *conf, const char *wanted, char **ret_provider,
				char **ret_model, GError **error)
{
	const char *provider = spk_conf_str(conf, "llm.provider");
	const char *slash = wanted ? strchr(wanted, '/') : NULL;
	const char *model = wanted;
	gsize i = slash ? server_of(wanted, (gsize)(slash - wanted))
			: G_N_ELEMENTS(servers);

	if (i < G_N_ELEMENTS(servers))
		model = slash + 1;
	else
		i = server_of(provider, strlen(provider));
	if (i == G_N_ELEMENTS(servers))
		i = 0;
	if (!model)
		model = spk_conf_str(conf, servers[i].model);
	if (!*model) {
		spk_error_set(error, SPK_ERR_CONFIG,
			      "--cli-model PROVIDER/MODEL, or set it in the "
			      "configuration",
			      "opencode needs a model: neither --cli-model nor %s names "
			      "one",
			      servers[i].model);
		return FALSE;
	}
	if (!check_model(model, error))
		return FALSE;
	*ret_provider = g_strdup(servers[i].provider);
	*ret_model = g_strdup(model);
	return TRUE;
}

static const char *package_of(const CliCall *call)
{
	gsize i = server_of(call->provider, strlen(call->provider));

	g_assert(i < G_N_ELEMENTS(servers)); /* choose_opencode() has it from there */
	if (!strcmp(call->style, "responses") && !strcmp(call->provider, "openai"))
		return "@ai-sdk/openai";
	return servers[i].package;
}

static char *opencode_config(const CliCall *call)
{
	g_autofree char *model = g_strconcat("sparks/", call->model, NULL);
	g_autoptr(json_t) models = json_object();
	g_autoptr(json_t) config = NULL;

	spk_json_set(models, call->model, json_pack("{s:s}", "name", call->model));
	config = json_pack("{s:{s:{s:s,s:s,s:{s:s,s:s},s:O}},s:s,s:s,s:s,s:b,s:[s],s:s}",
			   "provider", "sparks", "npm", package_of(call), "name",
			   "sparks", "options", "baseURL", call->url, "apiKey",
			   call->placeholder, "models", models, "model", model,
			   "small_model", model, "share", "disabled", "autoupdate", 0,
			   "enabled_providers", "sparks", "permission", "allow");
	return spk_json_dump(config);
}

/* With a title it does not ask a model for one. Its updates and plugins are not to be had. */
static void build_opencode(const CliCall *call, GPtrArray *argv, GPtrArray *env)
{
	static const char *const words[] = {
		"run",		"--format",    "json",	"--title", "sparks", "--pure",
		"--print-logs", "--log-level", "ERROR", "-m",	   NULL,
	};
	static const char *const off[] = {
		"OPENCODE_DISABLE_AUTOUPDATE",
		"OPENCODE_DISABLE_DEFAULT_PLUGINS",
		"OPENCODE_DISABLE_LSP_DOWNLOAD",
		"OPENCODE_DISABLE_MODELS_FETCH",
	};
	g_autofree char *config = opencode_config(call);

	add_all(argv, words);
	g_ptr_array_add(argv, g_strconcat("sparks/", call->model, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(off); i++)
		set(env, off[i], "1");
	set(env, "OPENCODE_CONFIG_CONTENT", config);
	set(env, "npm_config_offline", "true");
	set(env, "npm_config_fetch_retries", "0");
}

static const Cli opencode = {
	.tool = "opencode",
	.program = "opencode",
	.title = "opencode",
	.failures_max = 3, /* it would go on for ever */
	.event = cli_event_opencode,
	.choose = choose_opencode,
	.build = build_opencode,
};

const Cli *const cli_table[] = { &claude_code, &codex, &opencode, NULL };

const Cli *cli_find(const char *tool)
{
	for (gsize i = 0; cli_table[i]; i++)
		if (!strcmp(cli_table[i]->tool, tool))
			return cli_table[i];
	return NULL;
}
