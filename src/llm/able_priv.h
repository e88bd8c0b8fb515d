/*
 * Whether a model calls tools by itself: found out once by a small question and remembered for
 * each server and model in SPARKS_HOME/models.json. A file that is no such file is made anew.
 */
#ifndef SPK_LLM_ABLE_PRIV_H
#define SPK_LLM_ABLE_PRIV_H

#include <glib.h>

typedef enum { SPK_ABLE_UNKNOWN, SPK_ABLE_TOOLS, SPK_ABLE_TEXT } SpkAble;

SpkAble spk_able_recall(const char *url, const char *model);
/* Kept for 30 days; failures are logged: then it is asked again. */
void spk_able_remember(const char *url, const char *model, SpkAble able);

#endif
