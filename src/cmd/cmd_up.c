/*
 * `sparks up`: the daemon. Takes queued tasks of this store until SIGTERM or Ctrl-C; then
 * running tasks end their step and are given back.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"
#include "cmd/unit.h"

static void say_ready(const SpkSession *session, gint64 workers)
{
	const char *path = spk_store_path(session->store);
	g_autoptr(json_t) object = NULL;

	if (session->json) {
		object = json_pack("{s:b,s:i,s:i,s:o}", "ready", TRUE, "pid",
				   (int)getpid(), "workers", (int)workers, "store",
				   spk_json_text(path));
		spk_cmd_print_json(object);
	} else {
		printf("sparks: ready, %d workers on %s (pid %d)\n", (int)workers, path,
		       (int)getpid());
	}
	fflush(stdout);
}

/* As the daemon was started, from the files as they are now. */
static SpkConf *reload(const char *const *pinned, gpointer user, GError **error)
{
	const SpkArgs *args = user;
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autofree char *workers = g_strdup_printf("up.workers=%" G_GINT64_FORMAT,
						   spk_args_int(args, "workers", 0));
	SpkConfSource source = { .explicit_path = spk_args_config(args) };

	for (const char *const *set = spk_args_set(args); *set; set++)
		g_ptr_array_add(all, (gpointer)*set);
	if (spk_args_has(args, "workers"))
		g_ptr_array_add(all, workers);
	for (; pinned && *pinned; pinned++)
		g_ptr_array_add(all, (gpointer)*pinned);
	g_ptr_array_add(all, NULL);
	source.overrides = (const char *const *)all->pdata;
	return spk_conf_load(&source, error);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkSession) session = { 0 };
	g_autoptr(SpkCancel) interrupt = spk_cmd_interrupt();
	g_autoptr(GError) error = NULL;
	gint64 workers;
	g_autofree char *given = g_strdup_printf("up.workers=%" G_GINT64_FORMAT,
						 spk_args_int(args, "workers", 0));
	const char *const overrides[] = { given, NULL };
	int code;

	if (spk_args_flag(args, "install") || spk_args_flag(args, "uninstall"))
		return spk_unit_run(args);
	if (!spk_session_open_with(&session, args,
				   spk_args_has(args, "workers") ? overrides : NULL,
				   spk_args_flag(args, "json"), &code))
		return code;
	workers = spk_conf_int(session.conf, "up.workers");
	/* serve() registers again; asking first keeps the ready line from being a lie. */
	if (!spk_core_ready(session.core, &error) ||
	    !spk_worker_register(session.store, spk_holder_self(), &error) ||
	    !spk_core_announce(session.core, &error))
		return spk_cmd_fail(g_steal_pointer(&error), session.json);
	spk_core_on_reload(session.core, reload, (gpointer)args);
	say_ready(&session, workers);
	spk_unit_notify("READY=1");
	(void)spk_core_serve(session.core, workers, interrupt,
			     &error); /* error says it */
	spk_unit_notify("STOPPING=1");
	spk_core_withdraw(session.core);
	return error ? spk_cmd_fail(g_steal_pointer(&error), session.json) : 0;
}

static const SpkCmdOpt options[] = {
	{ "install", .type = SPK_CMD_FLAG,
	  .sentence = "have systemd start it with your session, and start it now" },
	{ "uninstall", .type = SPK_CMD_FLAG, .sentence = "take that back" },
	{ "no-start", .type = SPK_CMD_FLAG,
	  .sentence = "with --install: only write the unit file" },
	{ "workers", .type = SPK_CMD_INT, .value = "N", .min = 1, .max = 64,
	  .sentence = "tasks at a time (default: option up.workers)" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_cmd_up = {
	.name = "up",
	.usage = "",
	.summary = "Run queued tasks until stopped.",
	.details =
		"One daemon per store; a second one is refused. SIGTERM or Ctrl-C drains: "
		"running tasks end their step, are given back, and go on with the next `up` or "
		"with `sparks tasks resume ID`.\n\n"
		"A changed configuration file (or .env, or file of ~/.sparks/ghosts) holds for the "
		"tasks that begin after it; one that is wrong changes nothing and is logged, and "
		"[box] and [db] wait for a restart. A command whose own values differ says so and "
		"runs its task itself.\n\n"
		"--install writes ~/.config/systemd/user/sparks.service for this program, this "
		"SPARKS_HOME and this --config, and starts it. The journal keeps its messages: "
		"journalctl --user -u sparks. `loginctl enable-linger` lets it run while you are "
		"logged out.",
	.example = "sparks up --install",
	.options = options,
	.run = run,
};
