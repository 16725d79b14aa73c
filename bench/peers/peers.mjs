// The Node peers: preload, then drain with 8 commands at a time; exit code and output stored.
// usage: node peers.mjs graphile|pgboss URL COUNT   prints jobs a second
import { execFile } from "node:child_process";
import pg from "pg";

const [contender, url, countText] = process.argv.slice(2);
const count = Number(countText);
const pool = new pg.Pool({ connectionString: url, max: 12 });
await pool.query("CREATE TABLE IF NOT EXISTS results (job text, exit_code int, output text)");

const echo = () =>
  new Promise((resolve) =>
    execFile("/bin/echo", ["hello"], (fault, stdout) => resolve({ code: fault ? fault.code : 0, stdout })));

let done = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const ended = () => { if (++done === count) finish(); };
let begun;

if (contender === "graphile") {
  const { run, runMigrations, Logger } = await import("graphile-worker");
  await runMigrations({ pgPool: pool });
  await pool.query("SELECT graphile_worker.add_job('echo', '{}') FROM generate_series(1, $1)", [count]);
  begun = process.hrtime.bigint();
  const runner = await run({
    pgPool: pool,
    concurrency: 8,
    preset: { worker: { concurrentJobs: 8, localQueue: { size: 100 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    logger: new Logger(() => () => {}),
    taskList: {
      echo: async (_, helpers) => {
        const { code, stdout } = await echo();
        await pool.query("INSERT INTO results VALUES ($1, $2, $3)", [helpers.job.id, code, stdout]);
        ended();
      },
    },
  });
  await finished;
  report();
  await runner.stop();
} else {
  const { default: PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString: url, max: 10 });
  boss.on("error", console.error);
  await boss.start();
  await boss.createQueue("echo");
  for (let i = 0; i < count; i += 1000) {
    await boss.insert(Array.from({ length: Math.min(1000, count - i) }, () => ({ name: "echo", data: {} })));
  }
  begun = process.hrtime.bigint();
  // Fetched by hand, two batches in flight: its own polling pauses between batches and is slower.
  const drain = async () => {
    for (;;) {
      const jobs = await boss.fetch("echo", { batchSize: 100 });
      if (!jobs?.length) return;
      const results = [];
      let next = 0;
      const lane = async () => { while (next < jobs.length) { const job = jobs[next++]; results.push([job.id, await echo()]); } };
      await Promise.all(Array.from({ length: 4 }, lane));
      await pool.query("INSERT INTO results SELECT * FROM unnest($1::text[], $2::int[], $3::text[])",
        [results.map((r) => r[0]), results.map((r) => r[1].code), results.map((r) => r[1].stdout)]);
      await boss.complete("echo", jobs.map((job) => job.id));
      results.forEach(ended);
    }
  };
  drain(); drain();
  await finished;
  report();
  await boss.stop({ graceful: false });
}

function report() {
  console.log((count / (Number(process.hrtime.bigint() - begun) / 1e9)).toFixed(0));
}
process.exit(0);
