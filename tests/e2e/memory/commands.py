#!/usr/bin/env python3
"""`sparks memory …` as a person uses it: each command, what it says and exits with, wrong input too.

usage: commands.py SPARKS      (prints TAP)"""
import json
import os
import sqlite3
import struct
import subprocess

from meaning import SPARKS, Embedder, Memory, main, vector


def counted(**more):
    """What an import says with --json."""
    return {"imported": 0, "replaced": 0, "kept": 0, "refused": 0, "why": [], **more}


def adding_and_finding():
    with Embedder() as server, Memory(server) as w:
        done = w.m("add", "the staging database is called pg-stage-2")
        one = done.out.split(":")[0]
        assert done.out == f"{one}: kept\n" and done.err == "", done
        two = w.add("Ann likes tabs, never spaces", "--kind", "preference", "--scope", "spark:coder")
        three = w.mj("add", "failure", "make test fails without LANG=C")["id"]   # as the reference has it
        assert w.found("what is the staging database called")[0] == one
        assert w.found("tabs", "--scope", "spark:coder") == [two]
        assert w.found("make", "test", "--kind", "failure") == [three]
        assert w.found("tabs", "--scope", "user", "--kind", "preference") == []
        out = w.m("search", "staging", "database").out.splitlines()[0].split()
        assert float(out[0]) > 0 and out[1] == one and "pg-stage-2" in out[-1], out
        assert w.m("search", "zzz", "--words").err.startswith("nothing found"), "a hint"
        hits = w.mj("search", "staging database")
        assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)


def a_kind_without_a_text():
    with Memory() as w:
        for kind in ("preference", "fact", "failure", "success", "repo"):
            said = w.m("add", kind, code=2).err
            assert f"sparks memory add {kind} 'TEXT'" in said and "text is missing" in said, said
        assert w.mj("list") == []
        w.add("fact", "preference")      # a word that is meant
        w.add("preference", "--kind", "note")
        assert {(row["kind"], row["text"]) for row in w.mj("list")} == {("fact", "preference"), ("note", "preference")}


def vectors_of_models_before():
    with Embedder() as server, Memory(server) as w:
        one, two = w.add("the deploy key lives in the vault"), w.add("another matter altogether")
        w.m("retire", two)
        assert w.mj("stats")["other_vectors"] == 0
        other = server.options("other")
        late = w.m("reindex", "--drop-others", "--set", "embedding.enabled=false", code=1)
        assert "no model" in late.err, late.err
        w.run(*other, "memory", "reindex")
        stats = w.json(*other, "memory", "stats")
        assert stats["other_vectors"] == 2, stats
        assert "2 vectors of other models" in w.run(*other, "memory", "stats").out
        assert "--drop-others" in json.dumps(w.json(*other, "memory", "doctor"))
        done = w.json(*other, "memory", "reindex", "--drop-others")
        assert done["vectors_dropped"] == 2 and done["without_vector"] == 0, done
        assert w.json(*other, "memory", "stats")["other_vectors"] == 0
        assert [hit["id"] for hit in w.json(*other, "memory", "search", "deploy key")] == [one]
        assert {row["status"] for row in w.json(*other, "memory", "doctor")["checks"]} == {"PASS"}
        with sqlite3.connect(os.path.join(w.home, "store.db")) as store:
            assert store.execute("SELECT count(*), count(DISTINCT model) FROM memory_vectors").fetchone() == (1, 1)


def why_a_hit_is_one():
    with Embedder() as server, Memory(server) as w:
        w.add("the deploy key lives in the vault")
        w.add("nothing of that kind")
        hit = w.mj("search", "deploy key", "--explain")[0]["explain"]
        assert hit["words"]["rank"] == 1 and hit["vector"]["rank"] == 1, hit
        assert hit["words"]["bm25"] > 0 and 0 < hit["vector"]["cosine"] <= 1.0001, hit
        out = w.m("search", "deploy key", "--explain").out
        assert "rank 1, bm25" in out and "rank 1, cosine" in out, out
        words = w.mj("search", "deploy key", "--explain", "--words")[0]["explain"]
        assert words["vector"]["rank"] is None and words["vector"]["cosine"] is None, words


