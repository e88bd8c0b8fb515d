/* What a turn has changed, and what becomes of it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/show/changes.h"
#include "cmd/chat/chat.h"
#include "cmd/chat/rescue.h"
#include "cmd/show/consent.h"
#include "cmd/show/summary.h"
#include "cmd/show/trail.h"
#include "cmd/ui.h"

#define OUT	    STDOUT_FILENO
#define FOLDED_DIFF 30 /* lines shown unasked */

static void say(GError *take_error)
{
	g_autoptr(GError) error = take_error;

	if (error)
		spk_cmd_say_error(error);
}

/* ---- diff ---- */

static void print_lines(const char *text, int most)
{
	const char *at = text;
	int n = 0, more = 0;

	for (; *at && (!most || n < most); n++)
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
	fwrite(text, 1, at - text, stdout);
	for (const char *rest = at; *rest; more++)
		rest += strcspn(rest, "\n") + (rest[strcspn(rest, "\n")] == '\n');
	if (more)
		printf("%s… %d more lines: /diff%s\n", spk_term_sgr(OUT, "dim"), more,
		       spk_term_sgr(OUT, "reset"));
	fflush(stdout);
}

void chat_show_diff(ChatRoom *room, const SpkTask *task, int most)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTrail) trail = spk_trail_read(room->session.store, task->id, &error);
	g_autofree char *diff =
		trail ? spk_changes_diff(room->session.core, task, trail, &error) : NULL;
	g_autoptr(GString) out = g_string_new(NULL);

	if (!diff) {
		say(g_steal_pointer(&error));
		return;
	}
	spk_ui_diff(out, OUT, diff);
	print_lines(out->str, most);
}

/* ---- apply and undo ---- */

static void print_paths(const char *label, const GPtrArray *paths)
{
	for (guint i = 0; paths && i < paths->len; i++) {
		g_autofree char *line = spk_ui_line(paths->pdata[i], 400);

		printf("  %-9s %s\n", label, line);
	}
}

void chat_apply(ChatRoom *room, const SpkTask *task, SpkConsent how)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTrail) trail = spk_trail_read(room->session.store, task->id, &error);
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt_anew();
	g_auto(SpkTreeApplied) applied = { 0 };
	g_autoptr(json_t) law = NULL;

	if (trail)
		law = spk_consent_to_apply(room->session.store, task, trail, how, &error);
	if (law &&
	    spk_changes_apply(room->session.core, task, trail, &(SpkTreeApply){ 0 }, law,
			      cancel, &applied, &error)) {
		print_paths("applied", applied.written);
		print_paths("merged", applied.merged);
		puts("  /undo takes it back");
	} else {
		print_paths("conflict", applied.conflicts);
		say(g_steal_pointer(&error));
	}
	fflush(stdout);
}

void chat_undo(ChatRoom *room, const SpkTask *task)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTrail) trail = spk_trail_read(room->session.store, task->id, &error);
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt_anew();
	g_auto(SpkTreeApplied) undone = { 0 };

	if (trail &&
	    spk_changes_undo(room->session.core, task, trail, cancel, &undone, &error)) {
		print_paths("undone", undone.written);
	} else {
		print_paths("conflict", undone.conflicts);
		say(g_steal_pointer(&error));
	}
	fflush(stdout);
}

/* ---- the question ---- */

static void on_interrupt(int number)
{
}

/* Ctrl-C is no answer. */
static char *read_answer(char *line, gsize size)
{
	struct sigaction action = { .sa_handler = on_interrupt }; /* and no SA_RESTART */
	char *got;

	sigemptyset(&action.sa_mask);
	chat_rescue_edit();
	sigaction(SIGINT, &action, NULL);
	got = fgets(line, (int)size, stdin);
	chat_rescue_edited();
	clearerr(stdin);
	return got;
}

static char ask(void)
{
	char line[64] = "";

	fflush(stdout);
	fputs("apply these changes to your files? [y]es, [n]o, [d]iff: ", stderr);
	if (!read_answer(line, sizeof(line))) {
		fputc('\n', stderr);
		return 'q';
	}
	return (char)g_ascii_tolower(*g_strchug(line));
}

static void refuse(ChatRoom *room, const SpkTask *task)
{
	g_autoptr(GError) error = NULL;

	if (spk_chat_refuse(room->chat, task->id, &error))
		puts("  not applied; the model will be told so");
	say(g_steal_pointer(&error));
	fflush(stdout);
}

static void decide(ChatRoom *room, const SpkTask *task)
{
	for (;;) {
		switch (ask()) {
		case 'y':
			chat_apply(room, task, SPK_CONSENT_SAID);
			return;
		case 'n':
			refuse(room, task);
			return;
		case 'd':
			chat_show_diff(room, task, 0);
			break;
		case 'q': /* no answer is none: it can still be given */
			printf("  undecided: /apply, or `sparks tasks apply %s`\n",
			       task->id);
			return;
		default:
			fputs("type y, n or d\n", stderr);
		}
	}
}

static void print_evidence(ChatRoom *room, const SpkTask *task)
{
	g_autoptr(json_t) report = spk_core_report(room->session.core, task, FALSE, NULL);
	g_autoptr(GString) out = g_string_new("\n");
	g_autofree char *reason = spk_ui_line(task->reason, 400);

	if (report)
		spk_summary_evidence(report, OUT, out);
	g_string_append_printf(out, "  %-9s ", "verdict");
	spk_ui_paint(out, OUT, spk_ui_verdict_role(task->verdict),
		     spk_verdict_name(task->verdict));
	g_string_append_printf(out, "%s%s\n", *reason ? ": " : "", reason);
	fputs(out->str, stdout);
	fflush(stdout);
}

void chat_after(ChatRoom *room, const SpkTask *task)
{
	putchar('\n');
	chat_show_diff(room, task, room->terminal ? FOLDED_DIFF : 0);
	print_evidence(room, task);
	if (room->yes) {
		chat_apply(room, task, SPK_CONSENT_YES);
	} else if (room->terminal) {
		(void)spk_consent_name_risky(task); /* the question comes anyway */
		decide(room, task);
	} else {
		printf("  apply it: sparks tasks apply %s\n", task->id);
	}
}
