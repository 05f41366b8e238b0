import { TenantryError } from "../../platform/errors";
import { type FleetRecord, type FleetState, type Profile, type Profiles, createProfiles, fleetStates } from "./record";

/**
 * All tenants of a fleet as one text: state of 10,000 single entries costs the engine many times as much. Two lines of
 * tables, then the tenants: records are separated by ";", their fields by ",".
 *
 *     1
 *     {"profiles":[{"group":"eu"}],"hosts":["-org.aws-eu-west-1.turso.io"],"versions":["0001_init"],"name":["t-",""]}
 *     acme,,AAECAwQFBgcICQoLDA0ODw,0,0,k3j9x0q2m4z7,0,r
 *
 * The fields: tenant id, name (empty: by the pattern), database id (a UUID as 22 letters), host (a table's end of the
 * name), profile, incarnation, version, state with "a" for adopted, expiry, owner. What fits no shorthand is written out
 * behind "=". Old texts are read for ever: another format has another first line.
 */
const format = "1";

interface Tables {
  readonly profiles: readonly Profile[];
  readonly hosts: readonly string[];
  readonly versions: readonly string[];
  /** What stands before and after a tenant's id in its name. */
  readonly name: readonly [string, string];
}

const letters: Readonly<Record<FleetState, string>> = {
  ...{ ready: "r", failed: "f", skipped: "s", quarantined: "q", unknown: "u" },
  ...{ changed: "c", gone: "g", expired: "x", removing: "d" },
};
const states = new Map(fleetStates.map((state) => [letters[state], state]));

export function packFleet(records: Iterable<FleetRecord>): string {
  const all = [...records];
  const name = usualName(all);
  const profiles = createTable<Profile>();
  const hosts = createTable<string>();
  const versions = createTable<string>();
  const rows = all.map((record) => {
    const fields = [
      encodeURIComponent(record.id),
      record.name === name[0] + record.id + name[1] ? "" : `=${encodeURIComponent(record.name)}`,
      packUuid(record.databaseId),
      packHost(record, hosts),
      profiles.at(record.profile),
      encodeURIComponent(record.incarnation ?? ""),
      record.schemaVersion === undefined ? "" : versions.at(record.schemaVersion),
      letters[record.state] + (record.adopted ? "a" : ""),
      packTime(record.expiresAt),
      record.owner === undefined ? "" : encodeURIComponent(record.owner),
    ];
    return fields.join(",").replace(/,+$/, "");
  });
  const tables: Tables = { profiles: profiles.values, hosts: hosts.values, versions: versions.values, name };
  return `${format}\n${JSON.stringify(tables)}\n${rows.join(";")}`;
}

/** Fails with "invalid-input" where the text is none of ours, or a newer release's. */
export function unpackFleet(text: string, profiles: Profiles = createProfiles()): FleetRecord[] {
  const [version, tableText = "", rows = ""] = text.split("\n");
  if (version !== format) {
    throw new TenantryError("invalid-input", `packed: this fleet's state has the format "${short(version!)}".`, {
      fix: `This release of tenantry reads format ${format}; use the release that wrote it.`,
    });
  }
  const tables = readTables(tableText);
  const known = tables.profiles.map((profile) => profiles.of(profile));
  return rows === "" ? [] : rows.split(";").map((row, i) => unpackRow(row, i, { ...tables, profiles: known }));
}

function readTables(text: string): Tables {
  try {
    const tables = JSON.parse(text) as Tables;
    const { profiles, hosts, versions, name } = tables;
    const areThere = [profiles, hosts, versions, name].every(Array.isArray);
    if (areThere && profiles.every(isObject) && [...hosts, ...versions, name[0], name[1]].every(isText)) return tables;
  } catch {
    // Said below.
  }
  throw nonsense("its tables cannot be read");
}

const isText = (value: unknown): boolean => typeof value === "string";
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

