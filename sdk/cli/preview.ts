import { Command } from "commander";
import { commentCommand } from "./preview/comment";
import { downCommand } from "./preview/down";
import { listCommand } from "./preview/list";
import { reapCommand } from "./preview/reap";
import { upCommand } from "./preview/up";

/** `tenantry preview up | down | list | reap | comment`: branches of tenants' databases for a pull request. */
export function previewCommand(): Command {
  return new Command("preview")
    .description("Branches of tenants' databases for a pull request, migrated to its schema, gone when it is closed.")
    .addCommand(upCommand())
    .addCommand(downCommand())
    .addCommand(listCommand())
    .addCommand(reapCommand())
    .addCommand(commentCommand());
}
