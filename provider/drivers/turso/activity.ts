import { z } from "zod";
import type { Figure, Life } from "../../platform/life";
import type { Api } from "./api";
import { read } from "./wire";

const count = z.number().nonnegative().default(0);
const counted = z.object({ rows_read: count, rows_written: count, storage_bytes: count, bytes_synced: count });
/** Turso docs say `total`; its own CLI and SDK read `usage`. */
const usageOfOne = z.object({ database: z.object({ total: counted.optional(), usage: counted.optional() }) });
/** Turso docs: null where there is nothing to tell. */
const stats = z.object({
  top_queries: z.array(z.object({ query: z.string(), rows_read: count, rows_written: count })).nullish(),
});
const instances = z.object({
  instances: z.array(
    z.object({
      uuid: z.string(),
      name: z.string(),
      type: z.string(),
      region: z.string(),
      hostname: z.string().nullish(),
    }),
  ),
});

/** Turso docs: Platform API reference, "Retrieve Database Usage", "Retrieve Database Stats", "List Database Instances". */
export function tursoActivity(api: Api): Pick<Life, "metrics" | "statistics" | "instances"> {
  const ask = async <Schema extends z.ZodType>(what: string, name: string, schema: Schema) => {
    const doing = { doing: `read the ${what} of database "${name}"`, kind: "look" } as const;
    return read(
      schema,
      await api.call(doing, { method: "GET", path: `/databases/${encodeURIComponent(name)}/${what}` }),
    );
  };
  return {
    async metrics(name) {
      const { total, usage } = (await ask("usage", name, usageOfOne)).database;
      const used = total ?? usage ?? counted.parse({});
      return [
        ...rows(used),
        { name: "stored", value: used.storage_bytes, unit: "bytes" },
        { name: "synced", value: used.bytes_synced, unit: "bytes" },
      ];
    },
    async statistics(name) {
      const queries = (await ask("stats", name, stats)).top_queries ?? [];
      return { figures: [], queries: queries.map(({ query, ...of }) => ({ query, figures: rows(of) })) };
    },
    async instances(name) {
      const found = (await ask("instances", name, instances)).instances;
      return found.map(({ uuid, type, hostname, ...rest }) => ({
        ...rest,
        ...{ id: uuid, kind: type, hostname: hostname || undefined },
      }));
    },
  };
}

const rows = (of: { readonly rows_read: number; readonly rows_written: number }): Figure[] => [
  { name: "rows read", value: of.rows_read },
  { name: "rows written", value: of.rows_written },
];
