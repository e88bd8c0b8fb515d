#!/usr/bin/env python3
"""A server of embeddings that takes a request and never answers: nobody waits for it for long.

usage: waiting.py SPARKS SOURCE_ROOT TALK      (prints TAP)"""
import os
import signal
import socket
import subprocess
import threading
import time

from holders import FINISH, FIX, SPARKS, World, journal, main, rows, say, talk, wait_for

SLACK = 3   # what all else may take on a busy machine; its own time-out is 60 s


class Hanging:
    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.taken = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                self.taken.append(self.socket.accept()[0])
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        for one in self.taken:
            one.close()

    def use(self, w, dims="96"):
        w.env.update(SPARKS_EMBEDDING_PROVIDER="openai", SPARKS_EMBEDDING_MODEL="words",
                     SPARKS_EMBEDDING_URL=f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1", SPARKS_EMBEDDING_DIMENSIONS=dims)


def awake(w):
    """As if the last time it did not answer were long ago."""
    path = os.path.join(w.folder, "home", "models", "silent")
    if os.path.exists(path):
        os.utime(path, (1, 1))


def timed(what):
    begun = time.monotonic()
    done = what()
    return time.monotonic() - begun, done


def each_command_is_bounded():
    for dims in ("96", "0"):
        with World() as w, Hanging() as server:
            server.use(w, dims)
            longest = {}
            for name, words in (("add", ("add", "the shed has a green door")), ("search", ("search", "green door")),
                                ("edit", ("edit", None, "the shed has a red door"))):
                words = [one or rows(w, "SELECT id FROM memories")[0][0] for one in words]
                awake(w)
                before = len(server.taken)
                longest[name], done = timed(lambda words=words: w.run("memory", *words))
                assert len(server.taken) > before, (name, "it was not asked")
                assert done.err.count("words") == 1 and len(done.err.splitlines()) == 1, done.err
                # it is not asked again for a while
                before = len(server.taken)
                again, done = timed(lambda words=words: w.run("memory", *words))
                assert len(server.taken) == before and again < SLACK, (name, again, done.err)
            print("# dims", dims, {name: round(seconds, 2) for name, seconds in longest.items()}, flush=True)
            assert max(longest.values()) < 2 + SLACK, longest
            assert rows(w, "SELECT text FROM memories") == [("the shed has a red door",)]
            assert "red door" in w.run("memory", "search", "door").out


def a_task_and_a_chat_wait_once():
    with World() as w, Hanging() as server:
        w.env["SPARKS_EMBEDDING_ENABLED"] = "false"
        w.run("memory", "add", "add must add the green door")
        plain, _ = timed(lambda: w.do(say(FIX), say(FINISH), words=("--no-memory",)))
        del w.env["SPARKS_EMBEDDING_ENABLED"]
        server.use(w)
        took, report = timed(lambda: w.do(say(("memory_search", {"query": "door"}), ("memory_save", {"text": "a note of the door"})),
                                          say(FIX), say(FINISH)))
        assert report["memory"]["recalled"] and report["memory"]["learned"] and report["verdict"] == "verified", report
        assert took - plain < 2 + SLACK, (plain, took)
        result, = journal(w, report["task"], "learn.result")
        assert len(result["memories"]) >= 2 and "problem" not in result, result
        awake(w)
        turn, _ = timed(lambda: talk(w, w.play(say(text="I see.")), "Always use tabs in C files. What is this?"))
        assert rows(w, "SELECT count(*) FROM memories WHERE kind = 'preference'") == [(1,)]
        print(f"# a task {plain:.2f} s without memory, {took:.2f} s with it; a turn of a chat {turn:.2f} s", flush=True)
        assert turn < 2 + SLACK, turn


def ctrl_c_ends_the_waiting():
    with World() as w, Hanging() as server:
        w.env["SPARKS_EMBEDDING_ENABLED"] = "false"
        w.run("memory", "add", "add must add the green door")
        del w.env["SPARKS_EMBEDDING_ENABLED"]
        server.use(w)
        for words in (("memory", "search", "door"), ("memory", "add", "another door"),
                      ("do", "add must add", "--model", w.play(say(FIX), say(FINISH)))):
            awake(w)
            before = len(server.taken)
            process = subprocess.Popen([SPARKS, *words], env=w.env, cwd=w.repo, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_for(lambda before=before: len(server.taken) > before)
            process.send_signal(signal.SIGINT)
            took, _ = timed(process.communicate)
            assert took < 1.5, (words, took)
            assert process.returncode in (130, -signal.SIGINT), (words, process.returncode)


main(each_command_is_bounded, a_task_and_a_chat_wait_once, ctrl_c_ends_the_waiting)
