#!/usr/bin/env python3
"""Real builds in the box: the toolchains of the user's HOME, read-only, and its caches of packages below a layer of the
task's own. What a build needs is fetched from a server on loopback outside; in the box there is no network."""
import base64
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import traceback
import zipfile

from world import FINISH, FIX, SPARKS, World, say

OUTSIDE = os.path.expanduser("~")   # where this machine's toolchains are
CANARY = "plainly-canary"
BUILDERS = None     # the folder of tools/fetch-builders, once it was asked for
# Files with tokens, keys and passwords of the tools that are shown, and of others beside them.
SECRETS = [".cargo/credentials.toml", ".cargo/credentials", ".cargo/config.toml", ".cargo/git/db/x/FETCH_HEAD", ".npmrc",
           ".npm/_logs/x.log", ".m2/settings.xml", ".m2/settings-security.xml", ".config/pip/pip.conf", ".pip/pip.conf",
           ".pypirc", ".gradle/gradle.properties", ".gradle/init.d/x.gradle", ".netrc", ".git-credentials",
           ".config/git/credentials", ".gitconfig", ".ssh/id_ed25519", ".aws/credentials", ".docker/config.json",
           ".config/gh/hosts.yml", ".config/go/env", ".config/ccache/ccache.conf", ".cache/ccache/ccache.conf",
           "go/pkg/mod/cache/vcs/x/config", ".pyenv/versions/3.1.4/pip.conf", ".pyenv/versions/3.1.4/envs/e/pip.conf",
           ".pyenv/.git/config", ".nvm/versions/node/v1.2.3/etc/npmrc", ".nvm/.git/config", ".nvm/alias/x",
           ".nvm/versions/node/v1.2.3/lib/node_modules/npm/npmrc", ".asdf/installs/nodejs/1.2/etc/npmrc",
           ".asdf/installs/python/3/pip.conf", ".local/share/mise/installs/node/1/etc/npmrc", ".rbenv/versions/3/etc/gemrc",
           ".gem/credentials", ".bundle/config", ".sdkman/etc/config", ".rustup/tmp/x", ".bash_history",
           ".local/share/keyrings/login.keyring"]
# A program of each, where such a tool puts it.
PROGRAMS = {".cargo/bin": "one", ".pyenv/shims": "two", ".nvm/versions/node/v1.2.3/bin": "three", ".asdf/shims": "four",
            ".sdkman/candidates/java/current/bin": "five", ".rustup/toolchains/stable/bin": "six", ".rbenv/shims": "seven",
            ".local/share/mise/installs/go/1/bin": "eight", "go/bin": "nine"}


class Skip(Exception):
    """The machine has not what the point needs."""


class Home(World):
    """HOME is a folder of the test's own; the real toolchains are named by variables."""

    def __init__(self):
        super().__init__()
        self.env["SPARKS_AUTONOMY_LEVEL"] = "autonomous"    # what it runs is about the sandbox: nobody is asked
        for name in ("RUSTUP_HOME", "CARGO_HOME", "GOPATH", "GOMODCACHE", "GOCACHE", "GOFLAGS", "PYENV_ROOT", "RBENV_ROOT", "NVM_DIR",
                     "ASDF_DATA_DIR", "MISE_DATA_DIR", "SDKMAN_DIR", "npm_config_cache", "PIP_CACHE_DIR", "CCACHE_DIR", "YARN_CACHE_FOLDER",
                     "YARN_GLOBAL_FOLDER", "PNPM_HOME", "UV_CACHE_DIR", "GRADLE_USER_HOME"):
            self.env.pop(name, None)

    def put(self, name, text="", mode=0o644):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w" if isinstance(text, str) else "wb") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def box(self, command, *words, code=0):
        return json.loads(self.run("sandbox", "run", "--json", *words, "--", "bash", "-c", command, code=code).out)

    def outside(self, *argv, **env):
        done = subprocess.run(argv, cwd=self.repo, env={**self.env, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=120, check=False)
        assert done.returncode == 0, (argv, done.stdout.decode()[-2000:])


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"there is no {program} on this machine")


