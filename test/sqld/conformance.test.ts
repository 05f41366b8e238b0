import { describeDriver } from "../suites/driver";
import { describeLife } from "../suites/driver-life";
import { describeWithSqld, serveSqld } from "../support/sqld";

describeWithSqld("libsql-server", () => {
  describeDriver("libsql-server", async () => {
    const sqld = await serveSqld();
    return { platform: sqld.platform(), location: "default", close: () => sqld.close() };
  });

  describeLife("libsql-server", async () => {
    const sqld = await serveSqld();
    return { platform: sqld.platform(), location: "default", close: () => sqld.close() };
  });

  // Fewer than the suite makes: the server closes and opens them as they are asked for.
  describeDriver("libsql-server, of whose namespaces few are open", async () => {
    const sqld = await serveSqld({ activeNamespaces: 8 });
    return { platform: sqld.platform(), location: "default", close: () => sqld.close() };
  });
});
