import assert from "node:assert/strict";
import { type Page, pages } from "../../provider/http/pagination";

describe("pagination", () => {
  const options = { key: String, where: "the list of numbers" };
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
    for await (const item of pages(source(asked), options)) items.push(item);
    assert.deepEqual(items, [1, 2, 3]);
    assert.deepEqual(asked, [undefined, "b", "c"]);
  });

  it("asks only as far as it is iterated", async () => {
    const asked: (string | undefined)[] = [];
    for await (const item of pages(source(asked), options)) if (item === 1) break;
    assert.deepEqual(asked, [undefined]);
  });

  const circles: [string, (asked: number) => Page<number>, number][] = [
    ["to the same page again", () => ({ items: [1], next: "again" }), 2],
    ["to new pages with the same items", (asked) => ({ items: [1], next: String(asked) }), 21],
    ["to new pages with no items", (asked) => ({ items: [], next: String(asked) }), 20],
  ];
  for (const [how, page, requests] of circles) {
    it(`refuses to be sent for ever ${how}`, async () => {
      let asked = 0;
      const endless = pages(async () => page(++asked), options);
      await assert.rejects(
        async () => {
          for await (const item of endless) assert.equal(item, 1);
        },
        { code: "bad-answer", message: /^the list of numbers: the list does not end: / },
      );
      assert.equal(asked, requests);
    });
  }
});
