// `npm run quickstart`: a real engine declares tenant databases on the embedded platform. Nothing leaves this machine.
import path from "node:path";
import { findEngine } from "./engine/find-engine";
import { editProject, FOLDER, freshProject, PLATFORM_FOLDER, relative } from "./quickstart/project";
import { createPulumi, PASSPHRASE, settings, STACK, type Pulumi, type Step } from "./quickstart/pulumi";
import { readAndTryToWrite } from "./quickstart/query";
import { table } from "./quickstart/table";

interface Outputs {
  token: string;
  fleet: { name: string; schema: string; url: string }[];
}

/** In a variable: the type check must not need a build. */
const BUILT_PLATFORM: string = "tenantry/local";

const say = (text: string) => void process.stdout.write(`${text}\n`);
let chapters = 0;
const chapter = (title: string) => say(`\n${++chapters}. ${title}`);

async function main(): Promise<void> {
  const engine = await findEngine();
  await freshProject();
  let calls = 0;
  // The built package, as a user has it; its source would be a second copy of the same code.
  const { startLocalPlatform } = (await import(BUILT_PLATFORM)) as typeof import("../provider/local");
  chapter("The embedded platform: the Turso Platform API and libSQL over HTTP, on files in this folder");
  const platform = await startLocalPlatform({ directory: PLATFORM_FOLDER, onRequest: () => void calls++ });
  // Ctrl-C: the engine gets it too and ends by itself; the platform must not leave its lock behind.
  process.once("SIGINT", () => void platform.close().finally(() => process.exit(130)));
  try {
    say(`   ${platform.url}  (data in ${relative(PLATFORM_FOLDER)})`);
    const pulumi = createPulumi(engine, (text) => void process.stdout.write(text));
    await story(pulumi, () => calls);
  } finally {
    await platform.close();
  }
  goOn();
}

async function story(pulumi: Pulumi, calls: () => number): Promise<void> {
  chapter("pulumi up: a group, a schema template with two migrations, three tenants, a read-only token");
  say(`   program: ${relative(FOLDER)}/index.ts, a copy of examples/quickstart`);
  say(`   state: plain files in the same folder, secrets in it encrypted with the passphrase "${PASSPHRASE}"`);
  await pulumi.quiet(["stack", "init", STACK]);
  await pulumi.up();

  chapter("An application connects to a tenant with its token (@libsql/client)");
  const first = await outputsOf(pulumi);
  const tenant = first.fleet[0]!;
  const { columns, refused } = await readAndTryToWrite(tenant.url, first.token);
  say(`   ${tenant.name}: SELECT * FROM notes    -> columns ${columns.join(", ")}`);
  say(`   ${tenant.name}: INSERT INTO notes ...  -> refused: ${refused}`);

  chapter("pulumi up again, nothing changed");
  const atStart = calls();
  await pulumi.quiet(["preview"]);
  const atPreview = calls();
  await pulumi.up();
  const [looking, applying] = [atPreview - atStart, calls() - atPreview];
  say(`   API calls to apply nothing: ${applying || "none"} (its preview reads: ${looking || "none"})`);

  chapter("A change in the editor");
  for (const line of await editProject()) say(`   ${line}`);
  await pulumi.show(["preview", "--suppress-outputs", "--suppress-progress"]);
  const steps = await pulumi.up();
  say("   Only these changed:");
  for (const op of ["create", "update"]) say(`     ${op}d: ${named(steps, op)}`);
  say(`     left alone: ${named(steps, "same")}`);

  chapter("The tenants");
  const { fleet } = await outputsOf(pulumi);
  process.stdout.write(table({ name: "NAME", schema: "SCHEMA", url: "URL" }, fleet));
}

async function outputsOf(pulumi: Pulumi): Promise<Outputs> {
  return JSON.parse(await pulumi.quiet(["stack", "output", "--json", "--show-secrets"])) as Outputs;
}

const named = (steps: Step[], op: string) =>
  steps
    .filter((step) => step.op === op)
    .map(({ name }) => name)
    .join(", ") || "nothing";

function goOn(): void {
  const up = path.relative(FOLDER, path.resolve(__dirname, ".."));
  say(`
To go on by hand (a platform in one terminal, the rest in another):
    cd ${relative(FOLDER)}
    npx tenantry local
    cd ${relative(FOLDER)}
    export PATH="$(npm run -s engine --prefix ${up}):$PATH"`);
  for (const [name, value] of Object.entries(settings())) say(`    export ${name}=${value}`);
  say(`    pulumi up --stack ${STACK}

To clean up (everything is in this folder; running the quickstart again starts afresh):
    rm -r ${relative(FOLDER)}`);
}

main().catch((error: Error) => {
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
});
