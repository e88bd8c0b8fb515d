/* What code of another language is found to do. */
#include "guard/command/code_priv.h"

void code_finds_init(CodeFinds *finds)
{
	*finds = (CodeFinds){ .lines = g_ptr_array_new_with_free_func(g_free),
			      .files = g_ptr_array_new_with_free_func(g_free),
			      .urls = g_ptr_array_new_with_free_func(g_free) };
}

void code_finds_clear(CodeFinds *finds)
{
	g_clear_pointer(&finds->lines, g_ptr_array_unref);
	g_clear_pointer(&finds->files, g_ptr_array_unref);
	g_clear_pointer(&finds->urls, g_ptr_array_unref);
	g_clear_pointer(&finds->blind, g_free);
}

void code_set_blind(CodeFinds *finds, const char *what)
{
	if (!finds->blind)
		finds->blind = g_strndup(what, 60);
}
