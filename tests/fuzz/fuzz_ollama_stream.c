/* See fuzz_stream.h. */
#define FUZZ_WIRE spk_wire_ollama
#include "fuzz_stream.h"
