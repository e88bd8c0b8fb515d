/* What the commands of this folder share: a line out of words, and its commands as JSON. */
#include "base/json.h"
#include "cmd/policy/policy_all.h"
#include "guard/command.h"
#include "guard/shell.h"

char *spk_policy_line(const char *const *words)
{
	GString *line = g_string_new(NULL);

	if (words[0] && !words[1])
		return g_string_free(g_string_assign(line, words[0]), FALSE);
	for (; *words; words++) {
		g_autofree char *quoted = spk_shell_quote(*words);

		if (line->len)
			g_string_append_c(line, ' ');
		g_string_append(line, quoted);
	}
	return g_string_free(line, FALSE);
}

json_t *spk_policy_parts_to_json(const GPtrArray *parts)
{
	json_t *list = json_array();

	for (guint i = 0; i < parts->len; i++) {
		const SpkCommandPart *part = parts->pdata[i];
		json_t *does = json_array();

		for (guint bit = 0; bit < SPK_N_DOES; bit++)
			if (part->does & (1u << bit))
				json_array_append_new(does,
						      json_string(spk_does_name(bit)));
		json_array_append_new(list,
				      json_pack("{s:o,s:o,s:i,s:b,s:o,s:o}", "line",
						spk_json_text(part->line), "way",
						spk_json_text(part->way), "at",
						(int)part->at, "read_only",
						part->read_only, "does", does, "decision",
						spk_decision_to_json(&part->decision)));
	}
	return list;
}
