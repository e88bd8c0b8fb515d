#!/usr/bin/env python3
"""The emergency stop: what runs ends, nothing begins, until it is lifted. Measured by effects: a
command that writes a line every 50 ms.

usage: stopping.py SPARKS      (prints TAP)"""
import os
import signal
import subprocess
import sys
import time

from holders import (CHECK, FINISH, FIX, Daemon, World, finish, give, journal, main, rows,
                     say, shell, start, status, wait_for)

# 30 s: nobody waits for its end
BEAT = shell("i=0; while [ $i -lt 600 ]; do echo x >> beat.txt; sleep 0.05; i=$((i + 1)); done")


def beat_of(w, task):
    return os.path.join(w.folder, "home", "trees", task, "work", "beat.txt")


def size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def wait_for_beat(w, task):
    wait_for(lambda: size(beat_of(w, task)) > 4)


def only_task(w):
    def running():
        try:
            found = rows(w, "SELECT id FROM tasks")
        except Exception:   # the store is not there yet
            return None
        return found and found[0][0]
    return wait_for(running)


def stop(w, *words, code=0):
    began = time.monotonic()
    done = w.run("stop", "--all", *words, code=code)
    return done, time.monotonic() - began


def assert_still(w, *tasks):
    """No line more: all of them were written before the command came back."""
    before = [size(beat_of(w, task)) for task in tasks]
    time.sleep(0.5)
    assert [size(beat_of(w, task)) for task in tasks] == before


def assert_stopped(w, task):
    assert status(w, task) == "paused", status(w, task)
    report = w.json("tasks", "show", task)
    assert "sparks stop --all" in report["reason"], report
    assert rows(w, "SELECT holder FROM leases WHERE task = ? AND holder IS NOT NULL", task) == []


def goes_on(w, task):
    """The command that was cut off is not run again; the model is told so."""
    report = w.json("tasks", "resume", task)
    assert report["status"] == "done", report
    assert report["verdict"] == "verified", report


def a_task_in_the_foreground():
    with World() as w:
        process = start(w, "do", "add must add", "--check", CHECK, "--model",
                        w.play(say(BEAT), say(FIX), say(FINISH)))
        task = only_task(w)
        wait_for_beat(w, task)
        done, took = stop(w, "--note", "smoke")
        assert_still(w, task)
        assert took < 3, took    # a second, on a machine that has nothing else to do
        assert f"task {task} is paused" in done.out and "sparks stop --lift" in done.out, done.out
        out, _ = finish(process, 77, 10)
        assert "sparks stop --lift" in out, out
        assert_stopped(w, task)
        w.run("stop", "--lift")
        goes_on(w, task)


def a_daemon_and_a_runner():
    """Both let go; the daemon lives on, takes nothing, and works again when it is lifted."""
    with World() as w:
        runner = give(w, say(BEAT), say(FIX), say(FINISH))
        wait_for_beat(w, runner)
        with Daemon(w, "--workers", "2") as daemon:
            tasks = [give(w, say(BEAT), say(FIX), say(FINISH)) for _ in range(2)]
            queued = give(w, say(FIX), say(FINISH))
            for task in tasks:
                wait_for_beat(w, task)
            stop(w)
            assert_still(w, runner, *tasks)
            for task in (runner, *tasks):
                assert_stopped(w, task)
            assert daemon.process.poll() is None
            assert status(w, queued) == "queued"
            time.sleep(0.5)
            assert status(w, queued) == "queued"
            w.run("stop", "--lift")
            wait_for(lambda: status(w, queued) == "done")
            assert [status(w, task) for task in tasks] == ["paused", "paused"]