def listing():
    with Memory() as w:
        assert "no memories" in w.m("list").err
        ids = [w.add(f"fact number {i} of {chr(97 + i) * 9}", "--time", f"2026-01-0{i + 1}") for i in range(5)]
        w.add("from a web page", "--untrusted", "--scope", "repo", "--time", "2026-02-01")
        assert [row["id"] for row in w.mj("list", "--scope", "user")] == ids[::-1]
        assert [row["id"] for row in w.mj("list", "--oldest", "-n", "2", "--offset", "1")] == ids[1:3]
        page = w.m("list", "-n", "2")
        assert len(page.out.splitlines()) == 2 and "2 of 6" in page.err and "--offset 2" in page.err, page
        foreign, = w.mj("list", "--untrusted")
        assert foreign["untrusted"] and foreign["scope"] == "repo:" + w.repo, foreign
        assert "untrusted" in w.m("list", "--untrusted").out
        assert [row["id"] for row in w.mj("list", "--since", "2026-01-02", "--until", "2026-01-04")] == ids[2:0:-1]
        w.m("retire", ids[0])
        assert len(w.mj("list")) == 5 and len(w.mj("list", "--all")) == 6
        assert [row["id"] for row in w.mj("list", "--state", "retired")] == [ids[0]]
        w.m("revive", ids[0])
        assert len(w.mj("list")) == 6


def showing():
    with Memory() as w:
        text = "Bob: first line\nsecond line"
        one = w.add(text, "--confidence", "0.5", "--time", "2026-01-31T12:00:00Z", "--source", "spark:coder")
        row = w.mj("show", one[:6] if len(one) > 6 else one)
        assert row["text"] == text and row["time"] == "2026-01-31T12:00:00.000Z", row
        assert (row["confidence"], row["source"], row["state"]) == (0.5, "spark:coder", "active")
        assert row["speaker"] is None, "a note that begins with a name is nobody's turn"
        out = w.m("show", one).out
        assert "second line" in out and "spark:coder" in out and "0.5" in out, out


def where_it_comes_from():
    with Memory() as w:
        old = w.add("staging is pg-stage-1", "--time", "2026-01-01")
        new = w.mj("add", "staging is pg-stage-2 since the move", "--supersedes", old)
        assert new["superseded"] == old, new
        new = new["id"]
        assert w.found("staging") == [new]
        why = w.mj("why", new)
        assert [row["id"] for row in why["replaced"]] == [old] and why["replaced_by"] == [], why
        why = w.mj("why", old)
        assert [row["id"] for row in why["replaced_by"]] == [new] and why["state"] == "superseded", why
        assert "pg-stage-1" in w.m("why", new).out and "pg-stage-2" in w.m("why", old).out
        w.m("edit", new, "staging is pg-stage-3 since the move")
        why = w.mj("why", new)
        assert [past["text"] for past in why["said_before"]] == ["staging is pg-stage-2 since the move"], why
        again = w.mj("add", "staging is pg-stage-3 since the move", "--source", "spark:scout")
        assert again["merged_into"] == new, again
        why = w.mj("why", new)
        assert [past["source"] for past in why["said_again"]] == ["spark:scout"], why
        out = w.m("why", new).out
        assert "pg-stage-2" in out and "spark:scout" in out, out
        # the other's name leads to it, too
        assert w.mj("show", again["id"])["id"] == new


def a_newer_value_takes_the_place_of_an_older():
    """Also in a sentence so short that the vectors of both are far apart."""
    for embeds in (True, False):
        with Embedder() as server, Memory(server if embeds else None) as w:
            old, new = w.add("the port is 8080"), w.add("the port is 9090")
            assert w.mj("show", old)["superseded_by"] == new
            assert [row["id"] for row in w.mj("list")] == [new]
            assert old in w.m("why", new).out


def where_a_task_said_it():
    with Memory(git=True) as w:
        task = w.fixed()
        row = {"id": "learned", "text": "the adder subtracted", "task": task, "entry": 1, "source": "task"}
        w.m("import", "-", input=json.dumps(row).encode(), stdin=None)
        why = w.mj("why", "learned")
        assert why["entry_kind"] == "accepted" and why["task"] == task, why
        assert f"sparks tasks log {task}" in w.m("why", "learned").out
        assert "learned" in [one["id"] for one in w.mj("list", "--task", task[:8])]
        w.m("forget", "--task", task, code=2)
        w.run("-y", *w.options(), "memory", "forget", "--task", task)
        assert w.mj("list") == []


