/** What an application with this token sees: it may read, and is refused when it writes. */
export async function readAndTryToWrite(
  url: string,
  authToken: string,
): Promise<{ columns: string[]; refused: string }> {
  // An ES module only; everything here is CommonJS.
  const { createClient } = await import("@libsql/client");
  const client = createClient({ url, authToken });
  try {
    const { columns } = await client.execute("SELECT * FROM notes");
    const refused = await client.execute("INSERT INTO notes (body) VALUES ('hello')").then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (refused === undefined) throw new Error("the read-only token was allowed to write");
    return { columns, refused };
  } finally {
    client.close();
  }
}
