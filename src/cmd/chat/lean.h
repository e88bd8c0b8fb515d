/*
 * A chat that waits gives its memory back. glibc keeps seven freed blocks of each small size for
 * each thread, and with them the pages they lie in, all over the heap: 0.5 to 0.9 MiB that grew with
 * every message. Only a variable that is read before main() switches that off.
 */
#ifndef SPK_CMD_CHAT_LEAN_H
#define SPK_CMD_CHAT_LEAN_H

/* To be called first, before any thread: starts the program anew, in its place, with the variable
 * set, and the second time takes the variable away. Where that can't be done it goes on as it is,
 * and so it does where somebody has set the variable. */
void chat_lean(void);

#endif
