/* A question to a person in words: what would run, what it does, which rule asks and why. */
#ifndef SPK_CMD_QUESTION_H
#define SPK_CMD_QUESTION_H

#include "guard/approval.h"

/* For fd; `whole`: all of a long call, with hash, times and answer. Text of any origin is clean. */
void spk_question_format(const SpkQuestion *question, gboolean whole, int fd,
			 GString *out);
/* "allowed once, by ann (command)"; "open" */
char *spk_question_answer_words(const SpkQuestion *question);

#endif
