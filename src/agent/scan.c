#include "agent/scan.h"

#include <string.h>

#include "agent/law.h"
#include "agent/run_priv.h"
#include "base/json.h"
#include "guard/scan.h"

/* `what`: for the second judge. */
static gboolean look(SpkRun *run, const char *what, const char *text, SpkScanResult *ret,
		     GError **error)
{
	SpkJudgeText judged = { what, text, TRUE };

	SpkScanSource source = { .provider = "repository", .repo = run->env.task->repo };
	g_autoptr(SpkScanner) scanner = spk_scanner_new(run->env.conf, NULL, error);

	if (!scanner)
		return FALSE;
	spk_scanner_scan(scanner, &source, text, strlen(text), ret);
	return spk_judge_look(run, &judged, ret, error);
}

/* A false alarm is no reason to ask for everything. */
static gboolean raise_taint(SpkRun *run, gint64 score, const char *source, GError **error)
{
	if (score < spk_conf_int(run->env.conf, "prompt_scanner.block_threshold"))
		return TRUE;
	return run_taint(run, SPK_TAINT_OUTSIDE, source, error);
}

/* Only names of the registry: others are the model's words. */
static char *brought_by(const char *name)
{
	return name && spk_tool_find(name)
		       ? g_strdup_printf("what the tool %s brought", name)
		       : g_strdup("what a tool brought");
}

gboolean run_scan_result(SpkRun *run, const json_t *call, SpkToolResult *result,
			 json_t **ret_scan, GError **error)
{
	const char *name = spk_json_str(call, "name");
	g_autofree char *source =
		g_strdup_printf("%s, whose text gives orders", name ? name : "a tool");
	g_autofree char *what = brought_by(name);
	g_auto(SpkScanResult) found = { 0 };
	char *text;

	*ret_scan = NULL;
	/* the model's own words */
	if (result->finished || !result->text)
		return TRUE;
	if (!look(run, what, result->text, &found, error))
		return FALSE;
	if (found.verdict == SPK_SCAN_PASS)
		return TRUE;
	if (!raise_taint(run, found.score, source, error))
		return FALSE;
	text = spk_scan_for_model(&found, result->text);
	g_free(result->text);
	result->text = text;
	*ret_scan = spk_scan_to_json(&found);
	return TRUE;
}

/* ---- what a check or the setup printed ---- */

gboolean run_scan_printed(SpkRun *run, json_t *payload, GError **error)
{
	const char *tail = spk_json_str(payload, "tail");
	g_auto(SpkScanResult) found = { 0 };
	g_autofree char *warning = NULL;
	json_t *scan;

	if (!tail)
		return TRUE;
	if (!look(run, "what a command of the repository printed", tail, &found, error))
		return FALSE;
	if (found.verdict == SPK_SCAN_PASS)
		return TRUE;
	scan = spk_scan_to_json(&found);
	warning = spk_scan_for_model(&found, "");
	spk_json_set(scan, "warning", spk_json_text(warning));
	spk_json_set(payload, "scan", scan);
	return TRUE;
}

gboolean run_scan_heard(SpkRun *run, const json_t *payload, const char *what,
			GError **error)
{
	const json_t *scan = json_object_get(payload, "scan");
	g_autofree char *source =
		g_strdup_printf("the output of %s `%s`, whose text gives orders", what,
				spk_json_str(payload, "command"));

	return !scan || raise_taint(run, spk_json_int(scan, "score", 0), source, error);
}

char *run_scan_told(const json_t *payload, const char *text)
{
	const json_t *scan = json_object_get(payload, "scan");
	const char *warning = spk_json_str(scan, "warning");
	const char *verdict = spk_json_str(scan, "verdict");

	if (!warning)
		return g_strdup(text);
	if (!g_strcmp0(verdict, spk_scan_verdict_name(SPK_SCAN_BLOCK)))
		return g_strdup(warning);
	return g_strconcat(warning, text, NULL);
}
