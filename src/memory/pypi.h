/*
 * Pages of a package index (the "simple" API: PEP 503 in HTML, PEP 691 in JSON). Pure functions.
 */
#ifndef SPK_MEMORY_PYPI_H
#define SPK_MEMORY_PYPI_H

#include <glib.h>

#define SPK_PYPI_PAGE_MAX (8u << 20) /* bytes */

/* "Accept: …" of a request for such a page. */
extern const char *const spk_pypi_accept;

/* The page of a project below an index. */
char *spk_pypi_page(const char *index, const char *project);
/* Address of the file with exactly that name, absolute (relative ones stand against `page`), http
 * or https. NULL: it isn't there. */
char *spk_pypi_find(const char *text, gsize len, const char *page, const char *file);

#endif
