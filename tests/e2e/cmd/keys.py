#!/usr/bin/env python3
"""Keys in the keyring and in the file: kept, told, found again, deleted, never shown.

usage: keys.py SPARKS      (prints TAP)"""
import os
import pty
import select
import signal
import socket
import subprocess
import time

import keyring_daemon as keyring
from model_server import server_of
from world import CHECK, SPARKS, World, main

KEYCTL = 250 if os.uname().machine == "x86_64" else 219     # the number of the system call
VALUE = "value-of-a-key-4711"


def home(w, name="secrets"):
    return os.path.join(w.env["SPARKS_HOME"], name)


def keep(w, key, value=VALUE, **more):
    return w.run("secrets", "set", key, stdin=None, input=(value + "\n").encode(), **more)


def where(w, key, **more):
    done = w.json("secrets", "list", **more)
    row = next(row for row in done["secrets"] if row["key"] == key)
    assert row["set"] == bool(row["where"])
    return row["where"]


def key_file(w, name="key", mode=0o600):
    path = os.path.join(w.folder, name)
    with open(path, "wb") as file:
        file.write(os.urandom(32))
    os.chmod(path, mode)
    return path


def stored(w):
    with open(home(w), "rb") as file:
        return file.read()


def seen_by_a_server(w, **env):
    """The key that a request carries: asked by doctor, heard by a server of ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = subprocess.Popen(
            [SPARKS, "doctor", "--set", f"openai.url=http://127.0.0.1:{port}/v1"],
            env={**w.env, **env}, cwd=w.repo, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        server.settimeout(30)
        peer, _ = server.accept()
        with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(65536)
            body = b'{"data":[]}'
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: "
                         b"close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        out, err = process.communicate(timeout=60)
    assert VALUE.encode() not in out + err
    lines = [line for line in head.decode().split("\r\n")
             if line.lower().startswith("authorization:")]
    return lines[0].split("Bearer ")[1] if lines else None, err.decode()


def without_any_key_the_file_is_plain_and_says_so():
    with World() as w:
        done = keep(w, "openai.api_key")
        assert "not sealed" in done.out and "SPARKS_SECRETS_KEY_FILE" in done.err
        assert VALUE not in done.out + done.err
        assert os.stat(home(w)).st_mode & 0o777 == 0o600
        assert ("openai.api_key=" + VALUE).encode() in stored(w)
        assert where(w, "openai.api_key") == ["secrets file"]
        row = next(row for row in w.json("doctor", "--skip-llm")["checks"]
                   if row["id"] == "secrets")
        assert row["status"] == "WARN" and "not sealed" in row["observed"]
        assert seen_by_a_server(w)[0] == VALUE
        assert seen_by_a_server(w, OPENAI_API_KEY="of-environment")[0] == "of-environment"


def a_key_file_seals_it():
    with World() as w:
        w.env["SPARKS_SECRETS_KEY_FILE"] = key = key_file(w)
        done = keep(w, "openai.api_key")
        assert "sealed with the key file" in done.out and not done.err, done.err
        assert VALUE.encode() not in stored(w) and b"openai" not in stored(w)
        assert seen_by_a_server(w)[0] == VALUE
        keep(w, "github.token", "second")
        assert where(w, "github.token") == ["secrets file"]
        assert where(w, "openai.api_key") == ["secrets file"]
        os.chmod(key, 0o640)
        assert "can be read by others" in w.run("secrets", "list", code=78).err
        os.chmod(key, 0o600)
        for beside in (home(w, "key"), home(w, "deep/er/key")):
            os.makedirs(os.path.dirname(beside), exist_ok=True)
            with open(beside, "wb") as file, open(key, "rb") as source:
                file.write(source.read())
            os.chmod(beside, 0o600)
            w.env["SPARKS_SECRETS_KEY_FILE"] = beside
            assert "lies in the same folder" in w.run("secrets", "list", code=78).err
            link = os.path.join(w.folder, "link-" + str(len(beside)))
            os.symlink(beside, link)
            w.env["SPARKS_SECRETS_KEY_FILE"] = link
            assert "lies in the same folder" in w.run("secrets", "list", code=78).err
        w.env["SPARKS_SECRETS_KEY_FILE"] = key_file(w, "other")
        assert "the key is another one" in w.run("secrets", "list", code=1).err
        w.env.pop("SPARKS_SECRETS_KEY_FILE")
        assert "none is given" in keep(w, "github.token", "third", code=78).err


def what_is_changed_is_told_and_kept_as_it_is():
    with World() as w:
        w.env["SPARKS_SECRETS_KEY_FILE"] = key_file(w)
        keep(w, "openai.api_key")
        good = stored(w)
        for at in (7, 8, 10, 13, 17, 21, 40, 70, len(good) - 1):
            bad = bytearray(good)
            bad[at] ^= 1
            with open(home(w), "wb") as file:
                file.write(bad)
            assert home(w) in w.run("secrets", "list", code=1).err
            assert "secrets" in keep(w, "github.token", "x", code=1).err
            assert stored(w) == bytes(bad), at
        for cut in (0, 7, 30, 60, 200, len(good) - 1):
            with open(home(w), "wb") as file:
                file.write(good[:cut])
            if cut >= 7:
                w.run("secrets", "list", code=1)
        with open(home(w), "wb") as file:
            file.write(good + b"x" * 300000)
        assert "larger than" in w.run("secrets", "list", code=75).err


def a_credential_of_systemd_seals_it_for_a_daemon():
    with World() as w:
        folder = os.path.join(w.folder, "credentials")
        os.mkdir(folder)
        os.rename(key_file(w), os.path.join(folder, "sparks-secrets-key"))
        w.env["CREDENTIALS_DIRECTORY"] = folder
        assert "systemd credential" in keep(w, "openai.api_key").out
        assert VALUE.encode() not in stored(w)
        assert seen_by_a_server(w)[0] == VALUE
        row = next(row for row in w.json("doctor", "--skip-llm")["checks"]
                   if row["id"] == "secrets")
        assert row["status"] == "PASS" and "sealed with the systemd cred" in row["observed"]
        # a unit of systemd has the credential, who gives it work has not
        config = os.path.join(w.env["SPARKS_HOME"], "config.toml")
        with server_of(VALUE) as port:
            with open(config, "w", encoding="utf-8") as file:
                file.write(f'openai.url = "http://127.0.0.1:{port}/v1"\nopenai.model = "m"\n')
            daemon = subprocess.Popen(
                [SPARKS, "up"], env={**w.env, "PATH": "/usr/bin:/bin"}, cwd="/",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            up = home(w, "up.json")
            end = time.monotonic() + 20
            while not os.path.exists(up) and time.monotonic() < end:
                time.sleep(0.05)
            w.env.pop("CREDENTIALS_DIRECTORY")
            assert "none is given" in w.run("secrets", "list", code=78).err
            row = next(row for row in w.json("doctor", "--skip-llm")["checks"]
                       if row["id"] == "secrets")
            assert row["status"] == "WARN" and "none is given" in row["observed"]
            task = w.json("do", "add must add", "--check", CHECK)
            assert task["verdict"] == "verified", task
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate(timeout=20)


class Terminal:
    """The program on a terminal of its own; what is typed is answered question by question."""

    def __init__(self, w, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(w.repo)
            os.execve(SPARKS, [SPARKS, *words], {**w.env, "TERM": "dumb"})
        self.out = b""

    def until(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.out:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {text} in {self.out}")
            try:
                piece = os.read(self.fd, 4096)
            except OSError:
                piece = b""
            if not piece:
                raise AssertionError(f"no {text} in {self.out}")
            self.out += piece

    def answer(self, question, text):
        self.until(question)
        time.sleep(0.2)     # the terminal is flushed before the question is read
        os.write(self.fd, text.encode() + b"\r")
        self.out = self.out.split(question)[-1]

    def end(self):
        try:
            while True:
                piece = os.read(self.fd, 4096)
                if not piece:
                    break
                self.out += piece
        except OSError:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), self.out.decode()


def kernel_keeps_keys():
    """Where the kernel has no keyring for us, each run asks again."""
    with World() as w:
        script = f"import ctypes;print(ctypes.CDLL(None).syscall({KEYCTL},0,-4,1))"
        done = subprocess.run(["python3", "-c", script], env=w.env, check=False,
                              stdout=subprocess.PIPE)
        return done.stdout.strip() != b"-1"


def a_passphrase_is_asked_once():
    with World() as w:
        phrase = "a horse of " + os.urandom(4).hex()
        t = Terminal(w, "secrets", "set", "openai.api_key")
        t.answer(b"is not shown): ", "  " + VALUE + "x\x7f ")
        t.answer(b"leave it readable): ", phrase)
        t.answer(b"The same again: ", phrase)
        code, out = t.end()
        assert code == 0 and "sealed with a passphrase" in out, out
        assert VALUE not in out and phrase not in out, out
        assert VALUE.encode() not in stored(w)
        if kernel_keeps_keys():
            value, err = seen_by_a_server(w)
            assert value == VALUE and not err, err
        forget(w)
        done = w.run("secrets", "list", code=78)
        assert "no terminal to ask on" in done.err
        assert seen_by_a_server(w)[0] is None
        t = Terminal(w, "secrets", "list")
        t.answer(b"Passphrase of", "a wrong one")
        t.answer(b"Passphrase of", phrase)
        code, out = t.end()
        assert code == 0 and "secrets file" in out, out
        if kernel_keeps_keys():
            assert where(w, "openai.api_key") == ["secrets file"]
        forget(w)
        t = Terminal(w, "doctor", "--set", "llm.provider=zen", "--set", "zen.model=m")
        t.until(b"Passphrase of")
        time.sleep(0.2)
        os.write(t.fd, b"\x03")     # not now; and it isn't asked for each key anew
        code, out = t.end()
        assert code == 0 and out.count("Passphrase of") == 1, out
        t = Terminal(w, "secrets", "set", "github.token")
        t.until(b"is not shown): ")
        time.sleep(0.2)
        os.write(t.fd, b"\x03")
        assert t.end()[0] == 130
        forget(w)


def forget(w):
    """Takes the key of the seal out of the kernel's keyring."""
    name = b"sparks:secrets:" + stored(w)[20:36].hex().encode()
    script = (f"import ctypes;l=ctypes.CDLL(None);l.syscall({KEYCTL},8,-4,-2);"
              f"i=l.syscall({KEYCTL},10,-4,b'user',{name!r},0);l.syscall({KEYCTL},3,i)")
    subprocess.run(["python3", "-c", script], env=w.env, check=True)


