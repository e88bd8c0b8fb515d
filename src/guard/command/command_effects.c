/* What a command does by the tables: reads only, sends, writes; which words are only text. */
#include <string.h>

#include "guard/command/command_priv.h"

static const char *text_of(const Part *part, guint n)
{
	return n < part->n ? part->words[n]->text : "";
}

/* The nth word after the sub-command of git, else after the name. */
static guint first_arg(const Part *part)
{
	return part->sub ? part->sub : 1;
}

static gboolean is_option(const char *word)
{
	return g_str_has_prefix(word, "-") && strlen(word) > 1;
}

/* The first words that are no options are those of `sub`: any of its first words, else all
 * of them in order when `all`. */
static gboolean has_sub(const Part *part, const char *sub)
{
	guint i = first_arg(part);

	if (!sub)
		return TRUE;
	if (*sub == '-')
		return table_has_word(sub, text_of(part, i));
	while (i < part->n && is_option(text_of(part, i)))
		i++;
	return table_has_word(sub, text_of(part, i));
}

/* ---- text ---- */

/* "-m" in "-m", "-am", "--message=…" */
static gboolean takes_text(const char *options, const char *word, gboolean *ret_same)
{
	g_autofree char *name = NULL;
	const char *value = strchr(word, '=');

	*ret_same = FALSE;
	if (!options || !is_option(word))
		return FALSE;
	if (table_has_word(options, word))
		return TRUE;
	if (word[1] == '-' && value) {
		name = g_strndup(word, value - word + 1);
		*ret_same = TRUE;
		return table_has_word(options, name);
	}
	/* letters packed together, the last one with the value */
	if (word[1] != '-' && word[2]) {
		char letter[] = { '-', word[strlen(word) - 1], 0 };
		char first[] = { '-', word[1], 0 };

		if (strspn(word + 1,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
			    strlen(word) - 1 &&
		    strlen(word) <= 5 && table_has_word(options, letter))
			return TRUE;
		*ret_same = table_has_word(options, first);
		return *ret_same;
	}
	return FALSE;
}

static gboolean has_option(const Part *part, const char *options)
{
	for (guint i = first_arg(part); options && i < part->n; i++) {
		gboolean same;

		if (takes_text(options, text_of(part, i), &same))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_text_by(const Texts *row, const Part *part, guint n)
{
	int left = row->operands;
	gboolean value = FALSE, same;
	guint i = first_arg(part);

	if (left < 0)
		return TRUE;
	if (row->instead && has_option(part, row->instead))
		left = 0;
	for (; i < part->n; i++) {
		const char *word = text_of(part, i);
		gboolean text = value;

		if (!value && is_option(word)) {
			value = takes_text(row->options, word, &same);
			text = value && same;
			value = value && !same;
		} else {
			if (!value && left > 0 && (!row->sub || i > first_arg(part))) {
				text = TRUE;
				left--;
			}
			value = FALSE;
		}
		if (i == n)
			return text;
	}
	return FALSE;
}

gboolean effects_is_text(const Part *part, guint n)
{
	for (const Texts *row = command_texts; row->name; row++)
		if (*row->name == *part->name && !strcmp(row->name, part->name) &&
		    has_sub(part, row->sub) && is_text_by(row, part, n))
			return TRUE;
	return FALSE;
}

/* ---- reading ---- */

gboolean effects_names_file(const SpkShellRedir *redir)
{
	static const char *const none[] = { "/dev/null", "/dev/stdout", "/dev/stderr",
					    "/dev/tty",	 "/dev/stdin",	NULL };

	return redir->kind != SPK_REDIR_COPY && redir->kind != SPK_REDIR_HEREDOC &&
	       redir->kind != SPK_REDIR_HERETEXT &&
	       !g_strv_contains(none, redir->target->text);
}

static gboolean writes_file(const Part *part)
{
	for (guint i = 0; part->command && i < part->command->n_redirs; i++) {
		const SpkShellRedir *redir = part->command->redirs[i];

		if (redir->output && effects_names_file(redir))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_risky_name(const char *name)
{
	static const char *const more[] = { "PATH", "GIT_DIR", "SHELL", NULL };

	for (guint i = 0; command_risky_variables[i]; i++)
		if (g_str_has_prefix(name, command_risky_variables[i]))
			return TRUE;
	return g_strv_contains(more, name) ||
	       g_strv_contains(command_code_variables, name);
}

/* "PATH=.:$PATH ls", "export LD_PRELOAD=…" */
static gboolean sets_risky(const Part *part)
{
	for (guint i = 0; part->command && i < part->command->n_assigns + part->n; i++) {
		const SpkShellWord *word =
			i < part->command->n_assigns
				? part->command->assigns[i]
				: part->words[i - part->command->n_assigns];
		guint value, n = spk_shell_assigned(word, &value);
		g_autofree char *name = g_strndup(word->text, n);

		if (n && is_risky_name(name))
			return TRUE;
	}
	return FALSE;
}

static gboolean in_usual_folder(const Part *part)
{
	static const char *const folders[] = { "/bin/",	 "/usr/bin/",  "/usr/local/bin/",
					       "/sbin/", "/usr/sbin/", NULL };
	const char *path = text_of(part, 0);
	gsize n = strlen(path) - strlen(part->name);

	if (!strchr(path, '/'))
		return TRUE;
	for (guint i = 0; folders[i]; i++)
		if (n == strlen(folders[i]) && !strncmp(path, folders[i], n))
			return TRUE;
	return FALSE;
}

/* An option of the list, in every spelling: "--out" for "--output=" too. */
static gboolean has_writing_option(const Part *part, const char *options)
{
	for (guint i = first_arg(part); options && i < part->n; i++) {
		const char *word = text_of(part, i);
		gsize n = strcspn(word, "=");
		gboolean same;

		if (!is_option(word))
			continue;
		if (takes_text(options, word, &same))
			return TRUE;
		if (word[1] == '-' && n >= 4) {
			g_autofree char *start = g_strdup_printf(" %.*s", (int)n, word);
			g_autofree char *list = g_strdup_printf(" %s", options);

			if (strstr(list, start))
				return TRUE;
		}
	}
	return FALSE;
}

/* Without operands, or with an option that makes it list. */
static gboolean only_lists(const Part *part, const char *only)
{
	gboolean lists = FALSE, operand = FALSE;

	for (guint i = first_arg(part) + (part->sub > 0); i < part->n; i++) {
		const char *word = text_of(part, i);

		if (!is_option(word))
			operand = TRUE;
		else
			lists |= table_has_word(only, word);
	}
	return lists || !operand;
}

gboolean effects_reads_only(const Part *part)
{
	if (writes_file(part) || sets_risky(part))
		return FALSE;
	if (!part->n)
		return TRUE;
	if (!in_usual_folder(part))
		return FALSE;
	for (const Reader *row = command_readers; row->name; row++)
		if (*row->name == *part->name && !strcmp(row->name, part->name) &&
		    has_sub(part, row->sub) && !has_writing_option(part, row->writes) &&
		    (!row->only || only_lists(part, row->only)))
			return TRUE;
	return FALSE;
}

/* ---- going out ---- */

static void add_url(GPtrArray *urls, const char *text)
{
	g_autofree char *clean = g_utf8_make_valid(text, -1);

	for (guint i = 0; i < urls->len; i++)
		if (!strcmp(urls->pdata[i], clean))
			return;
	if (urls->len < 64 && *clean)
		g_ptr_array_add(urls, g_steal_pointer(&clean));
}

/* An option of curl or wget whose value is the next word. */
static gboolean takes_next(const char *word)
{
	static const char flags[] =
		"--silent --location --fail --insecure --compressed --verbose --head "
		"--show-error --remote-name --quiet --get --include --progress-bar "
		"--no-check-certificate --continue --recursive --mirror --no-verbose --post "
		"--form --json --ignore-stdin --body --headers --follow";

	if (!is_option(word) || strchr(word, '='))
		return FALSE;
	if (word[1] == '-')
		return !table_has_word(flags, word);
	return strchr("oHdAeuxTFbcKXPUwmrDEtYyzOa", word[strlen(word) - 1]) &&
	       strcmp(word, "-O") != 0;
}

static gboolean looks_like_host(const char *word)
{
	gsize n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789.-_@[]");

	return n > 0 && (!word[n] || strchr(":/?#", word[n])) &&
	       (strchr(word, '.') || strchr(word, ':') ||
		g_str_has_prefix(word, "local") ||
		strspn(word, "0123456789xabcdefABCDEF") == n);
}

/* "user@host:path" without what is around the host; NULL: it is a path of this machine. */
static char *remote_host(const char *word)
{
	const char *colon = strchr(word, ':'), *slash = strchr(word, '/');
	const char *at = strchr(word, '@');

	if (!colon || (slash && slash < colon))
		return NULL;
	if (at && at < colon)
		word = at + 1;
	return g_strndup(word, colon - word);
}

static void add_operand(const Part *part, guint n, char form, gboolean *first,
			GPtrArray *urls)
{
	const SpkShellWord *word = part->words[n];
	g_autofree char *text = words_code(word);
	g_autofree char *host = NULL;
	const char *scheme = strstr(text, "://"), *from = text;

	if (scheme) {
		while (scheme > from &&
		       (g_ascii_isalnum(scheme[-1]) || strchr("+.-", scheme[-1])))
			scheme--;
		add_url(urls, scheme);
		*first = FALSE;
		return;
	}
	if (is_option(text) || (n > 1 && form == 'u' && takes_next(text_of(part, n - 1))))
		return;
	if (form == 'u' && (word->n_open || looks_like_host(text)))
		add_url(urls, text);
	if ((form == 'r' || form == 'g') && (host = remote_host(text)))
		add_url(urls, host);
	if (form == 'h' && *first) {
		const char *at = strrchr(text, '@');
		const char *port = text_of(part, n + 1);
		gboolean ported = *port && strspn(port, "0123456789") == strlen(port);

		host = g_strconcat(at ? at + 1 : text, ported ? ":" : "",
				   ported ? port : "", NULL);
		add_url(urls, host);
		*first = FALSE;
	}
}

static gboolean add_operands(const Part *part, char form, GPtrArray *urls)
{
	guint before = urls->len;
	gboolean first = TRUE;

	for (guint i = first_arg(part) + (part->sub > 0); i < part->n_own; i++)
		if (!effects_is_text(part, i) && !(i < 64 && (part->code >> i) & 1))
			add_operand(part, i, form, &first, urls);
	return urls->len > before;
}

static void add_hosts(const char *hosts, GPtrArray *urls)
{
	g_auto(GStrv) list = g_strsplit(hosts, " ", -1);

	for (char **host = list; *host; host++)
		add_url(urls, *host);
}

/* curl and its like: what they send besides asking. */
static gboolean sends_data(const Part *part)
{
	static const char options[] =
		"-d --data --data= --data-raw --data-binary --data-urlencode --data-ascii -F --form "
		"--form-string -T --upload-file --json --post-data --post-data= --post-file "
		"--post-file= --body-data --body-data= --body-file --body-file= --mail-from "
		"--data-raw= --data-binary= --data-urlencode= --form= --upload-file= --json=";
	gboolean method = FALSE;

	for (guint i = 1; i < part->n; i++) {
		const char *word = text_of(part, i);
		const char *verb = method				  ? word
				   : g_str_has_prefix(word, "-X")	  ? word + 2
				   : g_str_has_prefix(word, "--request=") ? word + 10
				   : g_str_has_prefix(word, "--method=")  ? word + 9
				   : i == 1				  ? word
									  : "";

		if (g_str_equal(verb, "POST") || g_str_equal(verb, "PUT") ||
		    g_str_equal(verb, "PATCH") || g_str_equal(verb, "DELETE"))
			return TRUE;
		method = !strcmp(word, "-X") || !strcmp(word, "--request") ||
			 !strcmp(word, "--method");
	}
	return has_option(part, options);
}

static gboolean is_fed(const Part *part)
{
	for (guint i = 0; part->command && i < part->command->n_redirs; i++)
		if (!part->command->redirs[i]->output &&
		    part->command->redirs[i]->fd <= 0)
			return TRUE;
	return part->command && part->command->in != SPK_STDIN_NONE;
}

static void sends_more(Part *part)
{
	static const char *const talkers[] = { "nc",	 "ncat",     "netcat", "socat",
					       "telnet", "websocat", NULL };
	static const char *const fetchers[] = { "curl",	 "wget", "wget2",  "http",
						"https", "xh",	 "curlie", NULL };

	if ((g_strv_contains(talkers, part->name) && is_fed(part)) ||
	    (g_strv_contains(fetchers, part->name) && sends_data(part)))
		part->does |= SPK_DOES(POST);
}

/* A program without a row that is given an address will connect to it. */
static void unknown_program(Part *part, GPtrArray *urls)
{
	for (guint i = 1; i < part->n_own; i++) {
		const char *scheme = strstr(text_of(part, i), "://");
		gboolean first = FALSE;

		if (!scheme || effects_is_text(part, i) ||
		    (i < 64 && (part->code >> i) & 1))
			continue;
		part->does |= SPK_DOES(EGRESS);
		add_operand(part, i, 0, &first, urls);
	}
}

/* "> /dev/tcp/HOST/PORT" */
static void redirections_out(Part *part, GPtrArray *urls)
{
	for (guint i = 0; part->command && i < part->command->n_redirs; i++) {
		const SpkShellRedir *redir = part->command->redirs[i];
		const char *text = redir->target->text;

		if (redir->kind != SPK_REDIR_HEREDOC &&
		    (g_str_has_prefix(text, "/dev/tcp/") ||
		     g_str_has_prefix(text, "/dev/udp/"))) {
			g_autofree char *host = words_code(redir->target);
			char *slash = strrchr(host, '/');

			part->does |= SPK_DOES(EGRESS) |
				      (redir->output ? SPK_DOES(POST) : 0);
			if (slash > host + 9)
				*slash = ':';
			add_url(urls, host + 9);
		} else if (redir->output && effects_names_file(redir))
			part->does |= SPK_DOES(EDIT);
	}
}

void effects_of(Part *part, GPtrArray *urls)
{
	const Effect *found = NULL;
	static const char *const known[] = { "git",   "echo", "printf", "npm",
					     "cargo", "go",   NULL };
	gboolean named;

	redirections_out(part, urls);
	if (!part->n || part->pseudo)
		return;
	for (const Effect *row = command_effects; row->name && !found; row++)
		if (*row->name == *part->name && !strcmp(row->name, part->name) &&
		    has_sub(part, row->sub))
			found = row;
	if (!found) {
		if (!g_strv_contains(known, part->name))
			unknown_program(part, urls);
		return;
	}
	part->does |= found->does;
	named = add_operands(part, found->form, urls);
	if (!named && found->hosts && found->does & SPK_DOES(EGRESS))
		add_hosts(found->hosts, urls);
	else if (named && found->form == 'r' && !found->does)
		part->does |= SPK_DOES(EGRESS) | SPK_DOES(OUTSIDE); /* rsync to a host */
	sends_more(part);
}
