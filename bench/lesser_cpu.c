/*
 * Makes the program it is loaded into believe that it runs on a lesser x86 processor, to compare
 * libraries as they behave there: each CPUID faults (arch_prctl ARCH_CPUID), and the answer is
 * given without AVX-512 and AMX, and with LESSER_CPU=avx2 without AVX-VNNI, too.
 *
 * usage: cc -O2 -shared -fPIC -o lesser_cpu.so bench/lesser_cpu.c
 *        LESSER_CPU=avx2|avxvnni LD_PRELOAD=./lesser_cpu.so PROGRAM
 * Exit code 75: this kernel or processor can't. What was asked before, the loader's own choice of
 * memcpy(), stays.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012
#define BIT(n)	       (1u << (n))

/* By Intel's manual, volume 2A, CPUID: leaf 7. */
#define EBX_AVX512 \
	(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31))
#define ECX_AVX512 (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define EDX_AVX512 (BIT(2) | BIT(3) | BIT(8) | BIT(23))
#define EDX_AMX	   (BIT(22) | BIT(24) | BIT(25))
/* subleaf 1: AVX-VNNI; AVX512-BF16, AMX-FP16, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AMX-COMPLEX,
 * AVX-VNNI-INT16, AVX10 */
#define EAX_AVX_VNNI BIT(4)
#define EAX_LATER    (BIT(5) | BIT(21) | BIT(23))
#define EDX_LATER    (BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19))

static int keeps_vnni;

static void answer(unsigned leaf, unsigned subleaf, unsigned *r)
{
	syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1L);
	__cpuid_count(leaf, subleaf, r[0], r[1], r[2], r[3]);
	syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0L);
	if (leaf == 7 && subleaf == 0) {
		r[1] &= ~EBX_AVX512;
		r[2] &= ~ECX_AVX512;
		r[3] &= ~(EDX_AVX512 | EDX_AMX);
	} else if (leaf == 7 && subleaf == 1) {
		r[0] &= ~(EAX_LATER | (keeps_vnni ? 0 : EAX_AVX_VNNI));
		r[3] &= ~EDX_LATER;
	}
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const unsigned char *at = (const unsigned char *)regs[REG_RIP];
	unsigned r[4];

	(void)info;
	if (at[0] != 0x0f || at[1] != 0xa2) { /* no CPUID: a fault as any */
		signal(number, SIG_DFL);
		return;
	}
	answer((unsigned)regs[REG_RAX], (unsigned)regs[REG_RCX], r);
	regs[REG_RAX] = r[0];
	regs[REG_RBX] = r[1];
	regs[REG_RCX] = r[2];
	regs[REG_RDX] = r[3];
	regs[REG_RIP] += 2;
}

__attribute__((constructor)) static void start(void)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };
	const char *as = getenv("LESSER_CPU");

	if (!as)
		return;
	keeps_vnni = strcmp(as, "avxvnni") == 0;
	if (sigaction(SIGSEGV, &action, NULL) ||
	    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0L))
		_exit(75);
}
