/*
 * Code of other languages, looked at as tokens: calls that start programs with what they
 * start, names of files, addresses. What a call starts that isn't a literal makes the code
 * blind. It keeps honest code quiet and shows plain tricks; the wall is the box.
 */
#include <string.h>

#include "guard/command/code_priv.h"

#define MAX_LIST  64 /* tokens of one call, */
#define MAX_LINES 64 /* and lines that a code may run, to be looked into */

/* clang-format off */
/* The last part of a name that starts a program, in any language. */
static const char starts[] =
	" system popen Popen popen2 popen3 check_output check_call getoutput getstatusoutput "
	"execSync spawnSync execFileSync execFile execa spawn fork_exec "
	"execl execle execlp execv execve execvp execvpe spawnl spawnle spawnlp spawnv spawnve spawnvp posix_spawn posix_spawnp "
	"create_subprocess_shell create_subprocess_exec startfile passthru shell_exec proc_open pcntl_exec "
	"capture2 capture2e capture3 readpipe pipeline system2 shell ShellExecute spawn_async ";
/* These only when the module that makes them so is there, too: name and module. */
static const char *const starts_with[][2] = {
	{ "run", "subprocess" }, { "call", "subprocess" }, { "exec", "child_process" }, { "exec", "Kernel" }, { "run", "sh" },
	{ "fork", "child_process" }, { "run", "Deno" }, { "Command", "Deno" }, { "spawn", "Bun" }, { "execute", "os" }, { NULL, NULL },
};
/* Whole names that run what is computed. */
static const char blinds[] =
	" eval exec execfile compile __import__ globals __builtins__ importlib importlib.import_module __loader__ marshal.loads pickle.loads ctypes ctypes.CDLL "
	"runpy.run_path pty.spawn Function vm.runInThisContext vm.runInNewContext process.binding instance_eval class_eval module_eval "
	"Object.send __send__ const_get loadstring load dofile create_function call_user_func call_user_func_array assert DynaLoader syscall FFI "
	"evalfile run_string code.interact InteractiveInterpreter __class__ __subclasses__ os.__dict__ subprocess.__dict__ ";
static const char removes[] =
	" remove delete unlink rmtree removedirs rmdir unlinkSync rmSync rmdirSync rm_rf rm_r rm_f remove_tree remove_entry rimraf remove_dir_all removeSync ";
static const char networks[] =
	" socket urllib urllib2 urllib3 requests aiohttp httpx http.client ftplib telnetlib paramiko websocket websockets fetch axios XMLHttpRequest "
	"net.connect net.createConnection http.get https.get http.request https.request Net::HTTP Net::FTP TCPSocket LWP LWP::Simple IO::Socket IO::Socket::INET HTTP::Tiny Socket "
	"curl_init curl_exec fsockopen stream_socket_client open_uri URI.open socket.http luasocket got superagent node_fetch undici urlopen urlretrieve download.file httr xmlrpc ";
static const char posts[] = " smtplib Net::SMTP mail nodemailer Mail::Sendmail sendmail ";
/* clang-format on */

static gboolean in_list(const char *list, const char *name)
{
	gsize n = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at += n)
		if (at[-1] == ' ' && at[n] == ' ')
			return TRUE;
	return FALSE;
}

static const char *last_part(const char *name)
{
	const char *last = name;

	for (const char *c = name; *c; c++)
		if (*c == '.' || *c == ':')
			last = c + 1;
	return last;
}

typedef struct {
	CodeLang lang;
	const GArray *tokens;
	guint modules;
} Code;

static const Token *token_at(const GArray *tokens, guint i)
{
	static const Token none = { TOKEN_END };

	return i < tokens->len ? &g_array_index(tokens, Token, i) : &none;
}

/* What is named anywhere in the code, be it in a string. */
static const char *const modules[] = { "subprocess", "child_process", "Kernel",
				       "sh",	     "Deno",	      "Bun",
				       "os",	     "open",	      "IO" };

