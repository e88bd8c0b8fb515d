/* One piece of Markdown to a terminal's lines: md4c parses, markdown_lines.c lays out. */
#include <md4c.h>
#include <string.h>

#include "base/text.h"
#include "cmd/chat/markdown.h"
#include "cmd/chat/markdown_priv.h"

#define MAX_TABLE 256 /* cells; larger ones are shown as rows of text */
#define MAX_MARK  11  /* columns of "999999999. ", the widest */

/* ---- what md4c tells ---- */

static void push(Render *r, const char *first, const char *rest)
{
	if (r->depth == MD_MAX_DEPTH ||
	    md_prefix_width(r) >
		    MIN(r->columns / 2, r->columns - MD_MIN_ROOM - MAX_MARK)) {
		r->skipped++;
		return;
	}
	r->levels[r->depth++] = (Level){ first, rest, "", FALSE };
}

static void pop(Render *r)
{
	if (r->skipped)
		r->skipped--;
	else
		r->depth--;
}

static void enter_item(Render *r, const MD_BLOCK_LI_DETAIL *item)
{
	gint64 *number = &r->numbers[MIN(r->lists, MD_MAX_DEPTH) - 1];
	guint depth = r->depth;
	Level *level;

	md_gap(r);
	push(r, "• ", "  ");
	if (r->depth == depth)
		return;
	level = &r->levels[depth];
	if (item->is_task)
		level->first = item->task_mark == ' ' ? "☐ " : "☑ ";
	else if (*number >= 0) {
		g_snprintf(level->number, sizeof(level->number), "%" G_GINT64_FORMAT ". ",
			   (*number)++);
		level->first = level->number;
		level->rest =
			&"           "[MAX_MARK - MIN(strlen(level->number), MAX_MARK)];
	}
}

