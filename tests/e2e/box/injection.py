#!/usr/bin/env python3
"""Keys for programs of the real sandbox: a TLS server that tells all it hears, and hostile programs inside.

usage: injection.py --box-run PROGRAM --helper PROGRAM [--user | --engine]      (prints TAP)"""
import argparse
import base64
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import urllib.parse

import engine
from certificates import make_certificate

USER = 12345    # some ordinary user; needs no entry in passwd
KEY = "sk-CANARY/9f31+c7d2e48b6a05"
STARS = "*" * len(KEY)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, body, *headers, status=200):
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin_chunks(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        told = (self.requestline + "\n" + str(self.headers)).encode()
        self.server.heard.append(told.decode())
        key = (self.headers.get("Authorization") or self.headers.get("X-Api-Key") or "none").encode()
        path = self.path.removeprefix("/v1").partition("?")[0]
        if path == "/header":
            self.say(b"", ("X-Echo", key.decode()), ("Location", "http://b/?" + key.decode()))
        elif path == "/coded":
            text = key.decode()
            self.say(b" ".join([base64.b64encode(told), base64.b64encode(key), json.dumps(text).encode(), key.hex().encode(),
                                key.hex().upper().encode(), urllib.parse.quote(text).encode(), urllib.parse.quote_plus(text).encode(),
                                "".join("%%%02x" % c for c in key).encode(), "".join("\\u%04X" % c for c in key).encode(),
                                "".join("&#%d;" % c for c in key).encode(), text.replace("/", "\\/").encode()]))
        elif path == "/chunks":
            self.begin_chunks()
            for i in range(len(key)):
                self.chunk(key[i:i + 1])
            self.chunk(b"")
        elif path == "/events":
            self.begin_chunks()
            for i in range(5):
                self.chunk(b"data: %d %s\n\n" % (i, key))
                time.sleep(0.3)
            self.chunk(b"")
        elif path == "/close":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + key[:20])
            self.wfile.flush()
            time.sleep(0.1)
            self.wfile.write(key[20:] + b"!")
        elif path == "/redirect":
            self.say(b"", ("Location", self.path.partition("?")[2]), status=302)
        elif path == "/big":
            self.say(bytes(64 << 20))
        else:
            self.say(told + b"|%d|" % len(body))

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass        # a client that goes in the middle is part of the tests

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard = []
        self.port = self.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Case:
    def __init__(self, args):
        self.top = tempfile.mkdtemp(prefix="sparks-injection-")
        os.chmod(self.top, 0o755)
        self.work, home = os.path.join(self.top, "work"), os.path.join(self.top, "home")
        self.box_run = shutil.copy(args.box_run, self.top)
        authority = make_certificate(self.top, "authority")
        other = make_certificate(self.top, "other")
        self.env = dict(os.environ, SPARKS_BOX=shutil.copy(args.helper, self.top), SPARKS_HOME=home, BOX_RUN_KEY=KEY,
                        SPARKS_KEY_CANARY=KEY, SSL_CERT_FILE=authority + ".crt")
        user = os.getuid() == 0 and args.user
        self.prefix = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if user else []
        for folder in (self.work, home):
            os.mkdir(folder)
            if user:
                os.chown(folder, USER, USER)
        self.server = Server(make_certificate(self.top, "server", authority))
        self.false = Server(make_certificate(self.top, "false", other))
        self.plain = Server()
        self.err = ""
        self.engine = engine.with_curl() if args.engine else None
        self.settings = self.engine.settings(engine.LARGE) if self.engine else []

    def tier(self):
        return subprocess.run([*self.prefix, self.box_run, *self.settings, "--describe"], capture_output=True, text=True, env=self.env,
                              cwd="/", check=False).stdout.split("\n")[0]

    def run(self, script, *options, python=False, code=0, env=None):
        """What the command wrote, and what was told of requests that are over. Nobody wrote the key."""
        private = ",".join(f"127.0.0.1:{one.port}" for one in (self.server, self.false, self.plain))
        inner = ["/usr/bin/python3", "-c", textwrap.dedent(script)] if python else ["sh", "-c", script]
        done = subprocess.run([*self.prefix, self.box_run, *self.settings, "--work", self.work, "--set", "box.allow_private=" + private,
                               *options, "--", *inner], capture_output=True, timeout=60, env={**self.env, **(env or {})},
                              cwd="/", check=False)
        out, self.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        assert done.returncode == code, f"exit {done.returncode}, not {code}\n{out}\n{self.err}"
        for text in (out, self.err):
            assert KEY not in text and KEY[3:12] not in text and KEY[12:] not in text, text
        told = [json.loads(line[7:]) for line in self.err.splitlines() if line.startswith("proxy: ")]
        return out, sorted((one for one in told if "refused" in one), key=lambda one: one["number"])

    def route(self, script, *options, origin=None, **more):
        return self.run(script, "--route", origin or f"https://localhost:{self.server.port}/v1", *options, **more)

    def host(self, script, *options, server=None, **more):
        """With a key for the host of a server, which is allowed; `{H}` of the script is it."""
        host = f"localhost:{(server or self.server).port}"
        return self.run(script.replace("{H}", host), "--allow", host, "--set",
                        f'box.credentials=["{host} Authorization: Bearer {{key.canary}}"]', *options, **more)

    def base(self, script, *options, path="/v1", row="Authorization: Bearer {key.canary} as FORGE_URL FORGE_TOKEN", **more):
        """With a base URL for the server, in two variables; `{H}` of the script is its host."""
        host = f"localhost:{self.server.port}"
        return self.run(script.replace("{H}", host), "--allow", host, "--set", f'box.credentials=["{host}{path} {row}"]',
                        *options, **more)

    def close(self):
        if self.engine:
            self.engine.close()
        shutil.rmtree(self.top, ignore_errors=True)


