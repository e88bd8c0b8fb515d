/* The option table; what the reference program has and this version lacks is in later.c. */
#include <string.h>

#include "base/text.h"
#include "conf/conf_priv.h"

#define STR(name, fallback, flags, sentence)                                \
	{                                                                   \
		name, SPK_OPT_STRING, fallback, 0, 0, NULL, flags, sentence \
	}
#define LIST(name, fallback, flags, sentence)                             \
	{                                                                 \
		name, SPK_OPT_LIST, fallback, 0, 0, NULL, flags, sentence \
	}
#define PATH(name, fallback, flags, sentence)                             \
	{                                                                 \
		name, SPK_OPT_PATH, fallback, 0, 0, NULL, flags, sentence \
	}
#define BOOL(name, fallback, sentence)                                \
	{                                                             \
		name, SPK_OPT_BOOL, fallback, 0, 0, NULL, 0, sentence \
	}
#define ENUM(name, fallback, choices, flags, sentence)                       \
	{                                                                    \
		name, SPK_OPT_ENUM, fallback, 0, 0, choices, flags, sentence \
	}
#define INT(name, fallback, min, max, flags, sentence)                       \
	{                                                                    \
		name, SPK_OPT_INT, fallback, min, max, NULL, flags, sentence \
	}
#define REAL(name, fallback, min, max, sentence)                          \
	{                                                                 \
		name, SPK_OPT_REAL, fallback, min, max, NULL, 0, sentence \
	}
#define PATTERNS(name, fallback, sentence)                                \
	{                                                                 \
		name, SPK_OPT_PATTERNS, fallback, 0, 0, NULL, S, sentence \
	}
#define S      SPK_OPT_SENSITIVE
#define P      SPK_OPT_PROCESS
#define R      SPK_OPT_RESTART
#define MIB    1048576.0
#define TIB    1099511627776.0
#define LEVELS "observe|propose|assist|deliver|autonomous|0|1|2|3|4"
#define CLASSIFIER \
	"model of this provider that picks the spark where none is named; empty: coder does it"

