"""What every benchmark stands on: one durable PostgreSQL, Errand's own processes, and an end to all of it."""
import atexit, glob, json, os, pwd, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
JVM_FLAGS = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx384m", "-Xss512k"]  # those of ./errand serve
TOKEN = "bench-token-0123456789"
_ends = []


def row(what, *cells):
    print("| " + " | ".join(map(str, [what, *cells])) + " |", flush=True)


def at_end(call):
    _ends.append(call)


@atexit.register
def _end_all():
    while _ends:
        try:
            _ends.pop()()
        except Exception as fault:  # the others must end too
            print("while ending:", fault, file=sys.stderr)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def work_dir():
    path = tempfile.mkdtemp(prefix="errand-bench-")
    os.chmod(path, 0o755)
    at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


class Postgres:
    """Debian's PostgreSQL as it comes, durable (fsync, synchronous_commit and full_page_writes on)."""

    def __init__(self, settings=()):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.dir = work_dir()
        self.port = free_port()
        self.as_user = []
        self.psql = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        data = self.dir + "/data"
        subprocess.check_call(self.as_user + [self.bin + "/initdb", "-D", data, "-U", "bench", "--auth=trust",
                                              "-E", "UTF8", "--locale=C.UTF-8"], stdout=subprocess.DEVNULL, cwd="/")
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.dir,
                   "shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "300",
                   "shared_preload_libraries": "pg_stat_statements", "wal_compression": "off"}
        options.update(settings)
        command = self.as_user + [self.bin + "/postgres", "-D", data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self.log = open(self.dir + "/log", "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd="/")
        at_end(lambda: (self.process.send_signal(signal.SIGINT), self.process.wait()))
        for _ in range(600):
            if subprocess.call([self.bin + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]) == 0:
                break
            time.sleep(0.05)

    def create(self, name):
        self.sql(f"CREATE DATABASE {name}", "postgres")
        self.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", name)
        return name

    def drop(self, name):
        self.sql(f"DROP DATABASE {name} WITH (FORCE)", "postgres")

    def sql(self, text, database):
        out = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                              str(self.port), "-U", "bench", "-d", database], input=text, text=True,
                             stdout=subprocess.PIPE, check=True).stdout.strip()
        return out

    def ask(self, text, database):
        """One line from one connection that stays open: a new one for each question would be a load of its own."""
        psql = self.psql.get(database)
        if psql is None:
            psql = self.psql[database] = subprocess.Popen(
                ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                 "-U", "bench", "-d", database], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            at_end(lambda: end(psql))
        psql.stdin.write(text + ";\n")
        psql.stdin.flush()
        return psql.stdout.readline().strip()

    def pgbench(self, database, script, clients, seconds, *options):
        """Transactions a second of one script."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            out = subprocess.run([self.bin + "/pgbench", "-n", "-M", "prepared", "-f", file.name, "-c", str(clients),
                                  "-j", "2", "-T", str(seconds), "-h", "127.0.0.1", "-p", str(self.port), "-U",
                                  "bench", *options, database], text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT).stdout
        if "tps = " not in out:
            raise RuntimeError(out)
        return float(out.split("tps = ")[1].split()[0])

    def jdbc(self, database):
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{database}"

    def url(self, database):
        return f"postgres://bench@127.0.0.1:{self.port}/{database}"


class Errand:
    """One server process, started by the README's command, of this checkout or of another built one."""

    def __init__(self, postgres, database, roles="api,worker", slots=8, home=None, root=ROOT, **settings):
        self.database = database
        self.home = home or work_dir()
        os.chmod(self.home, 0o711)
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "ERRAND_HOME": self.home,
                       "ERRAND_HTTP_PORT": "0", "ERRAND_TOKEN": TOKEN, "ERRAND_ROLES": roles,
                       "ERRAND_WORKER_SLOTS": str(slots)}
        if postgres is not None:
            environment.update(ERRAND_DATABASE_URL=postgres.jdbc(database), ERRAND_DATABASE_USER="bench",
                               ERRAND_DATABASE_PASSWORD="x")
        for name, value in settings.items():
            environment["ERRAND_" + name.upper()] = str(value)
        if "JAVA_HOME" in os.environ:
            environment["JAVA_HOME"] = os.environ["JAVA_HOME"]
        self.log = open(self.home + "/log", "ab")
        begun = time.monotonic()
        self.process = subprocess.Popen([root + "/errand", "serve"], env=environment, stdout=self.log,
                                        stderr=subprocess.STDOUT, cwd=self.home)
        at_end(self.end)
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(open(self.home + "/log").read()[-2000:])
            try:
                self.base = open(self.home + "/url").read().strip()
                urllib.request.urlopen(self.base + "/q/health/ready", timeout=5).read()
                break
            except OSError:
                if time.monotonic() - begun > 180:
                    raise RuntimeError(open(self.home + "/log").read()[-2000:])
                time.sleep(0.01)
        self.seconds_to_ready = time.monotonic() - begun

    def call(self, method, path, body=None, **headers):
        request = urllib.request.Request(
            self.base + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json", **headers})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")

    def end(self):
        end(self.process)