# ---- by a base URL ----

def the_key_is_added_outside(c):
    c.server.heard.clear()
    out, told = c.route('curl -sS "$ROUTE/chat?q=1" -H "Authorization: Bearer $PLACEHOLDER" -H "x-api-key: mine"')
    heard, = c.server.heard
    assert heard.startswith("GET /v1/chat?q=1 HTTP/1.1\n") and f"Authorization: Bearer {KEY}\n" in heard, heard
    assert "mine" not in heard and "sparks-" not in heard and f"Host: localhost:{c.server.port}\n" in heard, heard
    assert f"Authorization: Bearer {STARS}" in out, out
    assert told[0]["credential"] == "test.key" and told[0]["path"] == "/v1/chat" and not told[0]["refused"], told


def other_headers_and_basic(c):
    out, _ = c.route('curl -sS "$ROUTE/"', "--header", "X-Api-Key", "--prefix", "")
    assert f"X-Api-Key: {STARS}\n" in out, out
    out, _ = c.route('curl -sS "$ROUTE/"', "--prefix", "Basic ")
    assert "Authorization: Basic ***" in out, out
    assert base64.b64encode(b"x-access-token:" + KEY.encode()).decode() in c.server.heard[-1], c.server.heard[-1]


def no_echo_tells_it(c):
    out, _ = c.route('for p in header coded chunks close events; do curl -sS -i --raw "$ROUTE/$p"; curl -sS "$ROUTE/$p"; done')
    assert out.count(f"Bearer {STARS}") >= 8 and f"X-Echo: Bearer {STARS}" in out and f"Bearer {STARS}!" in out, out
    for spelled in (KEY.encode().hex(), KEY.encode().hex().upper(), "CANARY%2F9f31", "%2Bc7d2", "\\/9f31", "%43%41%4e", "\\u0043\\u0041", "&#67;&#65;"):
        assert spelled not in out, spelled
    for before in range(3):     # nor in base64, wherever it stands
        coded = base64.b64encode(b"x" * before + KEY.encode()).decode()[4:-6]
        assert coded not in out, (before, out)


def events_come_as_they_are_sent(c):
    out, _ = c.route("""
        import os, time, urllib.request
        begun = time.monotonic()
        with urllib.request.urlopen(os.environ["ROUTE"] + "/events") as answer:
            while line := answer.readline():
                if line.strip():
                    print("%.2f" % (time.monotonic() - begun), line.decode().strip())
        """, python=True)
    times = [float(line.split()[0]) for line in out.splitlines()]
    assert len(times) == 5 and times[-1] - times[0] > 1.0, out      # 1.2 s apart where they were sent


