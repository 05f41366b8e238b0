import type { TenantInfo, TenantResult } from "../../client";
import { TenantryError } from "../../../provider/platform/errors";

/** One row of a tenant, by column. */
export type OutputRow = Readonly<Record<string, unknown>>;
export type EachResult = TenantResult<readonly OutputRow[]>;

/** Takes results as they come, and writes each as soon as that is possible. */
export interface Output {
  add(result: EachResult): void;
  /** What can only be said at the end. */
  end(): void;
}

type Write = (text: string) => void;

/** A line of JSON a tenant: `{"tenant", "group", "rows"}`, or `{"tenant", "group", "error": {"code", "message"}}`. */
export function jsonLines(write: Write): Output {
  return {
    add(result) {
      const { id, name, group } = result.tenant;
      const head = { tenant: id, ...(name === id ? {} : { database: name }), group: group ?? null };
      const tail = result.ok
        ? { rows: result.value }
        : { error: { code: codeOf(result.error), message: result.error.message } };
      write(`${JSON.stringify({ ...head, ...tail }, jsonValue)}\n`);
    },
    end: () => undefined,
  };
}

/** For people: a line a row, "acme  notes=3 size=4096". */
export function plainLines(write: Write, width: number): Output {
  return {
    add(result) {
      const head = result.tenant.id.padEnd(width);
      if (!result.ok) return write(`${head}  failed: ${result.error.message}\n`);
      const { value } = result;
      if (value.length === 0) return write(`${head}  no rows\n`);
      for (const row of value) write(`${head}  ${cells(row)}\n`);
    },
    end: () => undefined,
  };
}

const cells = (row: OutputRow): string =>
  Object.entries(row)
    .map(([column, value]) => `${column}=${shown(value)}`)
    .join(" ");

function shown(value: unknown): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  const text = String(value);
  return /[\s=\p{Cc}]/u.test(text) ? JSON.stringify(text) : text;
}

/**
 * OpenMetrics 1.0: each column of numbers is a gauge `tenantry_<column>`, columns of text are its labels, beside
 * `tenant` and `group`; `tenantry_up` says who answered. Written at the end, since a metric's samples stand together.
 */
export function openMetrics(write: Write): Output {
  const families = new Map<string, string[]>([["tenantry_up", []]]);
  const seen = new Set<string>();
  const sample = (family: string, labels: OutputRow, value: number | bigint): void => {
    const line = `${family}{${labelsOf(labels)}}`;
    // A second sample of the same labels would make the whole page invalid.
    if (seen.has(line)) throw twice(family, labels);
    seen.add(line);
    const lines = families.get(family) ?? [];
    lines.push(`${line} ${value}\n`);
    families.set(family, lines);
  };
  return {
    add({ tenant, ...result }) {
      const own = labelsFor(tenant);
      sample("tenantry_up", own, result.ok ? 1 : 0);
      for (const row of result.ok ? result.value : []) {
        const entries = Object.entries(row);
        const numbers = entries.filter((entry): entry is [string, number | bigint] => isNumber(entry[1]));
        const texts = entries.filter(([, value]) => typeof value === "string");
        const labels = { ...Object.fromEntries(texts.map(([column, value]) => [metricName(column), value])), ...own };
        for (const [column, value] of numbers) sample(`tenantry_${metricName(column)}`, labels, value);
      }
    },
    end() {
      for (const [family, lines] of families) {
        write(`# TYPE ${family} gauge\n`);
        for (const line of lines) write(line);
      }
      write("# EOF\n");
    },
  };
}

const labelsFor = ({ id, group }: TenantInfo): Record<string, string> => ({
  tenant: id,
  ...(group === undefined ? {} : { group }),
});

const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

const metricName = (column: string): string => column.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");

const labelsOf = (labels: OutputRow): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(",");

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const twice = (family: string, { tenant }: OutputRow): TenantryError =>
  new TenantryError("invalid-input", `${String(tenant)}: two rows give ${family} the same labels.`, {
    fix: "Let the query group its rows by columns of text, or answer one row.",
  });

/** What JSON has no word for: whole numbers beyond 2^53 as text, blobs in base64. */
function jsonValue(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return value;
}

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "ERROR");
