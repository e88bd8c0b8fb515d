/*
 * Writes seccomp_programs.h: the BPF programs of the machine it runs on, made from
 * seccomp_table.h. A build-time program, so that neither sparks nor sparks-box needs
 * libseccomp (here: for names) when they run.
 *
 * Shape of a program: architecture and range checks, then a binary search over the numbers
 * that have rules. The kernel runs it once per number when it is installed and remembers
 * those that are always allowed.
 */
#include "box/helper/seccomp_table.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_RULES (sizeof(rules) / sizeof(*rules))
#define X32_BIT 0x40000000u

typedef struct {
	struct sock_filter code[BPF_MAXINSNS];
	unsigned len;
	Tiers tier;
	unsigned number[N_RULES]; /* calls with rules, ascending */
	unsigned n_numbers;
} Program;

static unsigned emit(Program *program, unsigned code, unsigned k)
{
	if (program->len == BPF_MAXINSNS) {
		fprintf(stderr, "gen_seccomp: the program is too long\n");
		exit(1);
	}
	program->code[program->len] =
		(struct sock_filter){ .code = (unsigned short)code, .k = k };
	return program->len++;
}

/* Goes to the next instruction when the test holds, else over it. */
static void emit_unless(Program *program, unsigned test, unsigned k)
{
	unsigned at = emit(program, BPF_JMP | test | BPF_K, k);

	program->code[at].jf = 1;
}

/* Over the next instruction when the test holds. */
static void emit_skip_if(Program *program, unsigned test, unsigned k)
{
	unsigned at = emit(program, BPF_JMP | test | BPF_K, k);

	program->code[at].jt = 1;
}

