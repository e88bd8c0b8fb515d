#!/usr/bin/env python3
"""Whole tasks in containers of a real engine.

usage: docker_tasks.py SPARKS [--podman]      (prints TAP)"""
import http.server
import json
import os
import sys
import threading

import engine

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cmd"))
from world import FINISH, FIX, World, main, say     # noqa: E402

CHECK = ". ./node_modules/dep.sh; [ $(dep) = 5 ] && sh test.sh"
KIND = engine.Podman if "--podman" in sys.argv else engine.Docker
ENGINE = None


class Place(World):
    def __init__(self, image=engine.SMALL):
        super().__init__()
        self.env.update(SPARKS_AUTONOMY_LEVEL="autonomous", SPARKS_BOX_BACKEND="docker", SPARKS_DOCKER_SOCKET_PATH=ENGINE.socket,
                        SPARKS_DOCKER_IMAGE=ENGINE.image_name(image))

    def ignore(self, line="node_modules/"):
        self.write(".gitignore", line + "\n")
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "ignore")
        self.write("node_modules/dep.sh", "dep() { echo 5; }\n")

    def outputs(self, task):
        log = [json.loads(line) for line in self.run("tasks", "log", task, "--json").out.splitlines()]
        return [e["payload"].get("text") or "" for e in log if e["kind"] == "tool.result"]

    def profile(self, text):
        folder = os.path.join(self.env["SPARKS_HOME"], "ghosts")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(folder + "/builder.toml", "w", encoding="utf-8") as file:
            file.write('name = "builder"\ntools = ["shell", "file_edit"]\n' + text)


def shell(command):
    return say(("shell", {"command": command}))


def a_task_is_verified():
    with Place() as w:
        report = w.do(say(FIX), say(FINISH))
        assert (report["verdict"], report["tier"]) == ("verified", "docker"), report


