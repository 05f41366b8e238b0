// All stacks side by side, a `pulumi` process each: npm run deploy, npm run deploy -- preview, npm run deploy -- destroy
import { availableParallelism } from "node:os";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { stacks } from "./shards";

/** As many at once as there are processors; more machines: .github/workflows/shards.yaml. */
const atOnce = availableParallelism();

const verbs: Record<string, (stack: Stack, onOutput: (text: string) => void) => Promise<unknown>> = {
  up: (stack, onOutput) => stack.up({ onOutput, suppressProgress: true }),
  preview: (stack, onOutput) => stack.preview({ onOutput, suppressProgress: true }),
  destroy: (stack, onOutput) => stack.destroy({ onOutput, suppressProgress: true }),
};

async function deploy(verb = "up"): Promise<void> {
  const run = verbs[verb];
  if (!run) throw new Error(`${verb} is none of ${Object.keys(verbs).join(", ")}.`);
  const failed: string[] = [];
  const work = async (waiting: string[]): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      // One shard that fails holds up no other; the next deploy does what is left.
      await deployOne(name, run).catch((error: unknown) => {
        failed.push(name!);
        console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  };
  const names = Object.keys(stacks);
  // Those that make groups before those that use groups of others, and the other way round where all of it goes.
  const rounds = [true, false].map((makes) => names.filter((name) => stacks[name]!.groups.length > 0 === makes));
  for (const waiting of verb === "destroy" ? rounds.reverse() : rounds) {
    await Promise.all(Array.from({ length: atOnce }, () => work(waiting)));
  }
  if (failed.length > 0) throw new Error(`${verb} failed for ${failed.join(", ")}.`);
}

async function deployOne(stackName: string, run: (typeof verbs)[string]): Promise<void> {
  const stack = await LocalWorkspace.createOrSelectStack({ stackName, workDir: __dirname });
  let line = "";
  await run(stack, (text) => {
    const lines = (line + text).split("\n");
    line = lines.pop()!;
    for (const whole of lines) if (whole.trim() !== "") console.log(`${stackName}: ${whole}`);
  });
}

deploy(...process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
