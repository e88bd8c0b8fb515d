#include "cmd/show/progress.h"

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/show/lines.h"
#include "cmd/ui.h"

#define FRAME_US 100000

struct SpkProgress {
	int fd;
	GMutex lock; /* everything below */
	GCond stopping;
	gboolean stop;
	gboolean drawn; /* the live line is on the screen */
	gboolean rests; /* it is not to be */
	guint frame;
	gint64 started_us;
	SpkLines *lines;
	GThread *ticker; /* NULL: no terminal, no live line */
};

static void erase(SpkProgress *progress, GString *out)
{
	if (progress->drawn)
		g_string_append(out, "\r\033[K");
	progress->drawn = FALSE;
}

static void draw(SpkProgress *progress, GString *out)
{
	static const char *const frames[] = { "⠋", "⠙", "⠹", "⠸", "⠼",
					      "⠴", "⠦", "⠧", "⠇", "⠏" };
	double seconds = (spk_mono_us() - progress->started_us) / 1e6;
	g_autofree char *tokens = spk_ui_number(spk_lines_tokens(progress->lines));
	g_autofree char *right = g_strdup_printf("step %u · %s tokens · %.0f s",
						 spk_lines_turns(progress->lines), tokens,
						 seconds);
	int room =
		spk_ui_columns(progress->fd) - 4 - 3 - (int)g_utf8_strlen(right, -1) - 1;
	g_autofree char *doing =
		spk_ui_clip(spk_lines_doing(progress->lines), MAX(8, room));
	g_autofree char *text = g_strdup_printf("%s · %s", doing, right);
	g_autofree char *fitting = spk_ui_clip(text, spk_ui_columns(progress->fd) - 5);

	erase(progress, out);
	g_string_append(out, "  ");
	spk_ui_paint(out, progress->fd, "bold",
		     frames[progress->frame % G_N_ELEMENTS(frames)]);
	g_string_append_c(out, ' ');
	spk_ui_paint(out, progress->fd, "dim", fitting);
	progress->drawn = TRUE;
}

static gpointer tick(gpointer data)
{
	SpkProgress *progress = data;

	g_mutex_lock(&progress->lock);
	while (!progress->stop) {
		g_autoptr(GString) out = g_string_new(NULL);

		if (!progress->rests)
			draw(progress, out);
		spk_ui_write(progress->fd, out);
		progress->frame++;
		g_cond_wait_until(&progress->stopping, &progress->lock,
				  g_get_monotonic_time() + FRAME_US);
	}
	g_mutex_unlock(&progress->lock);
	return NULL;
}

SpkProgress *spk_progress_new(int fd)
{
	SpkProgress *progress = g_new0(SpkProgress, 1);

	progress->fd = fd;
	g_mutex_init(&progress->lock);
	g_cond_init(&progress->stopping);
	progress->started_us = spk_mono_us();
	progress->lines = spk_lines_new(FALSE);
	if (spk_term_is_tty(fd) && g_strcmp0(g_getenv("TERM"), "dumb") != 0)
		progress->ticker = g_thread_new("progress", tick, progress);
	return progress;
}

void spk_progress_free(SpkProgress *progress)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (!progress)
		return;
	g_mutex_lock(&progress->lock);
	progress->stop = TRUE;
	g_cond_signal(&progress->stopping);
	g_mutex_unlock(&progress->lock);
	if (progress->ticker)
		g_thread_join(progress->ticker);
	erase(progress, out);
	spk_ui_write(progress->fd, out);
	spk_lines_free(progress->lines);
	g_cond_clear(&progress->stopping);
	g_mutex_clear(&progress->lock);
	g_free(progress);
}

/* With the lock held: the lines above, the live line below. */
static void put(SpkProgress *progress, SpkLine *const *lines, guint n)
{
	g_autoptr(GString) out = g_string_new(NULL);

	erase(progress, out);
	for (guint i = 0; i < n; i++)
		spk_line_format(lines[i], progress->fd, spk_ui_columns(progress->fd),
				out);
	if (progress->ticker && !progress->rests)
		draw(progress, out);
	spk_ui_write(progress->fd, out);
}

void spk_progress_rest(SpkProgress *progress, gboolean rest)
{
	g_autoptr(GString) out = g_string_new(NULL);

	g_mutex_lock(&progress->lock);
	progress->rests = rest;
	erase(progress, out);
	spk_ui_write(progress->fd, out);
	g_mutex_unlock(&progress->lock);
}

void spk_progress_entry(SpkProgress *progress, const SpkJournalEntry *entry)
{
	g_autoptr(GPtrArray) lines = NULL;

	g_mutex_lock(&progress->lock);
	lines = spk_lines_take(progress->lines, entry);
	put(progress, (SpkLine *const *)lines->pdata, lines->len);
	g_mutex_unlock(&progress->lock);
}

void spk_progress_say(SpkProgress *progress, const char *role, const char *label,
		      const char *text)
{
	g_autofree char *clean = spk_ui_line(text, 4000);
	SpkLine line = { role, label, clean, NULL, FALSE };
	SpkLine *lines[] = { &line };

	g_mutex_lock(&progress->lock);
	put(progress, lines, 1);
	g_mutex_unlock(&progress->lock);
}

void spk_progress_on_journal(const char *task, const SpkJournalEntry *entry,
			     gpointer user)
{
	spk_progress_entry(user, entry);
}
