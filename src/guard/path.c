#include "guard/path.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "guard/guard.h"
#include "guard/path_priv.h"

#define NAME_BYTES 255 /* of one name, as file systems take it */

static const char *const hint_secret =
	"the list is [guard] sensitive_files: \"!PATTERN\" takes a name out of it";

static void deny(SpkDecision *ret, const char *rule, const char *what, const char *hint,
		 const char *format, ...) G_GNUC_PRINTF(5, 6);

static void deny(SpkDecision *ret, const char *rule, const char *what, const char *hint,
		 const char *format, ...)
{
	g_autofree char *why = NULL, *clean = NULL;
	va_list args;

	va_start(args, format);
	why = g_strdup_vprintf(format, args);
	va_end(args);
	clean = what ? spk_text_clean(what, -1, SPK_CLEAN_LINE) : NULL;
	spk_decision_set(ret, SPK_LAW_DENY, SPK_RISK_HIGH, rule, clean, why, hint);
}

/* ---- the form ---- */

static const char *form_fault(const char *path)
{
	gsize name = 0;

	if (!*path)
		return "it is empty";
	if (strlen(path) >= PATH_MAX)
		return "it has more than 4095 bytes";
	for (const guchar *at = (const guchar *)path; *at; at++) {
		name = *at == '/' ? 0 : name + 1;
		if (name > NAME_BYTES)
			return "a name in it has more than 255 bytes";
		if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && (at[1] & 0xe0) == 0x80))
			return "it has a control character in it";
	}
	return g_utf8_validate(path, -1, NULL) ? NULL : "it is not valid UTF-8";
}

/* "C:\x", "C:/x", "file:///x", "~/x" */
static const char *foreign_root(const char *path)
{
	gsize letters =
		strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (letters == 1 && path[1] == ':' && (path[2] == '\\' || path[2] == '/'))
		return "a drive of Windows";
	if (letters > 1 && !strncmp(path + letters, "://", 3))
		return "a URL";
	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
		return "a home folder in the spelling of a shell";
	return NULL;
}

static gboolean is_below(const char *path, const char *top)
{
	gsize len = strlen(top);

	return !strncmp(path, top, len) && (path[len] == '/' || path[len] == '\0');
}

static const char *kernel_folder(const char *path)
{
	static const char *const folders[] = { "/proc", "/dev", "/sys", NULL };

	for (const char *const *folder = folders; *folder; folder++)
		if (is_below(path, *folder))
			return *folder;
	return NULL;
}

/* ---- names ---- */

/* What a path without "." and ".." in it leads to, or NULL: nothing that is refused. */
static const char *refused_name(const char *normal, const char *const *sensitive,
				const char **ret_pattern)
{
	*ret_pattern = NULL;
	for (const char *at = normal; *at;) {
		gsize len = strcspn(at, "/");

		if (len == 4 && !g_ascii_strncasecmp(at, ".git", 4))
			return "path.git";
		at += len + (at[len] == '/');
	}
	*ret_pattern = spk_guard_match(sensitive, normal);
	return *ret_pattern ? "path.secret" : NULL;
}

static gboolean refuse_name(const char *path, const char *normal, gboolean write,
			    const char *const *sensitive, SpkDecision *ret)
{
	const char *pattern, *rule = refused_name(normal, sensitive, &pattern);
	const char *done = write ? "written" : "read";

	if (!rule)
		return FALSE;
	if (pattern)
		deny(ret, rule, path, hint_secret,
		     "it may hold secrets (it matches %s) and is not %s", pattern, done);
	else
		deny(ret, rule, path, "use the git tool",
		     "it is inside a .git folder, which is not %s as files", done);
	return TRUE;
}

/* Case is part of what spk_guard_match() ignores; here is all else. `real`: it is a name in the
 * tree, whatever it looks like. */
static gboolean refuse_look(const char *path, const char *const *sensitive, gboolean real,
			    SpkDecision *ret)
{
	g_autofree char *skeleton = path_is_odd(path) ? path_skeleton(path) : NULL;
	g_autofree char *normal = NULL;
	const char *pattern = NULL, *rule;

	if (!skeleton)
		return FALSE;
	normal = *skeleton == '/' ? NULL : path_normal(skeleton);
	rule = normal ? refused_name(normal, sensitive, &pattern)
	       : real ? NULL
		      : "path.outside";
	if (!rule)
		return FALSE;
	deny(ret, "path.lookalike", path, pattern ? hint_secret : NULL,
	     "it can be taken for \"%s\", %s%s", normal ? normal : skeleton,
	     pattern  ? "which matches "
	     : normal ? "a .git folder"
		      : "a path outside the work tree",
	     pattern ? pattern : "");
	return TRUE;
}

static gboolean ends_oddly(const char *path)
{
	gsize len = strlen(path);

	for (gsize i = 0; i < len; i++)
		if ((path[i] == ' ' || path[i] == '.') &&
		    (path[i + 1] == '/' || path[i + 1] == '\0'))
			return TRUE;
	return FALSE;
}

static gboolean refuse_form(const char *path, SpkDecision *ret)
{
	const char *fault = form_fault(path), *root = fault ? NULL : foreign_root(path);

	if (fault)
		deny(ret, "path.form", path, NULL, "it is no path: %s", fault);
	else if (root)
		deny(ret, "path.outside", path, "use a path relative to the work tree",
		     "it is %s, which is not in the work tree", root);
	return fault || root;
}

static gboolean refuse_outside(const char *path, const char *normal, SpkDecision *ret)
{
	const char *kernel = normal ? kernel_folder(normal) : NULL;

	if (normal && *normal != '/')
		return FALSE;
	if (kernel)
		deny(ret, "path.kernel", path, "use a path relative to the work tree",
		     "it is below %s, outside the work tree, where files lead to what "
		     "processes and devices hold",
		     kernel);
	else
		deny(ret, "path.outside", path, "use a path relative to the work tree",
		     normal ? "it is an absolute path outside the work tree"
			    : "its \"..\" leads out of the work tree");
	return TRUE;
}

static void allow(SpkDecision *ret)
{
	spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_LOW, "path.tree", NULL,
			 "it is a path of the work tree", NULL);
}

void spk_path_judge_real(const char *path, gboolean write, const char *const *sensitive,
			 SpkDecision *ret)
{
	spk_decision_clear(ret);
	if (!sensitive)
		sensitive = spk_sensitive_patterns;
	if (!refuse_name(path, path, write, sensitive, ret) &&
	    (!g_utf8_validate(path, -1, NULL) ||
	     !refuse_look(path, sensitive, TRUE, ret)))
		allow(ret);
}

void spk_path_judge(const char *path, gboolean write, const char *const *sensitive,
		    SpkDecision *ret)
{
	g_autofree char *normal = NULL;
	gunichar unseen;

	spk_decision_clear(ret);
	if (!sensitive)
		sensitive = spk_sensitive_patterns;
	if (refuse_form(path, ret))
		return;
	normal = path_normal(path);
	if (refuse_outside(path, normal, ret) ||
	    refuse_name(path, normal, write, sensitive, ret) ||
	    refuse_look(path, sensitive, FALSE, ret))
		return;
	unseen = path_invisible(path);
	if (unseen)
		deny(ret, "path.form", path, NULL,
		     "it has a character in it that can't be seen (U+%04X)", unseen);
	else if (write && ends_oddly(normal))
		deny(ret, "path.form", path, NULL,
		     "a name in it ends in a blank or a dot, which other systems drop");
	else
		allow(ret);
}