def nothing_begins_and_it_survives():
    with World() as w:
        play = w.play(say(FIX), say(FINISH))
        done = w.json("do", "add must add", "--check", CHECK, "--model", play)
        stop(w, "--note", "smoke")
        for words in (("do", "x", "--model", play), ("do", "x", "--detach", "--model", play),
                      ("up",), ("chat", "hello", "--model", play), ("tasks", "resume", done["task"])):
            refused = w.run(*words, code=77)
            assert "everything is stopped since" in refused.err and "(smoke)" in refused.err \
                and "sparks stop --lift" in refused.err, (words, refused.err)
        assert len(rows(w, "SELECT id FROM tasks")) == 1
        report = w.json("do", "x", "--model", play, code=77)
        assert report["task"] is None and report["error"]["code"] == "policy_blocked", report
        assert "everything is stopped" in w.run("tasks", "list").err
        assert "WARN  stop" in w.run("doctor", "--skip-llm").out
        # what a person does by hand is not stopped
        w.run("-y", "tasks", "apply", done["task"])
        w.run("-y", "tasks", "undo", done["task"])
        again, _ = stop(w)
        assert "already" in again.out, again.out
        w.run("stop", "--lift")
        assert "nothing was stopped" in w.run("stop", "--lift").out
        assert "PASS  stop" in w.run("doctor", "--skip-llm").out
        w.json("do", "y", "--check", CHECK, "--model", play)


def who_does_not_let_go_is_killed():
    """A process that hangs: its commands would go on for ever."""
    with World() as w:
        process = start(w, "do", "add must add", "--check", CHECK, "--model",
                        w.play(say(BEAT), say(FIX), say(FINISH)))
        task = only_task(w)
        wait_for_beat(w, task)
        process.send_signal(signal.SIGSTOP)
        done, took = stop(w)
        assert_still(w, task)
        assert f"process {process.pid} did not let go and was killed" in done.out, done.out
        assert took < 4, took
        assert process.wait(5) == -signal.SIGKILL
        process.communicate()
        assert_stopped(w, task)
        w.run("stop", "--lift")
        report = w.json("tasks", "resume", task)
        assert report["verdict"] == "verified"
        # an unsafe command that was cut off is not run again
        assert [r.get("unknown") for r in journal(w, task, "tool.result")][0] is True


def one_that_hangs_in_a_write_is_no_obstacle():
    """It keeps everybody from writing to the store, so the stop itself: it is killed first."""
    with World() as w:
        process = start(w, "do", "add must add", "--check", CHECK, "--model",
                        w.play(say(BEAT), say(FIX), say(FINISH)))
        task = only_task(w)
        wait_for_beat(w, task)
        # as if it stood still between BEGIN and COMMIT
        lock = subprocess.Popen([sys.executable, "-c", (
            "import sqlite3, sys, os, signal, time\n"
            "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "db.execute('BEGIN IMMEDIATE'); print('held', flush=True)\n"
            "pid = int(sys.argv[2])\n"
            "while os.path.exists(f'/proc/{pid}') and "
            "open(f'/proc/{pid}/stat').read().split(')')[1].split()[0] != 'Z': time.sleep(0.02)\n"),
            os.path.join(w.folder, "home", "store.db"), str(process.pid)], stdout=subprocess.PIPE)
        lock.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        done, _ = stop(w)
        assert_still(w, task)
        assert f"process {process.pid} did not let go" in done.out, done.out
        process.communicate()
        lock.communicate(timeout=10)
        assert_stopped(w, task)


def the_model_is_not_waited_for():
    with World() as w:
        process = start(w, "do", "x", "--check", CHECK, "--model",
                        w.play(say(FIX, delay_ms=60000), say(FINISH)))
        task = only_task(w)
        wait_for(lambda: "model.intent" in journal(w, task))
        _, took = stop(w)
        assert took < 3, took
        finish(process, 77, 10)
        assert_stopped(w, task)


def a_restore_does_not_lift_it():
    with World() as w:
        copy = os.path.join(w.folder, "copy.db")
        w.json("do", "x", "--check", CHECK, "--model", w.play(say(FIX), say(FINISH)))
        w.run("store", "backup", copy)
        stop(w)
        w.run("-y", "store", "restore", copy)
        w.run("up", code=77)


def stop_alone_says_how():
    with World() as w:
        assert "sparks stop --all" in w.run("stop", code=2).err
        w.run("stop", "--all", "--lift", code=2)
        report = w.json("stop", "--all")
        assert report == {"stopped": True, "was": False, "tasks": [], "killed": [], "left": []}
        assert w.json("stop", "--lift") == {"stopped": False, "was": True}


main(a_task_in_the_foreground, a_daemon_and_a_runner, nothing_begins_and_it_survives,
     who_does_not_let_go_is_killed, one_that_hangs_in_a_write_is_no_obstacle,
     the_model_is_not_waited_for, a_restore_does_not_lift_it,
     stop_alone_says_how)
