import { Command } from "commander";
import { planCommand } from "./fleet/plan";
import { showCommand } from "./fleet/show";
import { statusCommand } from "./fleet/status";
import { tokensCommand } from "./fleet/tokens";

/** `tenantry fleet plan | status | show | tokens`: a TenantFleet's tenants, for whoever operates it. */
export function fleetCommand(): Command {
  return new Command("fleet")
    .description("See what the next deploy does to a fleet's tenants and how they stand, and mint tokens for them.")
    .addCommand(planCommand())
    .addCommand(statusCommand())
    .addCommand(showCommand())
    .addCommand(tokensCommand());
}
