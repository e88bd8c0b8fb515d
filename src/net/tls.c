#include "net/tls.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "net/openssl_priv.h"

static const unsigned char http_1_1[] = "\x08http/1.1";

struct SpkTlsContext {
	const SpkOpenssl *lib;
	SSL_CTX *ctx;
};

struct SpkTls {
	const SpkOpenssl *lib;
	SSL *ssl;
	gboolean broken; /* it must not be ended in peace */
	short read_wants, write_wants;
};

/* ---- contexts ---- */

static SpkTlsContext *new_context(const SSL_METHOD *(*method)(void),
				  const SpkOpenssl *lib, GError **error)
{
	SpkTlsContext *context = g_new0(SpkTlsContext, 1);

	context->lib = lib;
	context->ctx = lib->SSL_CTX_new_(method());
	if (context->ctx) {
		lib->SSL_CTX_ctrl_(context->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION,
				   TLS1_2_VERSION, NULL);
		lib->SSL_CTX_ctrl_(context->ctx, SSL_CTRL_MODE,
				   SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					   SSL_MODE_RELEASE_BUFFERS,
				   NULL);
		lib->SSL_CTX_ctrl_(context->ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
				   SSL_SESS_CACHE_OFF, NULL);
		return context;
	}
	g_free(context);
	spk_error_set(error, SPK_ERR_PROVIDER, NULL, "OpenSSL gives no context");
	return NULL;
}

SpkTlsContext *spk_tls_client(GError **error)
{
	const SpkOpenssl *lib = spk_openssl_get(error);
	SpkTlsContext *context = lib ? new_context(lib->TLS_client_method_, lib, error)
				     : NULL;

	if (!context)
		return NULL;
	/* none at all: every certificate is refused, which says so */
	(void)lib->SSL_CTX_set_default_verify_paths_(context->ctx);
	lib->SSL_CTX_set_verify_(context->ctx, SSL_VERIFY_PEER, NULL);
	/* 0 is success */
	(void)lib->SSL_CTX_set_alpn_protos_(context->ctx, http_1_1, sizeof(http_1_1) - 1);
	return context;
}

/* A client that also speaks something else gets HTTP/1.1; one that speaks only that, nothing. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_out,
			   unsigned char *ret_len, const unsigned char *in,
			   unsigned int len, void *user)
{
	for (unsigned int at = 0; at < len; at += 1u + in[at])
		if (at + sizeof(http_1_1) - 1 <= len &&
		    memcmp(in + at, http_1_1, sizeof(http_1_1) - 1) == 0) {
			*ret_out = in + at + 1;
			*ret_len = in[at];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

SpkTlsContext *spk_tls_server(void *certificate, void *key, GError **error)
{
	const SpkOpenssl *lib = spk_openssl_get(error);
	g_autoptr(SpkTlsContext)
		context = lib ? new_context(lib->TLS_server_method_, lib, error) : NULL;

	if (!context)
		return NULL;
	lib->SSL_CTX_set_alpn_select_cb_(context->ctx, choose_protocol, NULL);
	if (lib->SSL_CTX_use_certificate_(context->ctx, certificate) == 1 &&
	    lib->SSL_CTX_use_PrivateKey_(context->ctx, key) == 1)
		return g_steal_pointer(&context);
	spk_error_set(error, SPK_ERR_PROVIDER, NULL, "OpenSSL takes no certificate");
	return NULL;
}

void spk_tls_context_free(SpkTlsContext *context)
{
	if (!context)
		return;
	context->lib->SSL_CTX_free_(context->ctx);
	g_free(context);
}

/* ---- one connection ---- */

static gboolean set_server(SpkTls *tls, const SpkEndpoint *server)
{
	const SpkOpenssl *lib = tls->lib;

	lib->SSL_set_connect_state_(tls->ssl);
	if (server->is_address)
		return lib->X509_VERIFY_PARAM_set1_ip_asc_(lib->SSL_get0_param_(tls->ssl),
							   server->name) == 1;
	return lib->SSL_ctrl_(tls->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
			      TLSEXT_NAMETYPE_host_name, (void *)server->name) == 1 &&
	       lib->SSL_set1_host_(tls->ssl, server->name) == 1;
}

SpkTls *spk_tls_new(SpkTlsContext *context, int fd, const SpkEndpoint *server)
{
	SpkTls *tls = g_new0(SpkTls, 1);

	tls->lib = context->lib;
	tls->ssl = tls->lib->SSL_new_(context->ctx);
	tls->read_wants = POLLIN;
	tls->write_wants = POLLOUT;
	g_assert(tls->ssl); /* NULL only when memory is out */
	if (server)
		tls->broken = !set_server(tls, server);
	else
		tls->lib->SSL_set_accept_state_(tls->ssl);
	if (tls->lib->SSL_set_fd_(tls->ssl, fd) != 1)
		tls->broken = TRUE;
	return tls;
}

void spk_tls_free(SpkTls *tls)
{
	if (!tls)
		return;
	tls->lib->SSL_free_(tls->ssl);
	g_free(tls);
}

/* What a call that did not succeed has come to. */
static gssize judge(SpkTls *tls, int result, short *wants)
{
	switch (tls->lib->SSL_get_error_(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*wants = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*wants = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		tls->broken = TRUE;
		errno = EIO;
		return -1;
	}
}

static const char *reason(const SpkTls *tls)
{
	const SpkOpenssl *lib = tls->lib;
	long verified = lib->SSL_get_verify_result_(tls->ssl);
	const char *text = lib->ERR_reason_error_string_(lib->ERR_peek_error_());

	if (verified != X509_V_OK)
		return lib->X509_verify_cert_error_string_(verified);
	return text ? text : "the other side ended the connection";
}

int spk_tls_handshake(SpkTls *tls, const char **ret_why)
{
	int result;

	if (tls->broken) {
		*ret_why = "it could not be begun";
		return -1;
	}
	tls->lib->ERR_clear_error_();
	result = tls->lib->SSL_do_handshake_(tls->ssl);
	if (result == 1)
		return 1;
	if (judge(tls, result, &tls->read_wants) < 0 && errno == EAGAIN)
		return 0;
	*ret_why = reason(tls);
	return -1;
}

gssize spk_tls_read(SpkTls *tls, void *bytes, gsize len)
{
	int n;

	tls->lib->ERR_clear_error_();
	n = tls->lib->SSL_read_(tls->ssl, bytes, (int)MIN(len, G_MAXINT));
	return n > 0 ? n : judge(tls, n, &tls->read_wants);
}

gssize spk_tls_write(SpkTls *tls, const void *bytes, gsize len)
{
	gssize n;

	if (!len)
		return 0;
	tls->lib->ERR_clear_error_();
	n = tls->lib->SSL_write_(tls->ssl, bytes, (int)MIN(len, G_MAXINT));
	if (n <= 0)
		n = judge(tls, (int)n, &tls->write_wants);
	if (n == 0)
		errno = EIO;
	return n > 0 ? n : -1;
}

void spk_tls_end(SpkTls *tls)
{
	tls->lib->ERR_clear_error_();
	if (!tls->broken)
		(void)tls->lib->SSL_shutdown_(tls->ssl); /* the close will tell, too */
}

short spk_tls_wants(const SpkTls *tls, gboolean to_write)
{
	return to_write ? tls->write_wants : tls->read_wants;
}

const char *spk_tls_asked_for(const SpkTls *tls)
{
	return tls->lib->SSL_get_servername_(tls->ssl, TLSEXT_NAMETYPE_host_name);
}
