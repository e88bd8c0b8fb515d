/* The check of tool arguments: the first byte chooses the tool, the rest is what a model sent.
 * Either arguments or a bounded reason come out, and what passes once passes again. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "tool/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const SpkTool *tool, const json_t *args)
{
	g_autofree char *text = spk_json_dump(args);
	g_autofree char *reason = NULL;
	g_autoptr(json_t) again = spk_tool_parse_args(tool, text, &reason);

	g_assert(again && !reason);
	g_assert(json_equal(args, again));
	for (const SpkToolArg *arg = tool->args; arg->name; arg++)
		g_assert(!arg->required || json_object_get(args, arg->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = size ? g_strndup((const char *)data + 1, size - 1)
				     : g_strdup("");
	gsize n = 0;
	g_autofree char *reason = NULL;
	g_autoptr(json_t) args = NULL;
	const SpkTool *tool;

	while (spk_tools[n])
		n++;
	tool = spk_tools[size ? data[0] % n : 0];
	args = spk_tool_parse_args(tool, text, &reason);
	g_assert((args == NULL) == (reason != NULL));
	if (reason)
		g_assert(strlen(reason) < 1000);
	else
		check_again(tool, args);
	return 0;
}
