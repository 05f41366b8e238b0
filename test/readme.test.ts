import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import ts from "typescript";
import { parseDuration } from "../provider/duration";
import { readSettings } from "../provider/platform/settings";
import { filesOnDisk } from "../sdk/manifest/files";
import { loadManifest } from "../sdk/manifest/load";
import { resolveManifest } from "../sdk/manifest/resolve";
import { type MeasuredDefaults, measureDefaults } from "./support/defaults";

const root = path.resolve(__dirname, "..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
/** README first, then what it leads to. */
const pages = ["README.md", ...readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)].map((name) => ({
  name,
  text: readFileSync(path.join(root, name), "utf8"),
}));
const text = pages.map((page) => page.text).join("\n");
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object };

const sectionUnder = (heading: string): string =>
  text.split(new RegExp(`\n##? ${heading}\n`))[1]?.split(/\n##? /)[0] ?? "";
const plain = (cell: string): string => cell.replaceAll("`", "");
const quoted = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
const blocksOf = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map(([, code]) => code!);

/** Whether a page's link is to a file, and to a heading in it. */
function leads(page: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const at = path.join(root, file === "" ? page : path.join(path.dirname(page), file));
  if (!existsSync(at)) return false;
  if (anchor === undefined) return true;
  const headings = [...readFileSync(at, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return headings.some(
    (one) =>
      one
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-") === anchor,
  );
}

/** The rows of the tables under a heading, cells as they are written, without the heads. */
function rowsUnder(heading: string): string[][] {
  const lines = sectionUnder(heading).split("\n");
  return lines
    .filter((line, i) => line.startsWith("|") && !line.startsWith("| ---") && !lines[i + 1]?.startsWith("| ---"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

describe("README: every default", () => {
  let measured: MeasuredDefaults;
  before(async function () {
    this.timeout(60_000);
    measured = await measureDefaults();
  });
  after(() => measured?.close());

  const rows = rowsUnder("Every default").map(([setting = "", value = ""]) => ({ setting: plain(setting), value }));

  it("has a measurement for every row, and a row for every measurement", () => {
    assert.deepEqual(rows.map(({ setting }) => setting).sort(), Object.keys(measured.rows).sort());
  });

  for (const { setting, value } of rows) {
    it(`${setting}: ${plain(value)}`, async () => {
      const found = await measured.rows[setting]?.();
      if (typeof found === "object" && found !== null && "seconds" in found) {
        assert.equal(parseDuration(plain(value), setting), found.seconds);
      } else {
        assert.equal(plain(value), String(found));
      }
    });
  }
});

describe("README: configuration", () => {
  const rows = rowsUnder("Configuration").map(([setting = "", variables = ""]) => ({
    setting: plain(setting.split(" ")[0]!).replace("tenantry:", ""),
    variables: quoted(variables),
  }));
  const values: Record<string, string> = {
    platform: "turso",
    apiUrl: "https://one.example",
    databaseUrl: "libsql://{name}",
    signingKey: `tenantry_signing_${"a".repeat(43)}`,
  };
  const valueOf = (setting: string, other = ""): string =>
    setting === "concurrency" || setting === "maxRemovals" ? `1${other}` : `${values[setting] ?? "one"}${other}`;
  const config = { platform: "turso", organization: "in-config", apiToken: "in-config" };

  it("names every setting", () => {
    assert.throws(
      () => readSettings({ nothing: "" }, {}),
      (error: Error) => {
        const known = /Known settings: (.*)\.$/.exec(error.message)?.[1]?.split(", ");
        assert.deepEqual(rows.map(({ setting }) => setting).sort(), known?.sort());
        return true;
      },
    );
  });

  for (const { setting, variables } of rows.filter((row) => row.variables.length > 0)) {
    it(`${setting}: ${variables.join(", ")} win over config, the left one over the right one`, () => {
      variables.forEach((variable, i) => {
        const others = variables
          .slice(i + 1)
          .map((other) => [other, valueOf(setting, setting === "platform" ? "" : "9")]);
        const env = { ...Object.fromEntries(others), [variable]: valueOf(setting) };
        const settings = readSettings({ ...config, [setting]: valueOf(setting) }, env);
        assert.equal(settings.sources[setting as keyof typeof settings.sources], variable);
        assert.equal(String(settings[setting as keyof typeof settings]), valueOf(setting));
        const empty = readSettings({ ...config, [setting]: valueOf(setting) }, { [variable]: "" });
        assert.equal(empty.sources[setting as keyof typeof settings.sources], `tenantry:${setting}`);
      });
    });
  }

  it("a connection's token comes from the variable named", () => {
    const connections = '{"eu-prod":{"platform":"turso","organization":"acme-eu"}}';
    const variable = quoted(sectionUnder("Configuration")).find((text) => text.startsWith("TENANTRY_API_TOKEN_EU"));
    const settings = readSettings({ connections }, { [variable!]: "secret", TURSO_API_TOKEN: "other" }, "eu-prod");
    assert.equal(settings.apiToken, "secret");
  });
});

describe("README: a manifest", () => {
  it("holds together, and puts its tenants where the text says", () => {
    const [text = ""] = blocksOf("yaml");
    const files = { ...filesOnDisk, kindOf: () => "file" as const, read: () => new TextEncoder().encode(text) };
    const { tenants, profiles } = resolveManifest(loadManifest("tenants.yaml", { files }));
    assert.deepEqual(
      tenants.map(({ id, name, group, schema }) => [id, name, group, schema, profiles.get(id)!.plan]),
      [
        ["acme", "tenant-acme", "eu", "app", "pro"],
        ["globex", "tenant-globex", "us", "app", "pro"],
        ["hooli", "tenant-hooli", "us", "app", "free"],
        ["initech", "tenant-initech", "us", "app", "free"],
      ],
    );
    assert.match(text, /^# yaml-language-server: \$schema=\.\/node_modules\/tenantry\/tenants\.schema\.json\n/);
  });
});

describe("README: programs and references", () => {
  const [program = "", rollout = "", fleet = ""] = blocksOf("ts");
  const constructed = quoted(sectionUnder("Coming from turso CLI scripts")).filter((text) => text.startsWith("new "));

  it("its program has at most 20 lines", () => {
    const lines = program.trimEnd().split("\n").length;
    assert.ok(lines > 10 && lines <= 20, `${lines} lines`);
  });

  it("its program, its snippets and its table of resources hold against the built package", function () {
    this.timeout(60_000);
    const folder = mkdtempSync(path.join(tmpdir(), "tenantry-readme-"));
    try {
      mkdirSync(path.join(folder, "node_modules", "@pulumi"), { recursive: true });
      symlinkSync(root, path.join(folder, "node_modules", "tenantry"), "junction");
      const sdk = path.join("node_modules", "@pulumi", "pulumi");
      symlinkSync(path.join(root, sdk), path.join(folder, sdk), "junction");
      const isCall = ([what = ""]: readonly string[]): boolean => what.includes("(");
      const functions = rowsUnder("Resources").filter(isCall);
      const resources = rowsUnder("Resources").filter((row) => !isCall(row));
      const outputs = resources.flatMap(([kind = "", , names = ""], i) => [
        `declare const r${i}: tenantry.${plain(kind)};`,
        ...quoted(names).map((name) => `void r${i}.${name};`),
      ]);
      const calls = functions.map(([call = ""]) => `void tenantry.${/^\w+/.exec(plain(call))};`);
      assert.ok(resources.length >= 10 && functions.length >= 4);
      const files = {
        "program.ts": program,
        "rollout.ts": rollout,
        "fleet.ts": fleet,
        "manifest.ts": blocksOf("ts").find((text) => text.includes("manifest:"))!,
        "organization.ts": blocksOf("ts").find((text) => text.includes("new Member("))!,
        "preview.ts": blocksOf("ts").find((text) => text.includes("new PreviewBranch("))!,
        "table.ts": ['import * as tenantry from "tenantry";', ...outputs, ...calls].join("\n"),
        "snippets.ts": [
          'import { ApiToken, DatabaseToken, Group, Invite, Member, TenantDatabase } from "tenantry";',
          "declare const eu: Group, acme: TenantDatabase;",
          ...constructed.map((snippet) => `void (${snippet});`),
        ].join("\n"),
      };
      assert.ok(constructed.length >= 4 && outputs.length > 15);
      for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
      const compiled = ts.createProgram(
        Object.keys(files).map((name) => path.join(folder, name)),
        {
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          types: [],
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.Node16,
          moduleResolution: ts.ModuleResolutionKind.Node16,
        },
      );
      const problems = ts.getPreEmitDiagnostics(compiled);
      assert.deepEqual(
        problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
        [],
      );
      const built = realpathSync(path.join(root, "dist", "package", "types", "sdk", "index.d.ts"));
      assert.ok(
        compiled.getSourceFiles().some(({ fileName }) => path.resolve(fileName) === built),
        "not the built package",
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("its commands are in package.json, its links lead somewhere", () => {
    const scripts = [...readme.matchAll(/npm (?:run (?:-s )?)?(quickstart|test|engine)\b/g)].map(([, name]) => name!);
    assert.ok(scripts.length >= 2);
    for (const name of scripts) assert.ok(name in manifest.scripts, name);
    const dead = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/\]\((?!https?:)([^)]*)\)/g)].map(([, link]) => link!).filter((link) => !leads(name, link)),
    );
    assert.deepEqual(dead, []);
  });
});
