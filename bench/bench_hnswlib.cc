/*
 * hnswlib as it comes, over floats: what our index is measured beside.
 *
 * usage: bench_hnswlib FILE COUNT QUERIES   floats, 384 each
 *
 * Each line is a name and numbers: microseconds, median, 95th percentile, median of processor
 * time; the share of the ten nearest that were found.
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

#include <hnswlib/hnswlib.h>

namespace
{

constexpr size_t DIMS = 384, K = 10;

double clock_us(clockid_t which)
{
	timespec at = {};

	clock_gettime(which, &at);
	return double(at.tv_sec) * 1e6 + double(at.tv_nsec) / 1e3;
}

void normalise(float *v)
{
	double sum = 0;

	for (size_t d = 0; d < DIMS; d++)
		sum += double(v[d]) * v[d];
	for (size_t d = 0; d < DIMS; d++)
		v[d] /= float(std::sqrt(sum));
}

float dot(const float *a, const float *b)
{
	float sum = 0;

	for (size_t d = 0; d < DIMS; d++)
		sum += a[d] * b[d];
	return sum;
}

float tenth(const std::vector<float> &all, size_t n, const float *query)
{
	std::vector<float> scores(n);

	for (size_t i = 0; i < n; i++)
		scores[i] = dot(&all[i * DIMS], query);
	std::nth_element(scores.begin(), scores.begin() + K - 1, scores.end(),
			 std::greater<float>());
	return scores[K - 1];
}

long resident_kib()
{
	std::ifstream status("/proc/self/status");
	std::string line;

	while (std::getline(status, line))
		if (line.rfind("VmRSS:", 0) == 0)
			return std::atol(line.c_str() + 6);
	return 0;
}

void measure(hnswlib::HierarchicalNSW<float> &index, const std::vector<float> &all,
	     size_t n, const std::vector<float> &right, size_t ef)
{
	std::vector<double> wall, cpu;
	size_t found = 0;

	index.setEf(ef);
	for (size_t q = 0; q < right.size(); q++) {
		const float *query = &all[(n + q) * DIMS];
		double w = clock_us(CLOCK_MONOTONIC),
		       c = clock_us(CLOCK_THREAD_CPUTIME_ID);
		auto near = index.searchKnn(query, K);

		cpu.push_back(clock_us(CLOCK_THREAD_CPUTIME_ID) - c);
		wall.push_back(clock_us(CLOCK_MONOTONIC) - w);
		for (; !near.empty(); near.pop())
			found += dot(&all[near.top().second * DIMS], query) >= right[q];
	}
	std::sort(wall.begin(), wall.end());
	std::sort(cpu.begin(), cpu.end());
	std::printf("ef_%zu %.1f %.1f %.1f %.4f\n", ef, wall[wall.size() / 2],
		    wall[wall.size() * 95 / 100], cpu[cpu.size() / 2],
		    double(found) / double(K * right.size()));
}

} // namespace

int main(int argc, char **argv)
{
	size_t n = argc == 4 ? std::strtoul(argv[2], nullptr, 10) : 0;
	size_t n_queries = argc == 4 ? std::strtoul(argv[3], nullptr, 10) : 0;
	std::vector<float> all((n + n_queries) * DIMS), right;
	std::FILE *file = n && n_queries ? std::fopen(argv[1], "r") : nullptr;

	if (!file || std::fread(all.data(), sizeof(float) * DIMS, n + n_queries, file) !=
			     n + n_queries) {
		std::fprintf(stderr, "usage: see bench/bench_hnswlib.cc\n");
		return 2;
	}
	for (size_t i = 0; i < n + n_queries; i++)
		normalise(&all[i * DIMS]);
	for (size_t q = 0; q < n_queries; q++)
		right.push_back(tenth(all, n, &all[(n + q) * DIMS]));

	long before = resident_kib();
	double wall = clock_us(CLOCK_MONOTONIC), cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	hnswlib::InnerProductSpace space(DIMS);
	hnswlib::HierarchicalNSW<float> index(&space, n, 16, 200);

	for (size_t i = 0; i < n; i++)
		index.addPoint(&all[i * DIMS], i);
	std::printf("link_all_seconds %.1f %.1f\n",
		    (clock_us(CLOCK_MONOTONIC) - wall) / 1e6,
		    (clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e6);
	std::printf("resident_mib %.1f\n", double(resident_kib() - before) / 1024);
	for (size_t ef : { 64, 128 })
		measure(index, all, n, right, ef);
	return 0;
}
