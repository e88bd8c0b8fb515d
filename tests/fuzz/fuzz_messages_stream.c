/* See fuzz_stream.h. */
#define FUZZ_WIRE spk_wire_messages
#include "fuzz_stream.h"
