import { Command } from "commander";
import { manifestJsonSchemaText } from "../manifest/json-schema";
import { diffCommand } from "./manifest/diff";
import { validateCommand } from "./manifest/validate";

/** `tenantry manifest validate | diff | schema`: a fleet's manifest, without a platform and without a stack. */
export function manifestCommand(): Command {
  return new Command("manifest")
    .description("Check a fleet's manifest, and see what a change of it means. Asks no platform and changes nothing.")
    .addCommand(validateCommand())
    .addCommand(diffCommand())
    .addCommand(schemaCommand());
}

function schemaCommand(): Command {
  return new Command("schema")
    .description("Print the JSON Schema of a manifest, for editors: tenants.schema.json of this package.")
    .action(() => void process.stdout.write(manifestJsonSchemaText()));
}
