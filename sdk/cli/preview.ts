import { Command } from "commander";
import { commentCommand } from "./preview/comment";

/** `tenantry preview comment`: branches of tenants' databases for a pull request. */
export function previewCommand(): Command {
  return new Command("preview")
    .description("Branches of tenants' databases for a pull request: what is told about them.")
    .addCommand(commentCommand());
}
