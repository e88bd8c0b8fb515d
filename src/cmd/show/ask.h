/*
 * Asking at the terminal (SpkAsker, guard/approval.h): the question, then one line of an answer.
 * Ctrl-C and the end of input leave the question open. It goes away by itself when it is
 * answered elsewhere or time runs out.
 */
#ifndef SPK_CMD_ASK_H
#define SPK_CMD_ASK_H

#include "cmd/session.h"
#include "guard/approval.h"

typedef struct {
	SpkStore *store;
	SpkCancel *cancel; /* fires on Ctrl-C */
	gboolean yes;	   /* -y: answers what that may answer */
	gboolean mute;	   /* nobody is to be asked: -y alone */
	/* Takes away what else is drawn on the terminal, and puts it back; NULL: nothing is. */
	void (*quiet)(gboolean quiet, gpointer user);
	gpointer user;
} SpkAskUser;

/* `user` is borrowed as long as the asker is used. */
SpkAsker spk_ask_user(SpkAskUser *user);

#endif
