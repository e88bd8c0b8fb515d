#!/usr/bin/env python3
"""Daemons that drain, are killed, lose a lease; those who come after them.

usage: holding.py SPARKS      (prints TAP)"""
import os
import signal
import time

from holders import (CHECK, FINISH, FIX, Daemon, World, finish, give, journal, last_is, main, rows,
                     say, shell, start, status, wait_for)

N = 5


def killed_with_five_running():
    """The next daemon goes on at once, repeats no answer of the model and no command."""
    with World() as w:
        turns = (say(shell("echo once >> once.txt")), say(shell("sleep 4")), say(FIX), say(FINISH))
        with Daemon(w, "--workers", str(N)) as daemon:
            tasks = [give(w, *turns) for _ in range(N)]
            for task in tasks:
                wait_for(lambda task=task: journal(w, task).count("tool.intent") == 2)
            daemon.kill()
        began = time.monotonic()
        with Daemon(w, "--workers", str(N)):
            for task in tasks:
                wait_for(lambda task=task: status(w, task) == "done")
            assert time.monotonic() - began < 20
        for task in tasks:
            report = w.json("tasks", "show", task)
            assert report["verdict"] == "verified", report
            assert len(journal(w, task, "model.result")) == 4
            assert [r.get("unknown") for r in journal(w, task, "tool.result")] == \
                [None, True, None, None]
            assert w.git("show", f"sparks/{task}:once.txt") == "once\n"


def nothing_of_a_killed_daemon_lives_on():
    with World() as w:
        with Daemon(w) as daemon:
            task = give(w, say(shell("while :; do date >> beat.txt; sleep 0.05; done")),
                        say(FINISH))
            beat = os.path.join(w.folder, "home", "trees", task, "work", "beat.txt")
            wait_for(lambda: os.path.exists(beat) and os.path.getsize(beat) > 200)
            daemon.kill()
        time.sleep(1)
        size = os.path.getsize(beat)
        time.sleep(0.5)
        assert os.path.getsize(beat) == size


def git_locks_of_the_dead_are_in_nobodys_way():
    with World() as w:
        with Daemon(w) as daemon:
            task = give(w, say(shell("sleep 2")), say(FIX), say(FINISH))
            wait_for(last_is(w, task, "tool.intent"))
            daemon.kill()
        for lock in (os.path.join(w.folder, "home", "trees", task, "git", "index.lock"),
                     os.path.join(w.repo, ".git", "refs", "heads", "sparks", task + ".lock")):
            os.makedirs(os.path.dirname(lock), exist_ok=True)
            with open(lock, "w", encoding="utf-8"):
                pass
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def drains_with_tasks_in_every_state():
    with World() as w:
        with Daemon(w, "--workers", "3") as daemon:
            in_command = give(w, say(shell("sleep 1")), say(FIX), say(FINISH))
            in_model = give(w, say(FIX, delay_ms=1000), say(FINISH))
            in_check = give(w, say(FIX), say(FINISH), check="sh test.sh || exit 1; sleep 1")
            queued = give(w, say(FIX), say(FINISH))
            tasks = (in_command, in_model, in_check, queued)
            wait_for(lambda: status(w, in_check) in ("verifying", "done"))
            daemon.stop()
        assert "paused" not in [status(w, task) for task in tasks]
        assert rows(w, "SELECT holder FROM leases WHERE holder IS NOT NULL") == []
        assert rows(w, "SELECT * FROM workers") == []
        with Daemon(w):
            for task in tasks:
                wait_for(lambda task=task: status(w, task) == "done")
        for task in tasks:
            assert w.json("tasks", "show", task)["verdict"] == "verified"
            assert not any(r.get("unknown") for r in journal(w, task, "tool.result"))


def a_second_sigterm_leaves_at_once():
    with World() as w:
        with Daemon(w) as daemon:
            task = give(w, say(shell("sleep 5")), say(FIX), say(FINISH))
            wait_for(last_is(w, task, "tool.intent"))
            daemon.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            assert daemon.process.poll() is None
            daemon.process.send_signal(signal.SIGTERM)
            finish(daemon.process, 130, 3)
        assert status(w, task) == "running"
        report = w.json("tasks", "resume", task)
        assert report["verdict"] == "verified"


def a_lost_lease_ends_the_work():
    """Somebody else has the task: the first holder stops and writes nothing more."""
    with World() as w:
        process = start(w, "do", "x", "--check", CHECK, "--model",
                        w.play(say(shell("sleep 60")), say(FIX), say(FINISH)))

        def running():
            try:
                found = rows(w, "SELECT id FROM tasks")
            except Exception:   # the store is not there yet
                return None
            return found and last_is(w, found[0][0], "tool.intent")() and found[0][0]
        task = wait_for(running)
        rows(w, "UPDATE leases SET token = token + 1, holder = 'elsewhere/0/1/1' WHERE task = ?",
             task)
        before = journal(w, task)
        _, err = finish(process, 1, 20)
        assert "lease" in err or "another worker" in err, err
        assert journal(w, task) == before
        assert status(w, task) == "running"
        rows(w, "UPDATE leases SET until_us = 0 WHERE task = ?", task)
        rows(w, "UPDATE tasks SET options = replace(options, 'sleep 60', 'true')")
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def a_lease_from_elsewhere_is_waited_for():
    with World() as w, Daemon(w) as daemon:
        task = give(w, say(shell("sleep 1")), say(FIX), say(FINISH))
        wait_for(last_is(w, task, "tool.intent"))
        daemon.kill()
        rows(w, "UPDATE leases SET holder = 'elsewhere/0/1/1', until_us = ? WHERE task = ?",
             int((time.time() + 4) * 1e6), task)
        w.run("tasks", "resume", task, code=75)
        with Daemon(w):
            time.sleep(1)
            assert status(w, task) == "running"
            wait_for(lambda: status(w, task) == "done", 15)


def do_beside_a_daemon():
    """The daemon takes the work; killed in the middle, the waiting command says what to do."""
    with World() as w:
        with Daemon(w) as daemon:
            process = start(w, "do", "x", "--check", CHECK, "--model",
                            w.play(say(shell("sleep 2")), say(FIX), say(FINISH)))
            task = wait_for(lambda: [r[0] for r in rows(w, "SELECT id FROM tasks")])[0]
            wait_for(last_is(w, task, "tool.intent"))
            daemon.kill()
            out, _ = finish(process, 4, 20)
            assert f"tasks resume {task}" in out, out
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def a_provider_that_is_gone_pauses_the_task():
    with World() as w:
        gone = say(FIX, error={"status": 500, "message": "gone", "times": 50})
        w.write("config.toml", "[llm]\nmax_retries = 0\n")
        w.env["SPARKS_LLM_MAX_RETRIES"] = "0"
        w.run("config", "trust")
        report = w.do(gone, say(FINISH), code=69)
        assert report["status"] == "paused" and report["error"]["code"], report
        w.play_file = rows(w, "SELECT options FROM tasks")[0][0]
        rows(w, "UPDATE tasks SET options = json_set(options, '$.model', ?)",
             w.play(say(FIX), say(FINISH)))
        again = w.json("tasks", "resume", report["task"])
        assert again["verdict"] == "verified" and again["error"] is None


main(killed_with_five_running, nothing_of_a_killed_daemon_lives_on,
     git_locks_of_the_dead_are_in_nobodys_way, drains_with_tasks_in_every_state,
     a_second_sigterm_leaves_at_once, a_lost_lease_ends_the_work,
     a_lease_from_elsewhere_is_waited_for, do_beside_a_daemon,
     a_provider_that_is_gone_pauses_the_task)
