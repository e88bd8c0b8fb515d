#!/usr/bin/env python3
"""`sparks memory batch`: one answer a line, in order, written after the commit.

usage: batch.py SPARKS      (prints TAP)"""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
from world import SPARKS, World, main  # noqa: E402

PLAIN = ("--set", "embedding.enabled=false")


def want(true, shown=""):
    assert true, shown


class Batch(World):
    def __init__(self, *settings):
        super().__init__(git=False)
        self.words = [SPARKS, "memory", "batch", *PLAIN, *settings]

    def start(self):
        return subprocess.Popen(self.words, env=self.env, cwd=self.repo, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def all(self, *lines):
        """Answers to objects, or to lines as they are (bytes)."""
        data = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
                        for line in lines)
        done = subprocess.run(self.words, env=self.env, cwd=self.repo, input=data, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        want(done.returncode == 0, done.stderr.decode())
        return [json.loads(line) for line in done.stdout.decode().splitlines()]


def store(name, text, **more):
    return {"op": "store", "id": name, "text": text, **more}


def search(query, **more):
    return {"op": "search", "query": query, **more}


def each_line_is_answered_in_order():
    with Batch() as b:
        answers = b.all(store("a", "the tests run with make check", time="2025-01-02T03:04:05Z"),
                        store("b", "Maya: the cat is called Pickle", scope="chat"),
                        store("c", "the tests run with make check"),
                        search("how are tests run"), search("cat", scope="user"),
                        search("cat", scope="chat", k=1), {"op": "forget", "id": "b"},
                        {"op": "forget", "id": "b"}, search("cat"))
        want(answers[:3] == [{"ok": True}, {"ok": True}, {"ok": True, "merged_into": "a"}], answers)
        want(answers[3]["ids"] == ["a"] and len(answers[3]["scores"]) == 1, answers)
        want(answers[4] == {"ids": [], "scores": []} and answers[5]["ids"] == ["b"], answers)
        want(answers[6:] == [{"ok": True}, {"ok": False}, {"ids": [], "scores": []}], answers)
        # what one process has stored is there for the next
        want(b.all(search("tests"))[0]["ids"] == ["a"])


def an_error_is_a_line_and_the_next_goes_on():
    bad = [b"junk\n", b"[]\n", b"{}\n", b"\n", b"\xff\xfe\n", b"{\"op\":\"x\"}\n",
           b"{\"op\":\"store\",\"op\":\"store\"}\n", {"op": "store", "id": "a"},
           store("a", ""), store("", "x"), store("a" * 200, "x"), store("a\n", "x"),
           store("a", "x" * (64 * 1024 + 1)), store("a", 5), store("a", "x", time="yesterday"),
           store("a", "x", embedding=[]), store("a", "x", embedding=["1"]),
           store("a", "x", embedding=[0, 0]), store("a", "x", embedding=[1] * 5000),
           store("a", "x", scope=5), search("x", k=0), search("x", k=1001), search("x", k="3"),
           search(None), search("x", now=5), {"op": "forget"}, {"op": "embed", "text": "x"},
           b"{\"op\":\"store\",\"id\":\"a\",\"text\":\"" + b"x" * (2 << 20) + b"\"}\n"]
    with Batch() as b:
        answers = b.all(*bad, store("good", "a good one"), b"{\"op\":\"search\",\"query\":\"good\"}")
        want(len(answers) == len(bad) + 2, len(answers))
        for line, answer in zip(bad, answers):
            want(list(answer) == ["error"] and answer["error"], f"{str(line)[:80]}: {answer}")
        want(answers[-2] == {"ok": True} and answers[-1]["ids"] == ["good"], answers[-2:])


def embeddings_of_the_caller():
    with Batch() as b:
        answers = b.all(store("x", "one", embedding=[1, 0, 0]), store("y", "two", embedding=[0, 2, 0]),
                        store("z", "three", embedding=[1, 0]),
                        search("", embedding=[1, 0.2, 0]), search("", embedding=[0, 1, 0], k=1),
                        search("", embedding=[1]))
        want(answers[:2] == [{"ok": True}] * 2 and "error" in answers[2], answers)
        want(answers[3]["ids"] == ["x", "y"] and answers[4]["ids"] == ["y"], answers)
        want(answers[3]["scores"] == sorted(answers[3]["scores"], reverse=True), answers)
        want("error" in answers[5], answers)


def who_waits_is_answered_at_once():
    with Batch() as b:
        process = b.start()
        for number in range(5):
            for line in (store(f"m{number}", f"number w{number}"), search(f"w{number}")):
                process.stdin.write(json.dumps(line).encode() + b"\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
            want(answer["ids"] == [f"m{number}"], answer)
        process.stdin.close()
        want(process.wait(30) == 0)


def what_was_acknowledged_survives_a_kill():
    with Batch() as b:
        for after in (1, 7, 64, 65, 150):
            process = b.start()
            process.stdin.write(b"".join(json.dumps(store(f"k{after}-{number}", f"kept w{number} v{after}"))
                                         .encode() + b"\n" for number in range(200)))
            process.stdin.flush()
            for _ in range(after):
                want(json.loads(process.stdout.readline()) == {"ok": True})
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            process.stdin.close()
            for number in (0, after // 2, after - 1):
                found = b.all(search(f"v{after} w{number}", k=1))[0]["ids"]
                want(found == [f"k{after}-{number}"], (after, number, found))


def two_at_once():
    with Batch("--set", "memory.max_entries=0") as b:
        both = [b.start(), b.start()]
        for name, process in zip("ab", both):
            process.stdin.write(b"".join(json.dumps(store(f"{name}{number}", f"{name} says w{number}"))
                                         .encode() + b"\n" for number in range(150)))
            process.stdin.close()
        for process in both:
            answers = [json.loads(line) for line in process.stdout.read().splitlines()]
            want(answers == [{"ok": True}] * 150, answers[:3])
            want(process.wait(60) == 0)
        want(len(b.all(search("says", k=1000))[0]["ids"]) == 300)


def thousands_of_equal_ones_are_one():
    with Batch() as b:
        answers = b.all(*(store(f"m{number}", "the same", embedding=[1, 2, 3]) for number in range(2000)),
                        search("same"))
        want(answers[0] == {"ok": True} and answers[1999]["merged_into"] == "m0", answers[:2])
        want(answers[-1]["ids"] == ["m0"], answers[-1])


main(each_line_is_answered_in_order, an_error_is_a_line_and_the_next_goes_on,
     embeddings_of_the_caller, who_waits_is_answered_at_once, what_was_acknowledged_survives_a_kill,
     two_at_once, thousands_of_equal_ones_are_one)
