import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { previewReportSchema } from "../../provider/preview/report";
import { type ApiTokenOutputs, apiToken } from "../../provider/resources/api-token";
import { type DatabaseTokenOutputs, databaseToken } from "../../provider/resources/database-token";
import { type GroupOutputs, group } from "../../provider/resources/group";
import type { CommonInputs, Handler } from "../../provider/resources/handler";
import { type InviteOutputs, invite } from "../../provider/resources/invite";
import { type MemberOutputs, member as memberHandler } from "../../provider/resources/member";
import { previewBranch } from "../../provider/resources/preview-branch";
import type { PreviewBranchInputs } from "../../provider/resources/preview-branch/inputs";
import type { PreviewBranchOutputs } from "../../provider/resources/preview-branch/outputs";
import { schemaRollout } from "../../provider/resources/schema-rollout";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import { type Bench, addressOf, group as groupInputs, tenant, withBench } from "../support/bench";
import { member, withFleetScene } from "../support/fleet-scene";
import { peopleOf } from "../support/people";

type Outputs = Record<string, unknown>;
interface Shape {
  readonly about: string;
  readonly Group?: Outputs;
  readonly SchemaTemplate?: Outputs;
  readonly TenantDatabase?: Outputs;
  readonly DatabaseToken?: Outputs;
  readonly SchemaRollout?: Outputs;
  readonly TenantFleet?: Outputs;
  readonly Member?: Outputs;
  readonly Invite?: Outputs;
  readonly ApiToken?: Outputs;
  readonly PreviewBranch?: Outputs;
}

const folder = path.resolve(__dirname, "..", "fixtures", "state");
const shapes = readdirSync(folder).map((file) => ({
  name: path.basename(file, ".json"),
  shape: JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Shape,
}));
const files = { "0001_notes.sql": "CREATE TABLE notes (text TEXT);" };
const later = { ...files, "0002_tags.sql": "CREATE TABLE tags (name TEXT);" };

/** What an earlier release would have stored about what exists here. */
function stored<O>(shape: Outputs, here: object): O {
  const values = here as Record<string, unknown>;
  const fill = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, fill(of)]));
    }
    if (typeof value !== "string") return value;
    return value.replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole));
  };
  return fill(shape) as O;
}

/** Refreshed, deployed with the same program until nothing is to do, and deployed with another one. */
async function livesOn<I extends CommonInputs, O extends I>(
  handler: Handler<I, O>,
  { bench, id, old, same, other }: { bench: Bench; id: string; old: O; same: I; other?: I },
): Promise<O> {
  const context = () => bench.context();
  const read = await handler.read({ id, outputs: old, context: context() });
  assert.ok(read, "a refresh finds it");
  let last: O = read;
  for (const olds of [old, read]) {
    const { changes, replaces = [] } = await handler.diff({ id, olds, news: same, context: context() });
    assert.deepEqual(replaces, [], "it is not replaced");
    last = changes ? await handler.update({ id, olds, news: same, context: context() }) : olds;
    assert.equal((await handler.diff({ id, olds: last, news: same, context: context() })).changes, false);
  }
  if (!other) return last;
  assert.equal((await handler.diff({ id, olds: old, news: other, context: context() })).changes, true);
  const updated = await handler.update({ id, olds: old, news: other, context: context() });
  assert.equal((await handler.diff({ id, olds: updated, news: other, context: context() })).changes, false);
  return updated;
}

async function templateHere(bench: Bench) {
  const inputs = await bench.template(files, { folder: "app" });
  return { inputs, digest: inputs.digest, path: inputs.path, hash: inputs.migrations[0]!.hash };
}

