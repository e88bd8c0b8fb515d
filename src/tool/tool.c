#include "tool/tool_priv.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "guard/links.h"

const SpkTool *spk_tool_find(const char *name)
{
	for (const SpkTool *const *tool = spk_tools; *tool; tool++)
		if (!strcmp((*tool)->name, name))
			return *tool;
	return NULL;
}

json_t *spk_tool_schemas(const char *const *names)
{
	json_t *schemas = json_array();

	for (const SpkTool *const *tool = spk_tools; *tool; tool++)
		if (g_strv_contains(names, (*tool)->name))
			json_array_append_new(schemas, schema_of(*tool));
	return schemas;
}

static void refuse_name(const char *const *names, const char *name, SpkToolResult *result)
{
	g_autofree char *clipped = spk_text_clip(name, 60);
	g_autofree char *meant = spk_text_did_you_mean(clipped, names);
	g_autofree char *list = g_strjoinv(", ", (char **)names);

	result_refuse(result, "there is no tool \"%s\"%s; the tools are: %s", clipped,
		      meant, list);
}

/* Of a tool that there is, but not for this task; NULL: nothing more is to be said. */
static char *why_absent(const SpkToolCtx *ctx, const char *name)
{
	const SpkTool *tool = spk_tool_find(name);
	char *why = tool && tool->absent ? tool->absent(ctx->conf) : NULL;

	if (why || !spk_tool_is_cli(name))
		return why;
	return g_strdup(
		"this task may not use it; it is enabled by the spark's tools, [cli] "
		"tool or --cli-tool");
}

/* What a model wrote itself, or has seen with a placeholder in this task. It stays in the private
 * copy and the box. */
static void restore_args(const SpkToolCtx *ctx, json_t *args)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(args, next, key, value) {
		g_autofree char *text = NULL;

		if (!json_is_string(value))
			continue;
		text = spk_redact_restore(NULL, ctx->vault, NULL,
					  json_string_value(value), NULL);
		json_object_set_new(args, key, spk_json_text(text));
	}
}

static gboolean run_tool(const SpkToolCtx *ctx, const SpkTool *tool, json_t *args,
			 SpkCancel *cancel, SpkToolResult *result, GError **error)
{
	if (tool->restores && ctx->vault)
		restore_args(ctx, args);
	return tool->run(ctx, args, cancel, result, error);
}

gboolean spk_tool_call(const SpkToolCtx *ctx, const char *const *names, const char *name,
		       const char *arguments, SpkCancel *cancel,
		       SpkToolResult *ret_result, GError **error)
{
	g_autoptr(SpkLinks) links = NULL;
	SpkToolCtx of_call = *ctx;
	const SpkTool *tool = g_strv_contains(names, name) ? spk_tool_find(name) : NULL;
	g_autofree char *absent = NULL;
	g_auto(SpkToolResult) result = { 0 };
	g_autofree char *reason = NULL;
	g_autoptr(json_t) args = NULL;

	if (!spk_cancel_check(cancel, error))
		return FALSE;
	of_call.links = &links;
	if (tool)
		args = spk_tool_parse_args(tool, arguments, &reason);
	else
		absent = why_absent(ctx, name);
	if (absent)
		result_refuse(&result, "%s cannot be used here: %s", name, absent);
	else if (!tool)
		refuse_name(names, name, &result);
	else if (!args)
		result_refuse(&result, "%s", reason);
	else if (!run_tool(&of_call, tool, args, cancel, &result, error))
		return FALSE;
	if (!result_bound(ctx, &result, error))
		return FALSE;
	*ret_result = result;
	result = (SpkToolResult){ 0 };
	return TRUE;
}
