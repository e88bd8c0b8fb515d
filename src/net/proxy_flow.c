/* Bytes on their way from one socket to another, with or without TLS on either. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "net/proxy_priv.h"

#define FLOW_SIZE (128u << 10)

gssize link_read(Link *link, void *bytes, gsize len)
{
	return link->tls ? spk_tls_read(link->tls, bytes, len)
			 : read(link->fd, bytes, len);
}

gssize link_write(Link *link, const void *bytes, gsize len)
{
	return link->tls ? spk_tls_write(link->tls, bytes, len)
			 : send(link->fd, bytes, len, MSG_NOSIGNAL);
}

void link_close(Link *link)
{
	g_clear_pointer(&link->tls, spk_tls_free);
	spk_fd_close(&link->fd);
}

gboolean link_end(Link *link)
{
	if (link->tls)
		spk_tls_end(link->tls);
	return shutdown(link->fd, SHUT_WR) == 0;
}

gsize flow_held(const Flow *flow)
{
	return flow->end - flow->start;
}

void flow_put(Flow *flow, const void *data, gsize len)
{
	gsize needed = flow->end + len;

	if (!flow->data || needed > flow->size) {
		flow->size = MAX(needed, FLOW_SIZE);
		flow->data = g_realloc(flow->data, flow->size);
	}
	if (len)
		memcpy(flow->data + flow->end, data, len);
	flow->end = needed;
}

gboolean flow_fill(Flow *flow, Link *link)
{
	ssize_t n;

	flow_put(flow, NULL, 0);
	n = link_read(link, flow->data, flow->size);
	flow->start = 0;
	flow->end = n > 0 ? (gsize)n : 0;
	flow->ended = n == 0;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

gboolean flow_flush(Flow *flow, Link *link)
{
	while (flow_held(flow)) {
		ssize_t n = link_write(link, flow->data + flow->start, flow_held(flow));

		if (n < 0 && errno == EAGAIN)
			return TRUE;
		if (n < 0 && errno != EINTR)
			return FALSE;
		flow->start += (gsize)MAX(n, 0);
	}
	flow->start = flow->end = 0;
	return TRUE;
}

void flow_clear(Flow *flow)
{
	g_free(flow->data);
	*flow = (Flow){ 0 };
}