const plays: Record<string, (bench: Bench, shape: Outputs) => Promise<void>> = {
  async Group(bench, shape) {
    const same = groupInputs("us");
    const { id, outputs } = await group.create({ inputs: same, context: bench.context() });
    const old = stored<GroupOutputs>(shape, outputs);
    const kept = await livesOn(group, { bench, id, old, same, other: { ...same, deleteProtection: true } });
    assert.equal(kept.groupId, outputs.groupId);
    await group.update({ id, olds: kept, news: { ...same, deleteProtection: false }, context: bench.context() });
    await group.delete({ id, outputs: old, context: bench.context() });
    const { groups } = await bench.api.ok<{ groups: { name: string }[] }>("GET", "/groups");
    assert.deepEqual(
      groups.map(({ name }) => name),
      ["eu"],
    );
  },

  async SchemaTemplate(bench, shape) {
    const { inputs, ...here } = await templateHere(bench);
    const { id, outputs } = await schemaTemplate.create({ inputs, context: bench.context() });
    const old = stored<typeof outputs>(shape, { ...outputs, ...here });
    const news = await bench.template(later, { folder: "app" });
    const updated = await livesOn(schemaTemplate, { bench, id, old, same: inputs, other: news });
    assert.equal(updated.version, "0002_tags");
    await schemaTemplate.delete({ id, outputs: old, context: bench.context() });
  },

  async TenantDatabase(bench, shape) {
    const { inputs, ...here } = await templateHere(bench);
    const old = (outputs: object) =>
      stored<Awaited<ReturnType<typeof tenantDatabase.create>>["outputs"]>(shape, outputs);
    const declared = old(here);
    const { labels, deletionPolicy, gracePeriod } = declared;
    const schema = typeof declared.schema === "string" ? declared.schema : inputs.ref;
    const same = tenant("acme", { schema, labels, deletionPolicy, gracePeriod });
    const { id, outputs } = await tenantDatabase.create({ inputs: same, context: bench.context() });
    await bench.sql("acme", "INSERT INTO notes VALUES ('kept')");
    const before = old({ ...outputs, ...here });
    const news = await bench.template(later, { folder: "app" });
    const other = { ...same, blockWrites: true, schema: schema.includes("+rollout") ? schema : news.ref };
    const updated = await livesOn(tenantDatabase, { bench, id, old: before, same, other });
    assert.equal(updated.databaseId, outputs.databaseId);
    assert.equal(updated.schemaVersion, other.schema === schema ? "0001_notes" : "0002_tags");
    assert.deepEqual(await bench.sql("acme", "SELECT text FROM notes"), [{ text: "kept" }]);
    await tenantDatabase.delete({ id, outputs: before, context: bench.context() });
    assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
  },

  async DatabaseToken(bench, shape) {
    await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
    const same = { self: addressOf("reader"), database: "acme" };
    const { id, outputs } = await databaseToken.create({ inputs: same, context: bench.context() });
    const old = stored<DatabaseTokenOutputs>(shape, outputs);
    const kept = await livesOn(databaseToken, { bench, id, old, same });
    assert.equal(kept.token, outputs.token, "the application keeps it");
    const writer = { ...same, access: "full-access" as const };
    assert.notEqual((await livesOn(databaseToken, { bench, id, old, same, other: writer })).token, outputs.token);
    await databaseToken.delete({ id, outputs: old, context: bench.context() });
  },

  async SchemaRollout(bench, shape) {
    const { inputs, ...here } = await templateHere(bench);
    await tenantDatabase.create({ inputs: tenant("acme", { schema: inputs.ref }), context: bench.context() });
    const same = { self: addressOf("roll"), schema: inputs.ref, tenants: [{ name: "acme", group: "eu" }] };
    const { id, outputs } = await schemaRollout.create({ inputs: same, context: bench.context() });
    const old = stored<typeof outputs>(shape, { ...outputs, ...here });
    const news = await bench.template(later, { folder: "app" });
    const updated = await livesOn(schemaRollout, { bench, id, old, same, other: { ...same, schema: news.ref } });
    assert.equal(updated.minSchemaVersion, "0002_tags");
    await schemaRollout.delete({ id, outputs: old, context: bench.context() });
  },

  async Member(bench, shape) {
    await peopleOf(bench.platform).signUp("ada", "ada@example.com");
    const same = { self: addressOf("ada"), username: "ada", role: "admin" as const };
    const { id, outputs } = await memberHandler.create({ inputs: same, context: bench.context() });
    const old = stored<MemberOutputs>(shape, outputs);
    await livesOn(memberHandler, { bench, id, old, same, other: { ...same, role: "viewer" } });
    const directory = bench.context().platform.directory!;
    assert.equal((await directory.getMember("ada"))?.role, "viewer");
    assert.equal(await memberHandler.delete({ id, outputs: old, context: bench.context() }), undefined);
    assert.equal(await directory.getMember("ada"), undefined);
  },

  async Invite(bench, shape) {
    const same = { self: addressOf("grace"), email: "grace@example.com", role: "viewer" as const };
    const { id, outputs } = await invite.create({ inputs: same, context: bench.context() });
    const old = stored<InviteOutputs>(shape, outputs);
    await livesOn(invite, { bench, id, old, same, other: { ...same, role: "member" } });
    const open = async () => (await bench.context().platform.directory!.listInvites()).map(({ role }) => role);
    assert.deepEqual(await open(), ["member"]);
    assert.equal(await invite.delete({ id, outputs: old, context: bench.context() }), undefined);
    assert.deepEqual(await open(), []);
  },

  async ApiToken(bench, shape) {
    const named = { name: "deploy", nameIsDefault: true, group: "eu", scopes: ["read", "db:create"] };
    const same = { self: addressOf("deploy"), ...named };
    const { id, outputs } = await apiToken.create({ inputs: same, context: bench.context() });
    const old = stored<ApiTokenOutputs>(shape, outputs);
    assert.equal((await livesOn(apiToken, { bench, id, old, same })).token, outputs.token, "a pipeline keeps it");
    const updated = await livesOn(apiToken, { bench, id, old, same, other: { ...same, rotate: "2" } });
    const { isTaken } = peopleOf(bench.platform);
    assert.deepEqual([await isTaken(outputs.token), await isTaken(updated.token)], [false, true]);
    await apiToken.delete({ id, outputs: updated, context: bench.context() });
    assert.equal(await isTaken(updated.token), false);
  },

  async PreviewBranch(bench, shape) {
    await bench.api.ok("POST", "/databases", { name: "tenant-acme", group: "eu" });
    const { inputs, ...here } = await templateHere(bench);
    const from = [{ tenant: "acme", database: "tenant-acme" }];
    const of = { self: addressOf("pr-42"), from, data: "copy" as const, expiresIn: "7d" };
    const same: PreviewBranchInputs = { ...of, schema: inputs.ref };
    const { id, outputs } = await previewBranch.create({ inputs: same, context: bench.context() });
    const acme = outputs.branches["acme"]!;
    await bench.sql(acme.name, "INSERT INTO notes VALUES ('of a tester')");
    const old = stored<PreviewBranchOutputs>(shape, { ...outputs, ...here, ...acme, token: outputs.tokens["acme"] });
    assert.equal(previewReportSchema.parse(JSON.parse(old.report)).branches[0]?.databaseId, acme.databaseId);
    const { ref: schema } = await bench.template(later, { folder: "app" });
    const updated = await livesOn(previewBranch, { bench, id, old, same, other: { ...same, schema } });
    assert.deepEqual(updated.branches["acme"], { ...acme, schemaVersion: "0002_tags" });
    assert.deepEqual(await bench.sql(acme.name, "SELECT text FROM notes"), [{ text: "of a tester" }]);
    assert.equal(await previewBranch.delete({ id, outputs: old, context: bench.context() }), undefined);
    assert.deepEqual(await bench.databases(true), ["tenant-acme", "tenantry-registry-eu"]);
  },
};

