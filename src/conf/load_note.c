/* What a load has to say: problems, and what is only strange. */
#include "base/error.h"
#include "conf/load_priv.h"

void spk_load_problem(SpkConfLoad *load, const char *hint, const char *format, ...)
{
	g_autofree char *text = NULL;
	GError *error = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	spk_error_set(&error, SPK_ERR_CONFIG, hint, "%s", text);
	g_ptr_array_add(load->problems, error);
}

void spk_load_warning(SpkConfLoad *load, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(load->conf->warnings, g_strdup_vprintf(format, args));
	va_end(args);
}
