#include "script.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

gboolean script_append(SpkStore *store, const char *task, gint64 token, gint64 n,
		       gint64 *ret_seq, GError **error)
{
	g_autoptr(json_t) payload = json_pack("{s:I}", "n", (json_int_t)n);

	return spk_journal_append(store, task, token, "note", SPK_EFFECT_PURE, payload,
				  ret_seq, error);
}

/* Notes a failure; what it says has to be of use to whoever reads it. */
static gboolean noted(Acks *acks, gboolean ok, GError **error)
{
	if (ok)
		return TRUE;
	acks->failures++;
	/* without the lease, which a failure may have cost, later writes are refused */
	if (*error && !spk_error_is(*error, SPK_ERR_LEASE_LOST) &&
	    !spk_error_is(*error, SPK_ERR_NOT_FOUND) && !spk_error_hint(*error)) {
		g_printerr("# unclear: %s\n", (*error)->message);
		acks->unclear = spk_error_code(*error);
	}
	g_clear_error(error);
	return FALSE;
}

static void make_task(SpkStore *store, Acks *acks)
{
	SpkTask task = { .id = (char *)SCRIPT_TASK,
			 .goal = (char *)"g",
			 .spark = (char *)"coder",
			 .repo = (char *)"/" };
	g_autoptr(GError) error = NULL;

	acks->accepted = noted(acks, spk_task_insert(store, &task, &error), &error);
}

static void write_as_holder(SpkStore *store, const SpkLease *lease, Acks *acks)
{
	g_autoptr(json_t) fields = json_pack("{s:s}", "summary", "done so far");
	SpkEvidence evidence = { .phase = (char *)"before",
				 .command = (char *)"make",
				 .output_sha256 = (char *)"00" };
	g_autoptr(GError) error = NULL;

	acks->scanned =
		noted(acks,
		      spk_task_move(store, lease->task, lease->token, SPK_STATE_QUEUED,
				    SPK_STATE_SCANNED, NULL, &error),
		      &error);
	for (int i = 0; i < SCRIPT_APPENDS; i++)
		if (!noted(acks,
			   script_append(store, lease->task, lease->token, i,
					 &acks->appended[i], &error),
			   &error))
			acks->appended[i] = 0;
	acks->updated = noted(
		acks, spk_task_update(store, lease->task, lease->token, fields, &error),
		&error);
	acks->proved = noted(acks,
			     spk_evidence_add(store, lease->task, lease->token, &evidence,
					      &error),
			     &error);
}

static void use_mail(SpkStore *store, const SpkLease *lease, Acks *acks)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) payload = NULL;
	g_autofree char *kind = NULL;

	acks->posted = noted(
		acks, spk_mail_post(store, lease->task, "note", NULL, &error), &error);
	payload = spk_mail_take(store, lease->task, lease->token, &kind, &error);
	acks->taken = noted(acks, payload != NULL, &error);
}

void script_run(const char *path, Acks *acks)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = NULL;
	g_autoptr(SpkLease) lease = NULL;

	*acks = (Acks){ .unclear = SPK_N_ERRS };
	store = spk_store_open(path, "normal", 0, &error);
	if (!noted(acks, store != NULL, &error))
		return;
	make_task(store, acks);
	lease = spk_lease_claim(store, SCRIPT_TASK, spk_holder_self(), &error);
	if (!noted(acks, lease != NULL, &error))
		return;
	write_as_holder(store, lease, acks);
	use_mail(store, lease, acks);
	acks->released = noted(acks, spk_lease_release(store, lease, &error), &error);
}

char *script_check_journal(SpkStore *store, const char *task, gint64 *ret_last)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = spk_journal_read(store, task, 0, 0, &error);

	if (!entries)
		return g_strdup(error->message);
	for (guint i = 0; i < entries->len; i++) {
		SpkJournalEntry *entry = entries->pdata[i];

		if (entry->seq != (gint64)i + 1)
			return g_strdup_printf("a gap before journal entry %d",
					       (int)entry->seq);
	}
	*ret_last = entries->len;
	return NULL;
}

static char *check_appended(SpkStore *store, const Acks *acks)
{
	gint64 last = 0;
	char *problem = script_check_journal(store, SCRIPT_TASK, &last);

	for (int i = 0; i < SCRIPT_APPENDS && !problem; i++) {
		g_autoptr(GPtrArray) entries = NULL;

		if (!acks->appended[i])
			continue;
		entries = spk_journal_read(store, SCRIPT_TASK, acks->appended[i] - 1, 1,
					   NULL);
		if (!entries || entries->len != 1 ||
		    spk_json_int(((SpkJournalEntry *)entries->pdata[0])->payload, "n",
				 -1) != i)
			problem = g_strdup_printf(
				"append %d was acknowledged and is lost", i);
	}
	return problem;
}

static char *check_facts(SpkStore *store, const Acks *acks)
{
	g_autoptr(SpkTask) task = spk_task_get(store, SCRIPT_TASK, NULL);
	g_autoptr(GPtrArray) evidence = spk_evidence_list(store, SCRIPT_TASK, NULL);
	g_autofree char *mail = NULL;

	if (!task)
		return acks->accepted ? g_strdup("the task is lost") : NULL;
	if (acks->scanned && task->status != SPK_STATE_SCANNED)
		return g_strdup("the state is lost");
	if (acks->updated && g_strcmp0(task->summary, "done so far") != 0)
		return g_strdup("the update is lost");
	if (acks->proved && (!evidence || evidence->len != 1))
		return g_strdup("the evidence is lost");
	if (acks->released && task->holder)
		return g_strdup("the lease is back");
	if (!spk_mail_peek(store, SCRIPT_TASK, &mail, NULL))
		return g_strdup("the mail cannot be read");
	if (acks->taken && mail)
		return g_strdup("mail is there twice");
	return NULL;
}

char *script_verify(const char *path, const Acks *acks)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkStore) store = spk_store_open(path, "normal", 0, &error);
	char *problem;

	if (!store || !spk_store_check(store, &error))
		return g_strdup(error->message);
	problem = check_facts(store, acks);
	return problem ? problem : check_appended(store, acks);
}
