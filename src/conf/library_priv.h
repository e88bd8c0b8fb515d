/* A shared library that is opened on first use: a table of functions (ADR 6). */
#ifndef SPK_CONF_LIBRARY_PRIV_H
#define SPK_CONF_LIBRARY_PRIV_H

#include <glib.h>

typedef struct {
	const char *name;
	gsize offset; /* in the table */
} SpkLibraryFunction;

typedef struct {
	const char *names[4]; /* sonames in the order they are tried */
	const SpkLibraryFunction *functions;
	const char *what, *hint; /* of the error */
} SpkLibrary;

/* Fills the table. FALSE: CONFIG, and what was opened is closed again. */
gboolean spk_library_open(const SpkLibrary *library, gpointer table, GError **error);

#endif
