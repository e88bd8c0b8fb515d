"""A forge whose key the attacks are after: servers that tell all they hear, in every way there is. And a proxy
as it would be without the walls: it adds the key to whatever is asked, wherever it goes, and takes nothing out."""
import base64
import gzip
import http.server
import json
import os
import re
import secrets
import socket
import ssl
import sys
import threading
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../box"))
from certificates import make_certificate     # noqa: E402

# another one in each run: where processes of others can be seen, those of other runs are too
KEY = f"sk-forge-KEY/{secrets.token_hex(2)}+{secrets.token_hex(5)}"
COOKIE = "session-that-is-as-good-as-the-key"
PORT = 61080        # of the proxy, as a box knows it


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, body, *headers, status=200):
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pieces(self, data, *trailers):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i in range(len(data)):
            self.wfile.write(b"1\r\n" + data[i:i + 1] + b"\r\n")
        self.wfile.write(b"0\r\n" + b"".join(b"%s: %s\r\n" % one for one in trailers) + b"\r\n")

    def do_GET(self):
        told = (self.requestline + "\n" + str(self.headers)).encode()
        self.server.heard.append(told.decode())
        key = (self.headers.get("Authorization") or "none").encode()
        path, _, query = self.path.removeprefix("/v1").partition("?")
        if path == "/header":
            self.say(b"", ("X-Echo", key.decode()))
        elif path == "/coded":
            self.say(b" ".join((base64.b64encode(key), key.hex().encode(), json.dumps(key.decode()).replace("/", "\\/").encode(),
                                urllib.parse.quote(key, safe="").encode())))
        elif path == "/pieces":
            self.pieces(key)
        elif path == "/trailer":
            self.pieces(b"x", (b"X-Key", key))
        elif path == "/packed":
            self.say(gzip.compress(told), ("Content-Encoding", "gzip"))
        elif path == "/range":
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
            first, last = map(int, asked.groups()) if asked else (0, len(key) - 1)
            self.say(key[first:last + 1], ("Content-Range", f"bytes {first}-{last}/{len(key)}"), status=206 if asked else 200)
        elif path == "/cookie":
            self.say(b"", ("Set-Cookie", "s=" + COOKIE))
        elif path == "/redirect":
            self.say(b"", ("Location", query), status=302)
        else:
            self.say(told)

    do_TRACE = do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass        # whoever goes in the middle is part of the attacks

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard = []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()


# ---- the proxy without walls ----

def read_head(link):
    text = b""
    while b"\r\n\r\n" not in text and (piece := link.recv(65536)):
        text += piece
    return text


def pump(one, other):
    try:
        while piece := one.recv(65536):
            other.sendall(piece)
    except OSError:
        pass
    for link in (one, other):
        try:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class NoWalls:
    """Whoever asks for a path of its own reaches the forge by it, whatever the token is."""

    def __init__(self, forge, path):
        self.forge = forge
        for listener, address in ((socket.socket(), ("127.0.0.1", PORT)), (socket.socket(socket.AF_UNIX), path)):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(64)
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            threading.Thread(target=self.serve, args=(listener.accept()[0],), daemon=True).start()

    def serve(self, client):
        try:
            self.answer(client)
        except (OSError, ValueError):
            pass
        client.close()

    def answer(self, client):
        head = read_head(client).decode()
        method, target, _ = head.split("\r\n")[0].split()
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            if target != self.forge.host:
                return self.tunnel(client, target)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.forge.certificate)
            client = context.wrap_socket(client, server_side=True)
            return self.send_on(client, read_head(client).decode(), self.forge.host)
        if target.startswith("/sparks-"):
            head = head.replace(target, "/v1/" + target[1:].partition("/")[2], 1)
            return self.send_on(client, head, self.forge.base)
        return self.send_on(client, head.replace(target, urllib.parse.urlsplit(target).path, 1), urllib.parse.urlsplit(target).netloc)

    def tunnel(self, client, target):
        with socket.create_connection(target.rsplit(":", 1)) as server:
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            pump(server, client)

    def send_on(self, client, head, target):
        host = re.search(r"(?im)^host: *(\S+)", head)
        if host and host[1] in (self.forge.second, self.forge.host, self.forge.base):
            target = host[1]        # it believes the client
        head = re.sub(r"(?im)^(authorization|connection): .*\r\n", "", head)
        head = head.replace("\r\n", f"\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n", 1)
        first, rest = head.split("\r\n", 1)
        method, path, version = first.split()
        with socket.create_connection(target.rsplit(":", 1)) as server:
            if target != self.forge.second:
                server = ssl._create_unverified_context().wrap_socket(server, server_hostname="localhost")     # pylint: disable=protected-access
            path, mark, query = path.partition("?")
            server.sendall(f"{method} {os.path.normpath(path)}{mark}{query} {version}\r\n{rest}".encode())
            pump(server, client)


class Forge:
    """`base` is asked by its base URL, `host` by its name; `second` is somebody else's, and gets no key."""

    def __init__(self, folder):
        os.mkdir(folder, 0o755)
        authority = make_certificate(folder, "authority")
        self.roots = authority + ".crt"
        self.certificate = make_certificate(folder, "server", authority)
        self.servers = Server(self.certificate), Server(self.certificate), Server()
        self.base, self.host = (f"localhost:{one.server_port}" for one in self.servers[:2])
        self.second = f"127.0.0.1:{self.servers[2].server_port}"
        self.socket = folder + "/proxy.sock"
        self.old = self.other = "http://127.0.0.1:%d/sparks-0" % PORT     # routes that are not the attacker's

    def open(self):
        NoWalls(self, self.socket)
        os.chmod(self.socket, 0o777)
        return {"FORGE_URL": self.old, "HOST_KEY": KEY}

    def options(self):
        rows = [f"{self.base}/v1 Authorization: Bearer {{key.forge}} as FORGE_URL", f"{self.host} Authorization: Bearer {{key.forge}}"]
        words = ["--set", "box.credentials=" + json.dumps(rows), "--set", "box.allow_private=" + json.dumps(
            [f"127.0.0.1:{one.server_port}" for one in self.servers])]
        for host in (self.base, self.host, self.second):
            words += ["--allow", host]
        return words

    def env(self):
        return {"SPARKS_KEY_FORGE": KEY, "SSL_CERT_FILE": self.roots}

    def wrong(self):
        """What was heard that should not have been, or was not that should; of a box with a way out."""
        mine, named, second = ([KEY in text for text in one.heard] for one in self.servers)
        if len(mine) < 8 or not all(mine):
            return f"{mine.count(True)} of {len(mine)} requests by the base URL had the key"
        if named and not all(named):
            return "a request to the host had no key"
        return "somebody else's server heard the key" if any(second) or not second else None

    def bait(self):
        return {"key": KEY[::-1], "cookie": COOKIE[::-1], "host": self.host, "base": self.base, "second": self.second,
                "old": self.old, "other": self.other, "socket": self.socket}
