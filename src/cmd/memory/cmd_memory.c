/* `sparks memory …`: what is remembered, and the model that finds it by meaning. */
#include "cmd/cmd_all.h"
#include "cmd/memory/memory_all.h"

static const SpkCmd *const subs[] = {
	&spk_memory_cmd_batch,
	&spk_memory_cmd_model,
	&spk_memory_cmd_undo,
	NULL,
};

const SpkCmd spk_cmd_memory = {
	.name = "memory",
	.summary = "What is remembered, and how it is found again.",
	.example = "sparks memory model install",
	.subs = subs,
};
