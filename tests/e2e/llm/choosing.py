#!/usr/bin/env python3
"""Which model is asked: what is found where nothing is configured, and who takes over."""
import contextlib
import http.server
import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
from world import World, main   # noqa: E402

CALL = {"id": "c", "type": "function",
        "function": {"name": "finish", "arguments": json.dumps({"summary": "nothing to do"})}}


class Server:
    """Speaks as an OpenAI-compatible server or Ollama does; `status`: refuses every question."""

    def __init__(self, models, status=200, texts=None, listed=(), slot=0):
        listed = dict(listed)
        self.asked, self.bodies, outer = [], [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, value, code=200):
                data = json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                outer.wait()
                if self.path == "/api/tags":
                    self.answer({"models": [{"name": m, "model": m} for m in models]})
                elif self.path == "/v1/models":
                    self.answer({"object": "list", "data": [{"id": m, "object": "model", **listed} for m in models]})
                elif self.path == "/props" and slot:
                    self.answer({"default_generation_settings": {"n_ctx": slot}, "total_slots": 1})
                else:
                    self.answer({"error": {"message": "no such page"}}, 404)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, body["model"]))
                outer.bodies.append(body)
                if texts is not None and body.get("tools"):
                    self.answer({"error": {"message": "this model does not support tools"}}, 400)
                elif texts is not None:
                    self.answer({"model": body["model"], "choices": [{"index": 0, "finish_reason": "stop", "message": {
                        "role": "assistant", "content": texts.pop(0)}}], "usage": {"prompt_tokens": 10,
                                 "completion_tokens": 5}})
                elif status != 200:
                    self.answer({"error": {"message": "out of order"}}, status)
                elif self.path == "/api/chat":
                    self.answer({"model": body["model"], "done": True, "done_reason": "stop", "message": {
                        "role": "assistant", "content": "", "tool_calls": [
                            {"function": {"name": "finish", "arguments": {"summary": "nothing to do"}}}]}})
                else:
                    self.answer({"model": body["model"], "choices": [{"index": 0, "finish_reason": "tool_calls",
                                 "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}]})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}"


def configure(world, text):
    os.makedirs(world.env["SPARKS_HOME"], mode=0o700, exist_ok=True)
    with open(os.path.join(world.env["SPARKS_HOME"], "config.toml"), "w", encoding="utf-8") as file:
        file.write(text)


def a_local_ollama_is_found():
    with World() as w, Server(["smol:135m", "llama3.2:latest"]) as ollama:
        configure(w, f'[llm]\nlocal_servers = "ollama={ollama.url} openai={closed_port()}"\n')
        done = w.run("do", "look", "--json", code=3)
        assert done.err.count("no model is configured: taking llama3.2:latest") == 1, done.err
        assert ollama.asked == [("/api/chat", "llama3.2:latest")], ollama.asked
        w.run("do", "look", "--model", "smol:135m", code=3)
        assert ollama.asked[-1] == ("/api/chat", "smol:135m"), ollama.asked
        assert "llama3.2:latest" in w.run("doctor").out


def a_local_llama_cpp_is_found_after_it():
    with World() as w, Server(["tiny"]) as server:
        configure(w, f'[llm]\nlocal_servers = "ollama={closed_port()} openai={server.url}"\n')
        w.run("do", "look", code=3)
        assert server.asked == [("/v1/chat/completions", "tiny")], server.asked


def what_is_configured_is_not_looked_past():
    with World() as w, Server(["tiny"]) as found, Server(["mine"]) as mine:
        configure(w, f'[llm]\nlocal_servers = "openai={found.url}"\n[openai]\nurl = "{mine.url}/v1"\nmodel = "mine"\n')
        w.run("do", "look", code=3)
        assert not found.asked and mine.asked == [("/v1/chat/completions", "mine")]


def a_key_wins_over_what_is_found():
    with World() as w, Server(["tiny"]) as found, Server(["m"]) as cloud:
        configure(w, f'[llm]\nlocal_servers = "openai={found.url}"\n[anthropic]\nurl = "{cloud.url}"\nmodel = "m"\n')
        w.env["ANTHROPIC_API_KEY"] = "sk-test-0123456789"
        w.run("do", "look", "--set", "llm.max_retries=0", code=69)   # it is no Messages server
        assert not found.asked and cloud.asked[0][0] == "/v1/messages", cloud.asked


def nobody_there_is_told_at_once():
    with World() as w, Server([]) as empty:
        start = time.monotonic()
        for servers, words in ((f"ollama={closed_port()} openai={closed_port()}", "no model is configured\n"),
                               (f"ollama={empty.url}", "has no model: ollama pull"), ("none", "no model is configured\n")):
            done = w.run("do", "look", "--set", f"llm.local_servers={servers}", code=78)
            assert words in done.err, done.err
            for way in ("OPENAI_API_KEY", "ollama pull", "sparks init", "[openai] url"):
                assert way in done.err, done.err
        for key in ({}, {"OPENAI_API_KEY": "sk-test-0123456789"}):
            w.env.update(key)
            done = w.run("do", "look", "--set", "llm.local_servers=none", "--set",
                         "openai.url=localhost:8080", code=78)
            assert "url is not a URL" in done.err and "http://" in done.err, done.err
        assert time.monotonic() - start < 10


def provider_of(w, task):
    log = [json.loads(line) for line in w.run("tasks", "log", task, "--json").out.splitlines()]
    return [(e["payload"]["provider"], e["payload"]["model"]) for e in log if e["kind"] == "model.result"]


def the_next_one_takes_over_and_it_is_said():
    with World() as w, Server(["a"], status=500) as broken, Server(["b"]) as other:
        configure(w, f'[llm]\nmax_retries = 0\n[openai]\nurl = "{broken.url}/v1"\nmodel = "a"\n'
                     f'[ollama]\nurl = "{other.url}"\nmodel = "b"\n')
        done = w.run("do", "look", "--json", code=3)
        assert "out of order" in done.err and "going on with ollama b" in done.err, done.err
        assert provider_of(w, json.loads(done.out)["task"]) == [("ollama", "b")]
        assert len(broken.asked) == 1
        again = w.run("do", "look", "--set", "llm.fallback=false", code=69)
        assert "going on" not in again.err


def no_step_into_the_cloud_unasked():
    with World() as w:
        w.env["OPENROUTER_API_KEY"] = "sk-or-0123456789"
        configure(w, f'[llm]\nprovider = "ollama"\nmax_retries = 0\nconnect_timeout_secs = 1\n'
                     f'[ollama]\nurl = "{closed_port()}"\nmodel = "b"\n[openrouter]\nmodel = "x/y"\n'
                     f'url = "http://sparks.invalid/v1"\n')
        done = w.run("do", "look", code=69)
        assert "fallback_to_cloud" in done.out + done.err and "going on" not in done.err, done.out + done.err
        done = w.run("do", "look", "--set", "llm.fallback_to_cloud=true", code=69)
        assert "going on with openrouter x/y" in done.err, done.err


def two_servers(first, second, more=""):
    return (f'[llm]\nmax_retries = 0\n{more}[openai]\nurl = "{first.url}/v1"\nmodel = "a"\n'
            f'[ollama]\nurl = "{second.url}"\nmodel = "b"\n')


def a_wrong_request_is_not_taken_elsewhere():
    with World() as w, Server(["b"]) as other:
        for status in 400, 422:
            with Server(["a"], status=status) as picky:
                configure(w, two_servers(picky, other))
                error = w.json("do", "look", code=69)["error"]
                assert error["code"] == "provider_refused" and f"HTTP {status}" in error["message"], error
                assert len(picky.asked) == 1 and not other.asked, (picky.asked, other.asked)


def prices(world, text):
    with open(os.path.join(world.env["SPARKS_HOME"], "prices.toml"), "w", encoding="utf-8") as file:
        file.write(text)


def who_takes_over_keeps_the_budget():
    with World() as w, Server(["a"], status=500) as broken, Server(["b"]) as other:
        configure(w, two_servers(broken, other))
        prices(w, '[openai."a"]\ninput = 0.01\noutput = 0.01\n[ollama."b"]\ninput = 1000\noutput = 1000\n')
        report = w.json("do", "look", "--budget-usd", "0.01", code=75)
        assert report["status"] == "paused" and "going on with ollama b: the budget" in report["error"]["message"], report
        assert len(broken.asked) == 1 and not other.asked, other.asked
        assert w.json("cost")["total"]["calls"] == 0
        done = w.run("tasks", "resume", report["task"], "--budget-usd", "100", code=3)
        assert "going on with ollama b" in done.err and len(other.asked) == 1, done.err
        log = [json.loads(line) for line in w.run("tasks", "log", report["task"], "--json").out.splitlines()]
        result = [e["payload"] for e in log if e["kind"] == "model.result"][0]
        assert result["took_over_from"][0]["provider"] == "openai" and "out of order" in str(result["took_over_from"])
        # without a price there is no keeping it
        w.env["OPENROUTER_API_KEY"] = "sk-or-0123456789"
        configure(w, two_servers(broken, other).split("[ollama]")[0]
                  + f'[openrouter]\nurl = "https://127.0.0.2.example:1/v1"\nmodel = "nobody/knows"\n')
        message = w.json("do", "look", "--budget-usd", "0.01", "--set", "llm.fallback_to_cloud=true", code=75)["error"]["message"]
        assert "going on with openrouter nobody/knows: the price of openrouter:nobody/knows is not known" in message, message


def nobody_goes_on_for_money_unasked():
    with World() as w, Server(["a"], status=500) as broken, Server(["b"]) as dear:
        configure(w, two_servers(broken, dear))
        prices(w, '[ollama."b"]\ninput = 1\noutput = 1\n')
        error = w.json("do", "look", code=69)["error"]
        assert "out of order" in error["message"] and "ollama (which may cost more)" in error["hint"], error
        assert "fallback_to_cloud" in error["hint"] and not dear.asked
        done = w.run("do", "look", "--set", "llm.fallback_to_cloud=true", code=3)
        assert "going on with ollama b" in done.err, done.err


def a_malformed_answer_is_asked_again_within_the_budget():
    with World() as w, Server(["a"], texts=["no", "never", "not at all"]) as server:
        configure(w, f'[llm]\nmax_retries = 0\ntools = "text"\n[openai]\nurl = "{server.url}/v1"\nmodel = "a"\n')
        error = w.json("do", "look", "--set", "budget.day_tokens=1", code=75)["error"]["message"]
        room = int(error.split("may take ")[1]) + 5
        assert not server.asked
        report = w.json("do", "look", "--set", f"budget.day_tokens={room}", code=75)
        assert report["status"] == "paused" and len(server.asked) == 1, (report, server.asked)
        total = w.json("cost")["total"]
        assert total["tokens"]["input"] == 10 and total["tokens"]["output"] == 5, total


def the_list_of_servers_is_checked():
    with World() as w:
        configure(w, "")
        for servers, words in (("olama=http://127.0.0.1:1", '"olama=http://127.0.0.1:1" begins with no provider'),
                               ("http://127.0.0.1:1", "is not PROVIDER=URL"),
                               ("ollama=here", "has no http:// or https:// address"),
                               (" ".join(["ollama=http://127.0.0.1:1"] * 9), "one too many")):
            done = w.run("do", "look", "--set", f"llm.local_servers={servers}", code=78)
            assert "[llm] local_servers" in done.err and words in done.err, done.err


def all_servers_are_asked_at_once():
    gate = threading.Barrier(8)

    class Slow(Server):
        def wait(self):
            gate.wait(20)

    with World() as w, contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Slow(["tiny"])) for _ in range(8)]
        configure(w, '[llm]\nlocal_servers = "' + " ".join(f"ollama={s.url}" for s in servers) + '"\n')
        w.run("do", "look", code=3)     # they answer once all are asked
        assert [bool(s.asked) for s in servers] == [True] + 7 * [False]


def the_window_is_what_the_server_has():
    big = {f"file{n}.txt": "some words\n" * 1000 for n in range(3)}
    with World() as w, Server(["a"], listed={"meta": {"n_ctx": 3000}}) as newer, Server(["a"], slot=2500) as older:
        for server, window, origin in ((newer, 3000, "server"), (older, 2500, "server")):
            configure(w, f'[openai]\nurl = "{server.url}"\nmodel = "a"\n')
            assert f"window {window} tokens (from: {origin})" in " ".join(w.run("doctor").out.split())
        told = w.run("doctor", "--set", "openai.context_window=9000").out
        assert "window 9000 tokens (from: configuration)" in " ".join(told.split()), told
        # a conversation is kept within it
        texts = [json.dumps({"say": "", "tool": "file_read", "arguments": {"path": name}}) for name in big]
        texts.append(json.dumps({"say": "", "tool": "finish", "arguments": {"summary": "-"}}))
        for name, text in big.items():
            w.write(name, text)
        with Server(["a"], texts=texts, listed={"max_model_len": 6000}) as small:
            configure(w, f'[llm]\ntools = "text"\n[openai]\nurl = "{small.url}"\nmodel = "a"\n')
            report = json.loads(w.run("do", "look", "--json", code=3).out)
            log = w.run("tasks", "log", report["task"], "--json").out
            assert '"kind":"compaction"' in log, [(e['kind'], str(e['payload'])[:150]) for e in map(json.loads, log.splitlines())]


def what_leaves_a_conversation_is_summed_up():
    read = [json.dumps({"say": "", "tool": "file_read", "arguments": {"path": f"file{n}.txt"}}) for n in range(5)]
    finish = json.dumps({"say": "", "tool": "finish", "arguments": {"summary": "-"}})
    with World() as w, Server(["a"], texts=[*read, finish], listed={"max_model_len": 6000}) as small:
        for n in range(5):
            w.write(f"file{n}.txt", "some words\n" * 1000)
        sums = w.play({"expect": {"last_contains": ["some words", "file0.txt"]}},
                      {"say": {"text": "All files say: some words.", "usage": {"input": 70, "output": 7}}},
                      {"say": {"text": "Still some words.", "usage": {"input": 70, "output": 7}, "repeat": True}})
        configure(w, f'[llm]\ntools = "text"\nsummary_model = "{sums}"\n[openai]\nurl = "{small.url}"\nmodel = "a"\n')
        prices(w, '[script."*"]\ninput = 1000\noutput = 1000\n')
        report = json.loads(w.run("do", "look", "--json", code=3).out)
        log = [json.loads(line) for line in w.run("tasks", "log", report["task"], "--json").out.splitlines()]
        summed = [e["payload"] for e in log if e["kind"] == "compaction" and "summary" in e["payload"]]
        assert summed[0]["summary"] == "All files say: some words." and summed[0]["provider"] == "script", summed
        told = [m["content"] for m in small.bodies[-1]["messages"]]
        assert sum("no longer shown" in text for text in told) == 1, told    # the newest holds the older ones
        # it is paid for
        assert abs(report["cost_usd"] - 0.077 * len(summed)) < 1e-9, (report["cost_usd"], len(summed))
        # one that fails costs the words, not the task
        small_texts = [*read, finish]
        with Server(["a"], texts=small_texts, listed={"max_model_len": 6000}) as again:
            done = w.run("do", "look", "--set", f"openai.url={again.url}", "--set",
                         "llm.summary_model=openrouter:nobody", code=3)
            assert "is not summed up: there is no key for openrouter" in done.err, done.err


def the_first_key_wins_and_a_key_alone_asks_for_a_model():
    with World() as w, Server(["a"]) as first, Server(["b"]) as second:
        configure(w, f'[openai]\nurl = "{first.url}/v1"\nmodel = "a"\n[openrouter]\nurl = "{second.url}/v1"\nmodel = "b"\n')
        w.env.update(OPENAI_API_KEY="sk-0123456789", OPENROUTER_API_KEY="sk-or-0123456789")
        w.run("do", "look", code=3)
        assert first.asked and not second.asked
        del w.env["OPENAI_API_KEY"]
        configure(w, f'[llm]\nlocal_servers = "none"\n[openrouter]\nurl = "{second.url}/v1"\n')
        done = w.run("do", "look", code=78)
        assert "no model of it is named" in done.err and "--model openrouter:NAME" in done.err, done.err


def a_model_without_tools_works_in_text():
    call = json.dumps({"say": "I fix it.", "tool": "file_edit", "arguments": {
        "path": "calc.sh", "old_string": "$1 - $2", "new_string": "$1 + $2"}})
    texts = ["Sure! Let me look.", call, json.dumps({"say": "", "tool": "finish", "arguments": {"summary": "It adds."}})]
    with World() as w, Server(["small"], texts=texts) as server:
        configure(w, f'[openai]\nurl = "{server.url}/v1"\nmodel = "small"\n')
        done = w.run("do", "add must add", "--check", "sh test.sh", "--json")
        report = json.loads(done.out)
        assert report["verdict"] == "verified" and not texts, report
        assert "calls no tools by itself" in done.err, done.err
        assert report["tokens"]["input"] == 30, report["tokens"]      # the malformed answer is paid for, too
        native, first, second, third = server.bodies
        assert "tools" in native and "tools" not in first
        assert first["response_format"]["type"] == "json_schema"
        told = second["messages"][-1]["content"]
        assert "must begin with {" in told and "Sure! Let me" in told, told
        assert "Result of the call" in third["messages"][-1]["content"]
        log = [json.loads(line) for line in w.run("tasks", "log", report["task"], "--json").out.splitlines()]
        calls = [e["payload"]["tool_calls"] for e in log if e["kind"] == "model.result"]
        assert [c[0]["name"] for c in calls] == ["file_edit", "finish"], calls
        # remembered: the next task asks in text at once
        texts.append(json.dumps({"say": "", "tool": "finish", "arguments": {"summary": "-"}}))
        w.run("do", "look", code=3)
        assert len(server.bodies) == 5 and "tools" not in server.bodies[-1]
        with open(os.path.join(w.env["SPARKS_HOME"], "models.json"), "w", encoding="utf-8") as file:
            file.write("{broken")
        texts += ["no", "never", "not at all"] + [json.dumps({"say": "", "tool": "finish",
                                                               "arguments": {"summary": "-"}})]
        w.run("do", "look", code=3)     # asked again; three times wrong is words, and words alone are reminded of


main(a_model_without_tools_works_in_text, a_local_ollama_is_found, a_local_llama_cpp_is_found_after_it,
     what_is_configured_is_not_looked_past, a_key_wins_over_what_is_found, nobody_there_is_told_at_once,
     the_next_one_takes_over_and_it_is_said, no_step_into_the_cloud_unasked, a_wrong_request_is_not_taken_elsewhere,
     who_takes_over_keeps_the_budget, nobody_goes_on_for_money_unasked,
     a_malformed_answer_is_asked_again_within_the_budget, the_list_of_servers_is_checked,
     what_leaves_a_conversation_is_summed_up, all_servers_are_asked_at_once, the_window_is_what_the_server_has, the_first_key_wins_and_a_key_alone_asks_for_a_model)
