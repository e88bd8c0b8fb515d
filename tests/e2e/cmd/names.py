#!/usr/bin/env python3
"""Files with hostile names, the user's and the model's: what commands print of them moves no
cursor, changes no colour or title, turns no text round and ends no line, on a terminal and off.

usage: names.py SPARKS      (prints TAP)"""
import os
import pty
import re
import select
import subprocess
import time

from world import CHECK, FIX, FINISH, SPARKS, World, main, say

NAMES = [b"esc\x1b]0;PWNED\x07.txt", b"csi\x1b[2J\x1b[31mRED\x1b[0m.txt", b"new\nline: done, verified.txt",
         b"return\rover.txt", "bidi\u202egpj.txt".encode(), "iso\u2066late\u2069.txt".encode(),
         "c1\u009b31m.txt".encode(), b"bad\xff\xfe.txt", b"back\x08\x08\x08.txt", b"del\x7f.txt",
         b"tab\there.txt", b"bell\x07.txt", b"dcs\x1bPq\x1b\\.txt", b"so\x0e\x0f.txt", b"lone\x1b",
         b"dir\x1b[1A/in\x1b[1B.txt"]
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


def make(folder, text):
    for name in NAMES:
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text)


def octal(name):
    return "".join(f"\\{byte:03o}" for byte in name)


def model_makes(text):
    """A command that writes all of them."""
    lines = [f"p=\"$(printf '{octal(name)}.')\"; p=\"${{p%.}}\"; mkdir -p \"$(dirname \"$p\")\"; echo {text} >\"$p\""
             for name in NAMES]
    return "shell", {"command": "\n".join(lines)}


def on_a_terminal(world, *words):
    """What a terminal gets, our own means taken out."""
    leader, follower = pty.openpty()
    env = {**world.env, "TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "200"}
    with subprocess.Popen([SPARKS, *words], env=env, cwd=world.repo, stdin=follower,
                          stdout=follower, stderr=follower, start_new_session=True) as process:
        os.close(follower)
        out, end = b"", time.time() + 120
        while time.time() < end:
            ready, _, _ = select.select([leader], [], [], 1)
            if not ready:
                if process.poll() is not None:
                    break
                continue
            try:
                piece = os.read(leader, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        process.wait(timeout=30)
    os.close(leader)
    return out.replace(b"\r\n", b"\n").replace(b"\r\x1b[K", b"\n")      # our own line of progress


def harmless(out, what):
    text = out.decode("utf-8", "strict")      # invalid bytes are no business of a terminal's
    bad = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert not bad, f"{what}: {bad[0]!r} in {text[max(0, bad.start() - 80):bad.end() + 40]!r}"
    bad = BIDI.search(text)
    assert not bad, f"{what}: {bad[0]!r} in {text[max(0, bad.start() - 80):bad.end() + 40]!r}"
    for line in text.splitlines():
        assert not line.startswith("line: done"), f"{what}: a name made a line of its own"


def both(world, *words):
    """By a pipe, where any exit code is fine, and on a terminal."""
    done = subprocess.run([SPARKS, *words], env=world.env, cwd=world.repo, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    what = " ".join(words[:3])
    harmless(done.stdout, what)
    harmless(done.stderr, what)
    seen = on_a_terminal(world, *words)
    harmless(seen, what + " on a terminal")
    return done.stdout.decode() + done.stderr.decode() + seen.decode()


def a_task_over_them():
    with World() as world:
        make(world.repo, b"1\n")
        play = world.play(say(("file_list", {}), ("file_search", {"pattern": "1"}),
                              ("shell", {"command": "ls -la; git status --short"})),
                          say(model_makes("2"), FIX), say(FINISH))
        done = on_a_terminal(world, "do", "add must add", "--model", play, "--check", CHECK)
        harmless(done, "do on a terminal")
        assert b"verified" in done, done
        task = world.json("tasks", "list")[0]["task"]
        assert len(world.json("tasks", "show", task)["files_changed"]) == len(NAMES) + 1
        for words in (("tasks", "show", task), ("tasks", "list"), ("tasks", "explain", task),
                      ("tasks", "log", task), ("tasks", "log", task, "--json"), ("tasks", "diff", task),
                      ("tasks", "diff", task, "--stat"), ("tasks", "show", task, "--json"),
                      ("sandbox", "explain", task)):
            told = both(world, *words)
            if words[1] in ("show", "diff") and "--json" not in words:
                assert "RED" in told, (words, told)


def apply_and_undo_name_them():
    with World() as world:
        task = world.do(say(model_makes("2"), FIX), say(FINISH))["task"]
        make(world.repo, b"mine\n")          # in the way: all are conflicts
        told = both(world, "tasks", "apply", task)
        assert "RED" in told, told
        subprocess.run(["git", "clean", "-fdxq"], cwd=world.repo, check=True, env=world.env)
        told = both(world, "tasks", "apply", task)
        assert "applied" in told.lower() or "written" in told.lower() or "RED" in told, told
        make(world.repo, b"edited since\n")  # undo refuses, and lists
        told = both(world, "tasks", "undo", task)
        assert "RED" in told, told


def what_is_left_out_is_named_harmlessly():
    with World() as world:
        for name in (b"a\x1b[31m.pem", "b\u202e.key".encode(), b"c\nd/.env", b"fifo\x1b[2J"):
            path = os.path.join(os.fsencode(world.repo), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if name.startswith(b"fifo"):
                os.mkfifo(path)
            else:
                with open(path, "wb") as file:
                    file.write(b"x\n")
        seen = on_a_terminal(world, "do", "add must add", "--model",
                             world.play(say(FIX), say(FINISH)), "--check", CHECK)
        harmless(seen, "do on a terminal")
        assert b"Sensitive files" in seen, seen
        both(world, "tasks", "explain", world.json("tasks", "list")[0]["task"])


main(a_task_over_them, apply_and_undo_name_them, what_is_left_out_is_named_harmlessly)
