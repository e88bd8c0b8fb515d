/*
 * sparks-box --try: run as the command of a box, it tries what a hostile program would try
 * first and prints a line for each: held|open, the wall, what the kernel said. Nothing here
 * does harm when it succeeds. sparks (box_try.c) prepares what lies outside:
 *
 *   sparks-box --try walls SECRET PID SOCKET	a file, a process and an abstract socket of
 *						the host that must be out of reach
 *   sparks-box --try pids | memory		takes more than the box may have
 */
#include "box/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BOMB_PROCESSES 512
#define BOMB_BYTES     (512ull << 20)
#define STEP_BYTES     (4ull << 20)

static const char *secret, *socket_name;
static pid_t outsider;

/* Each returns 0 when it got through, else -1 with errno: what refused it. */
typedef int TryFn(void);

static int may_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int try_secret(void)
{
	return may_open(secret, O_RDONLY);
}

static int try_shadow(void)
{
	return may_open("/etc/shadow", O_RDONLY);
}

static int try_links(void)
{
	char path[256];

	snprintf(path, sizeof(path), "/proc/self/root%s", secret);
	if (may_open(path, O_RDONLY) == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)getppid(), secret);
	return may_open(path, O_RDONLY);
}

static int try_system(void)
{
	static const char *const places[] = { "/usr/sparks-try", "/etc/sparks-try",
					      "/usr/bin/sparks-try", "/sparks-try" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int fd = open(places[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0)
			continue;
		close(fd);
		unlink(places[i]);
		return 0;
	}
	return -1;
}

static int try_kernel_settings(void)
{
	if (may_open("/proc/sys/kernel/core_pattern", O_WRONLY) == 0 ||
	    may_open("/proc/sysrq-trigger", O_WRONLY) == 0)
		return 0;
	return may_open("/proc/sys/kernel/hostname", O_WRONLY);
}

static int try_mount(void)
{
	return (int)syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL);
}

static int try_chroot(void)
{
	return chroot(".");
}

static int try_userns(void)
{
	return unshare(CLONE_NEWUSER);
}

static int try_capabilities(void)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	if (data[0].permitted || data[1].permitted ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 0;
	errno = EPERM;
	return -1;
}

static int try_device(void)
{
	char path[] = "sparks-try-device";
	int made = mknod(path, S_IFBLK | 0600, (dev_t)(8 << 8));

	if (made == 0)
		unlink(path);
	return made;
}

static int try_outsider(void)
{
	if (kill(outsider, 0) == 0)
		return 0;
	return (int)ptrace(PTRACE_SEIZE, outsider, 0, 0) < 0 ? -1 : 0;
}

static int try_network(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), got;

	if (fd < 0)
		return -1;
	to.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, for documentation only */
	got = connect(fd, (struct sockaddr *)&to, sizeof(to));
	close(fd);
	return got;
}

static int try_packets(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd < 0 ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP) : fd;
}

static int try_abstract(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(socket_name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), got;

	if (fd < 0)
		return -1;
	memcpy(to.sun_path + 1, socket_name, len);
	got = connect(fd, (struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
	close(fd);
	return got;
}

static int try_keyring(void)
{
	return (int)syscall(SYS_keyctl, 0, -3, 0, 0, 0);
}

static int try_io_uring(void)
{
	char params[128] = { 0 };

	return (int)syscall(425, 1, params);
}

static int try_bpf(void)
{
	char attr[128] = { 0 };

	/* EINVAL would come from behind the wall */
	return syscall(SYS_bpf, 0, attr, sizeof(attr)) < 0 &&
			       (errno == EPERM || errno == ENOSYS)
		       ? -1
		       : 0;
}

static int try_userfaultfd(void)
{
	return (int)syscall(SYS_userfaultfd, 1);
}

static int try_terminal(void)
{
	/* refused before the descriptor is looked at; else EBADF or ENOTTY */
	return ioctl(-1, TIOCSTI, "x") < 0 && errno == EPERM ? -1 : 0;
}

static int try_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return clock_settime(CLOCK_REALTIME, &now);
}

static int try_descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	errno = EBADF;
	return -1;
}

static int try_identity(void)
{
	char name[64] = "";

	if (gethostname(name, sizeof(name)) == 0 && strcmp(name, "box") != 0)
		return 0;
	if (may_open("/etc/machine-id", O_RDONLY) == 0)
		return 0;
	errno = ENOENT;
	return -1;
}

static const struct {
	const char *name;
	TryFn *run;
} attempts[] = {
	{ "files.read", try_secret },
	{ "files.shadow", try_shadow },
	{ "files.links", try_links },
	{ "files.system", try_system },
	{ "kernel.settings", try_kernel_settings },
	{ "kernel.mount", try_mount },
	{ "kernel.chroot", try_chroot },
	{ "kernel.namespace", try_userns },
	{ "kernel.keyring", try_keyring },
	{ "kernel.io_uring", try_io_uring },
	{ "kernel.bpf", try_bpf },
	{ "kernel.userfaultfd", try_userfaultfd },
	{ "kernel.clock", try_clock },
	{ "caps.dropped", try_capabilities },
	{ "devices.make", try_device },
	{ "devices.terminal", try_terminal },
	{ "processes.outside", try_outsider },
	{ "network.out", try_network },
	{ "network.raw", try_packets },
	{ "network.abstract", try_abstract },
	{ "leak.descriptors", try_descriptors },
	{ "leak.identity", try_identity },
};

static int try_walls(void)
{
	report_to(STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		errno = 0;
		if (attempts[i].run() == 0)
			report("open", attempts[i].name, "it got through");
		else
			report("held", attempts[i].name, strerror(errno));
	}
	return 0;
}

/* Ends with 0 when all of it was to be had. */
static int try_pids(void)
{
	for (int i = 0; i < BOMB_PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0) {
			pause();
			_exit(0);
		}
	}
	usleep(300000); /* the meter's time to strike */
	return 0;
}

static int try_memory(void)
{
	for (size_t had = 0; had < BOMB_BYTES; had += STEP_BYTES) {
		char *more = mmap(NULL, STEP_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (more == MAP_FAILED)
			return 1;
		memset(more, 'x', STEP_BYTES);
		usleep(2000);
	}
	return 0;
}

int attempt(int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "pids") == 0)
		return try_pids();
	if (argc == 1 && strcmp(argv[0], "memory") == 0)
		return try_memory();
	if (argc != 4 || strcmp(argv[0], "walls") != 0 || strlen(argv[3]) > 100)
		return 2;
	secret = argv[1];
	outsider = (pid_t)spk_plan_number(argv[2], 10, 1 << 30);
	socket_name = argv[3];
	return try_walls();
}
