/* What this machine allows: asked of `sparks-box --probe`, put into words. */
#include "box/box_priv.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "net/child.h"

#define PROBE_MS 10000

/* Beside our own binary, installed, and as the build leaves it. */
static const char *const places[] = {
	"sparks-box",
	"../libexec/sparks/sparks-box",
	"box/helper/sparks-box",
	"../box/helper/sparks-box",
};

void spk_box_probe_clear(SpkBoxProbe *probe)
{
	g_free(probe->failed);
	json_decref(probe->controls);
	*probe = (SpkBoxProbe){ 0 };
}

char *spk_box_find_helper(GError **error)
{
	const char *set = g_getenv("SPARKS_BOX");
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;

	if (set && *set) {
		if (access(set, X_OK) == 0)
			return g_canonicalize_filename(set, NULL);
		spk_error_set(error, SPK_ERR_NOT_FOUND, "correct SPARKS_BOX, or unset it",
			      "SPARKS_BOX is %s, which cannot be run", set);
		return NULL;
	}
	for (gsize i = 0; folder && i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_canonicalize_filename(places[i], folder);

		if (access(path, X_OK) == 0)
			return g_steal_pointer(&path);
	}
	spk_error_set(
		error, SPK_ERR_NOT_FOUND,
		"install sparks whole, or name the program in SPARKS_BOX",
		"the program sparks-box is neither beside %s nor in ../libexec/sparks",
		self ? self : "sparks");
	return NULL;
}

static void add_control(SpkBoxProbe *probe, const char *name, gboolean ok,
			const char *detail)
{
	json_array_append_new(probe->controls,
			      json_pack("{s:s, s:b, s:s}", "control", name, "ok", ok,
					"detail", detail));
}

/* One line "yes|no|error NAME DETAIL". */
static void read_line(SpkBoxProbe *probe, const char *line)
{
	g_autofree char *clean = spk_text_clean(line, -1, SPK_CLEAN_TEXT);
	g_auto(GStrv) field = g_strsplit(clean, "\t", 3);
	gboolean ok;

	if (g_strv_length(field) != 3)
		return;
	ok = strcmp(field[0], "yes") == 0;
	add_control(probe, field[1], ok, field[2]);
	if (strcmp(field[1], "landlock") == 0)
		probe->landlock = ok ? (int)g_ascii_strtoll(field[2], NULL, 10) : 0;
	else if (strcmp(field[1], "seccomp") == 0)
		probe->seccomp = ok;
	else if (strcmp(field[1], "listener") == 0)
		probe->listener = ok;
	else if (strcmp(field[1], "process list") == 0)
		probe->process_list = ok;
	else if (strcmp(field[1], "private root") == 0 && ok)
		probe->userns =
			TRUE; /* it stands only when the namespaces before it did */
	else if (!ok && !probe->failed)
		probe->failed = g_strdup_printf("%s: %s", field[1], field[2]);
}

gboolean spk_box_probe(const char *helper, SpkBoxProbe *ret_probe, GError **error)
{
	const char *const argv[] = { helper, "--probe", NULL };
	SpkChildSpec spec = { .argv = argv, .max_out = 4096, .timeout_ms = PROBE_MS };
	g_auto(SpkChildResult) result = { 0 };
	g_auto(SpkBoxProbe) probe = { .controls = json_array() };
	g_auto(GStrv) lines = NULL;

	if (!spk_child_run(&spec, NULL, &result, error))
		return FALSE;
	if (result.exit_code != 0) {
		spk_error_set(error, SPK_ERR_BOX_FAILED, "run it by hand to see why",
			      "%s --probe ended with %d", helper, result.exit_code);
		return FALSE;
	}
	lines = g_strsplit(result.out->str, "\n", -1);
	for (char **line = lines; *line; line++)
		read_line(&probe, *line);
	*ret_probe = probe;
	probe = (SpkBoxProbe){ 0 };
	return TRUE;
}

static gboolean file_says(const char *path, const char *value)
{
	g_autofree char *text = spk_fs_read(path, 64, NULL, NULL);

	return text && strcmp(g_strstrip(text), value) == 0;
}

/* Settings that forbid user namespaces, and how to lift them. */
static const struct {
	const char *path, *value, *remedy;
} obstacles[] = {
	{ "/proc/sys/user/max_user_namespaces", "0",
	  "allow user namespaces: sysctl user.max_user_namespaces=15000" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0",
	  "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "give sparks-box its AppArmor profile: `APPARMOR=1 ./setup install` in the sources "
	  "(`./setup profile` prints it); or: "
	  "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
};

const char *spk_box_probe_remedy(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(obstacles); i++)
		if (file_says(obstacles[i].path, obstacles[i].value))
			return obstacles[i].remedy;
	return "this looks like a container or a chroot that forbids user namespaces: run sparks "
	       "outside of it, or allow them there";
}
