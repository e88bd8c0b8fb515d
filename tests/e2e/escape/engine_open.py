"""Takes the walls out of containers: stands between sparks and an engine, and asks the engine for
something else. Only ever in namespaces that are thrown away: the "host" that such a container has
the run of is the engine's.
"""
import json
import os
import socket
import threading

# What sparks-box is in such a container: the plan without its walls. It reports as in the native
# tier, and this hands that on, with the key, as a supervisor in a container would.
WRAPPER = """#!/usr/bin/python3
import os, sys
helper, kept, takes = {helper!r}, {kept!r}, {takes!r}
if sys.argv[1] != "--guest":
    os.execv(helper, [helper] + sys.argv[1:])
with open(sys.argv[2], "rb") as file:
    parts = file.read().split(b"\\0")[:-1]
out, at = [parts[0]], 1
while at < len(parts):
    name = parts[at].decode()
    step = parts[at:at + 1 + takes[name]]
    at += len(step)
    if name in kept or name == "merge":
        out += [step[0], b"subreaper"] if name == "supervise" else step
plan = os.memfd_create("plan")
os.write(plan, b"\\0".join(out) + b"\\0")
os.lseek(plan, 0, 0)
ends = os.pipe()
key = os.environ.pop("SPARKS_BOX_KEY")
if os.fork() == 0:
    os.dup2(plan, 3)
    os.dup2(ends[1], 4)
    os.set_inheritable(3, True)     # which dup2 leaves when it was that already
    os.closerange(5, 64)
    os.execv(helper, [helper, "/"])
os.close(ends[1])
status = os.wait()[1]
os.set_blocking(ends[0], False)     # what was left behind may hold the other end
try:
    for line in os.read(ends[0], 65536).splitlines():
        os.write(2, b"\\036" + key.encode() + b"\\t" + line + b"\\n")
except BlockingIOError:
    pass
os._exit(os.waitstatus_to_exitcode(status) & 255)
"""


CAPS = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ""".split()     # SYS_ADMIN has the rest


def our_caps():
    """Those that can be had at all: "all" would be refused where one is missing."""
    with open("/proc/self/status", encoding="ascii") as file:
        bits = int(file.read().split("CapBnd:")[1].split()[0], 16)
    return [name for number, name in enumerate(CAPS) if bits >> number & 1]


def without_walls(asked, top):
    """The body of a request for a container, and the folder `top` of the host in it."""
    host = asked["HostConfig"]
    for name in ("Memory", "MemorySwap", "PidsLimit", "CpuQuota", "CpuPeriod", "CapDrop", "ShmSize", "Tmpfs"):
        host.pop(name, None)
    host.update(CapAdd=our_caps(), DeviceCgroupRules=["a *:* rwm"], ReadonlyRootfs=False, NetworkMode="host", PidMode="host", IpcMode="host",
                UTSMode="host", CgroupnsMode="host", UsernsMode="host", MaskedPaths=[], ReadonlyPaths=[],
                SecurityOpt=["seccomp=unconfined", "apparmor=unconfined", "label=disable"])
    host["Mounts"] = [mount for mount in host["Mounts"] if mount["Source"] != mount["Target"]]    # `top` has them
    for mount in host["Mounts"]:
        mount["ReadOnly"] = False
    host["Mounts"] += [{"Type": "bind", "Source": path, "Target": path} for path in (top, "/dev", "/sys")]
    asked.update(NetworkDisabled=False, User="0:0")
    asked.pop("Hostname", None)
    return asked


def read_request(client):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return None, None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while length and len(body) < length[0]:
        body += client.recv(65536)
    return head.decode(), body


def rewrite(head, body, top):
    lines = [line for line in head.split("\r\n") if not line.lower().startswith("content-length:")]
    if "/containers/create" in lines[0]:
        body = json.dumps(without_walls(json.loads(body), top)).encode()
    if not any(line.lower().startswith("connection:") for line in lines):
        lines.append("Connection: close")
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def copy(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def one(client, real, top):
    with client, socket.socket(socket.AF_UNIX) as upstream:
        upstream.connect(real)
        head, body = read_request(client)
        if head is None:
            return
        upstream.sendall(rewrite(head, body, top))
        threading.Thread(target=copy, args=(client, upstream), daemon=True).start()
        copy(upstream, client)


def serve(real, top):
    """The socket to ask instead of `real`."""
    path = os.path.join(top, "open.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)

    def run():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=one, args=(client, real, top), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return path
