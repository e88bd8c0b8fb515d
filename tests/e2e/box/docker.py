#!/usr/bin/env python3
"""Containers of a real engine, one command each: dockerd, or podman's compatible service. TAP.

usage: docker.py --box-run PROGRAM --helper PROGRAM --sparks PROGRAM [--podman | --podman-rootless]
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

import engine

USER = 12345    # some ordinary user; needs no entry in passwd


class Case:
    def __init__(self, args, its_engine):
        self.engine, self.args = its_engine, args
        self.work, self.home = its_engine.top + "/work", its_engine.top + "/home"
        self.prefix = its_engine.prefix() if its_engine.user else []
        for folder in (self.work, self.home):
            os.makedirs(folder, exist_ok=True)
            if its_engine.user:
                os.chown(folder, its_engine.user, its_engine.user)
        # where an ordinary user can reach them
        self.box_run, self.sparks, helper = (shutil.copy(one, its_engine.top)
                                             for one in (args.box_run, args.sparks, args.helper))
        self.env = dict(os.environ, SPARKS_BOX=helper, SPARKS_HOME=self.home)

    def popen(self, words, **more):
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": "/", **more}
        return subprocess.Popen(self.prefix + words, env=self.env, **more)

    def start(self, script, *options):
        return self.popen([self.box_run, *self.engine.settings(engine.SMALL), "--work", self.work,
                           "--facts", *options, "--", "sh", "-c", script])

    def run(self, script, *options):
        done = self.start(script, *options)
        out, err = done.communicate(timeout=60)
        facts = [json.loads(x) for x in err.splitlines() if x.startswith("{")]
        return done.returncode, out, facts[0] if facts else err

    def sandbox(self, *words, **more):
        """`sparks sandbox run`: exit code, stdout, stderr; `input` goes in."""
        given = more.pop("input", None)
        done = self.popen([self.sparks, "sandbox", "run", *self.engine.settings(engine.SMALL),
                           "--dir", self.work, *words], stdin=subprocess.PIPE, text=False, **more)
        out, err = done.communicate(given, timeout=60)
        return done.returncode, out, err.decode()


def code_and_output_in_order(c):
    code, out, facts = c.run("echo out; echo err >&2; echo end; exit 3")
    assert (code, out) == (3, "out\nerr\nend\n"), (code, out, facts)
    assert facts["tier"] == "docker" and facts["rss_max"] > 0, facts


def only_the_work_is_writable(c):
    code, out, _ = c.run("echo x >/workspace/x; echo y >/y; echo z >/.sparks/z; id; exit 0")
    assert code == 0 and open(c.work + "/x").read() == "x\n", out
    assert out.count("Read-only file system") + out.count("Permission denied") == 2, out


def no_capability_and_no_network(c):
    _, out, _ = c.run("grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; "
                      "ls /sys/class/net")
    assert "CapEff:\t0000000000000000" in out and "NoNewPrivs:\t1" in out, out
    assert out.split()[-1] == "lo", out


def time_runs_out(c):
    code, out, facts = c.run("echo a; sleep 60", "--timeout-ms", "800")
    assert code == 124 and facts["timed_out"] and out == "a\n", (code, out, facts)
    assert facts["seconds"] < 5, facts


def refused_calls_are_counted(c):
    """Told at once, in the middle of the command's own output, which must not show it."""
    code, out, facts = c.run("printf half; linux32 true 2>/dev/null; printf ' line'; "
                             "linux32 true 2>/dev/null; mount -t tmpfs t /tmp 2>/dev/null; exit 4")
    assert (code, out) == (4, "half line"), (code, out, facts)
    # what the engine refuses by itself, mount for one, is not ours to see
    assert {"call": "personality", "times": 2} in facts["refused"], facts
    assert "engine" in facts["untold"], facts


def the_supervisor_is_out_of_reach_or_missed(c):
    # Landlock scopes signals from its version 6 on; before, all of it is killed and seen to be
    code, _, facts = c.run("kill -9 -1; exit 7")
    assert (code, facts["signal"]) in ((7, 0), (137, 9)), (code, facts)


def a_missing_image_is_named(c):
    code, _, why = c.run("true", "--set", "docker.image=no-such:1")
    assert code == 125 and "no-such:1" in why and "docker pull" in why, why


def an_unknown_runtime_is_named(c):
    code, _, why = c.run("true", "--set", "docker.runtime=runsc-not-here")
    assert code == 125 and "runsc-not-here" in why, why


def a_killed_program_leaves_no_container(c):
    running = c.start("sleep 60")
    for _ in range(100):
        if c.engine.containers():
            break
        time.sleep(0.1)
    time.sleep(0.5)
    assert len(c.engine.containers()) == 1
    running.kill()
    running.communicate()
    for _ in range(100):
        if not c.engine.containers():
            return
        time.sleep(0.1)
    raise AssertionError(c.engine.containers())


def input_goes_in_to_its_end(c):
    text = os.urandom(3 << 20)
    assert c.sandbox("--", "cat", input=text)[:2] == (0, text)
    assert c.sandbox("--", "wc", "-c", input=b"x" * 1000000)[1].strip() == b"1000000"
    assert c.sandbox("--", "cat", input=b"")[:2] == (0, b"")
    # one that reads none, or not to the end, ends all the same
    assert c.sandbox("--", "true", input=text)[0] == 0
    assert c.sandbox("--", "head", "-c", "3", input=text)[:2] == (0, text[:3])
    assert c.sandbox("--json", "--", "sh", "-c", "read x; echo got $x", input=b"it\n")[1].count(b"got it") == 1


