import assert from "node:assert/strict";
import { pages } from "../../provider/http/pagination";

describe("pagination", () => {
  const book: Record<string, { items: number[]; next?: string }> = {
    start: { items: [1, 2], next: "b" },
    b: { items: [], next: "c" },
    c: { items: [3] },
  };
  const source = (asked: (string | undefined)[]) => async (cursor: string | undefined) => {
    asked.push(cursor);
    const { items, next } = book[cursor ?? "start"]!;
    return { items, next };
  };

  it("yields all items in order, past empty pages", async () => {
    const asked: (string | undefined)[] = [];
    const items: number[] = [];
    for await (const item of pages(source(asked))) items.push(item);
    assert.deepEqual(items, [1, 2, 3]);
    assert.deepEqual(asked, [undefined, "b", "c"]);
  });

  it("asks only as far as it is iterated", async () => {
    const asked: (string | undefined)[] = [];
    for await (const item of pages(source(asked))) if (item === 1) break;
    assert.deepEqual(asked, [undefined]);
  });

  it("refuses to go round in circles", async () => {
    const endless = pages(async () => ({ items: [1], next: "again" }));
    await assert.rejects(
      async () => {
        for await (const item of endless) assert.equal(item, 1);
      },
      { code: "bad-answer" },
    );
  });
});
