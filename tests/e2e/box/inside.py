#!/usr/bin/env python3
"""Sparks in a container of Docker's default profile, which forbids namespaces: it says so, and
works all the same. Prints TAP.

usage: inside.py SPARKS HELPER"""
import os
import shutil
import subprocess
import sys
import tempfile

import engine

IMAGE = "sparks-test-skeleton:1"


def skeleton():
    """Folders and links for the /usr of this machine to be mounted on."""
    with tempfile.TemporaryDirectory() as top:
        for name in ("usr", "etc", "tmp", "home", "opt"):
            os.mkdir(f"{top}/{name}")
        os.chmod(top + "/tmp", 0o1777)
        os.chmod(top + "/home", 0o1777)
        for name in ("bin", "sbin", "lib", "lib64"):
            os.symlink("usr/" + name, f"{top}/{name}")
        for name in ("passwd", "group"):
            shutil.copy("/etc/" + name, top + "/etc/")
        shutil.copytree("/etc/alternatives", top + "/etc/alternatives", symlinks=True)
        return subprocess.run(["tar", "-C", top, "--owner=0", "--group=0", "-c", "."], capture_output=True,
                              check=True).stdout


class Inside:
    def __init__(self, docker, user):
        self.docker, self.user = docker, user

    def run(self, script):
        """Exit code, and what it wrote."""
        made = self.docker.json("POST", "/containers/create", {
            "Image": IMAGE, "Cmd": ["sh", "-c", script], "User": self.user, "Tty": True, "WorkingDir": "/home",
            "Env": ["HOME=/home", "PATH=/opt:/usr/sbin:/usr/bin", "SPARKS_BOX=/opt/sparks-box", "NO_COLOR=1",
                    "LC_ALL=C.UTF-8", "SPARKS_HOME=/home/.sparks"],
            "HostConfig": {"NetworkMode": "none", "Binds": ["/usr:/usr:ro", self.docker.top + "/opt:/opt:ro"]}})
        where = "/containers/" + made["Id"]
        self.docker.call("POST", where + "/start")
        code = self.docker.json("POST", where + "/wait", timeout=120)["StatusCode"]
        text = self.docker.call("GET", where + "/logs?stdout=1&stderr=1").decode()
        self.docker.call("DELETE", where + "?force=1")
        return code, text


def the_tier_and_what_it_lacks_are_named(inside):
    _, text = inside.run("stty cols 200 2>/dev/null; sparks sandbox probe")
    words = " ".join(text.split())
    assert words.startswith("landlock: no namespaces") and "weaker because: user namespace" in words, text
    through = [line for line in text.splitlines() if line.strip().startswith("OPEN")]
    assert len(through) == 1 and "leak.identity" in through[0], text


def the_demo_runs(inside):
    code, text = inside.run("sparks demo")
    assert code == 0 and "verdict" in text and "every file is as before" in text, text


def no_less_than_native_is_refused(inside):
    code, text = inside.run("mkdir /tmp/d; sparks sandbox run --dir /tmp/d --set box.require_tier=native -- touch x;"
                            " echo code $?; ls /tmp/d")
    assert "code 125" in text and "user namespace" in text and text.split()[-1] == "125", (code, text)


def main():
    if engine.Docker.lacks():
        print("1..0 # SKIP", engine.Docker.lacks())
        return 0
    docker, failed, number = engine.Docker(), 0, 0
    tests = (the_tier_and_what_it_lacks_are_named, the_demo_runs, no_less_than_native_is_refused)
    try:
        if not docker.answers():
            print("1..0 # SKIP dockerd cannot start here: " + docker.last_words())
            return 0
        os.mkdir(docker.top + "/opt")
        for path, name in zip(sys.argv[1:3], ("sparks", "sparks-box")):
            shutil.copy(path, f"{docker.top}/opt/{name}")
        docker.add_image(IMAGE, skeleton())
        print(f"1..{2 * len(tests)}")
        for user in ("0:0", "12345:12345"):
            for test in tests:
                number += 1
                try:
                    test(Inside(docker, user))
                    print(f"ok {number} - {test.__name__} {user}", flush=True)
                except Exception as problem:    # all of them are told
                    failed = 1
                    print("# " + str(problem).replace("\n", "\n# ") + f"\nnot ok {number} - {test.__name__} {user}", flush=True)
    finally:
        docker.close()
    return failed


sys.exit(main())