def serve(files, types=None):
    """A web server on loopback that has these files."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data = files.get(self.path)
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            if self.path in (types or {}):
                self.send_header("Content-Type", types[self.path])
            self.end_headers()
            self.wfile.write(data or b"" if self.command == "GET" else b"")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def tarball(folder, files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def listing(folder):
    return sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)


def texts(world, task, kind="tool.result"):
    log = [json.loads(line) for line in world.run("tasks", "log", task, "--json").out.splitlines()]
    return [e["payload"].get("text") or e["payload"].get("tail") for e in log if e["kind"] == kind]


def shell(command):
    return say(("shell", {"command": command}))


# ---- what is shown, and what is not ----

def tiers(world):
    tier = world.box("true")["tier"]
    return [[]] if tier == "landlock" else [[], ["--copy", "--set", "box.tier=landlock"]]


def no_secret_of_home_is_in_the_box():
    with Home() as w:
        for name in SECRETS:
            w.put(name, CANARY + "\n")
        for name in (".cargo/registry/src/x", ".rustup/settings.toml", ".pyenv/version", "go/bin/x"):
            w.put(name, "plainly-shown\n")
        search = f"grep -rs plainly- {w.folder} $HOME /root /tmp /etc | grep -v ^{w.repo}; cat {w.folder}/.pyenv/version"
        for words in tiers(w):
            found = w.box(search, *words)["stdout"]
            assert CANARY not in found and "plainly-shown" in found, found
            # nor by its name, where the tool looks for it
            tried = " ".join(f"{w.folder}/{name} ~/{name}" for name in SECRETS)
            found = w.box(f"cat {tried}; true", *words)["stdout"]
            assert CANARY not in found, found
        assert "plainly-" not in w.box(search + " 2>/dev/null; true", "--set", "box.toolchains=false")["stdout"]


def toolchains_of_home_run_and_cannot_be_written():
    with Home() as w:
        for folder, word in PROGRAMS.items():
            w.put(f"{folder}/tool-{word}", f"#!/bin/sh\necho it is {word}\n", 0o755)
        w.put("private/bin/tool-ten", "#!/bin/sh\necho it is ten\n", 0o755)
        bins = [os.path.join(w.folder, folder) for folder in [*PROGRAMS, "private/bin"]]
        w.env["PATH"] = ":".join([*bins, "relative", w.env["PATH"]])
        for words in tiers(w):
            ran = w.box("; ".join(f"tool-{word}" for word in PROGRAMS.values()), *words)
            assert ran["stdout"] == "".join(f"it is {word}\n" for word in PROGRAMS.values()), (ran, words)
            assert w.box("tool-ten", *words, code=127)["exit_code"] == 127
            path = w.box("echo $PATH", *words)["stdout"]
            assert "private" not in path and "relative" not in path and path.startswith(bins[0] + ":" + bins[1]), path
            assert "/usr/local/bin:/usr/bin:/bin" in path, path
        for command in ("echo x > {}/tool-new", "rm {}/tool-*", "mv {} x", "chmod 700 {}"):
            tried = "; ".join(f"{command.format(w.folder + '/' + folder)} && echo done" for folder in PROGRAMS)
            assert w.box(f"{{ {tried}; }} 2>/dev/null; true")["stdout"] == "", command
        # the state of sparks is shown by no variable, nor is all of HOME
        w.put("home/seen", CANARY)
        for place in ("home", "."):
            w.env.update(NVM_DIR=os.path.join(w.folder, place), GOMODCACHE=os.path.join(w.folder, place),
                         PIP_CACHE_DIR=os.path.join(w.folder, place))
            os.makedirs(w.env["NVM_DIR"] + "/versions", exist_ok=True)
            assert CANARY not in w.box(f"grep -rs {CANARY} {w.folder} $HOME; true")["stdout"], place
        w.env.pop("GOMODCACHE"), w.env.pop("PIP_CACHE_DIR"), w.env.pop("NVM_DIR")
        bare = w.box("echo $PATH; tool-one", "--set", "box.toolchains=false", code=127)
        assert bare["stdout"] == "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n", bare


def a_cache_has_a_layer_of_the_tasks_own():
    with Home() as w:
        if w.box("true")["tier"] == "landlock":
            raise Skip("the tier landlock has no layers")
        w.write("pom.xml", "<project/>")
        w.put(".m2/repository/a", "outside\n")
        w.put(".m2/repository/b", "outside\n")
        look = "cat ~/.m2/repository/*"
        report = w.json("do", "x", "--check", f"sh test.sh; code=$?; {look}; exit $code", "--model", w.play(
            shell("echo inside > ~/.m2/repository/a; rm ~/.m2/repository/b; echo new > ~/.m2/repository/c"),
            shell(look), say(FIX), say(FINISH)))
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        assert "inside\nnew" in texts(w, report["task"])[1], texts(w, report["task"])
        # a check has the user's, as anybody has who takes the commit
        assert texts(w, report["task"], "check.result")[-1].endswith("outside\noutside\n"), texts(w, report["task"], "check.result")
        assert sorted(os.listdir(w.folder + "/.m2/repository")) == ["a", "b"]
        # by hand: writable, and nothing stays
        assert w.box("echo x > ~/.m2/repository/a && cat ~/.m2/repository/a")["stdout"] == "x\n"
        assert w.box(look)["stdout"] == "outside\noutside\n"
        assert not [n for n in os.listdir(w.folder + "/home/trees") if n.startswith("sandbox")]


# ---- real builds ----

def cargo_builds_a_crate_from_the_registry_of_home():
    need("cargo", "gcc")
    with Home() as w:
        real = os.path.join(OUTSIDE, ".cargo/bin")
        if os.path.isdir(real):   # by rustup
            os.makedirs(w.folder + "/.cargo")
            os.symlink(real, w.folder + "/.cargo/bin")
            w.env.update(PATH=f"{w.folder}/.cargo/bin:{w.env['PATH']}", RUSTUP_HOME=os.path.join(OUTSIDE, ".rustup"))
        crate = tarball("tiny-1.0.0", {"Cargo.toml": '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n',
                                       "src/lib.rs": "pub fn answer() -> i32 { 42 }\n"})
        row = {"name": "tiny", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False,
               "cksum": hashlib.sha256(crate).hexdigest()}
        files = {"/ix/ti/ny/tiny": json.dumps(row).encode(), "/dl/tiny.crate": crate}
        server = serve(files)
        base = f"http://127.0.0.1:{server.server_port}"
        files["/ix/config.json"] = json.dumps({"dl": base + "/dl/{crate}.crate"}).encode()
        w.write("Cargo.toml", '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ntiny = "1"\n')
        w.write("src/main.rs", 'fn main() { println!("{}", tiny::answer()); }\n')
        w.write(".gitignore", "target/\n")
        w.write(".cargo/config.toml", f'[source.crates-io]\nreplace-with = "near"\n[source.near]\nregistry = "sparse+{base}/ix/"\n')
        w.outside("cargo", "fetch")
        server.shutdown()
        build = "cargo build -q --offline && ./target/debug/app"
        w.write("test.sh", f"[ \"$({build})\" = 42 ] && . ./calc.sh && [ $(add 2 3) = 5 ]\n")
        w.git("add", "-A")
        before = sorted(os.listdir(w.folder + "/.cargo/registry"))
        for words in tiers(w):
            ran = w.box(build, *words)
            assert ran["stdout"] == "42\n", (words, ran)
        report = w.do(shell(build), shell("ls ~/.cargo/registry; cargo build --offline 2>&1"), say(FIX), say(FINISH))
        built, again = texts(w, report["task"])[:2]
        assert "42" in built and "Finished" in again and "Compiling" not in again, (built, again)
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        assert sorted(os.listdir(w.folder + "/.cargo/registry")) == before


def go_builds_with_the_modules_of_home():
    need("go")
    with Home() as w:
        place = "proxy/example.com/tiny/@v/"
        w.put(place + "list", "v1.0.0\n")
        w.put(place + "v1.0.0.info", '{"Version":"v1.0.0","Time":"2024-01-01T00:00:00Z"}')
        w.put(place + "v1.0.0.mod", "module example.com/tiny\n")
        w.put(place + "v1.0.0.zip", zipped({"example.com/tiny@v1.0.0/go.mod": "module example.com/tiny\n",
                                            "example.com/tiny@v1.0.0/tiny.go": "package tiny\n\nconst Answer = 42\n"}))
        w.write("go.mod", "module example.com/app\n\ngo 1.18\n\nrequire example.com/tiny v1.0.0\n")
        w.write("main.go", 'package main\n\nimport "example.com/tiny"\n\nfunc main() { println(tiny.Answer) }\n')
        w.env.update(GOTOOLCHAIN="local", GOFLAGS="-mod=mod")
        try:
            w.outside("go", "mod", "tidy", GOPROXY=f"file://{w.folder}/proxy", GOSUMDB="off")
            shutil.rmtree(w.folder + "/proxy")
            before = listing(w.folder + "/.cache/go-build"), listing(w.folder + "/go")
            for words in tiers(w):      # in landlock without the one of what was built
                ran = w.box("GOPROXY=off go build -o app . && ./app && find ~/.cache/go-build -type f | wc -l", *words)
                assert ran["stderr"].endswith("42\n") and int(ran["stdout"]) > (0 if words else len(before[0])), ran
            assert before == (listing(w.folder + "/.cache/go-build"), listing(w.folder + "/go"))
        finally:   # go makes its modules read-only
            subprocess.run(["chmod", "-R", "u+w", w.folder + "/go"], check=False)


def npm_installs_from_the_cache_of_home():
    need("npm", "node")
    with Home() as w:
        package = tarball("package", {"package.json": '{"name":"tiny","version":"1.0.0","main":"index.js"}',
                                      "index.js": "module.exports = 42;\n"})
        server = serve({"/tiny-1.0.0.tgz": package})
        base = f"http://127.0.0.1:{server.server_port}"
        lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
            "": {"name": "app", "version": "1.0.0", "dependencies": {"tiny": "1.0.0"}},
            "node_modules/tiny": {"version": "1.0.0", "resolved": base + "/tiny-1.0.0.tgz", "integrity":
                                  "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()}}}
        w.write("package.json", '{"name":"app","version":"1.0.0","dependencies":{"tiny":"1.0.0"}}')
        w.write("package-lock.json", json.dumps(lock))
        w.outside("npm", "ci", "--no-audit", "--no-fund", "--registry", base)
        server.shutdown()
        shutil.rmtree(w.repo + "/node_modules")
        before = listing(w.folder + "/.npm/_cacache")
        for words in tiers(w):
            ran = w.box("npm ci --offline --no-audit --no-fund >&2 && node -p 'require(\"tiny\")'", *words)
            assert ran["stdout"] == "42\n" and before == listing(w.folder + "/.npm/_cacache"), (words, ran)


def pip_installs_a_wheel_of_the_cache_of_home():
    need("pip3")
    with Home() as w:
        if os.path.isdir(os.path.join(OUTSIDE, ".pyenv")):
            w.env["PYENV_ROOT"] = os.path.join(OUTSIDE, ".pyenv")
        w.write("requirements.txt", "tiny\n")
        w.put(".cache/pip/wheels/tiny-1.0-py3-none-any.whl", wheel())
        for words in tiers(w):
            ran = w.box("which python3 && python3 -m venv $TMPDIR/v >&2 && $TMPDIR/v/bin/pip install --no-index --find-links "
                        "~/.cache/pip/wheels tiny >&2 && $TMPDIR/v/bin/python -c 'import tiny; print(tiny.answer)'", *words)
            assert ran["stdout"].endswith("\n42\n"), (words, ran)
            if "PYENV_ROOT" in w.env and not words:
                assert "/.pyenv/" in ran["stdout"], ran


def builders(w, *programs):
    """yarn, pnpm, uv and what Maven needs, as tools/fetch-builders has them; shown as versions of nvm are."""
    global BUILDERS       # pylint: disable=global-statement
    if BUILDERS is None:
        fetch = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools/fetch-builders")
        BUILDERS = subprocess.run([fetch], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode().strip()
    for program in programs:
        if not BUILDERS or not os.path.exists(f"{BUILDERS}/{program}"):
            raise Skip(f"{program} could not be fetched")
    os.makedirs(w.folder + "/.nvm")
    os.symlink(BUILDERS, w.folder + "/.nvm/versions")
    w.env["PATH"] = w.folder + "/.nvm/versions/bin:" + w.env["PATH"]


def maven_builds_with_the_repository_of_home():
    need("mvn", "javac")
    with Home() as w:
        builders(w, "m2", "app")
        shutil.copytree(BUILDERS + "/m2", w.folder + "/.m2/repository")
        shutil.copytree(BUILDERS + "/app", w.repo, dirs_exist_ok=True)
        w.put(".m2/settings.xml", f"<settings>{CANARY}</settings>")
        before = listing(w.folder + "/.m2")
        for words in tiers(w):
            ran = w.box("mvn -B -o package && java -cp target/app-1.jar App", *words)
            assert "Tests run: 1, Failures: 0" in ran["stdout"] and ran["stdout"].endswith("42\n"), (words, ran)
            assert CANARY not in ran["stdout"] and before == listing(w.folder + "/.m2")
        w.write("src/test/java/AppTest.java", w.read("src/test/java/AppTest.java").replace("5,", "6,"))
        assert "expected:<6>" in w.box("mvn -B -o package", code=1)["stdout"]


def gradle_builds_with_the_modules_of_home():
    need("gradle", "javac", "jar")
    with Home() as w:
        w.put("lib/tiny/Tiny.java", "package tiny;\n\npublic class Tiny {\n\tpublic static int answer() { return 42; }\n}\n")
        w.outside("javac", "-d", w.folder + "/lib", w.folder + "/lib/tiny/Tiny.java")
        w.outside("jar", "cf", w.folder + "/lib/tiny.jar", "-C", w.folder + "/lib", "tiny/Tiny.class")
        with open(w.folder + "/lib/tiny.jar", "rb") as file:
            jar = file.read()
        pom = ("<project><modelVersion>4.0.0</modelVersion><groupId>com.example</groupId><artifactId>tiny</artifactId>"
               "<version>1</version></project>").encode()
        server = serve({"/com/example/tiny/1/tiny-1.jar": jar, "/com/example/tiny/1/tiny-1.pom": pom})
        w.write("build.gradle", "apply plugin: 'java'\napply plugin: 'application'\nmainClassName = 'App'\n"
                f"repositories {{ maven {{ url 'http://127.0.0.1:{server.server_port}/' }} }}\n"
                "dependencies { compile 'com.example:tiny:1' }\n")
        w.write("settings.gradle", "rootProject.name = 'app'\n")
        w.write("src/main/java/App.java", "public class App {\n\tpublic static void main(String[] a) { System.out.println(tiny.Tiny.answer()); }\n}\n")
        w.outside("gradle", "--no-daemon", "-q", "run", GRADLE_USER_HOME=w.folder + "/.gradle")   # Java looks for no HOME
        server.shutdown()
        w.put(".gradle/gradle.properties", CANARY)
        before = listing(w.folder + "/.gradle")
        for folder in ("build", ".gradle"):
            shutil.rmtree(f"{w.repo}/{folder}", ignore_errors=True)
        ran = w.box("gradle --offline --no-daemon -q run; cat ~/.gradle/gradle.properties; true")
        assert "42\n" in ran["stdout"] and CANARY not in ran["stdout"] and before == listing(w.folder + "/.gradle"), ran


def node_project(w, lock, text):
    """A package on a server, and a project that wants it."""
    package = tarball("package", {"package.json": '{"name":"tiny","version":"1.0.0","main":"index.js"}',
                                  "index.js": "module.exports = 42;\n"})
    server = serve({"/tiny-1.0.0.tgz": package})
    base = f"http://127.0.0.1:{server.server_port}"
    w.write("package.json", '{"name":"app","version":"1.0.0","dependencies":{"tiny":"1.0.0"}}')
    w.write(lock, text.format(url=base + "/tiny-1.0.0.tgz", sha1=hashlib.sha1(package).hexdigest(), integrity="sha512-"
                              + base64.b64encode(hashlib.sha512(package).digest()).decode()))
    return server, base


def yarn_installs_from_the_cache_of_home():
    need("node")
    with Home() as w:
        builders(w, "bin/yarn")
        server, _ = node_project(w, "yarn.lock", '# yarn lockfile v1\n\n\ntiny@1.0.0:\n  version "1.0.0"\n  resolved "{url}#{sha1}"\n'
                                 "  integrity {integrity}\n")
        w.outside("yarn", "install", "--frozen-lockfile", YARN_CACHE_FOLDER=w.folder + "/.cache/yarn")    # root has another one
        server.shutdown()
        shutil.rmtree(w.repo + "/node_modules")
        before = listing(w.folder + "/.cache/yarn")
        assert before
        ran = w.box("yarn install --offline --frozen-lockfile >&2 && node -p 'require(\"tiny\")'")
        assert ran["stdout"] == "42\n" and before == listing(w.folder + "/.cache/yarn"), ran


def pnpm_installs_from_the_store_of_home():
    need("node")
    with Home() as w:
        builders(w, "bin/pnpm")
        server, base = node_project(w, "pnpm-lock.yaml", """lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false
