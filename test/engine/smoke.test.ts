import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { withProject } from "../support/engine";

const program = `
import * as pulumi from "@pulumi/pulumi";
class House extends pulumi.ComponentResource {
  constructor(name: string) {
    super("test:index:House", name);
    this.registerOutputs({ rooms: 3 });
  }
}
new House("first");
const config = new pulumi.Config();
console.log("said by the program");
export const colour: string = config.require("colour");
export const key = config.requireSecret("key");
`;

describe("the engine", () => {
  it("runs a TypeScript program: up, preview, refresh, outputs, export, destroy", async () => {
    const config = { colour: "green", key: { secret: "very secret value" } };
    const files = { "index.ts": program, "tsconfig.json": "{}" };
    await withProject({ files, config }, async (project) => {
      const up = await project.up();
      assert.deepEqual(up.counts, { create: 1 });
      assert.equal(up.operations[0]?.name, "first");
      assert.match(up.output, /said by the program/);
      assert.deepEqual(await project.outputs({ showSecrets: true }), { colour: "green", key: "very secret value" });
      assert.deepEqual((await project.preview()).counts, { same: 1 });
      assert.equal((await project.refresh({ args: ["--run-program"] })).code, 0);
      const exported = JSON.stringify(await project.stackExport());
      assert.match(exported, /test:index:House/);
      assert.doesNotMatch(exported + (await project.stateFile()).text, /very secret value/);
      assert.deepEqual((await project.destroy()).counts, { delete: 1 });
    });
  });

  it("honours main and a folder with its own package.json", async () => {
    const files = {
      "program/package.json": JSON.stringify({ name: "program", main: "start.ts" }),
      "program/start.ts": "export const where: string = process.cwd();",
    };
    await withProject({ files, settings: "main: program" }, async (project) => {
      await project.up();
      assert.match(String((await project.outputs())["where"]), /project.program$/);
    });
  });

  it("shows the error of a failing program once and leaves the stack as it was", async () => {
    const files = { "index.ts": 'throw new Error("no luck");', "tsconfig.json": "{}" };
    await withProject({ files }, async (project) => {
      const up = await project.up({ fails: true });
      assert.equal(up.diagnostics.filter(({ message }) => message.includes("no luck")).length, 1);
      assert.doesNotMatch(up.output, /exit code/);
    });
  });
});
