/* The table of embedders. */
#include "memory/embedder_all_priv.h"

const SpkEmbedImpl *const spk_embed_impls[] = {
	&spk_embed_engine, &spk_embed_onnx, &spk_embed_openai, &spk_embed_ollama, NULL,
};
