// The client of the row local-query, in a process of its own: for each message { url, token, milliseconds } it reads
// single rows by key, several at a time, for so long, and answers { reads, milliseconds }.
import { createHash } from "node:crypto";
import type { Client } from "@libsql/client" with { "resolution-mode": "import" };

export interface Reading {
  readonly url: string;
  readonly token?: string;
  readonly milliseconds: number;
}

export const ROWS = 1_000;
const IN_FLIGHT = 16;

/** The text of a row; a reader checks that it got the one that it asked for. */
export const bodyOf = (id: number): string => createHash("sha256").update(String(id)).digest("hex");

async function read({ url, token, milliseconds }: Reading): Promise<{ reads: number; milliseconds: number }> {
  // An ES module only; everything here is CommonJS.
  const { createClient } = await import("@libsql/client");
  const client = createClient({ url, authToken: token });
  const began = performance.now();
  const until = began + milliseconds;
  let reads = 0;
  const reader = async (client: Client, first: number): Promise<void> => {
    for (let id = first; performance.now() < until; id = (id % ROWS) + 1) {
      const { rows } = await client.execute({ sql: "SELECT id, body FROM notes WHERE id = ?", args: [id] });
      if (rows[0]?.["body"] !== bodies[id]) throw new Error(`row ${id} of ${url} is not what was written`);
      reads += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => reader(client, i * 60 + 1)));
  } finally {
    client.close();
  }
  return { reads, milliseconds: performance.now() - began };
}

const bodies = Array.from({ length: ROWS + 1 }, (_, id) => bodyOf(id));

if (require.main === module) {
  process.on("message", (reading: Reading) => {
    read(reading).then(
      (done) => process.send?.(done),
      (error: Error) => process.send?.({ error: error.message }),
    );
  });
  process.on("disconnect", () => process.exit());
}
