/* Placeholders back to what they stand for. */
#include <string.h>

#include "guard/redact/redact_priv.h"

/* What stands for something in this file. */
static SpkVault *of_file(const SpkRedact *redact, const char *file)
{
	SpkVault *vault = spk_vault_new();

	vault_keep_known(vault);
	g_free(spk_redact_text_into(redact, vault, file));
	return vault;
}

char *spk_redact_restore(const SpkRedact *redact, const SpkVault *vault, const char *file,
			 const char *text, char **ret_left)
{
	GString *out = g_string_new(NULL);
	g_autoptr(SpkVault) own = NULL;
	const char *from = text, *at = text;

	if (ret_left)
		*ret_left = NULL;
	while ((at = strstr(at, "[redacted "))) {
		gsize len = spk_redact_placeholder(at);
		g_autofree char *placeholder = len ? g_strndup(at, len) : NULL;
		const char *stands = NULL;
		gboolean literal; /* it is the file's own text */

		if (!len) {
			at++;
			continue;
		}
		literal = file && strstr(file, placeholder);
		if (file && !own)
			own = of_file(redact, file);
		stands = literal ? NULL : vault_find(own, placeholder);
		if (!stands && !literal)
			stands = vault_find(vault, placeholder);
		if (stands) {
			g_string_append_len(out, from, at - from);
			g_string_append(out, stands);
			from = at + len;
		} else if (ret_left && !*ret_left && !literal) {
			*ret_left = g_strdup(placeholder);
		}
		at += len;
	}
	g_string_append(out, from);
	return g_string_free(out, FALSE);
}
