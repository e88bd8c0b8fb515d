/*
 * The one place that knows hnswlib. Its class keeps the links, chooses neighbours and links
 * them; searches are made here, because those of hnswlib 0.6 know no filter, read lists while
 * others write them, and find what was deleted. Its own reader and writer of files are
 * never used.
 */
#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <ostream>
#include <queue>
#include <utility>
#include <vector>

/* Its code for one processor reads past the end of lists, ahead of time. */
#define NO_MANUAL_VECTORIZATION

/* <iostream> makes cin, cout and the like at the start of every program that has it: hnswlib
 * wants cerr for a warning that we don't reach, which is not worth half a MiB. */
#ifdef __GLIBCXX__
#define _GLIBCXX_IOSTREAM 1
namespace std
{
extern ostream cout, cerr;
}
#endif

#include <hnswlib/hnswlib.h>

namespace hnswlib
{
template <> void HierarchicalNSW<float>::saveIndex(const std::string &)
{
	throw std::logic_error("not used");
}
} // namespace hnswlib

#include "memory/index/graph_priv.h"

static_assert(sizeof(hnswlib::tableint) == sizeof(guint32),
	      "links are saved as they are");

namespace
{

using Near = std::pair<float, hnswlib::tableint>;
using Base = hnswlib::HierarchicalNSW<float>;

/* Places by distance, the furthest on top. */
class Nearest : public std::priority_queue<Near, std::vector<Near>, Base::CompareByFirst>
{
public:
	const std::vector<Near> &all() const
	{
		return c;
	}
	guint32 nearest() const
	{
		return std::min_element(c.begin(), c.end())->second;
	}
};

/* What hnswlib keeps of a vector: its place. */
using Data = guint32;

float distance(const void *a, const void *b, const void *vectors)
{
	Data x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return 1 - vectors_pair(static_cast<const Vectors *>(vectors), x, y);
}

/* A plain pointer in hnswlib 0.6, later a unique_ptr. */
void set_pool(hnswlib::VisitedListPool *&pool, size_t n)
{
	pool = new hnswlib::VisitedListPool(1, int(n));
}

[[maybe_unused]] void set_pool(std::unique_ptr<hnswlib::VisitedListPool> &pool, size_t n)
{
	pool.reset(new hnswlib::VisitedListPool(1, int(n)));
}

/* The marks of the places that a search has seen, given back at its end. */
class Seen
{
public:
	explicit Seen(hnswlib::VisitedListPool &p) : pool(p), list(p.getFreeVisitedList())
	{
	}
	~Seen()
	{
		pool.releaseVisitedList(list);
	}
	Seen(const Seen &) = delete;
	Seen &operator=(const Seen &) = delete;

	bool is_new(guint32 place)
	{
		if (list->mass[place] == list->curV)
			return false;
		list->mass[place] = list->curV;
		return true;
	}

private:
	hnswlib::VisitedListPool &pool;
	hnswlib::VisitedList *list;
};

/* Compares with the vector of a place, by both their upper halves. */
struct FromPlace {
	const Vectors *vectors;
	guint32 place;

	float operator()(guint32 other) const
	{
		return 1 - vectors_pair(vectors, other, place);
	}
};

struct FromQuery {
	const Vectors *vectors;
	const VectorQuery *query;

	float operator()(guint32 other) const
	{
		return 1 - vectors_near(vectors, query, other);
	}
};

struct AnyPlace {
	bool operator()(guint32) const
	{
		return true;
	}
};

class Graph : public Base
{
public:
	Graph(const Vectors *v, size_t m, size_t ef_construction)
		: Base(nullptr), vectors(v)
	{
		max_elements_ = cur_element_count = num_deleted_ = 0;
		M_ = maxM_ = m;
		maxM0_ = 2 * m;
		ef_construction_ = std::max(ef_construction, m);
		ef_ = ef_construction_;
		mult_ = revSize_ = 0; /* levels are drawn here */
		maxlevel_ = -1;
		enterpoint_node_ = 0;
		size_links_level0_ = (1 + maxM0_) * sizeof(guint32);
		size_links_per_element_ = (1 + maxM_) * sizeof(guint32);
		data_size_ = sizeof(Data);
		offsetLevel0_ = 0;
		offsetData_ = size_links_level0_;
		label_offset_ = offsetData_ + data_size_;
		size_data_per_element_ = label_offset_; /* labels are places, too */
		fstdistfunc_ = distance;
		dist_func_param_ = const_cast<Vectors *>(v);
		data_level0_memory_ = nullptr;
		linkLists_ = nullptr;
		set_pool(visited_list_pool_, 0);
	}

