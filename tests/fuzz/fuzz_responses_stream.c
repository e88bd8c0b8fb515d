/* See fuzz_stream.h. */
#define FUZZ_WIRE spk_wire_responses
#include "fuzz_stream.h"
