/* The engine's API over a unix socket, asked of a thread that plays an engine. */
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/docker_container_priv.h"
#include "box/docker_reach_priv.h"
#include "box/tree.h"
#include "store/store.h"

#define VERSION                                                                   \
	"{\"Version\":\"99\",\"ApiVersion\":\"1.50\",\"MinAPIVersion\":\"1.24\"," \
	"\"Components\":[{\"Name\":\"Engine\"}]}"

typedef struct {
	const char *asked; /* what the request line begins with, without /v1.NN */
	const char
		*answer; /* status and body; "": the connection is closed. With '<' at its
			     * beginning: a stream, then what comes in is sent back */
} Line;

typedef struct {
	char *folder, *socket;
	int listener;
	GThread *thread;
	const Line *lines; /* up to one without a name */
	GMutex lock;
	GString *seen; /* request lines and bodies; guarded */
} Fake;

static char *read_request(int fd)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char piece[4096];
	const char *end, *length;
	gsize wanted = 0;

	while (!(end = strstr(text->str, "\r\n\r\n")) ||
	       text->len < (gsize)(end + 4 - text->str) + wanted) {
		ssize_t n = recv(fd, piece, sizeof(piece), 0);

		if (n <= 0)
			return NULL;
		g_string_append_len(text, piece, n);
		length = strstr(text->str, "Content-Length: ");
		wanted = length ? (gsize)g_ascii_strtoull(length + 16, NULL, 10) : 0;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* "GET /version" of "GET /v1.41/version HTTP/1.1": the client's version is no matter here. */
static char *name_of(const char *request)
{
	g_auto(GStrv) words = g_strsplit(request, " ", 3);
	const char *path = words[1];

	if (g_str_has_prefix(path, "/v1."))
		path = strchr(path + 1, '/');
	return g_strdup_printf("%s %s", words[0], path);
}

static void send_text(int fd, const char *text, gsize len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) < 0) /* the client may be gone */
		return;
}

static void echo(int fd, const char *head)
{
	char piece[4096];
	ssize_t n;

	send_text(fd, head, strlen(head));
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		send_text(fd, piece, (gsize)n);
	send_text(fd, "|end", 4);
}

static void answer(Fake *fake, int fd)
{
	g_autofree char *request = read_request(fd);
	g_autofree char *name = request ? name_of(request) : NULL;
	const Line *line = fake->lines;
	const char *body = request ? strstr(request, "\r\n\r\n") + 4 : "";
	g_autofree char *text = NULL;

	if (!request)
		return;
	g_mutex_lock(&fake->lock);
	g_string_append_printf(fake->seen, "%s %s\n", name, body);
	g_mutex_unlock(&fake->lock);
	while (line->asked && !g_str_has_prefix(name, line->asked))
		line++;
	if (line->asked && *line->answer == '<') {
		echo(fd, line->answer + 1);
		return;
	}
	if (line->asked && !*line->answer)
		return;
	body = line->asked ? strchr(line->answer, ' ') + 1 : "{}";
	text = g_strdup_printf("HTTP/1.1 %.3s Whatever\r\nContent-Length: %zu\r\n"
			       "Connection: close\r\n\r\n%s",
			       line->asked ? line->answer : "200", strlen(body), body);
	send_text(fd, text, strlen(text));
}

static gpointer serve(gpointer data)
{
	Fake *fake = data;
	int fd;

	while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
		answer(fake, fd);
		close(fd);
	}
	return NULL;
}

static void fake_start(Fake *fake, const Line *lines)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	*fake = (Fake){ .lines = lines };
	g_mutex_init(&fake->lock);
	fake->seen = g_string_new(NULL);
	fake->folder = g_dir_make_tmp("sparks-engine-XXXXXX", NULL);
	fake->socket = g_build_filename(fake->folder, "e.sock", NULL);
	g_strlcpy(at.sun_path, fake->socket, sizeof(at.sun_path));
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fake->listener, 8), 0);
	fake->thread = g_thread_new("engine", serve, fake);
}

