#!/usr/bin/env python3
"""Measures the program's answers beside the SQL itself (pgbench) on a database at size.  See README.md."""
import argparse, base64, glob, json, os, random, re, signal, sqlite3, statistics, subprocess, sys, time, urllib.error, urllib.parse, urllib.request, uuid

HERE = os.path.dirname(os.path.abspath(__file__))
NCPU, TICK = os.cpu_count(), os.sysconf("SC_CLK_TCK")
SECRET = base64.b64encode(b"key of measurements, 32 bytes ok").decode()
PASSWORD = "a password for measurements"
DEMO = ["admin", "headquarters", "region", "manager", "associate", "marketer", "analyst"]
ALL = ["q1", "q1c", "q2", "q3", "q3s", "m1"]
TARGETS = dict(q1=25, q1c=18, q2=28, q3=13, q3s=13, m1=50)
WHAT = dict(q1="customer and card by id", q1c="the same with contact details in full, audited", q2="20 customers of a store, card, last 5 visits, lines",
            q3="50 customers behind a deep place, by name", q3s="the same within a store", m1="record a visit with 3 lines")

ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--binary", required=True, help="the program to measure, best of the profile dist")
ap.add_argument("--postgres", default=os.environ.get("LOAD_POSTGRES"), help="a server with an account that may create databases; without one only SQLite")
ap.add_argument("--engine", choices=["postgres", "sqlite", "both"], default="both")
ap.add_argument("--sizes", default="20000:200000:100,200000:2000000:1000", help="customers:visits:stores, smallest first; all figures but growth are of the last")
ap.add_argument("--requests", default=",".join(ALL))
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("--seconds", type=int, default=8)
ap.add_argument("--connections", type=int, default=32)
ap.add_argument("--managers", type=int, default=50, help="stores whose managers ask")
ap.add_argument("--cold-starts", type=int, default=7)
ap.add_argument("--work", default="target/load", help="where databases of SQLite, logs and bodies are kept")
ap.add_argument("--prepare", action="store_true", help="only fill the databases")
ap.add_argument("--check", action="store_true", help="only compare answers with the SQL, measure nothing")
ap.add_argument("--drop", action="store_true", help="drop the databases at the end")
ap.add_argument("--out", help="write every measurement as JSON here")
A = ap.parse_args()
A.binary, A.work = os.path.abspath(A.binary), os.path.abspath(A.work)
os.makedirs(A.work, exist_ok=True)
RQ, rnd, RUN = A.requests.split(","), random.Random(42), f"{os.getpid()}-{int(time.time())}"

def say(words): print(words, file=sys.stderr, flush=True)
def die(words): raise SystemExit(f"FAILED: {words}")
def key(global_id): return str(uuid.UUID(bytes=base64.urlsafe_b64decode(global_id + "=")[1:]))
def need(holds, words):
    if not holds: die(words)

# --- processes ---------------------------------------------------------------------------------------------------

def stat(pid):
    try: f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError): return None
    return int(f[1]), [int(x) for x in f[11:15]]

def cpu(pid):
    """Seconds of a process, its reaped children and its living descendants."""
    if not pid: return 0.0
    kids = {}
    for p in os.listdir("/proc"):
        if p.isdigit() and (s := stat(p)): kids.setdefault(s[0], []).append(int(p))
    todo, total = [pid], 0
    while todo:
        p = todo.pop(); todo += kids.get(p, [])
        if s := stat(p): total += sum(s[1])
    return total / TICK

