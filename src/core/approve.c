/* A task that waits for an answer: who is asked, and what becomes of it then. */
#include "base/error.h"
#include "core/core_priv.h"

void spk_core_on_question(SpkCore *core, const SpkAsker *asker)
{
	core->asker = asker;
}

gboolean spk_core_answer(SpkCore *core, const char *id, const SpkReply *reply,
			 const char *how, SpkQuestion **ret, GError **error)
{
	if (!spk_approval_answer(core->store, id, reply, g_get_user_name(), how, ret,
				 error))
		return FALSE;
	wake_others(core->home);
	return TRUE;
}

gboolean core_still_waits(SpkStore *store, const SpkTask *task, gboolean *ret,
			  GError **error)
{
	g_autoptr(SpkQuestion) open = NULL;

	*ret = FALSE;
	if (task->status != SPK_STATE_WAITING)
		return TRUE;
	if (!spk_approval_open(store, task->id, &open, error))
		return FALSE;
	*ret = open != NULL;
	return TRUE;
}

/* Somebody else has answered, or time ran out, while the asker looked at it. */
static gboolean is_closed(SpkCore *core, const char *id, gboolean *ret, GError **error)
{
	g_autoptr(SpkQuestion) now = spk_approval_get(core->store, id, error);

	*ret = now && now->answer != SPK_ANSWER_OPEN;
	return now != NULL;
}

/* TRUE also when somebody else was quicker: then it is not open any more. */
static gboolean ask(SpkCore *core, const SpkQuestion *question, gboolean *ret_answered,
		    GError **error)
{
	const SpkAsker *asker = core->asker;
	g_auto(SpkReply) reply = { 0 };
	g_autoptr(GError) why = NULL;

	if (!asker || !asker->ask(question, asker->user, &reply))
		return is_closed(core, question->id, ret_answered, error);
	*ret_answered = TRUE;
	if (spk_core_answer(core, question->id, &reply,
			    reply.how ? reply.how : asker->how, NULL, &why) ||
	    spk_error_is(why, SPK_ERR_CONFLICT))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

gboolean core_ask(SpkCore *core, const char *id, gboolean *ret_goes_on, GError **error)
{
	g_autoptr(SpkTask) task = spk_task_get(core->store, id, error);
	g_autoptr(SpkQuestion) open = NULL;

	*ret_goes_on = FALSE;
	if (!task)
		return FALSE;
	if (task->status != SPK_STATE_WAITING)
		return TRUE;
	if (!spk_approval_open(core->store, task->id, &open, error))
		return FALSE;
	*ret_goes_on = TRUE; /* answered in between */
	return !open || ask(core, open, ret_goes_on, error);
}

gboolean spk_core_ask(SpkCore *core, const char *id, gboolean *ret_goes_on,
		      GError **error)
{
	return core_ask(core, id, ret_goes_on, error);
}
