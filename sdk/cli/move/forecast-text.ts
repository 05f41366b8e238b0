import { keptFor } from "../../../provider/resources/tenant-database/keep";
import { type Ground, groundLine } from "../schema/ground";
import type { Forecast } from "./forecast";

/** For people: what would happen to whom, what is left behind, and how it is done. */
export function forecastText(from: Ground, to: Ground, forecasts: readonly Forecast[]): string {
  const where = (ground: Ground): string => (from.scope === to.scope ? "" : ` of ${ground.scope}`);
  const lines = [groundLine(from), ...from.notes, ...to.notes.filter((note) => !from.notes.includes(note))];
  for (const one of forecasts) {
    lines.push("", `${one.name}: from group "${one.fromGroup}"${where(from)} to group "${one.toGroup}"${where(to)}`);
    if (one.hindrances.length > 0) lines.push(...one.hindrances.map((text) => `  cannot be moved: ${text}`));
    else lines.push(...courseOf(one).map((text) => `  ${text}`));
  }
  const ready = forecasts.filter(({ hindrances }) => hindrances.length === 0);
  if (ready.length === 0) return `${[...lines, "", "Nothing was written."].join("\n")}\n`;
  const change = to.connection === from.connection ? "group" : "group and connection";
  lines.push(
    "",
    `To do it, declare ${ready.length === 1 ? "it" : "them"} with the new ${change} and onReplace: "copy", and run \`pulumi up\`. Nothing was written.`,
  );
  return `${lines.join("\n")}\n`;
}

function courseOf({ how, size, blocked }: Forecast): string[] {
  const { rows, tables, bytes, rebuilt, settings } = size!;
  const days = keptFor / 86_400_000;
  return [
    `carries ${count(rows, "row")} in ${count(tables, "table")}, ${megabytes(bytes)}; compares each table on both sides`,
    `blocks writes for about ${blocked} s; reads go on${how === "in place" ? ", but for a moment while its name changes hands" : ""}`,
    ...(rebuilt.length > 0 ? [`builds anew: ${rebuilt.join(", ")}`] : []),
    `does not carry: its tokens, undeclared settings, ANALYZE's statistics, backups${settings.map((one) => `, perhaps ${one}`).join("")}`,
    how === "in place"
      ? `keeps a copy of another name for ${days} days, closed`
      : `keeps the old database for ${days} days, closed to reads and writes, unless it was adopted or is to be retained`,
  ];
}

const count = (number: number, what: string): string =>
  `${number.toLocaleString("en-US")} ${what}${number === 1 ? "" : "s"}`;
const megabytes = (bytes: number): string => (bytes < 1e5 ? "less than 0.1 MB" : `${(bytes / 1e6).toFixed(1)} MB`);

/** For programs. */
export function forecastDocument(from: Ground, to: Ground, forecasts: readonly Forecast[]): string {
  const places = {
    from: { scope: from.scope, connection: from.connection },
    to: { scope: to.scope, connection: to.connection },
  };
  const moves = forecasts.map(({ size, blocked, ...one }) => ({
    ...one,
    ...(size && {
      rows: size.rows,
      tables: size.tables,
      bytes: size.bytes,
      rebuilt: size.rebuilt,
      settings: size.settings,
    }),
    ...(blocked !== undefined && { writesBlockedSeconds: blocked }),
  }));
  return `${JSON.stringify({ stack: from.stack?.name, ...places, written: false, moves }, undefined, 2)}\n`;
}
