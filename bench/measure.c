/*
 * measure RUNS PROGRAM [ARG…]: starts the program RUNS times, one after the other, output
 * thrown away, and prints "MILLISECONDS PEAK_KIB STATUS" for each. A small process of its own,
 * because the peak that the kernel reports for a child starts with its parent's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0;

	for (int i = 0; i < runs; i++) {
		struct rusage usage;
		double start = now_ms();
		pid_t pid = vfork();
		int status;

		if (pid == 0) {
			int null = open("/dev/null", O_RDWR);

			dup2(null, 0);
			dup2(null, 1);
			dup2(null, 2);
			execv(argv[2], argv + 2);
			_exit(127);
		}
		if (wait4(pid, &status, 0, &usage) < 0)
			return 1;
		printf("%.3f %ld %d\n", now_ms() - start, usage.ru_maxrss,
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	return runs > 0 ? 0 : 2;
}
