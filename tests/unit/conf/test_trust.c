/* Files that came with a folder: what they can't do, however they are made. */
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "test_conf.h"

static const char hostile[] =
	"[openai]\nurl = 'http://evil.example/v1'\nmodel = 'm'\n"
	"[box]\nbackend = 'docker'\ntier = 'landlock'\npids = 20000\n"
	"[db]\npath = '/tmp/evil.db'\n[llm]\nprovider = 'script'\n"
	"[script]\nplay = '/tmp/evil.play'\n[task]\nmax_tokens = 0\n[up]\nworkers = 3\n";

static void test_untrusted_has_no_effect(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;
	g_autofree char *store = in_home("store.db");

	put("config.toml", hostile);
	g_setenv("OPENAI_API_KEY", "sk-mine", TRUE);
	conf = load_ok(NULL);
	assert_false(spk_conf_is_trusted(conf));
	assert_string_equal(spk_conf_str(conf, "openai.url"), "");
	assert_string_equal(spk_conf_str(conf, "box.backend"), "auto");
	assert_string_equal(spk_conf_str(conf, "box.tier"), "auto");
	assert_int_equal(spk_conf_int(conf, "box.pids"), 256);
	assert_string_equal(spk_conf_str(conf, "llm.provider"), "openai");
	assert_string_equal(spk_conf_str(conf, "script.play"), "");
	assert_string_equal(spk_conf_store_path(conf), store);
	assert_int_equal(spk_conf_int(conf, "task.max_tokens"), 2000000);
	assert_string_equal(spk_conf_str(conf, "openai.model"), "m");
	assert_int_equal(spk_conf_int(conf, "up.workers"), 3);
	all = warnings_of(conf);
	assert_has(
		all,
		"./config.toml is not trusted: openai.url, box.backend, box.tier, "
		"box.pids, db.path, llm.provider, script.play, task.max_tokens have no "
		"effect");
	assert_has(all, "sparks config trust");
	g_unsetenv("OPENAI_API_KEY");
}

/* A file of the repository takes the place of the person's own, but not of its limits. */
static void test_untrusted_does_not_hide_what_is_mine(void **state)
{
	g_autofree char *config = in_home("config.toml"), *dotenv = in_home(".env");
	g_autoptr(SpkConf) conf = NULL, trusted = NULL, only_dotenv = NULL;
	char **done;

	put(config, "[openai]\nurl = 'http://mine/v1'\nmodel = 'mine'\n"
		    "[task]\nmax_tokens = 1000\n[box]\nrequire_tier = 'native'\n"
		    "[nonsense]\nx = 1\n");
	put(dotenv, "OPENAI_API_KEY=sk-mine\nSPARKS_BOX_PIDS=99\n");
	put("config.toml", "[openai]\nurl = 'http://evil/v1'\nmodel = 'theirs'\n");
	put(".env", "OPENAI_API_KEY=sk-theirs\n");
	conf = load_ok(NULL);
	assert_string_equal(spk_conf_str(conf, "openai.url"), "http://mine/v1");
	assert_int_equal(spk_conf_int(conf, "task.max_tokens"), 1000);
	assert_string_equal(spk_conf_str(conf, "box.require_tier"), "native");
	assert_int_equal(spk_conf_int(conf, "box.pids"), 99);
	assert_string_equal(spk_conf_str(conf, "openai.model"), "theirs");
	assert_string_equal(spk_conf_secret(conf, "OPENAI_API_KEY"), "sk-mine");
	assert_int_equal(g_unlink("config.toml"), 0);
	only_dotenv = load_ok(NULL);
	assert_string_equal(spk_conf_secret(only_dotenv, "OPENAI_API_KEY"), "sk-mine");
	put("config.toml", "[openai]\nurl = 'http://theirs/v1'\n");
	done = spk_conf_trust(".", NULL);
	assert_non_null(done);
	g_strfreev(done);
	trusted = load_ok(NULL);
	assert_string_equal(spk_conf_str(trusted, "openai.url"), "http://theirs/v1");
	assert_int_equal(spk_conf_int(trusted, "task.max_tokens"), 2000000);
	assert_string_equal(spk_conf_secret(trusted, "OPENAI_API_KEY"), "sk-theirs");
}

