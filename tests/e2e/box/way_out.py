#!/usr/bin/env python3
"""The way out of the real sandbox: curl, python and bare sockets in it, a loopback server outside.

usage: way_out.py --box-run PROGRAM --helper PROGRAM [--user | --engine [--quick]]      (prints TAP)"""
import argparse
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

import engine

USER = 12345    # some ordinary user; needs no entry in passwd
SECRET = "the-server-was-reached"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.startswith("/redirect?"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
            return
        if self.path == "/big":
            self.send_response(200)
            self.end_headers()
            for _ in range(64):
                self.wfile.write(bytes(1 << 20))
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SECRET.encode() + b" " + self.path.encode())

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d bytes" % len(self.rfile.read(length)))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass        # a client that goes in the middle is part of the tests

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.address = "127.0.0.1:%d" % self.server_port
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Case:
    def __init__(self, args):
        self.top = tempfile.mkdtemp(prefix="sparks-way-out-")
        os.chmod(self.top, 0o755)
        self.work, home = os.path.join(self.top, "work"), os.path.join(self.top, "home")
        self.box_run = shutil.copy(args.box_run, self.top)
        self.env = dict(os.environ, SPARKS_BOX=shutil.copy(args.helper, self.top), SPARKS_HOME=home)
        user = os.getuid() == 0 and args.user
        self.prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if user else []
        for folder in (self.work, home):
            os.mkdir(folder)
            if user:
                os.chown(folder, USER, USER)
        self.server, self.other = Server(), Server()
        self.engine = engine.with_curl() if args.engine else None
        self.settings = self.engine.settings(engine.LARGE) if self.engine else []

    def tier(self):
        return subprocess.run([*self.prefix, self.box_run, *self.settings, "--describe"], capture_output=True, text=True, env=self.env,
                              cwd="/", check=False).stdout.split("\n")[0]

    def run(self, script, *options, allow=None, private=None, python=False, code=0):
        """What the command wrote, and what the proxy told of."""
        server = self.server.address
        words = [*self.prefix, self.box_run, *self.settings, "--work", self.work, "--set",
                 "box.allow_private=" + (server if private is None else private)]
        for rule in [server, "localhost:" + server.split(":")[1]] if allow is None else allow:
            words += ["--allow", rule]
        inner = ["/usr/bin/python3", "-c", textwrap.dedent(script)] if python else ["sh", "-c", script]
        done = subprocess.run(words + list(options) + ["--"] + inner, capture_output=True, timeout=60,
                              env=self.env, cwd="/")
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        assert done.returncode == code, f"exit {done.returncode}, not {code}\n{out}\n{err}"
        told = [json.loads(line[7:]) for line in err.splitlines() if line.startswith("proxy: ")]
        return out, [one for one in told if "refused" in one]

    def close(self):
        if self.engine:
            self.engine.close()
        shutil.rmtree(self.top, ignore_errors=True)


def without_a_rule_there_is_nothing(c):
    out, told = c.run(f"env; ls /run; curl -sS --max-time 3 http://{c.server.address}/ 2>&1; "
                      "curl -sS --max-time 3 -x http://127.0.0.1:61080 http://example.com/ 2>&1; true", allow=[])
    assert "_proxy" not in out.lower() and "sparks-proxy" not in out, out
    assert SECRET not in out and out.count("onnect") >= 2 and not told, out


def curl_by_address_and_name(c):
    port = c.server.server_port
    out, told = c.run(f"curl -sS http://127.0.0.1:{port}/a; curl -sS http://localhost:{port}/b")
    assert out == f"{SECRET} /a{SECRET} /b", out
    assert [one["host"] for one in told] == ["127.0.0.1", "localhost"], told
    assert all(one["address"] == c.server.address and one["received"] > 20 and one["sent"] > 20
               and one["seconds"] >= 0 and not one["refused"] for one in told), told


def python_and_a_tunnel(c):
    out, told = c.run(f"""
        import http.client, urllib.request
        print(urllib.request.urlopen("http://{c.server.address}/py").read().decode())
        h = http.client.HTTPConnection("127.0.0.1", 61080)
        h.set_tunnel("127.0.0.1", {c.server.server_port})
        h.request("GET", "/tunnel")
        print(h.getresponse().read().decode())
        """, python=True)
    assert f"{SECRET} /py\n{SECRET} /tunnel" in out, out
    assert [one["method"] for one in told] == ["GET", "CONNECT"], told


def bodies_of_any_size(c):
    out, told = c.run(f"head -c 5000000 /dev/zero >b; curl -sS --data-binary @b http://{c.server.address}/; "
                      f"curl -sS http://{c.server.address}/big | wc -c")
    assert out.split() == ["5000000", "bytes67108864"] or "5000000 bytes67108864" in out.replace("\n", ""), out
    assert told[0]["sent"] > 5000000 and told[1]["received"] > 67108864, told


