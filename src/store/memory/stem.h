/* English words without their endings: M. F. Porter, "An algorithm for suffix stripping", Program 14
 * (1980), with his later changes (-bli, -logi); what SQLite's tokenizer `porter` does. */
#ifndef SPK_STORE_STEM_H
#define SPK_STORE_STEM_H

#include <glib.h>

/* `word`: len lower-case letters a-z, changed in place (it never grows); its new length. */
gsize spk_stem(char *word, gsize len);

/* The base of a form that no rule of endings reaches ("went": "go"), without its ending taken off;
 * NULL: it is none. `word` in lower case. */
const char *spk_stem_irregular(const char *word);

#endif
