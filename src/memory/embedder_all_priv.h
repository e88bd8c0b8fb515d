/* What the table of embedders is made of. */
#ifndef SPK_MEMORY_EMBEDDER_ALL_PRIV_H
#define SPK_MEMORY_EMBEDDER_ALL_PRIV_H

#include "memory/embedder_impl.h"

extern const SpkEmbedImpl spk_embed_engine; /* embed_engine.c */
extern const SpkEmbedImpl spk_embed_onnx;   /* embed_onnx.c */
extern const SpkEmbedImpl spk_embed_openai; /* embed_server.c */
extern const SpkEmbedImpl spk_embed_ollama;

#endif
