/*
 * Names of files that hold keys and passwords by convention. They are not copied into a
 * task's work tree, and tools neither read nor write them. The list must not break
 * repositories, so it leaves out names that mostly hold plain settings: config.toml (the
 * reference's list has it), .npmrc, .envrc, secrets.yaml of charts.
 */
#include "guard/guard.h"

#include "guard/guard_priv.h"

const char *const spk_sensitive_patterns[] = {
	".env",
	".env.*",
	"!.env.example",
	"!.env.sample",
	"!.env.template",
	"!.env.dist",
	"id_rsa*",
	"id_dsa*",
	"id_ecdsa*",
	"id_ed25519*",
	"!id_*.pub",
	"*.pem",
	"*.key",
	"*.ppk",
	"*.p12",
	"*.pfx",
	"*.jks",
	"*.keystore",
	"*.kdbx",
	"*.ovpn",
	"credentials.json",
	"client_secret*.json",
	"service-account*.json",
	"application_default_credentials.json",
	"secrets.toml",
	".netrc",
	"_netrc",
	".pypirc",
	".pgpass",
	".my.cnf",
	".htpasswd",
	".git-credentials",
	".vault-token",
	".aws/credentials",
	".docker/config.json",
	".kube/config",
	".ssh/",
	".gnupg/",
	NULL,
};

const char *spk_guard_match(const char *const *patterns, const char *path)
{
	const char *found = NULL;

	for (; *patterns; patterns++) {
		gboolean exception = **patterns == '!';

		/* an exception is for a file, not for what lies in a folder of that name */
		if (pattern_finds(*patterns + exception, path, exception))
			found = exception ? NULL : *patterns;
	}
	return found;
}

char **spk_sensitive_list(const SpkConf *conf)
{
	g_auto(GStrv) more = spk_conf_list(conf, "guard.sensitive_files");
	GPtrArray *all = g_ptr_array_new();

	for (const char *const *pattern = spk_sensitive_patterns; *pattern; pattern++)
		g_ptr_array_add(all, g_strdup(*pattern));
	for (char **pattern = more; *pattern; pattern++)
		g_ptr_array_add(all, g_strdup(*pattern));
	g_ptr_array_add(all, NULL);
	return (char **)g_ptr_array_free(all, FALSE);
}

const char *spk_guard_sensitive(const char *path)
{
	return spk_guard_match(spk_sensitive_patterns, path);
}