def editing():
    with Memory() as w:
        one = w.add("the port is 8080")
        done = w.m("edit", one, "the port is 9090")
        assert one in done.out, done
        assert w.found("9090") == [one] and w.found("8080") == []
        row = w.mj("edit", one, "--kind", "preference", "--scope", "spark:scout", "--confidence", "0.25")
        assert (row["kind"], row["scope"], row["confidence"], row["text"]) == \
            ("preference", "spark:scout", 0.25, "the port is 9090"), row
        assert w.found("9090", "--kind", "preference", "--scope", "spark:scout") == [one]
        assert "not said" in w.m("edit", one, code=2).err
        w.m("edit", one, " ", code=2)
        assert w.mj("show", one)["text"] == "the port is 9090"


def forgetting():
    with Embedder() as server, Memory(server) as w:
        secret = "the zebra sleeps in the attic"
        one, two, three = w.add(secret), w.add("another thing"), w.add("a third", "--scope", "spark:x")
        w.m("edit", one, secret + " of the zebrahouse")
        w.found("zebra")
        done = w.m("forget", one)
        assert done.out == "forgot 1 memory\n", done
        assert w.found("zebra") == [] or one not in w.found("zebra")
        w.m("show", one, code=2)
        # really: in no file of the home
        for folder, _, files in os.walk(w.home):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    assert b"zebra" not in file.read(), name
        assert "no terminal" in w.m("forget", two, three, code=2).err
        assert len(w.mj("list")) == 2
        assert "no memory" in w.run("-y", *w.options(), "memory", "forget", two, "nobody", code=2).err
        assert len(w.mj("list")) == 2, "all or nothing"
        assert json.loads(w.run("-y", *w.options(), "memory", "forget", "--scope", "spark:x", "--json").out) == \
            {"forgotten": 1, "ids": [three], "on_record": [], "going_on": []}
        w.m("forget", code=2)
        w.m("forget", two, "--scope", "user", code=2)


def forgetting_what_was_merged():
    """An id that was merged into another memory takes that one along in no command."""
    with Memory() as w:
        one, again = w.add("the port is 8080"), w.mj("add", "the port is 8080")
        assert again["merged_into"] == one, again
        done = w.m("retire", again["id"])
        assert f"counts towards {one}" in done.err and one in done.out, done
        w.m("revive", one)
        done = w.m("forget", again["id"])
        assert done.out == "forgot 1 memory\n" and f"{one}, which stays" in done.err, done
        assert w.mj("show", one)["text"] == "the port is 8080"
        w.m("show", again["id"], code=2)
        again = w.mj("add", "the port is 8080")["id"]
        assert w.mj("forget", again) == {"forgotten": 1, "ids": [again], "on_record": [], "going_on": []}
        w.batch({"op": "store", "id": "m12", "text": "tabs"}, {"op": "store", "id": "m1", "text": "tabs"})
        w.m("forget", "m1")
        assert w.mj("show", "m12")["text"] == "tabs"


def forgetting_in_the_saved_index():
    """The file beside the store is written anew without it, or goes when nothing can read it."""
    with Embedder() as server, Memory(server) as w:
        path = os.path.join(w.home, "memory.index")
        w.batch(*({"op": "store", "id": f"m{i}", "text": f"note {i} of hazel {i * 7919}"} for i in range(60)))
        w.m("reindex")
        with open(path, "rb") as file:
            before = file.read()
        w.run("-y", *w.options(), "memory", "forget", *(f"m{i}" for i in range(0, 60, 2)))
        with open(path, "rb") as file:
            after = file.read()
        rows = [before[i:i + 32] for i in range(0, len(before) - 32, 32)]
        kept = sum(row in after for row in rows if len(set(row)) > 8)
        assert kept < 0.6 * sum(len(set(row)) > 8 for row in rows), "half of it is forgotten"
        assert w.mj("search", "hazel 7919")[0]["id"] == "m1"
        assert {row["status"] for row in w.mj("doctor")["checks"]} == {"PASS"}
        w.run("-y", "--set", "embedding.enabled=false", "memory", "forget", "m1")
        assert not os.path.exists(path)
        assert "m1" not in w.found("hazel 7919")


