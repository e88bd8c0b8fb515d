#!/usr/bin/env python3
"""`sparks up --install` under a real systemd: an ordinary user's manager, started here in
namespaces of its own.

usage: systemd.py SPARKS      (prints TAP; needs root, for the namespaces and the user)"""
import contextlib
import os
import shutil
import subprocess
import sys
import time

MANAGER = "/lib/systemd/systemd"
GROUPS = "/sys/fs/cgroup"
UID = 61234
OUTSIDE = "SPARKS_TEST_MANAGER" not in os.environ

if not OUTSIDE:
    from model_server import server_of
    from world import CHECK, SPARKS, World, main


def hierarchies():
    """Where a manager looks for its groups: one tree, or systemd's own beside the others."""
    if os.path.exists(GROUPS + "/cgroup.procs"):
        return [GROUPS]
    return [path for path in (GROUPS + "/systemd", GROUPS + "/unified") if os.path.isdir(path)]


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists(MANAGER) or not shutil.which("systemctl"):
        return "needs the package systemd"
    if not hierarchies():
        return "needs control groups"
    try:
        for path in hierarchies():
            os.mkdir(f"{path}/sparks-try-{os.getpid()}")
            os.rmdir(f"{path}/sparks-try-{os.getpid()}")
    except OSError as error:
        return f"control groups cannot be written: {error}"
    return None


def in_namespaces():
    """Runs this file again as the first process of namespaces, in control groups of its own."""
    folders = [f"{path}/sparks-test-{os.getpid()}" for path in hierarchies()]
    for folder in folders:
        os.mkdir(folder)
    try:
        os.environ["SPARKS_TEST_MANAGER"] = ":".join(folders)
        return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                               "--mount-proc", sys.executable, *sys.argv], check=False,
                              timeout=200).returncode
    finally:
        for folder in folders:
            for inner, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(inner)


# --- inside ---------------------------------------------------------------------------------

def as_user(*words, env, code=0):
    words = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *words]
    done = subprocess.run(words, env=env, cwd=env["HOME"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          check=False)
    assert code is None or done.returncode == code, (words, done.returncode, done.stdout)
    return done.stdout.decode()


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


class Manager:
    """The user's own manager, with a home and a repository of the world's."""

    def __init__(self, w):
        self.w = w
        self.runtime = f"/run/user/{UID}"
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": w.folder,
                    "XDG_RUNTIME_DIR": self.runtime, "LC_ALL": "C.UTF-8",
                    "SPARKS_HOME": w.env["SPARKS_HOME"],
                    **{k: v for k, v in w.env.items() if k == "SPARKS_BOX"}}
        w.env.clear()
        w.env.update(self.env)
        shutil.rmtree("/run/user", ignore_errors=True)
        os.makedirs(self.runtime, mode=0o700)
        for path in (self.runtime, w.folder):
            subprocess.run(["chown", "-R", f"{UID}:{UID}", path], check=True)
        os.chmod(w.folder, 0o755)

    def __enter__(self):
        self.manager = subprocess.Popen(
            ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", MANAGER, "--user",
             "--log-target=null"], env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.runtime + "/systemd/private"))
        return self

    def __exit__(self, *_):
        with contextlib.suppress(AssertionError):
            self.ctl("exit")
        try:
            self.manager.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.manager.kill()
            self.manager.wait()

    def ctl(self, *words, code=0):
        return as_user("systemctl", "--user", *words, env=self.env, code=code)

    def show(self, name):
        return self.ctl("show", "--value", "-P", name, "sparks").strip()

    def sparks(self, *words, code=0):
        return as_user(SPARKS, *words, env=self.env, code=code)

    def edit(self, old, new):
        path = os.path.join(self.w.folder, ".config/systemd/user/sparks.service")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert old in text
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
        self.ctl("daemon-reload")

    def config(self, text):
        home = self.w.env["SPARKS_HOME"]
        os.makedirs(home, mode=0o700, exist_ok=True)
        with open(home + "/config.toml", "w", encoding="utf-8") as file:
            file.write(text)
        for path in (home, home + "/config.toml"):
            os.chown(path, UID, UID)
            os.chmod(path, os.stat(path).st_mode & ~0o022)

    def groups(self):
        with open(f"/proc/{self.show('MainPID')}/cgroup", encoding="utf-8") as file:
            return file.read()


