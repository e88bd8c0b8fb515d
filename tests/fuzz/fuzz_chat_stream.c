/* See fuzz_stream.h. */
#define FUZZ_WIRE spk_wire_chat
#include "fuzz_stream.h"