static void fake_stop(Fake *fake)
{
	shutdown(fake->listener, SHUT_RDWR);
	g_thread_join(fake->thread);
	close(fake->listener);
	assert_true(spk_fs_remove_tree(fake->folder, NULL));
	g_free(fake->folder);
	g_free(fake->socket);
	g_string_free(fake->seen, TRUE);
	g_mutex_clear(&fake->lock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fake, fake_stop)

static SpkEngine *open_engine(const Fake *fake)
{
	g_autoptr(GError) error = NULL;
	SpkEngine *engine = spk_engine_open(fake->socket, &error);

	if (!engine)
		print_error("%s\n", error->message);
	assert_non_null(engine);
	return engine;
}

/* ---- who is there ---- */

static void agrees_on_a_version(void **state)
{
	static const struct {
		const char *version, *name; /* NULL: refused, with `why` */
		const char *why;
	} cases[] = {
		{ "200 " VERSION, "Docker 99, API 1.41", NULL },
		/* one that has forgotten what we were written for */
		{ "200 {\"Version\":\"1\",\"ApiVersion\":\"1.60\",\"MinAPIVersion\":\"1.55\"}",
		  "Docker 1, API 1.55", NULL },
		{ "200 {\"Version\":\"4\",\"ApiVersion\":\"1.41\",\"Components\":[{\"Name\":"
		  "\"Podman Engine\"}]}",
		  "Podman 4, API 1.41", NULL },
		{ "200 {\"Version\":\"1\",\"ApiVersion\":\"1.40\"}", NULL,
		  "1.41 is needed" },
		{ "200 {\"ApiVersion\":\"2.0\"}", NULL, "no version of its API" },
		{ "200 <html>", NULL, "answers as no container engine would" },
		{ "", NULL, "no container engine answers" },
		{ "500 {\"message\":\"oh\\u001b[2Jno\"}", NULL, "refuses (500): oh" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Line lines[] = { { "GET /version", cases[i].version }, { 0 } };
		g_auto(Fake) fake = { 0 };
		g_autoptr(GError) error = NULL;
		g_autoptr(SpkEngine) engine = NULL;

		fake_start(&fake, lines);
		engine = spk_engine_open(fake.socket, &error);
		if (cases[i].name) {
			assert_non_null(engine);
			assert_string_equal(spk_engine_name(engine), cases[i].name);
			assert_int_equal(spk_engine_is_podman(engine),
					 strstr(cases[i].name, "Podman") != NULL);
			continue;
		}
		assert_null(engine);
		assert_non_null(strstr(error->message, cases[i].why));
		assert_null(strchr(error->message, '\033'));
	}
}

static void says_what_the_engine_refuses(void **state)
{
	static const Line lines[] = {
		{ "GET /version", "200 " VERSION },
		{ "GET /none", "404 {\"message\":\"No such container\"}" },
		{ "GET /busy", "409 {\"message\":\"is in use\"}" },
		{ "GET /full", "500 {\"message\":\"write x: no space left on device\"}" },
		{ "GET /gone", "" },
		{ "GET /empty", "204 " },
		{ 0 },
	};
	static const struct {
		const char *path;
		SpkErr code;
		const char *text;
	} cases[] = { { "/none", SPK_ERR_NOT_FOUND, "No such container" },
		      { "/busy", SPK_ERR_CONFLICT, "is in use" },
		      { "/full", SPK_ERR_DISK_FULL, "no space left" },
		      { "/gone", SPK_ERR_ENGINE, "no container engine answers" } };
	g_auto(Fake) fake = { 0 };
	g_autoptr(SpkEngine) engine = NULL;
	g_autoptr(json_t) nothing = NULL;

	fake_start(&fake, lines);
	engine = open_engine(&fake);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		SpkEngineCall call = { .method = "GET", .path = cases[i].path };
		g_autoptr(GError) error = NULL;

		assert_null(spk_engine_call(engine, &call, NULL, &error));
		assert_true(spk_error_is(error, cases[i].code));
		assert_non_null(strstr(error->message, cases[i].text));
		if (cases[i].code == SPK_ERR_DISK_FULL)
			assert_non_null(
				strstr(spk_error_hint(error), "docker system df"));
	}
	nothing = spk_engine_call(engine,
				  &(SpkEngineCall){ .method = "GET", .path = "/empty" },
				  NULL, NULL);
	assert_true(json_is_null(nothing));
}

/* ---- input ---- */

static gboolean keep(const char *data, gsize len, gpointer user, GError **error)
{
	g_string_append_len(user, data, len);
	return TRUE;
}

static gboolean attach(const Fake *fake, const char *path, const char *text,
		       SpkCancel *cancel, GString *down, GError **error)
{
	g_autoptr(SpkEngine) engine = open_engine(fake);
	g_autoptr(json_t) body = json_pack("{s:b}", "Tty", FALSE);
	SpkEngineCall call = { .method = "POST", .path = path, .body = body };
	int ends[2];
	gboolean ok;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if (text) {
		assert_true(spk_fs_write_all(ends[1], text, strlen(text), NULL));
		spk_fd_close(&ends[1]);
	}
	ok = spk_engine_attach(engine, &call, ends[0], keep, down, cancel, error);
	spk_fd_close(&ends[0]);
	spk_fd_close(&ends[1]);
	return ok;
}

static const Line attach_lines[] = {
	{ "GET /version", "200 " VERSION },
	{ "POST /exec/switch/", "<HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nfirst|" },
	{ "POST /exec/plain/", "<HTTP/1.1 200 OK\r\n\r\n" },
	{ "POST /exec/none/", "404 {\"message\":\"No such exec\"}" },
	{ "POST /exec/odd/", "<SSH-2.0\r\n\r\n" },
	{ "POST /exec/gone/", "" },
	{ 0 },
};

static void input_goes_up_to_its_end(void **state)
{
	g_auto(Fake) fake = { 0 };
	g_autoptr(GString) down = g_string_new(NULL);
	g_autofree char *big = g_strnfill(60000, 'x'); /* as much as a pipe takes */

	fake_start(&fake, attach_lines);
	assert_true(attach(&fake, "/exec/switch/start", "hello", NULL, down, NULL));
	assert_string_equal(down->str, "first|hello|end");
	g_string_truncate(down, 0);
	assert_true(attach(&fake, "/exec/plain/start", "", NULL, down, NULL));
	assert_string_equal(down->str, "|end");
	g_string_truncate(down, 0);
	assert_true(attach(&fake, "/exec/plain/start", big, NULL, down, NULL));
	assert_int_equal(down->len, 60004);
	assert_non_null(strstr(fake.seen->str, "POST /exec/plain/start {\"Tty\":false}"));
}

static void an_attach_that_fails_says_why(void **state)
{
	static const struct {
		const char *path;
		SpkErr code;
		const char *text;
	} cases[] = { { "/exec/none/start", SPK_ERR_NOT_FOUND, "No such exec" },
		      { "/exec/odd/start", SPK_ERR_ENGINE,
			"as no container engine would" },
		      { "/exec/gone/start", SPK_ERR_ENGINE, "did not answer" } };
	g_auto(Fake) fake = { 0 };
	g_autoptr(GString) down = g_string_new(NULL);
	g_autoptr(SpkCancel) cancel = spk_cancel_new(NULL);
	g_autoptr(GError) late = NULL;

	fake_start(&fake, attach_lines);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_false(attach(&fake, cases[i].path, "x", NULL, down, &error));
		if (!spk_error_is(error, cases[i].code))
			print_error("%s\n", error->message);
		assert_true(spk_error_is(error, cases[i].code));
		assert_non_null(strstr(error->message, cases[i].text));
	}
	/* input that never ends, and a command that waits for more of it */
	spk_cancel_set_deadline(cancel, 150);
	assert_false(attach(&fake, "/exec/switch/start", NULL, cancel, down, &late));
	assert_true(spk_error_is(late, SPK_ERR_TIMEOUT));
}

