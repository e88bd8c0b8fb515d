/* Only what POSIX lists as async-signal-safe is called below on_end(). */
#include "cmd/chat/rescue.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define GIVE_BACK "\033[?2004l\033[?25h\033[0m\r\n"

typedef struct {
	int number;
	gboolean crash; /* what handled it before (a sanitizer) gets it too */
	struct sigaction before;
} Listened;

static Listened always[] = {
	{ SIGSEGV, TRUE }, { SIGBUS, TRUE },  { SIGABRT, TRUE },  { SIGFPE, TRUE },
	{ SIGILL, TRUE },  { SIGHUP, FALSE }, { SIGQUIT, FALSE },
};
static Listened editing[] = { { SIGTERM, FALSE }, { SIGINT, FALSE } };

static volatile sig_atomic_t continued;
static struct termios modes;
static struct sigaction before_continue;
static int terminal = -1;
static char stack[64 << 10]; /* a crash may be that of the other one */

static void give_back(void)
{
	sigset_t one;

	if (terminal < 0 || tcgetpgrp(terminal) != getpgrp())
		return;
	/* ours a moment ago, perhaps no longer: then it must not stop us */
	sigemptyset(&one);
	sigaddset(&one, SIGTTOU);
	sigprocmask(SIG_BLOCK, &one, NULL);
	(void)tcsetattr(terminal, TCSANOW, &modes); /* nothing is left to do about it */
	if (write(terminal, GIVE_BACK, strlen(GIVE_BACK)) < 0)
		return;
}

static void restore(const Listened *signals, gsize n, int number)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };

	for (gsize i = 0; i < n; i++)
		if (signals[i].number == number)
			sigaction(number, signals[i].crash ? &signals[i].before : &plain,
				  NULL);
}

/* It is blocked until we return, and then ends the program. */
static void on_end(int number)
{
	int kept = errno;

	give_back();
	restore(always, G_N_ELEMENTS(always), number);
	restore(editing, G_N_ELEMENTS(editing), number);
	raise(number);
	errno = kept;
}

static void on_continue(int number)
{
	continued = 1;
}

static void listen_to(Listened *signals, gsize n)
{
	struct sigaction action = { .sa_handler = on_end, .sa_flags = SA_ONSTACK };

	sigemptyset(&action.sa_mask);
	for (gsize i = 0; i < n; i++) {
		sigaction(signals[i].number, NULL, &signals[i].before);
		if (signals[i].before.sa_handler != SIG_IGN) /* as nohup has it */
			sigaction(signals[i].number, &action, NULL);
	}
}

static void listen_no_more(const Listened *signals, gsize n)
{
	for (gsize i = 0; i < n; i++)
		sigaction(signals[i].number, &signals[i].before, NULL);
}

static void use_stack(void)
{
	stack_t now, ours = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE))
		(void)sigaltstack(&ours, NULL); /* without it on_end has the usual one */
}

void chat_rescue_begin(int fd)
{
	struct sigaction action = { .sa_handler = on_continue, .sa_flags = SA_RESTART };

	if (tcgetattr(fd, &modes) < 0)
		return;
	terminal = fd;
	use_stack();
	listen_to(always, G_N_ELEMENTS(always));
	sigemptyset(&action.sa_mask);
	sigaction(SIGCONT, &action, &before_continue);
}

void chat_rescue_edit(void)
{
	listen_to(editing, G_N_ELEMENTS(editing));
}

void chat_rescue_edited(void)
{
	listen_no_more(editing, G_N_ELEMENTS(editing));
}

void chat_rescue_end(void)
{
	if (terminal < 0)
		return;
	listen_no_more(always, G_N_ELEMENTS(always));
	sigaction(SIGCONT, &before_continue, NULL);
	terminal = -1;
}

gboolean chat_rescue_was_stopped(void)
{
	gboolean was = continued;

	continued = 0;
	return was;
}