	void reserve(size_t n)
	{
		if (n > max_elements_)
			resizeIndex(std::max({ n, vectors->n, max_elements_ / 2 * 3 }));
	}

	size_t size() const
	{
		return cur_element_count;
	}

	int level_of(guint32 place) const
	{
		return element_levels_[place];
	}

	guint32 *links(guint32 place, int level) const
	{
		return get_linklist_at_level(place, level);
	}

	/* An empty one, at the end. */
	void append(int level)
	{
		guint32 place = guint32(size());
		Data data = place;

		reserve(place + 1);
		linkLists_[place] = nullptr;
		if (level) {
			size_t bytes = level * size_links_per_element_;

			linkLists_[place] = static_cast<char *>(calloc(1, bytes));
			if (!linkLists_[place])
				throw std::bad_alloc();
		}
		memset(links(place, 0), 0, size_links_level0_);
		memcpy(getDataByInternalId(place), &data, sizeof(data));
		element_levels_[place] = level;
		rep.push_back(GRAPH_NONE);
		next.push_back(GRAPH_NONE);
		cur_element_count++;
	}

	void enter_at(guint32 place)
	{
		if (level_of(place) > maxlevel_) {
			maxlevel_ = level_of(place);
			enterpoint_node_ = place;
		}
	}

	template <class From> guint32 descend(const From &from, int to_level) const
	{
		guint32 at = enterpoint_node_;
		float near = from(at);

		for (int level = maxlevel_; level > to_level; level--)
			for (bool closer = true; closer;) {
				const guint32 *list = links(at, level);

				closer = false;
				for (guint32 i = 1; i <= list[0]; i++) {
					float d = from(list[i]);

					if (d < near) {
						near = d;
						at = list[i];
						closer = true;
					}
				}
			}
		return at;
	}

	/* The `width` nearest at a level that pass, walking from a place; gives up after `most`. */
	template <class From, class Passes>
	bool walk(const From &from, guint32 start, int level, size_t width, size_t most,
		  const Passes &passes, Nearest &best) const
	{
		Seen seen(*visited_list_pool_);
		Nearest todo; /* by distance below zero: the nearest on top */
		std::vector<guint32> fresh;
		float bound = std::numeric_limits<float>::max();
		size_t compared = 1;
		auto meet = [&](guint32 place) {
			float d = from(place);

			if (best.size() == width && d >= bound)
				return;
			todo.emplace(-d, place);
			if (!passes(place))
				return;
			best.emplace(d, place);
			if (best.size() > width)
				best.pop();
			if (best.size() == width)
				bound = best.top().first;
		};

		fresh.reserve(maxM0_);
		seen.is_new(start);
		meet(start);
		while (!todo.empty() && -todo.top().first <= bound) {
			const guint32 *list = links(todo.top().second, level);

			todo.pop();
			fresh.clear();
			for (guint32 i = 1; i <= list[0]; i++)
				if (seen.is_new(list[i]))
					fresh.push_back(list[i]);
			compared += fresh.size();
			if (compared > most)
				return false;
			for (guint32 place : fresh)
				fetch(place);
			for (guint32 place : fresh)
				meet(place);
		}
		return true;
	}

	/* As many levels more with a chance of one in m each. */
	int draw_level()
	{
		int level = 0;

		while (level < GRAPH_LEVELS && level_generator_() % M_ == 0)
			level++;
		return level;
	}

