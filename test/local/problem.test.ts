import assert from "node:assert/strict";
import { Hono } from "hono";
import { describe, it } from "mocha";
import { answerProblem, ApiProblem } from "../../provider/local/problem";

const answerTo = async (error: Error): Promise<[number, string]> => {
  const app = new Hono().get("/", () => {
    throw error;
  });
  const answer = await app.onError(answerProblem).request("/");
  return [answer.status, ((await answer.json()) as { error: string }).error];
};

describe("embedded platform: how problems are answered", () => {
  it("answers a refusal with its own status and text", async () => {
    assert.deepEqual(await answerTo(new ApiProblem(409, "taken")), [409, "taken"]);
  });

  const told: [string, string][] = [
    ["ENOENT: no such file, open '/home/me/some place/databases/x.db'", "ENOENT: no such file, open 'x.db'"],
    ["unable to open /home/me/x.db: busy", "unable to open x.db: busy"],
    ['Failed("local database file:///home/me/x.db?mode=rw: 14")', 'Failed("local database x.db?mode=rw: 14")'],
    ["local database file:///C:/Users/me/x.db", "local database x.db"],
    ["unable to open C:\\Users\\me\\x.db", "unable to open x.db"],
    ["cannot read http://127.0.0.1:80/v1/x, 1/2", "cannot read http://127.0.0.1:80/v1/x, 1/2"],
  ];
  for (const [message, text] of told) {
    it(`does not tell where files lie: ${text}`, async () => {
      assert.deepEqual(await answerTo(new Error(message)), [500, `internal error: ${text}`]);
    });
  }
});
