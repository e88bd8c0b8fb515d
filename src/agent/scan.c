#include "agent/scan.h"

#include <string.h>

#include "agent/law.h"
#include "agent/run_priv.h"
#include "base/json.h"
#include "base/log.h"
#include "guard/scan.h"

static gboolean look(SpkRun *run, const char *text, SpkScanResult *ret, GError **error)
{
	SpkScanSource source = { .provider = "repository", .repo = run->env.task->repo };
	g_autoptr(SpkScanner) scanner = spk_scanner_new(run->env.conf, NULL, error);

	if (!scanner)
		return FALSE;
	spk_scanner_scan(scanner, &source, text, strlen(text), ret);
	return TRUE;
}

gboolean run_scan_result(SpkRun *run, const json_t *call, SpkToolResult *result,
			 json_t **ret_scan, GError **error)
{
	const char *name = spk_json_str(call, "name");
	g_autofree char *source =
		g_strdup_printf("%s, whose text gives orders", name ? name : "a tool");
	g_auto(SpkScanResult) found = { 0 };
	char *text;

	*ret_scan = NULL;
	/* the model's own words */
	if (result->finished || !result->text)
		return TRUE;
	if (!look(run, result->text, &found, error))
		return FALSE;
	if (found.verdict == SPK_SCAN_PASS)
		return TRUE;
	/* a false alarm is no reason to ask for everything */
	if ((gint64)found.score >=
		    spk_conf_int(run->env.conf, "prompt_scanner.block_threshold") &&
	    !run_taint(run, SPK_TAINT_OUTSIDE, source, error))
		return FALSE;
	text = spk_scan_for_model(&found, result->text);
	g_free(result->text);
	result->text = text;
	*ret_scan = spk_scan_to_json(&found);
	return TRUE;
}

char *run_scan_output(SpkRun *run, const char *text)
{
	g_auto(SpkScanResult) found = { 0 };
	g_autoptr(GError) error = NULL;

	if (look(run, text, &found, &error))
		return spk_scan_for_model(&found, text);
	spk_warn("agent", "the output of a check was not scanned: %s", error->message);
	return g_strdup(text);
}
