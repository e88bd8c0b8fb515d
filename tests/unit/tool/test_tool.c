#include "test_tool.h"

int main(void)
{
	return run_args_tests() + run_paths_tests() + run_read_tests() +
	       run_edit_tests() + run_list_tests() + run_boxed_tests();
}
