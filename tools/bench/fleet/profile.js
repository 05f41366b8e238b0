"use strict";
// Loaded by `--require` into the engine's Node.js processes. The provider is killed at the end of a run without an exit
// event, so that a profile has to be written while it works. Seldom: each start and stop of the profiler takes about
// half a second, which is shown as "dispatch".
const fs = require("node:fs");
const { Session } = require("node:inspector");
const path = require("node:path");

const part = /dynamic-provider/.test(process.argv[1] ?? "")
  ? "provider"
  : /cmd.run/.test(process.argv[1] ?? "")
    ? "program"
    : "";
if (part && process.env.BENCH_PROFILE) {
  fs.mkdirSync(process.env.BENCH_PROFILE, { recursive: true });
  const session = new Session();
  session.connect();
  const post = (method) =>
    new Promise((resolve, reject) => session.post(method, (e, r) => (e ? reject(e) : resolve(r))));
  let count = 0;
  const file = () =>
    path.join(process.env.BENCH_PROFILE, `${part}-${process.pid}-${String(++count).padStart(3, "0")}.cpuprofile`);
  const write = async () => {
    const { profile } = await post("Profiler.stop");
    fs.writeFileSync(file(), JSON.stringify(profile));
    await post("Profiler.start");
  };
  void post("Profiler.enable").then(() => post("Profiler.start"));
  if (part === "provider") setInterval(() => void write(), 5_000).unref();
  process.on("exit", () =>
    session.post("Profiler.stop", (error, result) => error || fs.writeFileSync(file(), JSON.stringify(result.profile))),
  );
}
