#!/usr/bin/env python3
"""Cancel, pause and resume in each state a task can be in.

usage: asking.py SPARKS      (prints TAP)"""
import time

from holders import (FINISH, FIX, Daemon, World, finish, give, journal, last_is, main, rows, say,
                     shell, start, status, wait_for)


def soon(what, seconds=5):
    began = time.monotonic()
    what()
    assert time.monotonic() - began < seconds, f"took {time.monotonic() - began:.1f} s"


def cancelled(w, task):
    soon(lambda: wait_for(lambda: status(w, task) == "cancelled"))
    assert rows(w, "SELECT holder FROM leases WHERE task = ? AND holder IS NOT NULL", task) == [] \
        or wait_for(lambda: not rows(w, "SELECT holder FROM leases WHERE task = ? AND holder"
                                        " IS NOT NULL", task))


def cancel_while_queued():
    with World() as w, Daemon(w, "--workers", "1"):
        first = give(w, say(shell("sleep 2")), say(FIX), say(FINISH))
        second = give(w, say(FIX), say(FINISH))
        assert status(w, second) == "queued"
        w.run("tasks", "cancel", second)
        assert status(w, second) == "cancelled"
        wait_for(lambda: status(w, first) == "done")
        assert "model.intent" not in journal(w, second)


def cancel_while_the_copy_is_made():
    with World() as w:
        for i in range(4000):
            w.write(f"many/{i % 40}/{i}.txt", f"{i}\n" * 20)
        with Daemon(w):
            task = give(w, say(FIX), say(FINISH))
            wait_for(lambda: status(w, task) != "queued")
            w.run("tasks", "cancel", task)
            cancelled(w, task)
            assert "model.intent" not in journal(w, task)
            report = w.json("tasks", "resume", task)
            assert report["verdict"] == "verified"


def cancel_in_a_model_call():
    with World() as w, Daemon(w):
        task = give(w, say(FIX, delay_ms=30000), say(FINISH))
        wait_for(last_is(w, task, "model.intent"))
        w.run("tasks", "cancel", task)
        cancelled(w, task)
        assert journal(w, task, "mail") == [{"kind": "cancel"}]


def cancel_in_a_command():
    with World() as w, Daemon(w):
        task = give(w, say(shell("sleep 30 & sleep 30")), say(FINISH))
        wait_for(last_is(w, task, "tool.intent"))
        w.run("tasks", "cancel", task)
        cancelled(w, task)


def cancel_in_verification():
    with World() as w, Daemon(w):
        slow = "sh test.sh || exit 1; sleep 30"
        task = give(w, say(FIX), say(FINISH), check=slow)
        wait_for(lambda: status(w, task) == "verifying" and last_is(w, task, "check.intent")())
        w.run("tasks", "cancel", task)
        cancelled(w, task)
        assert journal(w, task, "verdict") == []
        rows(w, "UPDATE tasks SET options = replace(options, 'sleep 30', 'sleep 0')")
        assert w.json("tasks", "resume", task)["status"] == "done"


def a_cancel_that_was_heard_outlives_its_hearer():
    with World() as w, Daemon(w) as daemon:
        task = give(w, say(shell("sleep 3")), say(FIX), say(FINISH))
        wait_for(last_is(w, task, "tool.intent"))
        daemon.kill()
        rows(w, "INSERT INTO journal (task, seq, kind, effect, payload, created_us) SELECT task,"
                " max(seq) + 1, 'mail', 0, '{\"kind\":\"cancel\"}', max(created_us) FROM journal"
                " WHERE task = ?", task)
        with Daemon(w):
            cancelled(w, task)
        assert journal(w, task).count("model.intent") == 1
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def pause_lets_a_check_end():
    with World() as w, Daemon(w):
        task = give(w, say(FIX), say(FINISH), check="sh test.sh || exit 1; sleep 2")
        wait_for(lambda: status(w, task) == "verifying" and last_is(w, task, "check.intent")())
        w.run("tasks", "pause", task)
        wait_for(lambda: status(w, task) in ("paused", "done"))
        if status(w, task) == "paused":
            w.run("tasks", "resume", task)
        intents = journal(w, task, "check.intent")
        assert len(intents) == len({(c["phase"], c["round"], c["command"]) for c in intents})
        wait_for(lambda: status(w, task) == "done")


def pause_while_queued_and_again():
    with World() as w, Daemon(w, "--workers", "1"):
        first = give(w, say(shell("sleep 2")), say(FIX), say(FINISH))
        second = give(w, say(FIX), say(FINISH))
        w.run("tasks", "pause", second)
        assert status(w, second) == "paused"
        w.run("tasks", "pause", second, code=1)
        wait_for(lambda: status(w, first) == "done")
        time.sleep(0.5)
        assert status(w, second) == "paused"
        assert w.json("tasks", "resume", second)["verdict"] == "verified"


def two_resume_one_task():
    with World() as w:
        process = start(w, "do", "x", "--check", "sh test.sh", "--model",
                        w.play(say(shell("sleep 2")), say(FIX), say(FINISH)))
        task = wait_for(lambda: [r[0] for r in rows(w, "SELECT id FROM tasks")]
                        if (process.poll() is not None or journal_ready(w)) else None)[0]
        wait_for(last_is(w, task, "tool.intent"))
        process.kill()
        process.communicate()
        both = [start(w, "tasks", "resume", task, "--json") for _ in range(2)]
        codes = sorted((p.communicate(timeout=60), p.returncode)[1] for p in both)
        assert codes in ([0, 0], [0, 75]), codes
        assert w.json("tasks", "show", task)["verdict"] == "verified"
        assert journal(w, task).count("commit.result") == 1
        assert journal(w, task).count("resumed") == 1


def journal_ready(w):
    try:
        return rows(w, "SELECT 1 FROM tasks")
    except Exception:   # the store is not there yet
        return None


def a_busy_task_is_followed_or_refused():
    with World() as w, Daemon(w):
        task = give(w, say(shell("sleep 2")), say(FIX), say(FINISH))
        wait_for(last_is(w, task, "tool.intent"))
        out, _ = finish(start(w, "tasks", "resume", task, "--json"), 0)
        assert '"verified"' in out


main(cancel_while_queued, cancel_while_the_copy_is_made, cancel_in_a_model_call,
     cancel_in_a_command, cancel_in_verification, a_cancel_that_was_heard_outlives_its_hearer,
     pause_lets_a_check_end, pause_while_queued_and_again, two_resume_one_task,
     a_busy_task_is_followed_or_refused)
