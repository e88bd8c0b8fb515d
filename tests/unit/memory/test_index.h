/* What the tests of the index share. */
#ifndef TEST_INDEX_H
#define TEST_INDEX_H
#include "memory/index.h"

SpkIndex *index_new(guint dims, gboolean hnsw);
float *vectors_new(guint n, guint dims, guint seed);
void put_all(SpkIndex *index, const float *vectors, guint n, guint dims);
void remove_folder(const char *dir);
#endif