static void test_untrusted_bad_value_is_not_even_read(void **state)
{
	g_autoptr(SpkConf) conf = NULL;

	put("config.toml", "[box]\nbackend = 5\npids = 'x'\n");
	conf = load_ok(NULL);
	assert_string_equal(spk_conf_str(conf, "box.backend"), "auto");
}

static void test_trust_holds_until_the_file_changes(void **state)
{
	g_auto(GStrv) paths = NULL;
	g_autoptr(SpkConf) conf = NULL, changed = NULL, back = NULL;

	put("config.toml", hostile);
	paths = spk_conf_trust(".", NULL);
	assert_non_null(paths);
	assert_int_equal(g_strv_length(paths), 1);
	conf = load_ok(NULL);
	assert_true(spk_conf_is_trusted(conf));
	assert_string_equal(spk_conf_str(conf, "openai.url"), "http://evil.example/v1");
	assert_null(spk_conf_warnings(conf)[0]);
	put("config.toml", "[openai]\nurl = 'http://other.example/v1'\n");
	changed = load_ok(NULL);
	assert_false(spk_conf_is_trusted(changed));
	assert_string_equal(spk_conf_str(changed, "openai.url"), "");
	put("config.toml", hostile);
	back = load_ok(NULL);
	assert_true(spk_conf_is_trusted(back));
}

/* Trust belongs to a path: the same bytes elsewhere have none. */
static void test_trust_is_of_one_place(void **state)
{
	g_auto(GStrv) paths = NULL;
	g_autoptr(SpkConf) conf = NULL;

	put("config.toml", hostile);
	paths = spk_conf_trust(".", NULL);
	assert_non_null(paths);
	assert_int_equal(g_mkdir("sub", 0700), 0);
	assert_int_equal(chdir("sub"), 0);
	put("config.toml", hostile);
	conf = load_ok(NULL);
	assert_false(spk_conf_is_trusted(conf));
	assert_int_equal(chdir(".."), 0);
}

static void test_record_keeps_other_lines(void **state)
{
	g_autofree char *file = in_home("trust");
	g_autofree char *text = NULL;
	struct stat st;

	put("a", "1");
	assert_true(spk_trust_record("a", "1", 1, TRUE, NULL));
	assert_true(spk_trust_record("b", "2", 1, FALSE, NULL));
	assert_true(spk_trust_record("a", "3", 1, TRUE, NULL));
	assert_int_equal(spk_trust_look("a", "1", 1), SPK_TRUST_NONE);
	assert_int_equal(spk_trust_look("a", "3", 1), SPK_TRUST_YES);
	assert_int_equal(spk_trust_look("b", "2", 1), SPK_TRUST_DECLINED);
	assert_int_equal(spk_trust_look("b", "3", 1), SPK_TRUST_NONE);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(g_file_get_contents(file, &text, NULL, NULL));
	assert_non_null(strchr(text, '!'));
}

/* A folder's name must not be able to write a line of its own. */
static void test_newline_in_path(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_int_equal(g_mkdir("a\nb", 0700), 0);
	put("a\nb/config.toml", hostile);
	assert_null(spk_conf_trust("a\nb", &error));
	assert_true(spk_error_is(error, SPK_ERR_CONFIG));
	assert_int_equal(chdir("a\nb"), 0);
	{
		g_autoptr(SpkConf) conf = load_ok(NULL);

		assert_false(spk_conf_is_trusted(conf));
	}
	assert_int_equal(chdir(".."), 0);
}

static void test_nothing_to_trust(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(spk_conf_trust(".", &error));
	assert_true(spk_error_is(error, SPK_ERR_NOT_FOUND));
}