def memory(pid, what="VmRSS"): return int(re.search(what + r":\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024

def busy():
    f = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (sum(f[:8]) - f[3] - f[4]) / TICK

# --- a database of one size --------------------------------------------------------------------------------------

class Place:
    def __init__(self, engine, size):
        self.engine, self.size = engine, size
        self.customers, self.visits, self.stores = map(int, size.split(":"))
        self.name = f"load_{self.customers}_{self.visits}_{self.stores}"
        self.data = os.path.join(A.work, self.name)
        self.env = {k: os.environ[k] for k in ("PATH", "HOME", "TMPDIR") if k in os.environ} | dict(REGULARS_DATA=self.data, REGULARS_SECRET_KEY=SECRET,
            REGULARS_ACCESS_TOKEN_LIFETIME="1h", REGULARS_BUDGET="0", REGULARS_LOG="warn")
        self.proc, self.tokens, self.cold = None, {}, []
        if engine == "postgres":
            parts = urllib.parse.urlsplit(A.postgres)
            self.url = urllib.parse.urlunsplit(parts._replace(path="/" + self.name))
            self.env["DATABASE_URL"] = self.url
        else: os.makedirs(self.data, exist_ok=True)

    def label(self): return f"{'PostgreSQL' if self.engine == 'postgres' else 'SQLite'} {self.customers:,}"

    def run(self, *args, text=""):
        p = subprocess.run([A.binary, *args], env=self.env, input=text, capture_output=True, text=True)
        need(p.returncode == 0, f"{' '.join(args)}: {p.stdout}{p.stderr}")
        return p.stdout

    def psql(self, q, url=None, file=None):
        p = subprocess.run(["psql", url or self.url, "-XqAtF", "\t", "-v", "ON_ERROR_STOP=1", *(["-f", file] if file else ["-c", q])], capture_output=True, text=True)
        need(p.returncode == 0, f"psql: {p.stderr}")
        return p.stdout.splitlines()

    def is_filled(self):
        if self.engine == "sqlite": return os.path.exists(os.path.join(self.data, "filled"))
        return bool(self.psql(f"select 1 from pg_database where datname = '{self.name}'", A.postgres)) and self.psql("select to_regclass('load.pick')") == ["load.pick"]

    def fill(self):
        if self.is_filled(): return
        began = time.time()
        if self.engine == "postgres":
            if not self.psql(f"select 1 from pg_database where datname = '{self.name}'", A.postgres): self.psql(f"create database {self.name}", A.postgres)
            self.run("migrate", "up")
        p = subprocess.Popen([A.binary, "demo", "--no-serve", "--customers", str(self.customers), "--visits", str(self.visits), "--stores", str(self.stores)],
                             env=self.env, stdout=subprocess.PIPE, text=True)
        said = p.communicate()[0]
        need(p.returncode == 0, f"demo: {said}")
        say(f"{self.label()}: {said.strip()} {time.time() - began:.0f} s")
        def hire(email, role): self.run("staff", "create", f"{email}@load.example", "--name", "Load", "--role", role, "--password-stdin", text=PASSWORD + "\n")
        hire("admin", "ADMIN"); hire("headquarters", "HEADQUARTERS")
        # `serve` refuses accounts whose password everybody knows.
        for one in DEMO: self.run("staff", "disable", f"{one}@demo.example")
        self.start(); codes = self.codes(); self.stop()
        for n, code in enumerate(codes): hire(f"manager{n}", f"STORE_MANAGER@{code}")
        if self.engine == "postgres":
            # Who is recorded by the ideal SQL, and ids that grow with time.
            self.psql("vacuum (freeze, analyze)")
            self.psql("""create schema load;
                create function load.id() returns uuid volatile parallel safe language sql as $$ select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid $$;
                create table load.pick as select row_number() over (order by c.id)::int as n, c.id as customer_id, g.store_id, g.staff_id
                    from staff a join staff_grant g on g.staff_id = a.id join customer c on c.home_store_id = g.store_id where a.email like 'manager%@load.example';
                create unique index on load.pick (n); analyze load.pick""")
        else: open(os.path.join(self.data, "filled"), "w").close()
        say(f"{self.label()}: ready after {time.time() - began:.0f} s")

    def drop(self):
        if self.engine == "postgres": self.psql(f"drop database if exists {self.name} with (force)", A.postgres)
        else: subprocess.run(["rm", "-rf", self.data])

    # --- the server ---

    def start(self):
        self.log = open(os.path.join(A.work, f"{self.engine}-{self.name}.log"), "a"); began = time.time()
        self.proc = subprocess.Popen([A.binary, "serve", "--listen", "127.0.0.1:0"], env=self.env, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.proc.stdout.readline()
        found = re.match(r"regulars listens on (http://\S+)", line)
        need(found, f"serve said {line!r}; its log is {self.log.name}")
        self.address = found[1]
        return began

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGCONT); self.proc.terminate()
            try: self.proc.wait(30)
            except subprocess.TimeoutExpired: self.proc.kill(); self.proc.wait()
        self.proc = None

    def post(self, body, token=None):
        headers = {"content-type": "application/json", "accept": "application/graphql-response+json"} | ({"authorization": "Bearer " + token} if token else {})
        try: return urllib.request.urlopen(urllib.request.Request(self.address, body.encode(), headers), timeout=60).read()
        except urllib.error.HTTPError as e: die(f"HTTP {e.code}: {e.read()[:500]} for {body[:300]}")

    def ask(self, query, token=None, **variables):
        answer = json.loads(self.post(json.dumps(dict(query=query, variables=variables)), token))
        need("errors" not in answer, f"{answer} for {query}")
        return answer["data"]

    def sign_in(self, who):
        if who not in self.tokens:
            data = self.ask("mutation ($i: SessionCreateInput!) { sessionCreate(input: $i) { session { accessToken } userErrors { message } } }",
                            i=dict(email=f"{who}@load.example", password=PASSWORD))["sessionCreate"]
            need(data["session"], f"{who}: {data}")
            self.tokens[who] = data["session"]["accessToken"]
        return self.tokens[who]

    def codes(self):
        codes, after = [], None
        while len(codes) < A.managers:
            page = self.ask("query ($a: String) { stores(first: 100, after: $a) { nodes { code } pageInfo { endCursor hasNextPage } } }", self.sign_in("admin"), a=after)["stores"]
            codes += [n["code"] for n in page["nodes"]]; after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]: break
        return codes[:A.managers]

    def managers(self): return min(A.managers, self.stores)

    # --- what is asked ---

    def gather(self):
        """Signs everybody in, and asks for the ids and cursors that requests are made of."""
        self.who = [self.sign_in(f"manager{n}") for n in range(self.managers())] + [self.sign_in("headquarters")]
        self.hq = len(self.who) - 1
        self.holders, self.members, self.places, self.deep = [], [], [], []
        for n, token in enumerate(self.who[:-1]):
            after, edges = None, []
            while len(edges) < 200:
                page = self.ask("query ($a: String) { customers(first: 100, after: $a) { edges { cursor node { id card { status } } } pageInfo { endCursor hasNextPage } } }", token, a=after)["customers"]
                edges += page["edges"]; after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"]: break
            self.members += [(n, e["node"]["id"]) for e in edges]; self.holders += [(n, e["node"]["id"]) for e in edges if e["node"]["card"]]
            start = min(99, len(edges) // 2); self.places += [(n, e["cursor"], e["node"]["id"]) for e in edges[start:start + 40][:-1]]
        wanted = min(100_000, self.customers // 2); seen, after, token = 0, None, self.who[self.hq]
        while seen < wanted:
            page = self.ask("query ($a: String) { customers(first: 100, after: $a) { pageInfo { endCursor hasNextPage } } }", token, a=after)["customers"]
            seen += 100; after = page["pageInfo"]["endCursor"]
        while len(self.deep) < 1000 and len(self.deep) < self.customers // 4:
            page = self.ask("query ($a: String) { customers(first: 100, after: $a) { edges { cursor node { id } } pageInfo { endCursor } } }", token, a=after)["customers"]
            self.deep += [(self.hq, edge["cursor"], edge["node"]["id"]) for edge in page["edges"]]; after = page["pageInfo"]["endCursor"]
        self.currency = self.ask("{ company { currencyCode } }", token)["company"]["currencyCode"]
        if A.check: return
        with open(self.file("tokens"), "w") as f: f.write("\n".join(self.who) + "\n")
        for r in RQ:
            with open(self.file(r), "w") as f:
                for _ in range(2000):
                    n, body, _ = self.body(r); f.write(f"{n + 1}\t{body}\n")

    def file(self, what): return os.path.join(A.work, f"{self.engine}-{self.name}-{what}")

    def body(self, r):
        """The number of the token that asks, the body, and whatever it was made of."""
        if r in ("q1", "q1c"): n, what = rnd.choice(self.holders); v = dict(id=what)
        elif r == "q2": n = rnd.randrange(self.managers()); what, v = None, {}
        elif r == "q3": n, cursor, what = rnd.choice(self.deep); v = dict(after=cursor)
        elif r == "q3s": n, cursor, what = rnd.choice(self.places); v = dict(after=cursor)
        else:
            n, what = rnd.choice(self.members)
            line = lambda k: dict(sku=f"TEA-00{k}", name=f"Tea {k}", category="Tea", quantity="1", amount=dict(amount=f"{rnd.randint(200, 90000) / 100:.2f}", currencyCode=self.currency))
            v = dict(input=dict(customerId=what, purchase=dict(receipt=dict(source="load", number="@N@"), lines=[line(k) for k in (1, 2, 3)])))
        query = " ".join(open(os.path.join(HERE, "queries", r + ".graphql")).read().split())
        return n, json.dumps(dict(query=query, variables=v), separators=(",", ":")), what

    # --- the ideal ---

    def ideal(self, r, count=64):
        """The ideal SQL with real ids in it, as files for pgbench; the ids are those that the program is asked for."""
        text = open(os.path.join(HERE, "sql", r + ".sql")).read()
        if r == "m1": made = [text.replace("{picks}", self.psql("select count(*) from load.pick")[0])]
        elif r == "q2":
            stores = self.psql("select distinct store_id from load.pick order by 1")
            made = [text.replace("{store}", s) for s in stores[:count]]
        else:
            pick = self.holders if r in ("q1", "q1c") else self.deep if r == "q3" else self.places
            ids = [key(p[-1]) for p in rnd.sample(pick, min(count, len(pick)))]
            rows = self.psql(f"select id, encode(name_key, 'hex'), home_store_id from customer where id = any('{{{','.join(ids)}}}')")
            made = [text.replace("{customer}", i).replace("{name_key}", k).replace("{store}", s) for i, k, s in (row.split("\t") for row in rows)]
        files = []
        for n, one in enumerate(made):
            files.append(self.file(f"ideal-{r}-{n}.sql"))
            with open(files[-1], "w") as f: f.write(one)
        return files

    # --- are the answers right? ---

    def check(self):
        for r in RQ:
            for _ in range(12):
                n, body, what = self.body(r); number = f"{RUN}-check-{rnd.random()}"
                answer = json.loads(self.post(body.replace("@N@", number), self.who[n]))
                need("errors" not in answer and answer.get("data"), f"{self.label()} {r}: {str(answer)[:600]}")
                getattr(self, "check_m1" if r == "m1" else "check_" + r[:2])(r, n, what, answer["data"], body.replace("@N@", number))
        if self.engine == "postgres": self.check_ideal()
        say(f"{self.label()}: answers are right")

    def check_ideal(self):
        """The ideal runs, and what it records is what the program would have recorded."""
        count = lambda: [int(n) for n in self.psql("select (select count(*) from visit), (select count(*) from purchase_line), (select count(*) from event), (select count(*) from audit_entry), (select sum(bought_minor) from customer_total)")[0].split("\t")]
        for r in RQ:
            before = count()
            o = subprocess.run(["pgbench", "-n", "-M", "prepared", "-t", "3", "-f", self.ideal(r, 1)[0], self.url], capture_output=True, text=True)
            need(o.returncode == 0 and "actually processed: 3/3" in o.stdout, f"pgbench {r}: {o.stdout}{o.stderr}")
            grown = [a - b for a, b in zip(count(), before)]
            need(grown[:4] == ([3, 9, 6, 3] if r == "m1" else [0, 0, 0, 0]) and (grown[4] > 0) == (r == "m1"), f"pgbench {r}: grew by {grown}")

    def sql(self, r, what, n):
        """The rows that the ideal SQL gives for the same."""
        if self.engine == "sqlite": return None
        text = open(os.path.join(HERE, "sql", r + ".sql")).read()
        store = self.psql(f"select g.store_id from staff a join staff_grant g on g.staff_id = a.id where a.email = 'manager{n}@load.example'") if n != self.hq else [""]
        row = self.psql(f"select encode(name_key, 'hex') from customer where id = '{key(what)}'") if what else [""]
        text = text.replace("{customer}", key(what) if what else "").replace("{name_key}", row[0]).replace("{store}", store[0])
        with open(self.file("check.sql"), "w") as f: f.write(re.sub(r":(ids|visits)\b", r":'\1'", text))
        return [line.split("\t") for line in self.psql(None, file=self.file("check.sql"))]

    def check_q1(self, r, n, what, data, body):
        c = data["customer"]; need(c and c["id"] == what and c["card"]["status"] == "ACTIVE", f"{r}: {data}")
        if r == "q1c": need(c["contactPoints"] and not any("*" in p["value"] for p in c["contactPoints"]), f"{r}: masked or none: {data}")
        rows = self.sql(r, what, n)
        if rows is None: return
        need([rows[0][0], rows[0][1], rows[0][6]] == [key(what), c["fullName"], c["card"]["number"]], f"{r}: {rows} is not {c}")
        if r == "q1c": need([(row[9], row[11]) for row in rows] == [(key(p["id"]), p["value"]) for p in c["contactPoints"]], f"{r}: {rows} is not {c}")

    def check_q2(self, r, n, what, data, body):
        nodes = data["customers"]["nodes"]; need(nodes and any(c["card"] for c in nodes), f"{r}: {data}")
        lines = sorted((key(l["id"]), l["sku"]) for c in nodes for v in c["visits"]["nodes"] for p in v["purchases"] for l in p["lines"]); need(lines, f"{r}: no lines")
        need(all(len(c["visits"]["nodes"]) <= 5 for c in nodes), f"{r}: more than 5 visits")
        rows = self.sql(r, what, n)
        if rows is None: return
        # The SQL reads one more of everything, to know whether there is more.
        more = {(row[3], row[4]) for row in rows if len(row) == 7 and row[3]}
        need(set(lines) <= more, f"{r}: lines that the SQL does not have")
        seen = {key(v["id"]) for c in nodes for v in c["visits"]["nodes"] if v["purchases"]}
        need(sorted((row[3], row[4]) for row in rows if len(row) == 7 and row[3] and row[0] in seen) == lines, f"{r}: lines of the same visits differ")

    def check_q3(self, r, n, what, data, body):
        nodes = data["customers"]["nodes"]; need(nodes and all(c["id"] != what for c in nodes), f"{r}: {data}")
        rows = self.sql(r, what, n)
        if rows is None: return
        need([row[0] for row in rows[:50]] == [key(c["id"]) for c in nodes], f"{r}: other customers than the SQL's")
        need(data["customers"]["pageInfo"]["hasNextPage"] == (len(rows) > 50), f"{r}: {data['customers']['pageInfo']}")

    def check_m1(self, r, n, what, data, body):
        payload = data["visitRecord"]; need(payload["visit"] and not payload["userErrors"] and payload["visit"]["outcome"] == "PURCHASE", f"{r}: {data}")
        again = json.loads(self.post(body, self.who[n]))["data"]["visitRecord"]
        need(again["visit"]["id"] == payload["visit"]["id"], f"{r}: sent twice, recorded twice")
        visit = self.ask("query ($id: ID!) { node(id: $id) { ... on Visit { customer { id } purchases { lines { amount { amount } } } } } }", self.who[n], id=payload["visit"]["id"])["node"]
        sent = [l["amount"]["amount"] for l in json.loads(body)["variables"]["input"]["purchase"]["lines"]]
        need(visit["customer"]["id"] == what and [l["amount"]["amount"] for l in visit["purchases"][0]["lines"]] == sent, f"{r}: {visit}")
        if self.engine == "postgres":
            off = self.psql(f"""select count(*) from customer_total t where customer_id = '{key(what)}' and (bought_minor is distinct from
                (select coalesce(sum(p.bought_minor), 0) from purchase p where p.customer_id = t.customer_id)
                or visits is distinct from (select count(*) from visit v where v.customer_id = t.customer_id))""")
            need(off == ["0"], f"{r}: totals are not the sum of the visits")

# --- measuring ---------------------------------------------------------------------------------------------------

def ms(text):
    m = re.match(r"([\d.]+)(us|ms|s|m)", text)
    return float(m[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}[m[2]]

def percentile(values, p): return values[min(len(values) - 1, int(len(values) * p))] if values else float("nan")

def postmaster(place):
    p = subprocess.Popen(["psql", place.url, "-XAtc", "select pg_backend_pid()", "-c", "select pg_sleep(1)"], stdout=subprocess.PIPE, text=True)
    pid = int(p.stdout.readline()); parent = stat(pid)[0]; p.kill(); p.wait()
    return parent

def drain(place):
    """Waits until nothing runs in the database and the sequencer has caught up."""
    for _ in range(600):
        if place.engine == "sqlite": return
        waiting = "exists (select 1 from event where position is null)"
        if place.psql(f"select (select count(*) from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid() and backend_type = 'client backend')::text || {waiting}::text") == ["0false"]: return
        time.sleep(0.1)

def by_wrk(place, r, seconds):
    env = os.environ | dict(BENCH_BODIES=place.file(r), BENCH_TOKENS=place.file("tokens"), BENCH_RUN=f"{RUN}-{time.time_ns()}")
    o = subprocess.run(["wrk", "-t1", f"-c{A.connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", os.path.join(HERE, "post.lua"), place.address], env=env, capture_output=True, text=True)
    g = lambda p: re.search(p, o.stdout)
    try: n, rps, p50, p99 = int(g(r"(\d+) requests in")[1]), float(g(r"Requests/sec:\s+([\d.]+)")[1]), ms(g(r"\n\s+50%\s+(\S+)")[1]), ms(g(r"\n\s+99%\s+(\S+)")[1])
    except TypeError: die(f"wrk {r}: {o.stdout}{o.stderr}")
    need(not g(r"Non-2xx or 3xx responses: \d+") and not g(r"Socket errors: .*[1-9]"), f"{place.label()} {r}: {o.stdout}")
    return n, rps, p50, p99

def by_pgbench(place, r, seconds):
    files = place.ideals.setdefault(r, None) or place.ideal(r); place.ideals[r] = files; logs = place.file(f"pgbench-{time.time_ns()}")
    o = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(A.connections), "-j", "1", "-T", str(seconds), *(x for f in files for x in ("-f", f)), "-l", "--log-prefix", logs, "--sampling-rate", "0.2", place.url], capture_output=True, text=True)
    need(o.returncode == 0, f"pgbench {r}: {o.stderr}")
    times = sorted(int(l.split()[2]) / 1e3 for f in glob.glob(logs + ".*") for l in open(f))
    for f in glob.glob(logs + ".*"): os.unlink(f)
    return int(re.search(r"actually processed: (\d+)", o.stdout)[1]), float(re.search(r"tps = ([\d.]+)", o.stdout)[1]), percentile(times, .5), percentile(times, .99)

def failures(place):
    """Operations that did not end well, by the program's own count: GraphQL's errors come with status 200."""
    text = urllib.request.urlopen(place.address.replace("/graphql", "/metrics")).read().decode()
    return sum(float(l.rsplit(" ", 1)[1]) for l in text.splitlines() if l.startswith("graphql_operations_total{") and not 'outcome="ok"' in l)

def measure(place, who, r, seconds, others=()):
    drain(place); pm, pid = place.postmaster, place.proc.pid if who == "server" else None
    if who == "pgbench":
        # Nobody sequences the events of the ideal meanwhile.
        for p in others: p.proc.send_signal(signal.SIGSTOP)
    c0, s0, t0, w0, b0, bad = cpu(pm), cpu(pid), os.times(), time.time(), busy(), failures(place) if pid else 0
    n, rps, p50, p99 = (by_wrk if who == "server" else by_pgbench)(place, r, seconds)
    t1, wall, b1 = os.times(), time.time() - w0, busy(); us = lambda s: s / max(n, 1) * 1e6
    client = t1.children_user + t1.children_system - t0.children_user - t0.children_system
    server, postgres = cpu(pid) - s0, cpu(pm) - c0
    for p in others: p.proc.send_signal(signal.SIGCONT)
    if pid: need(failures(place) == bad, f"{place.label()} {r}: {failures(place) - bad:.0f} answers had errors")
    return dict(engine=place.engine, customers=place.customers, who=who, request=r, n=n, rps=rps, p50=p50, p99=p99, us_server=us(server), us_postgres=us(postgres), us_client=us(client),
                foreign=max(0, (b1 - b0 - server - postgres - client) / wall / NCPU))

def cold_starts(place):
    n, body, _ = place.body("q1")
    for _ in range(A.cold_starts):
        place.stop(); began = place.start(); place.post(body, place.who[n]); place.cold.append((time.time() - began) * 1000)

def median(rows, what): return statistics.median(row[what] for row in rows) if rows else float("nan")

def main():
    engines = [e for e in ("postgres", "sqlite") if A.engine in (e, "both")]
    if not A.postgres:
        need(A.engine != "postgres", "--postgres is missing"); engines = ["sqlite"]; say("without --postgres only SQLite is measured")
    places = [Place(e, s) for e in engines for s in A.sizes.split(",")]; made, rows = [], []
    try:
        for place in places: place.fill()
        if A.prepare: return
        for place in places:
            place.postmaster = postmaster(place) if place.engine == "postgres" else None; place.ideals = {}
            place.start(); place.gather(); place.check()
            if A.check: place.stop(); continue
            cold_starts(place); place.idle = memory(place.proc.pid)
            for r in RQ: measure(place, "server", r, 2)
            made.append(place)
            if place.engine == "sqlite": place.stop()
        postgres = [p for p in made if p.engine == "postgres"]
        for k in range(0 if A.check else A.rounds):
            for r in RQ:
                # Side by side: what the machine does otherwise meets all of them.
                turns = [(p, "server") for p in postgres] + [(p, "pgbench") for p in postgres[-1:]]
                for place, who in turns if k % 2 == 0 else turns[::-1]:
                    rows.append(measure(place, who, r, A.seconds, postgres if who == "pgbench" else ()) | dict(round=k))
                    say(f"round {k} {r} {place.label()} {who}: {rows[-1]['rps']:.0f}/s, p99 {rows[-1]['p99']:.1f} ms, others took {rows[-1]['foreign']:.0%} of the machine")
        for place in postgres: place.loaded, place.peak = memory(place.proc.pid), memory(place.proc.pid, "VmHWM"); place.stop()
        for place in [p for p in made if p.engine == "sqlite"]:
            place.start(); rows += [measure(place, "server", r, A.seconds) | dict(round=k) for k in range(A.rounds) for r in RQ]
            place.loaded, place.peak = memory(place.proc.pid), memory(place.proc.pid, "VmHWM"); place.stop()
        if made: report(rows, made)
        if A.out: json.dump(dict(rows=rows, places=[dict(engine=p.engine, size=p.size, cold=p.cold, idle=p.idle, loaded=p.loaded, peak=p.peak) for p in made]), open(A.out, "w"), indent=1)
    finally:
        for place in places:
            place.stop()
            if A.drop: place.drop()

def report(rows, made):
    of = lambda engine, customers, who, r: [x for x in rows if (x["engine"], x["customers"], x["who"], x["request"]) == (engine, customers, who, r)]
    postgres, sqlite = [[p.customers for p in made if p.engine == e] for e in ("postgres", "sqlite")]
    if postgres:
        big, small = postgres[-1], postgres[0]
        print(f"\n{A.connections} connections, {A.rounds} rounds of {A.seconds} s, medians; PostgreSQL with {big:,} customers\n")
        print(f"| request | program /s | pgbench /s | of pgbench | target | p50 ms | p99 ms | pgbench p99 | CPU us: program | PostgreSQL | client | PostgreSQL under pgbench | p99 at {small:,} | growth | others |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
        for r in RQ:
            s, g, t = of("postgres", big, "server", r), of("postgres", big, "pgbench", r), of("postgres", small, "server", r)
            ratio = statistics.median(a["rps"] / b["rps"] for a, b in zip(s, g))
            print(f"| {r}: {WHAT[r]} | {median(s, 'rps'):.0f} | {median(g, 'rps'):.0f} | {ratio:.1%} | {TARGETS[r]}% | {median(s, 'p50'):.2f} | {median(s, 'p99'):.1f} | {median(g, 'p99'):.1f} | {median(s, 'us_server'):.0f} | "
                  f"{median(s, 'us_postgres'):.0f} | {median(s, 'us_client'):.0f} | {median(g, 'us_postgres'):.0f} | {median(t, 'p99'):.1f} | {median(s, 'p99') / median(t, 'p99'):.2f} | {median(s + g, 'foreign'):.0%} |")
    for big in sqlite[-1:]:
        print(f"\nSQLite with {big:,} customers\n\n| request | program /s | p50 ms | p99 ms | CPU us | p99 at {sqlite[0]:,} |\n|---|---|---|---|---|---|")
        for r in RQ:
            s = of("sqlite", big, "server", r)
            print(f"| {r} | {median(s, 'rps'):.0f} | {median(s, 'p50'):.2f} | {median(s, 'p99'):.1f} | {median(s, 'us_server'):.0f} | {median(of('sqlite', sqlite[0], 'server', r), 'p99'):.1f} |")
    print("\n| program on | cold start to the first answer, ms (median) | memory before load, MiB | after load | at most |\n|---|---|---|---|---|")
    for p in made: print(f"| {p.label()} | {statistics.median(p.cold):.0f} | {p.idle:.0f} | {p.loaded:.0f} | {p.peak:.0f} |")

main()
