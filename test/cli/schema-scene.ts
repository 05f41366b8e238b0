import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { digestOf, readMigrations } from "../../provider/rollout/source";
import { formatTemplateRef } from "../../provider/rollout/template-ref";
import { type Bench, stack, tenant, withBench } from "../support/bench";
import { type FakeStack, writeFakePulumi } from "./fake-pulumi";
import { type Ended, runCli } from "./run-cli";

/** A project with a folder "migrations", a platform with a group "eu", and the `tenantry schema` command. */
export interface SchemaScene {
  readonly bench: Bench;
  /** Runs `tenantry schema ...` in the project's folder; the platform's name in what it prints is "PLATFORM". */
  cli(...args: string[]): Promise<Ended>;
  /** Starts it, to be looked at while it runs. */
  start(...args: string[]): Running;
  /** Writes files into the folder. */
  write(files: Record<string, string>): Promise<void>;
  /** Makes tenants without a schema, in a group that has a registry from then on. */
  make(names: readonly string[], more?: Partial<TenantDatabaseInputs>): Promise<void>;
  /** What the engine's command line knows. */
  knows(known: Partial<FakeStack>): Promise<void>;
  /** The ref of a template with the files as they are. */
  ref(name?: string): string;
  /** Ids in a tenant's ledger. */
  ledger(name: string): Promise<string[]>;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves when what it has printed fits; fails when it ends before. */
  says(text: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

const root = join(__dirname, "..", "..");

export async function withSchemaScene(use: (scene: SchemaScene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tenantry-schema-"));
  const commands = join(folder, "commands");
  const running: ChildProcess[] = [];
  try {
    await mkdir(commands);
    await mkdir(join(folder, "migrations"));
    await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    await withBench(async (bench) => {
      const env = {
        PATH: [commands, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
        TENANTRY_PLATFORM: "local",
        TENANTRY_API_URL: bench.platform.url,
        TENANTRY_API_TOKEN: bench.platform.apiToken,
      };
      const shown = (text: string): string => {
        assert.ok(!text.includes(bench.platform.apiToken));
        return text.replaceAll(/local:[\w-]+\/local/g, "PLATFORM");
      };
      const shownAll = ({ code, stdout, stderr }: Ended): Ended => ({
        code,
        stdout: shown(stdout),
        stderr: shown(stderr),
      });
      await use({
        bench,
        cli: async (...args) => shownAll(await runCli(["schema", ...args], { cwd: folder, env })),
        start(...args) {
          const child = spawn(process.execPath, [join(root, "dist/sdk/cli/main.js"), "schema", ...args], {
            cwd: folder,
            env,
          });
          running.push(child);
          return follow(child, shownAll);
        },
        async write(files) {
          for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "migrations", name), text);
        },
        async make(names, more = {}) {
          const context = bench.context();
          const made = names.map((name) => tenantDatabase.create({ inputs: tenant(name, more), context }));
          await Promise.all(made);
        },
        knows: (known) => writeFakePulumi(commands, { name: stack, ...known }),
        ref(name = "app") {
          const { migrations } = readMigrations(join(folder, "migrations"));
          const version = migrations.at(-1)!.id;
          return formatTemplateRef({ name, version, digest: digestOf(migrations), path: "migrations", start: "copy" });
        },
        async ledger(name) {
          try {
            const rows = await bench.sql(name, "SELECT id FROM _tenantry_migrations ORDER BY seq");
            return rows.map(({ id }) => String(id));
          } catch {
            return [];
          }
        },
      });
    });
  } finally {
    for (const child of running) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

function follow(child: ChildProcess, shown: (ended: Ended) => Ended): Running {
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  const heard = (): void => listeners.forEach((listener) => listener());
  child.stdout!.setEncoding("utf8").on("data", (text: string) => ((stdout += text), heard()));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => ((stderr += text), heard()));
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve(shown({ code: code ?? -1, stdout, stderr })));
  });
  return {
    child,
    ended,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.test(stdout)) resolve();
        };
        listeners.add(look);
        void ended.then(() => reject(new Error(`It never said ${text}: ${stdout}${stderr}`)));
        look();
      }),
  };
}

/** Two files that every tenant takes. */
export const init = { "0001_init.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n" };
export const done = { "0002_done.sql": "-- who did it\nALTER TABLE notes ADD COLUMN done INTEGER;\n" };

export const byFlags = ["--migrations", "migrations", "--template", "app", "--tenants"];
export const head = (migrations: number, tenants: number): string[] => [
  "Platform PLATFORM (TENANTRY_PLATFORM).",
  `Template app: ${migrations} migration${migrations === 1 ? "" : "s"} in migrations, ${tenants} tenant${tenants === 1 ? "" : "s"}.`,
  "",
];
export const lines = (text: string): string[] => text.trimEnd().split("\n");
export const full = "█".repeat(40);

/** What a stack's state has of tenants that follow a template. */
export const followers = (ref: string, names: readonly string[], labels: Record<string, object> = {}) =>
  Object.fromEntries(
    names.map((name) => [`TenantDatabase ${name}`, { name, group: "eu", schema: ref, labels: labels[name] }]),
  );
export const ids = (outputs: object): Record<string, string> =>
  Object.fromEntries(Object.keys(outputs).map((key) => [key, key]));
export const declares = ({ knows }: SchemaScene, outputs: Record<string, object>) =>
  knows({ resources: ids(outputs), outputs });
