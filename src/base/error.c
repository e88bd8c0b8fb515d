#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

#include "base/veil.h"

typedef struct {
	char *hint;
} SpkErrorPrivate;

static void spk_error_private_init(SpkErrorPrivate *priv)
{
	priv->hint = NULL;
}

static void spk_error_private_copy(const SpkErrorPrivate *src, SpkErrorPrivate *dest)
{
	dest->hint = g_strdup(src->hint);
}

static void spk_error_private_clear(SpkErrorPrivate *priv)
{
	g_free(priv->hint);
}

G_DEFINE_EXTENDED_ERROR(SpkError, spk_error)

static const SpkErrInfo infos[SPK_N_ERRS] = {
#define X(sym, name, http, exit, retry, sentence) \
	[SPK_ERR_##sym] = { name, http, exit, retry, sentence },
	SPK_ERROR_TABLE(X)
#undef X
};

const SpkErrInfo *spk_err_info(SpkErr code)
{
	g_assert((guint)code < SPK_N_ERRS);
	return &infos[code];
}

SpkErr spk_error_code(const GError *error)
{
	return error->domain == SPK_ERROR ? (SpkErr)error->code : SPK_ERR_INTERNAL;
}

gboolean spk_error_is(const GError *error, SpkErr code)
{
	return error && error->domain == SPK_ERROR && error->code == (int)code;
}

static void set_valist(GError **error, SpkErr code, const char *hint, const char *format,
		       va_list args)
{
	g_autofree char *said = NULL, *clean = NULL;

	if (!error)
		return;
	said = g_strdup_vprintf(format, args);
	clean = spk_veil_text(said);
	*error = g_error_new_literal(SPK_ERROR, code, clean);
	spk_error_get_private(*error)->hint = spk_veil_text(hint);
}

void spk_error_set(GError **error, SpkErr code, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_valist(error, code, hint, format, args);
	va_end(args);
}

void spk_error_set_errno(GError **error, SpkErr code, int errno_value, const char *hint,
			 const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (!error)
		return; /* and errno stays as it is */
	if (errno_value == ENOSPC || errno_value == EDQUOT)
		code = SPK_ERR_DISK_FULL;
	else if (errno_value == EROFS)
		code = SPK_ERR_READ_ONLY;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	spk_error_set(error, code, hint, "%s: %s", text, g_strerror(errno_value));
}

const char *spk_error_hint(const GError *error)
{
	return error->domain == SPK_ERROR ? spk_error_get_private(error)->hint : NULL;
}
