/*
 * What tools/scan-learn learns from: for each text of a corpus all that could be weighed, by layer.
 *
 *	features FILE	"T label id", "L kind-of-layer", then "position name" of each feature
 */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "guard/scan/scan_match_priv.h"

typedef struct {
	const ScanLayer *layer;
	GString *word, *before;
} Notes;

static const char *const group_names[] = {
#define X(sym, ...) #sym,
	SCAN_GROUPS(X)
#undef X
};
static const char *const sign_names[] = {
#define X(sym, ...) #sym,
	SCAN_SIGNS(X)
#undef X
};

static void letters_at(const ScanMatch *m, guint32 start)
{
	guint k = 0;

	while (k < RUN_MAX && m->places[k] != start)
		k++;
	for (guint i = 0; k + i < RUN_MAX && i < (m->run[k] >= 0x2e80 ? 2 : 3); i++) {
		char out[8] = { 0 };

		(void)g_unichar_to_utf8(m->run[k + i], out);
		printf("%s", out);
	}
}

static void take_word(Notes *notes, const ScanMatch *m)
{
	g_string_assign(notes->before, notes->word->str);
	g_string_truncate(notes->word, 0);
	for (guint i = 0; i < m->n; i++)
		g_string_append_unichar(notes->word, m->kept[i]);
}

static void name_of(Notes *notes, const ScanMatch *m, ScanFeature kind, guint number,
		    guint32 start)
{
	switch (kind) {
	case SCAN_F_WORD:
		take_word(notes, m);
		printf("w:%s", notes->word->str);
		return;
	case SCAN_F_PREFIX:
		printf("p:%.*s",
		       (int)(g_utf8_offset_to_pointer(notes->word->str, 5) -
			     notes->word->str),
		       notes->word->str);
		return;
	case SCAN_F_FIRST:
		printf("f:%s", notes->word->str);
		return;
	case SCAN_F_TWO:
		printf("b:%s_%s", notes->before->str, notes->word->str);
		return;
	case SCAN_F_LETTERS:
		printf("c:");
		letters_at(m, start);
		return;
	case SCAN_F_GROUP:
		printf("g:%s", group_names[number]);
		return;
	case SCAN_F_QUOTED:
		printf("q:%s", group_names[number]);
		return;
	case SCAN_F_NEGATED:
		printf("n:%s", group_names[number]);
		return;
	case SCAN_F_PAIR:
		printf("x:%s>%s", group_names[number / 128], group_names[number % 128]);
		return;
	case SCAN_F_RULE:
		printf("r:%s", scan_rules[number].id);
		return;
	default:
		printf("s:%s", sign_names[number]);
	}
}

static void note(ScanMatch *m, ScanFeature kind, guint64 number, guint32 start)
{
	Notes *notes = m->scan->note_data;

	if (notes->layer != m->layer || m->weigh.before == 0) {
		notes->layer = m->layer;
		printf("L %s %d\n", m->layer->name,
		       m->layer->place == SCAN_WHOLE ? 2
		       : m->layer->mode != SCAN_PLAIN || m->layer->place == SCAN_BACKWARDS
			       ? 1
			       : 0);
	}
	printf("%u ", m->pos);
	name_of(notes, m, kind, (guint)number, start);
	printf("\n");
}

int main(int argc, char **argv)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	gsize len = 0;

	if (argc != 2 || strstr(argv[1], "heldout")) {
		fprintf(stderr, "usage: features FILE\n");
		return 2;
	}
	text = spk_fs_read(argv[1], 64u << 20, &len, NULL);
	lines = text ? g_strsplit(text, "\n", -1) : NULL;
	for (char **line = lines; line && *line; line++) {
		g_autoptr(json_t) row =
			**line ? spk_json_parse(*line, strlen(*line), SPK_JSON_MAX, NULL)
			       : NULL;
		const char *one = row ? spk_json_str(row, "text") : NULL;
		g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(ScanHit));
		g_autoptr(GArray) talks = g_array_new(FALSE, FALSE, sizeof(ScanTalk));
		g_autoptr(GArray) fences = g_array_new(FALSE, FALSE, sizeof(guint32));
		Notes notes = { NULL, g_string_new(NULL), g_string_new(NULL) };
		Scan scan = { .hits = hits,
			      .talks = talks,
			      .fences = fences,
			      .note = note,
			      .note_data = &notes };

		if (one) {
			printf("T %s %s\n", spk_json_str(row, "label"),
			       spk_json_str(row, "id"));
			scan.text = (const guint8 *)one;
			scan.len = strlen(one);
			scan_text(&scan);
		}
		g_string_free(notes.word, TRUE);
		g_string_free(notes.before, TRUE);
	}
	return 0;
}
