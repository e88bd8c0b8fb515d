/* `sparks policy lex`: a shell line as the law reads it, without any rule. */
#include <stdio.h>

#include "base/json.h"
#include "cmd/policy/policy_all.h"
#include "cmd/session.h"
#include "guard/command.h"

static void print(const SpkCommandView *view)
{
	puts(view->normal);
	for (guint i = 0; i < view->parts->len; i++) {
		const SpkCommandPart *part = view->parts->pdata[i];

		printf("%5u  %s%s%s%s\n", part->at, part->line, *part->way ? "  [" : "",
		       part->way, *part->way ? "]" : "");
		if (part->decision.verdict != SPK_LAW_ALLOW)
			printf("       %s: %s\n", part->decision.rule,
			       part->decision.why);
	}
	if (view->decision.verdict != SPK_LAW_ALLOW)
		printf("%s: %s\n", view->decision.rule, view->decision.why);
}

static int run(const SpkArgs *args)
{
	g_autofree char *line = spk_policy_line(spk_args_rest(args));
	g_auto(SpkCommandView) view = { 0 };
	g_autoptr(json_t) object = NULL;

	spk_command_judge(NULL, NULL, line, &view);
	if (!spk_args_flag(args, "json")) {
		print(&view);
		return 0;
	}
	object = json_pack("{s:o,s:b,s:o}", "normal", spk_json_text(view.normal),
			   "read_only", view.read_only, "commands",
			   spk_policy_parts_to_json(view.parts));
	spk_cmd_print_json(object);
	return 0;
}

const SpkCmd spk_policy_lex = {
	.name = "lex",
	.usage = "-- LINE...",
	.summary =
		"Show a shell line as the law reads it: normalised, and each command in it.",
	.details =
		"One command a line: the byte where it begins, the command, and how it is "
		"reached. One argument is taken as a shell line, several as its words.",
	.example = "sparks policy lex -- 'env A=1 sh -c \"make && ls\"'",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = -1,
	.rest = TRUE,
	.run = run,
};
