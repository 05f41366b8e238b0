import { randomInt } from "node:crypto";
import { type Kill, describeKill, killAt, killsAtEveryStep, randomOf } from "./kill-points";
import { type Phase, phases } from "./kill-scene";
import { type KillStage, withKillStage } from "./kill-stage";

/** What the random kills follow from: the environment's, else one that nobody has had before. */
export const killSeed = Number(process.env["TENANTRY_KILL_SEED"] || randomInt(1_000_000));

/** A kill at each step that an unharmed run of the phase takes. */
export async function playEveryStep(phase: Phase): Promise<void> {
  await withKillStage(async (stage) => playAll(stage, killsAtEveryStep(phase, await stage.dryRun(phase))));
}

export async function playRandom(count: number, seed: number): Promise<void> {
  const random = randomOf(seed);
  await withKillStage(async (stage) => {
    const requests = new Map<Phase, number>();
    for (const phase of phases) requests.set(phase, (await stage.dryRun(phase)).length);
    const kills = Array.from({ length: count }, (_, i) => {
      const phase = phases[Math.floor(random() * phases.length)]!;
      return killAt(random, phase, requests.get(phase)!, i % 5 === 0);
    });
    await playAll(stage, kills);
  });
}

/** All of them, also after a failure: which ones fail says more than that one does. */
async function playAll(stage: KillStage, kills: readonly Kill[]): Promise<void> {
  const failures: string[] = [];
  const started = Date.now();
  let longest = 0;
  for (const kill of kills) {
    const since = Date.now();
    try {
      const { outlived } = await stage.play(kill);
      longest = Math.max(longest, outlived);
      if (process.env["TENANTRY_KILL_LOG"]) console.log(`${describeKill(kill)}: ${Date.now() - since} ms`);
    } catch (error) {
      failures.push((error as Error).message);
      if (process.env["TENANTRY_KILL_LOG"]) console.log(`FAILED ${(error as Error).message}`);
    }
  }
  if (process.env["TENANTRY_KILL_LOG"]) {
    console.log(`${kills.length} kills in ${Date.now() - started} ms; a provider outlived its engine by ${longest} ms`);
  }
  if (failures.length > 0) throw new Error(`${failures.length} of ${kills.length} failed:\n\n${failures.join("\n\n")}`);
}