def a_redirect_has_no_key(c):
    other = f"127.0.0.1:{c.plain.port}"
    c.plain.heard.clear()
    out, told = c.route(f'curl -sS -L "$ROUTE/redirect?http://{other}/x"', "--allow", other)
    assert len(c.plain.heard) == 1 and KEY not in c.plain.heard[0], c.plain.heard
    assert "GET /x" in out and [one.get("credential") for one in told] == ["test.key", None], told
    out, _ = c.route(f'curl -sS -L "$ROUTE/redirect?http://{other}/y"; curl -sS -L --noproxy "" '
                     f'"$ROUTE/redirect?http://{other}/y"', code=0)
    assert "not among the allowed hosts" in out and len(c.plain.heard) == 1, out


def hostile_requests_go_nowhere(c):
    c.server.heard.clear()
    out, _ = c.route("""
        import os, socket
        path = "/" + os.environ["PLACEHOLDER"]
        def ask(text):
            s = socket.create_connection(("127.0.0.1", 61080))
            s.sendall(text.encode())
            return s.makefile(errors="replace").read()
        for head in ("Host: evil.test", "Host: localhost:1\\r\\nHost: b", "Host: localhost\\r\\nContent-Length: 5\\r\\n"
                     "Transfer-Encoding: chunked", "Host: localhost\\r\\nTransfer-Encoding: xchunked",
                     "Host: localhost\\r\\nContent-Length: 5\\r\\nContent-Length: 6", "Host: localhost\\r\\nX : y",
                     "Host: localhost\\r\\nConnection: host"):
            print(ask("POST %s/ HTTP/1.1\\r\\n%s\\r\\n\\r\\n0\\r\\n\\r\\n" % (path, head)).split()[1])
        for target in (path + "/../x", path + "/%2e%2e/x", path + "x/", "/sparks-" + 32 * "0" + "/",
                       "http://evil.test" + path + "/", "https://localhost" + path + "/"):
            print(ask("GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" % target).split()[1])
        print(ask("TRACE %s/ HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" % path).split()[1])
        print(ask("CONNECT localhost:%d HTTP/1.1\\r\\n\\r\\n").split()[1])
        print(ask(2 * ("GET %%s/one HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" %% path)).count("HTTP/1.1 200"))
        """.replace("CONNECT localhost:%d", f"CONNECT localhost:{c.server.port}").replace("%%", "%"), python=True)
    assert out.split() == ["400"] * 12 + ["403", "400", "400", "403", "1"] or \
        set(out.split()[:-1]) <= {"400", "403"} and out.split()[-1] == "1", out
    assert [one.split("\n")[0] for one in c.server.heard] == ["GET /v1/one HTTP/1.1"], c.server.heard


def a_false_certificate_hears_no_key(c):
    c.false.heard.clear()
    for origin in (f"https://localhost:{c.false.port}", f"https://127.0.0.1:{c.server.port}"):   # signer, name
        c.server.heard.clear()
        out, told = c.route('curl -sS "$ROUTE/"', origin=origin)
        assert "no TLS with" in out and told[0]["refused"], out
        assert not c.false.heard and not c.server.heard


def it_ends_with_the_call(c):
    first, _ = c.route("echo $ROUTE $PLACEHOLDER")
    url, word = first.split()
    out, told = c.route(f'curl -sS "{url}/"; curl -sS -H "Authorization: Bearer {word}" "$ROUTE/"')
    assert "for no server" in out and "GET /v1/" in out and told[0]["refused"], (out, told)
    assert word not in c.server.heard[-1]


def nothing_in_the_box_has_it(c):
    out, _ = c.route("""
        import os, subprocess
        env = str(os.environ)
        found = []
        for top in ("/proc", "/run", "/tmp", "/home", "/etc", "/dev/shm", os.getcwd()):
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    if os.path.islink(path) or path.startswith("/proc/sys") or os.path.basename(path) in ("kmsg", "pagemap"):
                        continue
                    try:
                        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                        data = os.read(fd, 1 << 20)
                        os.close(fd)
                    except OSError:
                        continue
                    if b"CANARY" + b"/9f31" in data or b"PRIVATE " + b"KEY" in data:
                        found.append(path)
        print("env" if "CAN" + "ARY" in env else "clean", found)
        """, python=True)
    assert out.split() == ["clean", "[]"], out
    for folder, _, names in os.walk(c.work):        # nor what is left of it
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert KEY.encode() not in file.read()


