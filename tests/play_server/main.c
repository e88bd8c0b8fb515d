/*
 * play-server FILE.play: serves a play on 127.0.0.1 until stdin is closed or --seconds are
 * over. The first line on stdout is the port.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "play_server.h"

static PlayServerOptions options;
static int port, seconds = 300, split, slow_ms, fragment, times;
static char *fault, *retry_after;

static const GOptionEntry entries[] = {
	{ "port", 0, 0, G_OPTION_ARG_INT, &port, "0: any", "N" },
	{ "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "life time (300)", "N" },
	{ "split", 0, 0, G_OPTION_ARG_INT, &split, "bytes per piece of the body", "N" },
	{ "slow-ms", 0, 0, G_OPTION_ARG_INT, &slow_ms, "between two pieces", "N" },
	{ "fragment", 0, 0, G_OPTION_ARG_INT, &fragment,
	  "characters of tool arguments per event", "N" },
	{ "crlf", 0, 0, G_OPTION_ARG_NONE, &options.crlf, "line ends", NULL },
	{ "comments", 0, 0, G_OPTION_ARG_NONE, &options.comments, "between events",
	  NULL },
	{ "no-usage", 0, 0, G_OPTION_ARG_NONE, &options.no_usage, "leave usage out",
	  NULL },
	{ "no-done", 0, 0, G_OPTION_ARG_NONE, &options.no_done, "leave [DONE] out",
	  NULL },
	{ "plain", 0, 0, G_OPTION_ARG_NONE, &options.plain, "don't stream", NULL },
	{ "fault", 0, 0, G_OPTION_ARG_STRING, &fault, "what goes wrong", "NAME" },
	{ "times", 0, 0, G_OPTION_ARG_INT, &times, "for so many requests (all)", "N" },
	{ "retry-after", 0, 0, G_OPTION_ARG_STRING, &retry_after, "header of the fault",
	  "SECONDS" },
	{ NULL },
};

static void wait_for_end(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	char buffer[256];

	for (;;) {
		gint64 left_ms = (end - g_get_monotonic_time()) / 1000;

		if (left_ms <= 0 || poll(&in, 1, (int)left_ms) <= 0 ||
		    read(STDIN_FILENO, buffer, sizeof(buffer)) <= 0)
			return;
	}
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("FILE.play");
	g_autofree char *names = g_strjoinv(" ", (char **)play_server_faults());
	g_autofree char *about = g_strconcat("Faults: ", names, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(PlayServer) server = NULL;
	SpkPlay *play;

	signal(SIGPIPE, SIG_IGN);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_description(context, about);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
		fprintf(stderr, "play-server: %s\n",
			error ? error->message : "FILE.play is missing");
		return 2;
	}
	play = spk_play_load(argv[1], &error);
	if (!play) {
		fprintf(stderr, "play-server: %s\n", error->message);
		return 2;
	}
	options.split = MAX(0, split);
	options.slow_ms = MAX(0, slow_ms);
	options.fragment = MAX(0, fragment);
	options.fault = fault;
	options.fault_times = MAX(0, times);
	options.retry_after = retry_after;
	server = play_server_start(play, port, &options);
	if (!server) {
		fprintf(stderr,
			"play-server: port %d is taken, or the fault is not in the list\n",
			port);
		return 1;
	}
	printf("%d\n", play_server_port(server));
	fflush(stdout);
	wait_for_end();
	return 0;
}
