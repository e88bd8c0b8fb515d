/* What a run keeps for the law, and how it comes back from the journal. */
#include <string.h>

#include "agent/law.h"
#include "agent/law_priv.h"
#include "agent/run_priv.h"
#include "base/json.h"

RunLaw *run_law_new(SpkRun *run)
{
	const json_t *of_parent = json_object_get(run->env.task->options, "taint");
	RunLaw *law = g_new0(RunLaw, 1);
	SpkTaint taint;

	law->hosts = g_ptr_array_new_with_free_func(g_free);
	law->made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (of_parent) {
		(void)spk_taint_parse(spk_json_str(of_parent, "taint"), &taint);
		spk_taint_raise(&law->taint, taint, spk_json_str(of_parent, "source"));
	}
	return law;
}

void run_law_free(RunLaw *law)
{
	if (!law)
		return;
	g_clear_pointer(&law->law, spk_law_free);
	spk_taint_mark_clear(&law->taint);
	g_ptr_array_unref(law->hosts);
	g_hash_table_unref(law->made);
	g_free(law);
}

void run_law_open_hosts(RunLaw *law, const json_t *record)
{
	const json_t *host;
	size_t i;

	if (!spk_json_bool(record, "for_task", FALSE))
		return;
	json_array_foreach(json_object_get(record, "hosts"), i, host)
		if (json_is_string(host))
			g_ptr_array_add(law->hosts, g_strdup(json_string_value(host)));
	g_clear_pointer(&law->law, spk_law_free);
}

void run_law_recall(SpkRun *run, const SpkJournalEntry *entry)
{
	SpkTaint taint;

	if (!strcmp(entry->kind, "tool.intent")) {
		const json_t *record = json_object_get(entry->payload, "law");

		run_law_open_hosts(run->law, record);
		law_scripts_made(run->law, record);
	} else if (!strcmp(entry->kind, "taint")) {
		(void)spk_taint_parse(spk_json_str(entry->payload, "taint"), &taint);
		spk_taint_raise(&run->law->taint, taint,
				spk_json_str(entry->payload, "source"));
	}
}