/* clang-format off */
static const SpkOpt options[] = {
	STR("anthropic.classifier_model", "", 0, CLASSIFIER),
	INT("anthropic.context_window", "200000", 1024, 10000000, 0,
	    "tokens that the model can look at"),
	INT("anthropic.max_tokens", "4096", 1, 1000000, 0,
	    "tokens of one answer"),
	STR("anthropic.model", "claude-sonnet-4-5", 0,
	    "model to ask"),
	REAL("anthropic.temperature", "0.3", 0, 2,
	     "sampling temperature; at most 1 is sent"),
	STR("anthropic.url", "https://api.anthropic.com/v1", S,
	    "base URL"),
	INT("approvals.timeout_secs", "86400", 0, 31536000, S,
	    "an open question counts as refused after this long; 0: never"),
	ENUM("autonomy.level", "deliver", LEVELS, S | SPK_OPT_NUMBERS,
	     "what sparks may do without asking, where nothing else says (`sparks autonomy show`); a name or 0 to 4"),
	ENUM("autonomy.raise_to", "none", "none|" LEVELS, S | SPK_OPT_NUMBERS,
	     "how far --level may lift a task above the level in force; none: not at all"),
	LIST("autonomy.untrusted", "[]", S,
	     "folders whose text counts as text from outside: every effect of a task there is asked for"),
	LIST("box.allow", "[]", S,
	     "hosts that commands in the box may reach: HOST[:PORT], *.HOST[:PORT], or a set like @npm; without a port 80 and 443"),
	LIST("box.allow_private", "[]", S,
	     "addresses outside the internet that an allowed host may have: ADDRESS:PORT"),
	ENUM("box.backend", "auto", "auto|native|docker", S | R,
	     "sandbox backend"),
	{ "box.carry", SPK_OPT_LIST,
	  "[\"node_modules\", \".venv\", \"venv\", \"target\", \"vendor\", \"bower_components\", \".tox\", \".gradle\", \"Pods\"]",
	  0, 0, NULL, S,
	  "dependency folders that git ignores and the box is lent, copy-on-write; each a name" },
	{ "box.count_refused", SPK_OPT_BOOL, "true", 0, 0, NULL, S | R,
	  "count the system calls that a command in the box is refused, for `sandbox explain`" },
	{ "box.cpus", SPK_OPT_REAL, "0.0", 0, 4096, NULL, S | R,
	  "processors' worth of time that a box may take, by control groups; 0: no cap" },
	LIST("box.credentials", "[]", S,
	     "keys that are added to requests for an allowed host, by https: \"HOST[:PORT] HEADER: [WORD ]{SECRET}\", behind it \"as VARIABLE\" for a base URL; the box never sees them"),
	INT("box.disk_bytes", "17179869184", MIB, 16 * TIB, S | R,
	    "how much of the work tree's disk may go while a command runs, at most 9/10 of what is free"),
	INT("box.fsize_bytes", "1073741824", MIB, TIB, S | R,
	    "largest file that a command in the box may write"),
	INT("box.inodes", "1000000", 1000, 1e12, S | R,
	    "how many files of the work tree's disk may come while a command runs"),
	INT("box.memory_bytes", "4294967296", 16 * MIB, 16 * TIB, S | R,
	    "memory of the box"),
	INT("box.net_bytes", "2147483648", 0, 1024 * TIB, S,
	    "bytes to and from allowed hosts, of one run of a task; 0: no limit"),
	STR("box.path", "", S | R,
	    "path of the work tree inside the box; empty: the same as outside, in a container /workspace"),
	INT("box.pids", "256", 8, 32768, S | R,
	    "processes and threads in the box"),
	ENUM("box.require_tier", "landlock", "landlock|docker|native|native-full", S | R,
	     "weakest sandbox that tasks may run in"),
	ENUM("box.tier", "auto", "auto|native|landlock", S | R,
	     "choose a weaker sandbox than the machine allows; native: without control groups"),
	INT("box.timeout_secs", "600", 1, 86400, S | R,
	    "wall-clock limit of one command in the box"),
	{ "box.toolchains", SPK_OPT_BOOL, "true", 0, 0, NULL, S | R,
	  "show the toolchains of the user's HOME (rustup, pyenv, nvm …) read-only, and caches of packages below a layer of the task's own" },
	INT("budget.day_tokens", "0", 0, 1e12, S,
	    "tokens that all tasks of a day (UTC) may take; 0: no limit"),
	{ "budget.day_usd", SPK_OPT_REAL, "0.0", 0, 1e6, NULL, S,
	  "dollars that all tasks of a day (UTC) may cost; 0: no limit" },
	{ "budget.task_usd", SPK_OPT_REAL, "0.0", 0, 1e6, NULL, S,
	  "dollars that a task may cost, then it pauses; 0: no limit" },
	INT("chat.history_tokens", "16000", 0, 1000000, 0,
	    "tokens of earlier turns that a message of a chat takes along, at most a third of "
	    "the model's window"),
	LIST("cli.fallback", "[\"claude_code\", \"codex\", \"opencode\"]", S,
	     "order in which agent programs are tried after one that is away or fails"),
	STR("cli.model", "", S,
	    "model of the agent program that is called, in its own spelling; empty: its default"),
	LIST("cli.path", "[]", S,
	     "folders in which agent programs are looked for before PATH"),
	INT("cli.retries", "1", 0, 5, S,
	    "times that an agent program is run again after a failure that may pass"),
	{ "cli.run_usd", SPK_OPT_REAL, "0.0", 0, 1e6, NULL, S,
	  "dollars that one run of an agent program may cost; 0: what the budgets have left" },
	INT("cli.timeout_secs", "3600", 1, 86400, S,
	    "wall-clock limit of one run of an agent program"),
	ENUM("cli.tool", "none", "none|claude_code|codex|opencode", S,
	     "agent program that sparks which change files are offered as a tool"),
	PATH("db.path", "~/.sparks/store.db", P | S | R,
	     "database of tasks and their journal"),
	ENUM("db.synchronous", "normal", "normal|full", P | R,
	     "full: survives a power cut without losing the last steps"),
	INT("docker.cpu_quota", "50000", 0, 1e9, S | R,
	    "processor time of a container, of 100000 for one processor; 0: no limit"),
	STR("docker.image", "rust:1.93", S | R,
	    "image of the container: a name, NAME@sha256:..., or an id"),
	INT("docker.memory_limit", "268435456", 16 * MIB, 16 * TIB, S | R,
	    "memory of a container in bytes"),
	STR("docker.runtime", "", S | R,
	    "runtime of the container, as runc or runsc; empty: the engine's default"),
	PATH("docker.socket_path", "/var/run/docker.sock", S | R,
	     "socket of the container engine (Docker, or Podman's compatible one)"),
	INT("docker.timeout_secs", "600", 1, 86400, S | R,
	    "wall-clock limit of one command in a container"),
	INT("embedding.dimensions", "0", 0, 4096, S,
	    "dimensions that a server is asked for; 0: those that its model has"),
	{ "embedding.enabled", SPK_OPT_BOOL, "true", 0, 0, NULL, S,
	  "find memories by meaning too, not by their words alone" },
	STR("embedding.model", "", S,
	    "model that the server of openai or ollama is asked for; needed there"),
	PATH("embedding.model_dir", "~/.sparks/models/all-MiniLM-L6-v2", S,
	     "folder of the model: model.safetensors with vocab.txt, or model.onnx with tokenizer.json"),
	STR("embedding.passage_prefix", "", S,
	    "what stands before each memory; unset: what the model was trained with"),
	ENUM("embedding.precision", "f32", "f32|int8", S,
	     "weights of our engine; int8 is quicker and takes less memory, but is less exact"),
	ENUM("embedding.provider", "auto", "auto|engine|onnx|openai|ollama", S,
	     "who computes: engine, ONNX Runtime, a server with /v1/embeddings, Ollama; auto: the engine, or ONNX Runtime for a graph that it doesn't know"),
	STR("embedding.query_prefix", "", S,
	    "what stands before each search; unset: what the model was trained with"),
	INT("embedding.timeout_secs", "60", 1, 3600, S,
	    "time until a server answers"),
	STR("embedding.url", "", S,
	    "base URL of that server; empty: [openai] url or [ollama] url"),
	LIST("guard.sensitive_files", "[]", S | SPK_OPT_NAMES,
	     "names of files that may hold secrets, beyond the built-in ones: \"*.secret\", \"vault/\"; \"!NAME\" takes one out"),
	{ "keep.auto", SPK_OPT_BOOL, "true", 0, 0, NULL, P | S,
	  "drop what [keep] says is too old or too much, once a day after a task" },
	INT("keep.branches_days", "30", 0, 36500, P | S,
	    "days until `tasks prune --what branches` drops a merged branch; 0: never"),
	INT("keep.copies_bytes", "21474836480", 0, 1024 * TIB, P | S,
	    "private copies of finished tasks, all together; 0: no limit"),
	INT("keep.copies_days", "14", 0, 36500, P | S,
	    "days a finished task's private copy is kept (diff, apply, undo); 0: for ever"),
	INT("keep.spill_bytes", "2147483648", 0, 1024 * TIB, P | S,
	    "long outputs of finished tasks, all together; 0: no limit"),
	INT("keep.spill_days", "30", 0, 36500, P | S,
	    "days the long outputs of a finished task are kept; 0: for ever"),
	INT("keep.steps_bytes", "2147483648", 0, 1024 * TIB, P | S,
	    "steps in the journals of finished tasks, all together; 0: no limit"),
	INT("keep.steps_days", "180", 0, 36500, P | S,
	    "days the steps of a finished task are kept (log, export); 0: for ever"),
	STR("llm.classifier_model", "", S,
	    "model that picks the spark where none is named, as --model takes it; empty: the provider's classifier_model"),
	INT("llm.connect_timeout_secs", "10", 1, 300, 0,
	    "time to reach the model's server"),
	{ "llm.fallback", SPK_OPT_BOOL, "true", 0, 0, NULL, S,
	  "when a provider fails, go on with the next that is configured" },
	{ "llm.fallback_to_cloud", SPK_OPT_BOOL, "false", 0, 0, NULL, S,
	  "also from a model on this machine to one in the cloud, and to one that costs more" },
	INT("llm.first_byte_timeout_secs", "120", 1, 3600, 0,
	    "time until an answer begins"),
	INT("llm.idle_timeout_secs", "60", 1, 3600, 0,
	    "longest silence within an answer"),
	STR("llm.local_servers", "ollama=http://127.0.0.1:11434 openai=http://127.0.0.1:8080", S,
	    "where to look for a model when nothing is configured: up to 8 PROVIDER=URL, blanks between, or none"),
	INT("llm.max_retries", "4", 0, 20, 0,
	    "tries after the first, for failures that may pass"),
	ENUM("llm.provider", "openai", "openai|anthropic|ollama|openrouter|zen|script", S,
	     "where models are: the section with its address and model; script: a play"),
	STR("llm.summary_model", "", S,
	    "model that sums up what leaves a long conversation, as --model takes it; empty: it just leaves"),
	ENUM("llm.tools", "auto", "auto|native|text", 0,
	     "how tools are called: by the model's own way, or in text; auto finds out"),
	STR("llm.verify_model", "", S,
	    "model that reviews a change which the checks let pass, as --model takes it; empty: nobody does"),
	PATTERNS("manager.auto_approve_patterns", "[]",
		 "commands that need no yes: regular expressions that match the whole of each command of a line"),
	PATTERNS("manager.deny_patterns", "[]",
		 "commands that are never run: regular expressions that match any part of any command; they win"),
	BOOL("manager.loop_guard.enabled", "true",
	     "stop a model that goes in circles or gets nowhere"),
	INT("manager.loop_guard.repeat_threshold", "2", 1, 100, 0,
	    "equal calls with equal results that are tolerated"),
	INT("manager.loop_guard.window_size", "12", 2, 1000, 0,
	    "recent calls that are compared; as many without a change or news are a loop, too"),
	INT("manager.max_steps", "15", 1, 1000, 0,
	    "model turns of a task"),
	PATTERNS("manager.sensitive_patterns",
		 "[\"rm\\\\s\", \"sudo\", \"curl.*\\\\|.*sh\", \"chmod.*777\", \"unlink\\\\s\", \"shred\\\\s\", "
		 "\"find\\\\s.*-delete\", \"dd\\\\s.*of=\", \"curl\\\\s\", \"wget\\\\s\", \"nc\\\\s\", \"apt\\\\s\", "
		 "\"pip\\\\s\", \"kill\\\\s\", \"config\\\\.toml\", \"\\\\.env\", \"/etc/\", \"~/\\\\.ssh\"]",
		 "commands that need a yes: regular expressions that match any part of any command of a line"),
	REAL("memory.bonus_date", "0.5", 0, 10,
	     "added to what was said at the time that a question names (\"in May\", \"last week\")"),
	REAL("memory.bonus_named", "0.4", 0, 10,
	     "added to a turn whose speaker the question names"),
	REAL("memory.bonus_recent", "0.02", 0, 10,
	     "added to what was said now, half of it after each memory.recency_half_life_days"),
	REAL("memory.bonus_substance", "0.4", 0, 10,
	     "added to a memory that says much, a part of it to one of few words"),
	REAL("memory.bonus_time", "0.05", 0, 10,
	     "added to a memory that names a time where one is asked for"),
	INT("memory.candidates", "64", 8, 1000, 0,
	    "memories that each leg of a search hands to the fusion, at least"),
	REAL("memory.decay_half_life_days", "30.0", 0.001, 1e6,
	     "days after which `sparks memory prune` counts a memory half"),
	{ "memory.dedup_threshold", SPK_OPT_REAL, "0.95", 0, 1, NULL, S,
	  "cosine from which a new memory is merged into the older one that says the same" },
	REAL("memory.diversity", "0.0", 0, 1,
	     "how much a result is pulled down by its likeness to better ones (MMR); 0: not"),
	REAL("memory.expand", "0.15", 0, 1,
	     "how far the question leans towards its three best answers before vectors are compared again"),
	ENUM("memory.fusion", "scaled", "scaled|rrf|reference", 0,
	     "how words and vectors become one order: scaled and summed, by ranks, or as the reference program did"),
	INT("memory.hnsw_ef_construction", "200", 1, 10000, 0,
	    "width of the search that finds the neighbours of a new vector"),
	INT("memory.hnsw_ef_search", "128", 1, 10000, 0,
	    "width of a search in the graph of vectors"),
	BOOL("memory.hnsw_enabled", "true",
	     "keep a graph of neighbouring vectors; false: compare all"),
	INT("memory.hnsw_m", "16", 2, 256, 0,
	    "neighbours of a vector in the graph"),
	INT("memory.hnsw_min_index_size", "10000", 0, 1e9, 0,
	    "vectors from which there is a graph"),
	BOOL("memory.learn", "true",
	     "remember what a task showed at its end: what worked, what failed, what you said you prefer"),
	INT("memory.lend_gap_minutes", "360", 0, 5256000, 0,
	    "turns of a conversation that are further apart in time have nothing to do with each other"),
	REAL("memory.lend_vector", "0.1", 0, 1,
	     "part of a turn's likeness that counts for the turns beside it"),
	REAL("memory.lend_words", "0.3", 0, 1,
	     "part of a turn's words that counts for the turns beside it"),
	REAL("memory.malus_question", "0.25", 0, 10,
	     "taken off a memory that only asks"),
	{ "memory.max_entries", SPK_OPT_INT, "10000", 0, 1e9, NULL, S,
	  "active memories; with more, the oldest are retired; 0: no limit" },
	BOOL("memory.recall", "true",
	     "tell a task what the memory has about its goal, before the first answer of the model"),
	INT("memory.recall_tokens", "600", 50, 20000, 0,
	    "tokens of the memory that a task is told at most"),
	REAL("memory.recency_half_life_days", "30.0", 0, 1e6,
	     "days after which recency counts half; 0: age doesn't count"),
	INT("memory.retrieval_cache_capacity", "256", 0, 100000, 0,
	    "searches whose results are kept until something is written"),
	BOOL("memory.tools", "true",
	     "let sparks look into the memory and keep notes: memory_search, memory_save"),
	REAL("memory.weight_vector", "1.0", 0, 10,
	     "what the nearest vector counts in the scaled sum"),
	REAL("memory.weight_words", "0.6", 0, 10,
	     "what the best match of words counts in the scaled sum"),
	STR("ollama.classifier_model", "", 0, CLASSIFIER),
	INT("ollama.context_window", "16384", 1024, 10000000, 0,
	    "tokens that the model can look at; Ollama is told to make room for them"),
	INT("ollama.max_tokens", "4096", 1, 1000000, 0,
	    "tokens of one answer"),
	STR("ollama.model", "llama3.2", 0,
	    "model to ask"),
	REAL("ollama.temperature", "0.3", 0, 2,
	     "sampling temperature"),
	STR("ollama.url", "http://localhost:11434", S,
	    "base URL"),
	ENUM("openai.api_style", "chat_completions", "chat_completions|responses", 0,
	     "protocol of the server"),
	STR("openai.classifier_model", "", 0, CLASSIFIER),
	INT("openai.context_window", "128000", 1024, 10000000, 0,
	    "tokens that the model can look at"),
	INT("openai.max_tokens", "4096", 1, 1000000, 0,
	    "tokens of one answer"),
	STR("openai.model", "gpt-5.3-codex", 0,
	    "model to ask"),
	STR("openai.reasoning_effort", "", 0,
	    "how much the model thinks first: low, medium, high ...; empty: its default"),
	STR("openai.reasoning_summary", "", 0,
	    "summary of its thoughts for the log (responses): auto, concise, detailed; empty: none"),
	REAL("openai.temperature", "0.3", 0, 2,
	     "sampling temperature"),
	STR("openai.url", "", S,
	    "base URL; empty: https://api.openai.com/v1 when OPENAI_API_KEY is set"),
	STR("openrouter.classifier_model", "", 0, CLASSIFIER),
	INT("openrouter.context_window", "128000", 1024, 10000000, 0,
	    "tokens that the model can look at"),
	INT("openrouter.max_tokens", "4096", 1, 1000000, 0,
	    "tokens of one answer"),
	STR("openrouter.model", "", 0,
	    "model to ask; needed"),
	REAL("openrouter.temperature", "0.3", 0, 2,
	     "sampling temperature"),
	STR("openrouter.url", "https://openrouter.ai/api/v1", S,
	    "base URL"),
	STR("persona.self_file", "", S,
	    "Markdown about you or this place, for the system prompt of every spark"),
	STR("persona.soul_file", "", S,
	    "Markdown that begins the system prompt of sparks without a soul_file of their own"),
	STR("persona.tools_file", "", S,
	    "Markdown about tools, which ends what a spark's prompt says of itself"),
	LIST("prompt_scanner.allowlist.authors", "[]", S,
	     "authors whose texts pass the scanner"),
	{ "prompt_scanner.allowlist.downgrade_block_to_flag", SPK_OPT_BOOL, "true", 0, 0, NULL, S,
	  "what the allowlist names is still flagged where it would be blocked; false: it passes" },
	LIST("prompt_scanner.allowlist.providers", "[]", S,
	     "sources whose texts pass the scanner: operator, chat, context, repository, ..."),
	LIST("prompt_scanner.allowlist.repos", "[]", S,
	     "repositories whose texts pass the scanner, by name or path"),
	{ "prompt_scanner.allowlist.text_patterns", SPK_OPT_PATTERNS, "[]", 0, 0, NULL, S,
	  "regular expressions: a finding whose line one of them matches passes" },
	LIST("prompt_scanner.allowlist.ticket_ids", "[]", S,
	     "tickets whose texts pass the scanner"),
	INT("prompt_scanner.block_threshold", "8", 1, 1e9, S,
	    "points from which a text is blocked in block mode"),
	{ "prompt_scanner.enabled", SPK_OPT_BOOL, "true", 0, 0, NULL, S,
	  "look for instructions to the model that are hidden in texts" },
	INT("prompt_scanner.flag_threshold", "4", 1, 1e9, S,
	    "points from which a text is flagged: medium findings count 2, high 4, critical 6"),
	ENUM("prompt_scanner.judge", "off", "off|flagged|all", S,
	     "which texts a model looks at besides the rules: flagged: what they flag or come near to; "
	     "all: besides, whatever tools bring and whatever others give; off: none"),
	STR("prompt_scanner.judge_model", "", S,
	    "model that is asked, as --model takes it; empty: the classifier_model, else that of the work"),
	INT("prompt_scanner.judge_task_tokens", "100000", 1, 1e9, S,
	    "tokens of questions and answers of one task; when they are used up, the rules decide alone"),
	INT("prompt_scanner.max_findings", "8", 1, 1000, S,
	    "findings of a text that are told"),
	INT("prompt_scanner.max_log_chars", "180", 0, 10000, S,
	    "characters of a finding that are kept on record; 0: none"),
	ENUM("prompt_scanner.mode", "flag_only", "flag_only|block", S,
	     "block: withhold a text with many points from the model; flag_only: pass it on with a warning"),
	PATH("script.play", "", S,
	     "play that the script provider answers from"),
	INT("task.critic_rounds", "1", 0, 5, 0,
	    "times objections of llm.verify_model go back to the model"),
	INT("task.heal_attempts", "2", 0, 10, 0,
	    "times a failed check goes back to the model"),
	INT("task.max_tokens", "2000000", 0, 1e12, S,
	    "tokens that a task may use; 0: no limit"),
	INT("task.output_chars", "16000", 1000, 1000000, 0,
	    "characters of one tool result that the model sees"),
	INT("task.timeout_secs", "3600", 1, 604800, 0,
	    "time that a task may take"),
	INT("up.workers", "2", 1, 64, P,
	    "tasks that the daemon runs at once"),
	STR("zen.classifier_model", "", 0, CLASSIFIER),
	INT("zen.context_window", "128000", 1024, 10000000, 0,
	    "tokens that the model can look at"),
	INT("zen.max_tokens", "4096", 1, 1000000, 0,
	    "tokens of one answer"),
	STR("zen.model", "", 0,
	    "model to ask; needed"),
	REAL("zen.temperature", "0.3", 0, 2,
	     "sampling temperature"),
	STR("zen.url", "https://opencode.ai/zen/v1", S,
	    "base URL"),
	{ NULL },
};

/* clang-format on */

const SpkOpt *spk_conf_options(void)
{
	return options;
}

guint spk_conf_n_options(void)
{
	return G_N_ELEMENTS(options) - 1;
}

int spk_conf_find(const char *name)
{
	guint low = 0, high = spk_conf_n_options();

	while (low < high) {
		guint middle = (low + high) / 2;
		int order = strcmp(name, options[middle].name);

		if (order == 0)
			return (int)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

char *spk_conf_env_name(const char *option)
{
	char *name = g_strconcat("SPARKS_", option, NULL);

	for (char *p = name; *p; p++)
		*p = *p == '.' ? '_' : g_ascii_toupper(*p);
	return name;
}

static void add_names(GPtrArray *names, const SpkOpt *table)
{
	for (const SpkOpt *opt = table; opt->name; opt++)
		g_ptr_array_add(names, (gpointer)opt->name);
}

char *spk_conf_nearest(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *row = spk_conf_row_name(name);

	add_names(names, spk_conf_options());
	add_names(names, spk_conf_later_options());
	g_ptr_array_add(names, NULL);
	return spk_text_did_you_mean(row, (const char *const *)names->pdata);
}