/* ---- what is asked for ---- */

static json_t *request_for(const SpkDockerSpec *spec, const SpkBoxRun *run)
{
	g_autoptr(json_t)
		json = json_pack("{s:{s:{s:{}}}}", "Config", "Volumes", "/data");
	SpkDockerImage image = { .id = "sha256:abc", .json = json };
	SpkContainer container = { .image = &image, .control = (char *)"/control" };

	return spk_container_request(spec, &container, run);
}

static void the_request_has_every_wall(void **state)
{
	SpkDockerSpec spec = { .home = "/home",
			       .runtime = "runsc",
			       .path = "/workspace",
			       .memory_bytes = 1 << 28,
			       .cpu_quota = 50000,
			       .pids = 256,
			       .uid = 7,
			       .gid = 8 };
	SpkBoxRun run = { .work = "/w", .way_out = "/way/proxy.sock" };
	g_autoptr(json_t) request = request_for(&spec, &run);
	g_autofree char *text = spk_json_dump(request);
	static const char *const walls[] = {
		"\"NetworkMode\":\"none\"",
		"\"ReadonlyRootfs\":true",
		"\"CapDrop\":[\"ALL\"]",
		"\"no-new-privileges\"",
		"\"IpcMode\":\"private\"",
		"\"Privileged\":false",
		"\"PidsLimit\":259",
		"\"Memory\":268435456",
		"\"MemorySwap\":268435456",
		"\"CpuQuota\":50000",
		"\"Runtime\":\"runsc\"",
		"\"User\":\"7:8\"",
		"\"Image\":\"sha256:abc\"",
		"\"AutoRemove\":true",
		"\"NetworkDisabled\":true",
		"\"Source\":\"/way/proxy.sock\"",
		"nr_inodes=16384",
		"\"/data\":\"rw,",
		"\"CgroupnsMode\":\"private\"",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(walls); i++) {
		if (!strstr(text, walls[i]))
			print_error("%s is not in %s\n", walls[i], text);
		assert_non_null(strstr(text, walls[i]));
	}
	assert_null(strstr(text, "UsernsMode"));
}

