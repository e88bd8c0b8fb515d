#!/usr/bin/env python3
"""The attacks of hostile.py against the real sandbox. Prints TAP.

usage: escape.py SPARKS HELPER root|user|open|root-landlock|user-landlock [docker|docker-quick]

    root, user   through `sparks sandbox run`, started by root or by an ordinary user: each row
                 must be refused or contained, and the host unharmed
    *-landlock   the same in the tier landlock, without the bombs; what that tier is known not to
                 wall off is listed
    open         the same rows once with the walls taken out of the plan, in namespaces that are
                 thrown away: each must succeed, so that none holds for another reason
    docker       in containers of an engine of the test's own; `open`: the engine itself is in these
                 namespaces, and what it is asked for is rewritten on the way (engine_open.py);
                 `quick`: without the rows that have a box of their own
"""
import ctypes
import fcntl
import glob
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

import hostile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../box"))
import engine               # noqa: E402
import engine_open          # noqa: E402
import forge                # noqa: E402

USER = 12345
OTHER = 54321
MARK = "the-host-secret-is-here"
SHM_KEY = 0x5ba7c5
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 1 << 14, 1 << 18
KMSG = (1, 11)      # /dev/kmsg: what the host's kernel has said
MODE, _, TIER = sys.argv[3].partition("-")
DOCKER, QUICK = bool({"docker", "docker-quick"} & set(sys.argv[4:])), "docker-quick" in sys.argv[4:]
KEPT_STEPS = ["supervise", "session", "env", "chdir", "arg", "exec"]

# Classes whose rows have a box of their own, and its options.
ALONE = {"fork bomb": [], "zombie flood": [], "output bomb": [], "survival": [], "terminal escapes": [],
         "memory bomb": ["box.memory_bytes=134217728"],
         "disk bomb": ["box.memory_bytes=536870912", "box.fsize_bytes=67108864", "box.disk_bytes=134217728"],
         "inode bomb": ["box.memory_bytes=536870912", "box.inodes=20000"]}

# Rows whose wall is in the program that starts the box, or is the supervisor: without it they run
# without a box.
TERMINAL = "TIOCSTI: the terminal of who started it"
ORPHANS = "zombie flood: orphans faster than they are reaped"
# Keys are the proxy's affair: without its walls it is another one, in the test.
KEYS = "credentials"
DIRECT = ("leaked descriptors", TERMINAL, ORPHANS, KEYS)

NOT_SHOWN = dict(hostile.NEED_A_KERNEL)
VICTIM = """
import signal, time
signal.signal(signal.SIGUSR2, lambda *_: open("%s/signalled", "w").close())
while True:
    time.sleep(600)
"""


# What the tier landlock leaves open, as `sparks doctor` says.
KNOWN_OPEN = {
    "sockets of the host: abstract, by the list of /proc/net/unix": "names only; no socket can be made",
    "clock: how long the host has been up": "there is no time namespace",
}
# What containers leave open.
KNOWN_OPEN_DOCKER = {
    "clock: how long the host has been up": "engines make no time namespace",
}


