"""A session bus of its own with a real keyring daemon on it, unlocked by a password on stdin."""
import contextlib
import os
import signal
import subprocess
import time

PASSWORD = b"of the keyring"


def wait_for_service(env):
    for _ in range(100):
        done = subprocess.run(
            ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus",
             "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner",
             "string:org.freedesktop.secrets"], env=env, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if b"true" in done.stdout:
            return
        time.sleep(0.05)
    raise AssertionError("the keyring daemon did not come")


def start(words, env, **more):
    return subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL, **more)


@contextlib.contextmanager
def bus(w):
    """A bus without any service; w.env leads there."""
    config = os.path.join(w.folder, "bus.conf")
    runtime = os.path.join(w.folder, "run")
    with open(config, "w", encoding="utf-8") as file:
        file.write("<busconfig><type>session</type><listen>unix:path=" + runtime +
                   "/sock</listen><policy context='default'><allow send_destination='*' "
                   "eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy>"
                   "</busconfig>")
    os.makedirs(runtime, mode=0o700)
    env = {**w.env, "XDG_RUNTIME_DIR": runtime, "HOME": w.folder,
           "XDG_DATA_HOME": os.path.join(w.folder, "data"),
           "XDG_CACHE_HOME": os.path.join(w.folder, "cache")}
    daemon = start(["dbus-daemon", "--config-file=" + config, "--nofork",
                    "--print-address=1"], env, stdout=subprocess.PIPE)
    env["DBUS_SESSION_BUS_ADDRESS"] = daemon.stdout.readline().decode().strip()
    before, w.env = w.env, env
    try:
        yield env
    finally:
        w.env = before
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=10)
        daemon.stdout.close()


@contextlib.contextmanager
def keyring(w):
    with bus(w) as env:
        daemon = start(["gnome-keyring-daemon", "--foreground", "--unlock",
                        "--components=secrets"], env, stdin=subprocess.PIPE,
                       stdout=subprocess.DEVNULL)
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        try:
            wait_for_service(env)
            yield daemon
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(timeout=10)


def lock(w):
    subprocess.run(
        ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets",
         "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
         "array:objpath:/org/freedesktop/secrets/collection/login"], env=w.env, check=True,
        stdout=subprocess.DEVNULL)
