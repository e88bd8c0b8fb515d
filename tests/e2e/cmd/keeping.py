#!/usr/bin/env python3
"""Housekeeping: what is dropped and what stays, copies of the database, the systemd unit."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from world import FINISH, FIX, SPARKS, World, main, say

DAY_US = 86400 * 1000000


def age(world, task, days):
    """As if the task had ended so long ago."""
    db = sqlite3.connect(os.path.join(world.env["SPARKS_HOME"], "store.db"))
    db.execute("UPDATE tasks SET finished_us = finished_us - ? WHERE id = ?", (days * DAY_US, task))
    db.commit()
    db.close()


def copy_of(world, task):
    return os.path.join(world.env["SPARKS_HOME"], "trees", task)


def dropped(result):
    return [(row["task"], row["what"]) for row in result["dropped"]]


def old_copies_go_and_evidence_stays():
    with World() as world:
        old, young = world.fixed(), world.fixed()
        age(world, old, 15)
        before = world.json("tasks", "show", old)
        shown = world.json("tasks", "prune", "--dry-run")
        assert dropped(shown) == [(old, "copies")] and shown["dry_run"], shown
        assert shown["dropped"][0]["bytes"] > 1000
        assert os.path.exists(copy_of(world, old))
        assert dropped(world.json("tasks", "prune")) == [(old, "copies")]
        assert not os.path.exists(copy_of(world, old))
        assert os.path.exists(copy_of(world, young))
        assert world.json("tasks", "show", old) == before
        assert "dropped" in world.run("tasks", "log", old).out
        told = world.run("tasks", "diff", old, code=2).err
        assert "housekeeping" in told and f"sparks/{old}" in told, told
        command = told.split("branch: ")[1].split(";")[0]
        assert "$1 + $2" in subprocess.run(command.split(), cwd=world.repo, env=world.env, check=True,
                                           stdout=subprocess.PIPE).stdout.decode()
        world.run("tasks", "undo", old, code=1)
        assert dropped(world.json("tasks", "prune")) == []


def a_quota_takes_the_oldest_first():
    with World() as world:
        first, second = world.fixed(), world.fixed()
        most = 1 + sum(row["bytes"] for row in world.json(
            "tasks", "prune", second, "--what", "copies", "--dry-run")["dropped"])
        result = world.json("tasks", "prune", "--set", f"keep.copies_bytes={most}", "--what", "copies")
        assert dropped(result) == [(first, "copies")], result
        assert result["dropped"][0]["why"] == "more than the quota"
        world.run("tasks", "diff", second)


def the_only_copy_of_a_result_stays():
    with World(git=False) as world:
        task = world.fixed()
        age(world, task, 1000)
        result = world.json("tasks", "prune", "--what", "copies")
        assert dropped(result) == [] and "apply it" in result["kept"][0]["why"], result
        world.run("tasks", "apply", task)
        assert dropped(world.json("tasks", "prune", "--what", "copies")) == [(task, "copies")]
        assert "$1 + $2" in world.read("calc.sh")


def unfinished_tasks_are_left_alone():
    with World() as world:
        task = world.do({"say": {"error": {"status": 503}, "repeat": True}}, code=69, words=(
            "--set", "llm.max_retries=0"))["task"]
        assert world.json("tasks", "show", task)["status"] == "paused"
        assert dropped(world.json("tasks", "prune", "--older-than", "0")) == []
        assert "cancel it first" in world.run("tasks", "prune", task, code=1).err
        world.run("tasks", "cancel", task)
        assert (task, "copies") in dropped(world.json("tasks", "prune", task))
        assert "housekeeping" in world.run("tasks", "resume", task, code=1).err


def steps_go_and_the_story_stays():
    with World() as world:
        task = world.fixed()
        before = world.json("tasks", "show", task)
        assert dropped(world.json("tasks", "prune", task, "--what", "steps")) == [(task, "steps")]
        assert world.json("tasks", "show", task) == before
        log = world.run("tasks", "log", task).out
        assert "file_edit" not in log and "verified" in log, log
        assert "verified" in world.run("tasks", "explain", task).out
        assert "housekeeping" in world.run("tasks", "export", task, code=1).err
        assert "housekeeping" in world.run("tasks", "replay", task, code=1).err
        world.run("tasks", "apply", task)
        world.run("tasks", "undo", task)


def branches_go_only_when_merged():
    with World() as world:
        task = world.fixed()
        prune = ("tasks", "prune", task, "--what", "branches")
        assert "merge it" in world.json(*prune)["kept"][0]["why"]
        world.git("checkout", "-q", f"sparks/{task}")
        assert "checked out" in world.json(*prune)["kept"][0]["why"]
        world.git("checkout", "-q", "main")
        world.git("merge", "-q", f"sparks/{task}")
        assert dropped(world.json(*prune)) == [(task, "branches")]
        assert world.git("branch", "--list", "sparks/*") == ""
        assert dropped(world.json(*prune)) == []
        other = world.do(say(("file_write", {"path": "more.txt", "content": "x\n"})), say(FINISH))["task"]
        world.git("checkout", "-q", f"sparks/{other}")
        world.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "mine")
        world.git("checkout", "-q", "main")
        result = world.json("tasks", "prune", other, "--what", "branches", "--force")
        assert "went on" in result["kept"][0]["why"], result


def once_a_day_by_itself():
    with World() as world:
        old = world.fixed()
        age(world, old, 30)
        stamp = os.path.join(world.env["SPARKS_HOME"], "tidied")
        os.utime(stamp, (time.time() - 90000,) * 2)
        done = world.run("do", "add must add", "--model", world.play(say(FIX), say(FINISH)),
                         "--check", "sh test.sh")
        assert "housekeeping dropped 1 private copy" in done.err, done.err
        assert not os.path.exists(copy_of(world, old))
        again = world.fixed()
        age(world, again, 30)
        world.fixed()
        assert os.path.exists(copy_of(world, again)), "twice on one day"
        os.utime(stamp, (time.time() - 90000,) * 2)
        world.fixed(words=("--set", "keep.auto=false"))
        assert os.path.exists(copy_of(world, again)), "although it is off"


def backup_and_restore_beside_a_daemon():
    with World() as world:
        first = world.fixed()
        daemon = subprocess.Popen([SPARKS, "up"], env=world.env, cwd=world.folder, stdout=subprocess.PIPE)
        try:
            daemon.stdout.readline()
            path = os.path.join(world.folder, "copy.db")
            assert world.json("store", "backup", path)["bytes"] > 10000
            assert "--force" in world.run("store", "backup", path, code=1).err
            own = os.path.join(world.env["SPARKS_HOME"], "store.db")
            for name in own, own + "-wal":
                assert "is the store itself" in world.run("store", "backup", name, "--force", code=2).err
            assert str(daemon.pid) in world.run("store", "restore", path, code=75).err
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
        second = world.fixed()
        result = world.json("store", "restore", path)
        assert [t["task"] for t in world.json("tasks", "list")] == [first]
        world.run("tasks", "apply", first)
        world.run("store", "restore", result["before"])
        assert {t["task"] for t in world.json("tasks", "list")} == {first, second}
        check = world.json("store", "check")
        assert check["sound"] and check["tasks"] == {"done": 2} and check["copies_bytes"] > 1000, check


def what_is_no_backup_changes_nothing():
    with World() as world:
        task = world.fixed()
        path = os.path.join(world.folder, "other.db")
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE a (b)")
        other.commit()
        other.close()
        assert "another program" in world.run("store", "restore", path, code=77).err
        assert "sparks store backup" in world.run("store", "restore", os.path.join(world.folder, "missing"), code=2).err
        assert [t["task"] for t in world.json("tasks", "list")] == [task]


def a_damaged_store_is_told():
    with World() as world:
        world.fixed()
        path = os.path.join(world.env["SPARKS_HOME"], "store.db")
        sqlite3.connect(path).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(path, "r+b") as file:
            file.seek(4096 * 3)
            file.write(b"\x5a" * 4096)
        assert "damaged" in world.run("store", "check", code=1).err


def the_unit_is_one_that_systemd_takes():
    with World() as world:
        world.env["XDG_CONFIG_HOME"] = os.path.join(world.folder, "with space%")
        unit = world.json("up", "--install", "--no-start", "--workers", "3")["unit"]
        with open(unit, encoding="utf-8") as file:
            text = file.read()
        assert f'ExecStart="{SPARKS}" up --workers 3\n' in text, text
        assert f'Environment="SPARKS_HOME={world.env["SPARKS_HOME"]}"\n' in text, text
        if shutil.which("systemd-analyze"):
            done = subprocess.run(["systemd-analyze", "verify", "--user", "--man=no", unit],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={
                                      **world.env, "XDG_RUNTIME_DIR": world.folder})
            lines = [l for l in done.stdout.decode().splitlines() if "sparks.service" in l]
            assert not lines, lines
        world.run("up", "--install", "--no-start")
        world.run("up", "--uninstall")
        assert not os.path.exists(unit)
        world.run("up", "--uninstall", code=2)
        world.write("mine", "[Service]\n")
        shutil.copy(os.path.join(world.repo, "mine"), unit)
        world.run("up", "--install", "--no-start", code=1)
        world.run("up", "--uninstall", code=1)
        assert os.path.exists(unit)


main(old_copies_go_and_evidence_stays, a_quota_takes_the_oldest_first, the_only_copy_of_a_result_stays,
     unfinished_tasks_are_left_alone, steps_go_and_the_story_stays, branches_go_only_when_merged,
     once_a_day_by_itself, backup_and_restore_beside_a_daemon, what_is_no_backup_changes_nothing,
     a_damaged_store_is_told, the_unit_is_one_that_systemd_takes)
