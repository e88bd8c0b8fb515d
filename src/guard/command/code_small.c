/* Languages whose commands are read as they are: sed, editors, database shells. */
#include <string.h>

#include "guard/command/code_priv.h"

/* ---- sed ---- */

/* Past a part that ends with the delimiter. */
static const char *sed_part(const char *at, char delimiter)
{
	for (; *at && *at != delimiter; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

static const char *sed_address(const char *at)
{
	for (;;) {
		if (*at == '/')
			at = sed_part(at + 1, '/');
		else if (*at == '\\' && at[1])
			at = sed_part(at + 2, at[1]);
		else if (*at && strchr("0123456789$,~+! \tIM", *at))
			at++;
		else
			return at;
	}
}

static const char *sed_rest(const char *at, char **ret_text)
{
	gsize n = strcspn(at, "\n");

	*ret_text = g_strstrip(g_strndup(at, n));
	return at + n;
}

static const char *sed_flags(const char *at, CodeFinds *finds)
{
	for (; *at && !strchr(";}\n", *at); at++) {
		g_autofree char *file = NULL;

		if (*at == 'e')
			code_set_blind(finds, "the flag e of s///");
		if (*at == 'w') {
			finds->writes = TRUE;
			at = sed_rest(at + 1, &file);
			g_ptr_array_add(finds->files, g_steal_pointer(&file));
			return at;
		}
	}
	return at;
}

/* One command; its first letter stands at `at`. */
static const char *sed_command(const char *at, CodeFinds *finds)
{
	char c = *at++, delimiter = *at;
	g_autofree char *rest = NULL;

	if ((c == 's' || c == 'y') && delimiter) {
		at = sed_part(sed_part(at + 1, delimiter), delimiter);
		return sed_flags(at, finds);
	}
	if (!strchr("erRwWaicbtT:", c))
		return at;
	at = sed_rest(at, &rest);
	if (c == 'e' && *rest)
		g_ptr_array_add(finds->lines, g_steal_pointer(&rest));
	else if (c == 'e')
		code_set_blind(finds, "the command e");
	else if (strchr("rRwW", c)) {
		finds->writes |= c == 'w' || c == 'W';
		g_ptr_array_add(finds->files, g_steal_pointer(&rest));
	}
	return at;
}

void code_look_sed(const char *code, CodeFinds *finds)
{
	const char *at = code;

	while (*at) {
		at += strspn(at, "; \t\n{}");
		at = sed_address(at);
		at += strspn(at, " \t{");
		if (*at && !strchr("; \t\n{}", *at))
			at = sed_command(at, finds);
	}
}

/* ---- editors and database shells ---- */

void code_look_editor(const char *code, CodeFinds *finds)
{
	const char *bang = strchr(code, '!');

	/* gdb: "shell rm x"; vim: ":call system('rm x')", ":terminal rm" */
	if (g_str_has_prefix(code, "shell "))
		g_ptr_array_add(finds->lines, g_strdup(code + 6));
	else if (strstr(code, "system(") || strstr(code, "term") ||
		 strstr(code, "python") || strstr(code, "lua") ||
		 strstr(code, "job_start"))
		code_set_blind(finds, "a command of the editor");
	else if (bang && bang[1] && !strchr("=|\n \t", bang[1]) && bang > code &&
		 strchr("qweax", bang[-1]))
		bang = strchr(bang + 1, '!'); /* ":q!x" */
	if (bang && bang[1] && bang[1] != '=' && bang[1] != '\n' && bang[1] != '|')
		g_ptr_array_add(finds->lines, g_strdup(bang + 1));
}

void code_look_sql(const char *code, CodeFinds *finds)
{
	static const char *const ways[] = { ".shell ", ".system ", "\\! ",
					    "system ", "\\!",	   NULL };
	const char *program = strcasestr(code, "program '");

	for (guint i = 0; ways[i]; i++) {
		const char *found = strstr(code, ways[i]);

		if (found) {
			found += strlen(ways[i]);
			g_ptr_array_add(finds->lines,
					g_strndup(found, strcspn(found, "\n")));
			return;
		}
	}
	if (program)
		g_ptr_array_add(finds->lines,
				g_strndup(program + 9, strcspn(program + 9, "'")));
	finds->writes = TRUE;
}
