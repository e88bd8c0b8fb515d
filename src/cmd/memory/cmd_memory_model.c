/* `sparks memory model …`: the model that turns texts into vectors. */
#include "cmd/memory/memory_all.h"
#include "cmd/memory/model_all.h"

static const SpkCmd *const subs[] = {
	&spk_memory_model_cmd_install,
	&spk_memory_model_cmd_show,
	NULL,
};

const SpkCmd spk_memory_cmd_model = {
	.name = "model",
	.summary = "The model that finds memories by their meaning.",
	.details =
		"Without one, memories are found by their words alone. What is asked where "
		"is told by [embedding] in the configuration: a model on this machine, a "
		"server with /v1/embeddings, or Ollama.",
	.example = "sparks memory model show",
	.subs = subs,
};
