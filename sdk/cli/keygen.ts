import { Command } from "commander";
import { newSigningKey } from "../../provider/signing-key";

/** `tenantry keygen`: nothing but the key on standard output, so that it can be piped into where it is kept. */
export function keygenCommand(): Command {
  return new Command("keygen")
    .description(
      "Make a signing key for a libsql-server and print it: `npx tenantry keygen | pulumi config set --secret tenantry:signingKey`. " +
        "All tokens are signed with it, and without it none can be any more: keep it as long as the server.",
    )
    .action(() => void process.stdout.write(`${newSigningKey()}\n`));
}
