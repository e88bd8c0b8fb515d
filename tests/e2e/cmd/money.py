#!/usr/bin/env python3
"""Limits in dollars and tokens: the task pauses, says how to go on, and does."""
import json
import os
import subprocess
import sys

from model_server import server_of
from world import CHECK, FINISH, FIX, World, main, say

PLAY_SERVER = os.path.abspath(sys.argv[2])
USAGE = {"input": 1000, "output": 100, "cached": 0}


class Paid(World):
    """A server of one's own that costs a dollar for a thousand tokens in, ten for as many out."""

    def __init__(self, *turns):
        super().__init__()
        os.makedirs(self.env["SPARKS_HOME"], mode=0o700, exist_ok=True)
        play = self.play(*turns)[7:]
        self.server = subprocess.Popen([PLAY_SERVER, play], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = int(self.server.stdout.readline())
        self.keep("config.toml", f'[openai]\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "m"\nmax_tokens = 200\n')
        self.keep("prices.toml", '[openai."m"]\ninput = 1000\noutput = 10000\n')

    def keep(self, name, text):
        with open(os.path.join(self.env["SPARKS_HOME"], name), "w", encoding="utf-8") as file:
            file.write(text)

    def __exit__(self, *what):
        self.server.stdin.close()
        self.server.wait(20)
        super().__exit__(*what)


def turns():
    return say(FIX, usage=USAGE), say(FINISH, usage=USAGE)


def paused(world, *words):
    done = world.run("do", "add must add", "--check", CHECK, "--json", *words, code=75)
    report = json.loads(done.out)
    assert report["status"] == "paused", report
    return report


def what_a_task_may_cost():
    with Paid(*turns()) as w:
        report = paused(w, "--budget-usd", "5")
        assert report["steps"] == 1 and report["cost_usd"] == 2.0, report
        assert "budget of the task" in report["error"]["message"], report
        assert "--budget-usd" in report["error"]["hint"], report
        again = w.json("tasks", "resume", report["task"], code=75)
        assert again["status"] == "paused" and again["steps"] == 1, again
        done = w.json("tasks", "resume", report["task"], "--budget-usd", "50")
        assert done["verdict"] == "verified" and done["cost_usd"] == 4.0, done
        cost = w.json("cost", "--by", "task")
        assert cost["total"]["cost_usd"] == 4.0 and cost["total"]["calls"] == 2, cost
        assert cost["rows"][0]["name"] == done["task"], cost
        assert "--budget-usd" in w.run("do", "x", "--budget-usd", "much", code=2).err


def what_a_day_may_cost():
    with Paid(*turns(), *turns()) as w:
        w.keep("config.toml", open(os.path.join(w.env["SPARKS_HOME"], "config.toml")).read() + "[budget]\nday_usd = 5\n")
        report = paused(w)
        assert "budget of the day" in report["error"]["message"], report
        left = w.json("cost")["left_today"]["usd"]
        assert left == 3.0, left
        done = w.json("tasks", "resume", report["task"], "--set", "budget.day_usd=100")
        assert done["verdict"] == "verified", done


def how_many_tokens_a_day_may_take():
    with Paid(*turns()) as w:
        report = paused(w, "--set", "budget.day_tokens=2000")
        assert "budget of the day" in report["error"]["message"], report
        assert w.json("tasks", "resume", report["task"])["verdict"] == "verified"


def how_many_tokens_a_task_may_take():
    with Paid(*turns()) as w:
        report = paused(w, "--set", "task.max_tokens=1000")
        assert "--max-tokens" in report["error"]["hint"], report
        assert w.json("tasks", "resume", report["task"], "--max-tokens", "90000")["verdict"] == "verified"


def a_limit_needs_a_price():
    with Paid(*turns()) as w:
        w.keep("prices.toml", "")
        w.keep("config.toml", '[openai]\nurl = "https://models.invalid/v1"\nmodel = "nobody-knows"\n')
        w.env["OPENAI_API_KEY"] = "sk-0123456789"
        report = paused(w, "--budget-usd", "5", "--set", "llm.max_retries=0")
        assert "is not known" in report["error"]["message"] and report["steps"] == 0, report
        assert "prices.toml" in report["error"]["hint"], report


def what_runs_here_costs_nothing():
    with Paid(*turns()) as w:
        w.keep("prices.toml", "")
        done = w.json("do", "add must add", "--check", CHECK, "--budget-usd", "0.01")
        assert done["verdict"] == "verified" and done["cost_usd"] == 0, done


def what_the_provider_says_that_it_charged():
    """OpenRouter's answers name their price; from others such a word is not taken."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.0125}
    for provider, cost in (("openrouter", 0.025), ("openai", 2 * (1 + 1))):
        with World() as w, server_of("sk-4711", usage) as port:
            os.makedirs(w.env["SPARKS_HOME"], mode=0o700, exist_ok=True)
            for name, text in (("prices.toml", f'[{provider}."m"]\ninput = 1000\noutput = 10000\n'),
                               ("config.toml", f'[{provider}]\nurl = "http://127.0.0.1:{port}/v1"\n'
                                               'model = "m"\n')):
                with open(os.path.join(w.env["SPARKS_HOME"], name), "w", encoding="utf-8") as file:
                    file.write(text)
            w.env[provider.upper() + "_API_KEY"] = "sk-4711"
            done = w.json("do", "add must add", "--check", CHECK)
            assert done["verdict"] == "verified" and abs(done["cost_usd"] - cost) < 1e-9, done


def a_price_file_that_is_wrong():
    with Paid(*turns()) as w:
        w.keep("prices.toml", '[openai."m"]\ninput = -3\n')
        done = w.run("do", "x", code=78)
        assert "prices.toml:2:" in done.out + done.err, done.out + done.err


main(what_a_task_may_cost, what_a_day_may_cost, how_many_tokens_a_day_may_take,
     how_many_tokens_a_task_may_take, a_limit_needs_a_price, what_runs_here_costs_nothing,
     what_the_provider_says_that_it_charged, a_price_file_that_is_wrong)
