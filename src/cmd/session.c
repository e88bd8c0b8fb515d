#include "cmd/session.h"

#include <string.h>

const SpkCmdOpt spk_only_json[] = { SPK_OPT_JSON, { NULL } };

gboolean spk_session_open_with(SpkSession *session, const SpkArgs *args,
			       const char *const *overrides, gboolean json, int *ret_exit)
{
	g_autoptr(GError) error = NULL;

	session->json = json;
	session->conf = spk_cmd_conf_with(args, overrides, json, ret_exit);
	if (!session->conf)
		return FALSE;
	session->core = spk_core_open(session->conf, &error);
	if (!session->core) {
		*ret_exit = spk_cmd_fail(g_steal_pointer(&error), session->json);
		return FALSE;
	}
	session->store = spk_core_store(session->core);
	spk_conf_unref(session->conf);
	session->conf = spk_core_conf(session->core);
	return TRUE;
}

gboolean spk_session_open(SpkSession *session, const SpkArgs *args, gboolean json,
			  int *ret_exit)
{
	return spk_session_open_with(session, args, NULL, json, ret_exit);
}

void spk_session_clear(SpkSession *session)
{
	g_clear_pointer(&session->task, spk_task_free);
	g_clear_pointer(&session->core, spk_core_close);
	g_clear_pointer(&session->conf, spk_conf_unref);
	*session = (SpkSession){ 0 };
}

gboolean spk_session_open_task(SpkSession *session, const SpkArgs *args, gboolean json,
			       int *ret_exit)
{
	g_autoptr(GError) error = NULL;

	if (!spk_session_open(session, args, json, ret_exit))
		return FALSE;
	session->task = spk_task_get(session->store, spk_args_rest(args)[0], &error);
	if (!session->task)
		*ret_exit = spk_cmd_fail(g_steal_pointer(&error), json);
	return session->task != NULL;
}

gboolean spk_task_is_stranded(const SpkTask *task, gboolean daemon_alive)
{
	if (spk_state_is_terminal(task->status) || task->status == SPK_STATE_PAUSED ||
	    task->status == SPK_STATE_WAITING || (daemon_alive && !task->apart))
		return FALSE;
	return !task->holder || !*task->holder || !spk_holder_alive(task->holder);
}