function unpackRow(row: string, at: number, { profiles, hosts, versions, name }: Tables): FleetRecord {
  const [id, ownName = "", database = "", host = "", profile, incarnation = "", version = "", mark = "", ends, owner] =
    row.split(",");
  const fail = (what: string): never => {
    throw nonsense(`tenant ${at + 1}: ${what}`);
  };
  const decoded = (field: string): string => {
    try {
      return decodeURIComponent(field);
    } catch {
      return fail(`"${short(field)}" is no text`);
    }
  };
  const entry = <T>(table: readonly T[], index: string | undefined, of: string): T =>
    /^[0-9a-z]+$/.test(index ?? "") && parseInt(index!, 36) in table
      ? table[parseInt(index!, 36)]!
      : fail(`it has no ${of} "${short(index ?? "")}"`);

  if (!id) return fail("it has no id");
  const tenant = decoded(id);
  const named = ownName === "" ? name[0] + tenant + name[1] : decoded(written(ownName) ?? fail("its name is unclear"));
  const state = states.get(mark[0] ?? "") ?? fail(`there is no state "${short(mark)}"`);
  const hostEnd = written(host);
  const record: FleetRecord = {
    id: tenant,
    name: named,
    profile: entry(profiles, profile, "profile"),
    state,
    ...(database === "" ? {} : { databaseId: unpackUuid(database, decoded) ?? fail("its database id is unclear") }),
    ...(host === "" ? {} : { hostname: hostEnd === undefined ? named + entry(hosts, host, "host") : decoded(hostEnd) }),
    ...(incarnation === "" ? {} : { incarnation: decoded(incarnation) }),
    ...(version === "" ? {} : { schemaVersion: entry(versions, version, "version") }),
    ...(ends ? { expiresAt: unpackTime(ends, decoded) ?? fail("its end is unclear") } : {}),
    ...(mark[1] === "a" ? { adopted: true } : {}),
    ...(owner ? { owner: decoded(owner) } : {}),
  };
  return record;
}

/** What most names have around the tenant's id. */
function usualName(records: readonly FleetRecord[]): [string, string] {
  const counts = new Map<string, { around: [string, string]; count: number }>();
  for (const { id, name } of records) {
    const at = name.indexOf(id);
    if (at === -1) continue;
    const around: [string, string] = [name.slice(0, at), name.slice(at + id.length)];
    const key = JSON.stringify(around);
    const known = counts.get(key) ?? { around, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  let usual: { around: [string, string]; count: number } = { around: ["", ""], count: 0 };
  for (const one of counts.values()) if (one.count > usual.count) usual = one;
  return usual.around;
}

function packHost({ name, hostname }: FleetRecord, hosts: Table<string>): string {
  if (hostname === undefined) return "";
  return hostname.startsWith(name) ? hosts.at(hostname.slice(name.length)) : `=${encodeURIComponent(hostname)}`;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function packUuid(id: string | undefined): string {
  if (id === undefined) return "";
  if (!uuid.test(id)) return `=${encodeURIComponent(id)}`;
  return Buffer.from(id.replaceAll("-", ""), "hex").toString("base64url");
}

function unpackUuid(field: string, decoded: (field: string) => string): string | undefined {
  const text = written(field);
  if (text !== undefined) return decoded(text);
  if (!/^[\w-]{22}$/.test(field)) return undefined;
  const hex = Buffer.from(field, "base64url").toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Milliseconds, where the text can be had back from them. */
function packTime(text: string | undefined): string {
  if (text === undefined) return "";
  const time = Date.parse(text);
  const same = time >= 0 && new Date(time).toISOString() === text;
  return same ? time.toString(36) : `=${encodeURIComponent(text)}`;
}

function unpackTime(field: string, decoded: (field: string) => string): string | undefined {
  const text = written(field);
  if (text !== undefined) return decoded(text);
  const time = new Date(parseInt(field, 36));
  return /^[0-9a-z]+$/.test(field) && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}

/** What stands behind "=", still encoded. */
const written = (field: string): string | undefined => (field.startsWith("=") ? field.slice(1) : undefined);

interface Table<Value> {
  /** The place of a value, base 36; a new one is added. */
  at(value: Value): string;
  readonly values: Value[];
}

function createTable<Value>(): Table<Value> {
  const places = new Map<Value, string>();
  const values: Value[] = [];
  return {
    values,
    at(value) {
      const known = places.get(value);
      if (known !== undefined) return known;
      const place = (values.push(value) - 1).toString(36);
      places.set(value, place);
      return place;
    },
  };
}

const short = (text: string): string => (text.length > 20 ? `${text.slice(0, 20)}...` : text);

const nonsense = (what: string): TenantryError =>
  new TenantryError("invalid-input", `packed: this fleet's state is damaged: ${what}.`, {
    fix: "Take an earlier state (`pulumi stack history`, `pulumi stack export --version`).",
  });
