// Long because it is one table: what happens where nothing is said, measured on the code and on an embedded platform: a row of the README each.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Context, createContext } from "../../provider/context";
import { localPlatform } from "../../provider/drivers/local";
import { tursoPlatform } from "../../provider/drivers/turso";
import { tursoCapabilities } from "../../provider/drivers/turso/capabilities";
import { type Clock, systemClock } from "../../provider/http/clock";
import { createHttpClient } from "../../provider/http/client";
import { decideRetry, defaultRetryPolicy } from "../../provider/http/retry";
import { startLocalPlatform } from "../../provider/local";
import { readClaims } from "../../provider/local/jwt";
import { hasCode } from "../../provider/platform/errors";
import type { DatabaseConfiguration, Platform } from "../../provider/platform/platform";
import { readSettings } from "../../provider/platform/settings";
import { openSql } from "../../provider/platform/sql";
import { accessOf } from "../../provider/preview/hand-out";
import { databaseToken } from "../../provider/resources/database-token";
import { group } from "../../provider/resources/group";
import { allowRemoval } from "../../provider/resources/removals";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { removalLimit } from "../../provider/resources/tenant-fleet/removal-limit";
import { keptFor } from "../../provider/resources/tenant-database/keep";
import { migrateExisting } from "../../provider/resources/tenant-database/schema";
import { policyOf } from "../../provider/rollout/fleet/policy";
import { parseTemplateRef } from "../../provider/rollout/template-ref";
import { tokensCommand } from "../../sdk/cli/fleet/tokens";
import { localCommand } from "../../sdk/cli/local";
import { upCommand } from "../../sdk/cli/preview/up";
import { stopCommand } from "../../sdk/cli/schema/stop";
import { clientDefaults } from "./client-defaults";
import { directoryDefaults } from "./directory-defaults";
import { previewDefaults } from "./preview-defaults";
import { withScriptedServer } from "./scripted-server";
import { virtualClock } from "./virtual-clock";

export interface MeasuredDefaults {
  /** Setting -> how its default is found out: the text of its cell, or `{ seconds }`. */
  readonly rows: Readonly<Record<string, () => unknown>>;
  close(): Promise<void>;
}

type Call = { readonly method: string; readonly with: readonly unknown[] };

const root = path.resolve(__dirname, "..", "..");
const location = "local";
const formats = ["auto", "sql"];
const self = (name: string): string => `organization/readme/test/${name}`;

/** The same platform, writing down what it is asked. */
function recorded(platform: Platform, calls: Call[]): Platform {
  return new Proxy(platform, {
    get(of, key: keyof Platform & string) {
      const member: unknown = of[key];
      if (typeof member !== "function") return member;
      return (...values: unknown[]) => {
        calls.push({ method: key, with: values });
        return (member as (...values: unknown[]) => unknown)(...values);
      };
    },
  });
}

/** What a program registers, by kind and name: the built SDK against a monitor in a process of its own. */
function registrations(): Record<string, Record<string, unknown>> {
  const script = `
    const pulumi = require("@pulumi/pulumi"), seen = {};
    const newResource = ({ type, name, inputs }) => {
      seen[type.split(":").at(-1) + " " + name] = inputs;
      return { id: name, state: inputs };
    };
    pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "readme", "test", false, "organization");
    const { Group, SchemaTemplate, TenantDatabase, TenantFleet } = require("./dist/sdk");
    const migrations = "./examples/quickstart/migrations", name = "app";
    new Group("Acme GmbH", { location: "local" });
    new SchemaTemplate("Acme GmbH", { migrations });
    new TenantDatabase("Acme GmbH", { group: "eu" });
    for (const seedFrom of ["template", "migrations"])
      new SchemaTemplate("seed from " + seedFrom, { name: "acme-gmbh", migrations, seedFrom });
    for (const migrate of ["tenant", "rollout"])
      new SchemaTemplate("migrate by " + migrate, { name: "acme-gmbh", migrations, migrate });
    for (const format of ${JSON.stringify(formats)})
      new SchemaTemplate("format " + format, { name: "acme-gmbh", migrations, format });
    for (const namePattern of [undefined, "{id}", "t-{id}"])
      new TenantFleet("names " + namePattern, { group: "eu", tenants: ["Acme GmbH"], namePattern });
    process.once("beforeExit", () => process.stdout.write(JSON.stringify(seen)));`;
  return JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: root, encoding: "utf8" }));
}

