#!/usr/bin/env python3
"""Memory on bad days: clear words, nothing acknowledged lost, and it heals by itself.

usage: bad_days.py SPARKS      (prints TAP). Full disks are small tmpfs in a mount namespace."""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

from meaning import SPARKS, Embedder, Memory, main, vector

INSIDE = "SPARKS_TEST_MOUNTS"
NAMES = "alder birch cedar elder hazel maple poplar rowan sorrel willow".split()


def enter_namespace():
    """Runs this program again where it may mount."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", *user, "--mount", sys.executable, *sys.argv])


def start(w, *words):
    return subprocess.Popen([SPARKS, *w.options(), "memory", *words], env=w.env, cwd=w.repo, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def healthy(w):
    report = w.mj("doctor")
    assert "FAIL" not in {row["status"] for row in report["checks"]}, report
    return report


def two_write_at_once():
    """Each is answered, nothing is lost, and a third that was open all along sees all of it."""
    with Embedder() as server, Memory(server) as w:
        w.add("something to begin with")
        third = start(w, "batch")

        def ask(query):
            third.stdin.write(json.dumps({"op": "search", "query": query, "k": 3}) + "\n")
            third.stdin.flush()
            return json.loads(third.stdout.readline())["ids"]

        ask("anything")
        answers = {}

        def write(who):
            ops = "".join(json.dumps({"op": "store", "id": f"{who}{i}",
                                      "text": f"{who} number {i} saw {NAMES[i % 10]}{i}{who}"}) + "\n" for i in range(60))
            answers[who] = start(w, "batch").communicate(ops, timeout=120)[0].splitlines()

        both = [threading.Thread(target=write, args=(who,)) for who in ("left", "right")]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        for who in ("left", "right"):
            assert [json.loads(line).get("ok") for line in answers[who]] == [True] * 60, answers[who]
        assert ask("left number 7 saw rowan7left")[0] == "left7"
        assert ask("right number 59 saw willow59right")[0] == "right59"
        w.m("forget", "left7")
        assert "left7" not in ask("left number 7 saw rowan7left")
        third.communicate(timeout=60)
        assert w.mj("stats")["active"] == 120 and w.mj("stats")["without_vector"] == 0
        healthy(w)


def adds_side_by_side():
    """One-shot commands, as scripts do it."""
    with Memory() as w:
        started = [start(w, "add", f"{name} is a tree") for name in NAMES]
        for process in started:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0 and ": kept" in out, (out, err)
        assert len(w.mj("list")) == len(NAMES)
        healthy(w)


def ten_thousand_times_the_same():
    with Memory() as w:
        begin = time.monotonic()
        told = w.batch(*[{"op": "store", "id": f"n{i}", "text": "the coffee machine is broken again"}
                         for i in range(10_000)])
        took = time.monotonic() - begin
        assert told[0] == {"ok": True} and all(one == {"ok": True, "merged_into": "n0"} for one in told[1:]), told[:3]
        row, = w.mj("list", "--all")
        assert (row["id"], row["merged"]) == ("n0", 9_999), row
        assert w.found("coffee") == ["n0"] and w.mj("show", "n5000")["id"] == "n0"
        assert os.stat(os.path.join(w.home, "store.db")).st_size < 20_000_000
        assert took < 90, took
        assert w.batch({"op": "forget", "id": "n0"}) == [{"ok": True}]
        assert w.mj("list", "--all") == [] and w.found("coffee") == []


def the_clock_goes_backwards():
    with Memory() as w:
        ops = [{"op": "store", "id": f"t{i}", "text": f"entry about {name}", "time": f"20{40 - i}-01-01T00:00:00Z"}
               for i, name in enumerate(NAMES)]
        assert all(one == {"ok": True} for one in w.batch(*ops))
        assert [row["id"] for row in w.mj("list")] == [f"t{i}" for i in range(10)], "by the time that was said"
        for now in ("2020-01-01T00:00:00Z", "2035-06-01T00:00:00Z", "2100-01-01T00:00:00Z"):
            told, = w.batch({"op": "search", "query": "entry about hazel", "k": 10, "now": now})
            assert told["ids"][0] == "t4" and all(0 <= score < 100 for score in told["scores"]), told
        assert "now" in w.m("list").out
        assert w.mj("prune", "--min-score", "1")["due"] == [], "what is to come is not old"
        healthy(w)


def a_saved_index_of_any_kind():
    """Damaged, of another store, cut off, a folder in its place: the answers are the same."""
    with Embedder() as server, Memory(server) as w, Memory(server) as other:
        def ops(who):
            return [{"op": "store", "id": f"{who}{i}", "text": f"{who} {NAMES[i % 10]} {i * 7919}"} for i in range(120)]
        w.batch(*ops("one"))
        other.batch(*ops("two"))
        for world in (w, other):
            world.m("reindex")
        path = os.path.join(w.home, "memory.index")
        question = ("one hazel 190056", "-n", "5")
        want = w.found(*question)
        with open(path, "rb") as file:
            good = file.read()
        assert len(good) > 1000
        chance = random.Random(7)
        bent = bytearray(good)
        bent[chance.randrange(len(bent))] ^= 64
        with open(os.path.join(other.home, "memory.index"), "rb") as file:
            foreign = file.read()
        for what, data in (("cut", good[:len(good) // 2]), ("empty", b""), ("bent", bytes(bent)), ("noise", chance.randbytes(9999)),
                           ("foreign", foreign), ("head only", good[:64]), ("longer", good + b"x")):
            with open(path, "wb") as file:
                file.write(data)
            assert w.found(*question) == want, what
            w.m("add", f"after {what}")
            healthy(w)
        os.unlink(path)
        os.mkdir(path)
        assert w.found(*question) == want
        w.m("add", "with a folder in the way")
        os.rmdir(path)
        w.m("doctor", "--fix")
        assert w.found(*question) == want
        assert {row["status"] for row in healthy(w)["checks"]} == {"PASS"}


def damaged_words():
    """Seen, and made anew out of the rows."""
    with Memory() as w:
        for name in NAMES:
            w.add(f"{name} is a tree")
        db = sqlite3.connect(os.path.join(w.home, "store.db"))
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'memory_words%'")]
        assert tables, "the words have a table"
        db.execute(f"DELETE FROM {tables[0]} WHERE rowid % 2 = 0" if "WITHOUT" not in "".join(
            row[0] or "" for row in db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (tables[0],)))
            else f"DELETE FROM {tables[0]}")
        db.commit()
        db.close()
        report = w.mj("doctor", code=1)
        assert report["checks"][1]["status"] == "FAIL" and "reindex" in report["checks"][1]["remediation"], report
        w.m("reindex")
        healthy(w)
        for name in NAMES:
            assert len(w.found(name)) == 1, name


def a_model_that_is_damaged():
    """Cut off, of another kind, empty: said, and the words go on."""
    with Memory() as w:
        folder = os.path.join(w.folder, "model")
        w.options = lambda: ("--set", f"embedding.model_dir={folder}")
        for what, files in (("none", None), ("empty", {}),
                            ("cut", {"model.safetensors": b"\x40\0\0\0\0\0\0\0{\"a\":", "vocab.txt": b"[PAD]\n[UNK]\n"}),
                            ("noise", {"model.safetensors": os.urandom(5000), "vocab.txt": os.urandom(500)}),
                            ("text", {"model.onnx": b"<html>404</html>", "tokenizer.json": b"{}"})):
            shutil.rmtree(folder, ignore_errors=True)
            if files is not None:
                os.mkdir(folder)
                for name, data in files.items():
                    with open(os.path.join(folder, name), "wb") as file:
                        file.write(data)
            one = w.m("add", f"kept while the model is {what}")
            assert ": kept" in one.out, (what, one.out)
            assert "words alone" in one.err, (what, one.err)
            assert len(w.found(f"model is {what}")) >= 1, what
            row = w.mj("doctor", code=0 if what in ("none", "empty") else 1)["checks"][2]
            assert row["status"] in ("WARN", "FAIL") and row["remediation"], (what, row)
        assert w.mj("stats")["without_vector"] == 5
        for told in w.batch({"op": "embed", "text": "x"}):
            assert "error" in told, told


def wrong_dimensions():
    with Embedder() as server, Memory(server) as w:
        w.add("of the first model")
        for wrong in ([1.0], [0.0] * 96, vector("x", 95), ["a"] * 96, [1e40] * 96, "x", [], {}):
            told, = w.batch({"op": "store", "id": "bad", "text": "bad", "embedding": wrong})
            assert "error" in told, (wrong, told)
            told, = w.batch({"op": "search", "query": "first", "embedding": wrong})
            assert "error" in told, (wrong, told)
        assert len(w.mj("list")) == 1
        # the server's model has become another one: an error in words, and what was found by words stays found
        server.dims = 64
        done = w.m("add", "of the changed model")
        assert ": kept" in done.out, done
        assert w.found("changed", "--words") != []
        server.dims = 96
        assert w.mj("reindex")["without_vector"] == 0
        # another model by name: its vectors are its own
        with Embedder(64) as second:
            w.embedder = second
            w.options = lambda: second.options("others")
            assert w.mj("stats")["without_vector"] == 2
            assert w.mj("reindex") == {"vectors_made": 2, "without_vector": 0, "model": True}
            assert len(w.found("of the first model")) == 2
            healthy(w)


def a_home_that_cannot_be_written():
    with Memory() as w:
        one = w.add("a fact")
        subprocess.run(["mount", "--bind", w.home, w.home], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", w.home], check=True)
        try:
            for words in (("add", "x"), ("forget", one), ("edit", one, "y"), ("retire", one)):
                done = w.m(*words, code=78)
                assert "cannot write" in done.err and "SPARKS_HOME" in done.err, done.err
        finally:
            subprocess.run(["umount", "-l", w.home], check=True)
        assert [row["text"] for row in w.mj("list")] == ["a fact"]


def a_full_disk():
    with Memory() as w:
        os.makedirs(w.home, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3000k,mode=0700", "none", w.home], check=True)
        try:
            reserve = os.path.join(w.home, "reserve")
            with open(reserve, "wb") as file:
                file.write(b"x" * 600_000)
            kept, failed = [], None
            for i in range(400):
                process = start(w, "add", "--id", f"n{i}", "-")
                out, err = process.communicate(f"{i} " + " ".join(f"{name}{i}x{k}" for k in range(250) for name in NAMES), timeout=60)
                if process.returncode:
                    failed = (process.returncode, err)
                    break
                kept.append(f"n{i}")
            assert failed and failed[0] == 75 and ("space" in failed[1] or "full" in failed[1]), failed
            ballast = os.path.join(w.home, "ballast")
            with open(ballast, "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            assert w.m("add", "more", code=75).err
            os.unlink(ballast)
            os.unlink(reserve)
            assert sorted(row["id"] for row in w.mj("list", "-n", "0")) == sorted(kept)
            assert w.mj("forget", kept[0])["forgotten"] == 1, "with room to make room"
            assert w.found(f"hazel1x3")[0] == "n1"
            healthy(w)
        finally:
            subprocess.run(["umount", "-l", w.home], check=True)


def a_locked_store():
    """Another program holds the store for longer than we wait: said; for less: nobody notices."""
    with Memory() as w:
        one = w.add("a fact about sorrel")
        db = sqlite3.connect(os.path.join(w.home, "store.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        done = w.m("add", "x", code=75)
        assert "lock" in done.err or "busy" in done.err, done.err
        assert w.found("sorrel") == [one], "readers don't mind"
        process = start(w, "add", "y")
        time.sleep(2)
        db.execute("ROLLBACK")
        db.close()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert len(w.mj("list")) == 2


if INSIDE not in os.environ:
    enter_namespace()
main(two_write_at_once, adds_side_by_side, ten_thousand_times_the_same, the_clock_goes_backwards,
     a_saved_index_of_any_kind, damaged_words, a_model_that_is_damaged, wrong_dimensions, a_home_that_cannot_be_written,
     a_full_disk, a_locked_store)
