import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { type ApiTokenInputs, type ApiTokenOutputs, apiToken } from "../../provider/resources/api-token";
import { Unfinished } from "../../provider/resources/handler";
import { respond } from "../../provider/response";
import { type Bench, addressOf } from "../support/bench";
import type { Fate } from "../support/faulty-line";
import { loseOnce, peopleOf, withPeople } from "../support/people";
import { said } from "../support/said";

const deploy = (more: Partial<ApiTokenInputs> = {}): ApiTokenInputs => ({
  self: addressOf("deploy"),
  name: "deploy",
  ...more,
});

type MadeToken = { readonly id: string; readonly outputs: ApiTokenOutputs };

const tokenNames = async (context: Context) =>
  (await context.platform.directory!.listApiTokens()).map(({ name }) => name);

const refusal: Fate = { status: 403, text: '{"error": "not today"}' };

describe("ApiToken", function () {
  this.timeout(60_000);

  const isTaken = (bench: Bench, { outputs }: MadeToken) => peopleOf(bench.platform).isTaken(outputs.token);

  it("is made once, never by read, and refused at once when it is removed", async () => {
    await withPeople(async (bench, context) => {
      const made = await apiToken.create({ inputs: deploy(), context });
      assert.match(made.outputs.tokenName, /^deploy-[0-9a-f]{8}-[0-9a-f]{4}[0-9a-z]{4}$/);
      assert.equal(await isTaken(bench, made), true);
      assert.deepEqual(respond((await apiToken.read({ ...made, context }))!), respond(made.outputs));
      assert.equal((await apiToken.diff({ ...made, olds: made.outputs, news: deploy(), context })).changes, false);
      assert.deepEqual(await tokenNames(context), [made.outputs.tokenName]);
      assert.equal(await apiToken.delete({ ...made, context }), undefined);
      assert.equal(await isTaken(bench, made), false);
      assert.equal(await apiToken.read({ ...made, context }), undefined);
      assert.equal(await apiToken.delete({ ...made, context }), undefined);
    });
  });

  it("is limited to its group and scopes, the least unless told otherwise", async () => {
    await withPeople(async (_, context) => {
      const listed = async ({ outputs }: MadeToken) =>
        (await context.platform.directory!.listApiTokens()).find(({ id }) => id === outputs.tokenId);
      const least = await listed(await apiToken.create({ inputs: deploy({ group: "eu" }), context }));
      assert.deepEqual([least?.group, least?.scopes], ["eu", ["read"]]);
      const more = deploy({ group: "eu", scopes: ["read", "db:create", "read"] });
      const made = await apiToken.create({ inputs: more, context });
      assert.deepEqual((await listed(made))?.scopes, ["read", "db:create"]);
      const swapped = deploy({ group: "eu", scopes: ["db:create", "read"] });
      assert.equal((await apiToken.diff({ ...made, olds: made.outputs, news: swapped, context })).changes, false);
      const missing = apiToken.create({ inputs: deploy({ group: "nowhere" }), context });
      await assert.rejects(missing, { code: "group-not-found" });
    });
  });

  const changes: [string, Partial<ApiTokenInputs>][] = [
    ["rotate", { rotate: "2" }],
    ["scopes", { group: "eu", scopes: ["read", "db:create"] }],
    ["name", { name: "release" }],
  ];
  for (const [what, more] of changes) {
    it(`has a successor when its ${what} changes, and is refused from then on`, async () => {
      await withPeople(async (bench, context) => {
        const made = await apiToken.create({ inputs: deploy(), context });
        const news = deploy(more);
        const { changes: any, note } = await apiToken.diff({ ...made, olds: made.outputs, news, context });
        assert.deepEqual([any, note?.includes("stops working")], [true, true]);
        const outputs = await apiToken.update({ id: made.id, olds: made.outputs, news, context });
        assert.notEqual(outputs.token, made.outputs.token);
        assert.deepEqual([await isTaken(bench, made), await isTaken(bench, { id: made.id, outputs })], [false, true]);
        assert.equal((await apiToken.diff({ id: made.id, olds: outputs, news, context })).changes, false);
      });
    });
  }

  it("is not lost where its predecessor cannot be revoked, which the next run does", async () => {
    await withPeople(async (bench, context) => {
      const made = await apiToken.create({ inputs: deploy(), context });
      const broken = await bench.contextOn(({ method }) => (method === "DELETE" ? refusal : "pass"));
      const news = deploy({ rotate: "2" });
      const error: unknown = await apiToken
        .update({ id: made.id, olds: made.outputs, news, context: broken.context })
        .catch((reason: unknown) => reason);
      assert.ok(error instanceof Unfinished, String(error));
      const reached = error.outputs as MadeToken["outputs"];
      assert.deepEqual(reached.unrevoked, [made.outputs.tokenId]);
      assert.equal((await apiToken.diff({ id: made.id, olds: reached, news, context })).changes, true);
      const outputs = await apiToken.update({ id: made.id, olds: reached, news, context });
      assert.deepEqual([outputs.token, outputs.unrevoked], [reached.token, undefined]);
      assert.equal(await isTaken(bench, made), false);
    });
  });

  const doomed = (bench: Bench) =>
    bench.contextOn(({ method, path }) => (method === "POST" && path.includes("/api-tokens/") ? "die" : "pass"));

  it("goes on working when the run that would have replaced it is killed, whose successor the next one revokes", async () => {
    await withPeople(async (bench, context) => {
      const made = await apiToken.create({ inputs: deploy(), context });
      const killed = async () => {
        const { context: dying } = await doomed(bench);
        const news = deploy({ rotate: "2", name: "release" });
        await assert.rejects(apiToken.update({ id: made.id, olds: made.outputs, news, context: dying }));
        assert.equal((await tokenNames(context)).length, 2, "and state has the first one");
      };
      await killed();
      assert.equal(await isTaken(bench, made), true);
      const outputs = await apiToken.update({
        id: made.id,
        olds: made.outputs,
        news: deploy({ rotate: "2" }),
        context,
      });
      assert.deepEqual([await isTaken(bench, made), await isTaken(bench, { id: made.id, outputs })], [false, true]);
      assert.deepEqual(await tokenNames(context), [outputs.tokenName]);
      await killed();
      assert.equal(await apiToken.delete({ id: made.id, outputs, context }), undefined);
      assert.deepEqual(await tokenNames(context), []);
    });
  });

  it("says of what a killed run has made for it that it still works, and leaves it to who can tell whose it is", async () => {
    await withPeople(async (bench, context) => {
      const other = await apiToken.create({ inputs: deploy({ self: addressOf("other") }), context });
      for (const name of ["deploy", "release"]) {
        const { context: dying } = await doomed(bench);
        await assert.rejects(apiToken.create({ inputs: deploy({ name }), context: dying }));
      }
      const before = await tokenNames(context);
      assert.equal(before.length, 3);
      let made: MadeToken | undefined;
      const lines = await said(async () => (made = await apiToken.create({ inputs: deploy(), context })));
      const { outputs } = made!;
      assert.deepEqual((await tokenNames(context)).sort(), [...before, outputs.tokenName].sort());
      const killed = before.filter((name) => name !== other.outputs.tokenName);
      assert.equal(lines.length, 1);
      for (const name of killed) assert.ok(lines[0]!.includes(name), lines[0]);
      assert.ok(!lines[0]!.includes(other.outputs.tokenName), lines[0]);
    });
  });

  it("leaves none behind that nobody has, when a reply is lost", async () => {
    await withPeople(async (bench) => {
      const { context, line } = await bench.contextOn(loseOnce("/api-tokens/"));
      const made = await apiToken.create({ inputs: deploy(), context });
      assert.equal(line.calls.filter(({ method }) => method === "POST").length, 3, "made, found taken, made anew");
      assert.deepEqual(await tokenNames(context), [made.outputs.tokenName]);
      assert.equal(await isTaken(bench, made), true);
    });
  });

  it("takes along nothing of its successor, or of others, when it is removed after a replacement", async () => {
    await withPeople(async (bench, context) => {
      const old = await apiToken.create({ inputs: deploy(), context });
      const other = await apiToken.create({ inputs: deploy({ self: addressOf("other") }), context });
      const made = await apiToken.create({ inputs: deploy(), context });
      assert.equal(await apiToken.delete({ ...old, context }), undefined);
      for (const one of [made, other]) assert.equal(await isTaken(bench, one), true);
      assert.equal(await isTaken(bench, old), false);
    });
  });
});