static void emit_load(Program *program, size_t offset)
{
	emit(program, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
}

static void emit_load_argument(Program *program, int argument)
{
	size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

	emit_load(program,
		  offsetof(struct seccomp_data, args) + 8 * (size_t)argument + low);
}

/* Calls whose refusal the supervisor is told of. With the other errors a library goes another
 * way, and does so often. */
static int is_told(int error)
{
	return error == EPERM || error == EAFNOSUPPORT;
}

static unsigned answer(const Rule *rule)
{
	if (rule->error == ASK_DEPUTY)
		return SECCOMP_RET_USER_NOTIF;
	return (is_told(rule->error) ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO) |
	       (unsigned)rule->error;
}

/* Numbers of calls this machine does not have are negative. */
static int number_of(const Rule *rule)
{
	int number = rule->number ? rule->number
				  : seccomp_syscall_resolve_name(rule->call);

	if (number == __NR_SCMP_ERROR) {
		fprintf(stderr,
			"gen_seccomp: unknown system call '%s' in seccomp_table.h\n",
			rule->call);
		exit(1);
	}
	return number;
}

static int is_for(const Rule *rule, const Program *program)
{
	return rule->tiers == BOTH_TIERS || rule->tiers == program->tier;
}

static void emit_values(Program *program, const Rule *rule)
{
	for (int i = 0; i < rule->n_values; i++) {
		emit_unless(program, BPF_JEQ, rule->value[i]);
		if (rule->test == ONE_OF)
			emit(program, BPF_RET | BPF_K, answer(rule));
		else /* over the rest of the values and the answer */
			emit(program, BPF_JMP | BPF_JA,
			     2 * (unsigned)(rule->n_values - 1 - i) + 1);
	}
	if (rule->test == NONE_OF)
		emit(program, BPF_RET | BPF_K, answer(rule));
}

static void emit_rule(Program *program, const Rule *rule)
{
	unsigned over = 0;

	if (rule->only_if_first) {
		emit_load_argument(program, 0);
		emit_skip_if(program, BPF_JEQ, rule->only_if_first);
		over = emit(program, BPF_JMP | BPF_JA, 0);
	}
	if (rule->test != ALWAYS)
		emit_load_argument(program, rule->argument);
	switch (rule->test) {
	case BITS_ARE:
		emit(program, BPF_ALU | BPF_AND | BPF_K, rule->value[0]);
		emit_unless(program, BPF_JEQ, rule->value[1]);
		emit(program, BPF_RET | BPF_K, answer(rule));
		break;
	case ANY_BIT:
		emit_unless(program, BPF_JSET, rule->value[0]);
		emit(program, BPF_RET | BPF_K, answer(rule));
		break;
	case ONE_OF:
	case NONE_OF:
		emit_values(program, rule);
		break;
	case ALWAYS:
		emit(program, BPF_RET | BPF_K, answer(rule));
	}
	if (over)
		program->code[over].k = program->len - over - 1;
}

/* The accumulator holds the number, which is between number[low] and number[high - 1] if
 * it is any of these. */
static void emit_search(Program *program, unsigned low, unsigned high)
{
	unsigned middle = (low + high) / 2, right;

	if (high - low > 1) {
		emit_unless(program, BPF_JGE, program->number[middle]);
		right = emit(program, BPF_JMP | BPF_JA, 0);
		emit_search(program, low, middle);
		program->code[right].k = program->len - right - 1;
		emit_search(program, middle, high);
		return;
	}
	emit_skip_if(program, BPF_JEQ, program->number[low]);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < N_RULES; i++)
		if (is_for(&rules[i], program) &&
		    number_of(&rules[i]) == (int)program->number[low])
			emit_rule(program, &rules[i]);
	emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static int compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static void collect_numbers(Program *program)
{
	unsigned n = 0, kept = 0;

	for (size_t i = 0; i < N_RULES; i++)
		if (is_for(&rules[i], program) && number_of(&rules[i]) >= 0)
			program->number[n++] = (unsigned)number_of(&rules[i]);
	qsort(program->number, n, sizeof(*program->number), compare);
	for (unsigned i = 0; i < n; i++)
		if (i == 0 || program->number[i] != program->number[kept - 1])
			program->number[kept++] = program->number[i];
	program->n_numbers = kept;
}

/* The error of a call that is told, 0: it is the deputy's, -1: it is not told. Rows that name it
 * must agree on one. */
static int told_error(unsigned number, Tiers tier, const char **ret_name)
{
	const Program of_tier = { .tier = tier };
	int error = 0;

	*ret_name = "";
	for (size_t i = 0; i < N_RULES; i++) {
		if (!is_for(&rules[i], &of_tier) || number_of(&rules[i]) != (int)number)
			continue;
		if (error && rules[i].error != error) {
			fprintf(stderr, "gen_seccomp: two errors for '%s'\n",
				rules[i].call);
			exit(1);
		}
		error = rules[i].error;
		*ret_name = rules[i].call;
	}
	if (error == ASK_DEPUTY)
		return 0;
	return is_told(error) ? error : -1;
}

static void write_told(const char *name, const Program *program)
{
	printf("\nstatic const struct told %s_told[] = {\n", name);
	for (unsigned i = 0; i < program->n_numbers; i++) {
		const char *call;
		int error = told_error(program->number[i], program->tier, &call);

		if (error >= 0)
			printf("\t{ %u, %d, \"%s\" },\n", program->number[i], error,
			       call);
	}
	printf("};\n");
}

static Program make_program(Tiers tier)
{
	Program program = { .tier = tier };

	collect_numbers(&program);
	emit_load(&program, offsetof(struct seccomp_data, arch));
	emit_skip_if(&program, BPF_JEQ, seccomp_arch_native());
	emit(&program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	emit_load(&program, offsetof(struct seccomp_data, nr));
	if (seccomp_arch_native() == SCMP_ARCH_X86_64) {
		emit_unless(&program, BPF_JGE, X32_BIT);
		emit(&program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	emit_unless(&program, BPF_JGT, LAST_KNOWN);
	emit(&program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	emit_search(&program, 0, program.n_numbers);
	return program;
}

static void write_program(const char *name, Tiers tier)
{
	const Program program = make_program(tier);

	printf("\nstatic struct sock_filter %s_code[] = {\n", name);
	for (unsigned i = 0; i < program.len; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", program.code[i].code,
		       program.code[i].jt, program.code[i].jf, program.code[i].k);
	printf("};\n");
	write_told(name, &program);
}

/* ---- the page of documentation ---- */

static void print_error(const Rule *rule)
{
	if (rule->error == ASK_DEPUTY)
		printf("done by the supervisor, below the work tree and the folder for "
		       "temporary files only");
	else
		printf("`%s`", strerrorname_np(rule->error));
}

static void print_test(const Rule *rule)
{
	static const char *const words[] = {
		[ANY_BIT] = "has a bit of",
		[BITS_ARE] = "under a mask is",
		[ONE_OF] = "is one of",
		[NONE_OF] = "is none of",
	};

	if (rule->only_if_first)
		printf("argument 0 is %#x and ", rule->only_if_first);
	if (rule->test == ALWAYS) {
		printf("always");
		return;
	}
	printf("argument %d %s", rule->argument, words[rule->test]);
	for (int i = 0; i < rule->n_values; i++)
		printf("%s `%#x`", i ? "," : "", rule->value[i]);
}

static void print_page(void)
{
	static const char *const tiers[] = { "both", "native", "landlock" };

	printf("<!-- Made from src/box/helper/seccomp_table.h by "
	       "`gen_seccomp --page`. -->\n"
	       "# System calls in the sandbox\n\n"
	       "What a command in the sandbox is refused. Every other call up to number %d "
	       "is allowed;\nnewer ones answer `ENOSYS`, so that libraries fall back to "
	       "older ones. A call of another\narchitecture (x32, 32 bits) kills the "
	       "process. Arguments are compared by their low 32 bits,\nwhich is what the "
	       "kernel looks at for those named here. Calls that answer `EPERM` or "
	       "`EAFNOSUPPORT` are\ncounted, and `sparks sandbox explain TASK` names "
	       "them.\n\n"
	       "| call | when | answer | tier |\n|---|---|---|---|\n",
	       LAST_KNOWN);
	for (size_t i = 0; i < N_RULES; i++) {
		printf("| `%s` | ", rules[i].call);
		print_test(&rules[i]);
		printf(" | ");
		print_error(&rules[i]);
		printf(" | %s |\n", tiers[rules[i].tiers]);
	}
}

/* Tier native's as the kernel takes it, without listener: for bench/bench_box, which gives it to
 * another program. */
static int dump_program(void)
{
	Program program = make_program(NATIVE);

	for (unsigned i = 0; i < program.len; i++) {
		struct sock_filter *code = &program.code[i];

		if (code->code == (BPF_RET | BPF_K) &&
		    (code->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			code->k = SECCOMP_RET_ERRNO | (code->k & SECCOMP_RET_DATA);
	}
	return fwrite(program.code, sizeof(*program.code), program.len, stdout) !=
	       program.len;
}

static void print_row(const char *name)
{
	printf("\t{ \"%s\", { sizeof(%s_code) / sizeof(*%s_code), %s_code }, %s_told,\n"
	       "\t  sizeof(%s_told) / sizeof(*%s_told) },\n",
	       name, name, name, name, name, name, name);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--page") == 0) {
		print_page();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--dump") == 0)
		return dump_program();
	printf("/* Made by gen_seccomp from seccomp_table.h. */\n"
	       "struct told {\n\tint number, error;\n\tconst char *name;\n};\n");
	write_program("native", NATIVE);
	write_program("landlock", LANDLOCK);
	printf("\nstatic const struct {\n"
	       "\tconst char *name;\n"
	       "\tstruct sock_fprog program;\n"
	       "\tconst struct told *told;\n"
	       "\tsize_t n_told;\n"
	       "} seccomp_programs[] = {\n");
	print_row("native");
	print_row("landlock");
	printf("};\n");
	return 0;
}
