#!/usr/bin/env python3
"""A disk that is full, a store that is locked: a clear error, nothing acknowledged lost, and
the task goes on when there is room again.

usage: disk.py SPARKS      (prints TAP). SPARKS_HOME is a small tmpfs in a mount namespace."""
import os
import shutil
import sqlite3
import subprocess
import sys
import time

from holders import (CHECK, FINISH, FIX, Daemon, World, finish, give, journal, last_is, main, rows,
                     say, shell, start, status, wait_for)

INSIDE = "SPARKS_TEST_MOUNTS"


def enter_namespace():
    """Runs this program again where it may mount."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", *user, "--mount", sys.executable, *sys.argv])


class SmallWorld(World):
    """Its SPARKS_HOME has `kib` KiB."""

    def __init__(self, kib):
        super().__init__()
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.home)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=0700", "none", self.home],
                       check=True)

    def __exit__(self, *args):
        subprocess.run(["umount", "-l", self.home], check=True)
        super().__exit__(*args)

    def fill(self):
        return fill(self.home)


def fill(folder):
    """Leaves no byte; the file that takes them all."""
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return path


def intact(w):
    db = sqlite3.connect(os.path.join(w.home, "store.db"))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def full_in_the_middle():
    with SmallWorld(6000) as w:
        process = start(w, "do", "add must add", "--check", CHECK, "--model",
                        w.play(say(shell("sleep 2; echo x > new.txt")), say(FIX), say(FINISH)))
        task = wait_for(lambda: running(w))
        ballast = w.fill()
        acknowledged = journal(w, task)
        out, err = finish(process, 75)
        assert "space" in err or "full" in err, err
        assert f"sparks tasks resume {task}" in out, out
        os.unlink(ballast)
        intact(w)
        assert journal(w, task)[:len(acknowledged)] == acknowledged
        assert status(w, task) in ("running", "paused"), status(w, task)
        report = w.json("tasks", "resume", task)
        assert report["verdict"] == "verified" and report["error"] is None, report


def running(w):
    try:
        found = rows(w, "SELECT id FROM tasks")
    except sqlite3.Error:   # not there yet
        return None
    return found and last_is(w, found[0][0], "tool.intent")() and found[0][0]


def full_before_the_copy():
    with SmallWorld(6000) as w:
        w.run("tasks", "list")
        w.write("big.bin", "x" * 8_000_000)
        done = w.run("do", "x", "--check", CHECK, "--model", w.play(say(FIX), say(FINISH)),
                     code=75)
        assert "space" in done.err, done.err
        os.unlink(os.path.join(w.repo, "big.bin"))
        (task,), = rows(w, "SELECT id FROM tasks")
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def full_from_the_start():
    with SmallWorld(6000) as w:
        w.fill()
        done = w.run("do", "x", "--model", w.play(say(FINISH)), code=75)
        assert "space" in done.err or "full" in done.err, done.err


def a_repository_without_room():
    """The result of finished work is kept until the repository takes it."""
    with World() as w:
        objects = os.path.join(w.repo, ".git", "objects")
        shutil.copytree(objects, os.path.join(w.folder, "objects"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2000k", "none", objects], check=True)
        try:
            shutil.copytree(os.path.join(w.folder, "objects"), objects, dirs_exist_ok=True)
            ballast = fill(objects)
            done = w.run("do", "x", "--check", CHECK, "--model", w.play(say(FIX), say(FINISH)),
                         code=75)
            (task,), = rows(w, "SELECT id FROM tasks")
            assert "space" in done.out and f"sparks tasks resume {task}" in done.out, done
            os.unlink(ballast)
            report = w.json("tasks", "resume", task)
            assert report["verdict"] == "verified" and report["error"] is None, report
            assert w.git("rev-parse", f"sparks/{task}").strip() == report["commit"]
        finally:
            subprocess.run(["umount", "-l", objects], check=True)


def a_daemon_waits_for_room():
    """It neither ends nor spins, and goes on by itself."""
    with SmallWorld(6000) as w, Daemon(w) as daemon:
        task = give(w, say(shell("sleep 2; echo x > new.txt")), say(FIX), say(FINISH))
        wait_for(last_is(w, task, "tool.intent"))
        ballast = w.fill()
        time.sleep(4)
        assert daemon.process.poll() is None
        before = cpu(daemon)
        time.sleep(2)
        assert cpu(daemon) - before < 0.2
        os.unlink(ballast)
        if status(w, task) == "paused":
            w.run("tasks", "resume", task)
        wait_for(lambda: status(w, task) == "done", 45)
        intact(w)


def cpu(daemon):
    with open(f"/proc/{daemon.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def a_locked_store():
    """Another program holds the store for longer than we wait."""
    with World() as w:
        w.fixed()
        db = sqlite3.connect(os.path.join(w.folder, "home", "store.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        done = w.run("do", "x", "--model", w.play(say(FINISH)), code=75)
        assert "lock" in done.err or "busy" in done.err, done.err
        w.run("tasks", "list")   # readers don't mind
        db.execute("ROLLBACK")
        db.close()
        w.fixed()


def locked_in_the_middle():
    """For less than we wait: nobody notices."""
    with World() as w, Daemon(w):
        task = give(w, say(shell("sleep 1")), say(FIX), say(FINISH))
        wait_for(last_is(w, task, "tool.intent"))
        db = sqlite3.connect(os.path.join(w.folder, "home", "store.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        time.sleep(3)
        db.execute("ROLLBACK")
        db.close()
        wait_for(lambda: status(w, task) == "done")
        assert not any(r.get("unknown") for r in journal(w, task, "tool.result"))


if INSIDE not in os.environ:
    enter_namespace()
main(full_in_the_middle, full_before_the_copy, full_from_the_start, a_repository_without_room,
     a_daemon_waits_for_room, a_locked_store, locked_in_the_middle)
