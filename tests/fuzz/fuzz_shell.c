/* The judge of shell lines. Whatever comes in: what it prints is one clean line, an unreadable
 * line is asked, and a rule that is offered allows its line. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "guard/command.h"
#include "guard/shell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const sensitive[] = { "rm\\s", "curl.*\\|.*sh", "\\.env", "/etc/",
					 "sudo",  ".*x\\dy",	   NULL };

static void check_clean(const char *text)
{
	g_assert(g_utf8_validate(text, -1, NULL));
	for (; *text; text++)
		g_assert((guchar)*text >= 0x20 && *text != 0x7f);
}

static void check_view(const SpkCommandView *view)
{
	check_clean(view->normal);
	g_assert(view->decision.rule && view->decision.why);
	if (!strcmp(view->decision.rule, "command.unreadable"))
		g_assert(view->decision.verdict == SPK_LAW_ASK && !view->offer);
	if (!strcmp(view->decision.rule, "command.unknown"))
		g_assert(view->decision.verdict == SPK_LAW_ASK);
	for (guint i = 0; i < view->parts->len; i++) {
		const SpkCommandPart *part = view->parts->pdata[i];

		check_clean(part->line);
		g_assert(part->decision.verdict <= view->decision.verdict ||
			 !strcmp(view->decision.rule, "command.allow"));
	}
	for (guint i = 0; i < view->urls->len; i++)
		g_assert(g_utf8_validate(view->urls->pdata[i], -1, NULL));
}

static void check_offer(const char *line, const char *offer)
{
	const char *allow[] = { offer, NULL };
	g_autoptr(SpkCommandRules)
		rules = spk_command_rules_new(sensitive, allow, NULL, NULL);
	g_auto(SpkCommandView) view = { 0 };

	g_assert(rules);
	spk_command_judge(rules, NULL, line, &view);
	g_assert(!strcmp(view.decision.rule, "command.allow"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *line = g_strndup((const char *)data, size);
	g_autoptr(SpkCommandRules)
		rules = spk_command_rules_new(sensitive, NULL, NULL, NULL);
	g_auto(SpkCommandView) view = { 0 };

	for (guint posix = 0; posix < 2; posix++) {
		g_autoptr(SpkShell) shell = spk_shell_parse(line, strlen(line), posix);

		g_assert(shell->work <= (guint64)SPK_SHELL_WORK * strlen(line) + 4096);
		g_assert(shell->commands->len <= SPK_SHELL_MAX_COMMANDS + 1);
	}
	spk_command_judge(rules, NULL, line, &view);
	check_view(&view);
	if (view.offer)
		check_offer(line, view.offer);
	return 0;
}
