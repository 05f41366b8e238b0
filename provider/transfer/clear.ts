import type { Sql } from "../platform/sql";
import { readDefinition } from "./definition";
import { quoted } from "./quoted-name";

/** Drops all that a database has, where it cannot be deleted and made anew. Safe to repeat. */
export async function clear(sql: Sql): Promise<void> {
  const { objects, tables } = await readDefinition(sql);
  const own = objects.filter((one) => one.sql !== undefined && !one.isShadow);
  const named = (type: string, of = own) => of.filter((one) => one.type === type);
  const isVirtual = (text: string): boolean => /^\s*CREATE\s+VIRTUAL\b/i.test(text);
  const drops = [
    ...named("trigger").map(({ name }) => `DROP TRIGGER ${quoted(name)}`),
    ...named("view").map(({ name }) => `DROP VIEW ${quoted(name)}`),
    ...named("table").flatMap((one) => (isVirtual(one.sql!) ? [`DROP TABLE ${quoted(one.name)}`] : [])),
    // Children before their parents, whose rows they would hold.
    ...[...tables].reverse().flatMap(({ name, kind }) => (kind === "plain" ? [`DROP TABLE ${quoted(name)}`] : [])),
  ];
  const most = sql.maxStatements ?? 100;
  for (let at = 0; at < drops.length; at += most) {
    await sql.batch(drops.slice(at, at + most), "write", { foreignKeys: sql.plainJson ? "kept" : "off" });
  }
}
