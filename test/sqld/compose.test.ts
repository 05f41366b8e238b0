import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { findSqld } from "../../tools/sqld/find-sqld";
import { openSql } from "../../provider/platform/sql";
import type { Platform, PlatformDatabase } from "../../provider/platform/platform";
import { serveS3 } from "../support/s3";
import { SQLD } from "../../tools/sqld/release";
import { describeWithSqld, serveSqld } from "../support/sqld";

const file = path.resolve(__dirname, "..", "..", "examples", "self-hosted", "compose.yaml");

interface Service {
  readonly image: string;
  readonly entrypoint?: string[];
  readonly environment: Record<string, string>;
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly depends_on?: Record<string, { condition: string }>;
  readonly healthcheck?: { test: string[] };
}

/** Of the Compose specification, what the file uses. */
const ofService = [
  "image",
  "restart",
  "entrypoint",
  "command",
  "environment",
  "volumes",
  "ports",
  "depends_on",
  "healthcheck",
];
const ofHealthcheck = ["test", "interval", "timeout", "retries"];
const conditions = ["service_healthy", "service_completed_successfully"];

async function run(platform: Platform, database: PlatformDatabase, sql: string) {
  const { token } = await platform.mintToken({ database: database.name }, { access: "full-access", lifetime: 600 });
  const opened = openSql({ url: platform.databaseUrl(database), token: async () => token });
  return opened.execute({ sql, args: [] }).finally(() => opened.close());
}

async function until(isDone: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !isDone(); await sleep(50)) assert.ok(Date.now() < end, "no backup is made");
}