def counting():
    with Embedder() as server, Memory(server) as w:
        w.add("one thing")
        w.add("another", "--kind", "preference", "--scope", "spark:coder")
        w.m("retire", w.add("gone"))
        stats = w.mj("stats")
        assert (stats["active"], stats["retired"], stats["superseded"], stats["without_vector"]) == (2, 1, 0, 0), stats
        assert {"name": "spark:coder", "count": 1} in stats["scopes"], stats
        assert {"name": "fact", "count": 1} in stats["kinds"] and stats["model"], stats
        assert stats["store_bytes"] > 0 and stats["text_bytes"] > 0, stats
        out = w.m("stats").out
        assert "2 in use, 1 retired" in out and "preference" in out, out
    with Memory() as w:
        w.add("by words")
        stats = w.mj("stats")
        assert stats["model"] is None and stats["without_vector"] == 1 and stats["index_bytes"] is None, stats
        assert "by words alone" in w.m("stats").out


def pruning():
    with Memory() as w:
        old = w.add("an old thing", "--time", "2020-01-01")
        new = w.add("a new thing")
        dry = w.m("prune")
        assert old in dry.out and new not in dry.out and "nothing was changed" in dry.err, dry
        assert len(w.mj("list")) == 2
        due = w.mj("prune", "--half-life-days", "1000000")
        assert due["due"] == [] and not due["applied"], due
        due = w.mj("prune", "--apply", "--min-score", "0.2")
        assert [row["id"] for row in due["due"]] == [old] and due["applied"] and due["due"][0]["score"] < 0.2, due
        assert [row["id"] for row in w.mj("list")] == [new]
        w.m("revive", old)
        assert len(w.mj("list")) == 2
        due = w.mj("prune", "--min-score", "0", "--apply", "--set", "memory.max_entries=1")
        assert [row["id"] for row in due["due"]] == [old] and due["retired"] == 1, due
        w.run("-y", *w.options(), "memory", "forget", "--state", "retired")
        w.m("show", old, code=2)
        assert [row["id"] for row in w.mj("list", "--all")] == [new]
        for wrong in (("--min-score", "2"), ("--half-life-days", "0"), ("--half-life-days", "x"), ("--min-score", "nan")):
            w.m("prune", *wrong, code=2)


def duplicates():
    with Embedder() as server, Memory(server) as w:
        one = w.add("the release is cut on friday at noon")
        two = w.add("the release is cut on friday at nine")
        w.add("something else entirely")
        pair, = w.mj("duplicates", "--threshold", "0.7")
        assert {pair["one"]["id"], pair["other"]["id"]} == {one, two} and 0.7 <= pair["cosine"] < 1, pair
        told = w.m("duplicates", "--threshold", "0.7")
        assert one in told.out and two in told.out and "retire" in told.err, told
        assert w.mj("duplicates", "--threshold", "0.999") == []
        w.m("duplicates", "--threshold", "1.5", code=2)
    with Memory() as w:
        assert "model" in w.m("duplicates", code=2).err, "not: there are none"


def out_and_in_again():
    with Embedder() as server, Memory(server) as w, Memory(server) as other:
        old = w.add("staging is pg-stage-1", "--scope", "repo")
        new = w.add("staging is pg-stage-2", "--scope", "repo", "--supersedes", old)
        foreign = w.add("Ann: ignore all that", "--untrusted", "--confidence", "0.5", "--time", "2025-05-05T05:05:05Z")
        path = os.path.join(w.folder, "out.jsonl")
        done = w.m("export", path)
        assert "3 memories" in done.out and os.stat(path).st_mode & 0o777 == 0o600, done
        assert "--force" in w.m("export", path, code=1).err
        w.m("export", path, "--force", "--vectors")
        lines = [json.loads(line) for line in open(path, encoding="utf-8")]
        assert lines[0]["memories"] == 1 and lines[0]["count"] == 3 and len(lines[1]["embedding"]) == 96, lines[0]
        asked = server.asked
        assert other.mj("import", path) == counted(imported=3)
        drop = ("updated",)
        strip = lambda rows: [{k: v for k, v in row.items() if k not in drop} for row in rows]   # noqa: E731
        assert strip(other.mj("list", "--all")) == strip(w.mj("list", "--all"))
        assert server.asked == asked, "vectors came along"
        assert other.found("staging", "--scope", "repo:" + w.repo) == [new]
        assert other.mj("import", path) == counted(kept=3)
        assert other.mj("import", path, "--replace") == counted(replaced=3)
        assert other.mj("show", foreign)["untrusted"]
        # a part, through a pipe
        piped = w.m("export", "-", "--scope", "user").out
        with Memory(server) as third:
            third.m("import", "-", "--untrusted", input=piped.encode(), stdin=None)
            assert [row["id"] for row in third.mj("list", "--untrusted")] == [foreign]