static guint find_modules(const GArray *tokens)
{
	guint found = 0;

	for (guint i = 0; i < tokens->len; i++) {
		const Token *token = token_at(tokens, i);

		for (guint k = 0; token->text && k < G_N_ELEMENTS(modules); k++)
			if (strstr(token->text, modules[k]))
				found |= 1u << k;
	}
	return found;
}

static gboolean has_module(const Code *code, const char *module)
{
	for (guint k = 0; k < G_N_ELEMENTS(modules); k++)
		if (!strcmp(modules[k], module))
			return (code->modules >> k) & 1;
	return FALSE;
}

static gboolean is_start(const Code *code, const char *name)
{
	const char *last = last_part(name);
	gboolean script = code->lang == LANG_PERL || code->lang == LANG_RUBY ||
			  code->lang == LANG_PHP;

	if (in_list(starts, last) || (script && !strcmp(name, "exec")))
		return TRUE;
	for (guint i = 0; starts_with[i][0]; i++)
		if (!strcmp(last, starts_with[i][0]) &&
		    has_module(code, starts_with[i][1]) &&
		    (strcmp(starts_with[i][1], "os") || !strcmp(name, "os.execute")))
			return TRUE;
	return FALSE;
}

static gboolean is_sign(const Token *token, char sign)
{
	return token->kind == TOKEN_SIGN && token->sign == sign;
}

/* A literal that is an argument as a whole: nothing is joined to it. */
static gboolean is_whole(const GArray *tokens, guint i)
{
	const Token *token = token_at(tokens, i), *next = token_at(tokens, i + 1);

	return token->kind == TOKEN_STRING && !token->open &&
	       (next->kind == TOKEN_END || next->kind == TOKEN_NAME ||
		(next->kind == TOKEN_SIGN && strchr(",);]}\n|", next->sign)));
}

