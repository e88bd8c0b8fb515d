#!/usr/bin/env python3
"""`sparks demo`: kept promises, and a loud failure when one is not kept.

usage: demo.py SPARKS      (prints TAP)"""
import json
import os
import shutil
import subprocess
import time

from world import SPARKS, World, main

PROOFS = ["network", "secret", "verdict", "apply", "undo"]


def beside(name):
    """Our sandbox program: in the build folder, or installed."""
    top = os.path.dirname(SPARKS)
    places = [os.path.join(top, name), os.path.join(top, "box", "helper", name),
              os.path.join(top, "..", "libexec", "sparks", name)]
    return next(place for place in places if os.path.exists(place))


def the_first_minute():
    with World() as w:
        began = time.monotonic()
        done = w.run("demo", cwd=w.folder)
        assert time.monotonic() - began < 15
        for part in ("scripted", "✗ before", "✓ after", "exit 1", "exit 0", "+\t{ [", "Type next:",
                     "every file is as before", "cost    0"):
            assert part in done.out, done.out
        assert len([line for line in done.out.splitlines() if line.startswith("  ✓")]) >= 10
        assert "\x1b" not in done.out + done.err
        assert not os.path.exists(os.path.join(w.folder, "home"))
        assert not os.path.exists(os.path.join(w.folder, ".sparks"))


def as_json():
    with World() as w:
        report = w.json("demo")
        assert report["ok"] and [p["id"] for p in report["proofs"]] == PROOFS
        assert all(p["ok"] for p in report["proofs"])
        assert report["task"]["verdict"] == "verified" and report["model"] == "scripted"


def needs_no_home_and_no_configuration():
    with World() as w:
        w.write("config.toml", "this is = not [ toml")
        w.env.update(HOME="/nonexistent", SPARKS_HOME="/nonexistent/sparks",
                     http_proxy="http://127.0.0.1:9")
        w.run("demo")


def a_broken_promise_fails_loudly():
    """With the demo's folder below /usr, which the box shows to everybody, the secret is read."""
    with World() as w:
        script = 'mount -t tmpfs none /usr/local && TMPDIR=/usr/local exec "$0" demo --json'
        inside = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-r", "-m"]
        sparks = os.path.join(w.folder, "sparks")   # SPARKS may lie below /usr/local itself
        shutil.copy(SPARKS, sparks)
        env = dict(w.env, SPARKS_BOX=w.env.get("SPARKS_BOX", beside("sparks-box")))
        done = subprocess.run([*inside, "sh", "-c", script, sparks], env=env, cwd=w.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        report = json.loads(done.stdout)
        assert done.returncode == 1 and not report["ok"]
        assert [p["id"] for p in report["proofs"] if not p["ok"]] == ["secret"]
        assert b"THE DEMO FAILED" in done.stderr and b"NOT STOPPED" in done.stderr


def keep_leaves_the_folder():
    with World() as w:
        w.env["TMPDIR"] = w.folder
        w.run("demo", "--keep")
        kept = [name for name in os.listdir(w.folder) if name.startswith("sparks-demo-")]
        assert len(kept) == 1
        repo = os.path.join(w.folder, kept[0], "repo")
        with open(os.path.join(repo, "notes.txt"), encoding="utf-8") as file:
            assert file.read()
        log = subprocess.run(["git", "-C", repo, "log", "--all", "--format=%s"], env=w.env,
                             check=True, stdout=subprocess.PIPE).stdout.decode()
        assert "Leap years" in log


def prepared_for_others():
    with World() as w:
        where = os.path.join(w.folder, "demo")
        w.run("demo", "--prepare", where)
        with open(os.path.join(where, "command"), encoding="utf-8") as file:
            words = json.load(file)
        # by hand nobody has said beforehand that it may try to reach the network
        report = w.json(*words, code=4)
        assert "/dev/tcp" in report["reason"] and w.json("approvals", "list")[0]["rule"] == "taint.egress", report
        report = w.json("approvals", "deny", w.json("approvals", "list")[0]["id"], "--resume")
        report = w.json("tasks", "show", w.json("tasks", "list")[0]["task"])
        assert report["verdict"] == "verified"
        assert w.json("tasks", "replay", report["task"])["same"]


def a_reader_that_goes_away():
    with World() as w:
        done = subprocess.run(["sh", "-c", '"$0" demo | head -n 1', SPARKS], env=w.env,
                              cwd=w.folder, stdout=subprocess.PIPE, timeout=60, check=True)
        assert done.stdout.startswith(b"Sparks")


main(the_first_minute, as_json, needs_no_home_and_no_configuration,
     a_broken_promise_fails_loudly, keep_leaves_the_folder, prepared_for_others, a_reader_that_goes_away)
