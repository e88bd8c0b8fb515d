#include "conf/secret.h"

#include <string.h>

#include "base/text.h"

/* clang-format off */
static const SpkSecret secrets[] = {
	{ "anthropic.api_key", "ANTHROPIC_API_KEY", TRUE, "key of Anthropic" },
	{ "embedding.api_key", "SPARKS_EMBEDDING_API_KEY", TRUE,
	  "key of the server in embedding.url" },
	{ "github.token", "GH_TOKEN", FALSE, "token of GitHub" },
	{ "gitlab.token", "GITLAB_TOKEN", FALSE, "token of GitLab" },
	{ "jira.api_token", "JIRA_API_TOKEN", FALSE, "token of Jira" },
	{ "langfuse.public_key", "LANGFUSE_PUBLIC_KEY", FALSE, "public key of Langfuse" },
	{ "langfuse.secret_key", "LANGFUSE_SECRET_KEY", FALSE, "secret key of Langfuse" },
	{ "linear.api_key", "LINEAR_API_KEY", FALSE, "key of Linear" },
	{ "openai.api_key", "OPENAI_API_KEY", TRUE,
	  "key of OpenAI, or of the server in openai.url" },
	{ "openai_api.api_key", "SPARKS_OPENAI_API_KEY", FALSE,
	  "bearer that clients of our own API show" },
	{ "openrouter.api_key", "OPENROUTER_API_KEY", TRUE, "key of OpenRouter" },
	{ "slack.app_token", "SPARKS_SLACK_APP_TOKEN", FALSE, "app token of Slack" },
	{ "slack.bot_token", "SPARKS_SLACK_BOT_TOKEN", FALSE, "bot token of Slack" },
	{ "slack.signing_secret", "SPARKS_SLACK_SIGNING_SECRET", FALSE,
	  "signing secret of Slack" },
	{ "sonarqube.token", "SONAR_TOKEN", FALSE, "token of SonarQube" },
	{ "teams.app_id", "SPARKS_TEAMS_APP_ID", FALSE, "app id of Teams" },
	{ "teams.app_password", "SPARKS_TEAMS_APP_PASSWORD", FALSE,
	  "app password of Teams" },
	{ "telegram.stt_api_key", "SPARKS_STT_API_KEY", FALSE,
	  "key of the server that turns speech into text" },
	{ "telegram.token", "SPARKS_TELEGRAM_TOKEN", FALSE, "token of the Telegram bot" },
	{ "zen.api_key", "OPENCODE_API_KEY", TRUE, "key of OpenCode Zen" },
	{ NULL },
};
/* clang-format on */

const SpkSecret *spk_secrets(void)
{
	return secrets;
}

/* ---- of one's own ---- */

#define OWN_KEY "key."
#define OWN_ENV "SPARKS_KEY_"
#define OWN_MAX 32

static GMutex own_lock;
static GHashTable *own; /* name -> SpkSecret, which stay; guarded by own_lock */

/* "npm" of "key.npm" or "SPARKS_KEY_NPM"; NULL: neither. */
static char *own_name(const char *name)
{
	gboolean is_env = g_str_has_prefix(name, OWN_ENV);
	const char *given = name + strlen(is_env ? OWN_ENV : OWN_KEY);

	if (!is_env && !g_str_has_prefix(name, OWN_KEY))
		return NULL;
	if (!*given || strlen(given) > OWN_MAX)
		return NULL;
	for (const char *p = given; *p; p++)
		if (!g_ascii_isdigit(*p) && *p != '_' &&
		    !(is_env ? g_ascii_isupper(*p) : g_ascii_islower(*p)))
			return NULL;
	return g_ascii_strdown(given, -1);
}

static const SpkSecret *find_own(const char *name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = NULL;
	g_autofree char *short_name = own_name(name);
	g_autofree char *upper = NULL;
	SpkSecret *secret;

	if (!short_name)
		return NULL;
	locker = g_mutex_locker_new(&own_lock);
	if (!own)
		own = g_hash_table_new(g_str_hash, g_str_equal);
	secret = g_hash_table_lookup(own, short_name);
	if (secret)
		return secret;
	upper = g_ascii_strup(short_name, -1);
	secret = g_new0(SpkSecret, 1);
	secret->key = g_strconcat(OWN_KEY, short_name, NULL);
	secret->env = g_strconcat(OWN_ENV, upper, NULL);
	secret->sentence = "key of your own, for [box] credentials";
	g_hash_table_insert(own, g_steal_pointer(&short_name), secret);
	return secret;
}

static int by_key(gconstpointer a, gconstpointer b)
{
	return strcmp((*(SpkSecret *const *)a)->key, (*(SpkSecret *const *)b)->key);
}

const SpkSecret **spk_secrets_own(void)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&own_lock);
	GPtrArray *all = g_ptr_array_new();
	GHashTableIter iter;
	gpointer secret;

	if (own) {
		g_hash_table_iter_init(&iter, own);
		while (g_hash_table_iter_next(&iter, NULL, &secret))
			g_ptr_array_add(all, secret);
	}
	g_ptr_array_sort(all, by_key);
	g_ptr_array_add(all, NULL);
	return (const SpkSecret **)g_ptr_array_free(all, FALSE);
}

/* ---- names ---- */

const SpkSecret *spk_secret_find(const char *name)
{
	for (const SpkSecret *secret = secrets; secret->key; secret++)
		if (!strcmp(secret->key, name) || !strcmp(secret->env, name))
			return secret;
	return find_own(name);
}

char *spk_secret_nearest(const char *key)
{
	const char *keys[G_N_ELEMENTS(secrets)];

	for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
		keys[i] = secrets[i].key;
	return spk_text_did_you_mean(key, keys);
}

void spk_secret_wipe(char *value)
{
	if (value)
		explicit_bzero(value, strlen(value));
	g_free(value);
}

const char *spk_secret_unfit(const char *value)
{
	if (!*value)
		return "is empty";
	if (strlen(value) > SPK_SECRET_MAX)
		return "is longer than 4096 bytes";
	if (!g_utf8_validate(value, -1, NULL))
		return "is not UTF-8 text";
	for (const char *p = value; *p; p = g_utf8_next_char(p))
		if (g_unichar_iscntrl(g_utf8_get_char(p)))
			return "has a line end or another control character in it";
	return NULL;
}