	/* What look() found for link(). */
	struct Plan {
		guint32 rep; /* of whom it is a twin */
		int level;
		std::vector<Nearest> near; /* by level, as far as there are others */
	} plan;

	/* For a place at these levels. */
	void look(guint32 place, int level)
	{
		FromPlace from = { vectors, place };

		plan.rep = GRAPH_NONE;
		plan.level = level;
		plan.near.clear();
		if (maxlevel_ < 0)
			return;

		int top = std::min(level, maxlevel_);
		guint32 at = descend(from, top);

		plan.near.resize(top + 1);
		for (; top >= 0; top--) {
			Nearest &near = plan.near[top];

			walk(from, at, top, ef_construction_, SIZE_MAX, AnyPlace(), near);
			at = near.nearest();
		}
		plan.rep = same_as(place, plan.near[0]);
	}

	void look()
	{
		look(guint32(size()), draw_level());
	}

	void link()
	{
		guint32 place = guint32(size());

		append(plan.rep == GRAPH_NONE ? plan.level : 0);
		connect(place);
	}

	/* The vector of a place is another one now. It is nobody's twin from now on: others may still
	 * link to it. */
	void relink(guint32 place)
	{
		guint32 heir = next[place];

		look(place, level_of(place));
		plan.rep = GRAPH_NONE;
		if (rep[place] != GRAPH_NONE) {
			leave(place);
			heir = GRAPH_NONE;
		}
		for (int level = 0; level <= level_of(place); level++)
			bridge(place, level);
		zeros = zeros == place ? guint32(GRAPH_NONE) : zeros;
		connect(place);
		if (heir != GRAPH_NONE)
			inherit(place, heir);
	}

	/* Lists as they were saved; FALSE when they can't be what we saved. */
	bool restore(size_t n, const guint8 *levels, const guint32 *from, size_t n_from)
	{
		if (numbers_of(n, levels) != n_from)
			return false;
		reserve(n);
		for (size_t place = 0; place < n; place++)
			append(levels[place] == GRAPH_TWIN ? 0 : levels[place]);
		for (size_t place = 0; place < n; place++) {
			guint8 level = levels[place];

			for (guint list = 0; list < graph_n_lists(level); list++) {
				if (!(level == GRAPH_TWIN
					      ? is_rep(place, levels, from[0])
					      : are_links(place, list, levels, from)))
					return false;
				adopt(guint32(place), level, list, from);
				from += graph_links_size(guint(M_), level, list);
			}
		}
		level_generator_.seed(unsigned(n + 1));
		return true;
	}

	/* Whose twin a place is, and the next one of the same; or GRAPH_NONE. */
	std::vector<guint32> rep, next;

private:
	const Vectors *vectors;
	guint32 zeros = GRAPH_NONE; /* stands for all vectors of zeros */

	void fetch(guint32 place) const
	{
		const guint8 *row = vectors_row(vectors, place);

		for (size_t at = 0; at < vectors->width; at += SCAN_ALIGN)
			__builtin_prefetch(row + at);
	}

	/* One like it among them, so that it needs no links of its own. Vectors that are all the same would else
	 * link to each other only, and the way to all others was lost. */
	guint32 same_as(guint32 place, const Nearest &near) const
	{
		if (vectors_scale(vectors, place) == 0)
			return zeros;
		for (const Near &one : near.all())
			if (one.second != place && one.first < 0.01f &&
			    vectors_are_same(vectors, place, one.second))
				return one.second;
		return GRAPH_NONE;
	}

	void join(guint32 place, guint32 to)
	{
		rep[place] = to;
		next[place] = next[to];
		next[to] = place;
	}

	void leave(guint32 place)
	{
		guint32 before = rep[place];

		while (next[before] != place)
			before = next[before];
		next[before] = next[place];
		rep[place] = next[place] = GRAPH_NONE;
	}

