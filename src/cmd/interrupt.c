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
static SpkCancel *token;

static void on_signal(int number)
{
	static volatile sig_atomic_t seen;
	char byte = (char)number;

	if (seen)
		_exit(130);
	seen = 1;
	if (write(wake_pipe[1], &byte, 1) < 0)
		_exit(130);
}

static gpointer wait_for_signal(gpointer data)
{
	char byte = 0;
	ssize_t n;

	do
		n = read(wake_pipe[0], &byte, 1);
	while (n < 0);
	spk_cancel_fire(token, byte == SIGTERM ? "stopped by SIGTERM" : "interrupted");
	return NULL;
}

SpkCancel *spk_cmd_interrupt(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (token)
		return spk_cancel_ref(token);
	token = spk_cancel_new(NULL);
	/* Without a pipe (no descriptors left) the default action ends the program. */
	if (pipe2(wake_pipe, O_CLOEXEC) < 0)
		return spk_cancel_ref(token);
	g_thread_unref(g_thread_new("signals", wait_for_signal, NULL));
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return spk_cancel_ref(token);
}
