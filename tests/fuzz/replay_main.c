/*
 * Runs a fuzz target over every file of a folder: what was once found stays fixed.
 *
 * usage: fuzz_NAME NAME FOLDER
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean replay(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	g_autofree uint8_t *exact = NULL;
	gsize len;

	if (!g_file_get_contents(path, &text, &len, &error)) {
		printf("# %s\n", error->message);
		return FALSE;
	}
	/* a block of just that size, so that reading past the end is seen */
	exact = g_malloc(MAX(len, 1));
	memcpy(exact, text, len);
	printf("# %s\n", path);
	fflush(stdout);
	(void)LLVMFuzzerTestOneInput(exact, len); /* crashes are the verdict */
	return TRUE;
}

int main(int argc, char **argv)
{
	g_autoptr(GDir) dir = NULL;
	const char *name;
	guint n = 0;
	gboolean ok = TRUE;

	if (argc != 3) {
		fprintf(stderr, "usage: %s NAME FOLDER\n", argv[0]);
		return 2;
	}
	printf("1..1\n");
	dir = g_dir_open(argv[2], 0, NULL);
	while (dir && ok && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(argv[2], name, NULL);

		ok = replay(path);
		n++;
	}
	ok = ok && n > 0; /* an empty corpus proves nothing */
	printf("%sok 1 - %s: %u inputs\n", ok ? "" : "not ", argv[1], n);
	return ok ? 0 : 1;
}
