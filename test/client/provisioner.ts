// A process of its own that provisions one subject, many times at once. Arguments: address, token, subject, how often.
import { createTenantry } from "../../sdk/client";

const [url, token, subject, times] = process.argv.slice(2);
const tenantry = createTenantry({ platform: "local", apiUrl: url, token, group: "eu", access: "full-access" });

void Promise.all(Array.from({ length: Number(times) }, () => tenantry.provision(subject!))).then((all) => {
  const ids = [...new Set(all.map(({ database }) => database.id))];
  process.stdout.write(`${JSON.stringify({ ids, created: all.filter(({ created }) => created).length })}\n`);
});
