/* `sparks memory …`: what is remembered across tasks and chats. */
#include "cmd/cmd_all.h"
#include "cmd/memory/memory_all.h"

static const SpkCmd *const subs[] = {
	&spk_memory_cmd_add,	&spk_memory_cmd_batch,
	&spk_memory_cmd_doctor, &spk_memory_cmd_duplicates,
	&spk_memory_cmd_edit,	&spk_memory_cmd_export,
	&spk_memory_cmd_forget, &spk_memory_cmd_import,
	&spk_memory_cmd_list,	&spk_memory_cmd_model,
	&spk_memory_cmd_prune,	&spk_memory_cmd_reindex,
	&spk_memory_cmd_retire, &spk_memory_cmd_revive,
	&spk_memory_cmd_search, &spk_memory_cmd_show,
	&spk_memory_cmd_stats,	&spk_memory_cmd_undo,
	&spk_memory_cmd_why,	NULL,
};

const SpkCmd spk_cmd_memory = {
	.name = "memory",
	.summary = "What is remembered: search it, see where it comes from, change it.",
	.details =
		"ID is the id of a memory or a beginning of it, of 4 characters or more, that "
		"only one has.",
	.example = "sparks memory search 'how do we run the tests'",
	.subs = subs,
};
