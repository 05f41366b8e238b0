import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createContext } from "../../provider/context";
import { readSettings } from "../../provider/platform/settings";
import { registryName } from "../../provider/registry/reserved-names";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { createTenantry } from "../../sdk/client";
import { connectionChecks } from "../../sdk/cli/doctor/connection";
import { addressOf } from "../support/bench";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

describeWithSqld("libsql-server, from an application and from the doctor", () => {
  let sqld: ServedSqld;
  let folder: string;
  const options = () => ({
    ...{ platform: "libsql-server", apiUrl: sqld.adminUrl, databaseUrl: sqld.databaseUrl, signingKey: sqld.signingKey },
  });
  before(async () => {
    sqld = await serveSqld();
    folder = await mkdtemp(path.join(tmpdir(), "tenantry-client-"));
    await writeFile(path.join(folder, "0001_notes.sql"), "CREATE TABLE notes (text TEXT);\n");
    await sqld.platform().createGroup({ name: "eu", location: "default" });
  });
  after(async () => {
    await sqld?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("makes a database at sign-up, and opens it with a token that is signed here", async () => {
    const tenantry = createTenantry({
      ...options(),
      ...{ token: sqld.adminKey, group: "eu", access: "full-access", templates: { app: folder } },
    });
    const first = await tenantry.provision("user-1", { template: "app" });
    assert.equal(first.created, true);
    assert.equal((await tenantry.provision("user-1", { template: "app" })).created, false);
    const db = await tenantry.connect({ subject: "user-1" });
    await db.execute("INSERT INTO notes VALUES ('hello')");
    assert.equal((await db.execute("SELECT text FROM notes")).rows[0]!["text"], "hello");
  });

  it("shows an application its tenants, and not what is kept for a while of those that were", async () => {
    const settings = readSettings({ ...options(), apiToken: sqld.adminKey }, {});
    const run = () => ({ context: createContext(sqld.platform(), settings) });
    await sqld.platform().createGroup({ name: "us", location: "default" });
    const soft = (name: string, as = name) => ({
      ...({ self: addressOf(as), name, group: "us", onReplace: "copy", deletionPolicy: "soft" } as const),
    });
    const [bolt, corp] = [
      await tenantDatabase.create({ inputs: soft("bolt"), ...run() }),
      await tenantDatabase.create({ inputs: soft("corp"), ...run() }),
    ];
    await tenantDatabase.create({ inputs: { ...soft("dock"), suspended: true }, ...run() });
    await tenantDatabase.delete({ ...bolt, ...run() });
    const news = soft("corporation", "corp");
    await tenantDatabase.update({ id: corp.id, olds: corp.outputs, news, ...run() });
    const listed: string[] = [];
    for await (const { name } of sqld.platform().listDatabases({ group: "us" })) listed.push(name);
    assert.deepEqual(listed, ["bolt", "corp", "corporation", "dock", registryName("us")]);
    const tenantry = createTenantry({ ...options(), token: sqld.adminKey });
    const visited: string[] = [];
    for await (const { tenant } of tenantry.forEachTenant(() => 1, { where: { group: "us" } })) {
      visited.push(tenant.name);
    }
    assert.deepEqual(visited.sort(), ["corporation", "dock"]);
  });

  it("is found healthy, with what it is told of", async () => {
    const settings = readSettings({ ...options(), apiToken: sqld.adminKey }, {});
    const found: string[] = [];
    for await (const { name, status, found: what } of connectionChecks(settings)) {
      assert.equal(status, "ok", what);
      found.push(`${name}: ${what}`);
    }
    assert.ok(
      found.some((line) => /^token: .*the admin key.*never expires/.test(line)),
      found.join("\n"),
    );
    // What was deleted softly is no fault, and to give up its claim would lose it.
    assert.ok(found.includes('registry of group "us": 3 names held, 0 unfinished, 1 in the trash'), found.join("\n"));
    for (const secret of [sqld.adminKey, sqld.signingKey]) assert.ok(!found.join("\n").includes(secret));
  });

  it("is found to be what it is when a key is wrong", async () => {
    const settings = readSettings({ ...options(), apiToken: "another-key" }, {});
    const found: string[] = [];
    for await (const { status, found: what } of connectionChecks(settings)) {
      if (status === "problem") found.push(what);
    }
    assert.equal(found.length, 1);
    assert.match(found[0]!, /admin key was rejected/);
  });
});
