#include "net/names.h"

#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define AT_ONCE	       8
#define NAMES_MAX      1024
#define FAULT_STAYS_US (5 * G_USEC_PER_SEC)

/* Shared by the asker and the thread that looks it up. */
typedef struct {
	gint refs, done;
	SpkResolveFn resolve;
	char *name, *fault;
	int wake_fd; /* a copy of our own */
	SpkNamesAnswer answer;
	gint64 done_us;
} Lookup;

struct SpkNames {
	SpkResolveFn resolve;
	int wake_fd;
	GHashTable *lookups; /* name -> Lookup */
};

static void lookup_unref(gpointer data)
{
	Lookup *lookup = data;

	if (!g_atomic_int_dec_and_test(&lookup->refs))
		return;
	close(lookup->wake_fd);
	g_free(lookup->name);
	g_free(lookup->fault);
	g_free(lookup);
}

static guint ask_system(const char *name, SpkAddress *ret_addresses, char **ret_fault)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	int failed = getaddrinfo(name, NULL, &hints, &all);
	guint n = 0;

	if (failed) {
		*ret_fault = g_strdup(gai_strerror(failed));
		return 0;
	}
	for (struct addrinfo *one = all; one && n < SPK_PROXY_ADDRESSES_MAX;
	     one = one->ai_next)
		n += spk_address_from_sockaddr(one->ai_addr, &ret_addresses[n]);
	freeaddrinfo(all);
	return n;
}

static gpointer look_up(gpointer data)
{
	Lookup *lookup = data;
	guint64 one = 1;

	lookup->answer.n =
		lookup->resolve(lookup->name, lookup->answer.addresses, &lookup->fault);
	if (!lookup->answer.n && !lookup->fault)
		lookup->fault = g_strdup("it has no address");
	lookup->answer.fault = lookup->fault;
	lookup->done_us = spk_mono_us();
	g_atomic_int_set(&lookup->done, 1);
	/* only fails when it is about to wake somebody anyway */
	(void)!write(lookup->wake_fd, &one, sizeof(one));
	lookup_unref(lookup);
	return NULL;
}

SpkNames *spk_names_new(SpkResolveFn resolve, int wake_fd)
{
	SpkNames *names = g_new0(SpkNames, 1);

	names->resolve = resolve ? resolve : ask_system;
	names->wake_fd = wake_fd;
	names->lookups =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lookup_unref);
	return names;
}

void spk_names_free(SpkNames *names)
{
	if (!names)
		return;
	g_hash_table_unref(names->lookups);
	g_free(names);
}

static guint under_way(const SpkNames *names)
{
	GHashTableIter iter;
	gpointer value;
	guint n = 0;

	g_hash_table_iter_init(&iter, names->lookups);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		n += !g_atomic_int_get(&((Lookup *)value)->done);
	return n;
}

static const SpkNamesAnswer *start(SpkNames *names, const char *name)
{
	static const SpkNamesAnswer
		too_many = { .fault = "too many names were asked for" },
		no_thread = { .fault = "no thread is left to ask" };
	Lookup *lookup;
	GThread *thread;

	if (g_hash_table_size(names->lookups) >= NAMES_MAX)
		return &too_many;
	if (under_way(names) >= AT_ONCE)
		return NULL;
	lookup = g_new0(Lookup, 1);
	lookup->refs = 2;
	lookup->resolve = names->resolve;
	lookup->name = g_strdup(name);
	lookup->wake_fd = fcntl(names->wake_fd, F_DUPFD_CLOEXEC, 3);
	thread = lookup->wake_fd < 0 ? NULL
				     : g_thread_try_new("name", look_up, lookup, NULL);
	if (!thread) {
		lookup->refs = 1;
		lookup_unref(lookup);
		return &no_thread;
	}
	g_thread_unref(thread);
	g_hash_table_replace(names->lookups, lookup->name, lookup);
	return NULL;
}

const SpkNamesAnswer *spk_names_ask(SpkNames *names, const char *name)
{
	Lookup *lookup = g_hash_table_lookup(names->lookups, name);

	if (!lookup)
		return start(names, name);
	if (!g_atomic_int_get(&lookup->done))
		return NULL;
	if (lookup->answer.n || spk_mono_us() - lookup->done_us < FAULT_STAYS_US)
		return &lookup->answer;
	g_hash_table_remove(names->lookups, name);
	return start(names, name);
}
