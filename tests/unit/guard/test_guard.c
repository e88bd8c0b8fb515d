#include "test_guard.h"

int main(void)
{
	return run_loop_tests() + run_git_tests() + run_files_tests();
}