def all_of_it_elsewhere():
    """--full: history, merged ones and vectors too."""
    with Embedder() as server, Memory(server) as w, Memory(server) as other:
        one = w.add("the port is 8080")
        w.m("edit", one, "the port is 9090")
        again = w.mj("add", "the port is 9090", "--source", "spark:scout")["id"]
        path = os.path.join(w.folder, "full.jsonl")
        assert "1 memory" in w.m("export", path, "--full").out
        asked = server.asked
        assert other.mj("import", path, "--full") == {"imported": 1, "replaced": 0, "kept": 0, "refused": 0, "why": []}
        assert other.mj("stats")["without_vector"] == 0
        assert server.asked <= asked + 1, "but for the question how many dimensions it has"
        why = other.mj("why", again)
        assert (why["id"], why["said_before"][0]["text"], why["said_again"][0]["source"]) == \
            (one, "the port is 8080", "spark:scout"), why
        assert other.mj("import", path, "--full")["kept"] == 1
        broken = open(path, encoding="utf-8").read() + '{"id": "x"}\n'
        told = other.m("import", "-", "--full", input=broken.encode(), stdin=None)
        assert "left out" in told.err, told
        w.m("export", "--full", "--scope", "user", code=2)
        w.m("import", path, "--full", "--replace", code=2)
        w.m("import", path, code=2)   # a plain import knows none of its keys
        assert [row["text"] for row in other.mj("list")] == ["the port is 9090"]


def from_the_reference_program():
    with Memory() as w:
        path = os.path.join(w.folder, "sparks.db")
        db = sqlite3.connect(path)
        db.executescript("CREATE TABLE memories (id INTEGER PRIMARY KEY, category TEXT, content TEXT, active INTEGER,"
                         " created_at TEXT, updated_at TEXT, embedding BLOB);"
                         "INSERT INTO memories VALUES (1, 'preference', 'tabs please', 1, '2025-03-01 10:00:00',"
                         " '2025-03-01 10:00:00', NULL), (2, 'fact', 'old news', 0, '2025-02-01 10:00:00',"
                         " '2025-02-01 10:00:00', NULL), (3, 'fact', '', 1, '2025-02-01 10:00:00', '', NULL);")
        db.commit()
        db.close()
        with open(path, "rb") as file:
            before = file.read()
        told = w.mj("import", "--from", path)
        assert (told["imported"], told["refused"], len(told["why"])) == (2, 1, 1), told
        rows = {row["text"]: row for row in w.mj("list", "--all")}
        assert rows["tabs please"]["kind"] == "preference" and rows["old news"]["state"] == "retired", rows
        assert rows["tabs please"]["time"].startswith("2025-03-01"), rows
        assert w.found("tabs") == [rows["tabs please"]["id"]]
        assert w.mj("import", "--from", path)["kept"] == 2
        with open(path, "rb") as file:
            assert file.read() == before, "only read"
        assert os.listdir(w.folder).count("sparks.db") == 1 and not os.path.exists(path + "-wal")
        for wrong, words in ((os.path.join(w.home, "store.db"), ""), ("nowhere.db", "nowhere.db"), (w.folder, ""),
                             (os.path.join(w.repo, "calc.sh"), "")):
            done = w.m("import", "--from", wrong, code=2)
            assert words in done.err and len(done.err.splitlines()) >= 2, (wrong, done.err)
        assert len(w.mj("list", "--all")) == 2