def much_and_many(c):
    out, told = c.route('curl -sS "$ROUTE/big" | wc -c; head -c 5000000 /dev/zero >b; '
                        'curl -sS --data-binary @b "$ROUTE/up"; for i in $(seq 40); do curl -sS "$ROUTE/$i" & done; wait',
                        "--set", "box.pids=500")
    assert out.split()[0] == str(64 << 20) and "|5000000|" in out and out.count(STARS) == 41, out[:2000]
    assert len(told) == 42 and not any(one["refused"] for one in told), told
    out, told = c.route('head -c 70000000 /dev/zero >b; curl -sS --data-binary @b "$ROUTE/up" 2>&1; true')
    assert told[0]["refused"] and "64 MiB" in told[0]["refused"], told


# ---- by the host's own name ----

def a_host_gets_its_key(c):
    c.server.heard.clear()
    out, told = c.host('curl -sS -H "Authorization: mine" https://{H}/x; python3 -c "import urllib.request as u; '
                       'print(u.urlopen(\\"https://{H}/y\\").read().decode())"; curl -sS https://{H}/chunks')
    assert out.count(f"Bearer {STARS}") == 3 and "mine" not in out, out
    assert all(f"Bearer {KEY}\n" in one for one in c.server.heard) and len(c.server.heard) == 3, c.server.heard
    assert [one["path"] for one in told] == ["/x", "/y", "/chunks"], told
    assert all(one["credential"] == "key.canary" for one in told), told


def others_are_not_looked_into(c):
    host = f"localhost:{c.false.port}"
    out, told = c.host(f"""
        import http.client, ssl
        h = http.client.HTTPSConnection("127.0.0.1", 61080, context=ssl._create_unverified_context())
        h.set_tunnel("localhost", {c.false.port})
        h.request("GET", "/seen")
        issuer = ssl.DER_cert_to_PEM_cert(h.sock.getpeercert(True))
        print(open("/dev/stdin").read() if False else issuer)
        print(h.getresponse().read().decode())
        """, "--allow", host, python=True)
    with open(os.path.join(c.top, "false.pem.crt"), encoding="ascii") as file:
        assert file.read().strip() in out, out      # the server's own certificate
    assert "GET /seen" in out and told[-1]["method"] == "CONNECT" and "credential" not in told[-1], told


def a_plain_request_has_no_key(c):
    out, told = c.host("curl -sS http://{H}/", server=c.plain)
    assert "GET / " in out and KEY not in c.plain.heard[-1] and "credential" not in told[0], (out, told)


def a_tunnel_is_for_one_host(c):
    c.server.heard.clear()
    out, told = c.host("""
        import os, socket, ssl
        def ask(name, text):
            s = socket.create_connection(("127.0.0.1", 61080))
            s.sendall(b"CONNECT {H} HTTP/1.1\\r\\n\\r\\n")
            s.recv(1000)
            context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
            context.check_hostname = name == "localhost"
            t = context.wrap_socket(s, server_hostname=name)
            t.sendall(text.encode())
            return t.makefile(errors="replace").read()
        for head in ("Host: evil.test", "Host: localhost:1", "Host: {H}\\r\\nHost: evil.test",
                     "Host: {H}\\r\\nContent-Length: 3\\r\\nTransfer-Encoding: chunked"):
            print(ask("localhost", "GET / HTTP/1.1\\r\\n%s\\r\\n\\r\\n" % head).split()[1])
        print(ask("localhost", "GET http://evil.test/ HTTP/1.1\\r\\nHost: {H}\\r\\n\\r\\n").split()[1])
        print(ask("localhost", "CONNECT {H} HTTP/1.1\\r\\nHost: {H}\\r\\n\\r\\n").split()[1])
        print(ask("evil.test", "GET / HTTP/1.1\\r\\nHost: {H}\\r\\n\\r\\n").split()[1])
        print(ask("localhost", 2 * "GET /two HTTP/1.1\\r\\nHost: {H}\\r\\n\\r\\n").count("HTTP/1.1 200"))
        """, python=True)
    assert out.split() == ["400"] * 7 + ["1"], out
    assert len(c.server.heard) == 1 and sum(bool(one["refused"]) for one in told) == 7, told


def any_tunnel_is_for_its_host(c):
    """Also one that is not looked into: TLS says in the clear whom it asks for."""
    host = f"localhost:{c.server.port}"
    out, told = c.run(f"""
        import socket, ssl
        for name in ("localhost", "evil.test", None):
            s = socket.create_connection(("127.0.0.1", 61080))
            s.sendall(b"CONNECT {host} HTTP/1.1\\r\\n\\r\\n")
            s.recv(1000)
            try:
                t = ssl._create_unverified_context().wrap_socket(s, server_hostname=name)
                t.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                print(t.recv(15).decode())
            except OSError:
                print("cut off")
        """, "--allow", host, python=True)
    assert out.split("\n")[:3] == ["HTTP/1.1 200 OK", "cut off", "HTTP/1.1 200 OK"], out
    assert [bool(one["refused"]) for one in told] == [False, True, False] and "asks for evil.test" in told[1]["refused"], told