static void a_way_out_is_part_of_what_is_shared(void **state)
{
	SpkBoxRun plain = { .work = "/w" }, out = { .work = "/w", .way_out = "/s" };
	SpkBoxRun other = { .work = "/w", .image = "node:22" };
	g_autofree char *first = spk_container_key(&plain);
	g_autofree char *second = spk_container_key(&out);
	g_autofree char *third = spk_container_key(&other);

	assert_string_not_equal(first, second);
	assert_string_not_equal(first, third);
}

static void a_layer_is_asked_for_in_each_engines_way(void **state)
{
	SpkTreeLent lent = { .path = (char *)"node_modules",
			     .from = (char *)"/u/node_modules",
			     .upper = (char *)"/t/upper",
			     .spare = (char *)"/t/work" };
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	SpkDockerSpec spec = { .home = "/h", .runtime = "", .path = "/workspace" };
	SpkBoxRun run = { .work = "/w", .lent = all };
	static const char *const wanted[] = {
		"lowerdir=/u/node_modules,upperdir=/t/upper,workdir=/t/work,userxattr",
		"/u/node_modules:/workspace/node_modules:O,upperdir=/t/upper,workdir=/t/work",
		"\"Source\":\"/u/node_modules\",\"Target\":\"/workspace/node_modules\","
		"\"ReadOnly\":true",
	};

	g_ptr_array_add(all, &lent);
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_autoptr(json_t) request = NULL;
		g_autofree char *text = NULL;

		spec.podman = i == 1;
		spec.no_layers = i == 2;
		request = request_for(&spec, &run);
		text = spk_json_dump(request);
		if (!strstr(text, wanted[i]))
			print_error("%s is not in %s\n", wanted[i], text);
		assert_non_null(strstr(text, wanted[i]));
	}
	spec.no_layers = FALSE;
	lent.middle = (char *)"/t/setup";
	assert_true(spk_container_lends(&spec, &run, NULL));
}

static void a_runtime_that_is_not_there_is_told(void **state)
{
	static const Line lines[] = { { "GET /version", "200 " VERSION }, { 0 } };
	g_autoptr(json_t)
		info = json_pack("{s:{s:{},s:{}}}", "Runtimes", "runc", "runsc");
	g_auto(Fake) fake = { 0 };
	g_autoptr(SpkEngine) engine = NULL;
	g_autoptr(GError) error = NULL;
	SpkDockerSpec spec = { .runtime = "runsc" };

	fake_start(&fake, lines);
	spec.engine = engine = open_engine(&fake);
	assert_true(spk_docker_check_runtime(&spec, info, NULL));
	spec.runtime = "kata";
	assert_false(spk_docker_check_runtime(&spec, info, &error));
	assert_true(spk_error_is(error, SPK_ERR_BOX_TIER));
	assert_non_null(strstr(error->message, "\"kata\""));
}

/* ---- after a crash ---- */

/* A holder that ran on this boot and is gone: ours, with the number of no process. */
static char *dead_holder(void)
{
	g_auto(GStrv) parts = g_strsplit(spk_holder_self(), "/", -1);
	g_autofree char *own = g_strdup_printf("%d", (int)getpid());

	for (char **part = parts; *part; part++)
		if (strcmp(*part, own) == 0) {
			g_free(*part);
			*part = g_strdup("4194303");
		}
	return g_strjoinv("/", parts);
}

