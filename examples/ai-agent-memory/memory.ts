import type { Tenantry } from "tenantry/client";

/** What an agent has been told, in a database of its own: nothing that one agent recalls was ever told to another. */
export interface Memory {
  remember(text: string): Promise<void>;
  /** What is nearest in meaning, nearest first. */
  recall(text: string, count?: number): Promise<string[]>;
}

/** A text as 64 numbers. Your model's embeddings go here, and their length into the migration. */
export type Embed = (text: string) => number[] | Promise<number[]>;

export async function openMemory(tenantry: Tenantry, agent: string, embed: Embed): Promise<Memory> {
  await tenantry.provision(agent, { template: "memory" });
  const connect = () => tenantry.connect({ subject: agent });
  const vector = async (text: string): Promise<string> => JSON.stringify(await embed(text));
  return {
    async remember(text) {
      const sql = "INSERT INTO memories (text, embedding) VALUES (?, vector32(?))";
      await (await connect()).execute({ sql, args: [text, await vector(text)] });
    },
    async recall(text, count = 3) {
      // The index finds the rows; their order is by the distance itself.
      const sql = `SELECT text FROM vector_top_k('memories_by_meaning', vector32(?1), ?2) AS near
        JOIN memories ON memories.rowid = near.id
        ORDER BY vector_distance_cos(embedding, vector32(?1))`;
      const { rows } = await (await connect()).execute({ sql, args: [await vector(text), count] });
      return rows.map((row) => String(row["text"]));
    },
  };
}