def started_is_ready_and_stopped_is_gone():
    with World() as w, Manager(w) as m:
        assert "and started it" in m.sparks("up", "--install", "--workers", "2")
        assert m.show("ActiveState") == "active" and m.show("Delegate") == "yes"
        # at once: what only had been executed would not have announced itself yet
        assert os.path.exists(w.env["SPARKS_HOME"] + "/up.json")
        assert "sparks.service" in m.groups()
        assert m.show("MainPID") in m.sparks("up", code=75)
        assert "removed" in m.sparks("up", "--uninstall")
        assert m.ctl("is-active", "sparks", code=None).strip() == "inactive"
        assert not os.path.exists(w.env["SPARKS_HOME"] + "/up.json")


def one_that_cannot_start_is_told_and_left_alone():
    with World() as w, Manager(w) as m:
        m.config("up.workers = \"many\"\n")
        said = m.sparks("up", "--install", code=1)
        assert "systemd did not start it" in said and "status sparks" in said, said
        assert m.show("NRestarts") == "0" and m.show("ActiveState") == "failed"
        m.config("up.workers = 3\n")
        assert "and started it" in m.sparks("up", "--install")
        m.sparks("up", "--uninstall")


def killed_it_comes_back():
    with World() as w, Manager(w) as m:
        m.sparks("up", "--install")
        m.edit("RestartSec=5", "RestartSec=100ms")
        first = m.show("MainPID")
        m.ctl("kill", "--signal=KILL", "sparks")
        wait_for(lambda: m.show("MainPID") not in ("0", first) and
                 m.show("ActiveState") == "active")
        m.sparks("up", "--uninstall")


def a_task_runs_with_the_credential_of_the_unit():
    """The key of the sealed file is the unit's alone: who gives the task has none."""
    value = "of-the-unit-4711"
    with World() as w, Manager(w) as m, server_of(value) as port:
        key = os.path.join(w.folder, "box.key")
        with open(key, "wb") as file:
            file.write(os.urandom(32))
        os.chmod(key, 0o600)
        os.chown(key, UID, UID)
        subprocess.run(
            ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", SPARKS, "secrets",
             "set", "openai.api_key"], env={**m.env, "SPARKS_SECRETS_KEY_FILE": key},
            input=value.encode(), cwd=w.folder, check=True, stdout=subprocess.DEVNULL)
        m.config(f'openai.url = "http://127.0.0.1:{port}/v1"\nopenai.model = "m"\n')
        m.sparks("up", "--install", "--no-start")
        m.edit("#LoadCredential=sparks-secrets-key:%h/PATH-OF-A-KEY-FILE",
               "LoadCredential=sparks-secrets-key:%h/box.key")
        m.ctl("start", "sparks")
        assert "none is given" in m.sparks("secrets", "list", code=78)
        said = m.sparks("do", "add must add", "--check", CHECK, "--repo", w.repo)
        assert "verified" in said, said
        m.sparks("up", "--uninstall")


def inside():
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    for folder in os.environ.pop("SPARKS_TEST_MANAGER").split(":"):
        with open(folder + "/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        subprocess.run(["chown", "-R", f"{UID}:{UID}", folder], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs("/run/systemd/system")    # what says "booted by systemd" (sd_booted(3))
    main(started_is_ready_and_stopped_is_gone, one_that_cannot_start_is_told_and_left_alone,
         killed_it_comes_back, a_task_runs_with_the_credential_of_the_unit)


if not OUTSIDE:
    inside()
elif why_not():
    print(f"1..0 # SKIP {why_not()}")
else:
    sys.exit(in_namespaces())
