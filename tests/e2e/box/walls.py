#!/usr/bin/env python3
"""The real sandbox, from outside and from inside, in one of several situations. Prints TAP.

usage: walls.py --box-run PROGRAM --helper PROGRAM SITUATION

    root-native     as root, as strong as it gets
    user-native     as an ordinary user
    root-full       tier native-full: control groups hold the caps
    root-landlock   tier landlock chosen by configuration
    user-landlock
    root-fallback   in a user namespace that forbids further ones: tier landlock because
    user-fallback   nothing stronger is possible
    chroot          in a plain chroot, where the kernel forbids user namespaces
"""
import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

USER = 12345    # some ordinary user; needs no entry in passwd
MARK = "4242.%d" % os.getpid()  # "sleep MARK" is ours, wherever it runs
SECRET = "the-host-secret-is-here"
NATIVE, LANDLOCK, FULL = "native", "landlock", "full"


class Case:
    """Where the tests of one situation run: folders, how to call, which tier is expected."""

    def __init__(self, args):
        self.situation = args.situation
        self.who, _, how = args.situation.partition("-")
        self.tier = NATIVE if how in (NATIVE, FULL) else LANDLOCK
        self.full = how == FULL
        self.uid = USER if self.who == "user" and os.getuid() == 0 else os.getuid()
        self.top = tempfile.mkdtemp(prefix="sparks-walls-")
        self.work = os.path.join(self.top, "work")
        self.outside = os.path.join(self.top, "outside")
        for folder in (self.work, self.outside):
            os.mkdir(folder)
        with open(os.path.join(self.outside, "secret"), "w") as f:
            f.write(SECRET)
        self.runner = shutil.copy(args.box_run, self.top)
        self.helper = shutil.copy(args.helper, self.top)
        os.mkdir(os.path.join(self.top, "home"))
        for folder, _, names in os.walk(self.top):
            for name in [folder] + [os.path.join(folder, n) for n in names]:
                os.chown(name, self.uid, self.uid if self.uid == USER else os.getgid())
        os.chmod(self.top, 0o755)
        self.options = ["--set", f"box.tier={how}"] if how in (LANDLOCK, NATIVE) else []
        self.prefix = self.make_prefix(how)

    def make_prefix(self, how):
        prefix = []
        if self.uid != os.getuid():
            prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        if how == "fallback":
            prefix += ["unshare", "-U", "-r", "sh", "-c",
                       'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
        if self.who == "chroot":
            root = os.path.join(self.top, "root")
            os.mkdir(root)
            prefix = ["unshare", "-m", "sh", "-c",
                      'mount --rbind / "$0" && exec chroot "$0" "$@"', root]
        return prefix

    def command(self, *options):
        return (self.prefix + [self.runner, "--work", self.work, "--facts"] + self.options
                + list(options))

    def environment(self):
        # without the caller's toolchains, which e2e/cmd/toolchains.py looks at
        kept = {k: v for k, v in os.environ.items() if not k.endswith(("_HOME", "_ROOT", "_DIR"))}
        return dict(kept, HOME="/nonexistent", SPARKS_BOX=self.helper, HOST_TOKEN=SECRET,
                    SPARKS_HOME=os.path.join(self.top, "home"))

    def run(self, argv, *options, seconds=60):
        """Exit code, what the command wrote, the facts (None when there was no box)."""
        done = subprocess.run(self.command(*options) + ["--"] + argv, cwd="/",
                              env=self.environment(), capture_output=True, timeout=seconds)
        out = done.stdout.decode(errors="replace")
        err = done.stderr.decode(errors="replace")
        lines = [line for line in err.splitlines() if line.startswith("{")]
        if not lines:
            return done.returncode, out + err, None
        return done.returncode, out, json.loads(lines[-1])

    def sh(self, script, *options):
        return self.run(["sh", "-c", script], *options)

    def py(self, script, *options):
        return self.run(["/usr/bin/python3", "-c", PRELUDE + textwrap.dedent(script)], *options)

    def close(self):
        subprocess.run(["rm", "-rf", "--one-file-system", self.top], check=False)


PRELUDE = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    ctypes.set_errno(0)
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return 0 if libc.syscall(*args) >= 0 else ctypes.get_errno()
def name(code):
    return errno.errorcode.get(code, str(code))
"""

TESTS = []


def test(tiers=(NATIVE, LANDLOCK)):
    def add(function):
        TESTS.append((function, tiers if isinstance(tiers, tuple) else (tiers,)))
        return function
    return add


def same(got, want):
    assert got == want, f"got {got!r}, not {want!r}"


def processes(text):
    """Ids of processes of this machine whose command line contains text."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if text.encode() in words:
            found.append(int(pid))
    return found


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


# ---- the command's life ----

@test()
def the_expected_tier_is_reached(c):
    _, _, facts = c.run(["true"])
    same(facts["tier"], "native-full" if c.full else c.tier)


@test()
def exit_codes_are_those_of_a_shell(c):
    same(c.sh("exit 7")[0], 7)
    same(c.run(["no-such-command"])[0], 127)
    with open(os.path.join(c.work, "plain"), "w") as f:
        f.write("text")
    same(c.run(["./plain"])[0], 126)
    code, _, facts = c.sh("kill -9 $$")
    same((code, facts["signal"]), (137, 9))
    code, _, facts = c.sh("exit 137")
    same((code, facts["signal"]), (137, 0))


@test()
def time_out_is_124_and_ends_everything(c):
    start = time.monotonic()
    code, out, facts = c.sh(f"echo begun; setsid sleep {MARK} & sleep {MARK}",
                            "--timeout-ms", "400")
    same((code, out, facts["timed_out"]), (124, "begun\n", True))
    assert time.monotonic() - start < 3
    same(processes(MARK), [])


@test()
def output_is_capped_and_spilled(c):
    spill = os.path.join(c.top, "home", "spill")
    script = "yes 0123456789abcde | head -c 1000000"
    code, out, facts = c.sh(script, "--max-out", "1000", "--spill", spill)
    same((code, len(out), facts["truncated"], facts["out_total"]), (0, 1000, True, 1000000))
    same(os.path.getsize(spill), 1000000)


@test()
def orphans_are_gone_when_the_command_ends(c):
    code, out, _ = c.py(f"""
        for i in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execvp("sleep", ["sleep", "{MARK}"])
                os._exit(0)
        os.system("sleep {MARK} &")
        os.system("nohup setsid sleep {MARK} >/dev/null 2>&1 &")
        print("left")
        """)
    same((code, out), (0, "left\n"))
    same(processes(MARK), [])


@test()
def kill_9_of_the_caller_takes_the_box_down(c):
    caller = subprocess.Popen(
        c.command() + ["--", "sh", "-c", f"setsid sleep {MARK} & exec sleep {MARK}"], cwd="/",
        env=c.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: len(processes(MARK)) >= 2, 10), "the box did not start"
    runner = [pid for pid in processes(c.runner) if same_program(pid, c.runner)]
    for pid in runner or [caller.pid]:
        os.kill(pid, signal.SIGKILL)
    caller.wait()
    assert wait_until(lambda: not processes(MARK), 2), "it lives on"


def same_program(pid, path):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == os.path.basename(path)
    except OSError:
        return False


# ---- what it gets ----

@test()
def environment_is_neutral(c):
    _, out, _ = c.py("print(sorted(k for k in os.environ if k != 'LC_CTYPE'))",
                     "--env", "MORE=1")
    same(out.strip(), str(["HOME", "LANG", "MORE", "PATH", "TERM", "TMPDIR", "USER"]))


@test()
def no_descriptor_leaks_in(c):
    _, out, _ = c.py("""
        open_ones = []
        for fd in range(1024):
            try:
                os.fstat(fd)
                open_ones.append(fd)
            except OSError:
                pass
        print(open_ones, os.read(0, 1))
        """)
    same(out.strip(), "[0, 1, 2] b''")


@test()
def there_are_no_privileges(c):
    _, out, _ = c.sh("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status")
    facts = dict(line.split(":\t") for line in out.splitlines())
    wanted = ["CapInh", "CapPrm", "CapEff", "CapAmb"]
    if c.tier == NATIVE or c.uid == 0:
        wanted.append("CapBnd")
    for name in wanted:
        same((name, int(facts[name], 16)), (name, 0))
    same((facts["NoNewPrivs"], facts["Seccomp"]), ("1", "2"))


@test()
def files_belong_to_the_caller(c):
    same(c.sh("mkdir made && echo x >made/file && cp made/file made/copy")[0], 0)
    for name in ("made", "made/file", "made/copy"):
        same(os.lstat(os.path.join(c.work, name)).st_uid, c.uid)


@test()
def git_works_on_the_work_tree(c):
    code, out, _ = c.sh("git init -q . && echo a >a && git add a && "
                        "git -c user.name=n -c user.email=e commit -q -m m && "
                        "git status --short --untracked-files=no && git log --format=%s")
    same((code, out), (0, "m\n"))
    shutil.rmtree(os.path.join(c.work, ".git"))


@test()
def git_finds_objects_in_a_read_only_alternate(c):
    store = os.path.join(c.top, "store")
    make = ("git init -q --bare \"$0\" && cd \"$1\" && git init -q . && echo a >a && "
            "export GIT_OBJECT_DIRECTORY=\"$0/objects\" && git add a && "
            "git -c user.name=n -c user.email=e commit -q -m below && "
            "echo \"$0/objects\" >.git/objects/info/alternates")
    subprocess.run((c.prefix[:4] if c.uid != os.getuid() else [])
                   + ["env", "HOME=" + c.top, "sh", "-c", make, store, c.work], check=True)
    code, out, _ = c.sh("git status --short -uno && git log --format=%s && echo b >a && "
                        "git -c user.name=n -c user.email=e commit -q -a -m above && "
                        "git log --format=%s", "--read-only", store + "/objects")
    same((code, out), (0, "below\nabove\nbelow\n"))
    shutil.rmtree(os.path.join(c.work, ".git"))


@test()
def temporary_files_have_a_place(c):
    code, out, _ = c.sh('f=$(mktemp) && echo x >"$f" && cat "$f" && echo y >"$HOME/y"')
    same((code, out), (0, "x\n"))


@test(NATIVE)
def shared_memory_sockets_and_loopback_work(c):
    code, out, _ = c.py("""
        import multiprocessing, socket, threading
        with multiprocessing.Pool(2) as pool:
            print(pool.map(abs, [-1, -2]))
        def ping(family, address):
            with socket.socket(family) as server:
                server.bind(address)
                server.listen()
                with socket.socket(family) as client:
                    client.connect(server.getsockname())
                    peer, _ = server.accept()
                    client.sendall(b"hi")
                    print(peer.recv(2).decode())
        ping(socket.AF_INET, ("127.0.0.1", 0))
        ping(socket.AF_UNIX, os.environ["TMPDIR"] + "/s")
        print([i for _, i in socket.if_nameindex()])
        master, slave = os.openpty()
        print(os.ttyname(slave))
        """)
    same((code, out.split()[:4]), (0, ["[1,", "2]", "hi", "hi"]))
    assert "['lo']" in out and "/dev/pts/0" in out, out


@test()
def its_own_children_can_be_traced(c):
    code, out, _ = c.py("""
        pid = os.fork()
        if pid == 0:
            print(name(call(101, 0, 0, 0, 0)), flush=True)  # PTRACE_TRACEME
            os._exit(0)
        os.waitpid(pid, 0)
        print(name(call(101, 16, 1, 0, 0)))     # PTRACE_ATTACH, process 1
        """)
    same((code, out.split()), (0, ["0", "EPERM"]))


# ---- what it does not get ----

@test()
def host_secrets_cannot_be_read(c):
    code, out, _ = c.py(f"""
        import glob
        def look(path):
            try:
                text = open(path, "rb").read(4096)
            except OSError as e:
                return name(e.errno)
            return "READ" if {SECRET!r}.encode() in text or b"root:" in text else "other"
        print(look({c.outside + "/secret"!r}), look("/etc/shadow"), look("/etc/ssh/sshd_config"))
        for place in ("/root", "/home/user", "/var/log", "/etc/ssl/private", "/run/dbus"):
            try:
                print("LISTED", place, os.listdir(place))
            except OSError as e:
                pass
        for path in glob.glob("/proc/[0-9]*/environ"):
            if "READ" in look(path):
                print("ENVIRONMENT", path)
        """)
    same(code, 0)
    assert "READ" not in out and "LISTED" not in out and "ENVIRON" not in out, out
    assert SECRET not in c.sh("env; cat /proc/*/environ 2>/dev/null")[1]


@test()
def links_out_of_the_work_tree_lead_nowhere(c):
    os.symlink(c.outside + "/secret", os.path.join(c.work, "link"))
    os.symlink("../outside", os.path.join(c.work, "folder"))
    os.symlink("/proc/1/root", os.path.join(c.work, "root"))
    code, out, _ = c.sh("cat link; cat folder/secret; cat root/etc/shadow; echo x >link; "
                        "echo x >folder/new; ls /proc/1/cwd/ /proc/1/root/")
    assert SECRET not in out and "root:" not in out, out
    same(open(c.outside + "/secret").read(), SECRET)
    same(os.listdir(c.outside), ["secret"])


@test()
def nothing_outside_can_be_written(c):
    before = {p: os.listdir(p) for p in ("/", "/usr", "/etc", "/opt", "/usr/bin", "/dev")}
    _, out, _ = c.sh("for d in / /usr /usr/bin /etc /opt /dev /proc /lib /var /root "
                     f"{c.top} {c.outside}; do (echo x >$d/sparks-was-here) && echo WROTE $d; "
                     f"done; rm -rf {c.outside} /usr/bin/env; mv {c.top} /gone; "
                     "ln /usr/bin/env . 2>/dev/null && echo x >>env; true")
    for path, names in before.items():
        same(sorted(os.listdir(path)), sorted(names))
    same(os.listdir(c.outside), ["secret"])
    if c.tier == LANDLOCK:
        assert "WROTE" not in out, out


@test()
def system_files_keep_their_content_and_mode(c):
    before = os.stat("/usr/bin/env")
    c.py("""
        for act in (lambda p: os.chmod(p, 0o777), lambda p: os.truncate(p, 0),
                    lambda p: os.open(p, os.O_RDONLY | os.O_TRUNC), os.utime, os.unlink):
            try:
                act("/usr/bin/env")
            except OSError:
                pass
        """)
    after = os.stat("/usr/bin/env")
    same((after.st_mode, after.st_size, after.st_mtime),
         (before.st_mode, before.st_size, before.st_mtime))


@test()
def modes_owners_and_dates_outside_stay(c):
    """Landlock does not see them, and the files belong to who runs the box."""
    secret = os.path.join(c.outside, "secret")
    os.chmod(secret, 0o600)
    before = os.stat(secret)
    code, out, _ = c.py(f"""
        outside, secret = {c.outside!r}, {secret!r}
        os.symlink(secret, "way-out")
        folder = os.open(".", os.O_RDONLY)
        def attempt(what, change, *args, **more):
            try:
                change(*args, **more)
                print(what, "worked")
            except OSError as e:
                if e.errno not in (errno.EPERM, errno.ENOENT, errno.ENOTSUP,
                                   errno.EROFS):
                    print(what, name(e.errno))
        for path in (secret, outside, "way-out", "/proc/self/root" + secret,
                     "../" * 40 + secret, "/proc/self/cwd/../outside/secret"):
            attempt(path, os.chmod, path, 0o666)
            attempt(path, os.chmod, path, 0o666, dir_fd=folder)
            attempt(path, os.utime, path, (1, 1))
            attempt(path, os.chown, path, os.getuid(), os.getgid())
            attempt(path, os.setxattr, path, "user.spark", b"1")
        for path in ("/etc/passwd", "/usr/bin/env"):
            opened = os.open(path, os.O_RDONLY)
            attempt(path, os.fchmod, opened, os.stat(path).st_mode & 0o7777)
            attempt(path, os.utime, opened)
        os.unlink("way-out")
        """)
    same((code, out), (0, ""))
    after = os.stat(secret)
    same((after.st_mode, after.st_mtime_ns, after.st_ctime_ns),
         (before.st_mode, before.st_mtime_ns, before.st_ctime_ns))


@test()
def modes_and_dates_of_its_own_files_change(c):
    code, out, _ = c.py("""
        with open("own", "w") as f:
            os.fchmod(f.fileno(), 0o640)
        os.mkdir("sub")
        os.symlink("own", "to-own")
        folder, opened = os.open("sub", os.O_RDONLY), os.open("own", os.O_RDONLY)
        def mode():
            return oct(os.stat("own").st_mode & 0o777)
        print(mode())
        for path in ("own", "to-own", os.path.abspath("own"), f"/proc/self/fd/{opened}"):
            os.chmod(path, 0o711)
            print(mode())
            os.chmod(path, 0o600)
        os.chmod("../own", 0o755, dir_fd=folder)
        print(mode())
        os.utime("own", (5, 5))
        os.utime("to-own", (7, 7), follow_symlinks=False)
        print(os.stat("own").st_mtime, os.lstat("to-own").st_mtime)
        os.utime(opened, (9, 9))
        os.lchown("to-own", os.getuid(), os.getgid())
        os.unlink("own")
        os.fchmod(opened, 0o600)
        print(os.fstat(opened).st_mtime)
        for change, args in ((os.chmod, ("absent", 0)), (os.chmod, ("x" * 5000, 0))):
            try:
                change(*args)
            except OSError as e:
                print(name(e.errno))
        with open(os.environ["TMPDIR"] + "/own", "w") as f:
            os.fchmod(f.fileno(), 0o600)
        """)
    same((code, out.split()), (0, ["0o640"] + 4 * ["0o711"] + ["0o755", "5.0", "7.0", "9.0",
                                                              "ENOENT", "ENAMETOOLONG"]))
    c.sh("rm -rf sub to-own")


@test()
def a_path_that_changes_under_the_call_is_no_way_out(c):
    secret = os.path.join(c.outside, "secret")
    before = os.stat(secret)
    code, out, _ = c.py(f"""
        import threading
        def swap():
            for i in range(2000):
                for target in ({secret!r}, "inside"):
                    os.symlink(target, "new")
                    os.rename("new", "swapped")
        open("inside", "w").close()
        os.symlink("inside", "swapped")
        thread = threading.Thread(target=swap)
        thread.start()
        while thread.is_alive():
            try:
                os.chmod("swapped", 0o666)
            except OSError:
                pass
        thread.join()
        os.unlink("swapped")
        os.unlink("inside")
        """)
    same((code, out), (0, ""))
    same(os.stat(secret).st_ctime_ns, before.st_ctime_ns)


@test()
def files_outside_cannot_be_emptied(c):
    path = os.path.join(c.outside, "secret")
    _, out, _ = c.py(f"""
        for act in (lambda p: os.truncate(p, 0), lambda p: os.open(p, os.O_RDONLY | os.O_TRUNC),
                    lambda p: os.open(p, os.O_WRONLY), os.unlink):
            try:
                act({path!r})
                print("DID")
            except OSError:
                pass
        """)
    same((out, open(path).read()), ("", SECRET))


@test()
def kernel_settings_cannot_be_written(c):
    _, out, _ = c.py("""
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness",
                     "/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/1/oom_score_adj",
                     "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/uevent_helper"):
            try:
                os.open(path, os.O_WRONLY)
                print("OPENED", path)
            except OSError:
                pass
        """)
    same(out, "")


@test()
def dangerous_system_calls_are_refused(c):
    _, out, _ = c.py("""
        NEWUSER, NEWNS = 0x10000000, 0x20000
        wanted = [
            ("mount", "EPERM", (165, b"none", b"/tmp", b"tmpfs", 0, 0)),
            ("umount2", "EPERM", (166, b"/proc", 2)),
            ("pivot_root", "EPERM", (155, b".", b".")),
            ("chroot", "EPERM", (161, b".")),
            ("open_tree", "EPERM", (428, -100, b"/", 1)),
            ("fsopen", "EPERM", (430, b"tmpfs", 0)),
            ("mount_setattr", "EPERM", (442, -100, b"/", 0, 0, 0)),
            ("statmount", "EPERM", (457, 0, 0, 0, 0)),
            ("unshare user", "EPERM", (272, NEWUSER)),
            ("unshare mount", "EPERM", (272, NEWNS)),
            ("unshare time", "EPERM", (272, 0x80)),
            ("clone user", "EPERM", (56, NEWUSER | 17, 0, 0, 0, 0)),
            ("clone3", "ENOSYS", (435, 0, 0)),
            ("setns", "EPERM", (308, 0, 0)),
            ("keyctl", "EPERM", (250, 0, -3, 0)),
            ("add_key", "EPERM", (248, b"user", b"k", b"v", 1, -3)),
            ("request_key", "EPERM", (249, b"user", b"k", 0, 0)),
            ("bpf", "EPERM", (321, 0, 0, 0)),
            ("userfaultfd", "EPERM", (323, 0)),
            ("io_uring_setup", "ENOSYS", (425, 1, 0)),
            ("perf_event_open", "EPERM", (298, 0, 0, -1, -1, 0)),
            ("process_vm_readv", "EPERM", (310, os.getpid(), 0, 0, 0, 0, 0)),
            ("process_vm_writev", "EPERM", (311, os.getpid(), 0, 0, 0, 0, 0)),
            ("kexec_load", "EPERM", (246, 0, 0, 0, 0)),
            ("init_module", "EPERM", (175, 0, 0, 0)),
            ("reboot", "EPERM", (169, 0, 0, 0, 0)),
            ("swapon", "EPERM", (167, b"/x", 0)),
            ("settimeofday", "EPERM", (164, 0, 0)),
            ("clock_settime", "EPERM", (227, 0, 0)),
            ("adjtimex", "EPERM", (159, 0)),
            ("sethostname", "EPERM", (170, b"x", 1)),
            ("name_to_handle_at", "EPERM", (303, -100, b"/", 0, 0, 0)),
            ("open_by_handle_at", "EPERM", (304, 0, 0, 0)),
            ("iopl", "EPERM", (172, 3)),
            ("modify_ldt", "EPERM", (154, 0, 0, 0)),
            ("syslog", "EPERM", (103, 3, 0, 0)),
            ("personality", "EPERM", (135, 0x400000)),
            ("personality, high bits", "EPERM", (135, (1 << 40) | 0x400000)),
            ("TIOCSTI", "EPERM", (16, 0, 0x5412, b"x")),
            ("TIOCSTI, high bits", "EPERM", (16, 0, (1 << 32) | 0x5412, b"x")),
            ("TIOCLINUX", "EPERM", (16, 0, 0x541c, b"x")),
            ("a call of the future", "ENOSYS", (1000,)),
        ]
        for what, want, args in wanted:
            got = name(call(*args))
            if got != want:
                print(what, got, "not", want)
        """)
    same(out, "")


def refused(facts):
    return {row["call"]: row["times"] for row in facts.get("refused") or []}


@test()
def refused_calls_are_counted(c):
    """Each by its name, whoever makes it; not those that libraries try and do without."""
    _, out, facts = c.py("""
        for number in range(3):
            assert name(call(165, b"none", b"/tmp", b"tmpfs", 0, 0)) == "EPERM"
        if os.fork() == 0:
            os.setsid()
            call(161, b".")
            os._exit(0)
        os.wait()
        call(435, 0, 0), call(425, 1, 0), call(1000), call(41, 40, 1, 0)
        """)
    same((out, facts.get("untold")), ("", None))
    same(refused(facts), {"mount": 3, "chroot": 1, "socket": 1})
    _, _, facts = c.sh("true")
    same((refused(facts), facts.get("untold")), ({}, None))


@test(LANDLOCK)
def what_the_deputy_refuses_is_counted(c):
    _, _, facts = c.sh("chmod 644 /etc/passwd; touch own; chmod 600 own; chmod 640 own")
    same(refused(facts).get("fchmodat"), 1)


@test()
def counting_can_be_turned_off_which_is_told(c):
    _, out, facts = c.py("print(name(call(165, 0, 0, 0, 0, 0)), name(call(41, 40, 1, 0)))",
                         "--set", "box.count_refused=false")
    assert out.split()[0] == "EPERM", out
    assert refused(facts) == {} and "count_refused" in facts["untold"], facts
    code, out, _ = c.sh("touch own; chmod 600 own && stat -c %a own", "--set",
                        "box.count_refused=false")
    same((code, out), (0, "600\n"))


@test()
def a_listener_of_the_commands_own_opens_nothing(c):
    """One in a box is none of its own: what we refuse stays refused, and is still counted."""
    _, out, facts = c.py("""
        import struct
        code = struct.pack("HBBI", 6, 0, 0, 0x7fff0000) + bytes(8)     # return ALLOW
        memory = ctypes.create_string_buffer(code)
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(memory)))
        print(name(call(317, 1, 8, ctypes.addressof(program))))      # NEW_LISTENER
        assert call(317, 1, 0, ctypes.addressof(program)) == 0
        print(name(call(165, 0, 0, 0, 0, 0)))
        """)
    same(out.split(), ["EBUSY", "EPERM"])
    same(refused(facts), {"mount": 1})


@test()
def a_flood_of_refused_calls_ends_with_the_command(c):
    begun = time.monotonic()
    code, _, facts = c.py("""
        import threading
        def flood():
            while True:
                libc.syscall(165, 0, 0, 0, 0, 0)
        for _ in range(8):
            threading.Thread(target=flood, daemon=True).start()
        import time
        time.sleep(0.5)
        os._exit(5)
        """)
    same(code, 5)
    assert refused(facts)["mount"] > 8 and time.monotonic() - begun < 20, facts
    code, _, facts = c.py("""
        import threading
        while True:
            libc.syscall(165, 0, 0, 0, 0, 0)
        """, "--timeout-ms", "1000")
    same(code, 124)
    assert refused(facts)["mount"] > 0, facts


@test()
def odd_socket_families_are_refused(c):
    _, out, _ = c.py("""
        for family in list(range(3, 10)) + list(range(11, 46)):
            for kind in (1, 2, 3, 5):
                code = call(41, family, kind, 0 if family != 16 else 4)
                if name(code) not in ("EAFNOSUPPORT", "EPERM"):
                    print("family", family, kind, name(code))
        print(name(call(41, (1 << 32) | 17, 3, 0)))
        """)
    assert out.strip() in ("EAFNOSUPPORT", "EPERM"), out


@test()
def calls_of_other_architectures_kill(c):
    code, _, facts = c.py("call(0x40000000 | 39)")      # x32 getpid
    same((code, facts["signal"]), (159, 31))
    same(facts["blocked"][0]["rule"], "seccomp")


@test()
def the_network_cannot_be_reached(c):
    with socket.socket() as server, socket.socket(socket.AF_UNIX) as local, \
            socket.socket(socket.AF_UNIX) as abstract:
        server.bind(("127.0.0.1", 0))
        server.listen()
        local.bind(os.path.join(c.outside, "socket"))
        os.chmod(os.path.join(c.outside, "socket"), 0o777)
        local.listen()
        abstract.bind("\0sparks-" + MARK)
        abstract.listen()
        _, out, _ = c.py(f"""
            import socket
            for family, kind, address in (
                    (2, 1, ("127.0.0.1", {server.getsockname()[1]})), (2, 1, ("192.0.2.1", 53)),
                    (1, 1, {c.outside + "/socket"!r}), (1, 1, "\\0sparks-{MARK}"),
                    (10, 1, ("2606:4700:4700::1111", 53))):
                try:
                    s = socket.socket(family, kind)
                    s.settimeout(2)
                    s.connect(address)
                    print("CONNECTED", address)
                except OSError:
                    pass
            try:
                socket.socket(2, 2).sendto(b"x", ("192.0.2.1", 53))
                print("SENT")
            except OSError:
                pass
            """)
    os.unlink(os.path.join(c.outside, "socket"))
    same(out, "")


@test()
def processes_outside_cannot_be_signalled(c):
    victim = subprocess.Popen(c.prefix[:4] * (c.uid != os.getuid()) + ["sleep", "60"])
    try:
        c.py(f"""
            import signal
            for pid in ({victim.pid}, -1, os.getppid(), 1):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            """)
        same(victim.poll(), None)
    finally:
        victim.kill()
        victim.wait()


@test(NATIVE)
def only_its_own_processes_are_there(c):
    _, out, _ = c.sh("ls /proc | grep -c '^[0-9]'; hostname; id -un; cat /proc/1/mem | head -c1")
    lines = out.split()
    assert int(lines[0]) <= 6, out
    same(lines[1:3], ["box", "spark"])


@test()
def the_read_only_path_can_be_read(c):
    path = os.path.join(c.top, "shared")
    os.makedirs(path)
    os.chmod(path, 0o777)
    with open(path + "/file", "w") as f:
        f.write("shared")
    code, out, _ = c.sh(f"cat {path}/file; echo x >{path}/file; echo x >{path}/new; true",
                        "--read-only", path)
    assert out.startswith("shared"), out
    same((os.listdir(path), open(path + "/file").read()), (["file"], "shared"))


@test()
def a_file_of_the_system_can_be_shown_once_more(c):
    """As the installed sparks-box is to a probe: it lies on a read-only mount, and runs."""
    code, out, _ = c.run(["/usr/bin/env", "echo", "fine"], "--read-only", "/usr/bin/env",
                         "--read-only", os.path.realpath("/bin/sh"))
    same((code, out), (0, "fine\n"))


@test()
def another_folder_can_stand_in_for_the_work_tree(c):
    path = os.path.join(c.top, "checkout")
    os.mkdir(path)
    os.chown(path, c.uid, -1)
    code, out, _ = c.sh("pwd; touch made", "--from", path)
    same(code, 0)
    same(out.strip(), c.work if c.tier == NATIVE else path)
    same(os.listdir(path), ["made"])


# ---- limits ----

@test()
def a_fork_bomb_is_bounded(c):
    """Every process forks on; the bomb is a dud after MOST, so that it harms no machine."""
    most = 3000
    code, out, facts = c.py(f"""
        import mmap, time
        count = mmap.mmap(-1, 4)
        while True:
            n = int.from_bytes(count[:4], "little")
            if n >= {most}:
                print("SPREAD")
                time.sleep(5)
                break
            count[:4] = (n + 1).to_bytes(4, "little")
            try:
                os.fork()
            except OSError as e:
                print(name(e.errno), flush=True)
                time.sleep(0.2)
                break
        """, "--set", "box.pids=64", "--timeout-ms", "20000")
    assert "SPREAD" not in out, out
    assert "EAGAIN" in out or facts["blocked"][0]["rule"] == "pids", (code, out, facts)
    same(c.sh("echo fine")[:2], (0, "fine\n"))


@test()
def memory_is_bounded(c):
    code, out, facts = c.py("""
        import time
        held = []
        for i in range(64):
            held.append(b"x" * (8 << 20))
            time.sleep(0.005)
        print("HAD IT ALL")
        """, "--set", "box.memory_bytes=134217728")
    same((code, out, facts["blocked"][0]["rule"]), (137, "", "memory"))
    assert facts["rss_max"] < 400 << 10


@test(NATIVE)
def the_kernel_holds_the_caps_of_all_together(c):
    if not c.full:
        return
    # quicker than any meter: all of it in one call
    code, out, facts = c.py("""
        pids = []
        for i in range(4):
            pids.append(os.fork())
            if not pids[-1]:
                held = bytearray(60 << 20)
                os._exit(0)
        print(sum(os.waitpid(pid, 0)[1] != 0 for pid in pids) > 0)
        """, "--set", "box.memory_bytes=67108864")
    assert code == 137 or out == "True\n", (code, out)
    assert "memory" in [b["rule"] for b in facts["blocked"]], facts
    # an own processor, in part
    code, out, _ = c.py("""
        import time
        end = time.monotonic() + 1
        while time.monotonic() < end:
            pass
        print(sum(os.times()[:2]) < 0.6)
        """, "--set", "box.cpus=0.25")
    same((code, out), (0, "True\n"))
    # nothing is left behind; those of programs that run beside us are theirs
    same([name for kind in ("memory", "pids", "cpu") for name in os.listdir("/sys/fs/cgroup/" + kind)
          if name.startswith("sparks.") and not os.path.exists("/proc/" + name.split(",")[2])], [])


@test()
def shared_pages_count_once(c):
    code, out, _ = c.py("""
        import time
        held = b"x" * (60 << 20)
        for i in range(5):
            if os.fork() == 0:
                time.sleep(0.3)
                os._exit(0)
        for i in range(5):
            os.wait()
        print("done")
        """, "--set", "box.memory_bytes=134217728")
    same((code, out), (0, "done\n"))


@test()
def file_size_is_bounded(c):
    code, _, facts = c.sh("exec dd if=/dev/zero of=big bs=64k count=100",
                          "--set", "box.fsize_bytes=1048576")
    same((code, facts["blocked"][0]["rule"]), (128 + signal.SIGXFSZ, "fsize"))
    same(os.path.getsize(os.path.join(c.work, "big")), 1048576)
    os.unlink(os.path.join(c.work, "big"))


@test(NATIVE)
def files_in_memory_are_bounded(c):
    code, out, _ = c.sh("for d in /tmp /dev/shm $HOME; do dd if=/dev/zero of=$d/big bs=1M "
                        "count=200 2>/dev/null && echo FULL; ls -l $d/big | cut -d' ' -f5; done",
                        "--set", "box.memory_bytes=67108864")
    assert "FULL" not in out, out
    assert all(int(n) <= 16 << 20 for n in out.split()), out


@test()
def there_are_no_core_files(c):
    c.sh("ulimit -c unlimited; kill -SEGV $$")
    same([n for n in os.listdir(c.work) if n.startswith("core")], [])


# ---- when there is no box ----

@test()
def a_tier_below_the_required_one_is_refused(c):
    if c.full:
        return      # there is none above it
    required = "native" if c.tier == LANDLOCK else "native-full"
    code, out, facts = c.run(["touch", "ran"], "--set", f"box.require_tier={required}")
    same((code, facts), (125, None))
    assert "box_tier" in out and c.tier in out, out
    assert not os.path.exists(os.path.join(c.work, "ran"))


@test()
def a_missing_work_tree_is_an_error_that_names_the_step(c):
    code, out, facts = c.run(["true"], "--work", c.top + "/absent")
    same((code, facts), (125, None))
    assert "box_failed" in out and c.top + "/absent" in out, out


@test()
def without_an_engine_the_docker_backend_says_so(c):
    code, out, _ = c.run(["true"], "--set", "box.backend=docker",
                         "--set", "docker.socket_path=/no/such.sock")
    same(code, 125)
    assert "no container engine answers" in out and "/no/such.sock" in out, out


def why_not(args):
    """A reason why this situation cannot be had here, or None."""
    who, _, how = args.situation.partition("-")
    if who in ("root", "chroot") and os.getuid() != 0:
        return "needs root"
    probe = subprocess.run([args.helper, "--probe"], capture_output=True, text=True).stdout
    if "yes\tprivate root" not in probe and how in (NATIVE, FULL, "fallback"):
        return "user namespaces are forbidden here"
    if how == FULL and "native-full" not in subprocess.run(
            [args.box_run, "--work", tempfile.gettempdir(), "--facts", "--", "true"], capture_output=True, text=True,
            env=dict(os.environ, SPARKS_BOX=args.helper)).stderr:
        return "control groups cannot be written here"
    if "no\tlandlock" in probe and how != NATIVE:
        return "this kernel has no Landlock"
    return None


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--box-run", required=True)
    ap.add_argument("--helper", required=True)
    ap.add_argument("--only", default="")
    ap.add_argument("situation")
    args = ap.parse_args()
    reason = why_not(args)
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    case = Case(args)
    chosen = [t for t, tiers in TESTS if case.tier in tiers and args.only in t.__name__]
    print(f"1..{len(chosen)}")
    failed = 0
    try:
        for number, function in enumerate(chosen, 1):
            try:
                function(case)
                verdict = "ok"
            except (AssertionError, OSError, KeyError, TypeError, IndexError, ValueError,
                    subprocess.TimeoutExpired) as e:
                verdict = "not ok"
                failed += 1
                print("# " + f"{type(e).__name__}: {e}".replace("\n", "\n# "))
            print(f"{verdict} {number} - {function.__name__}", flush=True)
    finally:
        case.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
