import { Command } from "commander";
import { applyCommand } from "./schema/apply";
import { driftCommand } from "./schema/drift";
import { planCommand } from "./schema/plan";
import { releaseCommand } from "./schema/release";
import { statusCommand } from "./schema/status";
import { stopCommand } from "./schema/stop";

/** `tenantry schema plan | apply | stop | status | drift | release`: a template's migrations on the tenants that follow it. */
export function schemaCommand(): Command {
  return new Command("schema")
    .description("Roll a template's migrations out over its tenants, and see where each of them stands.")
    .addCommand(planCommand())
    .addCommand(applyCommand())
    .addCommand(stopCommand())
    .addCommand(statusCommand())
    .addCommand(driftCommand())
    .addCommand(releaseCommand());
}
