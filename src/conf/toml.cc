/*
 * The one place that knows toml++: TOML text in, a flat list of entries out. It is reached
 * only when there is a file to read.
 */
#include <string>
#include <string_view>

#define TOML_HEADER_ONLY       1
#define TOML_EXCEPTIONS	       0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

#include "conf/conf_priv.h"
extern "C" {
#include "base/error.h"
}

static_assert(TOML_MAX_NESTED_VALUES == SPK_TOML_MAX_VALUES, "one limit, two names");

namespace
{

struct Place {
	guint line = 1, column = 1;
};

struct Problem {
	const char *what = nullptr;
	Place at;
};

/* Columns count characters, as toml++ does. */
Place place_of(std::string_view text, size_t at)
{
	Place p;

	for (char c : text.substr(0, at)) {
		p.column += (c & 0xc0) != 0x80;
		if (c == '\n')
			p = { p.line + 1, 1 };
	}
	return p;
}

/* toml++ would name the last character before the wrong one. */
bool is_text(std::string_view text, Problem &problem)
{
	const char *bad;

	if (g_utf8_validate_len(text.data(), text.size(), &bad))
		return true;
	problem = { *bad ? "invalid UTF-8" : "a NUL character",
		    place_of(text, bad - text.data()) };
	return false;
}

/*
 * toml++ frees nested tables by recursion and doesn't bound the parts of a key, so a text
 * of a.a.a.a… would use up the stack. This looks only for runs of dots between other
 * punctuation, outside strings and comments; what is malformed toml++ refuses by itself,
 * having built nothing beyond the place where it stopped.
 */
class DotScan {
public:
	explicit DotScan(std::string_view t) : text(t) {}

	bool fine(Problem &problem)
	{
		while (at < text.size()) {
			char c = text[at];

			if (c == '"' || c == '\'')
				skip_string(c);
			else if (c == '#')
				skip_to_newline();
			else
				plain(c);
			if (dots >= SPK_TOML_MAX_DOTS) {
				problem = { "more than 32 names joined by dots",
					    place_of(text, at) };
				return false;
			}
		}
		return true;
	}

private:
	std::string_view text;
	size_t at = 0;
	int dots = 0;

	void plain(char c)
	{
		if (c == '.')
			dots++;
		else if (c == '\n' || c == '=' || c == ',' || c == '{' || c == '[')
			dots = 0;
		at++;
	}

	void skip_to_newline()
	{
		at = text.find('\n', at);
		if (at == text.npos)
			at = text.size();
	}

	void skip_string(char quote)
	{
		bool multi = text.substr(at, 3) == std::string(3, quote);
		std::string end(multi ? 3 : 1, quote);

		at += end.size();
		while (at < text.size() && text.substr(at, end.size()) != end) {
			if (!multi && text[at] == '\n')
				return;
			at += text[at] == '\\' && quote == '"' ? 2 : 1;
		}
		at = std::min(at + end.size(), text.size());
	}
};

bool is_bare(std::string_view part)
{
	for (char c : part)
		if (!g_ascii_isalnum(c) && c != '_' && c != '-')
			return false;
	return !part.empty();
}

/* A quoted "a.b" is one name, and must not be taken for the option a.b. */
std::string join(const std::string &prefix, std::string_view part)
{
	std::string name = is_bare(part) ? std::string(part) : "\"" + std::string(part) + "\"";

	return prefix.empty() ? name : prefix + "." + name;
}

class Flattener {
public:
	GPtrArray *entries = g_ptr_array_new_with_free_func(
		[](gpointer p) { spk_conf_entry_free(static_cast<SpkConfEntry *>(p)); });
	Problem problem;

	void table(const toml::table &t, const std::string &prefix)
	{
		for (auto &&[key, node] : t) {
			std::string name = join(prefix, key.str());

			if (name.find('\0') != name.npos)
				complain("a NUL character in a key", key.source().begin);
			else if (const toml::table *sub = node.as_table(); sub && !sub->empty())
				table(*sub, name);
			else
				leaf(node, name);
		}
	}

private:
	void complain(const char *what, const toml::source_position &at)
	{
		if (!problem.what)
			problem = { what, { at.line, at.column } };
	}

	void leaf(const toml::node &node, const std::string &name)
	{
		SpkConfEntry *entry = g_new0(SpkConfEntry, 1);
		const toml::source_position &at = node.source().begin;

		entry->key = g_strdup(name.c_str());
		entry->line = at.line;
		entry->column = at.column;
		value(node, entry);
		g_ptr_array_add(entries, entry);
	}

	void value(const toml::node &node, SpkConfEntry *entry)
	{
		char digits[G_ASCII_DTOSTR_BUF_SIZE];

		entry->type = SPK_TOML_OTHER;
		if (auto *s = node.as_string()) {
			entry->type = SPK_TOML_STRING;
			entry->text = g_strdup((*s)->c_str());
			if ((*s)->find('\0') != std::string::npos)
				complain("a NUL character in a value", node.source().begin);
		} else if (auto *i = node.as_integer()) {
			entry->type = SPK_TOML_INT;
			entry->text = g_strdup_printf("%" G_GINT64_FORMAT, gint64(i->get()));
		} else if (auto *f = node.as_floating_point()) {
			entry->type = SPK_TOML_REAL;
			entry->text = g_strdup(
				g_ascii_dtostr(digits, sizeof(digits), f->get()));
		} else if (auto *b = node.as_boolean()) {
			entry->type = SPK_TOML_BOOL;
			entry->text = g_strdup(b->get() ? "true" : "false");
		} else if (node.is_table()) {
			entry->type = SPK_TOML_TABLE;
		} else if (node.is_array_of_tables()) {
			entry->type = SPK_TOML_TABLES;
		}
		if (!entry->text)
			entry->text = g_strdup("");
	}
};

gint by_place(gconstpointer a, gconstpointer b)
{
	auto *x = *static_cast<const SpkConfEntry *const *>(a);
	auto *y = *static_cast<const SpkConfEntry *const *>(b);

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

void set_error(GError **error, const char *name, Place at, std::string_view what)
{
	spk_error_set(error, SPK_ERR_CONFIG, "put this line right", "%s:%u:%u: %.*s", name,
		      at.line, at.column, int(what.size()), what.data());
}

} // namespace

extern "C" GPtrArray *spk_toml_parse(const char *text, gsize len, const char *name,
				     GError **error)
{
	std::string_view doc(text, len);
	Problem problem;

	if (!is_text(doc, problem) || !DotScan(doc).fine(problem)) {
		set_error(error, name, problem.at, problem.what);
		return nullptr;
	}

	toml::parse_result result = toml::parse(doc);

	if (!result) {
		const toml::source_position &at = result.error().source().begin;

		set_error(error, name, { at.line, at.column }, result.error().description());
		return nullptr;
	}

	Flattener flat;

	flat.table(result.table(), "");
	if (flat.problem.what) {
		set_error(error, name, flat.problem.at, flat.problem.what);
		g_ptr_array_unref(flat.entries);
		return nullptr;
	}
	g_ptr_array_sort(flat.entries, by_place);
	return flat.entries;
}