def a_kernel_without_keyring_asks_again():
    with World() as w:
        # as Docker's default seccomp profile has it
        shim = os.path.join(w.folder, "shim.c")
        library = os.path.join(w.folder, "shim.so")
        with open(shim, "w", encoding="utf-8") as file:
            file.write("#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <errno.h>\n"
                       "#include <sys/syscall.h>\n"
                       "long syscall(long n, long a, long b, long c, long d, long e, long f)\n"
                       "{ if (n == SYS_add_key || n == SYS_keyctl) { errno = EPERM; return -1; }\n"
                       "return ((long (*)(long, ...))dlsym(RTLD_NEXT, \"syscall\"))"
                       "(n, a, b, c, d, e, f); }\n")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, shim], check=True)
        w.env["LD_PRELOAD"] = library
        w.env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        t = Terminal(w, "secrets", "set", "openai.api_key")
        t.answer(b"is not shown): ", VALUE)
        t.answer(b"leave it readable): ", "long enough")
        t.answer(b"The same again: ", "long enough")
        code, out = t.end()
        assert code == 0 and "asked again each time" in out, out
        t = Terminal(w, "secrets", "list")
        t.answer(b"Passphrase of", "long enough")
        assert t.end()[0] == 0
        done = w.run("secrets", "list", code=78)
        assert "no terminal to ask on" in done.err and "kernel's keyring is not" in done.err
        assert "SPARKS_SECRETS_KEY_FILE" in done.err


