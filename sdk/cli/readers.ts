import { type Command, Option } from "commander";
import type { DeploymentRecord } from "../../provider/platform/deployments";
import type { Figure, LogEntry } from "../../provider/platform/life";
import type { Platform } from "../../provider/platform/platform";
import { oneLine } from "./one-line";
import { table } from "./schema/table";
import {
  type Read,
  type Reader,
  type ReaderFlags,
  pastInstead,
  readerCommand,
  secondsFlag,
  wholeFlag,
} from "./tenant/reader";

/** `tenantry logs | metrics | stats | instances | backups TENANT`: what the platform tells of one tenant. */
export const readerCommands = (): Command[] => readers.map(readerCommand);

const reader = <Flags extends ReaderFlags>(of: Reader<Flags>): Reader<never> => of;

export const readers: readonly Reader<never>[] = [
  reader<LogFlags>({
    verb: "logs",
    description: "Show a tenant's queries one by one, the newest first, where the platform keeps them.",
    example: "tenantry logs acme --type slow --since 24h",
    has: ({ logs }) => logs,
    lacking: "no logs of a tenant's queries",
    instead: ({ statistics }) =>
      statistics ? "`npx tenantry stats` shows what its queries cost." : "Log them where the application runs.",
    options: [
      new Option("--type <type>", "only these").choices(["error", "slow"]),
      new Option("--search <text>", "only queries with this text in them"),
      new Option("--source <source>", "only those from there, in the platform's words"),
      new Option("--since <duration>", 'how far back, such as "24h"'),
      new Option("--limit <count>", "at most so many").default("100"),
    ],
    read: readLogs,
  }),
  reader<ReaderFlags>({
    verb: "metrics",
    description: "Show what a tenant uses: stored bytes, rows, and what else the platform counts.",
    example: "tenantry metrics acme",
    has: ({ metrics }) => metrics,
    lacking: "no figures of a single tenant",
    instead: ({ usage }) => (usage ? "`npx tenantry usage` shows what all of them use." : "Look in its console."),
    async read(platform, name) {
      const metrics = await platform.metrics!(name);
      return { document: { metrics }, lines: table(metrics.map((one) => [one.name, figureText(one)])) };
    },
  }),
  reader<ReaderFlags>({
    verb: "stats",
    description: "Show what a tenant's queries cost, the most expensive first.",
    example: "tenantry stats acme --json",
    has: ({ statistics }) => statistics,
    lacking: "no statistics of a tenant's queries",
    instead: () => "Measure them where the application runs.",
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
  reader<ReaderFlags>({
    verb: "instances",
    description: "Show where a tenant's database runs.",
    example: "tenantry instances acme",
    has: ({ instances }) => instances,
    lacking: "nothing to tell of where a database runs",
    instead: () => "Its group's location is all there is.",
    async read(platform, name) {
      const instances = await platform.instances!(name);
      const rows = instances.map((one) => [one.name, one.kind, one.region, one.hostname ?? "-"]);
      return { document: { instances }, lines: table([["NAME", "KIND", "REGION", "HOST"], ...rows]) };
    },
  }),
  reader<ReaderFlags & { readonly take?: boolean }>({
    verb: "backups",
    description: "List a tenant's backups, or take one now, where the platform has backups with names.",
    example: "tenantry backups acme --take",
    has: ({ backups, backupOnDemand }, { take }) => (take ? backupOnDemand : backups),
    lacking: "no backups that could be named",
    instead: pastInstead,
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
  reader<DeploymentFlags>({
    verb: "deployments",
    description: "List what the platform has deployed, to one tenant or to all, the newest first.",
    example: "tenantry deployments acme --limit 10",
    has: ({ schemas }) => schemas === "deployments",
    lacking: "no deployments: Tenantry brings a schema to each of its tenants itself",
    instead: () => "`npx tenantry schema status` shows what each of them has had.",
    options: [new Option("--limit <count>", "at most so many").default("50")],
    async read(platform, name, { limit }) {
      const most = wholeFlag(limit, "--limit");
      return deploymentsRead((await platform.deployments!.ofTenant(name, most)).slice(0, most), false);
    },
    async readAll(platform, { limit }) {
      return deploymentsRead((await platform.deployments!.all()).slice(0, wholeFlag(limit, "--limit")), true);
    },
  }),
];

type DeploymentFlags = ReaderFlags & { readonly limit: string };

/** `isOfAll`: how many tenants each has reached is told too. */
function deploymentsRead(deployments: readonly DeploymentRecord[], isOfAll: boolean): Read {
  const reached = ({ completed, total, failed }: DeploymentRecord): string =>
    completed === undefined ? "-" : `${completed} of ${total ?? "?"}${failed ? `, ${failed} failed` : ""}`;
  const rows = deployments.map((one) => [
    ...[one.at ?? "-", one.blueprint ?? "-", one.version ?? "-", one.status ?? "-"].map(oneLine),
    ...(isOfAll ? [reached(one)] : []),
    oneLine(one.id),
  ]);
  const head = ["AT", "BLUEPRINT", "VERSION", "STATUS", ...(isOfAll ? ["TENANTS"] : []), "DEPLOYMENT"];
  return { document: { deployments }, lines: rows.length > 0 ? table([head, ...rows]) : ["There are none yet."] };
}

type LogFlags = ReaderFlags & {
  readonly type?: "error" | "slow";
  readonly search?: string;
  readonly source?: string;
  readonly since?: string;
  readonly limit: string;
};

async function readLogs(
  platform: Platform,
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