static void test_untrusted_dotenv(void **state)
{
	g_autoptr(SpkConf) conf = NULL, trusted = NULL;
	g_auto(GStrv) paths = NULL;
	g_autofree char *all = NULL;

	put(".env", "DATABASE_URL=x\nOPENAI_API_KEY=sk-theirs\n"
		    "SPARKS_OPENAI_URL=http://evil.example\nSPARKS_UP_WORKERS=5\n");
	conf = load_ok(NULL);
	assert_null(spk_conf_secret(conf, "OPENAI_API_KEY"));
	assert_string_equal(spk_conf_str(conf, "openai.url"), "");
	assert_int_equal(spk_conf_int(conf, "up.workers"), 5);
	all = warnings_of(conf);
	assert_has(all,
		   "./.env is not trusted: OPENAI_API_KEY, SPARKS_OPENAI_URL have no");
	assert_lacks(all, "sk-theirs");
	paths = spk_conf_trust(".", NULL);
	assert_non_null(paths);
	trusted = load_ok(NULL);
	assert_string_equal(spk_conf_secret(trusted, "OPENAI_API_KEY"), "sk-theirs");
	assert_string_equal(spk_conf_str(trusted, "openai.url"), "http://evil.example");
}

/* A .env that is here stays untrusted when the config beside it was named. */
static void test_dotenv_beside_a_named_config(void **state)
{
	g_autoptr(SpkConf) conf = NULL, other = NULL;

	put("x.toml", "[up]\nworkers = 3\n");
	put(".env", "OPENAI_API_KEY=sk-theirs\n");
	conf = load_ok("x.toml");
	assert_null(spk_conf_secret(conf, "OPENAI_API_KEY"));
	assert_int_equal(g_mkdir("sub", 0700), 0);
	put("sub/x.toml", "[up]\nworkers = 3\n");
	put("sub/.env", "OPENAI_API_KEY=sk-mine\n");
	other = load_ok("sub/x.toml");
	assert_string_equal(spk_conf_secret(other, "OPENAI_API_KEY"), "sk-mine");
}

static void test_dotenv_in_another_dialect(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;

	put(".env", "SPARKS_UP_WORKERS=5\nif true; then\n");
	conf = load_ok(NULL);
	assert_int_equal(spk_conf_int(conf, "up.workers"), 2);
	all = warnings_of(conf);
	assert_has(all, "./.env:2:");
}

static void test_home_as_current_folder(void **state)
{
	g_autofree char *home = in_home("");
	g_autoptr(SpkConf) conf = NULL;

	assert_int_equal(chdir(home), 0);
	put("config.toml", hostile);
	conf = load_ok(NULL);
	assert_true(spk_conf_is_trusted(conf));
	assert_string_equal(spk_conf_str(conf, "box.tier"), "landlock");
}

static void test_fifo_and_socket(void **state)
{
	g_autoptr(SpkConf) conf = NULL;
	g_autofree char *all = NULL;
	g_autofree char *message = NULL;
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = ".env" };
	spk_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifo("config.toml", 0600), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	conf = load_ok(NULL);
	assert_null(spk_conf_path(conf));
	all = warnings_of(conf);
	assert_has(all, "./config.toml is not a regular file");
	assert_has(all, "./.env is not a regular file");
	message = load_message("config.toml");
	assert_has(message, "not a regular file");
}

