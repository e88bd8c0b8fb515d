/* What an engine says of itself, and what follows from it. */
#include "box/docker_reach_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* What `docker info` says of how it treats users and system calls: "name=rootless". */
static gboolean has_option(const json_t *info, const char *name)
{
	const json_t *options = json_object_get(info, "SecurityOptions"), *one;
	g_autofree char *wanted = g_strconcat("name=", name, NULL);
	gsize i, len = strlen(wanted);

	json_array_foreach(options, i, one) {
		const char *text = json_string_value(one);

		if (text && !strncmp(text, wanted, len) &&
		    (text[len] == ',' || text[len] == '\0'))
			return TRUE;
	}
	return FALSE;
}

/* Podman has a field of its own for it. */
static gboolean is_rootless(const json_t *info)
{
	return has_option(info, "rootless") || spk_json_bool(info, "Rootless", FALSE);
}

/* Whether the engine holds a cap: without root it can't by the old control groups, whatever
 * it says, and the meters of sparks-box are all there is. */
static gboolean holds(const json_t *info, const char *cap)
{
	const char *version = spk_json_str(info, "CgroupVersion");

	return spk_json_bool(info, cap, FALSE) &&
	       !(is_rootless(info) && version && !strcmp(version, "1"));
}

/* Who a command runs as: the owner of the work tree, which we are. Where the engine itself has
 * no rights (rootless), its root is us. */
void spk_docker_choose_user(SpkDockerSpec *spec, const json_t *info)
{
	gboolean rootless = is_rootless(info);

	spec->uid = rootless ? 0 : geteuid();
	spec->gid = rootless ? 0 : getegid();
	spec->host_users = !rootless && has_option(info, "userns");
}

gboolean spk_docker_check_runtime(const SpkDockerSpec *spec, const json_t *info,
				  GError **error)
{
	const json_t *runtimes = json_object_get(info, "Runtimes");

	if (!*spec->runtime || !json_is_object(runtimes) ||
	    json_object_get(runtimes, spec->runtime))
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_TIER,
		      "install it and name it in /etc/docker/daemon.json (\"runtimes\"), "
		      "or unset [docker] runtime",
		      "%s knows no runtime \"%s\"", spk_engine_name(spec->engine),
		      spec->runtime);
	return FALSE;
}

static void add_control(json_t *controls, const char *name, gboolean ok,
			const char *detail)
{
	json_array_append_new(controls, json_pack("{s:s,s:b,s:s}", "control", name, "ok",
						  ok, "detail", detail));
}

json_t *spk_docker_controls(const SpkDockerSpec *spec, const SpkDockerImage *image,
			    const json_t *info)
{
	json_t *all = json_array();
	const char *driver = spk_json_str(info, "CgroupVersion");
	g_autofree char *cgroups =
		g_strdup_printf("cgroup version %s", driver ? driver : "?");

	add_control(all, "container engine", TRUE, spk_engine_name(spec->engine));
	add_control(all, "image", TRUE, image->id);
	add_control(all, "seccomp of the engine", has_option(info, "seccomp"),
		    "beside the one of sparks-box");
	add_control(all, "memory cap", holds(info, "MemoryLimit"), cgroups);
	add_control(all, "processes cap", holds(info, "PidsLimit"), cgroups);
	add_control(all, "processor cap", holds(info, "CpuCfsQuota"), cgroups);
	return all;
}

char *spk_docker_describe(const SpkDockerSpec *spec, const char *name,
			  const SpkDockerImage *image)
{
	g_autofree char *memory = spk_text_bytes((guint64)spec->memory_bytes);
	g_autofree char *runtime =
		*spec->runtime ? g_strdup_printf(", runtime %s", spec->runtime)
			       : g_strdup("");
	g_autofree char *cpu =
		spec->cpu_quota
			? g_strdup_printf("%.2g processors, ", spec->cpu_quota / 100000.0)
			: g_strdup("");

	return g_strdup_printf(
		"docker: a container of %s (%s) by %s%s; no network, no capabilities, "
		"read-only root, seccomp, as user %u; %s of memory, %s%" G_GINT64_FORMAT
		" processes; the work is at %s",
		name, image->digest, spk_engine_name(spec->engine), runtime, spec->uid,
		memory, cpu, spec->pids, spec->path);
}
