/* What every test file of the room includes; main.c runs the arrays. */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib.h>

extern const struct CMUnitTest model_get_tests[];
extern const size_t n_model_get_tests;
extern const struct CMUnitTest embedder_tests[];
extern const size_t n_embedder_tests;
extern const struct CMUnitTest embed_server_tests[];
extern const size_t n_embed_server_tests;
extern const struct CMUnitTest tell_tests[];
extern const size_t n_tell_tests;
extern const struct CMUnitTest index_tests[];
extern const size_t n_index_tests;
extern const struct CMUnitTest index_file_tests[];
extern const size_t n_index_file_tests;
extern const struct CMUnitTest portable_tests[];
extern const size_t n_portable_tests;
extern const struct CMUnitTest wordpiece_tests[];
extern const size_t n_wordpiece_tests;
extern const struct CMUnitTest kernels_tests[];
extern const size_t n_kernels_tests;
extern const struct CMUnitTest bert_tests[];
extern const size_t n_bert_tests;
extern const struct CMUnitTest model_dir_tests[];
extern const size_t n_model_dir_tests;
extern const struct CMUnitTest weights_tests[];
extern const size_t n_weights_tests;
extern const struct CMUnitTest recall_tests[];
extern const size_t n_recall_tests;
extern const struct CMUnitTest remember_tests[];
extern const size_t n_remember_tests;
#endif