def input_and_time(c):
    done = c.popen([c.sparks, "sandbox", "run", *c.engine.settings(engine.SMALL), "--set",
                    "docker.timeout_secs=1", "--dir", c.work, "--", "cat"], stdin=subprocess.PIPE)
    begun = time.monotonic()
    code = done.wait(30)    # nothing was ever said
    assert code == 124 and time.monotonic() - begun < 20, (code, done.stderr.read())
    done.communicate()


def an_engine_that_goes_is_told(c):
    """In the middle of a command; and the next one goes on with the engine that comes back."""
    running = c.start("echo begun; sleep 60")
    for _ in range(100):
        if any(one["State"] == "running" for one in c.engine.containers()):
            break
        time.sleep(0.1)
    time.sleep(1)
    c.engine.kill()
    _, why = running.communicate(timeout=60)
    assert running.returncode == 125 and "engine" in why and c.engine.socket in why, (running.returncode, why)
    code, _, why = c.run("true")
    assert code == 125 and "no container engine answers" in why, (code, why)
    c.engine.start()
    assert c.engine.answers(), c.engine.last_words()
    code, out, why = c.run("echo again")
    assert (code, out) == (0, "again\n"), (code, out, why)


def an_image_that_is_removed_is_named(c):
    c.engine.add_image("sparks-gone:1", engine.small_image())
    name = c.engine.image_name("sparks-gone:1")
    assert c.run("true", "--set", "docker.image=" + name)[0] == 0
    c.engine.call("DELETE", f"/images/{name}?force=1")
    code, _, why = c.run("true", "--set", "docker.image=" + name)
    assert code == 125 and name in why and "docker pull" in why, why


def what_is_claimed_is_tried(c):
    def told(*words):
        done = c.popen([c.sparks, *words, *c.engine.settings(engine.SMALL)])
        out, err = done.communicate(timeout=60)
        assert done.returncode == 0, (words, out, err)
        return out

    assert "0 got through" in told("sandbox", "probe")
    out = told("doctor", "--security")
    assert "268.4 MB (a box with less was held to it)" in out and "0.5 processors" in out and "0 got through" in out, out


def a_full_disk_is_told(c):
    small = engine.SmallDocker()
    try:
        assert small.answers(), small.last_words()
        small.add_image(engine.SMALL, engine.small_image())
        case = Case(c.args, small)
        assert case.run("true")[0] == 0
        small.fill()
        code, _, why = case.run("true")
        assert code == 125 and "disk_full" in why and "docker system df" in why, (code, why)
    finally:
        small.close()


def a_runtime_of_the_engine_is_used(c):
    one = engine.RuntimeDocker()
    try:
        assert one.answers(), one.last_words()
        one.add_image(engine.SMALL, engine.small_image())
        case = Case(c.args, one)
        assert case.run("echo plain")[:2] == (0, "plain\n") and one.called() == [], one.called()
        code, out, why = case.run("echo in it; echo x >new", "--set", "docker.runtime=runsc")
        assert (code, out) == (0, "in it\n") and os.path.exists(case.work + "/new"), (code, out, why)
        assert {"create", "start", "exec"} <= set(one.called()), one.called()
        told = subprocess.run([case.sparks, "sandbox", "explain", "--json", *one.settings(engine.SMALL), "--set", "docker.runtime=runsc"],
                              capture_output=True, env=case.env, cwd="/", check=True).stdout
        assert ", runtime runsc;" in json.loads(told)["describe"], told
    finally:
        one.close()


def nothing_is_left_behind(c):
    assert c.run("true")[0] == 0    # what the killed one left goes now
    assert c.engine.containers() == [] and c.engine.volumes() == [], (c.engine.containers(), c.engine.volumes())
    assert os.listdir(c.home + "/boxes") == [], os.listdir(c.home + "/boxes")


TESTS = [code_and_output_in_order, only_the_work_is_writable, no_capability_and_no_network,
         time_runs_out, refused_calls_are_counted, the_supervisor_is_out_of_reach_or_missed, input_goes_in_to_its_end, input_and_time,
         a_missing_image_is_named, an_unknown_runtime_is_named, an_image_that_is_removed_is_named,
         what_is_claimed_is_tried, a_killed_program_leaves_no_container, a_full_disk_is_told, a_runtime_of_the_engine_is_used,
         an_engine_that_goes_is_told, nothing_is_left_behind]
DOCKER_ONLY = [a_full_disk_is_told, a_runtime_of_the_engine_is_used]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--box-run", required=True)
    parser.add_argument("--helper", required=True)
    parser.add_argument("--sparks", required=True)
    parser.add_argument("--podman", action="store_true")
    parser.add_argument("--podman-rootless", action="store_true")
    args = parser.parse_args()
    kind = engine.Podman if args.podman or args.podman_rootless else engine.Docker
    if kind.lacks():
        print("1..0 # SKIP", kind.lacks())
        return 0
    one, failed = kind(USER if args.podman_rootless else None), 0
    try:
        if not one.answers():
            print("1..0 # SKIP the engine cannot start here:", one.last_words())
            return 0
        one.add_image(engine.SMALL, engine.small_image())
        tests = [test for test in TESTS if kind is engine.Docker or test not in DOCKER_ONLY]
        print("1..%d" % len(tests))
        for i, test in enumerate(tests, 1):
            try:
                test(Case(args, one))
                print("ok %d - %s" % (i, test.__name__), flush=True)
            except Exception as problem:  # all of them are told
                failed = 1
                print("# %r" % problem)
                print("not ok %d - %s" % (i, test.__name__), flush=True)
    finally:
        one.close()
    return failed


sys.exit(main())
