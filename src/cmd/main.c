/* Wiring only: everything is in the commands (cmd_all.c) and the parser (args.c). */
#include "cmd/cmd_all.h"

int main(int argc, char **argv)
{
	return spk_cmd_main(&spk_program, argc, argv);
}
