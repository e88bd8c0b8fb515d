/* The tables of command_table.h. Rows of one program stand together; order is for readers. */
#include "guard/command/command_table.h"

#include <string.h>

gboolean table_has_word(const char *list, const char *word)
{
	gsize n = strlen(word);

	for (const char *at = list; at && n && (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return TRUE;
	return FALSE;
}

gboolean table_is_shell(const char *name)
{
	static const char *const names[] = { "sh",    "bash", "dash", "zsh",  "ksh",
					     "ksh93", "mksh", "ash",  "yash", "rbash",
					     "fish",  "posh", "csh",  "tcsh", "hush",
					     "oksh",  "rzsh", NULL };

	return g_strv_contains(names, name);
}

const Interpreter *table_interpreter(const char *name)
{
	gsize n = strlen(name);

	while (n && (g_ascii_isdigit(name[n - 1]) || name[n - 1] == '.'))
		n--;
	for (const Interpreter *row = command_interpreters; row->name; row++)
		if (*row->name == *name &&
		    (!strcmp(row->name, name) ||
		     (strlen(row->name) == n && !strncmp(row->name, name, n))))
			return row;
	return NULL;
}

/* clang-format off */
#define A WRAP_ASSIGNS
#define J WRAP_JOINED
#define I WRAP_STDIN
#define H WRAP_HOST
#define R WRAP_ROOT
#define EXECS(name, sub) { name, sub, "", "", 0, 0 }

const Wrapper command_wrappers[] = {
	{ "sudo", NULL, "CDghpRrTtuU", "user group chdir chroot close-from host prompt role type other-user command-timeout", 0, A | R },
	{ "doas", NULL, "aCu", "", 0, A | R },
	{ "sudo-rs", NULL, "CDghpRrTtuU", "user group chdir", 0, A | R },
	{ "pkexec", NULL, "", "user", 0, R },
	{ "run0", NULL, "ugD", "user group unit property chdir setenv", 0, R },
	{ "env", NULL, "uCa", "unset chdir argv0", 0, A },
	{ "nice", NULL, "n", "adjustment", 0, 0 },
	{ "nohup", NULL, "", "", 0, 0 },
	{ "time", NULL, "fo", "format output", 0, 0 },
	{ "gtime", NULL, "fo", "format output", 0, 0 },
	{ "timeout", NULL, "ks", "kill-after signal", 1, 0 },
	{ "gtimeout", NULL, "ks", "kill-after signal", 1, 0 },
	{ "stdbuf", NULL, "ioe", "input output error", 0, 0 },
	{ "setsid", NULL, "", "", 0, 0 },
	{ "ionice", NULL, "cnpPu", "class classdata pid", 0, 0 },
	{ "chrt", NULL, "TPDp", "", 1, 0 },
	{ "taskset", NULL, "", "", 1, 0 },
	{ "numactl", NULL, "NmCip", "", 0, 0 },
	{ "prlimit", NULL, "p", "pid", 0, 0 },
	{ "cpulimit", NULL, "lpe", "limit pid exe", 0, 0 },
	{ "setarch", NULL, "", "", 0, WRAP_MAYBE }, { "linux32", NULL, "", "", 0, 0 }, { "linux64", NULL, "", "", 0, 0 },
	{ "chroot", NULL, "", "userspec groups", 1, R },
	{ "unshare", NULL, "RSGw", "root setuid setgid wd", 0, R },
	{ "nsenter", NULL, "tSGrw", "target setuid setgid", 0, R },
	{ "setpriv", NULL, "", "reuid regid groups inh-caps ambient-caps bounding-set", 0, R },
	{ "capsh", NULL, "", "", 0, R },
	{ "command", NULL, "", "", 0, WRAP_LOOKUP },
	{ "builtin", NULL, "", "", 0, 0 },
	{ "exec", NULL, "a", "", 0, 0 },
	{ "xargs", NULL, "adEILnPs", "arg-file delimiter max-args max-procs max-lines max-chars replace eof", 0, I },
	{ "gxargs", NULL, "adEILnPs", "arg-file delimiter max-args max-procs", 0, I },
	{ "parallel", NULL, "jNnSIXLadP", "jobs max-args sshlogin delay timeout joblog results colsep arg-file tmpdir", 0, J | I },
	{ "watch", NULL, "nq", "interval equexit", 0, J },
	{ "strace", NULL, "abeEIoOpPsSuX", "trace output", 0, A }, { "ltrace", NULL, "aAeFlnopsuwx", "", 0, 0 },
	{ "valgrind", NULL, "", "", 0, 0 }, { "perf", "stat", "eor", "", 0, 0 }, { "perf", "record", "eo", "", 0, 0 },
	{ "gdb", NULL, "xpc", "", 0, 0 },
	{ "rr", "record", "", "", 0, 0 }, { "heaptrack", NULL, "", "", 0, 0 }, { "catchsegv", NULL, "", "", 0, 0 },
	{ "busybox", NULL, "", "", 0, WRAP_APPLET }, { "toybox", NULL, "", "", 0, WRAP_APPLET },
	{ "sbase-box", NULL, "", "", 0, WRAP_APPLET }, { "coreutils", NULL, "", "", 0, WRAP_APPLET },
	{ "flock", NULL, "Ew", "wait timeout conflict-exit-code", 1, 0 },
	{ "runuser", NULL, "ugGcs", "user group", 0, R },
	{ "systemd-run", NULL, "pEtGu", "unit property slice setenv description", 0, R | H },
	{ "fakeroot", NULL, "lisb", "", 0, 0 }, { "fakechroot", NULL, "", "", 0, 0 },
	{ "proxychains", NULL, "f", "", 0, 0 }, { "proxychains4", NULL, "f", "", 0, 0 },
	{ "torsocks", NULL, "aupP", "", 0, 0 }, { "torify", NULL, "", "", 0, 0 }, { "tsocks", NULL, "", "", 0, 0 },
	{ "xvfb-run", NULL, "efnps", "server-args server-num error-file", 0, 0 },
	{ "unbuffer", NULL, "", "", 0, 0 }, { "rlwrap", NULL, "CfHbLlmpPqsSt", "", 0, 0 },
	{ "dbus-run-session", NULL, "", "config-file", 0, 0 }, { "firejail", NULL, "", "", 0, 0 },
	{ "eatmydata", NULL, "", "", 0, 0 }, { "ccache", NULL, "", "", 0, 0 }, { "sccache", NULL, "", "", 0, 0 },
	{ "distcc", NULL, "", "", 0, 0 }, { "bear", NULL, "", "output", 0, 0 }, { "scan-build", NULL, "o", "", 0, 0 },
	{ "entr", NULL, "", "", 0, I }, { "hyperfine", NULL, "wmMrSNpc", "warmup runs prepare", 0, J },
	{ "chronic", NULL, "", "", 0, 0 }, 
	{ "ifne", NULL, "", "", 0, 0 }, { "tini", NULL, "pe", "", 0, 0 }, { "dumb-init", NULL, "", "", 0, 0 },
	{ "setlock", NULL, "", "", 1, 0 }, { "chpst", NULL, "ubemdof", "", 0, 0 }, { "s6-setuidgid", NULL, "", "", 1, 0 },
	{ "gosu", NULL, "", "", 1, R }, { "su-exec", NULL, "", "", 1, R }, { "daemonize", NULL, "ceopluE", "", 0, 0 },
	{ "start-stop-daemon", NULL, "", "", 0, 0 }, { "ssh-agent", NULL, "at", "", 0, 0 },
	{ "ld.so", NULL, "", "library-path preload argv0", 0, 0 },
	{ "ssh", NULL, "BbcDEeFIiJLlmOopQRSWw", "", 1, J | H },
	{ "mosh", NULL, "", "", 1, J | H }, { "rsh", NULL, "l", "", 1, J | H },
	{ "docker", "exec", "euw", "env user workdir env-file", 1, H }, { "docker", "run", "aceEhlmpuvw", "name network volume env user workdir entrypoint publish mount memory cpus env-file hostname label", 1, H },
	{ "podman", "exec", "euw", "env user workdir", 1, H }, { "podman", "run", "aehlmpuvw", "name network volume env user workdir entrypoint publish mount", 1, H },
	{ "docker-compose", "exec", "eu", "", 1, H }, { "docker-compose", "run", "euvw", "", 1, H },
	{ "kubectl", "exec", "cn", "container namespace", 1, H },
	{ "git", "bisect run", "", "", 0, 0 }, { "git", "submodule foreach", "", "", 0, J },
	{ "npx", NULL, "p", "package", 0, 0 }, { "bunx", NULL, "", "", 0, 0 }, { "pnpx", NULL, "", "", 0, 0 },
	{ "npm", "exec", "pw", "package", 0, 0 }, { "pnpm", "exec", "C", "filter", 0, 0 }, { "pnpm", "dlx", "", "package", 0, 0 },
	{ "yarn", "exec", "", "", 0, 0 }, { "yarn", "dlx", "p", "package", 0, 0 },
	EXECS("bundle", "exec"), EXECS("poetry", "run"), EXECS("pipenv", "run"), EXECS("pdm", "run"), EXECS("hatch", "run"),
	{ "uv", "run", "", "with python project", 0, 0 }, { "uv", "tool run", "", "with from", 0, 0 }, { "uvx", NULL, "", "with from", 0, 0 },
	{ "pipx", "run", "", "spec", 0, 0 }, { "conda", "run", "np", "name prefix", 0, 0 }, { "mamba", "run", "np", "name prefix", 0, 0 },
	{ "direnv", "exec", "", "", 1, 0 }, EXECS("mise", "exec"), EXECS("mise", "x"), EXECS("asdf", "exec"), EXECS("rbenv", "exec"), EXECS("pyenv", "exec"),
	EXECS("rustup", "run"), { "cmake", "-E env", "", "unset", 0, A }, { "cmake", "-E time", "", "", 0, 0 }, { "cmake", "-E", "", "", 0, WRAP_APPLET },
	{ "cargo", "watch", "wsix", "", 0, 0 }, { "vagrant", "ssh", "", "", 0, H }, { "heroku", "run", "a", "", 0, J | H },
	{ "doppler", "run", "pc", "", 0, 0 }, { "op", "run", "", "env-file", 0, 0 }, { "aws-vault", "exec", "", "", 1, 0 },
	{ "nodemon", NULL, "wxe", "watch exec ext", 0, 0 }, { "dotenv", NULL, "efv", "", 0, 0 }, { "cross-env", NULL, "", "", 0, A },
	{ NULL },
};

const CodeOption command_code_options[] = {
	{ "env", "-S", LANG_SHELL }, { "env", "--split-string", LANG_SHELL },
	{ "su", "-c", LANG_SHELL }, { "su", "--command", LANG_SHELL }, { "runuser", "-c", LANG_SHELL },
	{ "runuser", "--command", LANG_SHELL }, { "script", "-c", LANG_SHELL }, { "script", "--command", LANG_SHELL },
	{ "flock", "-c", LANG_SHELL }, { "flock", "--command", LANG_SHELL }, 
	{ "tar", "--to-command", LANG_SHELL }, { "tar", "--use-compress-program", LANG_SHELL }, { "tar", "-I", LANG_SHELL },
	{ "tar", "--rsh-command", LANG_SHELL }, { "tar", "--info-script", LANG_SHELL }, { "tar", "--new-volume-script", LANG_SHELL },
	{ "tar", "-F", LANG_SHELL }, { "tar", "--checkpoint-action", LANG_SHELL }, { "tar", "--rmt-command", LANG_SHELL },
	{ "rsync", "-e", LANG_SHELL }, { "rsync", "--rsh", LANG_SHELL }, { "rsync", "--rsync-path", LANG_SHELL },
	{ "scp", "-S", LANG_SHELL }, { "sftp", "-S", LANG_SHELL }, { "zip", "-TT", LANG_SHELL }, { "zip", "--unzip-command", LANG_SHELL },
	{ "split", "--filter", LANG_SHELL }, { "sort", "--compress-program", LANG_SHELL }, { "man", "-P", LANG_SHELL },
	{ "man", "--pager", LANG_SHELL }, { "man", "-H", LANG_SHELL }, { "fd", "-x", LANG_SHELL }, { "fd", "-X", LANG_SHELL },
	{ "bash", "--init-file", LANG_SHELL }, { "bash", "--rcfile", LANG_SHELL },
	{ "vim", "-c", LANG_EDITOR }, { "vim", "--cmd", LANG_EDITOR }, { "vim", "+", LANG_EDITOR }, { "vi", "-c", LANG_EDITOR }, { "vi", "+", LANG_EDITOR },
	{ "nvim", "-c", LANG_EDITOR }, { "nvim", "--cmd", LANG_EDITOR }, { "nvim", "+", LANG_EDITOR }, { "ex", "-c", LANG_EDITOR }, { "ex", "+", LANG_EDITOR },
	{ "view", "-c", LANG_EDITOR }, { "view", "+", LANG_EDITOR }, { "gvim", "-c", LANG_EDITOR }, { "vimdiff", "-c", LANG_EDITOR },
	{ "less", "+", LANG_EDITOR }, { "more", "+", LANG_EDITOR }, { "emacs", "--eval", LANG_OTHER }, { "emacs", "-eval", LANG_OTHER },
	{ "emacs", "--execute", LANG_OTHER }, { "emacs", "-f", LANG_OTHER },
	{ "gdb", "-ex", LANG_EDITOR }, { "gdb", "--ex", LANG_EDITOR }, { "gdb", "-iex", LANG_EDITOR }, { "gdb", "--eval-command", LANG_EDITOR }, { "lldb", "-o", LANG_OTHER },
	{ "sqlite3", "-cmd", LANG_SQL }, { "sqlite3", "--cmd", LANG_SQL }, { "psql", "-c", LANG_SQL }, { "psql", "--command", LANG_SQL }, { "mysql", "-e", LANG_SQL },
	{ "mysql", "--execute", LANG_SQL }, { "mysql", "--pager", LANG_SHELL }, { "mariadb", "-e", LANG_SQL },
	{ "ssh", "-oProxyCommand=", LANG_SHELL }, { "gcc", "-wrapper", LANG_OTHER }, { "g++", "-wrapper", LANG_OTHER }, { "cc", "-wrapper", LANG_OTHER },
	{ "make", "--eval", LANG_OTHER }, { "make", "-E", LANG_OTHER }, { "gmake", "--eval", LANG_OTHER }, { "expect", "-c", LANG_OTHER },
	{ "npm", "-c", LANG_SHELL }, { "npm", "--call", LANG_SHELL }, { "npx", "-c", LANG_SHELL }, { "npx", "--call", LANG_SHELL }, { "rpm", "--eval", LANG_OTHER }, { "rpm", "-E", LANG_OTHER },
	{ "nix-shell", "--run", LANG_SHELL }, { "nix-shell", "--command", LANG_SHELL }, { "nodemon", "-x", LANG_SHELL }, { "nodemon", "--exec", LANG_SHELL },
	{ "cargo-watch", "-s", LANG_SHELL }, { "cargo", "-s", LANG_SHELL }, { "vagrant", "-c", LANG_SHELL }, { "tmux", "-c", LANG_SHELL }, { "socat", "EXEC:", LANG_SHELL },
	{ "hyperfine", "--prepare", LANG_SHELL }, { "hyperfine", "-p", LANG_SHELL }, { "hyperfine", "--setup", LANG_SHELL }, { "hyperfine", "--cleanup", LANG_SHELL },
	{ "nc", "-e", LANG_SHELL }, { "nc", "-c", LANG_SHELL }, { "ncat", "-e", LANG_SHELL }, { "ncat", "--exec", LANG_SHELL }, { "ncat", "--sh-exec", LANG_SHELL }, { "ncat", "-c", LANG_SHELL },
	{ "xterm", "-e", LANG_SHELL }, { "git", "--upload-pack", LANG_SHELL }, { "git", "-u", LANG_SHELL },
	{ "git", "--receive-pack", LANG_SHELL }, { "git", "--exec", LANG_SHELL }, { "git", "-x", LANG_SHELL }, { "git", "--extcmd", LANG_SHELL }, { "git", "--tree-filter", LANG_SHELL },
	{ "git", "--index-filter", LANG_SHELL }, { "git", "--msg-filter", LANG_SHELL }, { "git", "--env-filter", LANG_SHELL }, { "git", "--open-files-in-pager", LANG_SHELL },
	{ "git", "--tool", LANG_SHELL }, { "start-stop-daemon", "--exec", LANG_SHELL }, { "start-stop-daemon", "-x", LANG_SHELL }, { "ack", "--pager", LANG_SHELL }, { "rg", "--pre", LANG_SHELL },
	{ "dpkg", "--pre-invoke", LANG_SHELL }, { "dpkg", "--post-invoke", LANG_SHELL }, { "bat", "--pager", LANG_SHELL }, { "delta", "--pager", LANG_SHELL },
	{ NULL },
};

const Interpreter command_interpreters[] = {
	{ "python", "c", "", "mWXQ", LANG_PYTHON, FALSE }, { "pypy", "c", "", "mWX", LANG_PYTHON, FALSE },
	{ "ipython", "c", "", "", LANG_PYTHON, FALSE }, { "bpython", "c", "", "", LANG_PYTHON, FALSE },
	{ "perl", "eE", "", "FIM", LANG_PERL, FALSE }, { "ruby", "e", "", "rICEFKT", LANG_RUBY, FALSE }, { "irb", "e", "", "", LANG_RUBY, FALSE },
	{ "node", "ep", "eval print", "rC", LANG_JS, FALSE }, { "nodejs", "ep", "eval print", "rC", LANG_JS, FALSE },
	{ "bun", "ep", "eval print", "r", LANG_JS, FALSE }, { "deno", "", "", "", LANG_JS, FALSE }, { "tsx", "ep", "eval print", "", LANG_JS, FALSE },
	{ "ts-node", "ep", "eval print", "rPO", LANG_JS, FALSE }, { "qjs", "e", "eval", "", LANG_JS, FALSE }, { "mongosh", "", "eval", "", LANG_JS, FALSE }, { "mongo", "", "eval", "", LANG_JS, FALSE },
	{ "php", "rBRE", "", "dczF", LANG_PHP, FALSE }, { "lua", "e", "", "l", LANG_LUA, FALSE }, { "luajit", "e", "", "l", LANG_LUA, FALSE },
	{ "Rscript", "e", "", "", LANG_OTHER, FALSE }, { "R", "e", "", "f", LANG_OTHER, FALSE }, { "julia", "eE", "eval print", "pL", LANG_OTHER, FALSE },
	{ "ghc", "e", "", "", LANG_OTHER, FALSE }, { "runghc", "e", "", "", LANG_OTHER, FALSE }, { "scala", "e", "", "", LANG_OTHER, FALSE }, { "groovy", "e", "", "", LANG_OTHER, FALSE },
	{ "elixir", "e", "eval", "", LANG_OTHER, FALSE }, { "erl", "", "", "", LANG_OTHER, FALSE }, { "osascript", "e", "", "", LANG_OTHER, FALSE }, { "tclsh", "", "", "", LANG_OTHER, FALSE },
	{ "expect", "c", "", "", LANG_OTHER, FALSE }, { "guile", "c", "", "", LANG_OTHER, FALSE }, { "sbcl", "", "eval", "", LANG_OTHER, FALSE }, { "clojure", "e", "", "", LANG_OTHER, FALSE },
	{ "racket", "e", "eval", "", LANG_OTHER, FALSE }, { "ocaml", "e", "", "", LANG_OTHER, FALSE }, { "pwsh", "c", "", "", LANG_OTHER, FALSE }, { "powershell", "c", "", "", LANG_OTHER, FALSE },
	{ "awk", "e", "source", "Fvf", LANG_AWK, TRUE }, { "gawk", "e", "source", "Fvfil", LANG_AWK, TRUE }, { "mawk", "", "", "FvfW", LANG_AWK, TRUE },
	{ "nawk", "", "", "Fvf", LANG_AWK, TRUE }, { "original-awk", "", "", "Fvf", LANG_AWK, TRUE }, { "sed", "e", "expression", "fl", LANG_SED, TRUE }, { "gsed", "e", "expression", "fl", LANG_SED, TRUE },
	{ "sqlite3", "", "", "", LANG_SQL, FALSE }, { "psql", "", "", "dhpUfvFRTLo", LANG_SQL, FALSE }, { "mysql", "", "", "uhPDS", LANG_SQL, FALSE }, { "ed", "", "", "p", LANG_EDITOR, FALSE }, { "ex", "", "", "cTut", LANG_EDITOR, FALSE },
	{ "bc", "", "", "", LANG_SED, FALSE }, { "dc", "e", "expression", "f", LANG_EDITOR, FALSE }, { "m4", "", "", "DIUtdFRBHLNsSGQE", LANG_OTHER, FALSE },
	{ "at", "", "", "qft", LANG_OTHER, FALSE }, { "batch", "", "", "", LANG_OTHER, FALSE }, { "gdb", "", "", "xpc", LANG_EDITOR, FALSE },
	{ NULL },
};

#define READS(name) { name, NULL, NULL, NULL }
const Reader command_readers[] = {
	READS("ls"), READS("dir"), READS("vdir"), READS("cat"), READS("tac"), READS("nl"), READS("head"), READS("tail"), READS("wc"),
	READS("stat"), READS("file"), READS("readlink"), READS("realpath"), READS("basename"), READS("dirname"), READS("pwd"), READS("du"), READS("df"),
	READS("grep"), READS("egrep"), READS("fgrep"), READS("zgrep"), READS("zcat"), READS("xzcat"), READS("bzcat"), READS("zstdcat"),
	{ "rg", NULL, "--pre --pre= --hostname-bin --hostname-bin=", NULL }, { "ag", NULL, "--pager", NULL }, { "ack", NULL, "--pager", NULL },
	{ "find", NULL, "-delete -exec -execdir -ok -okdir -fprint -fprint0 -fprintf -fls", NULL }, { "fd", NULL, "-x -X --exec --exec-batch", NULL }, { "fdfind", NULL, "-x -X --exec --exec-batch", NULL },
	{ "sort", NULL, "-o --output --output= --compress-program= --compress-program", NULL }, { "uniq", NULL, NULL, "" }, READS("cut"), READS("paste"), READS("join"), READS("comm"), READS("tr"), READS("rev"),
	READS("fold"), READS("fmt"), READS("column"), READS("expand"), READS("unexpand"), READS("od"), READS("xxd"), READS("hexdump"), READS("strings"), READS("diff"), READS("cmp"),
	READS("diff3"), READS("sdiff"), READS("md5sum"), READS("sha1sum"), READS("sha224sum"), READS("sha256sum"), READS("sha384sum"), READS("sha512sum"), READS("b2sum"), READS("cksum"), READS("sum"),
	READS("echo"), READS("printf"), READS("true"), READS("false"), READS(":"), READS("test"), READS("["), READS("seq"), READS("expr"), READS("sleep"), READS("yes"), READS("factor"), READS("numfmt"),
	READS("uname"), READS("arch"), READS("nproc"), READS("id"), READS("whoami"), READS("groups"), READS("tty"), READS("uptime"), READS("free"), READS("ps"), READS("pgrep"), READS("lscpu"), READS("lsblk"), READS("getconf"),
	READS("locale"), { "date", NULL, "-s --set --set=", NULL }, READS("cal"), { "hostname", NULL, NULL, "" }, READS("which"), READS("whereis"), READS("type"), { "hash", NULL, "-p", NULL }, READS("whatis"), READS("printenv"), { "tree", NULL, "-o", NULL },
	READS("cd"), READS("pushd"), READS("popd"), READS("dirs"), READS("exit"), READS("return"), READS("break"), READS("continue"), READS("shift"), READS("set"), READS("unset"), READS("wait"), READS("jobs"), READS("read"), READS("getopts"), READS("let"), READS("umask"), READS("times"), READS("shopt"), READS("local"), READS("declare"), READS("typeset"), READS("readonly"), READS("export"), READS("mapfile"), READS("readarray"), READS("caller"), READS("help"), READS("ulimit"),
	{ "jq", NULL, NULL, NULL }, { "yq", NULL, "-i --inplace", NULL }, READS("nm"), READS("objdump"), READS("readelf"), READS("size"), READS("ldd"), READS("ar"), { "bat", NULL, "--pager", NULL }, { "batcat", NULL, "--pager", NULL }, READS("cloc"), READS("tokei"), READS("scc"), READS("ctags-query"),
	{ "git", "status", "", NULL }, { "git", "diff", "--output --output= --ext-diff --textconv", NULL }, { "git", "log", "--output --output= --ext-diff --textconv", NULL }, { "git", "show", "--output --output= --ext-diff --textconv", NULL },
	{ "git", "blame", "", NULL }, { "git", "annotate", "", NULL }, { "git", "ls-files", "", NULL }, { "git", "ls-tree", "", NULL }, { "git", "rev-parse", "", NULL }, { "git", "describe", "", NULL }, { "git", "shortlog", "", NULL },
	{ "git", "grep", "-O --open-files-in-pager --open-files-in-pager= --textconv --ext-grep", NULL }, { "git", "cat-file", "--filters --textconv", NULL }, { "git", "for-each-ref", "", NULL }, { "git", "rev-list", "", NULL }, { "git", "merge-base", "", NULL }, { "git", "name-rev", "", NULL }, { "git", "show-ref", "", NULL }, { "git", "show-branch", "", NULL },
	{ "git", "whatchanged", "--output= --ext-diff --textconv", NULL }, { "git", "count-objects", "", NULL }, { "git", "check-ignore", "", NULL }, { "git", "check-attr", "", NULL }, { "git", "diff-tree", "--output= --ext-diff --textconv", NULL }, { "git", "diff-index", "--output= --ext-diff --textconv", NULL }, { "git", "diff-files", "--output= --ext-diff --textconv", NULL }, { "git", "version", "", NULL }, { "git", "cherry", "", NULL }, { "git", "range-diff", "--output=", NULL },
	{ "git", "branch", "-d -D -m -M -c -C -f -u --delete --move --copy --force --set-upstream-to --set-upstream-to= --unset-upstream --edit-description", "-a -r -v -vv -l --list --show-current --all --remotes --verbose --contains --merged --no-merged --points-at" },
	{ "git", "tag", "-d -f -a -s -m -F -u --delete --force --sign", "-l -n --list --contains --points-at --merged" }, { "git", "remote", "", "-v --verbose" }, { "git", "config", "", "--get --get-all --get-regexp --list -l" }, { "git", "reflog", "", "" },
	{ "cargo", "metadata", "", NULL }, { "cargo", "tree", "", NULL }, { "cargo", "version", "", NULL }, { "npm", "ls", "", NULL }, { "npm", "list", "", NULL }, { "go", "version", "", NULL }, { "go", "env", "-w -u", NULL }, { "go", "list", "-toolexec", NULL }, { "pip", "list", "", NULL }, { "pip", "show", "", NULL }, { "pip", "freeze", "", NULL },
	{ NULL },
};

const Texts command_texts[] = {
	{ "echo", NULL, NULL, -1, NULL }, { "printf", NULL, NULL, -1, NULL }, { ":", NULL, NULL, -1, NULL }, { "true", NULL, NULL, -1, NULL }, { "false", NULL, NULL, -1, NULL }, { "expr", NULL, NULL, -1, NULL }, { "yes", NULL, NULL, -1, NULL }, { "seq", NULL, NULL, -1, NULL }, { "logger", NULL, NULL, -1, NULL }, { "let", NULL, NULL, -1, NULL },
	{ "figlet", NULL, NULL, -1, NULL }, { "cowsay", NULL, NULL, -1, NULL }, { "notify-send", NULL, NULL, -1, NULL }, { "basename", NULL, NULL, -1, NULL }, { "dirname", NULL, NULL, -1, NULL }, { "which", NULL, NULL, -1, NULL }, { "type", NULL, NULL, -1, NULL }, { "man", NULL, NULL, -1, NULL }, { "help", NULL, NULL, -1, NULL }, { "tr", NULL, NULL, -1, NULL },
	{ "grep", NULL, "-e --regexp --include --exclude --exclude-dir --include= --exclude= --exclude-dir=", 1, "-e -f --regexp --file" }, { "egrep", NULL, "-e --regexp --include --exclude", 1, "-e -f" }, { "fgrep", NULL, "-e --regexp --include --exclude", 1, "-e -f" }, { "zgrep", NULL, "-e", 1, "-e -f" },
	{ "rg", NULL, "-e --regexp -g --glob --iglob -r --replace -t", 1, "-e -f --regexp --file --files" }, { "ag", NULL, "-G --ignore", 1, NULL }, { "ack", NULL, "--ignore-dir", 1, NULL }, { "pgrep", NULL, NULL, 1, NULL },
	{ "git", "grep", "-e", 1, "-e -f" }, { "git", "commit", "-m --message --message= --author --date --trailer -am", 0, NULL }, { "git", "tag", "-m --message --message=", 0, NULL }, { "git", "merge", "-m --message", 0, NULL }, { "git", "stash", "-m --message", 0, NULL }, { "git", "notes", "-m", 0, NULL },
	{ "git", "log", "--grep --grep= -S -G --author --author= --format --format= --pretty --pretty=", 0, NULL }, { "git", "check-ignore", NULL, -1, NULL }, { "git", "show", "--format --format= --pretty=", 0, NULL }, { "git", "config", NULL, -1, NULL },
	{ "gh", NULL, "-t --title -b --body --title= --body= -q --jq --search -S -n --notes", 0, NULL }, { "glab", NULL, "-t --title -d --description", 0, NULL }, { "hub", NULL, "-m --message", 0, NULL },
	{ "find", NULL, "-not -exclude", 0, NULL }, { "jq", NULL, "--arg --argjson", 1, "-f --from-file" }, { "yq", NULL, NULL, 1, NULL }, { "sed", NULL, "-e --expression --expression=", 1, "-e -f --expression --file" }, { "gsed", NULL, "-e", 1, "-e -f" }, { "awk", NULL, "-F -v", 1, "-f" }, { "gawk", NULL, "-F -v", 1, "-f -e" }, { "mawk", NULL, "-F -v", 1, "-f" },
	{ "perl", NULL, NULL, 0, NULL }, { "cut", NULL, "-d -f", 0, NULL }, { "sort", NULL, "-t -k", 0, NULL }, { "column", NULL, "-s", 0, NULL }, { "tail", NULL, "-n -c", 0, NULL }, { "head", NULL, "-n -c", 0, NULL }, { "read", NULL, "-p", 0, NULL }, { "date", NULL, NULL, -1, NULL }, { "sleep", NULL, NULL, -1, NULL },
	{ "pytest", NULL, "-k -m", 0, NULL }, { "svn", "commit", "-m", 0, NULL }, { "hg", "commit", "-m", 0, NULL }, { "jj", NULL, "-m --message", 0, NULL }, { "tree", NULL, "-I -P", 0, NULL }, { "fd", NULL, "-E --exclude", 1, NULL }, { "alias", NULL, NULL, -1, NULL },
	{ "sparks", "do", NULL, -1, NULL }, { "docker", "commit", "-m", 0, NULL }, { "sqlite3", NULL, NULL, 0, NULL }, { "mkdir", NULL, "-m", 0, NULL }, { "rsync", NULL, "--exclude --exclude= --include --include= --filter", 0, NULL }, { "tar", NULL, "--exclude --exclude=", 0, NULL }, { "zip", NULL, "-x", 0, NULL }, { "diff", NULL, "-x --exclude --exclude= -I", 0, NULL }, { "eslint", NULL, "--ignore-pattern", 0, NULL }, { "cloc", NULL, "--exclude-dir", 0, NULL },
	{ "[[", NULL, NULL, 0, NULL },
	{ NULL },
};

#define E SPK_DOES(EGRESS)
#define P SPK_DOES(PUSH)
#define T SPK_DOES(POST)
#define O SPK_DOES(OUTSIDE)
#define NPM "registry.npmjs.org"
#define PYPI "pypi.org files.pythonhosted.org"
#define CRATES "index.crates.io static.crates.io crates.io"
#define HUB "registry-1.docker.io auth.docker.io"
const Effect command_effects[] = {
	{ "curl", NULL, E, NULL, 'u' }, { "wget", NULL, E, NULL, 'u' }, { "wget2", NULL, E, NULL, 'u' }, { "aria2c", NULL, E, NULL, 'u' }, { "axel", NULL, E, NULL, 'u' }, { "http", NULL, E, NULL, 'u' }, { "https", NULL, E, NULL, 'u' }, { "xh", NULL, E, NULL, 'u' }, { "curlie", NULL, E, NULL, 'u' }, { "httpie", NULL, E, NULL, 'u' },
	{ "lynx", NULL, E, NULL, 'u' }, { "w3m", NULL, E, NULL, 'u' }, { "links", NULL, E, NULL, 'u' }, { "elinks", NULL, E, NULL, 'u' }, { "ftp", NULL, E, NULL, 'h' }, { "lftp", NULL, E, NULL, 'h' }, { "sftp", NULL, E, NULL, 'h' }, { "tftp", NULL, E, NULL, 'h' }, { "yt-dlp", NULL, E, NULL, 'u' }, { "youtube-dl", NULL, E, NULL, 'u' },
	{ "ssh", NULL, E | O, NULL, 'h' }, { "mosh", NULL, E | O, NULL, 'h' }, { "rsh", NULL, E | O, NULL, 'h' }, { "ssh-copy-id", NULL, E | O, NULL, 'h' }, { "ssh-keyscan", NULL, E, NULL, 'h' }, { "scp", NULL, E | O, NULL, 'r' }, { "rsync", NULL, 0, NULL, 'r' }, { "unison", NULL, E, NULL, 'r' },
	{ "nc", NULL, E, NULL, 'h' }, { "ncat", NULL, E, NULL, 'h' }, { "netcat", NULL, E, NULL, 'h' }, { "nc.openbsd", NULL, E, NULL, 'h' }, { "nc.traditional", NULL, E, NULL, 'h' }, { "socat", NULL, E, NULL, 'h' }, { "telnet", NULL, E, NULL, 'h' }, { "nmap", NULL, E, NULL, 'h' }, { "ping", NULL, E, NULL, 'h' }, { "ping6", NULL, E, NULL, 'h' }, { "traceroute", NULL, E, NULL, 'h' }, { "mtr", NULL, E, NULL, 'h' },
	{ "dig", NULL, E, NULL, 'h' }, { "nslookup", NULL, E, NULL, 'h' }, { "host", NULL, E, NULL, 'h' }, { "drill", NULL, E, NULL, 'h' }, { "whois", NULL, E, NULL, 'h' }, { "openssl", "s_client", E, NULL, 0 }, { "websocat", NULL, E, NULL, 'u' }, { "grpcurl", NULL, E, NULL, 'h' }, { "redis-cli", NULL, E, NULL, 0 }, { "psql", NULL, 0, NULL, 0 },
	{ "rclone", NULL, E | O, NULL, 'r' }, { "s3cmd", NULL, E | O, "s3.amazonaws.com", 'u' }, { "aws", NULL, E | O, "amazonaws.com", 'u' }, { "gcloud", NULL, E | O, "googleapis.com", 0 }, { "gsutil", NULL, E | O, "storage.googleapis.com", 'u' }, { "az", NULL, E | O, "management.azure.com", 0 }, { "doctl", NULL, E | O, NULL, 0 }, { "heroku", NULL, E | O, NULL, 0 }, { "flyctl", NULL, E | O, NULL, 0 }, { "vercel", NULL, E | O, NULL, 0 }, { "netlify", NULL, E | O, NULL, 0 }, { "firebase", NULL, E | O, NULL, 0 }, { "wrangler", NULL, E | O, NULL, 0 },
	{ "kubectl", NULL, E | O, NULL, 0 }, { "helm", "push", E | P | O, NULL, 'u' }, { "helm", NULL, E | O, NULL, 'u' }, { "terraform", "apply destroy", E | O, NULL, 0 }, { "terraform", "init plan", E, "registry.terraform.io", 0 }, { "ansible", NULL, E | O, NULL, 0 }, { "ansible-playbook", NULL, E | O, NULL, 0 }, { "pulumi", NULL, E | O, NULL, 0 },
	{ "docker", "push", E | P, HUB, 0 }, { "docker", "pull login search", E, HUB, 0 }, { "docker", "build run compose buildx", E | O, HUB, 0 }, { "docker", NULL, O, NULL, 0 }, { "podman", "push", E | P, HUB, 0 }, { "podman", "pull login", E, HUB, 0 }, { "podman", NULL, O, NULL, 0 }, { "docker-compose", NULL, E | O, HUB, 0 }, { "skopeo", NULL, E | O, NULL, 'u' }, { "buildah", "push", E | P, NULL, 0 }, { "crane", NULL, E | O, NULL, 0 },
	{ "git", "push", E | P, NULL, 'g' }, { "git", "send-pack http-push", E | P, NULL, 'g' }, { "git", "send-email imap-send", E | T, NULL, 0 }, { "git", "clone fetch pull ls-remote fetch-pack", E, NULL, 'g' }, { "git", "svn p4", E, NULL, 'g' }, { "git", "lfs", E, NULL, 0 }, { "git", "commit merge cherry-pick revert am rebase tag", SPK_DOES(COMMIT), NULL, 0 },
	{ "hg", "push", E | P, NULL, 'g' }, { "hg", "clone pull incoming", E, NULL, 'g' }, { "svn", "commit ci import", E | P, NULL, 'g' }, { "svn", "checkout co update up export", E, NULL, 'g' }, { "jj", "git", E | P, NULL, 0 },
	{ "gh", "release", E | P, "api.github.com", 0 }, { "gh", "issue pr gist api label project workflow run", E | T, "api.github.com", 0 }, { "gh", NULL, E, "api.github.com", 0 }, { "glab", "release", E | P, "gitlab.com", 0 }, { "glab", NULL, E | T, "gitlab.com", 0 }, { "hub", NULL, E | T, "api.github.com", 0 },
	{ "npm", "publish", E | P, NPM, 0 }, { "npm", "install i add ci in ins inst isntall update up upgrade audit view info outdated exec x init create login adduser whoami search unpublish deprecate dist-tag owner token access install-test it install-ci-test cit", E, NPM, 0 }, { "pnpm", "publish", E | P, NPM, 0 }, { "pnpm", "install i add update up dlx import fetch audit outdated create", E, NPM, 0 },
	{ "yarn", "publish", E | P, NPM, 0 }, { "yarn", "install add upgrade up dlx create audit outdated", E, NPM, 0 }, { "npx", NULL, E, NPM, 0 }, { "pnpx", NULL, E, NPM, 0 }, { "bunx", NULL, E, NPM, 0 }, { "bun", "publish", E | P, NPM, 0 }, { "bun", "install i add update create x", E, NPM, 0 }, { "corepack", NULL, E, NPM, 0 }, { "lerna", "publish", E | P, NPM, 0 },
	{ "pip", "install download wheel index search", E, PYPI, 'p' }, { "pipx", "install run upgrade", E, PYPI, 0 }, { "uv", "publish", E | P, PYPI, 0 }, { "uv", "add sync lock pip tool run python", E, PYPI, 0 }, { "uvx", NULL, E, PYPI, 0 }, { "poetry", "publish", E | P, PYPI, 0 }, { "poetry", "install add update lock self", E, PYPI, 0 }, { "pipenv", "install update lock sync", E, PYPI, 0 }, { "pdm", "publish", E | P, PYPI, 0 }, { "pdm", "install add update lock sync", E, PYPI, 0 }, { "hatch", "publish", E | P, PYPI, 0 }, { "flit", "publish", E | P, PYPI, 0 }, { "twine", "upload", E | P, "upload.pypi.org", 0 }, { "easy_install", NULL, E, PYPI, 'u' }, { "conda", "install create update search env", E, "repo.anaconda.com", 0 }, { "mamba", "install create update", E, "conda.anaconda.org", 0 },
	{ "cargo", "publish", E | P, CRATES, 0 }, { "cargo", "yank owner login", E | O, CRATES, 0 }, { "cargo", "install add update fetch search generate-lockfile", E, CRATES, 0 }, { "rustup", NULL, E, "static.rust-lang.org", 0 }, { "go", "get install mod", E, "proxy.golang.org sum.golang.org", 0 }, { "gem", "push yank", E | P, "rubygems.org", 0 }, { "gem", "install update fetch search", E, "rubygems.org", 0 }, { "bundle", "install update add", E, "rubygems.org", 0 }, { "composer", "install update require create-project", E, "packagist.org repo.packagist.org", 0 }, { "mvn", "deploy release:perform", E | P, "repo.maven.apache.org", 0 }, { "gradle", "publish", E | P, NULL, 0 }, { "dotnet", "nuget", E | P, "api.nuget.org", 0 }, { "dotnet", "restore add tool", E, "api.nuget.org", 0 }, { "nuget", "push", E | P, "api.nuget.org", 0 }, { "mix", "hex.publish", E | P, "hex.pm", 0 }, { "mix", "deps.get", E, "hex.pm", 0 }, { "vsce", "publish", E | P, NULL, 0 }, { "cpan", NULL, E, "www.cpan.org", 0 }, { "cpanm", NULL, E, "www.cpan.org", 0 }, { "luarocks", "install", E, "luarocks.org", 0 }, { "luarocks", "upload", E | P, "luarocks.org", 0 }, { "opam", "install update", E, "opam.ocaml.org", 0 }, { "cabal", "install update", E, "hackage.haskell.org", 0 }, { "cabal", "upload", E | P, "hackage.haskell.org", 0 },
	{ "apt", "install update upgrade full-upgrade dist-upgrade source download", E | O, "deb.debian.org", 0 }, { "apt-get", "install update upgrade dist-upgrade source download build-dep", E | O, "deb.debian.org", 0 }, { "aptitude", NULL, E | O, NULL, 0 }, { "dnf", NULL, E | O, NULL, 0 }, { "yum", NULL, E | O, NULL, 0 }, { "apk", "add update upgrade", E | O, "dl-cdn.alpinelinux.org", 0 }, { "pacman", NULL, E | O, NULL, 0 }, { "zypper", NULL, E | O, NULL, 0 }, { "brew", NULL, E | O, NULL, 0 }, { "snap", NULL, E | O, NULL, 0 }, { "flatpak", NULL, E | O, NULL, 0 }, { "nix", NULL, E, "cache.nixos.org", 0 }, { "nix-shell", NULL, E, "cache.nixos.org", 0 }, { "nix-env", NULL, E, "cache.nixos.org", 0 },
	{ "mail", NULL, E | T, NULL, 0 }, { "mailx", NULL, E | T, NULL, 0 }, { "s-nail", NULL, E | T, NULL, 0 }, { "mutt", NULL, E | T, NULL, 0 }, { "neomutt", NULL, E | T, NULL, 0 }, { "sendmail", NULL, E | T, NULL, 0 }, { "msmtp", NULL, E | T, NULL, 0 }, { "ssmtp", NULL, E | T, NULL, 0 }, { "swaks", NULL, E | T, NULL, 0 }, { "exim", NULL, E | T, NULL, 0 }, { "exim4", NULL, E | T, NULL, 0 }, { "write", NULL, T, NULL, 0 }, { "wall", NULL, T, NULL, 0 }, { "slack", NULL, E | T, NULL, 0 }, { "slackcat", NULL, E | T, NULL, 0 }, { "telegram-send", NULL, E | T, NULL, 0 }, { "ntfy", NULL, E | T, NULL, 0 }, { "irssi", NULL, E | T, NULL, 0 }, { "transfer", NULL, E | T, NULL, 0 }, { "croc", NULL, E | T, NULL, 0 }, { "wormhole", NULL, E | T, NULL, 0 }, { "magic-wormhole", NULL, E | T, NULL, 0 }, { "ngrok", NULL, E | O, NULL, 0 }, { "cloudflared", NULL, E | O, NULL, 0 }, { "localtunnel", NULL, E | O, NULL, 0 },
	{ "crontab", NULL, O, NULL, 0 }, { "at", NULL, O, NULL, 0 }, { "batch", NULL, O, NULL, 0 }, { "systemctl", NULL, O, NULL, 0 }, { "service", NULL, O, NULL, 0 }, { "shutdown", NULL, O, NULL, 0 }, { "reboot", NULL, O, NULL, 0 }, { "poweroff", NULL, O, NULL, 0 }, { "halt", NULL, O, NULL, 0 }, { "mount", NULL, O, NULL, 0 }, { "umount", NULL, O, NULL, 0 }, { "useradd", NULL, O, NULL, 0 }, { "usermod", NULL, O, NULL, 0 }, { "passwd", NULL, O, NULL, 0 }, { "visudo", NULL, O, NULL, 0 }, { "iptables", NULL, O, NULL, 0 }, { "nft", NULL, O, NULL, 0 }, { "insmod", NULL, O, NULL, 0 }, { "modprobe", NULL, O, NULL, 0 }, { "sysctl", NULL, O, NULL, 0 },
	{ NULL },
};

const char *const command_kin[][2] = {
	{ "apt-get", "apt" }, { "aptitude", "apt" }, { "pip2", "pip" }, { "pip3", "pip" }, { "pipx", "pip" }, { "pkill", "kill" }, { "killall", "kill" }, { "killall5", "kill" }, { "xkill", "kill" }, { "skill", "kill" },
	{ "ncat", "nc" }, { "netcat", "nc" }, { "nc.openbsd", "nc" }, { "nc.traditional", "nc" }, { "socat", "nc" }, { "wget2", "wget" }, { "curlie", "curl" }, { "doas", "sudo" }, { "pkexec", "sudo" }, { "run0", "sudo" }, { "su", "sudo" }, { "sudo-rs", "sudo" }, { "sudoedit", "sudo" }, { "gosu", "sudo" }, { "su-exec", "sudo" },
	{ "srm", "shred" }, { "wipe", "shred" }, { "dcfldd", "dd" }, { "gfind", "find" }, { "remove_directory", "rm" }, { "remove", "rm" }, { "grm", "rm" }, { "uu_rm", "rm" }, { "rimraf", "rm" }, { "xh", "curl" }, { "http", "curl" }, { "https", "curl" },
	{ NULL, NULL },
};

const char *const command_code_variables[] = {
	"PS4", "PROMPT_COMMAND", "PS0", "PS1", "GIT_SSH_COMMAND", "GIT_SSH", "GIT_PAGER", "PAGER", "MANPAGER", "EDITOR", "VISUAL", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_EXTERNAL_DIFF", "GIT_ASKPASS", "SSH_ASKPASS", "LESSOPEN", "LESSCLOSE", "BROWSER", "FCEDIT", "TAR_OPTIONS", "RSYNC_RSH", "CVS_RSH", "MAKEFLAGS", "GIT_PROXY_COMMAND", NULL,
};

const char *const command_risky_variables[] = {
	"LD_", "BASH_ENV", "ENV", "BASH_FUNC_", "SHELLOPTS", "BASHOPTS", "PERL5OPT", "PERL5DB", "PYTHONSTARTUP", "RUBYOPT", "NODE_OPTIONS", "GIT_CONFIG", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GCONV_PATH", "IFS", "CDPATH", "DYLD_", "JAVA_TOOL_OPTIONS", "PERLLIB", "PERL5LIB", NULL,
};
/* clang-format on */
