/*
 * `sparks sandbox probe`: what the sandbox of this machine is made of, and whether it holds: a
 * box is started, and a program in it tries to get out.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "box/box_try.h"
#include "cmd/sandbox/sandbox_all.h"
#include "cmd/session.h"
#include "cmd/ui.h"

static guint count_open(const json_t *attempts)
{
	guint n = 0;
	json_t *item;
	size_t i;

	json_array_foreach(attempts, i, item)
		n += !spk_json_bool(item, "held", FALSE);
	return n;
}

static void print_row(const char *mark, const char *role, const char *name,
		      const char *detail)
{
	g_autoptr(GString) out = g_string_new(NULL);

	g_string_append(out, "  ");
	spk_ui_paint(out, STDOUT_FILENO, role, mark);
	g_string_append_printf(out, " %-20s %s\n", name, detail);
	spk_ui_write(STDOUT_FILENO, out);
}

static void print(SpkBox *box, const json_t *attempts)
{
	g_autoptr(json_t) controls = spk_box_controls(box);
	g_autoptr(GString) words = g_string_new(NULL);
	g_autofree char *tier =
		spk_ui_box(spk_tier_name(spk_box_tier(box)), spk_box_describe(box));
	json_t *item;
	size_t i;

	spk_ui_fold(words, tier, 0, MIN(100, spk_ui_columns(STDOUT_FILENO)), 20);
	g_string_append(words, "\nWhat the kernel gives:\n");
	spk_ui_write(STDOUT_FILENO, words);
	json_array_foreach(controls, i, item) {
		gboolean ok = spk_json_bool(item, "ok", FALSE);

		print_row(ok ? "yes " : "no  ", ok ? "ok" : "warn",
			  spk_json_str(item, "control"), spk_json_str(item, "detail"));
	}
	puts("\nTried from inside:");
	fflush(stdout);
	json_array_foreach(attempts, i, item) {
		gboolean held = spk_json_bool(item, "held", FALSE);

		print_row(held ? "held" : "OPEN", held ? "ok" : "bad",
			  spk_json_str(item, "attempt"), spk_json_str(item, "detail"));
	}
	printf("\n%zu attempts, %u got through\n", json_array_size(attempts),
	       count_open(attempts));
}

static void print_json(SpkBox *box, json_t *attempts)
{
	g_autoptr(json_t) object = json_pack("{s:s,s:s,s:o,s:O,s:i}", "tier",
					     spk_tier_name(spk_box_tier(box)), "describe",
					     spk_box_describe(box), "controls",
					     spk_box_controls(box), "attempts", attempts,
					     "open", (int)count_open(attempts));

	spk_cmd_print_json(object);
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkBox) box = NULL;
	g_autoptr(json_t) attempts = NULL;
	int code;

	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	box = spk_box_open(conf, &error);
	if (box)
		attempts = spk_box_try(box, cancel, &error);
	if (!attempts)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	if (json)
		print_json(box, attempts);
	else
		print(box, attempts);
	return count_open(attempts) ? 1 : 0;
}

const SpkCmd spk_sandbox_probe = {
	.name = "probe",
	.usage = "",
	.summary = "Start a box here and try to get out of it.",
	.details =
		"Says which tier holds, what the kernel gives, and what came of each attempt "
		"from inside. Nothing harmful is tried. Exit code 1 when one got through.\n"
		"--json: {\"tier\",\"describe\",\"controls\":[{\"control\",\"ok\","
		"\"detail\"}],\"attempts\":[{\"attempt\",\"held\",\"detail\"}],\"open\"}",
	.example = "sparks sandbox probe",
	.options = spk_only_json,
	.run = run,
};
