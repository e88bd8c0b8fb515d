#include "box/box_status_priv.h"

#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

void spk_box_status_clear(SpkBoxStatus *status)
{
	json_decref(status->blocked);
	json_decref(status->refused);
	g_free(status->untold);
	g_free(status->step);
	g_free(status->text);
	*status = (SpkBoxStatus){ 0 };
}

static void block(SpkBoxStatus *status, const char *rule, const char *what)
{
	if (!status->blocked)
		status->blocked = json_array();
	json_array_append_new(status->blocked,
			      json_pack("{s:s, s:s}", "rule", rule, "what", what));
}

static void refuse(SpkBoxStatus *status, const char *call, const char *times)
{
	json_int_t n = (json_int_t)g_ascii_strtoll(times, NULL, 10);
	json_t *item;
	size_t i;

	if (!status->refused)
		status->refused = json_array();
	json_array_foreach(status->refused, i, item)
		if (!g_strcmp0(spk_json_str(item, "call"), call)) {
			spk_json_set(item, "times", json_integer(n));
			return;
		}
	json_array_append_new(status->refused,
			      json_pack("{s:s, s:I}", "call", call, "times", n));
}

static void read_line(SpkBoxStatus *status, const char *line)
{
	g_autofree char *clean = spk_text_clean(line, -1, SPK_CLEAN_TEXT);
	g_auto(GStrv) field = g_strsplit(clean, "\t", 3);

	if (g_strv_length(field) != 3)
		return;
	if (strcmp(field[0], "exited") == 0) {
		status->exited = TRUE;
		status->exit_code = (int)g_ascii_strtoll(field[1], NULL, 10);
		status->signal = (int)g_ascii_strtoll(field[2], NULL, 10);
	} else if (strcmp(field[0], "usage") == 0) {
		status->rss_max_kib = (glong)g_ascii_strtoll(field[2], NULL, 10);
	} else if (strcmp(field[0], "blocked") == 0) {
		block(status, field[1], field[2]);
	} else if (strcmp(field[0], "refused") == 0) {
		refuse(status, field[1], field[2]);
	} else if (strcmp(field[0], "untold") == 0 && !status->untold) {
		status->untold = g_strdup(field[2]);
	} else if (strcmp(field[0], "error") == 0 && !status->step) {
		status->step = g_strdup(field[1]);
		status->text = g_strdup(field[2]);
	}
}

void spk_box_status_read(SpkBoxStatus *status, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		read_line(status, *line);
}

gboolean spk_box_status_says_end(const char *text)
{
	return g_str_has_prefix(text, "exited\t") || strstr(text, "\nexited\t");
}

gboolean spk_box_status_built(const SpkBoxStatus *status, GError **error)
{
	if (!status->step)
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_FAILED, "see `sparks doctor`",
		      "the sandbox could not be built: %s: %s", status->step,
		      status->text);
	return FALSE;
}

void spk_box_status_tell(SpkBoxStatus *status, gboolean flooded, SpkBoxResult *result)
{
	result->signal = result->timed_out ? 0 : status->signal;
	if (status->rss_max_kib)
		result->rss_max_kib = status->rss_max_kib;
	if (status->signal == SIGXFSZ)
		block(status, "fsize", "a file grew past [box] fsize_bytes");
	if (status->signal == SIGXCPU)
		block(status, "cpu", "a process used up its processor time");
	if (status->signal == SIGSYS)
		block(status, "seccomp", "a system call of another architecture");
	if (result->timed_out)
		block(status, "timeout", "the command ran past its wall-clock limit");
	if (flooded)
		block(status, "output", "the command wrote more than may be kept");
	result->blocked = g_steal_pointer(&status->blocked);
	result->refused = g_steal_pointer(&status->refused);
	if (!status->exited && !status->untold)
		status->untold =
			g_strdup("the sandbox was ended before it could tell how often");
	result->untold = g_steal_pointer(&status->untold);
}
