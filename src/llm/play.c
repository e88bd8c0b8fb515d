#include "llm/play_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "llm/play_form_priv.h"

#define MAX_PLAY (64u << 20)

static gboolean bad(GError **error, const char *message)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT, NULL, "%s", message);
	return FALSE;
}

/* Whether an expect waits for its say. */
static gboolean is_open(const SpkPlay *play)
{
	return play->expects->len > play->says->len;
}

static gboolean take_say(SpkPlay *play, json_t *say, GError **error)
{
	guint n = play->says->len;

	if (n && spk_json_bool(play->says->pdata[n - 1], "repeat", FALSE))
		return bad(error, "nothing is said after a say with \"repeat\"");
	if (!is_open(play))
		g_ptr_array_add(play->expects, NULL);
	g_ptr_array_add(play->says, json_incref(say));
	return TRUE;
}

static gboolean take_event(SpkPlay *play, const json_t *line, GError **error)
{
	json_t *expect = json_object_get(line, "expect");
	json_t *say = json_object_get(line, "say");

	if (!spk_play_check_event(line, error))
		return FALSE;
	if (play->end)
		return bad(error, "nothing comes after \"end\"");
	if (say)
		return take_say(play, say, error);
	if (is_open(play))
		return bad(error, "an \"expect\" is followed by its \"say\"");
	if (expect)
		g_ptr_array_add(play->expects, json_incref(expect));
	else
		play->end = json_incref(json_object_get(line, "end"));
	return TRUE;
}

static gboolean take_line(SpkPlay *play, const char *text, gsize len, GError **error)
{
	g_autoptr(json_t) line = spk_json_parse(text, len, SPK_JSON_MAX, error);

	if (!line)
		return FALSE;
	if (play->header)
		return take_event(play, line, error);
	if (!spk_play_check_header(line, error))
		return FALSE;
	play->header = g_steal_pointer(&line);
	return TRUE;
}

static gboolean take_lines(SpkPlay *play, const char *text, gsize len, GError **error)
{
	const char *end = text + len;

	for (guint number = 1; text < end; number++) {
		const char *stop = memchr(text, '\n', end - text);
		gsize n = (stop ? stop : end) - text;
		gsize blank = 0;

		while (blank < n && g_ascii_isspace(text[blank]))
			blank++;
		if (blank < n && !take_line(play, text, n, error)) {
			g_prefix_error(error, "%s:%u: ", play->name, number);
			return FALSE;
		}
		text += n + 1;
	}
	if (!play->header)
		bad(error, "a play begins with the line {\"play\":1,…}");
	else if (is_open(play))
		bad(error, "the last \"expect\" has no \"say\"");
	else
		return TRUE;
	g_prefix_error(error, "%s: ", play->name);
	return FALSE;
}

static void decref_any(gpointer json)
{
	json_decref(json); /* NULL is fine */
}

SpkPlay *spk_play_parse(const char *text, gsize len, const char *name, GError **error)
{
	g_autoptr(SpkPlay) play = g_new0(SpkPlay, 1);

	g_mutex_init(&play->lock);
	play->name = spk_text_clean(name, -1, SPK_CLEAN_LINE);
	play->says = g_ptr_array_new_with_free_func(decref_any);
	play->expects = g_ptr_array_new_with_free_func(decref_any);
	return take_lines(play, text, len, error) ? g_steal_pointer(&play) : NULL;
}

SpkPlay *spk_play_load(const char *path, GError **error)
{
	gsize len;
	g_autofree char *text = spk_fs_read(path, MAX_PLAY, &len, error);

	return text ? spk_play_parse(text, len, path, error) : NULL;
}

void spk_play_free(SpkPlay *play)
{
	if (!play)
		return;
	json_decref(play->header);
	json_decref(play->end);
	g_ptr_array_unref(play->says);
	g_ptr_array_unref(play->expects);
	g_mutex_clear(&play->lock);
	g_free(play->prefix);
	g_free(play->name);
	g_free(play);
}

const json_t *spk_play_header(const SpkPlay *play)
{
	return play->header;
}

const json_t *spk_play_end(const SpkPlay *play)
{
	return play->end;
}

guint spk_play_turns(const SpkPlay *play)
{
	return play->says->len;
}

/* The line that serves this turn, or the number of lines when none does. */
static guint line_of(const SpkPlay *play, guint turn)
{
	guint n = play->says->len;

	if (turn >= n && n && spk_json_bool(play->says->pdata[n - 1], "repeat", FALSE))
		return n - 1;
	return MIN(turn, n);
}

const json_t *spk_play_say(const SpkPlay *play, guint turn)
{
	guint line = line_of(play, turn);

	return line < play->says->len ? play->says->pdata[line] : NULL;
}

const json_t *spk_play_expect(const SpkPlay *play, guint turn)
{
	guint line = line_of(play, turn);

	return line < play->says->len ? play->expects->pdata[line] : NULL;
}