def a_redirect_is_judged_too(c):
    port = c.other.server_port      # curl makes 127.0.0.1 of its other spellings
    for target in (f"http://{c.other.address}/", f"http://[::ffff:127.0.0.1]:{port}/", "http://169.254.169.254/latest/",
                   f"http://2130706433:{port}/", f"http://0x7f.1:{port}/", "http://metadata.google.internal/"):
        out, told = c.run(f"curl -sS -g -L 'http://{c.server.address}/redirect?{target}'")
        assert SECRET not in out and "sparks: " in out, (target, out)
        assert len(told) == 2 and told[1]["refused"] and not told[1]["address"], (target, told)
    assert not c.other.asked


def private_addresses_need_their_own_rule(c):
    port = c.server.server_port
    out, told = c.run(f"curl -sS http://{c.server.address}/; curl -sS http://localhost:{port}/", private="127.0.0.1:1")
    assert SECRET not in out and out.count("loopback") == 2, out
    assert all("loopback" in one["refused"] for one in told), told
    # allowed as an address, but the host is not
    out, _ = c.run(f"curl -sS --noproxy '' http://{c.server.address}/", allow=["example.com"])
    assert SECRET not in out and "not among the allowed hosts" in out, out


SPELLINGS = """127.1 127.0.1 0177.0.0.1 0x7f.0.0.1 0x7f000001 2130706433 017700000001 127.0.0.1. [::1] [::ffff:127.0.0.1]
[::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1] 0 0.0.0.0
[::] 127.255.255.254 10.0.0.1 192.168.0.1 172.16.0.1 100.64.0.1 169.254.169.254 [fd00:ec2::254] 100.100.100.200 224.0.0.1
255.255.255.255 localhost localhost. LOCALHOST""".split()


def every_spelling_is_refused(c):
    """All of them are allowed as hosts, where they are ones: what stops them is where they lead."""
    allow, port = [], c.other.server_port
    for host in SPELLINGS:
        try:
            c.run("true", allow=[f"{host}:{port}"])
            allow.append(f"{host}:{port}")
        except AssertionError:
            pass        # no rule can name it
    assert 20 < len(allow) < len(SPELLINGS), allow
    out, told = c.run("""
        import socket
        for host in %r:
            for line in ("GET http://%%s:%d/ HTTP/1.1\\r\\nHost: %%s:%d\\r\\n\\r\\n" %% (host, host),
                         "CONNECT %%s:%d HTTP/1.1\\r\\n\\r\\n" %% host):
                s = socket.create_connection(("127.0.0.1", 61080))
                s.sendall(line.encode())
                print(host, s.recv(65536).split(b"\\r\\n")[0].decode())
        """ % (SPELLINGS, port, port, port), allow=allow, python=True)
    lines = out.splitlines()
    assert len(lines) == 2 * len(SPELLINGS), out
    assert all(" 403 " in line or " 400 " in line for line in lines), out
    assert len(told) == len(lines) and all(one["refused"] for one in told), told
    assert not c.other.asked


def the_proxy_is_all_there_is(c):
    out, _ = c.run(f"""
        import errno, os, socket
        port = {c.server.server_port}
        def tcp(host, port):
            s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            s.settimeout(3)
            try:
                s.connect((host, port)); return "OPEN"
            except OSError as e:
                return errno.errorcode.get(e.errno, "timeout")
        print(tcp("127.0.0.1", port), tcp("8.8.8.8", 53), tcp("::1", port), tcp("169.254.169.254", 80))
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            s.sendto(b"x", ("8.8.8.8", 53)); print("OPEN")
        except OSError as e:
            print(errno.errorcode[e.errno])
        try:
            print("OPEN", socket.getaddrinfo("example.com", 80))
        except OSError:
            print("no names")
        try:
            os.unlink("/run/sparks-proxy"); print("OPEN")
        except OSError as e:
            print(errno.errorcode[e.errno])
        """, python=True)
    assert "OPEN" not in out and "no names" in out, out


def the_socket_itself_is_no_more(c):
    """A program may leave the forwarder aside: the rules are the proxy's."""
    out, told = c.run("""
        import socket
        s = socket.socket(socket.AF_UNIX)
        s.connect("/run/sparks-proxy")
        s.sendall(b"CONNECT example.org:443 HTTP/1.1\\r\\n\\r\\n")
        print(s.recv(1000).decode())
        """, python=True)
    assert "403 Forbidden" in out and told[0]["host"] == "example.org", (out, told)


