#include "cmd/sandbox/stopped.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define LINE_MAX_CHARS 160

/* How libc words EACCES, EROFS and EPERM. */
static const char *const signs[] = { "Permission denied", "Read-only file system",
				     "Operation not permitted" };

const json_t *spk_stopped_facts(const SpkJournalEntry *entry)
{
	if (!strcmp(entry->kind, "tool.result"))
		return json_object_get(entry->payload, "meta");
	if (!strcmp(entry->kind, "check.result") || !strcmp(entry->kind, "setup.result"))
		return entry->payload;
	return NULL;
}

const char *spk_stopped_by(const SpkJournalEntry *entry)
{
	const char *name = spk_json_str(entry->payload, "name");

	if (!strcmp(entry->kind, "setup.result"))
		return "the setup";
	return strcmp(entry->kind, "check.result") ? (name ? name : "a tool") : "a check";
}

/* The item of `all` with this string under this key, or NULL. */
static json_t *find(const json_t *all, const char *key, const char *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(all, i, item)
		if (!g_strcmp0(spk_json_str(item, key), value))
			return item;
	return NULL;
}

static void count(json_t *all, const SpkJournalEntry *entry, const json_t *refused)
{
	const char *call = spk_json_str(refused, "call");
	gint64 times = spk_json_int(refused, "times", 0);
	json_t *item = call ? find(all, "call", call) : NULL;

	if (item)
		spk_json_set(item, "times",
			     json_integer(spk_json_int(item, "times", 0) + times));
	else if (call)
		json_array_append_new(
			all, json_pack("{s:o,s:I,s:I,s:o}", "call", spk_json_text(call),
				       "times", (json_int_t)times, "seq",
				       (json_int_t)entry->seq, "tool",
				       spk_json_text(spk_stopped_by(entry))));
}

json_t *spk_stopped_calls(const SpkTrail *trail)
{
	json_t *all = json_array();

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];
		json_t *item;
		size_t k;

		json_array_foreach(json_object_get(spk_stopped_facts(entry), "refused"),
				   k, item)
			count(all, entry, item);
	}
	return all;
}

static gboolean is_sign(const char *line)
{
	for (gsize i = 0; i < G_N_ELEMENTS(signs); i++)
		if (strstr(line, signs[i]))
			return TRUE;
	return FALSE;
}

static void add_lines(json_t *all, const SpkJournalEntry *entry)
{
	const char *text = spk_json_str(
		entry->payload, strcmp(entry->kind, "check.result") ? "text" : "tail");
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		g_autofree char *some = NULL;

		if (json_array_size(all) == SPK_STOPPED_LINES)
			return;
		if (!is_sign(*line))
			continue;
		some = spk_text_clip_middle(*line, strlen(*line), LINE_MAX_CHARS);
		if (!find(all, "line", some))
			json_array_append_new(
				all,
				json_pack("{s:o,s:I,s:o}", "line", spk_json_text(some),
					  "seq", (json_int_t)entry->seq, "tool",
					  spk_json_text(spk_stopped_by(entry))));
	}
}

json_t *spk_stopped_lines(const SpkTrail *trail)
{
	json_t *all = json_array();

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (spk_json_int(spk_stopped_facts(entry), "exit_code", 0))
			add_lines(all, entry);
	}
	return all;
}

json_t *spk_stopped_untold(const SpkTrail *trail)
{
	json_t *all = json_array(), *one;
	size_t k;

	for (guint i = 0; i < trail->entries->len; i++) {
		const char *why = spk_json_str(
			spk_stopped_facts(trail->entries->pdata[i]), "untold");
		gboolean known = !why;

		json_array_foreach(all, k, one)
			known = known || !g_strcmp0(json_string_value(one), why);
		if (!known)
			json_array_append_new(all, spk_json_text(why));
	}
	return all;
}