describe("state that earlier code stored", function () {
  this.timeout(60_000);

  for (const { name, shape } of shapes) {
    for (const [kind, of] of Object.entries(shape) as [string, Outputs][]) {
      if (kind === "about" || kind === "TenantFleet") continue;
      it(`${name}: ${kind} is refreshed, deployed, changed and deleted`, () =>
        withBench((bench) => plays[kind]!(bench, of)));
    }
    const fleet = shape.TenantFleet;
    if (!fleet) continue;
    it(`${name}: TenantFleet is refreshed, deployed, changed and deleted`, () =>
      withFleetScene(async ({ bench, declare, up, state, schema, handler, destroy, refresh }) => {
        const ref = await schema(files);
        const news = declare([member("a", { schema: ref })]);
        const { id, outputs } = (await up(news))!;
        const [record] = unpackFleet(outputs.packed);
        const packedId = Buffer.from(record!.databaseId!.replaceAll("-", ""), "hex").toString("base64url");
        const [, digest = "", at = ""] = /^\S+ (\S+) \S+ (.+)$/.exec(ref)!;
        const here = { ...{ digest, path: at, packedId, rosterDigest: news.digest }, incarnation: record!.incarnation };
        const old = stored<typeof outputs>(fleet, { ...outputs, ...here });
        assert.deepEqual(old, outputs, "format 1 is still what is written");
        const context = bench.context();
        assert.equal((await handler.diff({ id, olds: old, news, context })).changes, false);
        await refresh();
        assert.equal(await up(news), undefined);
        await up(declare([member("a", { schema: ref, blockWrites: true })]));
        assert.equal(unpackFleet(state().outputs.packed)[0]!.databaseId, record!.databaseId);
        await destroy();
        assert.deepEqual(await bench.databases(), []);
      }));
  }
});
