#include "store/dialect.h"

#include <string.h>

#include "store/states.h"

const SpkDialect spk_dialect_sqlite[] = {
	{ "key", "TEXT" },   { "number", "INTEGER" },
	{ "bytes", "BLOB" }, { "clustered", " WITHOUT ROWID" },
	{ NULL, NULL },
};

/* States and verdicts are the same in every database. */
/* clang-format off */
static const SpkDialect common[] = {
#define X(sym, name, ...) ", '" name "'"
	{ "states", SPK_STATE_TABLE(X) },
	{ "verdicts", SPK_VERDICT_TABLE(X) },
#undef X
	{ NULL, NULL },
};
/* clang-format on */

static const char *find_word(const SpkDialect *dialect, const char *word, gsize len)
{
	for (const SpkDialect *d = dialect; d->word; d++)
		if (strlen(d->word) == len && !strncmp(d->word, word, len))
			return d->sql;
	return dialect == common ? NULL : find_word(common, word, len);
}

char *spk_dialect_expand(const SpkDialect *dialect, const char *text)
{
	GString *sql = g_string_new(NULL);
	const char *open;

	while ((open = strchr(text, '{'))) {
		const char *close = strchr(open, '}');
		const char *word = close ? find_word(dialect, open + 1, close - open - 1)
					 : NULL;

		g_assert(word);
		if (g_str_has_prefix(word, ", ")) /* a list begins without its comma */
			word += 2;
		g_string_append_len(sql, text, open - text);
		g_string_append(sql, word);
		text = close + 1;
	}
	g_string_append(sql, text);
	return g_string_free(sql, FALSE);
}
