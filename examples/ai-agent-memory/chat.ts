import path from "node:path";
import { createTenantry } from "tenantry/client";
import { bagOfWords } from "./embedding";
import { openMemory } from "./memory";

// Platform, organization and token come from the environment: TENANTRY_PLATFORM and so on.
const tenantry = createTenantry({
  group: "eu",
  access: "full-access",
  templates: { memory: path.join(__dirname, "migrations") },
});

async function chat(): Promise<void> {
  const ada = await openMemory(tenantry, "agent-of-ada", bagOfWords);
  await ada.remember("Ada takes her coffee black");
  await ada.remember("The meeting with the bank is on Tuesday");
  await ada.remember("Ada is allergic to peanuts");
  console.log(await ada.recall("when is the meeting with the bank", 1));

  const bob = await openMemory(tenantry, "agent-of-bob", bagOfWords);
  await bob.remember("Bob drinks tea");
  console.log(await bob.recall("when is the meeting with the bank"));
}

chat().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