static void make_box_folder(const char *home, const char *name, int *ret_lock)
{
	g_autofree char *folder = g_build_filename(home, "boxes", name, NULL);

	assert_true(spk_fs_mkdirs(folder, 0700, NULL));
	*ret_lock = spk_container_lock(folder, SPK_DOCKER_LOCK_NAME, O_CREAT);
	assert_true(*ret_lock >= 0);
}

static void the_sweep_takes_what_nobody_holds(void **state)
{
	g_autofree char *dead = dead_holder();
	g_autofree char *list = g_strdup_printf(
		"200 [{\"Id\":\"aaaa\",\"Labels\":{\"sparks.holder\":\"%s\"}},"
		"{\"Id\":\"bbbb\",\"Labels\":{\"sparks.holder\":\"%s\"}},"
		"{\"Id\":\"cccc\",\"Labels\":{}},"
		"{\"Id\":\"../x\",\"Labels\":{\"sparks.holder\":\"%s\"}}]",
		dead, spk_holder_self(), dead);
	const Line lines[] = { { "GET /version", "200 " VERSION },
			       { "GET /containers/json", list },
			       { "DELETE /containers/", "204 " },
			       { 0 } };
	g_auto(Fake) fake = { 0 };
	g_autoptr(SpkEngine) engine = NULL;
	g_autofree char *kept = NULL, *gone = NULL;
	SpkDockerSpec spec = { 0 };
	int alive, left;

	fake_start(&fake, lines);
	spec.engine = engine = open_engine(&fake);
	spec.home = fake.folder;
	make_box_folder(fake.folder, "alive", &alive);
	make_box_folder(fake.folder, "left", &left);
	spk_fd_close(&left);
	assert_int_equal(spk_container_sweep(&spec), 1);
	assert_non_null(strstr(fake.seen->str, "DELETE /containers/aaaa?force=1&v=1"));
	assert_null(strstr(fake.seen->str, "DELETE /containers/bbbb"));
	assert_null(strstr(fake.seen->str, "DELETE /containers/cccc"));
	assert_null(strstr(fake.seen->str, "x?force"));
	kept = g_build_filename(fake.folder, "boxes/alive", NULL);
	gone = g_build_filename(fake.folder, "boxes/left", NULL);
	assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
	assert_false(g_file_test(gone, G_FILE_TEST_EXISTS));
	spk_fd_close(&alive);
}

/* Before a task is taken over: all around it but our own. */
static void what_others_have_around_a_task_goes(void **state)
{
	g_autofree char *list = g_strdup_printf(
		"200 [{\"Id\":\"aaaa\",\"Labels\":{\"sparks.holder\":\"other/1/2/3\"}},"
		"{\"Id\":\"bbbb\",\"Labels\":{\"sparks.holder\":\"%s\"}}]",
		spk_holder_self());
	const Line lines[] = { { "GET /version", "200 " VERSION },
			       { "GET /containers/json", list },
			       { "DELETE /containers/", "409 {\"message\":\"already\"}" },
			       { 0 } };
	g_auto(Fake) fake = { 0 };
	g_autoptr(SpkEngine) engine = NULL;
	SpkDockerSpec spec = { 0 };

	fake_start(&fake, lines);
	spec.engine = engine = open_engine(&fake);
	spec.home = fake.folder;
	assert_int_equal(spk_container_end_stale(&spec, "/work tree"), 1);
	assert_non_null(strstr(fake.seen->str, "sparks.work%3D%2Fwork%20tree"));
	assert_null(strstr(fake.seen->str, "DELETE /containers/bbbb"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(agrees_on_a_version),
	cmocka_unit_test(says_what_the_engine_refuses),
	cmocka_unit_test(input_goes_up_to_its_end),
	cmocka_unit_test(an_attach_that_fails_says_why),
	cmocka_unit_test(the_request_has_every_wall),
	cmocka_unit_test(a_way_out_is_part_of_what_is_shared),
	cmocka_unit_test(a_layer_is_asked_for_in_each_engines_way),
	cmocka_unit_test(a_runtime_that_is_not_there_is_told),
	cmocka_unit_test(the_sweep_takes_what_nobody_holds),
	cmocka_unit_test(what_others_have_around_a_task_goes),
};

SUITE(engine_suite, tests);
