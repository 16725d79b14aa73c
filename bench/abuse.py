"""What a second client gets while a crowd abuses the server: bench/run abuse.

Each case has a server of its own, started as `./errand serve` starts it, with 384 MiB of heap. The crowd is in processes of
its own (crowd.py). The second client asks on a fixed schedule, each time on a new connection, whether or not the last
answer has come, so a server that stands still is not asked less.
"""
import collections, http.client, threading
from concurrent.futures import ThreadPoolExecutor
from crowd import PIPELINED
from machine import *

SECONDS = int(os.environ.get("ABUSE_SECONDS", "60"))
ONLY = os.environ.get("ABUSE_CASES", "").split(",") if os.environ.get("ABUSE_CASES") else None
WARM_SECONDS = 10  # not counted: a cold server is another question
EVERY = 0.1
PATIENCE = 5
GOAL_MS = 1000
# name: (what it is, processes, connections of each, slots of the server, what must be kept up: all of "held" or "engaged")
CASES = {
    "none": ("nobody else", 0, 0, 8, ""),
    "idle": ("10,000 idle connections", 2, 5000, 8, "held"),
    "stalled-small": ("200 bodies of up to 60 kB that stall", 1, 200, 8, "engaged"),
    "stalled-large": ("200 bodies of 1 MB that stall", 1, 200, 8, "engaged"),
    "batches": ("50 batches of 16 MiB at once", 1, 50, 8, "engaged"),
    "readers": ("100 readers of the largest page who do not read", 1, 100, 8, "engaged"),
    "slots": ("256 slots, commands that print 2 x 1 MiB", 1, 256, 256, "engaged"),
    "pipelined": ("600,000 pipelined requests on 20 connections, unread", 1, 20, 8, "engaged"),
}


class Crowd:
    """The processes of one case, and what they report."""

    def __init__(self, case, base):
        _, processes, self.each, _, self.measure = CASES[case]
        self.case = case
        self.last, self.least, self.most = [{}] * processes, [None] * processes, collections.Counter()
        host, port = base.removeprefix("http://").split(":")
        self.processes = [subprocess.Popen(
            [sys.executable, HERE + "/crowd.py", case, host, port, str(self.each)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "ERRAND_TOKEN": TOKEN}) for _ in range(processes)]
        for process in self.processes:
            at_end(lambda p=process: end(p))
        self.measuring = False
        self.threads = [threading.Thread(target=self.follow, args=(i,), daemon=True) for i in range(processes)]
        for thread in self.threads:
            thread.start()

    def follow(self, i):
        for line in self.processes[i].stdout:
            self.last[i] = said = json.loads(line)
            if self.measuring:
                now = said[self.measure]
                self.least[i] = now if self.least[i] is None else min(now, self.least[i])
                for name in ("unread", "running"):
                    self.most[name] = max(self.most[name], said.get(name, 0))

    def up(self, seconds):
        """Waits until all of the crowd is there, or as many as come in this time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(said.get(self.measure, 0) < self.each for said in self.last):
            time.sleep(0.1)
        self.measuring = True

    def end(self):
        for process in self.processes:
            end(process)
        for thread in self.threads:
            thread.join(10)

    def total(self, name):
        return sum(said.get(name, 0) for said in self.last)

    def was_made(self):
        """Whether the crowd was as large as the case says, all the time. A server that hangs up on some is asked again by
        them, so of connections that should be held a twentieth may be on their way back."""
        share = 0.95 if self.measure == "held" else 1
        return all(least is not None and least >= share * self.each for least in self.least)

    def story(self):
        """What the crowd did, and what it got."""
        if not self.processes:
            return ""
        parts = [f"{sum(least or 0 for least in self.least):,} at the least"]
        if "running" in self.last[0]:
            parts.append(f"{self.most['running']} running at the most, {self.total('succeeded'):,} ran")
        else:
            if self.most["unread"]:
                parts.append(f"{self.most['unread']} with an unread answer at the most")
            got = collections.Counter()
            for said in self.last:
                got.update({name: many for name, many in said.items() if name.isdigit() or name == "closed by the server"})
            parts += [f"{many:,} x {name}" for name, many in sorted(got.items())]
            if self.case == "pipelined":
                parts.append(f"{self.total('bytes') // len(PIPELINED):,} requests sent")
            elif self.total("bytes") > 1e7:
                parts.append(f"{self.total('bytes') / 1e6:,.0f} MB sent")
        if self.total("unable"):
            parts.append(f"{self.total('unable'):,} could not: {next(said['reason'] for said in self.last if said['unable'])}")
        return ", ".join(parts)


class SecondClient:
    """Asks each kind of question once in EVERY seconds; a failure counts as slower than any answer."""

    def __init__(self, server, job):
        self.address = server.base.removeprefix("http://")
        self.asked = {"submit": ("POST", "/v1/jobs", json.dumps({"command": ["true"]}), 202),
                      "ready": ("GET", "/q/health/ready", None, 200),
                      "get": ("GET", "/v1/jobs/" + job, None, 200)}
        self.took = {name: [] for name in self.asked}
        self.failures = {name: collections.Counter() for name in self.asked}

    def ask(self, name, due):
        method, path, body, wanted = self.asked[name]
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            took = time.monotonic() - due
            if took > PATIENCE:
                fault = "timed out"
            elif answer.status == 503 and answer.getheader("Retry-After"):
                fault = "refused"
            else:
                fault = None if answer.status == wanted else str(answer.status)
        except TimeoutError:
            fault = "timed out"
        except (OSError, http.client.HTTPException) as failed:
            fault = type(failed).__name__
        finally:
            connection.close()
        if fault:
            self.failures[name][fault] += 1
        self.took[name].append(float("inf") if fault else took * 1e3)

    def ask_for(self, seconds, still):
        with ThreadPoolExecutor(int(3 * (PATIENCE + 1) / EVERY)) as pool:
            begun = time.monotonic()
            for i in range(round(seconds / EVERY)):
                due = begun + i * EVERY
                time.sleep(max(0, due - time.monotonic()))
                for name in self.asked:
                    pool.submit(self.ask, name, due)
                if i % 10 == 0 and not still():
                    break

    def at(self, name, share):
        took = sorted(self.took[name])
        return took[min(len(took) - 1, int(len(took) * share))]

    def cell(self, name):
        answered = [ms for ms in self.took[name] if ms != float("inf")]
        figures = [self.at(name, 0.5), self.at(name, 0.99), max(answered, default=float("inf"))]
        return " / ".join("none" if ms == float("inf") else f"{ms:.0f}" for ms in figures)

    def failed(self):
        return "; ".join(f"{name}: " + ", ".join(f"{many} {what}" for what, many in sorted(self.failures[name].items()))
                         + f" of {len(self.took[name])}" for name in self.asked if self.failures[name]) or "none"

    def holds(self):
        return all(self.at(name, 0.99) < GOAL_MS for name in ("submit", "ready"))


def runs_a_job(server, seconds=60):
    """How long it takes, in seconds, until a job that is submitted now has succeeded; None where none does."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        try:
            job = server.call("POST", "/v1/jobs", {"command": ["true"], "priority": 100})["id"]
            while time.monotonic() < begun + seconds:
                if server.call("GET", f"/v1/jobs/{job}?wait_seconds=5")["state"] == "succeeded":
                    return time.monotonic() - begun
        except (OSError, http.client.HTTPException):
            if server.process.poll() is not None:
                return None
            time.sleep(0.2)
    return None


