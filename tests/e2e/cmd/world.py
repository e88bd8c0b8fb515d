"""What the tests of the commands share: a repository with a bug, plays, and TAP."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

SPARKS = os.path.abspath(sys.argv[1])
CHECK = "sh test.sh"
FILES = {"calc.sh": "add() {\n\techo $(($1 - $2))\n}\n",
         "test.sh": ". ./calc.sh\n[ \"$(add 2 3)\" = 5 ] || { echo \"want 5\"; exit 1; }\necho ok\n",
         "other.txt": "one\ntwo\nthree\n"}
FIX = ("file_edit", {"path": "calc.sh", "old_string": "$1 - $2", "new_string": "$1 + $2"})
FINISH = ("finish", {"summary": "It adds now."})


def say(*calls, **more):
    turn = {"tool_calls": [{"name": name, "arguments": args} for name, args in calls]}
    return {"say": {**turn, **more}}


class World:
    """A temporary SPARKS_HOME and repository."""

    def __init__(self, git=True):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="sparks-e2e-"))
        self.repo = os.path.join(self.folder, "repo")
        self.env = {k: v for k, v in os.environ.items() if k == "SPARKS_BOX" or not (
            k.startswith(("SPARKS_", "NO_COLOR", "DBUS_", "XDG_", "CREDENTIALS_"))
            or k.endswith(("_API_KEY", "_TOKEN", "DISPLAY")))}
        self.env.update(SPARKS_HOME=os.path.join(self.folder, "home"), HOME=self.folder,
                        GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1")
        os.mkdir(self.repo)
        for name, text in FILES.items():
            self.write(name, text)
        if git:
            self.git("init", "-q", "-b", "main")
            self.git("add", "-A")
            self.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def git(self, *args):
        return subprocess.run(["git", "-C", self.repo, *args], env=self.env, check=True,
                              stdout=subprocess.PIPE).stdout.decode()

    def write(self, name, text):
        path = os.path.join(self.repo, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.repo, name), encoding="utf-8") as file:
            return file.read()

    def play(self, *turns):
        path = os.path.join(self.folder, f"{len(os.listdir(self.folder))}.play")
        with open(path, "w", encoding="utf-8") as file:
            for line in ({"play": 1}, *turns):
                file.write(json.dumps(line) + "\n")
        return "script:" + path

    def run(self, *words, code=0, **more):
        """The program with these words; its exit code must be `code`."""
        options = {"env": self.env, "cwd": self.repo, "stdin": subprocess.DEVNULL,
                   "timeout": 120, **more}
        done = subprocess.run([SPARKS, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **options)
        done.out, done.err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, \
            f"{words}: exit {done.returncode}, not {code}\n{done.out}\n{done.err}"
        return done

    def json(self, *words, code=0, **more):
        """Its one JSON value on stdout."""
        return json.loads(self.run(*words, "--json", code=code, **more).out)

    def do(self, *turns, code=0, words=(), goal="add must add"):
        return self.json("do", goal, "--model", self.play(*turns), "--check", CHECK, *words,
                         code=code)

    def fixed(self, **more):
        """The id of a task that is done and verified."""
        return self.do(say(FIX), say(FINISH), **more)["task"]


def main(*tests):
    print(f"1..{len(tests)}")
    failed = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Exception:   # any failure of a point is that point's, the next one still runs
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.exit(1 if failed else 0)
