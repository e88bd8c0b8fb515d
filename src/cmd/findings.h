/* What a check of `sparks doctor` or `sparks memory doctor` saw, and what to do about it. */
#ifndef SPK_CMD_FINDINGS_H
#define SPK_CMD_FINDINGS_H

#include <glib.h>
#include <jansson.h>

typedef enum { SPK_FOUND_PASS, SPK_FOUND_WARN, SPK_FOUND_FAIL, SPK_N_FOUND } SpkFound;

typedef struct {
	SpkFound status;
	char *observed, *remediation; /* remediation: NULL when there is nothing to do */
} SpkFinding;
void spk_finding_clear(SpkFinding *finding);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkFinding, spk_finding_clear)

G_GNUC_PRINTF(3, 4)
SpkFinding spk_found(SpkFound status, const char *remediation, const char *format, ...);
/* The hint of the error goes before `remediation`. */
SpkFinding spk_found_error(SpkFound status, const GError *error, const char *remediation);

/* {"id","status","observed","expected","remediation"} */
json_t *spk_finding_to_json(const char *id, const char *expected,
			    const SpkFinding *finding);
/* "PASS  title   what was seen", folded; below it what to do. */
void spk_finding_print(const char *title, const SpkFinding *finding);

#endif