def whoever_does_not_trust_is_told_of(c):
    out, told = c.host("curl -sS --cacert /etc/ssl/certs/ca-certificates.crt https://{H}/ 2>&1; true")
    assert "certificate" in out and "must trust the task's authority" in told[0]["refused"], (out, told)
    assert "credential" not in told[0], told


def a_false_server_of_a_host(c):
    c.false.heard.clear()
    out, told = c.host("curl -sS https://{H}/", server=c.false)
    assert "no TLS with" in out and not c.false.heard and told[0]["refused"], (out, told)


def other_programs_trust_it_too(c):
    c.server.heard.clear()
    out, _ = c.host('if command -v git >/dev/null; then git ls-remote https://{H}/repo 2>&1; else echo no git; fi; if command -v node >/dev/null; then HTTPS_PROXY= node -e \''
                    'const h = require("http"), t = require("tls"); h.request({host: "127.0.0.1", port: 61080, '
                    'method: "CONNECT", path: "{H}"}).on("connect", (r, s) => { const c = t.connect({socket: s, '
                    'servername: "localhost"}, () => console.log("node trusts", c.authorized)); c.on("error", '
                    'console.log); c.end(); }).end()\'; else echo node trusts true; fi')
    assert "certificate" not in out.lower() and "node trusts true" in out, out
    assert "no git" in out or any("git-upload-pack" in one and KEY in one for one in c.server.heard), (out, c.server.heard)


def a_key_that_is_missing(c):
    c.host("true", code=125, env={"SPARKS_KEY_CANARY": ""})
    assert "there is no key.canary" in c.err and "sparks secrets set key.canary" in c.err, c.err
    c.run("true", "--set", 'box.credentials=["localhost Authorization: Bearer {key.canary}"]',
          env={"SPARKS_KEY_CANARY": ""})        # of a host that is not allowed, nobody needs it
    for row in ("localhost", "localhost Authorization: Bearer sk-inline-secret", "localhost Host: {key.canary}", "a:0 X: {key.a}",
                "localhost X: {no.such}", "localhost A: Basic {key.canary}"):
        c.run("true", "--set", f'box.credentials=["{row}"]', "--allow", "localhost", code=125)
        assert "[box] credentials" in c.err and "inline" not in c.err, c.err


# ---- by a base URL of the configuration ----

def a_forge_by_its_base_url(c):
    c.server.heard.clear()
    out, told = c.base("""
        import json, os, urllib.request
        url, token = os.environ["FORGE_URL"], os.environ["FORGE_TOKEN"]
        print(url.startswith("http://127.0.0.1:61080/sparks-"), url.endswith(token), "SSL_CERT_FILE" in os.environ)
        for method, path in (("GET", "/repos/a/b?page=2"), ("POST", "/repos/a/b/issues")):
            body = json.dumps({"title": "x"}).encode() if method == "POST" else None
            asked = urllib.request.Request(url + path, body, {"Authorization": "Bearer " + token}, method=method)
            print(urllib.request.urlopen(asked).read().decode())
        """, python=True)
    assert out.split("\n")[0] == "True True False", out     # no interception, no authority
    assert [one.split("\n")[0] for one in c.server.heard] == ["GET /v1/repos/a/b?page=2 HTTP/1.1", "POST /v1/repos/a/b/issues HTTP/1.1"]
    assert all(f"Authorization: Bearer {KEY}\n" in one and "sparks-" not in one for one in c.server.heard), c.server.heard
    assert out.count(f"Bearer {STARS}") == 2 and "|14|" in out, out
    assert [(one["credential"], one["path"]) for one in told] == [("key.canary", "/v1/repos/a/b"), ("key.canary", "/v1/repos/a/b/issues")]