def vectors_of_the_reference_program():
    """They are taken where the model in force makes the same ones, and only there."""
    def make(w, name, of, n=20):
        path = os.path.join(w.folder, name)
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE memories (id INTEGER PRIMARY KEY, category TEXT, content TEXT, active INTEGER,"
                   " created_at TEXT, updated_at TEXT, embedding BLOB)")
        for i in range(n):
            text = f"note {name} {i} of hazel {i * 7919} and birch"
            db.execute("INSERT INTO memories VALUES (?, 'fact', ?, 1, '2025-03-01 10:00:00', '', ?)",
                       (i + 1, text, struct.pack("<384f", *of(text))))
        db.commit()
        db.close()
        return path

    with Embedder(384) as server, Memory(server) as w:
        mine, other, few = (make(w, "mine", lambda text: vector(text, 384)),
                            make(w, "other", lambda text: vector(text + " x", 384)),
                            make(w, "few", lambda text: vector(text, 384), 2))
        w.add("the first")
        assert "imported 20, 20 with their vectors" in w.m("import", "--from", mine).out
        asked = server.asked
        stats = w.mj("stats")
        assert stats["without_vector"] == 0 and server.asked == asked, stats
        assert w.mj("search", "note mine 3 of hazel 23757 and birch")[0]["text"].startswith("note mine 3 ")
        assert w.m("import", "--from", other).out == "imported 20\n"
        assert w.m("import", "--from", few).out == "imported 2\n"
        assert w.mj("stats")["without_vector"] == 22
        assert w.mj("reindex")["vectors_made"] == 22
    with Memory() as w:
        assert w.m("import", "--from", make(w, "mine", lambda text: vector(text, 384))).out == "imported 20\n"


def wrong_imports():
    with Memory() as w:
        good = '{"text": "fine"}\n'
        for bad, words in (("{\n", "line 2"), ('{"text": ""}\n', "line 2"), ('{"txt": "x"}\n', '"txt"'),
                           ('{"text": "x", "time": "noon"}\n', '"time"'), ("[]\n", "line 2"),
                           ('{"text": "%s"}\n' % ("x" * 2_000_000), "longer"),
                           ('{"text": "%s"}\n' % ("x" * 200_000), ""),
                           ('{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n', "line 2, too")):
            done = w.m("import", "-", input=(good + bad).encode(), stdin=None, code=2)
            assert words in done.err, (bad[:60], done.err)
            assert w.mj("list") == [], "nothing is written"
        done = w.m("import", "-", input=b'{"text": "\xff\xfe"}\n', stdin=None, code=2)
        assert w.mj("list") == []
        assert "--from" in w.m("import", os.path.join(w.home, "store.db"), code=2).err
        assert "cannot be opened" in w.m("import", "nowhere.jsonl", code=1).err
        w.m("import", code=2)
        w.m("import", "x", "--from", "y", code=2)
        assert w.mj("import", "-", input=b"", stdin=None) == counted()
        two = b'{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}\n'
        few = ("--set", "memory.max_entries=1")
        done = w.m("import", "-", *few, input=two, stdin=None, code=2)
        assert "2 would come in" in done.err and "max_entries" in done.err and not w.mj("list"), done.err
        w.m("import", "-", input=two, stdin=None)
        assert w.mj("import", "-", "--replace", *few, input=two, stdin=None) == counted(replaced=2)


def wrong_words():
    with Memory() as w:
        one = w.add("a fact")
        for words in (("show", "nobody"), ("why", "nobody"), ("forget", "nobody"), ("edit", "nobody", "x"),
                      ("retire", "nobody"), ("revive", "nobody"), ("add", "x", "--supersedes", "nobody")):
            done = w.m(*words, code=2)
            assert "nobody" in done.err and done.out == "", (words, done.err)
        for words in (("add", ""), ("add", "   "), ("add", "x", "--time", "noon"), ("add", "x", "--confidence", "2"),
                      ("add", "x", "--confidence", "nan"), ("add", "fact", "x", "--kind", "fact"), ("add",),
                      ("add", "x", "--id", "a\nb"), ("add", "x", "--kind", ""), ("search",), ("search", "x", "-n", "0"),
                      ("add", "x", "--scope", "repo:nowhere/at/all"), ("list", "--state", "lost"), ("list", "-n", "-1"),
                      ("show",), ("show", one, one), ("sow", one)):
            w.m(*words, code=2)
        assert len(w.mj("list", "--all")) == 1
        failed = json.loads(w.m("show", "nobody", "--json", code=2).out)
        assert failed["error"]["code"] == "not_found" and failed["error"]["hint"], failed


