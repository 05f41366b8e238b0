/** Makes a namespace of a libsql-server, by its admin API. */
export async function createNamespace(adminUrl: string, name: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const url = `${adminUrl}/v1/namespaces/${name}/create`;
  const answer = await fetch(url, { method: "POST", headers, body: "{}" });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`libsql-server answered ${answer.status} to the namespace ${name}`);
}
