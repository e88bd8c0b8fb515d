#include "box/docker_engine_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define API_MAJOR   1
#define API_MINOR   41
#define CONNECT_MS  3000
#define ANSWER_MS   60000
#define VERSION_MAX (1u << 20)

struct SpkEngine {
	SpkHttp *http;
	char *socket_path;
	char *version; /* "/v1.41"; "" before it is known */
	char *name;
	gboolean podman;
};

/* ---- errors ---- */

static const char *hint_to_reach(const char *socket_path)
{
	if (access(socket_path, F_OK) < 0)
		return "is Docker or Podman installed and running? [docker] socket_path "
		       "says where its socket is";
	if (access(socket_path, R_OK | W_OK) < 0 && errno == EACCES)
		return "this user may not use the socket: `usermod -aG docker USER`, "
		       "and sign in again";
	return "start it: `systemctl start docker`, or `systemctl --user start "
	       "podman.socket`";
}

/* An error of the transfer as one of the engine; what the caller asked for stays. */
static void set_unreachable(const SpkEngine *engine, GError *take_error, GError **error)
{
	if (!spk_error_is(take_error, SPK_ERR_PROVIDER) &&
	    !spk_error_is(take_error, SPK_ERR_TIMEOUT)) {
		g_propagate_error(error, take_error);
		return;
	}
	spk_error_set(error, SPK_ERR_ENGINE, hint_to_reach(engine->socket_path),
		      "no container engine answers: %s", take_error->message);
	g_error_free(take_error);
}

static gboolean is_about_room(const char *message)
{
	return strstr(message, "no space left on device") ||
	       strstr(message, "disk quota exceeded");
}

/* {"message":…} of the engine, or what it says instead. */
void spk_engine_set_refused(long status, const char *body, gsize len, GError **error)
{
	g_autoptr(json_t) json = spk_json_parse(body, len, VERSION_MAX, NULL);
	const char *said = spk_json_str(json, "message");
	g_autofree char *text = spk_text_clean(said ? said : body,
					       said ? -1 : (gssize)len, SPK_CLEAN_LINE);
	g_autofree char *message = spk_text_clip(text, 400);
	SpkErr code = status == 404   ? SPK_ERR_NOT_FOUND
		      : status == 409 ? SPK_ERR_CONFLICT
				      : SPK_ERR_BOX_FAILED;
	const char *hint = NULL;

	if (is_about_room(message)) {
		code = SPK_ERR_DISK_FULL;
		hint = "make room where the engine keeps its data: `docker system df`";
	}
	spk_error_set(error, code, hint, "the container engine refuses (%ld): %s", status,
		      *message ? message : "without a word");
}

/* ---- calls ---- */

static gboolean fetch(SpkEngine *engine, const SpkEngineCall *call, SpkHttpSink sink,
		      gpointer user, SpkCancel *cancel, SpkHttpResponse *response,
		      GError **error)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	g_autofree char *url =
		g_strconcat("http://engine", engine->version, call->path, NULL);
	g_autofree char *body = call->body ? spk_json_dump(call->body) : NULL;
	gint64 wait_ms = call->wait_ms ? call->wait_ms : ANSWER_MS;
	SpkHttpRequest request = {
		.method = call->method,
		.url = url,
		.unix_socket = engine->socket_path,
		.headers = body ? headers : NULL,
		.body = body ? body : "",
		.body_len = body ? strlen(body) : 0,
		.connect_ms = CONNECT_MS,
		.first_byte_ms = wait_ms,
		.idle_ms = wait_ms,
		.max_bytes = sink ? G_MAXSIZE / 2 : SPK_JSON_MAX,
	};
	g_autoptr(GError) why = NULL;

	if (strcmp(call->method, "POST") != 0 && !body)
		request.body = NULL;
	if (!spk_http_fetch(engine->http, &request, sink, user, cancel, response, &why)) {
		if (spk_cancel_check(cancel, error))
			set_unreachable(engine, g_steal_pointer(&why), error);
		return FALSE;
	}
	if (response->status / 100 == 2 || response->status == 304)
		return TRUE;
	spk_engine_set_refused(response->status, response->body->str, response->body->len,
			       error);
	return FALSE;
}