	/* The twins of a place that has another vector now: the first leads to the others. */
	void inherit(guint32 place, guint32 heir)
	{
		next[place] = GRAPH_NONE;
		rep[heir] = GRAPH_NONE;
		for (guint32 twin = next[heir]; twin != GRAPH_NONE; twin = next[twin])
			rep[twin] = heir;
		look(heir, 0);
		plan.rep = GRAPH_NONE;
		connect(heir);
	}

	/* By the plan. Its lists may have something in them; it may have found itself. */
	void connect(guint32 place)
	{
		if (plan.rep != GRAPH_NONE) {
			join(place, plan.rep);
			return;
		}
		for (int level = int(plan.near.size()) - 1; level >= 0; level--) {
			Nearest others;

			for (const Near &one : plan.near[level].all())
				if (one.second != place)
					others.push(one);
			if (!others.empty())
				mutuallyConnectNewElement(getDataByInternalId(place),
							  place, others, level, true);
		}
		arrive(place);
	}

	/* It has links of its own. */
	void arrive(guint32 place)
	{
		enter_at(place);
		if (zeros == GRAPH_NONE && vectors_scale(vectors, place) == 0)
			zeros = place;
	}

	/* The neighbours of a place that leaves are linked to each other instead. */
	void bridge(guint32 place, int level)
	{
		guint32 *list = links(place, level);
		std::vector<guint32> around(list + 1, list + 1 + list[0]);

		list[0] = 0;
		for (guint32 one : around) {
			guint32 *its = links(one, level), *end = its + 1 + its[0];
			std::vector<guint32> others(around);
			Nearest near;

			if (std::find(its + 1, end, place) == end)
				continue;
			others.insert(others.end(), its + 1, end);
			std::sort(others.begin(), others.end());
			others.erase(std::unique(others.begin(), others.end()),
				     others.end());
			for (guint32 other : others)
				if (other != one && other != place)
					near.emplace(1 - vectors_pair(vectors, one,
								      other),
						     other);
			getNeighborsByHeuristic2(near, level ? maxM_ : maxM0_);
			its[0] = 0;
			for (; !near.empty() && its[0] < (level ? maxM_ : maxM0_);
			     near.pop())
				its[++its[0]] = near.top().second;
		}
	}

	/* In the lists of n places; SIZE_MAX: a level is too high. */
	size_t numbers_of(size_t n, const guint8 *levels) const
	{
		size_t sum = 0;

		for (size_t place = 0; place < n; place++) {
			guint8 level = levels[place];

			if (level > GRAPH_LEVELS && level != GRAPH_TWIN)
				return SIZE_MAX;
			for (guint list = 0; list < graph_n_lists(level); list++)
				sum += graph_links_size(guint(M_), level, list);
		}
		return sum;
	}

	bool is_rep(size_t place, const guint8 *levels, guint32 other) const
	{
		return other < size() && other != place && levels[other] != GRAPH_TWIN;
	}

	bool are_links(size_t place, guint level, const guint8 *levels,
		       const guint32 *list) const
	{
		if (list[0] > (level ? maxM_ : maxM0_))
			return false;
		for (guint32 i = 1; i <= list[0]; i++)
			if (!is_rep(place, levels, list[i]) || levels[list[i]] < level)
				return false;
		return true;
	}

	void adopt(guint32 place, guint8 level, guint list, const guint32 *from)
	{
		if (level == GRAPH_TWIN) {
			join(place, from[0]);
			return;
		}
		memcpy(links(place, int(list)), from, (from[0] + 1) * sizeof(guint32));
		arrive(place);
	}
};

Graph *of(SpkGraph *graph)
{
	return reinterpret_cast<Graph *>(graph);
}

const Graph *of(const SpkGraph *graph)
{
	return reinterpret_cast<const Graph *>(graph);
}

/* What hnswlib and the containers throw ends here. */
template <class Work> bool guarded(const Work &work)
{
	try {
		return work();
	} catch (const std::exception &) {
		return false;
	}
}

} // namespace