def a_forge_has_no_other_way(c):
    c.server.heard.clear()
    out, told = c.base("""
        curl -sS -k -H "Authorization: of the attacker" https://{H}/gists 2>&1; echo
        curl -sS http://{H}/gists; curl -sS -p -k https://{H}/gists 2>&1; echo
        curl -sS -k --connect-to ::{H} https://other.test:443/ 2>&1; echo
        curl -sS --path-as-is "$FORGE_URL/../secret"; curl -sS --path-as-is "$FORGE_URL/%2e%2e/secret"
        curl -sS "$FORGE_URL"x/secret; curl -sS -H "Authorization: of the attacker" "$FORGE_URL/own"
        """)
    assert [one.split("\n")[0] for one in c.server.heard] == ["GET /v1/own HTTP/1.1"], c.server.heard
    assert "of the attacker" not in c.server.heard[0] and f"Bearer {KEY}" in c.server.heard[0], c.server.heard
    assert sum("by its base URL alone" in (one["refused"] or "") for one in told) >= 3 and out.count(STARS) == 1, (out, told)


def a_forge_sends_its_key_nowhere_else(c):
    c.plain.heard.clear()
    out, _ = c.base('curl -sS -L "$FORGE_URL/redirect?http://elsewhere.test/x"; curl -sS -L --proto-default http "$FORGE_URL/redirect?http://{H}/y"')
    assert not c.plain.heard and "not among the allowed hosts" in out and "by its base URL alone" in out, (out, c.plain.heard)
    out, _ = c.base('for p in header coded chunks close events; do curl -sS -i --raw "$FORGE_URL/$p"; done')
    assert out.count(f"Bearer {STARS}") >= 4, out


def a_base_url_ends_with_the_task(c):
    first, _ = c.base("echo $FORGE_URL")
    c.server.heard.clear()
    out, told = c.base(f'curl -sS "{first.strip()}/"; echo; curl -sS -k https://{{H}}/ 2>&1; true')
    assert "for no server" in out and told[0]["refused"] and not c.server.heard, (out, told)


def a_base_url_that_nobody_may_use(c):
    host = f"localhost:{c.server.port}"
    row = f'box.credentials=["{host} Authorization: Bearer {{key.canary}} as FORGE_URL"]'
    out, _ = c.run('echo "${FORGE_URL-unset}"', "--set", row)                      # the host is not allowed
    assert out.strip() == "unset", out
    out, _ = c.run('echo "${FORGE_URL-unset}"', "--set", row, "--allow", "localhost:1")
    assert out.strip() == "unset", out
    c.base("true", code=125, env={"SPARKS_KEY_CANARY": ""})
    assert "there is no key.canary" in c.err, c.err
    if not c.engine:
        c.base("true", "--set", "box.tier=landlock", code=125)
        assert "the sandbox here (landlock) has no way out" in c.err, c.err


TESTS = [a_forge_by_its_base_url, a_forge_has_no_other_way, a_forge_sends_its_key_nowhere_else, a_base_url_ends_with_the_task,
         a_base_url_that_nobody_may_use, the_key_is_added_outside, other_headers_and_basic, no_echo_tells_it, events_come_as_they_are_sent,
         a_redirect_has_no_key, hostile_requests_go_nowhere, a_false_certificate_hears_no_key, it_ends_with_the_call,
         nothing_in_the_box_has_it, much_and_many, a_host_gets_its_key, others_are_not_looked_into,
         a_plain_request_has_no_key, a_tunnel_is_for_one_host, any_tunnel_is_for_its_host, whoever_does_not_trust_is_told_of,
         a_false_server_of_a_host, other_programs_trust_it_too, a_key_that_is_missing]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--box-run", required=True)
    parser.add_argument("--helper", required=True)
    parser.add_argument("--user", action="store_true", help="as an ordinary user")
    parser.add_argument("--engine", action="store_true", help="in containers")
    args = parser.parse_args()
    lacks = args.engine and engine.Docker.lacks()
    case = Case(args) if not lacks else None
    if lacks or not case.tier().startswith("docker" if args.engine else "native"):
        print("1..0 # SKIP", lacks or "no tier with namespaces here, or no engine")
        if case:
            case.close()
        return
    print(f"1..{len(TESTS)}")
    failed = 0
    for number, one in enumerate(TESTS, 1):
        name = one.__name__.replace("_", " ")
        try:
            one(case)
            print(f"ok {number} - {name}")
        except Exception as error:      # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            print("\n".join("# " + line for line in f"{type(error).__name__}: {error}".splitlines()))
        sys.stdout.flush()
    case.close()
    sys.exit(failed != 0)


main()
