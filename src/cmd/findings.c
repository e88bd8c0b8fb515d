#include "cmd/findings.h"

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cmd/ui.h"

#define INDENT 21 /* "PASS  title          " */

static const struct {
	const char *name, *role;
} statuses[SPK_N_FOUND] = { { "PASS", "ok" }, { "WARN", "warn" }, { "FAIL", "bad" } };

void spk_finding_clear(SpkFinding *finding)
{
	g_clear_pointer(&finding->observed, g_free);
	g_clear_pointer(&finding->remediation, g_free);
}

SpkFinding spk_found(SpkFound status, const char *remediation, const char *format, ...)
{
	SpkFinding finding = { status, NULL, g_strdup(remediation) };
	va_list args;

	va_start(args, format);
	finding.observed = g_strdup_vprintf(format, args);
	va_end(args);
	return finding;
}

SpkFinding spk_found_error(SpkFound status, const GError *error, const char *remediation)
{
	const char *hint = spk_error_hint(error);

	return spk_found(status, hint ? hint : remediation, "%s", error->message);
}

json_t *spk_finding_to_json(const char *id, const char *expected,
			    const SpkFinding *finding)
{
	return json_pack("{s:s,s:s,s:o,s:s,s:o}", "id", id, "status",
			 statuses[finding->status].name, "observed",
			 spk_json_text(finding->observed), "expected", expected,
			 "remediation", spk_json_text(finding->remediation));
}

void spk_finding_print(const char *title, const SpkFinding *finding)
{
	g_autoptr(GString) out = g_string_new(NULL), text = g_string_new(NULL);
	g_autofree char *padded = g_strdup_printf("  %-14s ", title);
	int columns = MIN(spk_ui_columns(STDOUT_FILENO), 110);

	spk_ui_paint(out, STDOUT_FILENO, statuses[finding->status].role,
		     statuses[finding->status].name);
	g_string_append(out, padded);
	spk_ui_fold(text, finding->observed, INDENT, columns, 6);
	if (finding->remediation && finding->status != SPK_FOUND_PASS)
		spk_ui_fold(text, finding->remediation, INDENT + 2, columns, 4);
	/* the first line stands beside the title, not below it */
	g_string_append(out, text->str + MIN(INDENT, text->len));
	fputs(out->str, stdout);
}
