/* Help for the tests of memories. */
#ifndef SPK_TEST_MEMORY_H
#define SPK_TEST_MEMORY_H

#include "test_store.h"

#include "store/memories.h"

/* Kind "fact", scope "user". */
SpkMemoryRow *memory_new(const char *id, const char *text);
/* Its num. */
gint64 memory_put(SpkStore *store, const char *id, const char *text);
/* Ids of what is found, best first, with blanks between. */
char *memory_matches(SpkStore *store, const char *text, const SpkMemoryFilter *filter);

#endif
