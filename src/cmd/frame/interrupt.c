/*
 * Ctrl-C: the handler writes one byte to a pipe, a thread reads it and fires the token
 * (firing takes locks, which a handler must not). A second signal leaves from the handler
 * itself, so it works however stuck the program is. Handlers, unlike an ignored signal or
 * a blocked mask, don't pass through exec to the children.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cmd/cmd.h"

static int wake_pipe[2] = { -1, -1 };
static volatile sig_atomic_t seen; /* the first signal's number */
static GMutex lock;		   /* guards token */
static SpkCancel *token;

static void on_signal(int number)
{
	char byte = (char)number;

	if (seen)
		_exit(130);
	seen = number;
	if (write(wake_pipe[1], &byte, 1) < 0)
		_exit(130);
}

static gpointer wait_for_signals(gpointer data)
{
	char byte = 0;

	for (;;) {
		if (read(wake_pipe[0], &byte, 1) < 1)
			continue;
		g_mutex_lock(&lock);
		spk_cancel_fire(token,
				byte == SIGTERM ? "stopped by SIGTERM" : "interrupted");
		g_mutex_unlock(&lock);
	}
	return NULL;
}

static void listen_to_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	/* Without a pipe (no descriptors left) the default action ends the program. */
	if (pipe2(wake_pipe, O_CLOEXEC) < 0)
		return;
	g_thread_unref(g_thread_new("signals", wait_for_signals, NULL));
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static SpkCancel *ref_token(gboolean anew)
{
	SpkCancel *now;

	g_mutex_lock(&lock);
	if (anew)
		g_clear_pointer(&token, spk_cancel_unref);
	if (!token)
		token = spk_cancel_new(NULL);
	now = spk_cancel_ref(token);
	g_mutex_unlock(&lock);
	return now;
}

SpkCancel *spk_cmd_interrupt(void)
{
	SpkCancel *now = ref_token(FALSE);

	if (wake_pipe[0] < 0)
		listen_to_signals();
	return now;
}

SpkCancel *spk_cmd_interrupt_anew(void)
{
	SpkCancel *now = ref_token(TRUE);

	if (wake_pipe[0] < 0)
		listen_to_signals();
	seen = 0;
	return now;
}

int spk_cmd_interrupted_by(void)
{
	return seen;
}
