#include "guard/guard_priv.h"

gboolean guard_decode_percent(char *text)
{
	gboolean any = FALSE;
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (*at == '%' && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2]) &&
		    (at[1] != '0' || at[2] != '0')) {
			*to++ = (char)(g_ascii_xdigit_value(at[1]) << 4 |
				       g_ascii_xdigit_value(at[2]));
			at += 2;
			any = TRUE;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	return any;
}
