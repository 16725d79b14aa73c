"""A million jobs that wait: how long explain takes, and what a bulk change of all of them costs the jobs beside it."""
import urllib.error
from datetime import datetime, timedelta, timezone
from statistics import median
from machine import *

ASKED = int(os.environ.get("ASKED", "60"))


def million(jobs, fill):
    filled = jobs - 3  # three of the cases below wait in the same queue; a bulk change counts a million at most
    pg = Postgres()
    pg.create("million")
    Errand(pg, "million", roles="api").end()
    pg.sql(fill, "million")
    pg.sql(f"SELECT bench_fill({filled}, 'queued')", "million")
    # Five priorities, so that jobs of one stand between those of others.
    pg.sql("UPDATE errand.jobs SET priority = (get_byte(uuid_send(id), 15) % 5); VACUUM ANALYZE; CHECKPOINT;", "million")
    server = Errand(pg, "million", roles="api")
    body = {"command": ["true"]}
    server.call("PATCH", "/v1/queues/paused", {"paused": True})
    server.call("PATCH", "/v1/queues/limited", {"max_running": 1})
    nth = lambda order, offset: pg.sql(
        f"SELECT id FROM errand.jobs WHERE state = 'queued' ORDER BY {order} OFFSET {offset} LIMIT 1", "million")
    order = "priority DESC, run_at, id"
    submit = lambda **more: server.call("POST", "/v1/jobs", body | more)["id"]
    first = nth(order, 0)
    hence = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cases = {"the next to be claimed": first, "in the middle": nth(order, filled // 2), "the last": nth(order, filled - 1),
             "in a paused queue": submit(queue="paused"), "in a queue with a limit": submit(queue="limited"),
             "with a concurrency key": submit(concurrency_key="k"), "in an hour": submit(run_at=hence),
             "after another job": submit(after=[first])}

    def asked(method, path, more=None):
        begun = time.monotonic()
        answer = server.call(method, path, more)
        return (time.monotonic() - begun) * 1e3, answer

    for _ in range(10):
        for id in cases.values():
            asked("GET", f"/v1/jobs/{id}/explain")
    print(f"\n**Explain with {jobs:,} jobs that wait, ms of {ASKED} requests each**\n\n| job | median | p95 |\n|---|---|---|")
    for what, id in cases.items():
        times = sorted(asked("GET", f"/v1/jobs/{id}/explain")[0] for _ in range(ASKED))
        row(what, f"{median(times):.1f}", f"{times[int(ASKED * 0.95) - 1]:.1f}")

    wanted = {"filter": {"queue": "default", "state": "queued"}}
    took, counted = asked("POST", "/v1/jobs/cancel", wanted | {"dry_run": True})
    print(f"\n**Cancel of {jobs:,} jobs**\n\n| step | seconds |\n|---|---|")
    row("`dry_run`", f"{took / 1e3:.1f}")
    matched = counted["count"]
    begun = time.monotonic()
    try:
        server.call("POST", "/v1/jobs/cancel", wanted | {"expected_count": matched - 1})
        raise RuntimeError("another count was taken")
    except urllib.error.HTTPError as refused:
        if refused.code != 409:
            raise
    row("`expected_count` that is not right, until 409", f"{time.monotonic() - begun:.1f}")
    begun = time.monotonic()
    operation = server.call("POST", "/v1/jobs/cancel", wanted | {"expected_count": matched})
    row("`expected_count`, until 202", f"{time.monotonic() - begun:.1f}")
    submits, polls = [], []
    while True:
        submits.append(asked("POST", "/v1/jobs", body | {"queue": "beside"})[0])
        took, now = asked("GET", f"/v1/operations/{operation['id']}")
        polls.append(took)
        if now["state"] not in ("pending", "running"):
            break
        time.sleep(0.05)
    row(f"until the operation was `{now['state']}`, {now['done']:,} done", f"{time.monotonic() - begun:.1f}")
    submits.sort()
    print(f"\nMeanwhile {len(submits)} submits, one after the other: median {median(submits):.1f} ms, "
          f"p95 {submits[int(len(submits) * 0.95)]:.1f} ms, at most {submits[-1]:.1f} ms.\n")
    # The job that waits for another is cancelled with it, and is skipped when its turn comes.
    if now["done"] + now["skipped"] != matched or now["skipped"] > 1:
        raise RuntimeError(json.dumps(now))
    server.end()