def fill_pages(server):
    """500 jobs that are as long as jobs can be and never run."""
    fat = {"command": ["true", "a" * 120_000], "queue": "abuse", "run_at": "2099-01-01T00:00:00Z",
           "labels": {f"k{i}".ljust(255, "x"): "v" * 255 for i in range(64)},
           "env": {f"K{i}".ljust(110, "x"): "" for i in range(1000)}}
    for _ in range(10):
        server.call("POST", "/v1/jobs/batch", {"jobs": [fat] * 50})


def peak_mib(server):
    for line in open(f"/proc/{server.process.pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0  # it has gone, and was not reaped yet


def run(pg, case):
    what, _, _, slots, _ = CASES[case]
    database = pg.create("abuse")
    server = Errand(pg, database, slots=slots)
    job = server.call("POST", "/v1/jobs", {"command": ["true"]})["id"]
    server.call("GET", f"/v1/jobs/{job}?wait_seconds=10")
    if case == "readers":
        fill_pages(server)
    peak = 0

    def still():
        nonlocal peak
        if server.process.poll() is not None:
            return False
        peak = max(peak, peak_mib(server))
        return True

    SecondClient(server, job).ask_for(WARM_SECONDS, still)
    load = os.getloadavg()[0]
    crowd = Crowd(case, server.base)
    crowd.up(30)
    client = SecondClient(server, job)
    client.ask_for(SECONDS, still)
    crowd.measuring = False
    crowd.end()
    lived = still()
    after = runs_a_job(server) if lived else None
    lived = still()
    server.end()
    pg.drop(database)
    held = "**not made**" if not crowd.was_made() else "yes" if client.holds() and lived and after else "**no**"
    row(what, crowd.story(), *map(client.cell, client.asked), client.failed(), peak, "yes" if lived else "**died**",
        "**none**" if after is None else f"{after:.1f} s", f"{load:.0f}", held)


def abuse():
    pg = Postgres()
    print(f"\n**A second client while others abuse the server, {SECONDS} s each, 384 MiB of heap**\n\n"
          "| others | what they did | submit, ms: p50 / p99 / most | ready | get | not answered as asked | peak RSS, MiB | server lived "
          "| a job after it | load before | p99 under 1 s |\n|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for case in ONLY or CASES:
        run(pg, case)
