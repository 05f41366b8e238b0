import { startLocalPlatform } from "../../provider/local";
import { createClient } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";
import { readdirSync } from "node:fs";
(async () => {
  const p = await startLocalPlatform(); const api = apiCaller(p, "local");
  await api.ok("POST", "/groups", { name: "g", location: "local" });
  await Promise.all(Array.from({ length: 400 }, (_, i) => api.ok("POST", "/databases", { name: `t${i}`, group: "g" })));
  const token = await mint(api, "groups/g"); let max = 0, done = 0;
  const t = Date.now();
  await Promise.all(Array.from({ length: 32 }, async (_, w) => {
    for (let i = 0; i < 100; i++) { const c = createClient({ url: p.databaseUrl(`t${(i * 32 + w) % 400}`), authToken: token }); await c.batch(["CREATE TABLE IF NOT EXISTS t(x)", "INSERT INTO t VALUES (1)", "SELECT * FROM t"], "write"); c.close();
    if (++done % 20 === 0) max = Math.max(max, readdirSync("/proc/self/fd").length); }
  }));
  console.log(process.env.RECLAIM, "batch ms", (Date.now() - t) / 3200, "max fds", max);
  await p.close();
})();