/* ["rm", "-rf", x]: as a line; NULL when the program isn't a literal. */
static char *list_line(const GArray *tokens, guint i)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (!is_whole(tokens, i))
		return NULL;
	for (guint most = i + MAX_LIST; i < most; i++) {
		const Token *token = token_at(tokens, i);
		g_autofree char *quoted = NULL;

		if (token->kind == TOKEN_END)
			break;

		if (token->kind == TOKEN_SIGN && strchr(")];", token->sign))
			break;
		if (is_sign(token, ',') || is_sign(token, '['))
			continue;
		if (line->len)
			g_string_append_c(line, ' ');
		if (token->kind != TOKEN_STRING || token->open) {
			g_string_append(line, "\"$x\"");
			continue;
		}
		quoted = spk_shell_quote(token->text);
		g_string_append(line, quoted);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

/* The call of tokens[i], which starts a program. */
static void look_at_start(const GArray *tokens, guint i, CodeFinds *finds)
{
	guint from = i + 1;
	const Token *name = token_at(tokens, i);
	const char *last = last_part(name->text);
	gboolean many = g_str_has_prefix(last, "exec") ||
			g_str_has_prefix(last, "spawn") ||
			g_str_has_prefix(last, "posix_spawn") || !strcmp(last, "system");
	char *line = NULL;

	if (is_sign(token_at(tokens, from), '('))
		from++;
	if (is_sign(token_at(tokens, from), '[') ||
	    (many && is_whole(tokens, from) && is_sign(token_at(tokens, from + 1), ',')))
		line = list_line(tokens, from + is_sign(token_at(tokens, from), '['));
	else if (is_whole(tokens, from))
		line = g_strdup(token_at(tokens, from)->text);
	if (line)
		g_ptr_array_add(finds->lines, line);
	else
		code_set_blind(finds, name->text);
	/* os.execv("/bin/rm", ["rm", "-rf", "x"]) */
	for (guint k = from + 1; line && k < from + 8; k++) {
		char *more = is_sign(token_at(tokens, k), '[') ? list_line(tokens, k + 1)
							       : NULL;

		if (more)
			g_ptr_array_add(finds->lines, more);
	}
}

static void look_at_removal(const GArray *tokens, guint i, CodeFinds *finds)
{
	guint from = i + 1 + is_sign(token_at(tokens, i + 1), '(');
	g_autofree char *quoted = is_whole(tokens, from)
					  ? spk_shell_quote(token_at(tokens, from)->text)
					  : g_strdup("\"$x\"");
	const char *last = last_part(token_at(tokens, i)->text);
	gboolean tree = strstr(last, "tree") || strstr(last, "rf") ||
			strstr(last, "rmSync");

	g_ptr_array_add(finds->lines,
			g_strconcat(tree ? "rm -rf " : "rm ", quoted, NULL));
}

/* list.remove(x) is no file's; os.remove(x), unlink(x), path.unlink() are. */
static gboolean is_removal(const char *name)
{
	const char *last = last_part(name);

	if (!in_list(removes, last))
		return FALSE;
	if (strcmp(last, "remove") != 0 && strcmp(last, "delete") != 0)
		return TRUE;
	if (!strcmp(last, "delete"))
		return !strcmp(name, "File.delete") || !strcmp(name, "Dir.delete");
	return g_str_has_prefix(name, "os.") || g_str_has_prefix(name, "fs.") ||
	       g_str_has_prefix(name, "file.") || g_str_has_prefix(name, "fse.");
}

static gboolean is_blind(const Code *code, guint i)
{
	const GArray *tokens = code->tokens;
	CodeLang lang = code->lang;
	const char *name = token_at(tokens, i)->text;
	const Token *next = token_at(tokens, i + 1);

	if (!strcmp(name, "getattr"))
		return has_module(code, "os") || has_module(code, "subprocess");
	if (!strcmp(name, "require"))
		return lang == LANG_JS && is_sign(next, '(') && !is_whole(tokens, i + 2);
	if (!strcmp(name, "load") || !strcmp(name, "assert") ||
	    !strcmp(name, "compile") || !strcmp(name, "exec"))
		return is_sign(next, '(') &&
		       ((lang == LANG_LUA) == !strcmp(name, "load")) &&
		       ((lang == LANG_PHP) == !strcmp(name, "assert"));
	/* perl -e 'eval { … }' is its try */
	if (!strcmp(name, "eval") && lang == LANG_PERL && is_sign(next, '{'))
		return FALSE;
	return in_list(blinds, name);
}

static gboolean is_network(const char *name)
{
	g_autofree char *first = g_strndup(name, strcspn(name, "."));

	return in_list(networks, name) || in_list(networks, first) ||
	       in_list(networks, last_part(name));
}

static void look_at_name(const Code *code, guint i, CodeFinds *finds)
{
	const GArray *tokens = code->tokens;
	const char *name = token_at(tokens, i)->text;

	if (is_blind(code, i))
		code_set_blind(finds, name);
	else if (is_start(code, name))
		look_at_start(tokens, i, finds);
	else if (is_removal(name))
		look_at_removal(tokens, i, finds);
	finds->network |= is_network(name);
	finds->post |= in_list(posts, name) && code->lang != LANG_OTHER;
	finds->writes |= strstr(name, "write") != NULL;
}

/* ".e" + "nv" */
static char *joined_text(const GArray *tokens, guint i)
{
	GString *text = g_string_new(token_at(tokens, i)->text);

	for (guint most = i + MAX_LIST; i < most; i += 2) {
		const Token *sign = token_at(tokens, i + 1),
			    *next = token_at(tokens, i + 2);

		if (next->kind != TOKEN_STRING ||
		    !(is_sign(sign, '+') || is_sign(sign, '.')))
			break;
		g_string_append(text, next->text);
	}
	return g_string_free(text, FALSE);
}

static void look_at_string(const Code *code, guint i, CodeFinds *finds)
{
	const GArray *tokens = code->tokens;
	CodeLang lang = code->lang;
	const Token *token = token_at(tokens, i),
		    *before = i ? token_at(tokens, i - 1) : token_at(tokens, tokens->len);
	gboolean piped = lang == LANG_AWK &&
			 (is_sign(token_at(tokens, i + 1), '|') || is_sign(before, '|'));
	/* open(F, "cmd |"), open(F, "| cmd"), open(F, "-|", "cmd") */
	gboolean perl = (lang == LANG_PERL || lang == LANG_RUBY) &&
			(*token->text == '|' ||
			 (*token->text && token->text[strlen(token->text) - 1] == '|')) &&
			(has_module(code, "open") || has_module(code, "IO"));

	if (perl && (!strcmp(token->text, "-|") || !strcmp(token->text, "|-"))) {
		g_autofree char *line = list_line(tokens, i + 2);

		if (line)
			g_ptr_array_add(finds->lines, g_strconcat("cat | ", line, NULL));
		else
			code_set_blind(finds, "open");
		return;
	}
	if (token->shell || piped || perl) {
		/* what it is fed with is not known */
		g_autofree char *line = g_strconcat(
			(piped && is_sign(before, '|')) || (perl && *token->text == '|')
				? "cat | "
				: "",
			token->text + (perl && *token->text == '|'), NULL);

		if (perl && g_str_has_suffix(line, "|"))
			line[strlen(line) - 1] = ' ';
		if (token->open)
			code_set_blind(finds, "a command with parts that are computed");
		g_ptr_array_add(finds->lines, g_steal_pointer(&line));
		return;
	}
	if (strstr(token->text, "://") || g_str_has_prefix(token->text, "/inet/")) {
		g_ptr_array_add(finds->urls, g_strdup(token->text));
		finds->network |= g_str_has_prefix(token->text, "/inet/");
	} else if (*token->text && !strpbrk(token->text, "\n<>"))
		g_ptr_array_add(finds->files, joined_text(tokens, i));
}

static void look_by_tokens(CodeLang lang, const char *code, CodeFinds *finds)
{
	Reading reading = { lang, code, code + strlen(code), g_string_chunk_new(1024),
			    g_array_new(FALSE, FALSE, sizeof(Token)) };

	Code read = { lang, reading.tokens, 0 };

	code_read_tokens(&reading);
	read.modules = find_modules(reading.tokens);
	for (guint i = 0; i < reading.tokens->len; i++) {
		TokenKind kind = token_at(reading.tokens, i)->kind;

		if (kind == TOKEN_NAME)
			look_at_name(&read, i, finds);
		else if (kind == TOKEN_STRING)
			look_at_string(&read, i, finds);
	}
	if (lang == LANG_AWK && (strstr(code, "@load") || strstr(code, "@include")))
		code_set_blind(finds, "code of a file");
	/* the module is there for something */
	if (!finds->lines->len &&
	    (has_module(&read, "child_process") || has_module(&read, "subprocess")))
		code_set_blind(finds, "a module that starts programs");
	if (reading.at < reading.end || finds->lines->len > MAX_LINES)
		code_set_blind(finds, "more than can be looked into");
	if (finds->lines->len > MAX_LINES)
		g_ptr_array_set_size(finds->lines, MAX_LINES);
	g_array_unref(reading.tokens);
	g_string_chunk_free(reading.chunk);
}

void code_look(CodeLang lang, const char *code, CodeFinds *ret)
{
	code_finds_init(ret);
	switch (lang) {
	case LANG_SHELL:
		g_ptr_array_add(ret->lines, g_strdup(code));
		return;
	case LANG_SED:
		code_look_sed(code, ret);
		return;
	case LANG_EDITOR:
		code_look_editor(code, ret);
		return;
	case LANG_SQL:
		code_look_sql(code, ret);
		return;
	case LANG_OTHER:
		code_set_blind(ret, "code that is not looked into");
		look_by_tokens(lang, code, ret);
		return;
	default:
		look_by_tokens(lang, code, ret);
	}
}
