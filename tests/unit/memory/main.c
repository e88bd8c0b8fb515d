#include "test_memory.h"

int main(void)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));

	g_array_append_vals(all, embedder_tests, n_embedder_tests);
	g_array_append_vals(all, embed_server_tests, n_embed_server_tests);
	g_array_append_vals(all, tell_tests, n_tell_tests);
	g_array_append_vals(all, index_tests, n_index_tests);
	g_array_append_vals(all, index_file_tests, n_index_file_tests);
	g_array_append_vals(all, portable_tests, n_portable_tests);
	g_array_append_vals(all, wordpiece_tests, n_wordpiece_tests);
	g_array_append_vals(all, kernels_tests, n_kernels_tests);
	g_array_append_vals(all, bert_tests, n_bert_tests);
	g_array_append_vals(all, model_get_tests, n_model_get_tests);
	g_array_append_vals(all, model_dir_tests, n_model_dir_tests);
	g_array_append_vals(all, weights_tests, n_weights_tests);
	g_array_append_vals(all, recall_tests, n_recall_tests);
	g_array_append_vals(all, remember_tests, n_remember_tests);
	return _cmocka_run_group_tests("memory", (const struct CMUnitTest *)all->data,
				       all->len, NULL, NULL);
}