def save(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def serve(family, kind, address):
    one = socket.socket(family, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(address)
    if kind == socket.SOCK_STREAM:
        one.listen(16)
        threading.Thread(target=lambda: [one.accept() for _ in iter(int, 1)], daemon=True).start()
    elif family != socket.AF_UNIX:
        threading.Thread(target=lambda: [one.sendto(b"answer", one.recvfrom(64)[1]) for _ in iter(int, 1)],
                         daemon=True).start()
    return one


class Host:
    """What the attacks are after, and how to see that it is unharmed."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="sparks-escape-")
        os.chmod(self.top, 0o755)
        self.uid = USER if MODE == "user" else os.getuid()
        self.path = {n: os.path.join(self.top, n) for n in ("work", "outside", "home", "bin")}
        for folder in self.path.values():
            os.mkdir(folder, 0o755)
        os.chmod(self.path["outside"], 0o777)
        save(self.path["outside"] + "/secret", MARK + "\n", 0o666)
        self.sparks = shutil.copy(sys.argv[1], self.path["bin"])
        self.helper = shutil.copy(sys.argv[2], self.path["bin"])
        self.engine = self.start_engine() if DOCKER else None
        self.forge = forge.Forge(self.top + "/forge")
        self.fill_work()
        os.chown(self.path["home"], self.uid, self.uid)
        words = [sys.executable, "-c", VICTIM % self.path["outside"]] + [forge.KEY] * (MODE == "open")
        self.victim = subprocess.Popen(self.as_user() + words, env={"HOST_TOKEN": MARK, "HOST_KEY": forge.KEY},
                                       cwd=self.path["work"], stdin=subprocess.DEVNULL)
        self.sockets = self.listen()
        ctypes.CDLL(None).shmget(SHM_KEY, 4096, 0o1666)
        self.before = self.state()

    def start_engine(self):
        """Where sparks asks is what this returns."""
        one = engine.Docker()
        if not one.answers():
            print("1..0 # SKIP the engine cannot start here:", one.last_words())
            sys.exit(0)
        one.add_image(engine.LARGE, engine.large_image())
        if MODE == "open":
            one.socket = engine_open.serve(one.socket, self.top)
        return one

    def as_user(self):
        return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if MODE == "user" else []

    def fill_work(self):
        work = self.path["work"]
        os.symlink(self.path["outside"] + "/secret", work + "/link")
        shutil.copy(hostile.__file__, work)
        if not TIER:    # which refuses to work in a repository
            subprocess.run(["git", "init", "-q", work], check=True)
        python = os.path.realpath("/usr/bin/python3")
        for name in ("setuid", "setgid", "filecaps"):
            shutil.copy(python, f"{work}/{name}")
        os.mknod(work + "/node", 0o020666, os.makedev(*KMSG))
        for folder, _, names in os.walk(work):
            for name in [folder] + [os.path.join(folder, n) for n in names]:
                os.chown(name, self.uid, self.uid, follow_symlinks=False)
        os.chmod(work + "/node", 0o666)
        os.chown(work + "/setuid", OTHER, self.uid)
        os.chmod(work + "/setuid", 0o4755)
        os.chown(work + "/setgid", self.uid, OTHER)
        os.chmod(work + "/setgid", 0o2755)
        os.chmod(work + "/filecaps", 0o755)
        os.setxattr(work + "/filecaps", "security.capability",
                    bytes.fromhex("0100000200000400000000000000000000000000"))

    def listen(self):
        name = os.path.basename(self.top)
        path = self.path["outside"] + "/socket"
        sockets = [serve(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
                   serve(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + name),
                   serve(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + name + "-dgram"),
                   serve(socket.AF_UNIX, socket.SOCK_STREAM, path)]
        os.chmod(path, 0o777)
        if MODE == "open":
            for address in ("169.254.169.254/32", "203.0.113.53/32"):
                subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
            subprocess.run(["ip", "address", "add", "fd00:ec2::254/128", "dev", "lo", "nodad"], check=True)
            sockets += [serve(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
                        serve(socket.AF_INET6, socket.SOCK_STREAM, ("fd00:ec2::254", 80)),
                        serve(socket.AF_INET, socket.SOCK_STREAM, ("203.0.113.53", 53)),
                        serve(socket.AF_INET, socket.SOCK_DGRAM, ("203.0.113.53", 53))]
            save(self.top + "/resolv.conf", "nameserver 203.0.113.53\n")
            subprocess.run(["mount", "--bind", self.top + "/resolv.conf", "/etc/resolv.conf"], check=True)
        return sockets

    def bait(self, rows, name):
        """The file that tells hostile.py what to go for."""
        path = f"{self.path['work']}/{name}.json"
        save(path, json.dumps({
            "rows": rows, "private": MODE == "open", "uptime": time.clock_gettime(7), "scoped": bool(TIER), "mark": MARK, "secret": self.path["outside"] + "/secret",
            "outside": self.path["outside"], "victim": self.victim.pid, "node": KMSG,
            "abstract": os.path.basename(self.top), "path_socket": self.path["outside"] + "/socket",
            "port": self.sockets[0].getsockname()[1], "shm_key": SHM_KEY, "stay": self.stay(), "forge": self.forge.bait(),
            "poison": self.path["outside"] + "/poisoned"}))
        return path

    def stay(self):
        return f"4343.{os.getpid()}"

    def state(self):
        """All that must be the same afterwards."""
        outside = self.path["outside"]
        settings = {}
        for name in ("kernel/core_pattern", "kernel/hostname", "vm/swappiness", "kernel/panic"):
            with open("/proc/sys/" + name, encoding="ascii") as file:
                settings[name] = file.read()
        secret = os.stat(outside + "/secret")
        return {"names": sorted(os.listdir(outside)), "mode": secret.st_mode, "size": secret.st_size,
                "links": secret.st_nlink, "settings": settings, "victim": self.victim.poll(),
                "nice": os.getpriority(os.PRIO_PROCESS, self.victim.pid), "usr": sorted(os.listdir("/usr")),
                "etc": sorted(os.listdir("/etc")), "root": sorted(os.listdir("/")),
                "mounts": mounts(), "clock": abs(time.time() - time.monotonic() - CLOCK) < 1}

    def harm(self):
        now = self.state()
        return [f"{key}: {self.before[key]} -> {now[key]}" for key in now if now[key] != self.before[key]]

    def survivors(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if self.stay().encode() in file.read().split(b"\0"):
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def close(self):
        self.victim.kill()
        for pid in self.survivors():
            os.kill(pid, signal.SIGKILL)
        subprocess.run(["ipcrm", "-M", hex(SHM_KEY)], check=False, stderr=subprocess.DEVNULL)
        if self.engine:
            self.engine.close()
        subprocess.run(["rm", "-rf", "--one-file-system", self.top], check=False)


CLOCK = time.time() - time.monotonic()


def leave_mounts():
    """What others mount on this machine in the meantime is not the box's doing."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(CLONE_NEWNS) == 0 and \
        libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0, ctypes.get_errno()


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return len(file.readlines())


# ---- calling the box ----
WRAPPER = """#!/usr/bin/python3
# Takes the walls out of the plan on descriptor 3 and goes on as sparks-box.
import os, sys
if "--probe" in sys.argv:
    os.execv({helper!r}, [{helper!r}] + sys.argv[1:])
TAKES = {takes}
parts = os.read(3, 1 << 20).split(b"\\0")[:-1]
out, at = [parts[0]], 1
while at < len(parts):
    name = parts[at].decode()
    step = parts[at:at + 1 + TAKES[name]]
    at += len(step)
    if name in {kept}:
        out += [step[0], b"subreaper"] if name == "supervise" else step
fd = os.memfd_create("plan")
os.write(fd, b"\\0".join(out) + b"\\0")
os.lseek(fd, 0, 0)
os.dup2(fd, 3)
os.execv({helper!r}, [{helper!r}] + sys.argv[1:])
"""


def steps():
    """Name and number of arguments of each step, from the table of the plan."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(here + "/../../../src/box/box_plan.h", encoding="utf-8") as file:
        return {name: int(n) for name, n in re.findall(r'X\(\w+,\s*"([\w-]+)",\s*(\d)\)', file.read())}


def helper_of(host, kind):
    """The program that carries out the plan: the real one, or one that leaves the walls out."""
    if MODE != "open":
        return host.helper
    kept = [step for step in KEPT_STEPS if kind != "survival" or step not in ("supervise", "session")]
    path = host.path["bin"] + f"/open-{len(kept)}"
    save(path, (engine_open.WRAPPER if DOCKER else WRAPPER).format(takes=steps(), kept=kept, helper=host.helper), 0o755)
    return path


def call(host, kind, rows, options, name, **more):
    words = host.as_user() + [host.sparks, "sandbox", "run", "--dir", host.path["work"]]
    for option in ALONE.get(kind, []) if MODE != "open" else ["box.tier=native"]:
        words += ["--set", option.replace("box.memory_bytes", "docker.memory_limit") if DOCKER else option]
    if DOCKER:
        words += [*host.engine.settings(engine.LARGE), "--set", "box.path=" + host.path["work"], "--set",
                  "docker.cpu_quota=0"]
        if kind not in ("memory bomb", "disk bomb", "inode bomb"):
            words += ["--set", "docker.memory_limit=2147483648"]
    if TIER:
        words += ["--set", "box.tier=" + TIER]
    elif kind == KEYS:
        words += host.forge.options()
    bait = host.bait(rows, name)
    words += options + ["--", "/usr/bin/python3", "hostile.py", bait]
    env = {"PATH": os.environ["PATH"], "SPARKS_HOME": host.path["home"], "HOME": host.path["home"],
           "SPARKS_BOX": helper_of(host, kind), "HOST_TOKEN": MARK,
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    if kind == KEYS:
        env.update(host.forge.env())
    if kind in DIRECT and MODE == "open":
        words = words[words.index("--") + 1:]
        env.update(host.forge.open() if kind == KEYS else {})
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.run(words, env=env, cwd=host.path["work"], check=False, timeout=120, **more)


def lines(text):
    found = {}
    for line in text.decode(errors="replace").splitlines():
        if line.startswith('{"name"'):
            row = json.loads(line)
            found[row["name"]] = row
    return found


def tidy(host):
    """The work tree as it was, for the next one."""
    for name in ("many", "inodes", "cage", "big", "hard", "old"):
        path = os.path.join(host.path["work"], name)
        subprocess.run(["rm", "-rf", path], check=False)


def with_descriptors(host):
    """Descriptors that are open, and not closed on exec, while the box is started."""
    secret = os.open(host.path["outside"] + "/secret", os.O_RDONLY)
    folder = os.open(host.path["outside"], os.O_RDONLY)
    return {"pass_fds": (secret, folder)}


def with_terminal():
    """A session whose terminal is a new one, as of a person's shell."""
    _, slave = pty.openpty()        # both stay open until the test ends

    def take():
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    return {"start_new_session": True, "preexec_fn": take}


def run_batch(host, kind, rows, more=None):
    done = call(host, kind, rows, [], "batch", **(more or with_descriptors(host)))
    got = lines(done.stdout)
    for name in rows:
        got.setdefault(name, {"got": None, "why": f"no word of it: exit {done.returncode} "
                              + done.stderr.decode(errors="replace")[-300:]})
    return got


def run_bomb(host, kind, name):
    done = call(host, kind, [name], ["--json"], "bomb")
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return {"got": None, "why": "mistake: " + done.stderr.decode(errors="replace")[-300:]}
    if "error" in told:
        return {"got": None, "why": "mistake: " + str(told["error"])}
    if kind == "output bomb":
        through = not any(row["rule"] == "output" for row in told["blocked"])
        return {"got": through or None, "why": str(told["blocked"])}
    row = lines(told["stdout"].encode()).get(name)
    return row or {"got": None, "why": f"exit {told['exit_code']}: {told['blocked']}"}


def run_survival(host, kind, name):
    call(host, kind, [name], [], "stay")
    alive = []
    for _ in range(20):     # until it is as it should be
        alive = host.survivors()
        if bool(alive) == (MODE == "open"):
            break
        time.sleep(0.05)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    return {"got": alive or None, "why": "all gone"}


def run_terminal(host, kind, name):
    """What a terminal gets; without its wall, which is in the parent, what a pipe gets."""
    if MODE == "open":
        done = call(host, kind, [name], [], "terminal")
        text = done.stdout + done.stderr
    else:
        master, slave = pty.openpty()
        call(host, kind, [name], [], "terminal", stdout=slave, stderr=slave)
        os.close(slave)
        text = b""
        try:
            while piece := os.read(master, 65536):
                text += piece
        except OSError:
            pass
        os.close(master)
    return {"got": "it came through" if b"\x1b" in text else None, "why": "taken out"}


def run_output_open(host, kind, name):
    done = call(host, kind, [name], [], "output")
    return {"got": len(done.stdout + done.stderr) >= 64 << 20 or None, "why": "short"}


ALONE_RUN = {"survival": run_survival, "terminal escapes": run_terminal}


def run_alone(host, kind, name):
    if kind == "output bomb" and MODE == "open":
        return run_output_open(host, kind, name)
    if name in DIRECT and MODE == "open":
        return run_batch(host, name, [name])[name]
    got = ALONE_RUN.get(kind, run_bomb)(host, kind, name)
    tidy(host)
    return got


# ---- keys ----

def other_task(host, folder, script):
    """Another run with keys, which tells where its forge is."""
    os.mkdir(folder)
    os.chown(folder, host.uid, host.uid)
    words = host.as_user() + [host.sparks, "sandbox", "run", "--copy", "--dir", host.path["bin"], *host.forge.options()]
    if DOCKER:
        words += host.engine.settings(engine.LARGE)
    env = {"PATH": os.environ["PATH"], "SPARKS_HOME": host.path["home"], "HOME": host.path["home"], "SPARKS_BOX": host.helper,
           "TMPDIR": folder, **host.forge.env(), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    one = subprocess.Popen(words + ["--", "sh", "-c", script], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return one, one.stdout.readline().decode().strip()


def run_keys(host, rows):
    """The rows; while one task that has keys is over, and another one still runs."""
    if MODE == "open" or TIER:
        return run_batch(host, KEYS, rows)
    one, host.forge.old = other_task(host, host.top + "/old", "echo $FORGE_URL")
    one.communicate()
    one, host.forge.other = other_task(host, host.top + "/other", "echo $FORGE_URL; cat")
    host.forge.socket = glob.glob(host.top + "/other/*/proxy.sock")[0]
    got = run_batch(host, KEYS, rows)
    one.communicate()
    return got


def run_all(host):
    kinds = list(dict.fromkeys(row[0] for row in hostile.ROWS))
    names = {kind: [f"{kind}: {row[1]}" for row in hostile.ROWS if row[0] == kind] for kind in kinds}
    together = [kind for kind in kinds if kind not in (*ALONE, KEYS, "leaked descriptors")]
    yield from run_batch(host, "", [n for kind in together for n in names[kind] if n not in DIRECT]).items()
    tidy(host)
    yield from run_batch(host, TERMINAL, [TERMINAL], with_terminal()).items()
    yield from run_batch(host, "leaked descriptors", names["leaked descriptors"]).items()
    yield from run_keys(host, names[KEYS]).items()
    for kind in ALONE if not TIER and not QUICK else []:
        for name in names[kind]:
            yield name, run_alone(host, kind, name)


def judge(name, row):
    """What is wrong with the outcome of a row, or None."""
    mistake = row["why"].startswith(("mistake", "no word"))
    if MODE != "open":
        if name in (KNOWN_OPEN if TIER else KNOWN_OPEN_DOCKER if DOCKER else {}):
            return None
        return row["why"] if mistake else f"got through: {row['got']}" if row["got"] else None
    if row["got"]:
        return None
    return None if name in NOT_SHOWN and not mistake else "did not succeed without walls: " + row["why"]


def note(name, row):
    if MODE != "open":
        return row["why"]
    return "seen" if row["got"] else "not shown here: " + NOT_SHOWN.get(name, "?")


def check_git(host):
    """The host's own git, after all that was left in the folder."""
    subprocess.run(["git", "-C", host.path["work"], "-c", "safe.directory=*", "-c", "user.name=n", "-c",
                    "user.email=e", "commit", "-q", "--allow-empty", "-m", "m"], check=False,
                   env={"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}, stderr=subprocess.DEVNULL)
    return os.path.exists(host.path["outside"] + "/poisoned")


def main():
    if MODE == "open" and "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "-m", "-n", "-p", "-u", "-i", "-f", "--mount-proc", "sh", "-c",
                              'ip link set lo up && exec "$@"', "sh", sys.executable, *sys.argv, "--inside"])
    if os.getuid() != 0:
        print("1..0 # SKIP needs root, to start boxes as root and as another user")
        return 0
    if DOCKER and engine.Docker.lacks():
        print("1..0 # SKIP", engine.Docker.lacks())
        return 0
    if not DOCKER:      # an engine has its own
        leave_mounts()
    host = Host()
    failed = number = 0
    try:
        time.sleep(0.2)     # for the victim to be ready
        print(f"1..{sum(not (TIER or QUICK) or row[0] not in ALONE for row in hostile.ROWS) + 3}")
        for name, row in run_all(host):
            number += 1
            wrong = judge(name, row)
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
            print(f"# {wrong or note(name, row)}", flush=True)
        poisoned = check_git(host)
        harm = host.harm() if MODE != "open" else []
        for text, wrong in (("keys went where they belong", MODE != "open" and not TIER and host.forge.wrong()),
                            ("the host's git is as it was", poisoned != (MODE == "open") and str(poisoned)),
                            ("the host is unharmed", "; ".join(map(str, harm)))):
            number += 1
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {number} - {text}\n# {wrong}", flush=True)
    finally:
        host.close()
    return 1 if failed else 0


sys.exit(main())
