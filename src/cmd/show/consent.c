#include "cmd/show/consent.h"

#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/ui.h"
#include "guard/guard.h"

guint spk_consent_name_risky(const SpkTask *task)
{
	const json_t *risky = json_object_get(task->changes, "risky"), *name;
	size_t i;

	if (json_array_size(risky) == 0)
		return 0;
	fputs("These changed files run code elsewhere:\n", stderr);
	json_array_foreach(risky, i, name) {
		const char *path = json_is_string(name) ? json_string_value(name) : "";
		const char *why = spk_guard_risky(path);
		g_autofree char *line = spk_ui_line(path, 300);

		fprintf(stderr, "  %s%s%s%s\n", line, why ? " (" : "", why ? why : "",
			why ? ")" : "");
	}
	return (guint)json_array_size(risky);
}

gboolean spk_consent_unasked(const SpkTask *task, GError **error)
{
	const json_t *critic = json_object_get(task->changes, "critic");
	g_autofree char *hint = NULL;

	if (json_array_size(json_object_get(critic, "objections")) == 0)
		return TRUE;
	hint = g_strdup_printf("read them in `sparks tasks show %s`, then "
			       "`sparks tasks apply %s`",
			       task->id, task->id);
	spk_error_set(error, SPK_ERR_POLICY, hint,
		      "the critic objects to task %s: not applied", task->id);
	return FALSE;
}

gboolean spk_consent_to_apply(const SpkTask *task, gboolean yes, GError **error)
{
	g_autofree char *hint = NULL;

	if (!spk_consent_name_risky(task) || yes || spk_ui_ask("Apply them?"))
		return TRUE;
	hint = g_strdup_printf(
		"look at `sparks tasks diff %s`, then `sparks -y tasks apply %s`",
		task->id, task->id);
	spk_error_set(error, SPK_ERR_POLICY, hint,
		      "task %s changes files that run code elsewhere: not applied",
		      task->id);
	return FALSE;
}