extern "C" SpkGraph *graph_new(const Vectors *vectors, guint m, guint ef_construction)
{
	Graph *graph = nullptr;

	(void)guarded([&] { /* NULL tells */
			    graph = new Graph(vectors, m, ef_construction);
			    return true;
	});
	return reinterpret_cast<SpkGraph *>(graph);
}

extern "C" void graph_free(SpkGraph *graph)
{
	delete of(graph);
}

extern "C" gsize graph_size(const SpkGraph *graph)
{
	return of(graph)->size();
}

extern "C" gsize graph_bytes(const SpkGraph *graph)
{
	const Graph *g = of(graph);
	gsize upper = g->size_links_per_element_ + 16;

	/* one in m has a list more; a lock, a level, a pointer and a mark for each place */
	return g->max_elements_ *
	       (g->size_data_per_element_ + upper / g->M_ + sizeof(std::mutex) +
		sizeof(int) + sizeof(void *) + sizeof(hnswlib::vl_type));
}

extern "C" gboolean graph_look(SpkGraph *graph)
{
	return guarded([&] {
		of(graph)->look();
		return true;
	});
}

extern "C" gboolean graph_link(SpkGraph *graph)
{
	return guarded([&] {
		of(graph)->link();
		return true;
	});
}

extern "C" gboolean graph_relink(SpkGraph *graph, gsize place)
{
	return guarded([&] {
		of(graph)->relink(guint32(place));
		return true;
	});
}

extern "C" gboolean graph_search(const SpkGraph *graph, const VectorQuery *query,
				 gsize width, gsize most, GraphFilter filter,
				 gpointer user, guint32 *ret, gsize *ret_n)
{
	return guarded([&] {
		const Graph *g = of(graph);
		const Vectors *vectors =
			static_cast<const Vectors *>(g->dist_func_param_);
		FromQuery from = { vectors, query };
		auto passes = [&](guint32 place) {
			for (; place != GRAPH_NONE; place = g->next[place]) {
				gint64 num = *vectors_num(vectors, place);

				if (num && (!filter || filter(num, user)))
					return true;
			}
			return false;
		};
		Nearest best;
		gsize n = 0;

		if (g->size() &&
		    !g->walk(from, g->descend(from, 0), 0, width, most, passes, best))
			return false;
		for (const Near &one : best.all())
			ret[n++] = one.second;
		*ret_n = n;
		return true;
	});
}

extern "C" guint32 graph_twin(const SpkGraph *graph, gsize place)
{
	return of(graph)->next[place];
}

extern "C" gboolean graph_leads(const SpkGraph *graph, gsize place)
{
	return of(graph)->rep[place] == GRAPH_NONE &&
	       of(graph)->next[place] != GRAPH_NONE;
}

extern "C" guint8 graph_level(const SpkGraph *graph, gsize place)
{
	const Graph *g = of(graph);

	return g->rep[place] == GRAPH_NONE ? guint8(g->level_of(guint32(place)))
					   : GRAPH_TWIN;
}

extern "C" guint graph_n_lists(guint8 level)
{
	return level == GRAPH_TWIN ? 1 : level + 1u;
}

extern "C" const guint32 *graph_links(const SpkGraph *graph, gsize place, guint list)
{
	const Graph *g = of(graph);

	return g->rep[place] == GRAPH_NONE ? g->links(guint32(place), int(list))
					   : &g->rep[place];
}

extern "C" gsize graph_links_size(guint m, guint8 level, guint list)
{
	if (level == GRAPH_TWIN)
		return 1;
	return 1 + (list ? m : 2 * m);
}

extern "C" SpkGraph *graph_restore(const Vectors *vectors, guint m, guint ef_construction,
				   gsize n, const guint8 *levels, const guint32 *links,
				   gsize n_links)
{
	std::unique_ptr<Graph> graph;

	if (!guarded([&] {
		    graph = std::make_unique<Graph>(vectors, m, ef_construction);
		    return graph->restore(n, levels, links, n_links);
	    }))
		return nullptr;
	return reinterpret_cast<SpkGraph *>(graph.release());
}
