import { type FaultColumn, deadline, by, always, brief, json, echo, isSql } from "./situation";

/** The answer is no. */
export const refusals: readonly FaultColumn[] = [
  {
    name: "databases that never answer SQL (404)",
    meet: (situation) => (isSql(situation) ? { status: 404, text: echo(situation.request) } : situation.answer()),
    outcome: by({ others: "value", "sql-read": "not-ready", "sql-write": "not-ready", ready: "not-ready" }),
    time: [0, deadline],
  },
  {
    name: "databases that answer SQL after 20 s",
    meet: (situation) => {
      const late = isSql(situation) && situation.clock.now() < 20_000;
      return late ? { status: 404, text: echo(situation.request) } : situation.answer();
    },
    outcome: by({ others: "value", "sql-read": "not-ready", "sql-write": "not-ready" }),
    time: [0, 25_000],
  },
  {
    name: "401",
    meet: ({ request }) => json(401, echo(request)),
    outcome: by({ others: "credentials-rejected" }),
    extra: 1,
    time: [0, 0],
  },
  {
    name: "dropped after the effect, then 401",
    meet: ({ n, answer, request }) => (n === 1 ? (answer(), { fault: "drop" }) : json(401, echo(request))),
    outcome: by({
      others: "credentials-rejected?",
      "sql-write": "unreachable?",
      "sql-read": "credentials-rejected",
      ready: "credentials-rejected",
    }),
    extra: 2,
    time: [0, brief],
  },
  {
    name: "402",
    meet: ({ request }) => json(402, echo(request)),
    outcome: by({ others: "plan-refused" }),
    time: [0, 0],
  },
  {
    name: "403",
    meet: ({ request }) => json(403, echo(request)),
    outcome: by({ others: "forbidden", account: "value" }),
    time: [0, 0],
  },
  {
    name: "400",
    meet: ({ request }) => json(400, echo(request)),
    outcome: always("invalid-input", { "sql-read": "bad-answer", "sql-write": "bad-answer" }),
    time: [0, deadline],
  },
  {
    name: "a proxy's 404",
    meet: ({ request }) => ({ status: 404, text: `<h1>${echo(request)}</h1>` }),
    outcome: always("bad-answer", { "sql-read": "not-ready", "sql-write": "not-ready" }),
    time: [0, deadline],
  },
  {
    name: "a redirect",
    meet: ({ request }) => ({ status: 302, headers: { location: `https://elsewhere.invalid/?${echo(request)}` } }),
    outcome: always("bad-answer"),
    time: [0, deadline],
  },
];