importers:
  .:
    dependencies:
      tiny:
        specifier: 1.0.0
        version: 1.0.0
packages:
  tiny@1.0.0:
    resolution: {{integrity: {integrity}, tarball: '{url}'}}
snapshots:
  tiny@1.0.0: {{}}
""")
        w.outside("pnpm", "install", "--frozen-lockfile", "--registry", base)
        server.shutdown()
        shutil.rmtree(w.repo + "/node_modules")
        before = listing(w.folder + "/.local/share/pnpm")
        assert before
        ran = w.box("pnpm install --offline --frozen-lockfile >&2 && node -p 'require(\"tiny\")'")
        assert ran["stdout"] == "42\n" and before == listing(w.folder + "/.local/share/pnpm"), ran
        assert not os.path.exists(w.repo + "/.pnpm-store")


def wheel():
    return zipped({"tiny.py": "answer = 42\n",
                   "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
                   "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                   "tiny-1.0.dist-info/RECORD": "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\n"
                                                "tiny-1.0.dist-info/RECORD,,\n"})


def uv_installs_from_the_cache_of_home():
    need("/usr/bin/python3")
    with Home() as w:
        builders(w, "bin/uv")
        name = "tiny-1.0-py3-none-any.whl"
        server = serve({"/simple/tiny/": f'<html><body><a href="/{name}">{name}</a></body></html>'.encode(), "/" + name: wheel()},
                       {"/simple/tiny/": "text/html"})
        index = f"http://127.0.0.1:{server.server_port}/simple"
        w.write("requirements.txt", "tiny==1.0\n")
        steps = "uv venv -q --python /usr/bin/python3 {0} && uv pip install -q --python {0} --index-url " + index + " -r requirements.txt"
        w.outside("sh", "-c", steps.format(w.folder + "/v"))
        server.shutdown()
        before = listing(w.folder + "/.cache/uv")
        assert before
        ran = w.box(f"export UV_OFFLINE=1; {steps.format('/tmp/v')} >&2 && /tmp/v/bin/python -c 'import tiny; print(tiny.answer)'")
        assert ran["stdout"] == "42\n" and before == listing(w.folder + "/.cache/uv"), ran


def only_the_caches_that_a_project_uses_are_lent():
    with Home() as w:
        if w.box("true")["tier"] == "landlock":
            raise Skip("the tier landlock has no layers")
        for name in (".m2/repository/a", ".cargo/registry/a", ".cache/pip/a"):
            w.put(name, "outside\n")
        look = "cd; ls -d .m2/repository/a .cargo/registry/a .cache/pip/a 2>/dev/null; true"
        w.write("service/api/Cargo.toml", "[package]\n")
        w.write("service/node_modules/x/pom.xml", "<project/>")
        report = w.do(shell(look), shell("echo tiny > requirements.txt"), shell(look), say(FIX), say(FINISH))
        told = texts(w, report["task"])
        assert [".m2" in one for one in told] == [False] * len(told), told
        assert [".cargo/registry/a" in one for one in told[:3]] == [True, False, True], told
        assert ".cache/pip" not in told[0] and ".cache/pip/a" in told[2], told      # from when on it is used
        for i in range(40):     # more than is looked at: all of them
            for k in range(80):
                w.write(f"many/{i}/{k}", "")
        assert ".m2/repository/a" in w.box(look)["stdout"]


def ccache_hits_what_was_compiled_outside():
    need("ccache", "gcc")
    with Home() as w:
        w.write("Makefile", "x.o:\n")
        w.write("x.c", "int answer(void) { return 42; }\n")
        w.env["CCACHE_DIR"] = w.folder + "/.cache/ccache"
        # ccache counts the locale, for the compiler's messages; the box has one of its own
        for name in [one for one in w.env if one == "LANGUAGE" or one.startswith("LC_")]:
            w.env.pop(name)
        w.outside("ccache", "gcc", "-c", "x.c", "-o", "x.o", LANG="C.UTF-8")
        before = listing(w.env["CCACHE_DIR"])
        ran = w.box("ccache -z >/dev/null; ccache gcc -c x.c -o x.o && ccache --print-stats")
        stats = dict(line.split("\t")[:2] for line in ran["stdout"].splitlines() if "\t" in line)
        assert int(stats["direct_cache_hit"]) + int(stats["preprocessed_cache_hit"]) == 1 and stats["cache_miss"] == "0", ran
        assert before == listing(w.env["CCACHE_DIR"])


def main(*tests):
    print(f"1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        began = time.time()
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
            print("#", round(time.time() - began, 1), "s", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:   # any failure of a point is that point's
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.exit(1 if failed else 0)


main(no_secret_of_home_is_in_the_box, toolchains_of_home_run_and_cannot_be_written, a_cache_has_a_layer_of_the_tasks_own,
     cargo_builds_a_crate_from_the_registry_of_home, go_builds_with_the_modules_of_home, npm_installs_from_the_cache_of_home,
     pip_installs_a_wheel_of_the_cache_of_home, maven_builds_with_the_repository_of_home,
     gradle_builds_with_the_modules_of_home, yarn_installs_from_the_cache_of_home, pnpm_installs_from_the_store_of_home,
     uv_installs_from_the_cache_of_home, only_the_caches_that_a_project_uses_are_lent,
     ccache_hits_what_was_compiled_outside)
