"""The clients that bench/abuse.py sets on a server, in a process of their own; reports one JSON object each second.

usage: ERRAND_TOKEN=... crowd.py CASE HOST PORT MANY
`engaged` counts the connections that do what they came for, or that the server has closed or answered and that come
again after a pause; `held` those that are open now; `unable` those that could not be opened, with the last reason.
"""
import collections, errno, http.client, json, os, resource, select, signal, socket, sys, time

PAUSE = 0.5  # seconds before a connection that ended is opened again
CONNECT_SECONDS = 5
# Most take as much as a small body can, the others what these leave.
SMALL = [60_000] * 12 + [30_000, 10_000, 3_000, 1_000, 300, 100, 30, 10]
JOB = {"command": ["true"], "queue": "abuse", "run_at": "2099-01-01T00:00:00Z"}
LOUD = {"command": ["sh", "-c", "head -c 1048576 /dev/zero; head -c 1048576 /dev/zero >&2; sleep 1"], "queue": "abuse",
        "stdout_limit_bytes": 1 << 20, "stderr_limit_bytes": 1 << 20, "max_attempts": 1}
PIPELINED = b"GET /q/health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def head(method, path, *lines):
    token = os.environ["ERRAND_TOKEN"]
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *lines, "", ""]).encode()


def stalled(declared):
    """A body that stops in the middle."""
    return head("POST", "/v1/jobs", "Content-Type: application/json", f"Content-Length: {declared}") + b" " * (declared // 2)


def batch():
    """A valid batch of just 16 MiB, whose jobs never run."""
    fill = lambda pad: json.dumps({"jobs": [{**JOB, "command": ["true", "a" * pad]}] * 1000}).encode()
    body = fill((16 * 2**20 - len(fill(0))) // 1000)
    return head("POST", "/v1/jobs/batch", "Content-Type: application/json", f"Content-Length: {len(body)}") + body


class Connection:
    def __init__(self, s, request, opened):
        self.socket, self.request, self.opened = s, request, opened
        self.sent, self.connected, self.unread = 0, False, False


class Crowd:
    """Connections that send one of the requests each. An answer of 200 is never read, any other ends the connection."""

    def __init__(self, address, many, requests, opens_a_second, seconds=None):
        self.address, self.seconds, self.opens = address, seconds, opens_a_second
        self.epoll = select.epoll()
        self.waiting = collections.deque((0.0, False, memoryview(requests[i % len(requests)])) for i in range(many))
        # (not before, whether it was unable, request)
        self.alive = {}  # Connection by descriptor
        self.count = collections.Counter()
        self.reason = None

    def open(self, request, now):
        try:
            s = socket.socket()
        except OSError as fault:
            return self.could_not(fault, request, now)
        s.setblocking(False)
        code = s.connect_ex(self.address)
        if code not in (0, errno.EINPROGRESS):
            s.close()
            return self.could_not(OSError(code, os.strerror(code)), request, now)
        self.alive[s.fileno()] = Connection(s, request, now)
        self.epoll.register(s, select.EPOLLOUT | select.EPOLLIN | select.EPOLLRDHUP)

    def could_not(self, fault, request, now):
        self.reason = fault.strerror or repr(fault)
        self.waiting.append((now + PAUSE, True, request))

    def close(self, descriptor, now, why):
        it = self.alive.pop(descriptor)
        it.socket.close()
        self.count[why] += 1
        self.waiting.append((now + PAUSE, False, it.request))

    def happened(self, descriptor, what, now):
        it = self.alive[descriptor]
        if not it.connected:
            code = it.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.alive.pop(descriptor).socket.close()
                return self.could_not(OSError(code, os.strerror(code)), it.request, now)
            it.connected = True
        try:
            if what & select.EPOLLIN and not it.unread:
                start = it.socket.recv(15, socket.MSG_PEEK)
                if not start.startswith(b"HTTP/1.1 200"):
                    return self.close(descriptor, now, start[9:12].decode("latin1") or "closed by the server")
                it.unread = True
            if what & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                return self.close(descriptor, now, "closed by the server")
            if what & select.EPOLLOUT and it.sent < len(it.request):
                step = it.socket.send(it.request[it.sent:it.sent + (1 << 18)])
                it.sent += step
                self.count["bytes"] += step
        except BlockingIOError:
            pass
        except OSError:
            return self.close(descriptor, now, "closed by the server")
        self.epoll.modify(descriptor, select.EPOLLRDHUP | (0 if it.unread else select.EPOLLIN)
                          | (select.EPOLLOUT if it.sent < len(it.request) else 0))

    def step(self, now):
        for _ in range(max(1, self.opens // 50)):
            if not self.waiting or self.waiting[0][0] > now:
                break
            self.open(self.waiting.popleft()[2], now)
        for descriptor, what in self.epoll.poll(0.02, 4096):
            self.happened(descriptor, what, now)

    def each_second(self, now):
        for descriptor, it in list(self.alive.items()):
            if not it.connected and now - it.opened > CONNECT_SECONDS:
                self.alive.pop(descriptor).socket.close()
                self.could_not(TimeoutError(errno.ETIMEDOUT, "connecting timed out"), it.request, now)
            elif self.seconds and now - it.opened > self.seconds:
                self.close(descriptor, now, "ended after its time")
        held = sum(it.connected for it in self.alive.values())
        again = sum(not was and since > 0 for since, was, _ in self.waiting)
        return {"held": held, "engaged": held + again, "unread": sum(it.unread for it in self.alive.values()),
                "unable": sum(was for _, was, _ in self.waiting), "reason": self.reason, **self.count}


class Feeder:
    """Sees to it that twice as many loud jobs as there are slots have not finished."""

    def __init__(self, address, many):
        self.address, self.many = address, many

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        try:
            connection.request(method, path, body and json.dumps(body), {
                "Authorization": "Bearer " + os.environ["ERRAND_TOKEN"], "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status == 404:  # no job was in this queue yet
                return {"counts": {}}
            if answer.status >= 300:
                raise OSError(f"{method} {path}: {answer.status}")
            return json.loads(text)
        finally:
            connection.close()

    def step(self, now):
        time.sleep(0.2)

    def each_second(self, now):
        counts = {}
        try:
            counts = self.call("GET", "/v1/queues/abuse")["counts"]
            missing = 2 * self.many - counts.get("queued", 0) - counts.get("running", 0)
            if missing > 0:
                self.call("POST", "/v1/jobs/batch", {"jobs": [LOUD] * min(missing, 1000)})
        except (OSError, http.client.HTTPException) as fault:
            return {"engaged": 0, "unable": self.many, "reason": str(fault), "running": counts.get("running", 0)}
        there = counts.get("queued", 0) + counts.get("running", 0)
        return {"held": there, "engaged": min(there, self.many), "running": counts.get("running", 0),
                "succeeded": counts.get("succeeded", 0)}


def main(case, host, port, many):
    address, many = (host, int(port)), int(many)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    crowd = {
        "idle": lambda: Crowd(address, many, [b""], 1000),
        "stalled-small": lambda: Crowd(address, many, [stalled(size) for size in SMALL], 200),
        "stalled-large": lambda: Crowd(address, many, [stalled(1_000_000)], 200),
        "batches": lambda: Crowd(address, many, [batch()], 100),
        "readers": lambda: Crowd(address, many, [head("GET", "/v1/jobs?page_size=500")], 100, seconds=20),
        "pipelined": lambda: Crowd(address, many, [PIPELINED * 30_000], 50, seconds=5),
        "slots": lambda: Feeder(address, many),
    }[case]()
    report = 0
    while True:
        now = time.monotonic()
        crowd.step(now)
        if now >= report:
            report = now + 1
            print(json.dumps(crowd.each_second(now)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
