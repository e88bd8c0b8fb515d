#include "cmd/frame/roff.h"

void spk_roff_text(GString *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		gboolean first = out->len == 0 || out->str[out->len - 1] == '\n';

		if (first && (*p == '.' || *p == '\''))
			g_string_append(out, "\\&");
		if (*p == '\\')
			g_string_append(out, "\\e");
		else if (*p == '-')
			g_string_append(out, "\\-");
		else
			g_string_append_c(out, *p);
	}
}

void spk_roff_line(GString *out, const char *text)
{
	spk_roff_text(out, text);
	g_string_append_c(out, '\n');
}

void spk_roff_item(GString *out, const char *tag, const char *text)
{
	g_string_append(out, ".TP\n\\fB");
	spk_roff_text(out, tag);
	g_string_append(out, "\\fR\n");
	spk_roff_line(out, text);
}

void spk_roff_paragraphs(GString *out, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "\n", -1);

	for (char **part = parts; *part; part++)
		if (**part) {
			g_string_append(out, ".PP\n");
			spk_roff_line(out, *part);
		}
}
