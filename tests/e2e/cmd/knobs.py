#!/usr/bin/env python3
"""Knobs: a running daemon hears them, they end with it or are kept, the command line wins.

usage: knobs.py SPARKS      (prints TAP)"""
import contextlib
import json
import os
import signal
import subprocess
import time

from world import CHECK, FINISH, FIX, SPARKS, World, main, say


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come")


@contextlib.contextmanager
def daemon(w, *words):
    with subprocess.Popen([SPARKS, "up", "--json", *words], env=w.env, cwd=w.repo,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["ready"]
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def told(w, name):
    """What the daemon says that it runs tasks with."""
    with open(os.path.join(w.env["SPARKS_HOME"], "up.json"), encoding="utf-8") as file:
        return json.load(file)["values"][name]


def knob(w, name):
    return {row["name"]: row for row in w.json("knobs", "list")}[name]


def without_daemon_it_must_be_kept():
    with World() as w:
        lost = w.run("knobs", "set", "manager.max_steps", "3", code=2)
        assert "--keep" in lost.err, lost.err
        w.run("knobs", "set", "manager.max_steps", "3", "--keep")
        assert (knob(w, "manager.max_steps")["value"],
                knob(w, "manager.max_steps")["origin"]) == ("3", "knob")
        assert "sparks knobs set" in w.run("config", "explain", "manager.max_steps").out
        # the command line is stronger, a variable is not
        w.env["SPARKS_MANAGER_MAX_STEPS"] = "9"
        assert "manager.max_steps                      3 " in w.run("config", "show").out
        over = w.run("--set", "manager.max_steps=7", "config", "explain", "manager.max_steps")
        assert "from       command line" in over.out, over.out
        w.run("knobs", "reset", "manager.max_steps")
        assert knob(w, "manager.max_steps")["origin"] == "environment"
        messages = [row["message"] for row in w.json("knobs", "history")]
        assert messages == ["manager.max_steps is as configured",
                            "manager.max_steps = 3, kept"], messages


def a_task_obeys_it():
    with World() as w:
        w.run("knobs", "set", "manager.max_steps", "1", "--keep")
        play = w.play(say(("file_read", {"path": "calc.sh"})), say(FIX), say(FINISH))
        words = ("do", "mend", "--check", CHECK, "--model", play, "--json")
        assert json.loads(w.run(*words, code=75).out)["status"] == "failed"
        w.run("knobs", "reset", "manager.max_steps")
        assert json.loads(w.run(*words).out)["verdict"] == "verified"


def the_daemon_hears_it_and_it_ends_with_it():
    with World() as w:
        with daemon(w):
            assert told(w, "manager.max_steps") == 15
            begin = time.monotonic()
            w.run("knobs", "set", "manager.max_steps", "4")
            wait_for(lambda: told(w, "manager.max_steps") == 4)
            assert time.monotonic() - begin < 5
            # kept and set for the daemon: that of the daemon holds, then the kept one
            w.run("knobs", "set", "manager.max_steps", "5", "--keep")
            w.run("knobs", "set", "manager.max_steps", "6")
            wait_for(lambda: told(w, "manager.max_steps") == 6)
            # a command has the same values as the daemon, and leaves the task to it
            play = w.play(say(FIX), say(FINISH))
            done = w.run("do", "mend", "--check", CHECK, "--model", play)
            assert "manager.max_steps" not in done.err, done.err
            w.run("knobs", "set", "task.heal_attempts", "0")
        assert knob(w, "manager.max_steps")["value"] == "5"
        assert knob(w, "task.heal_attempts")["origin"] == "default"
        with daemon(w):
            assert told(w, "manager.max_steps") == 5
            w.run("knobs", "reset", "manager.max_steps")
            wait_for(lambda: told(w, "manager.max_steps") == 15)


def killed_it_ends_too():
    with World() as w:
        with subprocess.Popen([SPARKS, "up", "--json"], env=w.env, cwd=w.repo,
                              stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            w.run("knobs", "set", "manager.max_steps", "4")
            assert knob(w, "manager.max_steps")["value"] == "4"
            process.kill()
        assert knob(w, "manager.max_steps")["origin"] == "default"


def its_command_line_stays():
    with World() as w:
        with daemon(w, "--workers", "3"):
            refused = w.run("knobs", "set", "up.workers", "2", code=1)
            assert "command line" in refused.err, refused.err
            assert w.json("knobs", "history") == []


def what_is_refused():
    with World() as w:
        for words, want in ((("heartbeat.interval", "20"), "its part is not in this version"),
                            (("up.wokers", "2"), "did you mean \"up.workers\"?"),
                            (("box.memory_bytes", "2"), "not one that changes at run time"),
                            (("up.workers", "0"), "must be a whole number from 1 to 64")):
            ran = w.run("knobs", "set", *words, "--keep", code=2)
            assert want in ran.err, ran.err
        assert w.json("knobs", "history") == []
        listed = w.run("knobs", "list").out
        assert listed.index("up.workers") < listed.index("not in this version") < \
            listed.index("quiet_hours")


def looking_makes_no_store():
    with World() as w:
        w.run("knobs", "list")
        w.run("config", "show")
        w.run("config", "explain", "up.workers")
        assert not os.path.exists(os.path.join(w.env["SPARKS_HOME"], "store.db"))


main(without_daemon_it_must_be_kept, a_task_obeys_it, the_daemon_hears_it_and_it_ends_with_it,
     killed_it_ends_too, its_command_line_stays, what_is_refused, looking_makes_no_store)