export async function measureDefaults(): Promise<MeasuredDefaults> {
  const folder = mkdtempSync(path.join(tmpdir(), "tenantry-readme-"));
  const local = await startLocalPlatform({ directory: path.join(folder, ".tenantry", "local") });
  const close = async (): Promise<void> => {
    await local.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const registered = registrations();
  const policy = policyOf({});
  const calls: Call[] = [];
  const asked = (method: string): readonly unknown[][] =>
    calls.filter((call) => call.method === method).map((call) => [...call.with]);
  const { url: apiUrl, apiToken } = local;
  const settings = readSettings({ platform: "local", apiUrl, apiToken }, {});
  const context = createContext(recorded(localPlatform({ apiUrl, apiToken }), calls), settings);
  await group.create({ inputs: { self: self("eu"), name: "eu", location }, context });

  const tenant = (name: string, more: object = {}) =>
    tenantDatabase.create({ inputs: { self: self(name), name, group: "eu", ...more }, context });
  const token = (database: string) => databaseToken.create({ inputs: { self: self("token"), database }, context });
  const seconds = (count: number): { seconds: number } => ({ seconds: count });
  const configurationOf = async (name: string) => (await context.platform.getConfiguration(name))!;

  /** What create says to something that exists, with nothing said about adopting. */
  async function adoption(create: (adopt?: "unowned") => Promise<unknown>): Promise<string> {
    const refusal = await create().then(
      () => undefined,
      (error: unknown) => error,
    );
    await create("unowned");
    return hasCode(refusal, "already-exists") ? "never" : String(refusal ?? "adopted");
  }

  let names = 0;
  /** A setting of a database that exists survives its adoption by a program that does not mention it. */
  async function untouched(setting: DatabaseConfiguration): Promise<string> {
    const name = `untouched-${++names}`;
    await context.platform.createDatabase({ name, group: "eu" });
    await context.platform.configureDatabase(name, setting);
    const was = await configurationOf(name);
    await tenant(name, { adopt: "unowned" });
    const is = await configurationOf(name);
    for (const [key, value] of Object.entries(setting)) assert.deepEqual(is[key as keyof typeof is], value);
    return JSON.stringify(was) === JSON.stringify(is) ? "left as it is" : JSON.stringify(is);
  }

  /** How many databases may vanish of a stack that has so many. */
  async function removals(held: number): Promise<number> {
    const claims = Array.from({ length: held }, (_, i) => ({ kind: "database", state: "held", name: `t${i}` }));
    for (let gone = 1; ; gone++) {
      const byName = new Map(claims.slice(gone).map(({ name }) => [name, {}]));
      const stub = {
        existingRegistry: async () => ({ ofStack: async () => claims, gone: async () => undefined }),
        listing: { databases: async () => ({ byName }) },
        settings: { maxRemovals: undefined },
      } as unknown as Context;
      const what = { self: self("t0"), name: "t0", group: "eu", databaseId: "id of t0" };
      if (
        !(await allowRemoval(stub, what).then(
          () => true,
          () => false,
        ))
      )
        return gone - 1;
    }
  }

  /** True when of two tenants of a template the second waits for the first, which fails. */
  async function oneGoesFirst(): Promise<boolean> {
    const schema = parseTemplateRef("app@0001 ab copy ./no-such-folder")!;
    const fresh = { ...context };
    const address = (name: string) => ({ name, hostname: "", group: "eu" });
    const attempt = (name: string): Promise<string> =>
      migrateExisting(fresh, address(name), schema, undefined, async () => undefined).then(String, String);
    await attempt("one");
    return (await attempt("two")).includes("went first");
  }

  function attempts(status: number): number {
    const read = { method: "GET", idempotent: true, retryAfter: undefined, elapsed: 0, random: 0 };
    for (let attempt = 1; ; attempt++) {
      if (!decideRetry({ ...read, attempt, result: { status } }, defaultRetryPolicy).retry) return attempt;
    }
  }

  const flag = (name: string): string =>
    String(localCommand().options.find((option) => option.long === `--${name}`)?.defaultValue);

  /** Setting -> its default as measured: the text of the cell, or a lifetime. */
  const rows: Record<string, () => unknown> = {
    "name of a Group, SchemaTemplate or TenantDatabase": () => {
      const names = ["Group", "SchemaTemplate", "TenantDatabase"].map(
        (kind) => registered[`${kind} Acme GmbH`]?.["name"],
      );
      assert.equal(new Set(names).size, 1);
      return `${names[0]} for a resource Acme GmbH`;
    },
    connection: () => {
      const connections = '{"other":{"platform":"local","organization":"elsewhere"}}';
      const { connection, organization } = readSettings({ platform: "local", organization: "own", connections }, {});
      return connection === undefined && organization === "own" ? "the stack's own" : organization;
    },
    "Group.adopt": async () => {
      await context.platform.createGroup({ name: "theirs", location });
      await context.platform.createDatabase({ name: "their-database", group: "theirs" });
      const inputs = { self: self("theirs"), name: "theirs", location };
      return adoption((adopt) => group.create({ inputs: { ...inputs, adopt }, context }));
    },
    "Group.deleteProtection": async () => {
      await context.platform.createGroup({ name: "guarded", location });
      await context.platform.configureGroup("guarded", { deleteProtection: true });
      await group.create({ inputs: { self: self("guarded"), name: "guarded", location }, context });
      return (await context.platform.getGroup("guarded"))?.deleteProtection === true ? "left as it is" : "off";
    },
    "Group.extensions": () => {
      const specs = asked("createGroup").map(([spec]) => spec as { name: string; extensions?: unknown });
      return specs.find(({ name }) => name === "eu")?.extensions ?? "none";
    },
    "SchemaTemplate.format": () => {
      const request = { olds: undefined, capabilities: context.platform.capabilities, platform: "local" };
      const same = (format: string): boolean => {
        const inputs = registered[`SchemaTemplate format ${format}`]!;
        // The host keeps its own property from the handlers.
        const news = Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== "__provider"));
        const { failures } = schemaTemplate.check({ ...request, news });
        return failures.length === 0 && news["ref"] === registered["SchemaTemplate Acme GmbH"]?.["ref"];
      };
      return formats.find(same);
    },
    "SchemaTemplate.seedFrom": () => {
      const ref = (name: string) => registered[`SchemaTemplate ${name}`]?.["ref"];
      assert.notEqual(ref("seed from template"), ref("seed from migrations"));
      return ["template", "migrations"].find((from) => ref(`seed from ${from}`) === ref("Acme GmbH"));
    },
    "SchemaTemplate.migrate": () => {
      const ref = (name: string) => registered[`SchemaTemplate ${name}`]?.["ref"];
      assert.notEqual(ref("migrate by tenant"), ref("migrate by rollout"));
      return ["tenant", "rollout"].find((by) => ref(`migrate by ${by}`) === ref("Acme GmbH"));
    },
    "TenantDatabase.schema": async () => {
      const { outputs } = await tenant("no-schema");
      const { rows } = await context.sql(outputs).execute({ sql: "SELECT name FROM sqlite_schema", args: [] });
      return rows.length === 0 ? "none" : JSON.stringify(rows);
    },
    "TenantDatabase.labels": async () => (await tenant("no-labels")).outputs.labels ?? "none",
    "TenantDatabase.adopt": async () => {
      await context.platform.createDatabase({ name: "taken", group: "eu" });
      return adoption((adopt) => tenant("taken", { adopt }));
    },
    "a database that was moved away from": () => seconds(keptFor / 1000),
    "TenantDatabase.onReplace": async () => {
      const { id, outputs } = await tenant("to-rename");
      const renamed = (onReplace?: "error" | "destroy") => async () => {
        const news = { self: self("to-rename"), name: "another", group: "eu", onReplace };
        return tenantDatabase.diff({ id, olds: outputs, news, context });
      };
      assert.deepEqual((await renamed("destroy")()).replaces, ["name"]);
      await assert.rejects(renamed("error"), (error) => hasCode(error, "needs-decision"));
      await assert.rejects(renamed(), (error) => hasCode(error, "needs-decision"));
      return "error";
    },
    "TenantDatabase.deletionPolicy": async () => {
      const { id, outputs } = await tenant("created");
      await tenantDatabase.delete({ id, outputs, context });
      return (await context.platform.getDatabase("created")) ? "retain" : "delete";
    },
    "TenantDatabase.deletionPolicy, adopted": async () => {
      await context.platform.createDatabase({ name: "before-us", group: "eu" });
      const { id, outputs } = await tenant("before-us", { adopt: "unowned" });
      await tenantDatabase.delete({ id, outputs, context });
      return (await context.platform.getDatabase("before-us")) ? "retain" : "delete";
    },
    "TenantDatabase.gracePeriod": async () => {
      const { id, outputs } = await tenant("softly", { deletionPolicy: "soft" });
      const now = Date.now();
      await tenantDatabase.delete({ id, outputs, context });
      const registry = await context.existingRegistry("eu", "organization/readme/test");
      const { until } = (await registry!.trash("softly"))!;
      // To the minute.
      return seconds(Math.floor((Date.parse(until) - now) / 60_000) * 60);
    },
    "TenantDatabase.restoreFrom": async () => (await tenant("never-back")).outputs.restores?.length ?? "none",
    "TenantDatabase.blockReads": () => untouched({ blockReads: true }),
    "TenantDatabase.blockWrites": () => untouched({ blockWrites: true }),
    "TenantDatabase.suspended": () => untouched({ blockReads: true, blockWrites: true }),
    "TenantDatabase.deleteProtection": () => untouched({ deleteProtection: true }),
    "TenantDatabase.allowedIps": () => untouched({ allowedIps: ["192.0.2.0/24"] }),
    "TenantDatabase.sizeLimit": async () => {
      await tenant("any-size");
      const [spec] = asked("createDatabase")
        .map(([one]) => one as { name: string; sizeLimit?: string })
        .slice(-1);
      assert.equal(spec?.name, "any-size");
      const sent = asked("configureDatabase").filter(([name]) => name === "any-size");
      return sent.length === 0 && spec.sizeLimit === undefined ? "left as it is" : JSON.stringify(spec);
    },
    "TenantDatabase.expiresIn": async () => (await tenant("for-ever")).outputs.expiresAt ?? "never",
    "TenantDatabase.timeouts.create": () =>
      withScriptedServer(
        () => ({ status: 404, json: { error: "not there yet" } }),
        async ({ url }) => {
          const sql = openSql({ url, token: async () => "none", clock: virtualClock() });
          const error = (await sql.ready().catch((thrown: unknown) => thrown)) as Error;
          sql.close();
          return seconds(Number(/within ([\d.]+) s/.exec(error.message)?.[1]));
        },
      ),
    "DatabaseToken.access": async () => {
      await tenant("read-me");
      const claims = readClaims((await token("read-me")).outputs.token);
      return claims?.a === "ro" ? "read-only" : JSON.stringify(claims);
    },
    "DatabaseToken.expiresIn": async () => {
      await tenant("read-for-a-week");
      const claims = readClaims((await token("read-for-a-week")).outputs.token)!;
      return seconds(claims.exp! - claims.iat!);
    },
    "DatabaseToken.renewBefore": async () => {
      await tenant("renewed");
      const { id, outputs } = await token("renewed");
      const lifetime = 9_000_000;
      const changesWith = async (left: number): Promise<boolean> => {
        const at = (offset: number) => new Date(Date.now() + offset).toISOString();
        const olds = { ...outputs, issuedAt: at(left - lifetime), expiresAt: at(left) };
        const { self: address, database } = outputs;
        return (await databaseToken.diff({ id, olds, news: { self: address, database }, context })).changes;
      };
      let [renews, stays] = [0, lifetime];
      while (stays - renews > lifetime / 1000) {
        const middle = (renews + stays) / 2;
        if (await changesWith(middle)) renews = middle;
        else stays = middle;
      }
      const share = stays / lifetime;
      return Math.abs(share - 1 / 3) < 0.01 ? "a third of the lifetime" : `${share} of the lifetime`;
    },
    "SchemaRollout.canary": () => policy.canary,
    "SchemaRollout.waves": () => JSON.stringify(policy.waves),
    "SchemaRollout.concurrency": () => policy.concurrency,
    "SchemaRollout.maxFailures": () => ("count" in policy.maxFailures ? policy.maxFailures.count : policy.maxFailures),
    "SchemaRollout.pauseBetween": () => policy.pauseBetween || "none",
    "SchemaRollout.onFailure": () => policy.onFailure,
    "SchemaRollout.timeout": () => seconds(policy.timeout / 1_000),
    "SchemaRollout.lockTimeout": () => seconds(policy.lockTimeout / 1_000),
    "SchemaRollout.allowDestructive": () => policy.allowDestructive.join(", ") || "none",
    "SchemaRollout.verify": () => policy.verify,
    ...directoryDefaults(context, local, self),
    ...previewDefaults(context, tenant, self),
    ...clientDefaults(local, context),
    "tenantry:platform": () => {
      assert.throws(
        () => readSettings({}, { TURSO_API_TOKEN: "a", TURSO_ORGANIZATION: "b" }),
        (error) => hasCode(error, "not-configured"),
      );
      return "none: an error";
    },
    "tenantry:organization on local": async () => (await context.platform.scope()).organization.split("/")[1],
    "tenantry:apiUrl on turso": () =>
      readSettings({ platform: "turso", organization: "acme", apiToken: "token" }, {}).apiUrl,
    "tenantry:apiUrl on local": async () => {
      const below = path.join(folder, "program", "src");
      mkdirSync(below, { recursive: true });
      await localPlatform({ directory: below }).listGroups();
      const file = path.join(".tenantry", "local", "endpoint.json");
      return existsSync(path.join(folder, file)) ? file.split(path.sep).join("/") : "elsewhere";
    },
    "tenantry:databaseUrl on turso": () => {
      const platform = tursoPlatform({ apiUrl: "https://api.turso.tech", apiToken: "token", organization: "acme" });
      return platform.databaseUrl({ name: "{name}", hostname: "{hostname}" });
    },
    "tenantry:databaseUrl on local": () =>
      localPlatform({ apiUrl: `http://127.0.0.1:${flag("port")}`, apiToken: "token" })
        .databaseUrl({ name: "NAME", hostname: "HOST" })
        .replace("NAME", "{name}"),
    "tenantry:concurrency": () => readSettings({ platform: "local" }, {}).concurrency,
    "TenantFleet.namePattern": () => {
      const digestOf = (pattern: string) => registered[`TenantFleet names ${pattern}`]!["digest"];
      return ["{id}", "t-{id}"].find((pattern) => digestOf(pattern) === digestOf("undefined"));
    },
    "TenantFleet.rollout": () => {
      const { rollout = {} } = registered["TenantFleet names undefined"]!;
      return isDeepStrictEqual(policyOf(rollout as object), policy) ? "as SchemaRollout" : JSON.stringify(rollout);
    },
    "TenantFleet.maxRemovals": () => {
      const limit = (tenants: number) => removalLimit({}, context, tenants);
      assert.equal(limit(200), limit(30));
      return `${limit(200)}; of more than 200 tenants ${limit(1_000) / 10} %`;
    },
    "tenantry:maxRemovals": async () => {
      const share = (await removals(1_000)) / 1_000;
      assert.equal(await removals(200), await removals(30));
      return `${await removals(200)}; of more than 200 tenants ${share * 100} %`;
    },
    "Attempts of an API call": () => attempts(500),
    "Attempts while the platform is away or says 429": () => {
      assert.equal(attempts(503), attempts(429));
      return attempts(503);
    },
    "Time for all attempts": () => seconds(defaultRetryPolicy.budget / 1_000),
    "Time for one attempt": async () => {
      const limits: number[] = [];
      const clock: Clock = { ...systemClock, alarm: (ms, ring) => (limits.push(ms), systemClock.alarm(ms, ring)) };
      const client = createHttpClient({ baseUrl: local.url, token: local.apiToken, clock });
      await client.send({ method: "GET", path: "/v1/locations" });
      assert.equal(limits.length, 1);
      return seconds(limits[0]! / 1_000);
    },
    "Own tokens for SQL": () => {
      const [subject, spec] = asked("mintToken")[0] as [object, { lifetime: number }];
      assert.deepEqual(subject, { group: "eu" });
      return seconds(spec.lifetime);
    },
    "Tenants of a template migrated at once": async () => ((await oneGoesFirst()) ? "all but the first" : "all"),
    "Tenants in one list call": () =>
      withScriptedServer(
        () => ({ json: { databases: [] } }),
        async ({ url, requests }) => {
          const platform = tursoPlatform({ apiUrl: url, apiToken: "token", organization: "acme" });
          for await (const database of platform.listDatabases()) assert.fail(database.name);
          return requests[0]?.query["limit"];
        },
      ),
    ...Object.fromEntries(
      ["access", "expires-in", "name", "concurrency"].map((name) => [
        `tenantry fleet tokens --${name}`,
        () => tokensCommand().options.find(({ long }) => long === `--${name}`)?.defaultValue as unknown,
      ]),
    ),
    ...Object.fromEntries(
      ["expires-in", "token-ttl", "name"].map((name) => [
        `tenantry preview up --${name}`,
        () => upCommand().options.find(({ long }) => long === `--${name}`)?.defaultValue as unknown,
      ]),
    ),
    "tenantry preview up --access": () => accessOf({}, tursoCapabilities.tokenAccess),
    "tenantry local --dir": () => flag("dir"),
    "tenantry local --port": () => flag("port"),
    "tenantry local --host": () => flag("host"),
    "tenantry local --plan": () => flag("plan"),
    "tenantry local --latency, --rate, --fail": () => {
      const given = ["latency", "rate", "fail"].map(flag).filter((value) => value !== "undefined");
      return given.join(", ") || "none";
    },
    "tenantry schema stop --timeout": () => stopCommand().options.find((one) => one.long === "--timeout")?.defaultValue,
    "tenantry local --organization": () => local.organizations.join(", "),
  };

  return { rows, close };
}
