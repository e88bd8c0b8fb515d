#include "box/native_reach_priv.h"

#include "base/text.h"

SpkTier spk_native_strongest(const SpkNativeFound *found)
{
	const SpkBoxProbe *probe = found->probe;

	if (!probe->seccomp)
		return SPK_TIER_NONE;
	if (probe->userns)
		return found->groups && probe->landlock ? SPK_TIER_NATIVE_FULL
							: SPK_TIER_NATIVE;
	return probe->landlock && probe->process_list ? SPK_TIER_LANDLOCK : SPK_TIER_NONE;
}

char *spk_native_why_weaker(const SpkNativeFound *found, SpkTier possible)
{
	const SpkBoxProbe *probe = found->probe;

	if (found->settings->tier < possible)
		return g_strdup("chosen by [box] tier");
	if (possible == SPK_TIER_NATIVE_FULL)
		return NULL;
	if (possible == SPK_TIER_NATIVE)
		return g_strdup(found->groups ? "this kernel has no Landlock"
					      : found->no_groups);
	if (!probe->seccomp)
		return g_strdup("this kernel has no seccomp");
	if (possible == SPK_TIER_LANDLOCK)
		return g_strdup(probe->failed);
	return g_strdup_printf("%s; %s", probe->failed,
			       probe->landlock
				       ? "/proc with its lists of children is missing"
				       : "this kernel has no Landlock");
}

/* What tier landlock cannot wall off, in words. */
static const char *gaps(int landlock)
{
	return landlock >= 6
		       ? "the host's name and list of processes; modes and times of this "
			 "user's files"
		       : "the host's name and list of processes, and signals to those "
			 "of this user; modes and times of this user's files";
}

/* Where the kernel lets nobody listen to calls, or somebody else listens already. */
static const char *unheard(SpkTier tier)
{
	return tier == SPK_TIER_LANDLOCK
		       ? "; refused calls cannot be counted, nor modes, owners and dates "
			 "changed"
		       : "; refused calls cannot be counted";
}

char *spk_native_describe(const SpkNativeFound *found, const char *why)
{
	g_autofree char *memory = spk_text_bytes((guint64)found->settings->memory_bytes);
	g_autofree char *landlock =
		found->probe->landlock
			? g_strdup_printf("Landlock %d", found->probe->landlock)
			: g_strdup("no Landlock");
	g_autofree char *caps = g_strdup_printf(
		"capped by %s (%s, %" G_GINT64_FORMAT " processes)%s",
		found->groups ? spk_cgroups_name(found->groups) : "rlimits and meters",
		memory, found->settings->pids,
		found->groups ? "" : ", which look every 20 ms, not by cgroups");
	const char *deaf = found->probe->listener ? "" : unheard(found->settings->tier);

	if (found->settings->tier >= SPK_TIER_NATIVE)
		return g_strdup_printf(
			"%s: own user, mount, pid, network, ipc, uts, cgroup and time "
			"namespaces, seccomp, %s; %s%s%s%s",
			spk_tier_name(found->settings->tier), landlock, caps, deaf,
			why ? " — weaker because: " : "", why ? why : "");
	return g_strdup_printf(
		"%s: no namespaces, no sockets; %s, seccomp; %s; not walled off: %s%s%s%s",
		spk_tier_name(found->settings->tier), landlock, caps,
		gaps(found->probe->landlock), deaf, why ? " — weaker because: " : "",
		why ? why : "");
}
