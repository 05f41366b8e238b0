#!/usr/bin/env node
import { Command } from "commander";
import { doctorCommand } from "./doctor";
import { fleetCommand } from "./fleet";
import { importCommand } from "./import";
import { eachCommand } from "./each";
import { keygenCommand } from "./keygen";
import { localCommand } from "./local";
import { manifestCommand } from "./manifest";
import { moveCommand } from "./move";
import { placeCommand } from "./place";
import { previewCommand } from "./preview";
import { orgCommand } from "./org";
import { readerCommands } from "./readers";
import { reapCommand } from "./reap";
import { registryCommand } from "./registry";
import { restoreCommand } from "./restore";
import { schemaCommand } from "./schema";
import { run } from "./run";
import { resumeCommand, suspendCommand } from "./suspend";
import { usageCommand } from "./usage";

const program = new Command("tenantry")
  .description("Fleets of per-tenant databases, declared in code and reconciled on `pulumi up`.")
  .addCommand(localCommand())
  .addCommand(doctorCommand())
  .addCommand(registryCommand())
  .addCommand(suspendCommand())
  .addCommand(resumeCommand())
  .addCommand(restoreCommand())
  .addCommand(reapCommand())
  .addCommand(previewCommand())
  .addCommand(moveCommand())
  .addCommand(placeCommand())
  .addCommand(importCommand())
  .addCommand(schemaCommand())
  .addCommand(manifestCommand())
  .addCommand(fleetCommand())
  .addCommand(eachCommand())
  .addCommand(usageCommand())
  .addCommand(orgCommand())
  .addCommand(keygenCommand());

for (const command of readerCommands()) program.addCommand(command);

// Whoever was told (`| head`, `| tee` at Ctrl-C, a closed terminal) may leave before the end: what was begun is still
// ended as it should be.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

void run(program);