describeWithSqld("examples/self-hosted/compose.yaml", () => {
  let top: Record<string, unknown>;
  let services: Record<string, Service>;
  before(async () => {
    top = parse(await readFile(file, "utf8"), { merge: true }) as Record<string, unknown>;
    services = top["services"] as Record<string, Service>;
  });

  it("is what Compose reads: known keys, declared volumes, services that there are, versions that are pinned", () => {
    assert.deepEqual(
      Object.keys(top).filter((key) => !key.startsWith("x-")),
      ["services", "volumes"],
    );
    for (const [name, service] of Object.entries(services)) {
      for (const key of Object.keys(service)) assert.ok(ofService.includes(key), `${name}.${key}`);
      for (const key of Object.keys(service.healthcheck ?? {}))
        assert.ok(ofHealthcheck.includes(key), `${name}: ${key}`);
      assert.match(service.image, /^[\w./-]+:[\w.-]+$/, `${name}: a tag`);
      assert.doesNotMatch(service.image, /:latest$/);
      for (const volume of service.volumes ?? []) {
        assert.ok(volume.split(":")[0]! in (top["volumes"] as object), volume);
      }
      for (const port of service.ports ?? []) assert.match(port, /^(?:127\.0\.0\.1:)?\d+:\d+$/);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        assert.ok(conditions.includes(condition), condition);
        assert.ok(condition !== "service_healthy" || services[other]!.healthcheck, `${other} has no healthcheck`);
      }
      for (const value of Object.values(service.environment)) assert.equal(typeof value, "string", name);
    }
  });

  it("sets what the server of that version reads, and starts it with flags that it has", async () => {
    const program = await findSqld();
    const help = execFileSync(program, ["--help"], { encoding: "utf8" });
    const known = new Set([...help.matchAll(/\[env: (\w+)=/g)].map(([, name]) => name!));
    const binary = await readFile(program);
    for (const name of ["primary", "replica"]) {
      const { image, entrypoint, environment } = services[name]!;
      assert.ok(image.endsWith(`:v${SQLD.version}`), image);
      const [, ...flags] = entrypoint!;
      for (const flag of flags) assert.match(help, new RegExp(`^\\s+(?:-\\w, )?${flag}\\b`, "m"), flag);
      for (const variable of Object.keys(environment)) {
        // Those of the backups are read where they are made, without a flag.
        const isRead = variable.startsWith("LIBSQL_BOTTOMLESS_") ? binary.includes(variable) : known.has(variable);
        assert.ok(isRead, `${name}: ${variable}`);
      }
    }
  });

  it("makes a server that starts, and comes back from its backups alone", async () => {
    const s3 = await serveS3();
    const { primary } = services;
    const password = "long and random";
    const settings = Object.entries(primary!.environment)
      // Paths and addresses are those of its container.
      .filter(([name]) => !/_DB_PATH$|_LISTEN_ADDR$|^LIBSQL_ADMIN_AUTH_KEY$/.test(name))
      .map(([name, value]): [string, string] => [
        name,
        value.replace("http://s3:9000", s3.url).replace(/\$\{S3_PASSWORD.*\}/, password),
      ]);
    // Not in the file: the test waits for backups, and reads them.
    const environment = {
      ...Object.fromEntries(settings),
      LIBSQL_BOTTOMLESS_BATCH_INTERVAL_SECS: "1",
      LIBSQL_BOTTOMLESS_COMPRESSION: "raw",
      SQLD_META_STORE_BACKUP_INTERVAL_S: "1",
    };
    const isIn = (place: string, text: string): boolean =>
      s3.keys().some((key) => key.startsWith(`tenants/${place}`) && s3.read(key)!.includes(text));
    let sqld = await serveSqld({ environment });
    const { signingKey } = sqld;
    try {
      const before = sqld.platform();
      await before.createGroup({ name: "eu", location: "default" });
      const database = await before.createDatabase({ name: "acme", group: "eu" });
      await run(before, database, "CREATE TABLE notes (text)");
      await run(before, database, "INSERT INTO notes VALUES ('kept')");
      await until(
        () =>
          isIn("ns-primary:acme-", "kept") &&
          isIn("ns-primary:tenantry-catalogue-", "acme") &&
          isIn("metastore-", "acme"),
      );
      await sqld.close();
      // With no file of the first one.
      sqld = await serveSqld({ environment });
      const after = sqld.platform({ signingKey });
      const found = (await after.getDatabase("acme"))!;
      assert.deepEqual((await run(after, found, "SELECT text FROM notes")).rows, [{ text: "kept" }]);
    } finally {
      await sqld.close();
      await s3.close();
    }
  });

  it("asks the server whether it is healthy in a way that works", async () => {
    const { test } = services["primary"]!.healthcheck!;
    const [kind, program, ...args] = test;
    assert.equal(kind, "CMD");
    const healthy = (port: string): boolean => {
      try {
        execFileSync(
          program!,
          args.map((arg) => arg.replace("/8080", `/${port}`)),
          { stdio: "ignore", timeout: 20_000 },
        );
        return true;
      } catch {
        return false;
      }
    };
    const sqld = await serveSqld();
    const { port } = new URL(sqld.url);
    try {
      assert.equal(healthy(port), true);
    } finally {
      await sqld.close();
    }
    assert.equal(healthy(port), false);
  });

  it("is a primary, a replica of it, backups; no secret in it, the admin API on this machine only", () => {
    assert.deepEqual(Object.keys(services).sort(), ["bucket", "primary", "replica", "s3"]);
    const { primary, replica } = services;
    assert.equal(primary!.image, replica!.image);
    assert.equal(replica!.environment["SQLD_PRIMARY_GRPC_URL"], "http://primary:5001");
    assert.match(primary!.environment["SQLD_GRPC_LISTEN_ADDR"]!, /:5001$/);
    assert.equal(primary!.environment["SQLD_ENABLE_BOTTOMLESS_REPLICATION"], "true");
    for (const [name, value] of Object.entries({ ...primary!.environment, ...services["s3"]!.environment })) {
      if (/SECRET|PASSWORD|AUTH_KEY/.test(name)) assert.match(value, /^\$\{\w+(?::\?[^}]*)?\}$/, name);
    }
    const admin = primary!.environment["SQLD_ADMIN_LISTEN_ADDR"]!.split(":")[1];
    for (const port of Object.values(services).flatMap(({ ports = [] }) => ports)) {
      assert.ok(!port.endsWith(`:${admin}`) || port.startsWith("127.0.0.1:"), port);
    }
  });
});