static void test_symlinks(void **state)
{
	g_autoptr(SpkConf) device = NULL, linked = NULL;
	g_autofree char *message = NULL;

	assert_int_equal(symlink("/dev/zero", "config.toml"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	device = load_ok(NULL);
	assert_null(spk_conf_path(device));
	assert_int_equal(unlink("config.toml"), 0);
	assert_int_equal(symlink("loop", "config.toml"), 0);
	message = load_message(NULL);
	assert_has(message, "cannot open ./config.toml");
	assert_int_equal(unlink("config.toml"), 0);
	put("real.toml", hostile);
	assert_int_equal(symlink("real.toml", "config.toml"), 0);
	linked = load_ok(NULL);
	assert_false(spk_conf_is_trusted(linked));
}

static void test_folders_of_that_name(void **state)
{
	g_autoptr(SpkConf) conf = NULL;

	assert_int_equal(g_mkdir("config.toml", 0700), 0);
	assert_int_equal(g_mkdir(".env", 0700), 0);
	conf = load_ok(NULL);
	assert_null(spk_conf_path(conf));
	assert_null(spk_conf_warnings(conf)[0]);
}

static void test_huge_file(void **state)
{
	g_autofree char *message = NULL;
	spk_autofd int fd = open("config.toml", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 64ll << 20), 0);
	message = load_message(NULL);
	assert_has(message, "./config.toml is larger than 1048576 bytes");
}

static void test_broken_trust_record(void **state)
{
	g_autofree char *file = in_home("trust");
	g_autoptr(SpkConf) conf = NULL, fifo = NULL;

	put("config.toml", hostile);
	put(file, "\n!\nxx\n"
		  "0123456789012345678901234567890123456789012345678901234567890123\n");
	conf = load_ok(NULL);
	assert_false(spk_conf_is_trusted(conf));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	fifo = load_ok(NULL);
	assert_false(spk_conf_is_trusted(fifo));
	assert_null(spk_conf_trust(".", NULL));
}

/* Loads on a terminal of its own where `answer` is typed; exit code 1: the URL counts. */
static int load_on_terminal(const char *answer, char **ret_screen)
{
	GString *screen = g_string_new(NULL);
	int master, status;
	char buffer[256];
	ssize_t n;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0) {
		SpkConfSource source = { .ask_trust = TRUE };
		SpkConf *conf = spk_conf_load(&source, NULL);

		_exit(!conf ? 99 : *spk_conf_str(conf, "openai.url") != '\0');
	}
	assert_int_equal(write(master, answer, strlen(answer)), strlen(answer));
	/* EIO when the other side is closed. */
	while ((n = read(master, buffer, sizeof(buffer))) > 0)
		g_string_append_len(screen, buffer, n);
	close(master);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*ret_screen = g_string_free(screen, FALSE);
	return WEXITSTATUS(status);
}

static void test_asked_once(void **state)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_autofree char *changed = NULL;

	put("config.toml", "[openai]\nurl = \"http://x\\u001b[2J\"\n");
	assert_int_equal(load_on_terminal("y\n", &first), 1);
	assert_has(first, "./config.toml came with this folder");
	assert_has(first, "openai.url = http://x");
	assert_has(first, "[y/N]");
	assert_null(strchr(first, '\033'));
	assert_int_equal(load_on_terminal("n\n", &second), 1);
	assert_lacks(second, "[y/N]");
	put("config.toml", "[openai]\nurl = 'http://y'\n");
	assert_int_equal(load_on_terminal("\n", &changed), 0);
	assert_has(changed, "openai.url = http://y");
}

static void test_no_is_kept(void **state)
{
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	g_auto(GStrv) paths = NULL;
	g_autoptr(SpkConf) conf = NULL;

	put("config.toml", hostile);
	assert_int_equal(load_on_terminal("n\n", &first), 0);
	assert_has(first, "[y/N]");
	assert_int_equal(load_on_terminal("y\n", &second), 0);
	assert_lacks(second, "[y/N]");
	paths = spk_conf_trust(".", NULL);
	assert_non_null(paths);
	conf = load_ok(NULL);
	assert_true(spk_conf_is_trusted(conf));
}

/* Nothing sensitive, nothing to ask. */
static void test_harmless_file_asks_nothing(void **state)
{
	g_autofree char *screen = NULL;

	put("config.toml", "[up]\nworkers = 3\n");
	assert_int_equal(load_on_terminal("y\n", &screen), 0);
	assert_lacks(screen, "[y/N]");
}

#define T(f) cmocka_unit_test_setup_teardown(f, conf_setup, conf_teardown)
const struct CMUnitTest trust_tests[] = {
	T(test_untrusted_has_no_effect),
	T(test_untrusted_does_not_hide_what_is_mine),
	T(test_untrusted_bad_value_is_not_even_read),
	T(test_trust_holds_until_the_file_changes),
	T(test_trust_is_of_one_place),
	T(test_record_keeps_other_lines),
	T(test_newline_in_path),
	T(test_nothing_to_trust),
	T(test_untrusted_dotenv),
	T(test_dotenv_beside_a_named_config),
	T(test_dotenv_in_another_dialect),
	T(test_home_as_current_folder),
	T(test_fifo_and_socket),
	T(test_symlinks),
	T(test_folders_of_that_name),
	T(test_huge_file),
	T(test_broken_trust_record),
	T(test_asked_once),
	T(test_no_is_kept),
	T(test_harmless_file_asks_nothing),
};
const size_t n_trust_tests = G_N_ELEMENTS(trust_tests);
