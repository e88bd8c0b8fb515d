#include "tool/tool_priv.h"

/* In this order models see them. */
const SpkTool *const spk_tools[] = {
	&tool_file_read,     &tool_file_write,
	&tool_file_edit,     &tool_file_list,
	&tool_file_search,   &tool_shell,
	&tool_git,	     &tool_claude_code,
	&tool_codex,	     &tool_opencode,
	&tool_memory_search, &tool_memory_save,
	&tool_finish,	     NULL,
};