json_t *spk_engine_call(SpkEngine *engine, const SpkEngineCall *call, SpkCancel *cancel,
			GError **error)
{
	g_auto(SpkHttpResponse) response = { 0 };
	g_autoptr(GError) why = NULL;
	json_t *answer;

	if (!fetch(engine, call, NULL, NULL, cancel, &response, error))
		return NULL;
	if (!response.body->len)
		return json_null();
	answer = spk_json_parse(response.body->str, response.body->len, SPK_JSON_MAX,
				&why);
	if (!answer)
		spk_error_set(error, SPK_ERR_ENGINE,
			      "is [docker] socket_path the socket of a container engine?",
			      "%s answers as no container engine would: %s",
			      engine->socket_path, why->message);
	return answer;
}

gboolean spk_engine_stream(SpkEngine *engine, const SpkEngineCall *call, SpkHttpSink sink,
			   gpointer user, SpkCancel *cancel, GError **error)
{
	g_auto(SpkHttpResponse) response = { 0 };

	return fetch(engine, call, sink, user, cancel, &response, error);
}

/* ---- who is there ---- */

/* "1.41" as 41; -1 for what is no version of API 1. */
static int minor_of(const char *version)
{
	int major, minor;

	if (!version || sscanf(version, "%d.%d", &major, &minor) != 2 ||
	    major != API_MAJOR || minor < 0)
		return -1;
	return minor;
}

static gboolean is_podman(const json_t *version)
{
	const json_t *components = json_object_get(version, "Components"), *one;
	gsize i;

	json_array_foreach(components, i, one) {
		const char *name = spk_json_str(one, "Name");

		if (name && strstr(name, "Podman"))
			return TRUE;
	}
	return FALSE;
}

static void set_name(SpkEngine *engine, const json_t *version)
{
	const char *number = spk_json_str(version, "Version");
	g_autofree char *clean =
		spk_text_clean(number ? number : "?", -1, SPK_CLEAN_LINE);

	engine->podman = is_podman(version);
	engine->name = g_strdup_printf("%s %s, API %s",
				       engine->podman ? "Podman" : "Docker", clean,
				       engine->version + strlen("/v"));
}

/* The API we were written for, or the oldest one the engine still speaks. */
static gboolean agree(SpkEngine *engine, const json_t *version, GError **error)
{
	const char *newest = spk_json_str(version, "ApiVersion");
	int most = minor_of(newest);
	int least = minor_of(spk_json_str(version, "MinAPIVersion"));

	if (most < 0) {
		spk_error_set(error, SPK_ERR_ENGINE,
			      "is [docker] socket_path the socket of a container engine?",
			      "%s names no version of its API", engine->socket_path);
		return FALSE;
	}
	if (most < API_MINOR) {
		spk_error_set(error, SPK_ERR_ENGINE,
			      "Docker 20.10 and Podman 4.0 are the first that do",
			      "the container engine speaks version %s of its API; "
			      "%d.%d is needed",
			      newest, API_MAJOR, API_MINOR);
		return FALSE;
	}
	g_free(engine->version);
	engine->version = g_strdup_printf("/v%d.%d", API_MAJOR, MAX(API_MINOR, least));
	set_name(engine, version);
	return TRUE;
}

SpkEngine *spk_engine_open(const char *socket_path, GError **error)
{
	g_autoptr(SpkEngine) engine = g_new0(SpkEngine, 1);
	g_autoptr(json_t) version = NULL;

	engine->socket_path = g_strdup(socket_path);
	engine->version = g_strdup("");
	engine->http = spk_http_new(error);
	if (!engine->http)
		return NULL;
	version = spk_engine_call(
		engine,
		&(SpkEngineCall){ .method = "GET", .path = "/version", .wait_ms = 10000 },
		NULL, error);
	if (!version || !agree(engine, version, error))
		return NULL;
	return g_steal_pointer(&engine);
}

void spk_engine_free(SpkEngine *engine)
{
	if (!engine)
		return;
	spk_http_free(engine->http);
	g_free(engine->socket_path);
	g_free(engine->version);
	g_free(engine->name);
	g_free(engine);
}

const char *spk_engine_name(const SpkEngine *engine)
{
	return engine->name;
}

gboolean spk_engine_is_podman(const SpkEngine *engine)
{
	return engine->podman;
}

const char *spk_engine_socket(const SpkEngine *engine)
{
	return engine->socket_path;
}

const char *spk_engine_version(const SpkEngine *engine)
{
	return engine->version;
}