static void enter_list(Render *r, gint64 start)
{
	md_flush_words(r); /* a tight item has its text right before a list inside it */
	if (!r->lists)
		md_gap(r);
	r->numbers[MIN(r->lists, MD_MAX_DEPTH - 1)] = start;
	r->lists++;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *user)
{
	Render *r = user;

	switch (type) {
	case MD_BLOCK_QUOTE:
		md_gap(r);
		push(r, "│ ", "│ ");
		break;
	case MD_BLOCK_UL:
		enter_list(r, -1);
		break;
	case MD_BLOCK_OL:
		enter_list(r, ((MD_BLOCK_OL_DETAIL *)detail)->start);
		break;
	case MD_BLOCK_LI:
		enter_item(r, detail);
		break;
	case MD_BLOCK_HR:
		md_gap(r);
		md_put_rule(r, MIN(md_room(r), 40));
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_H:
		md_gap(r);
		r->style |= BOLD;
		break;
	case MD_BLOCK_CODE:
		md_gap(r);
		r->in_code = TRUE;
		break;
	case MD_BLOCK_TH:
		r->style |= BOLD;
		break;
	case MD_BLOCK_TR:
		r->row = g_ptr_array_new_with_free_func(md_cell_free);
		break;
	case MD_BLOCK_P:
	case MD_BLOCK_TABLE:
		md_gap(r);
		break;
	default:
		break;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *user)
{
	Render *r = user;

	switch (type) {
	case MD_BLOCK_QUOTE:
		pop(r);
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_LI:
		md_flush_words(r);
		pop(r);
		break;
	case MD_BLOCK_UL:
	case MD_BLOCK_OL:
		r->lists--;
		r->needs_gap = !r->lists;
		break;
	case MD_BLOCK_H:
	case MD_BLOCK_P:
		md_flush_words(r);
		r->style &= ~BOLD;
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_CODE:
		md_flush_code(r);
		r->in_code = FALSE;
		r->needs_gap = TRUE;
		break;
	case MD_BLOCK_TH:
	case MD_BLOCK_TD:
		md_take_cell(r);
		r->style &= ~BOLD;
		break;
	case MD_BLOCK_TR:
		g_ptr_array_add(r->rows, g_steal_pointer(&r->row));
		break;
	case MD_BLOCK_TABLE:
		md_flush_table(r);
		r->needs_gap = TRUE;
		break;
	default:
		break;
	}
	return 0;
}

static guint style_of(MD_SPANTYPE type)
{
	switch (type) {
	case MD_SPAN_EM:
		return ITALIC;
	case MD_SPAN_STRONG:
		return BOLD;
	case MD_SPAN_CODE:
		return CODE;
	case MD_SPAN_DEL:
		return STRIKE;
	default:
		return 0;
	}
}

static int enter_span(MD_SPANTYPE type, void *detail, void *user)
{
	const MD_ATTRIBUTE *to = NULL;
	Render *r = user;

	r->style |= style_of(type);
	if (type == MD_SPAN_A)
		to = &((MD_SPAN_A_DETAIL *)detail)->href;
	else if (type == MD_SPAN_IMG)
		to = &((MD_SPAN_IMG_DETAIL *)detail)->src;
	if (!to)
		return 0;
	if (type == MD_SPAN_IMG)
		md_add_text(r, "[image] ", 8, DIM);
	g_free(r->link);
	r->link = g_strndup(to->text, to->size);
	r->link_start = r->words->len;
	return 0;
}

/* Whether the link's text is its address already. */
static gboolean says_itself(const Render *r)
{
	g_autoptr(GString) said = g_string_new(NULL);

	for (gsize i = r->link_start ? r->link_start - 1 : 0; i < r->words->len; i++)
		g_string_append(said, ((Word *)r->words->pdata[i])->text->str);
	return strstr(said->str, r->link) ||
	       (g_str_has_prefix(r->link, "mailto:") && strstr(said->str, r->link + 7));
}

static int leave_span(MD_SPANTYPE type, void *detail, void *user)
{
	Render *r = user;

	r->style &= ~style_of(type);
	if ((type != MD_SPAN_A && type != MD_SPAN_IMG) || !r->link)
		return 0;
	if (*r->link && !says_itself(r)) {
		g_autofree char *text = g_strdup_printf(" (%s)", r->link);

		md_add_text(r, text, strlen(text), DIM);
	}
	g_clear_pointer(&r->link, g_free);
	return 0;
}

static void add_entity(Render *r, const char *text, gsize len)
{
	static const char *const names[][2] = { { "&lt;", "<" },   { "&gt;", ">" },
						{ "&amp;", "&" },  { "&quot;", "\"" },
						{ "&nbsp;", " " }, { "&#39;", "'" } };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strlen(names[i][0]) != len || memcmp(names[i][0], text, len) != 0)
			continue;
		md_add_text(r, names[i][1], strlen(names[i][1]), r->style);
		return;
	}
	md_add_text(r, text, len, r->style);
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *user)
{
	Render *r = user;

	if (r->in_code) {
		g_string_append_len(r->code, text, size);
		return 0;
	}
	switch (type) {
	case MD_TEXT_BR:
		md_flush_words(r);
		break;
	case MD_TEXT_SOFTBR:
		r->space = r->words->len > 0;
		break;
	case MD_TEXT_ENTITY:
		add_entity(r, text, size);
		break;
	case MD_TEXT_NULLCHAR:
		break;
	default:
		md_add_text(r, text, size, r->style);
	}
	return 0;
}

char *spk_markdown_render(const char *text, gsize len, int columns)
{
	static const MD_PARSER parser = {
		.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
			 MD_FLAG_NOHTML,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = on_text,
	};
	Render r = { .columns = MAX(columns, MD_MIN_ROOM + MAX_MARK) };

	r.out = g_string_new(NULL);
	r.code = g_string_new(NULL);
	r.words = g_ptr_array_new_with_free_func(md_word_free);
	r.rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	if (md_parse(text, (MD_SIZE)len, &parser, &r) != 0)
		g_string_append_len(r.out, text, len); /* memory alone can be the cause */
	g_string_free(r.code, TRUE);
	g_ptr_array_unref(r.words);
	g_ptr_array_unref(r.rows);
	g_clear_pointer(&r.row, g_ptr_array_unref);
	g_free(r.link);
	return g_string_free(r.out, FALSE);
}
