/*
 * What single words, pairs of words and meanings add to the suspicion that a stretch of text
 * gives orders to the model that reads it. tools/scan-learn makes the rows from the tuned corpora;
 * docs/adr/0021 says how.
 */
#include "guard/scan/scan_priv.h"

/* clang-format off */
#define W(name, weight) { name, weight },

const ScanWeight scan_weights[] = {
#include "guard/scan/scan_weights.def"
{ NULL, 0 },
};
