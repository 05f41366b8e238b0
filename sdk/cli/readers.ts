import { type Command, Option } from "commander";
import type { Figure, LogEntry } from "../../provider/platform/life";
import { table } from "./schema/table";
import { type Read, type ReaderFlags, readerCommand, secondsFlag, wholeFlag } from "./tenant/reader";

/** `tenantry logs | metrics | stats | instances | backups TENANT`: what the platform tells of one tenant. */
export const readerCommands = (): Command[] => [
  readerCommand<LogFlags>({
    verb: "logs",
    description: "Show a tenant's queries one by one, the newest first, where the platform keeps them.",
    example: "tenantry logs acme --type slow --since 24h",
    has: ({ logs }) => logs,
    lacking: "no logs of a tenant's queries",
    instead: "`npx tenantry stats` may show what its queries cost.",
    options: [
      new Option("--type <type>", "only these").choices(["error", "slow"]),
      new Option("--search <text>", "only queries with this text in them"),
      new Option("--source <source>", "only those from there, in the platform's words"),
      new Option("--since <duration>", 'how far back, such as "24h"'),
      new Option("--limit <count>", "at most so many").default("100"),
    ],
    read: readLogs,
  }),
  readerCommand({
    verb: "metrics",
    description: "Show what a tenant uses: stored bytes, rows, and what else the platform counts.",
    example: "tenantry metrics acme",
    has: ({ metrics }) => metrics,
    lacking: "no figures of a single tenant",
    instead: "`npx tenantry usage` shows what all of them use.",
    async read(platform, name) {
      const metrics = await platform.metrics!(name);
      return { document: { metrics }, lines: table(metrics.map((one) => [one.name, figureText(one)])) };
    },
  }),
  readerCommand({
    verb: "stats",
    description: "Show what a tenant's queries cost, the most expensive first.",
    example: "tenantry stats acme --json",
    has: ({ statistics }) => statistics,
    lacking: "no statistics of a tenant's queries",
    instead: "Measure them where the application runs.",
    async read(platform, name) {
      const { figures, queries } = await platform.statistics!(name);
      const rows = queries.map((one) => [...one.figures.map(figureText), oneLine(one.query)]);
      const head = queries[0] ? [[...queries[0].figures.map((one) => one.name.toUpperCase()), "QUERY"]] : [];
      const lines = [
        ...table(figures.map((one) => [one.name, figureText(one)])),
        ...table(
          [...head, ...rows],
          queries[0]?.figures.map((_, i) => i),
        ),
      ];
      return { document: { figures, queries }, lines: lines.length > 0 ? lines : ["Nothing was counted yet."] };
    },
  }),
  readerCommand({
    verb: "instances",
    description: "Show where a tenant's database runs.",
    example: "tenantry instances acme",
    has: ({ instances }) => instances,
    lacking: "nothing to tell of where a database runs",
    instead: "Its group's location is all there is.",
    async read(platform, name) {
      const instances = await platform.instances!(name);
      const rows = instances.map((one) => [one.name, one.kind, one.region, one.hostname ?? "-"]);
      return { document: { instances }, lines: table([["NAME", "KIND", "REGION", "HOST"], ...rows]) };
    },
  }),
  readerCommand<ReaderFlags & { readonly take?: boolean }>({
    verb: "backups",
    description: "List a tenant's backups, or take one now, where the platform has backups with names.",
    example: "tenantry backups acme --take",
    has: ({ backups, backupOnDemand }, { take }) => (take ? backupOnDemand : backups),
    lacking: "no backups that could be named",
    instead: "`restoreFrom: { timestamp, key }` copies a past moment where the platform keeps a history.",
    options: [new Option("--take", "take one first")],
    async read(platform, name, { take }) {
      const taken = take ? await platform.takeBackup!(name) : undefined;
      const backups = platform.capabilities.backups ? await platform.listBackups!(name) : [];
      const rows = backups.map(({ id, kind, takenAt, bytes }) => [takenAt ?? "-", kind, String(bytes ?? "-"), id]);
      const said = take ? [`A backup was asked for${taken ? `: ${taken.id}` : ""}.`] : [];
      const none = backups.length === 0 ? ["There are none yet."] : [];
      const lines = [
        ...said,
        ...none,
        ...(none.length > 0 ? [] : table([["TAKEN", "KIND", "BYTES", "BACKUP"], ...rows])),
      ];
      return { document: { taken: taken ?? null, backups }, lines };
    },
  }),
];

type LogFlags = ReaderFlags & {
  readonly type?: "error" | "slow";
  readonly search?: string;
  readonly source?: string;
  readonly since?: string;
  readonly limit: string;
};

async function readLogs(
  platform: Parameters<Parameters<typeof readerCommand>[0]["read"]>[0],
  name: string,
  { type, search, source, since, limit }: LogFlags,
): Promise<Read> {
  const most = wholeFlag(limit, "--limit");
  const entries: LogEntry[] = [];
  for await (const entry of platform.logs!(name, { type, search, source, since: secondsFlag(since, "--since") })) {
    entries.push(entry);
    if (entries.length === most) break;
  }
  const rows = entries.map(({ at, ok, milliseconds, source: from, query }) => [
    ...[at, ok ? "ok" : "failed", milliseconds === undefined ? "-" : `${milliseconds} ms`, from, oneLine(query)],
  ]);
  return { document: { logs: entries }, lines: rows.length > 0 ? table(rows) : ["There are none."] };
}

const figureText = ({ value, unit }: Figure): string => `${value}${unit ? ` ${unit}` : ""}`;

/** Queries have line breaks, and control characters that a terminal would obey. */
const oneLine = (query: string): string => {
  const text = query.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
};
