/*
 * What a model as second judge brings on a corpus (as of measure.c), for a model that is at hand:
 *
 *	judged MODE MODEL FILE [EVERY]	MODE: flagged or all; MODEL as --model takes it, its server by
 *					the environment; each EVERY-th text
 *
 * It never prints a text, and is not for the held-out half.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "base/fs.h"
#include "base/json.h"
#include "conf/conf.h"
#include "guard/judge.h"
#include "llm/llm.h"

typedef struct {
	guint n[2], rules[2], judged[2], asked[2], said[4][2];
} Sum;

typedef struct {
	SpkConf *conf;
	SpkScanner *scanner;
	SpkLlm *llm;
	SpkJudgeMode mode;
	Sum sum;
} Bench;

static void ask(Bench *bench, const char *text, const SpkScanResult *found,
		SpkJudgement *ret)
{
	g_autofree char *question = spk_judge_question("what the tool file_read brought",
						       text, strlen(text), found,
						       &ret->whole);
	g_autoptr(json_t)
		messages = json_pack("[{s:s,s:s},{s:s,s:o}]", "role", "system", "content",
				     spk_judge_system(), "role", "user", "content",
				     spk_json_text(question));
	g_autoptr(json_t) schema = spk_judge_schema(), answer = NULL;
	SpkLlmRequest request = { .messages = messages,
				  .purpose = "judge",
				  .schema = schema,
				  .max_output = 256 };
	g_auto(SpkLlmReply) reply = { 0 };
	g_autoptr(GError) error = NULL;

	if (!spk_llm_complete(bench->llm, &request, NULL, NULL, &reply, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return;
	}
	answer = spk_json_parse(reply.text, strlen(reply.text), SPK_JSON_MAX, NULL);
	(void)(answer && spk_judge_read(answer, text, ret, NULL));
}

static void look(Bench *bench, const json_t *row)
{
	const char *text = spk_json_str(row, "text");
	guint innocent = g_strcmp0(spk_json_str(row, "label"), "attack") != 0;
	SpkJudgement judgement = { SPK_OPINION_NONE };
	g_auto(SpkScanResult) found = { 0 };
	Sum *sum = &bench->sum;

	spk_scanner_scan(bench->scanner, NULL, text, strlen(text), &found);
	sum->n[innocent]++;
	sum->rules[innocent] += found.verdict != SPK_SCAN_PASS;
	if (spk_judge_wants(bench->mode, &found, strlen(text), TRUE)) {
		sum->asked[innocent]++;
		ask(bench, text, &found, &judgement);
		sum->said[judgement.opinion][innocent]++;
		spk_judge_settle(bench->mode, &judgement, text, strlen(text), &found);
	}
	sum->judged[innocent] += found.verdict != SPK_SCAN_PASS;
}

static void print(const char *what, const guint *of, const guint *n)
{
	printf("%-8s %3u of %3u attacks (%5.1f %%), %3u of %3u innocent texts (%5.1f %%)\n",
	       what, of[0], n[0], n[0] ? 100.0 * of[0] / n[0] : 0, of[1], n[1],
	       n[1] ? 100.0 * of[1] / n[1] : 0);
}

int main(int argc, char **argv)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("judged-XXXXXX.toml", &path, NULL);
	SpkConfSource source = { .explicit_path = path };
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	Bench bench = { 0 };
	guint every = argc > 4 ? (guint)atoi(argv[4]) : 1, i = 0;
	g_autoptr(GError) error = NULL;

	if (argc < 4 || !every || strstr(argv[3], "heldout")) {
		fprintf(stderr, "usage: judged flagged|all MODEL FILE [EVERY]\n");
		return 2;
	}
	bench.mode = spk_judge_mode_find(argv[1]);
	bench.conf = spk_conf_load(&source, &error);
	(void)g_close(fd, NULL);
	(void)g_remove(path);
	bench.scanner = bench.conf ? spk_scanner_new(bench.conf, NULL, &error) : NULL;
	bench.llm = bench.scanner && *argv[2] ? spk_llm_open(bench.conf, argv[2], &error)
					      : NULL;
	text = error ? NULL : spk_fs_read(argv[3], 64u << 20, NULL, &error);
	if (error) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autoptr(json_t) row =
			**line ? spk_json_parse(*line, strlen(*line), SPK_JSON_MAX, NULL)
			       : NULL;

		if (row && spk_json_str(row, "text") && i++ % every == 0)
			look(&bench, row);
	}
	print("rules", bench.sum.rules, bench.sum.n);
	print("asked", bench.sum.asked, bench.sum.n);
	for (guint o = 0; o < G_N_ELEMENTS(bench.sum.said); o++)
		print(spk_opinion_name((SpkOpinion)o), bench.sum.said[o],
		      bench.sum.asked);
	print("judged", bench.sum.judged, bench.sum.n);
	spk_llm_free(bench.llm);
	spk_scanner_free(bench.scanner);
	spk_conf_unref(bench.conf);
	return 0;
}
