/* Going on with a task that was paused, waited, or is still queued. */
#include <unistd.h>

#include "base/error.h"
#include "cmd/submit.h"

static gboolean last_seq(SpkStore *store, const char *id, gint64 *ret_seq, GError **error)
{
	g_autoptr(GPtrArray) entries = spk_journal_read(store, id, 0, 0, error);

	if (!entries)
		return FALSE;
	*ret_seq = entries->len; /* numbered from 1 without gaps */
	return TRUE;
}

int spk_submit_resume(SpkSession *session, const SpkArgs *args, const char *id,
		      SpkFollow *how, gboolean strict)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkTask) task = spk_task_get(session->store, id, &error);
	g_autoptr(SpkProgress) progress = NULL;

	if (!task)
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	how->runner = spk_follow_choose(session, task->options, how->detach);
	if (!last_seq(session->store, task->id, &how->seen, &error) ||
	    !spk_core_resume(session->core, task->id, how->runner == SPK_RUN_APART,
			     &error))
		return spk_cmd_fail(g_steal_pointer(&error), session->json);
	progress = spk_progress_new(STDERR_FILENO);
	(void)spk_follow_run(session, args, task->id, how, progress, &error);
	g_clear_pointer(&progress, spk_progress_free);
	if (how->detach && !error)
		return spk_submit_detached(session, task->id);
	return spk_submit_close(session, task->id, strict, g_steal_pointer(&error));
}