def the_forwarder_cannot_be_taken_over(c):
    out, _ = c.run("""
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid(), os.getppid())]
        print(len(others), libc.ptrace(16, int(others[0]), 0, 0))
        for name in ("mem", "fd/0", "environ"):
            try:
                (os.readlink if name == "fd/0" else open)("/proc/%s/%s" % (others[0], name)); print("OPEN", name)
            except PermissionError:
                print("refused")
        """, python=True)
    assert out.split() == ["1", "-1", "refused", "refused", "refused"], out


def smuggling_is_refused(c):
    before = len(c.server.asked)
    out, _ = c.run(f"""
        import socket
        A = "{c.server.address}"
        for head in ("Content-Length: 5\\r\\nContent-Length: 0", "Content-Length: 5\\r\\nTransfer-Encoding: chunked",
                     "Transfer-Encoding: xchunked", "Host: x", "X : y", "Transfer-Encoding: chunked\\r\\n Content-Length: 1"):
            s = socket.create_connection(("127.0.0.1", 61080))
            s.sendall(("POST http://%s/ HTTP/1.1\\r\\nHost: %s\\r\\n%s\\r\\n\\r\\n0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\n\\r\\n"
                       % (A, A, head)).encode())
            print(s.recv(65536).split(b" ")[1].decode())
        s = socket.create_connection(("127.0.0.1", 61080))
        s.sendall(("GET http://%s/one HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\nGET http://%s/smuggled HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n"
                   % (A, A, A, A)).encode())
        print(s.makefile().read().count("{SECRET}"))
        """, python=True)
    assert out.split() == ["400"] * 6 + ["1"], out
    assert c.server.asked[before:] == ["/one"], c.server.asked


def all_bytes_are_bounded(c):
    out, told = c.run(f"curl -sS http://{c.server.address}/big | wc -c; curl -sS http://{c.server.address}/",
                      "--set", "box.net_bytes=1000000")
    assert int(out.split()[0]) < 1100000 and "net_bytes" in out, out
    assert "cut off" in told[0]["refused"], told


def many_at_once(c):
    begun = time.monotonic()
    out, told = c.run(f"for i in $(seq 100); do curl -sS http://{c.server.address}/$i & done; wait", "--set", "box.pids=1000")
    assert out.count(SECRET) == 100 and len(told) == 100, (out.count(SECRET), len(told))
    assert time.monotonic() - begun < 30


def rules_that_are_none_are_said(c):
    for rule in ("127.1", "*", "http://a", "a:0"):
        out = subprocess.run([*c.prefix, c.box_run, "--work", c.work, "--allow", rule, "--", "true"], capture_output=True,
                             env=c.env, check=False).stderr.decode()
        assert "--allow" in out and rule in out, out


def tier_landlock_says_no(c):
    done = subprocess.run([*c.prefix, c.box_run, "--work", c.work, "--set", "box.tier=landlock", "--allow", "example.com",
                           "--", "true"], capture_output=True, check=False, env=c.env)
    assert done.returncode == 125 and b"no way out" in done.stderr, done


TESTS = [without_a_rule_there_is_nothing, curl_by_address_and_name, python_and_a_tunnel, bodies_of_any_size,
         a_redirect_is_judged_too, private_addresses_need_their_own_rule, every_spelling_is_refused,
         the_proxy_is_all_there_is, the_socket_itself_is_no_more, the_forwarder_cannot_be_taken_over,
         smuggling_is_refused, all_bytes_are_bounded, many_at_once, rules_that_are_none_are_said, tier_landlock_says_no]
# Of those the ones that a container could have otherwise; the others are the proxy's.
QUICK = [without_a_rule_there_is_nothing, curl_by_address_and_name, python_and_a_tunnel, bodies_of_any_size,
         the_proxy_is_all_there_is, the_socket_itself_is_no_more, the_forwarder_cannot_be_taken_over, many_at_once]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--box-run", required=True)
    parser.add_argument("--helper", required=True)
    parser.add_argument("--user", action="store_true", help="as an ordinary user")
    parser.add_argument("--engine", action="store_true", help="in containers")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    lacks = args.engine and engine.Docker.lacks()
    case = Case(args) if not lacks else None
    if lacks or not case.tier().startswith("docker" if args.engine else "native"):
        print("1..0 # SKIP", lacks or "no tier with namespaces here, or no engine")
        if case:
            case.close()
        return
    tests = QUICK if args.quick else TESTS
    print(f"1..{len(tests)}")
    failed = 0
    for number, one in enumerate(tests, 1):
        name = one.__name__.replace("_", " ")
        try:
            one(case)
            print(f"ok {number} - {name}")
        except Exception as error:      # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".splitlines()))
    case.close()
    sys.exit(failed > 0)


main()
