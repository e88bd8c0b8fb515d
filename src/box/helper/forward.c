/*
 * The way out, seen from inside: a process beside the command that turns a port of the box's
 * loopback into connections to a socket of the parent's proxy, because programs know proxies by
 * host and port. It understands nothing of what it carries, decides nothing, and ends with the
 * box. Not dumpable, so that the command cannot make it its tool.
 */
#include "box/helper/helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_LINKS 128
#define PIPE_SIZE (256 << 10)
#define BACKLOG	  128

/* Bytes on their way from one socket to another, in a pipe: they are never copied to us. */
typedef struct {
	int pipe[2];
	size_t held;
	int ended; /* nothing more will come */
	int shut;  /* and the other side knows */
} Flow;

typedef struct {
	int fd[2];  /* the program in the box, the proxy */
	Flow to[2]; /* flow to[i] ends in fd[i] */
} Link;

static Link links[MAX_LINKS];
static int n_links;
static struct sockaddr_un proxy = { .sun_family = AF_UNIX };

static void close_flow(Flow *flow)
{
	for (int i = 0; i < 2; i++)
		if (flow->pipe[i] >= 0)
			close(flow->pipe[i]);
}

static void close_link(Link *link)
{
	for (int i = 0; i < 2; i++) {
		if (link->fd[i] >= 0)
			close(link->fd[i]);
		close_flow(&link->to[i]);
	}
	*link = links[--n_links];
}

static int open_flow(Flow *flow)
{
	*flow = (Flow){ .pipe = { -1, -1 } };
	if (pipe2(flow->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	(void)fcntl(flow->pipe[1], F_SETPIPE_SZ, PIPE_SIZE); /* smaller ones do, too */
	return 0;
}

static void open_link(int listener)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, on = 1;
	Link *link = &links[n_links];

	memset(link, -1, sizeof(*link));
	link->fd[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (link->fd[0] < 0)
		return;
	n_links++;
	(void)setsockopt(link->fd[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	link->fd[1] = socket(AF_UNIX, type, 0);
	if (link->fd[1] < 0 || open_flow(&link->to[0]) < 0 ||
	    open_flow(&link->to[1]) < 0 ||
	    connect(link->fd[1], (struct sockaddr *)&proxy, sizeof(proxy)) < 0)
		close_link(link);
}

/* Whether it makes sense to try again at once, later (0), or never (-1). */
static int again(ssize_t n)
{
	if (n >= 0 || errno == EINTR)
		return 1;
	return errno == EAGAIN ? 0 : -1;
}

/* -1: the connection is broken. */
static int move(Flow *flow, int from, int to)
{
	ssize_t n = 0;

	if (!flow->held && !flow->ended) {
		n = splice(from, NULL, flow->pipe[1], NULL, PIPE_SIZE,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n > 0)
			flow->held = (size_t)n;
		else if (n == 0)
			flow->ended = 1;
		if (again(n) < 0)
			return -1;
	}
	while (flow->held) {
		n = splice(flow->pipe[0], NULL, to, NULL, flow->held,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n > 0)
			flow->held -= (size_t)n;
		if (again(n) <= 0)
			return again(n);
	}
	if (flow->ended && !flow->shut) {
		flow->shut = 1;
		if (shutdown(to, SHUT_WR) < 0)
			return -1;
	}
	return 0;
}

static int serve(Link *link)
{
	if (move(&link->to[1], link->fd[0], link->fd[1]) < 0 ||
	    move(&link->to[0], link->fd[1], link->fd[0]) < 0)
		return -1;
	return link->to[0].shut && link->to[1].shut ? -1 : 0;
}

/* What to wait for: a descriptor nothing is wanted of is left out, or its end would keep us
 * awake. */
static void want(const Link *link, struct pollfd *fds)
{
	for (int i = 0; i < 2; i++) {
		const Flow *in = &link->to[!i], *out = &link->to[i];
		short events = 0;

		if (!in->held && !in->ended)
			events |= POLLIN;
		if (out->held)
			events |= POLLOUT;
		fds[i] = (struct pollfd){ .fd = events ? link->fd[i] : -1,
					  .events = events };
	}
}

static _Noreturn void carry(int listener)
{
	static struct pollfd fds[1 + 2 * MAX_LINKS];

	for (;;) {
		int n = n_links;

		fds[0] = (struct pollfd){ .fd = n < MAX_LINKS ? listener : -1,
					  .events = POLLIN };
		for (int i = 0; i < n; i++)
			want(&links[i], &fds[1 + 2 * i]);
		if (poll(fds, (nfds_t)(1 + 2 * n), -1) < 0)
			continue;
		/* from the last: a link that goes is replaced by one that was served */
		for (int i = n - 1; i >= 0; i--)
			if ((fds[1 + 2 * i].revents || fds[2 + 2 * i].revents) &&
			    serve(&links[i]) < 0)
				close_link(&links[i]);
		if (fds[0].revents)
			open_link(listener);
	}
}

static int open_listener(const char *port)
{
	long long number = spk_plan_number(port, 10, 65535);
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)number),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (number < 1)
		fail_with("not a port");
	/* a container lives on: connections of the command before may be there still */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		fail();
	return fd;
}

void step_forward(const SpkPlanStep *step)
{
	int listener = open_listener(step->arg[0]);
	pid_t pid;

	if (strlen(step->arg[1]) >= sizeof(proxy.sun_path))
		fail_with("the path of the socket is too long");
	memcpy(proxy.sun_path, step->arg[1], strlen(step->arg[1]) + 1);
	pid = fork();
	if (pid < 0)
		fail();
	if (pid > 0) {
		close(listener);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	setsid();
	if (dup2(listener, 0) < 0 || syscall(SYS_close_range, 1, ~0u, 0) < 0)
		_exit(EXIT_BOX_FAILED);
	end_urgency();
	carry(0);
}