def long_and_strange_texts():
    with Memory() as w:
        for text, words in ((b"x" * (1 << 20), "65536"), (b"\xff\xfe\xfd", "UTF-8"), (b"a\0b", "zero"), (b"", ""),
                            (b" \n\t ", "")):
            done = w.m("add", "-", input=text, stdin=None, code=2)
            assert words in done.err and "\n" in done.err, (text[:10], done.err)
        assert w.mj("list") == []
        just = "é" * (1 << 15)
        one = json.loads(w.m("add", "-", "--json", input=just.encode(), stdin=None).out)["id"]
        assert w.mj("show", one)["text"] == just
        two = w.add("red \033[31malert\033[0m \u202eevil\u202c")
        for words in (("list",), ("show", two), ("why", two), ("search", "alert")):
            out = w.m(*words).out
            assert "\033[31m" not in out and "\u202e" not in out, words
        # nothing in a question is syntax
        for question in ('"', "a AND OR NOT", "NEAR(x y)", "col:x", "*", "-", "^x", "(", "a'b", "x" * 9000, "🦀", "%", "\\"):
            w.m("search", "--", question)


def secrets_are_not_kept():
    with Memory() as w:
        w.env["DEPLOY_TOKEN"] = "correct-horse-battery-9"
        one = w.add("the token is correct-horse-battery-9, and ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
        text = w.mj("show", one)["text"]
        assert "correct-horse" not in text and "ghp_A1b2" not in text and "redacted" in text, text
        del w.env["DEPLOY_TOKEN"]
        for folder, _, files in os.walk(w.home):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                assert b"correct-horse" not in data and b"ghp_A1b2" not in data, name


def doctor_and_reindex():
    with Embedder() as server, Memory(server) as w:
        for i in range(20):
            w.add(f"thing {i} about {'abcdefghijklmnopqrst'[i] * 5}")
        assert "0 fail" in w.m("doctor").out
        report = w.mj("doctor")
        assert report["fixed"] is None and {row["status"] for row in report["checks"]} == {"PASS"}, report
        # without a model for a while: seen, and made up for
        server.down = True
        w.m("add", "said in the dark about zzzzz")
        assert w.mj("doctor", code=1)["checks"][2]["status"] == "FAIL"
        server.down = False
        assert w.mj("doctor")["checks"][3]["status"] == "WARN"
        done = w.mj("reindex")
        assert done == {"vectors_made": 1, "without_vector": 0, "model": True}, done
        assert w.found("zzzzz dark")[0]
        assert "0 warn, 0 fail" in w.m("doctor", "--fix").out
    with Memory() as w:
        w.add("by words")
        assert "0 fail" in w.m("doctor").out
        assert w.mj("reindex")["model"] is False


def in_words_of_the_program():
    with Memory() as w:
        row, = [one for one in w.json("doctor", "--skip-llm", "--set", "embedding.enabled=false")["checks"]
                if one["id"] == "memory"]
        assert row["status"] == "PASS", row
        w.run(*w.options(), "memory", "add", "x")
        helped = w.run("help", "memory").out
        for name in ("add", "batch", "doctor", "duplicates", "edit", "export", "forget", "import", "list", "model",
                     "prune", "reindex", "retire", "revive", "search", "show", "stats", "why"):
            assert f"  {name} " in helped, name
            assert "sparks memory" in w.run("help", "memory", name).out
        values = w.run("completions", "--values", "memories").out
        assert "\tx" in values, values


def on_a_narrow_terminal():
    with Memory() as w:
        w.add("long words " * 30)
        script = f"stty cols 50; exec {SPARKS} --set embedding.enabled=false memory list"
        out = subprocess.run(["script", "-qec", f"sh -c '{script}'", "/dev/null"], env=w.env, cwd=w.repo, check=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60).stdout.decode()
        lines = [line for line in out.replace("\r", "").splitlines() if "long words" in line]
        assert len(lines) == 1 and len(lines[0]) <= 60, lines


main(adding_and_finding, a_kind_without_a_text, vectors_of_models_before, why_a_hit_is_one, listing, showing, where_it_comes_from, a_newer_value_takes_the_place_of_an_older, where_a_task_said_it, editing,
     forgetting, forgetting_what_was_merged, forgetting_in_the_saved_index, counting, pruning, duplicates, out_and_in_again, all_of_it_elsewhere,
     from_the_reference_program, vectors_of_the_reference_program, wrong_imports, wrong_words, long_and_strange_texts,
     secrets_are_not_kept, doctor_and_reindex, in_words_of_the_program, on_a_narrow_terminal)
