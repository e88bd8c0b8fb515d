/* The rules for git lines: one argument a line of the input. Whatever passes starts with a
 * sub-command (after harmless options of git), and keeps passing and failing the same way
 * with "--no-pager" in front. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "guard/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_allowed(char **args)
{
	static const char *const never[] = { "push",   "fetch",	 "pull",   "clone",
					     "remote", "rebase", "gc",	   "update-ref",
					     "hook",   "bisect", "daemon", "submodule",
					     NULL };

	while (g_str_has_prefix(*args, "-"))
		args++;
	g_assert(**args);
	g_assert(!g_strv_contains(never, *args));
	for (char **arg = args + 1; *arg; arg++) {
		g_assert(strcmp(*arg, "--amend") || strcmp(*args, "commit"));
		g_assert(strcmp(*arg, "--ext-diff"));
		g_assert(!g_str_has_prefix(*arg, "--open-files-in-pager=") ||
			 strcmp(*args, "grep"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) args = g_strsplit(text, "\n", 100);
	g_autoptr(GPtrArray) longer = g_ptr_array_new();
	g_autofree char *reason = NULL, *second = NULL;
	gboolean allowed = spk_guard_git((const char *const *)args, &reason);

	g_assert(allowed == (reason == NULL));
	if (allowed)
		check_allowed(args);
	g_ptr_array_add(longer, (gpointer) "--no-pager");
	for (char **arg = args; *arg; arg++)
		g_ptr_array_add(longer, *arg);
	g_ptr_array_add(longer, NULL);
	g_assert(spk_guard_git((const char *const *)longer->pdata, &second) == allowed);
	return 0;
}