def a_real_keyring_keeps_it():
    with World() as w, keyring.keyring(w):
        done = keep(w, "openai.api_key")
        assert "keyring of the session" in done.out and not done.err, done.err
        assert not os.path.exists(home(w))
        assert where(w, "openai.api_key") == ["keyring"]
        assert seen_by_a_server(w)[0] == VALUE
        keep(w, "openai.api_key", VALUE + "-new")
        assert seen_by_a_server(w)[0] == VALUE + "-new"
        keep(w, "openai.api_key", VALUE)
        assert where(w, "openai.api_key") == ["keyring"]
        row = next(row for row in w.json("doctor", "--skip-llm")["checks"]
                   if row["id"] == "secrets")
        assert row["status"] == "PASS" and "keyring of the session" in row["observed"]
        done = w.run("secrets", "delete", "openai.api_key",
                     env={**w.env, "OPENAI_API_KEY": "x"})
        assert "deleted from the keyring" in done.out and "still set in the env" in done.err
        assert where(w, "openai.api_key") == []
        w.run("secrets", "delete", "openai.api_key", code=2)


def a_locked_keyring_is_said_once_and_holds_nobody_up():
    with World() as w, keyring.keyring(w):
        keep(w, "openai.api_key")
        keyring.lock(w)
        start = time.monotonic()
        value, err = seen_by_a_server(w)
        assert time.monotonic() - start < 5 and value is None
        assert err.count("the keyring is locked") == 1, err
        assert "locked" in keep(w, "openai.api_key", "newer", code=75).err
        done = keep(w, "github.token")      # nothing there that would win over the file
        assert "the keyring is locked" in done.err and "secrets, not sealed" in done.out
        assert where(w, "github.token") == ["secrets file"]