def caches_of_home_have_a_layer():
    """Those that the repository uses; what may hold passwords in them is not there."""
    if KIND is engine.Podman:
        return
    with Place() as w:
        for name in (".m2/repository/a", "go/pkg/mod/m/x", "go/pkg/mod/cache/vcs/x/config", ".cache/ccache/ccache.conf", ".cache/ccache/0/x",
                     ".cargo/registry/a"):
            path = os.path.join(w.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write("outside\n")
        for name in ("pom.xml", "go.mod", "Makefile"):
            w.write(name, "")
        look = "cd; for f in .m2/repository/a go/pkg/mod/m/x go/pkg/mod/cache/vcs/x/config .cache/ccache/ccache.conf .cache/ccache/0/x " \
               ".cargo/registry/a; do [ -s $f ] && echo $f $(cat $f); done; true"
        report = w.do(shell(look + "; echo inside > .m2/repository/a; echo new > .m2/repository/b; echo x > go/pkg/mod/cache/vcs/y"),
                      shell(look + "; cat .m2/repository/b; ls go/pkg/mod/cache/vcs"), say(FIX), say(FINISH))
        first, second = w.outputs(report["task"])[:2]
        assert ".m2/repository/a outside" in first and "mod/m/x outside" in first and "ccache/0/x outside" in first, first
        assert "vcs" not in first.replace("cache/vcs/y", "") and "conf" not in first and ".cargo" not in first, first
        assert ".m2/repository/a inside" in second and "new" in second and "y" not in second.split("new")[1], second
        with open(w.folder + "/.m2/repository/a", encoding="utf-8") as file:
            assert file.read() == "outside\n" and not os.path.exists(w.folder + "/.m2/repository/b")


def lent_folders_have_a_layer():
    with Place() as w:
        w.ignore()
        report = w.json("do", "x", "--check", CHECK, "--model", w.play(
            shell("cat node_modules/dep.sh; echo 'dep() { echo 9; }' > node_modules/dep.sh; echo 1 > node_modules/new"),
            shell("cat node_modules/dep.sh node_modules/new; rm node_modules/dep.sh"), shell("ls node_modules"),
            say(FIX), say(FINISH)))
        # the check saw the folder as it is, not as the task made it
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        first, second, third = w.outputs(report["task"])[:3]
        assert "echo 5" in first and "echo 9" in second and second.rstrip().endswith("1"), (first, second)
        assert third.split()[-1] == "new", third
        assert w.read("node_modules/dep.sh") == "dep() { echo 5; }\n" and os.listdir(w.repo + "/node_modules") == ["dep.sh"]
        copies = w.run("tasks", "prune", report["task"], "--what", "copies")
        assert os.listdir(w.env["SPARKS_HOME"] + "/trees") == [], copies.out


def a_setup_is_there_for_commands_and_checks():
    """Over the folder that is lent, in one that there was not, and in nobody's commit."""
    with Place() as w:
        w.ignore("node_modules/\ntarget/")
        play = w.play(shell("cat node_modules/more node_modules/dep.sh target/made; echo 9 > target/made"), say(FIX), say(FINISH))
        report = w.json("do", "x", "--setup", "echo 7 > node_modules/more; mkdir target; echo 8 > target/made", "--check",
                        "[ $(cat node_modules/more)$(cat target/made) = 78 ] && { " + CHECK + "; }", "--model", play)
        text = w.outputs(report["task"])[0]
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        assert "7\n" in text and "echo 5" in text and "8\n" in text, text
        assert os.listdir(w.repo + "/node_modules") == ["dep.sh"] and not os.path.exists(w.repo + "/target")


def sensitive_files_in_them_are_not_there():
    with Place() as w:
        w.ignore()
        w.write("node_modules/pkg/.env", "TOKEN=plainly-secret\n")
        report = w.json("do", "x", "--check", CHECK, "--model", w.play(
            shell("ls -a node_modules/pkg; rm -rf node_modules/pkg; mv node_modules/pkg node_modules/x; "
                  "grep -r plainly . || echo none"), say(FIX), say(FINISH)))
        assert report["verdict"] == "verified" and "none" in w.outputs(report["task"])[0], w.outputs(report["task"])


def a_spark_only_reads_them():
    with Place() as w:
        w.ignore()
        report = w.json("do", "x", "--ghost", "scout", "--model", w.play(
            shell("cat node_modules/dep.sh; echo x > node_modules/new || echo refused"), say(FINISH)), code=3)
        assert "echo 5" in w.outputs(report["task"])[0] and "refused" in w.outputs(report["task"])[0]


def a_spark_has_its_image_and_mounts():
    with Place() as w:
        cache = os.path.join(w.folder, "cache")
        os.mkdir(cache)
        w.profile(f'image = "{ENGINE.image_name("sparks-test-other:1")}"\n[[mounts]]\nhost_path = "{cache}"\n'
                  'container_path = "/cache"\n')
        report = w.json("do", "x", "--ghost", "builder", "--check", "cat /other && ! touch /cache/check && sh test.sh",
                        "--model", w.play(shell("cat /other; echo kept > /cache/file"), say(FIX), say(FINISH)))
        assert report["verdict"] == "verified" and "the other image" in w.outputs(report["task"])[0], report
        assert os.listdir(cache) == ["file"]
        assert "this spark's image is" in w.run("tasks", "log", report["task"]).out
        out = w.run("sandbox", "run", "--spark", "builder", "--", "sh", "-c", "cat /other /cache/file").out
        assert out == "the other image\nkept\n", out
        w.profile('image = "no-such-image:7"\n')
        error = w.json("do", "x", "--ghost", "builder", "--check", "true", "--model", w.play(shell("true"), say(FINISH)),
                       code=77)["error"]
        assert "no-such-image:7" in error["message"] and "image of the spark" in error["message"], error
        assert "docker pull no-such-image:7" in error["hint"], error
        # where there are no containers, that is said
        w.profile('image = "no-such-image:7"\n')
        w.env["SPARKS_BOX_BACKEND"] = "native"
        done = w.run("do", "x", "--ghost", "builder", "--check", "sh test.sh", "--model", w.play(say(FIX), say(FINISH)))
        assert "image no-such-image:7 of the spark builder has no effect" in done.err, done.err


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the server was reached")

    def log_message(self, *_):
        pass


def allowed_hosts_are_reached_and_on_record():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    with Place(engine.LARGE) as w:
        # by a script of the repository, for the law asks about a host that it sees in a command
        with open(os.path.join(w.repo, "probe.sh"), "w", encoding="utf-8") as file:
            file.write(f"curl -s http://{address}/a\ncurl -s http://example.com/\n"
                       f"curl -s --noproxy '*' -m 2 http://{address}/b || echo shut\n")
        report = w.json("do", "x", "--check", f"curl -sf http://{address}/ >/dev/null; sh test.sh", "--allow", address, "--set",
                        f"box.allow_private={address}", "--model", w.play(
            shell("sh probe.sh"), say(FIX), say(FINISH)))
        text, log = w.outputs(report["task"])[0], w.run("tasks", "log", report["task"], "--json").out
        assert report["verdict"] == "verified" and "the server was reached" in text and "shut" in text, text
        assert "not among the allowed hosts" in text and log.count('"net.result"') >= 3, log
    server.shutdown()


def nothing_is_left_behind():
    assert ENGINE.containers() == [] and ENGINE.volumes() == [], (ENGINE.containers(), ENGINE.volumes())


def other_image():
    """The small one, and a file that tells it."""
    import io
    import tarfile
    data = io.BytesIO(engine.small_image())
    with tarfile.open(fileobj=data, mode="a") as tar:
        info, text = tarfile.TarInfo("./other"), b"the other image\n"
        info.size, info.mode = len(text), 0o644
        tar.addfile(info, io.BytesIO(text))
    return data.getvalue()


if KIND.lacks():
    print("1..0 # SKIP", KIND.lacks())
    sys.exit(0)
ENGINE = KIND()
try:
    if not ENGINE.answers():
        print("1..0 # SKIP the engine cannot start here:", ENGINE.last_words())
        sys.exit(0)
    ENGINE.add_image(engine.SMALL, engine.small_image())
    ENGINE.add_image(engine.LARGE, engine.large_image("curl"))
    ENGINE.add_image("sparks-test-other:1", other_image())
    layered = [] if KIND is engine.Podman else [a_setup_is_there_for_commands_and_checks]     # which it refuses
    main(a_task_is_verified, caches_of_home_have_a_layer, lent_folders_have_a_layer, *layered, sensitive_files_in_them_are_not_there, a_spark_only_reads_them,
         a_spark_has_its_image_and_mounts, allowed_hosts_are_reached_and_on_record, nothing_is_left_behind)
finally:
    ENGINE.close()
