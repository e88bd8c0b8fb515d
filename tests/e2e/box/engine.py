"""Container engines for the tests: each with its own socket, its own data and its own images, gone
at the end. An image is made of programs of this machine, so that nothing is fetched."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

APPLETS = ("sh sleep echo true false cat id kill ls touch setsid grep env head tail wc seq printf mkdir rm mv cp "
           "stat find test expr sed dd sort tr mount").split()
SKIPPED = ("test", "__pycache__", "idlelib", "lib2to3", "ensurepip", "tkinter", "pydoc_data", "distutils", "turtledemo")
SMALL, LARGE = "sparks-test:1", "sparks-test-python:1"


class Engine:
    """Abstract: start() and name are the kind's."""
    programs = ()

    def __init__(self, user=None):
        self.user = user        # who it runs as; None: we
        self.top = tempfile.mkdtemp(prefix="sparks-engine-")
        os.chmod(self.top, 0o755)
        self.socket = self.top + "/run/e.sock"
        os.mkdir(self.top + "/run")
        self.log = open(self.top + "/log", "w", encoding="utf-8")
        self.process = None
        self.start()

    @classmethod
    def lacks(cls):
        """What is missing here to run it, or None."""
        gone = [one for one in (*cls.programs, "curl", "busybox") if not shutil.which(one)]
        return "needs root" if os.getuid() else "needs " + ", ".join(gone) if gone else None

    def spawn(self, words, **more):
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log, **more)

    def call(self, method, path, *words, **more):
        return subprocess.run(["curl", "-sS", "-X", method, "--unix-socket", self.socket, *words, "http://d" + path],
                              capture_output=True, check=False, **more).stdout

    def json(self, method, path, body=None, **more):
        words = ["-H", "Content-Type: application/json", "--data-binary", "@-"] if body is not None else []
        text = self.call(method, path, *words, input=json.dumps(body).encode() if body is not None else None, **more)
        return json.loads(text) if text.strip() else None

    def answers(self):
        for _ in range(300):
            if self.call("GET", "/_ping") == b"OK":
                os.chmod(self.socket, 0o666)
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.1)
        return False

    def last_words(self):
        with open(self.top + "/log", encoding="utf-8", errors="replace") as log:
            return (log.read().strip().splitlines() or ["nothing"])[-1]

    def add_image(self, name, tar):
        repo, tag = name.split(":")
        self.call("POST", f"/images/create?fromSrc=-&repo={repo}&tag={tag}", "-H", "Content-Type: application/x-tar",
                  "--data-binary", "@-", input=tar)

    def image_name(self, name):
        return name

    def settings(self, image):
        """Options of sparks and of box-run."""
        return ["--set", "box.backend=docker", "--set", "docker.socket_path=" + self.socket, "--set",
                "docker.image=" + self.image_name(image)]

    def containers(self):
        return self.json("GET", "/containers/json?all=1")

    def volumes(self):
        return self.json("GET", "/volumes")["Volumes"] or []

    def kill(self):
        """All of the engine at once, as a machine that loses power would."""
        self.process.kill()
        self.process.wait()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if os.path.basename(words[0]).startswith((b"containerd", b"podman", b"conmon")) and any(self.top.encode() in word for word in words):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.5)
        for name in ("pid", "exec/containerd/containerd.pid", "exec/containerd/containerd.sock",
                     "exec/containerd/containerd.sock.ttrpc", "exec/containerd/containerd-debug.sock"):
            if os.path.exists(f"{self.top}/{name}"):
                os.unlink(f"{self.top}/{name}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.stop()
        self.kill()     # what a process that is gone has left running
        self.log.close()
        for line in reversed(open("/proc/self/mounts", encoding="utf-8").read().splitlines()):
            where = line.split()[1]
            if where.startswith(self.top):
                subprocess.run(["umount", "-l", where], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", self.top], check=False)


class Docker(Engine):
    programs = ("dockerd", "containerd", "runc")

    def small_disk(self, size):
        """All that the engine keeps is on a disk of this size. Before it starts."""
        os.makedirs(self.top + "/data")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", self.top + "/data"], check=True)

    def start(self, *more):
        # containerd is told of every folder by dockerd; all of it is below ours
        self.spawn(["dockerd", "--host", "unix://" + self.socket, "--data-root", self.top + "/data", "--exec-root",
                    self.top + "/exec", "--pidfile", self.top + "/pid", "--iptables=false", "--bridge=none",
                    "--exec-opt", "native.cgroupdriver=cgroupfs", *more])


class RuntimeDocker(Docker):
    """One that knows a runtime `runsc`: a program in the place of gVisor's, which writes down what it is called with and
    leaves the work to runc."""

    def start(self, *more):
        path = self.top + "/runsc"
        with open(path, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\necho "$@" >>{self.top}/called\nexec runc "$@"\n')
        os.chmod(path, 0o755)
        super().start("--add-runtime", "runsc=" + path, *more)

    def called(self):
        """The commands that the runtime was given."""
        try:
            with open(self.top + "/called", encoding="utf-8") as file:
                return [word for line in file for word in line.split() if word in ("create", "start", "exec", "delete")]
        except OSError:
            return []


class SmallDocker(Docker):
    """One whose disk can be filled."""

    def start(self, *more):
        self.small_disk("40m")
        super().start(*more)

    def fill(self):
        with open(self.top + "/data/fill", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass


class Podman(Engine):
    programs = ("podman", "runc")

    def start(self, *more):
        top = self.top
        with open(top + "/containers.conf", "w", encoding="ascii") as file:
            # the defaults are more than the test may have itself
            file.write('[containers]\ndefault_ulimits=["nofile=4096:4096","nproc=16384:16384"]\n[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n'
                       '[network]\nnetwork_backend="cni"\n')
        with open(top + "/storage.conf", "w", encoding="ascii") as file:
            file.write(f'[storage]\ndriver="overlay"\nrunroot="{top}/runroot"\ngraphroot="{top}/data"\n')
        env = dict(os.environ, CONTAINERS_CONF=top + "/containers.conf", CONTAINERS_STORAGE_CONF=top + "/storage.conf",
                   TMPDIR=top, XDG_RUNTIME_DIR=top + "/run", HOME=top)
        self.spawn([*self.prefix(), "podman", "--root", top + "/data", "--runroot", top + "/runroot", "--tmpdir", top + "/tmp",
                    "system", "service", "--time=0", "unix://" + self.socket], env=env)

    def prefix(self):
        if self.user is None:
            return []
        for folder, _, names in os.walk(self.top):
            for name in [folder] + [os.path.join(folder, n) for n in names]:
                os.chown(name, self.user, self.user)
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def image_name(self, name):
        return "localhost/" + name

    def add_image(self, name, tar):     # the compatible way forgets the tag
        self.call("POST", "/v4.0.0/libpod/images/import?reference=" + self.image_name(name), "-H",
                  "Content-Type: application/x-tar", "--data-binary", "@-", input=tar)


# ---- images ----

def small_image():
    """busybox, and nothing else."""
    with tempfile.TemporaryDirectory() as top:
        os.makedirs(top + "/bin")
        shutil.copy(shutil.which("busybox"), top + "/bin/busybox")
        for name in APPLETS:
            os.symlink("busybox", f"{top}/bin/{name}")
        return subprocess.run(["tar", "-C", top, "--owner=0", "--group=0", "-c", "."], capture_output=True, check=True).stdout


def with_libraries(paths):
    """These files and what the dynamic linker adds, each by the names it is known by."""
    found = set()
    text = subprocess.run(["ldd", *paths], capture_output=True, text=True, check=False).stdout
    for one in [*paths, *re.findall(r"(/\S+) \(0x", text)]:
        one = os.path.join(os.path.realpath(os.path.dirname(one)), os.path.basename(one))
        found |= {one, os.path.realpath(one)}
    return found


def large_image(*programs, beside=()):
    """This machine's python and these programs, busybox for the rest; and the libraries of what is to be shown beside it."""
    python = os.path.realpath("/usr/bin/python3")
    library = "/usr/lib/" + os.path.basename(python)
    binaries = [python, "/lib64/ld-linux-x86-64.so.2", *map(shutil.which, programs)]
    files = {"/usr/bin/python3"}
    for folder, below, names in os.walk(library):
        below[:] = [one for one in below if one not in SKIPPED]
        files |= {os.path.join(folder, name) for name in names}
    files |= with_libraries([*binaries, *(one for one in files if one.endswith(".so")), *beside]) - set(beside)
    with tempfile.TemporaryDirectory() as top:
        for name in ("usr/bin", "usr/lib", "usr/lib64", "etc", "tmp", "root", "var"):
            os.makedirs(f"{top}/{name}")
        for name in ("bin", "lib", "lib64"):
            os.symlink("usr/" + name, f"{top}/{name}")
        for path in files:
            os.makedirs(top + os.path.dirname(path), exist_ok=True)
            shutil.copy2(path, top + path, follow_symlinks=False)
        shutil.copy(shutil.which("busybox"), top + "/usr/bin/busybox")
        for name in APPLETS:
            if not os.path.lexists(f"{top}/usr/bin/{name}"):
                os.symlink("busybox", f"{top}/usr/bin/{name}")
        with open(top + "/etc/passwd", "w", encoding="ascii") as file:
            file.write("root:x:0:0:root:/root:/bin/sh\n")
        return subprocess.run(["tar", "-C", top, "--owner=0", "--group=0", "-c", "."], capture_output=True, check=True).stdout


def with_curl():
    """A Docker of one's own, and an image of python and curl where it answers."""
    one = Docker()
    if one.answers():
        one.add_image(LARGE, large_image("curl"))
    return one
