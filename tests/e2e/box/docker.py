#!/usr/bin/env python3
"""Containers of a real engine: dockerd with its own socket and data. Prints TAP.

usage: docker.py --box-run PROGRAM --helper PROGRAM --sparks PROGRAM
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

APPLETS = "sh sleep echo true cat id kill ls touch setsid grep".split()


class Engine:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="sparks-docker-")
        self.socket = self.top + "/d.sock"
        self.log = open(self.top + "/log", "w")
        self.process = subprocess.Popen(
            ["dockerd", "--host", "unix://" + self.socket, "--data-root", self.top + "/data",
             "--exec-root", self.top + "/exec", "--pidfile", self.top + "/pid", "--iptables=false",
             "--bridge=none", "--storage-driver", "vfs",
             "--exec-opt", "native.cgroupdriver=cgroupfs"], stdout=self.log, stderr=self.log)

    def call(self, *words, **more):
        return subprocess.run(["curl", "-sf", "--unix-socket", self.socket, *words],
                              capture_output=True, check=False, **more).stdout

    def answers(self):
        for _ in range(300):
            if self.call("http://d/_ping") == b"OK":
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.1)
        return False

    def make_image(self):
        os.makedirs(self.top + "/image/bin")
        shutil.copy("/bin/busybox", self.top + "/image/bin/busybox")
        for name in APPLETS:
            os.symlink("busybox", self.top + "/image/bin/" + name)
        tar = subprocess.run(["tar", "-C", self.top + "/image", "-c", "."], capture_output=True,
                             check=True).stdout
        self.call("-X", "POST", "-H", "Content-Type: application/x-tar", "--data-binary", "@-",
                  "http://d/images/create?fromSrc=-&repo=sparks-test&tag=1", input=tar)

    def containers(self):
        return json.loads(self.call("http://d/containers/json?all=1"))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        subprocess.run(["rm", "-rf", "--one-file-system", self.top], check=False)


class Case:
    def __init__(self, args, engine):
        self.engine, self.args = engine, args
        self.work = engine.top + "/work"
        os.makedirs(self.work, exist_ok=True)

    def start(self, script, *options):
        words = [self.args.box_run, "--set", "box.backend=docker", "--set",
                 "docker.socket_path=" + self.engine.socket, "--set",
                 "docker.image=sparks-test:1", "--work", self.work, "--facts", *options, "--",
                 "sh", "-c", script]
        env = dict(os.environ, SPARKS_BOX=self.args.helper,
                   SPARKS_HOME=self.engine.top + "/home")
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                text=True)

    def run(self, script, *options):
        done = self.start(script, *options)
        out, err = done.communicate(timeout=60)
        facts = [json.loads(x) for x in err.splitlines() if x.startswith("{")]
        return done.returncode, out, facts[0] if facts else err


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


def a_whole_task_is_verified(c):
    play = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../play/fix-bug.play")
    with open(play) as f:
        head = json.loads(f.readline())
    repo = c.engine.top + "/repo"
    os.mkdir(repo)
    for name, text in head["repo"]["files"].items():
        with open(repo + "/" + name, "w") as f:
            f.write(text)
    done = subprocess.run(
        [os.path.abspath(c.args.sparks), "do", head["goal"], "--model", "script:" + play, "--check",
         "sh test_calc.sh", "--json", "--set", "box.backend=docker", "--set",
         "docker.socket_path=" + c.engine.socket, "--set", "docker.image=sparks-test:1"],
        cwd=repo, capture_output=True, text=True, timeout=60, check=False,
        env=dict(os.environ, SPARKS_BOX=os.path.abspath(c.args.helper),
                 SPARKS_HOME=c.engine.top + "/home"))
    report = json.loads(done.stdout)
    assert (report["verdict"], report["tier"]) == ("verified", "docker"), done


def nothing_is_left_behind(c):
    assert c.engine.containers() == [], c.engine.containers()


TESTS = [code_and_output_in_order, only_the_work_is_writable, no_capability_and_no_network,
         time_runs_out, the_supervisor_is_out_of_reach_or_missed, a_missing_image_is_named,
         an_unknown_runtime_is_named, a_killed_program_leaves_no_container,
         a_whole_task_is_verified, nothing_is_left_behind]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--box-run", required=True)
    parser.add_argument("--helper", required=True)
    parser.add_argument("--sparks", required=True)
    args = parser.parse_args()
    if os.getuid() != 0 or not all(map(shutil.which, ("dockerd", "curl", "busybox"))):
        print("1..0 # SKIP needs root, dockerd, curl and busybox")
        return 0
    engine, failed = Engine(), 0
    try:
        if not engine.answers():
            print("1..0 # SKIP dockerd cannot start here: " +
                  open(engine.top + "/log").read().strip().splitlines()[-1])
            return 0
        engine.make_image()
        print("1..%d" % len(TESTS))
        for i, test in enumerate(TESTS, 1):
            try:
                test(Case(args, engine))
                print("ok %d - %s" % (i, test.__name__), flush=True)
            except Exception as problem:  # all of them are told
                failed = 1
                print("# %r" % problem)
                print("not ok %d - %s" % (i, test.__name__), flush=True)
    finally:
        engine.close()
    return failed


sys.exit(main())
