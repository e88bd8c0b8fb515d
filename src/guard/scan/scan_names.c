/* Names of verdicts, severities and classes. */
#include "guard/scan.h"

static const char *const verdict_names[] = {
#define X(sym, name) name,
	SPK_SCAN_VERDICTS(X)
#undef X
};
static const char *const severity_names[] = {
#define X(sym, name, ...) name,
	SPK_SCAN_SEVERITIES(X)
#undef X
};
static const char *const class_names[] = {
#define X(sym, name) name,
	SPK_SCAN_CLASSES(X)
#undef X
};

const char *spk_scan_verdict_name(SpkScanVerdict verdict)
{
	return verdict_names[verdict];
}

const char *spk_scan_severity_name(SpkScanSeverity severity)
{
	return severity_names[severity];
}

const char *spk_scan_class_name(SpkScanClass kind)
{
	return class_names[kind];
}