def a_bus_without_keyring_leaves_the_file():
    with World() as w, keyring.bus(w):
        done = keep(w, "openai.api_key")
        assert "secrets, not sealed" in done.out
        value, err = seen_by_a_server(w)
        assert value == VALUE and not err, err


def a_bus_that_is_mute_holds_nobody_up():
    with World() as w:
        path = os.path.join(w.folder, "mute")
        keep(w, "openai.api_key")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            w.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + path
            start = time.monotonic()
            value, err = seen_by_a_server(w)
            took = time.monotonic() - start
            assert value == VALUE and took < 20, took
            assert err.count("keyring does not answer") == 1, err
            assert "does not answer" in keep(w, "github.token", code=75).err


def the_bus_may_end_while_a_daemon_runs():
    with World() as w:
        with keyring.keyring(w):
            keep(w, "openai.api_key")
            env = w.env
            daemon = subprocess.Popen([SPARKS, "up"], env=env, cwd=w.repo,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE)
            time.sleep(1)
        time.sleep(0.5)
        assert daemon.poll() is None
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=20)
        assert daemon.returncode == 0


def values_on_the_command_line_are_refused():
    with World() as w:
        for words in (["github.token", VALUE], ["github.token=" + VALUE], [VALUE]):
            done = w.run("secrets", "set", *words, code=2)
            assert VALUE not in done.out + done.err, done.err
        done = w.run("--set", "github.token=" + VALUE, "ghosts", code=78)
        assert VALUE not in done.err and "secrets set github.token" in done.err
        assert 'did you mean "github.token"' in w.run("secrets", "set", "github.tokn",
                                                      code=2).err
        assert not os.path.exists(home(w))
        for bad in ("", "two\nlines", "a\tb", "x" * 5000):
            keep(w, "github.token", bad, code=75 if len(bad) > 4097 else 2)
        assert not os.path.exists(home(w))


def inline_secrets_are_refused_with_the_remedy():
    with World() as w:
        config = os.path.join(w.folder, "mine.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[openai]\nmodel = "m"\napi_key = "{VALUE}"\n')
        done = w.run("--config", config, "ghosts", code=78)
        assert "mine.toml:3:" in done.err and "secrets set openai.api_key" in done.err
        assert "OPENAI_API_KEY" in done.err and VALUE not in done.err
        w.env.update(SPARKS_ALLOW_INLINE_SECRETS="1")
        done = w.run("--config", config, "config", "show", "--json")
        assert VALUE not in done.out + done.err
        assert w.run("--config", config, "secrets", "list").out.count("config file") == 1
        keep(w, "openai.api_key", "kept")
        secrets = {row["key"]: row for row in w.json("--config", config, "secrets", "list")["secrets"]}
        assert secrets["openai.api_key"]["where"] == ["secrets file", "config file"]


main(without_any_key_the_file_is_plain_and_says_so, a_key_file_seals_it,
     what_is_changed_is_told_and_kept_as_it_is,
     a_credential_of_systemd_seals_it_for_a_daemon, a_passphrase_is_asked_once,
     a_kernel_without_keyring_asks_again, a_real_keyring_keeps_it,
     a_locked_keyring_is_said_once_and_holds_nobody_up, a_bus_without_keyring_leaves_the_file,
     a_bus_that_is_mute_holds_nobody_up, the_bus_may_end_while_a_daemon_runs,
     values_on_the_command_line_are_refused, inline_secrets_are_refused_with_the_remedy)
