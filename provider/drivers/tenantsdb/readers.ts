import { z } from "zod";
import type { Figure, Life, LogEntry } from "../../platform/life";
import type { Api } from "./api";
import { at } from "./tenants";
import { type WireTenant, logPage, read } from "./wire";

/** The largest page of logs (TenantsDB docs). */
const pageSize = 1000;

/** How far back logs can be asked for, in seconds, and the word for it (TenantsDB docs). */
const spans = [
  [3_600, "1h"],
  [86_400, "24h"],
  [7 * 86_400, "7d"],
  [30 * 86_400, "30d"],
] as const;

const number = z.number().nullish();
const statistics = z.object({
  total_queries: z.number(),
  successful: number,
  failed: number,
  by_source: z.record(z.string(), z.number()).nullish(),
  avg_duration_ms: number,
  slow_queries: number,
});
const metrics = z.object({
  isolation_level: z.union([z.string(), z.number()]).nullish(),
  query_metrics: z.record(z.string(), z.unknown()).nullish(),
  database_metrics: z.record(z.string(), z.unknown()).nullish(),
});

/** TenantsDB docs: what can be read of a tenant. */
export function tenantReaders(
  api: Api,
  require: (name: string, doing: string) => Promise<WireTenant>,
): Pick<Life, "logs" | "metrics" | "statistics"> {
  const get = (name: string, part: string, doing: string, query?: Record<string, string | undefined>) =>
    api.call({ doing, kind: "look" }, { method: "GET", path: `${at(name)}/${part}`, query });

  return {
    async *logs(name, { type, search, source, since }) {
      const doing = `read the logs of tenant "${name}"`;
      const oldest = since === undefined ? -Infinity : Date.now() - since * 1000;
      const span = since === undefined ? undefined : (spans.find(([seconds]) => seconds >= since) ?? spans.at(-1)!)[1];
      let before = new Set<string>();
      for (let offset = 0; ; offset += pageSize) {
        const query = { limit: String(pageSize), offset: String(offset), type, search, source, since: span };
        const page = read(logPage, await get(name, "logs", doing, query));
        const shown = new Set<string>();
        for (const one of page.logs) {
          const key = JSON.stringify(one);
          shown.add(key);
          // What is logged meanwhile moves the rest on by as much, so that the end of a page comes twice.
          if (before.has(key)) continue;
          const entry = entryOf(one);
          if (Date.parse(entry.at) < oldest) return;
          yield entry;
        }
        if (page.has_more !== true || page.logs.length === 0) return;
        before = shown;
      }
    },

    async statistics(name) {
      const doing = `read the statistics of tenant "${name}"`;
      const found = read(statistics, await get(name, "logs/stats", doing));
      const figures: Figure[] = [
        figure("queries", found.total_queries),
        figure("successful", found.successful),
        figure("failed", found.failed),
        figure("slow", found.slow_queries),
        figure("average duration", found.avg_duration_ms, "ms"),
        ...Object.entries(found.by_source ?? {}).map(([from, count]) => figure(`by ${from}`, count)),
      ].flat();
      return { figures, queries: [] };
    },

    async metrics(name) {
      const doing = `read the metrics of tenant "${name}"`;
      await require(name, doing);
      const found = read(metrics, await get(name, "metrics", doing));
      return [...inWords(found.query_metrics ?? {}), ...inWords(found.database_metrics ?? {})];
    },
  };
}

const figure = (name: string, value: number | null | undefined, unit?: Figure["unit"]): Figure[] =>
  typeof value === "number" ? [{ name, value, ...(unit ? { unit } : {}) }] : [];

function inWords(of: Record<string, unknown>): Figure[] {
  return Object.entries(of).flatMap(([key, value]): Figure[] => {
    if (typeof value !== "number" && typeof value !== "string") return [];
    const unit = key.endsWith("_ms") ? "ms" : key.endsWith("_bytes") ? "bytes" : /_rate$/.test(key) ? "%" : undefined;
    const name = key.replace(/_(?:ms|bytes)$/, "").replaceAll("_", " ");
    return [{ name, value, ...(unit ? { unit } : {}) }];
  });
}

function entryOf(one: z.output<typeof logPage>["logs"][number]): LogEntry {
  return {
    at: one.created_at ?? "",
    query: one.query ?? "",
    source: one.source ?? "",
    ok: one.success !== false,
    milliseconds: one.duration_ms ?? undefined,
  };
}
