import { gzipSync } from "node:zlib";
import {
  type FaultColumn,
  attempts,
  deadline,
  brief,
  by,
  value,
  after,
  always,
  first,
  echo,
  html,
  isList,
  changed,
  lying,
  notUnderstood,
} from "./situation";

/** The answer says success, and is none. */
export const lies: readonly FaultColumn[] = [
  {
    name: "HTML with 200, after the effect, once",
    meet: first((situation) => (situation.answer(), html(situation))),
    outcome: after("bad-answer"),
    extra: 1,
    time: [0, brief],
  },
  {
    name: "HTML with 200, for ever",
    meet: html,
    outcome: always("bad-answer?"),
    extra: attempts.unreadable - 1,
    time: [0, deadline],
  },
  {
    name: "{} with 200",
    meet: () => ({ json: {} }),
    ...lying(
      notUnderstood(({ takesEmpty }) => takesEmpty === true),
      attempts.unreadable - 1,
    ),
    time: [0, deadline],
  },
  {
    name: "values of wrong types",
    meet: ({ answer }) => changed(answer(), (old) => (typeof old === "string" ? 7 : "seven")),
    ...lying(
      notUnderstood(({ takesAny }) => takesAny === true),
      attempts.unreadable - 1,
    ),
    time: [0, deadline],
  },
  {
    name: "another database or group in the answer",
    meet: ({ answer }) => changed(answer(), (old, key) => (/^name$/i.test(key) ? "another" : old)),
    ...lying(({ run }) => (/\.(get|create)(Database|Group|ApiToken)\(/.test(String(run)) ? "bad-answer?" : "value")),
  },
  {
    name: "success and an error at once",
    meet: ({ request }) => ({ json: { error: echo(request), done: true } }),
    ...lying(
      notUnderstood(({ kind }) => kind === "account"),
      attempts.unreadable - 1,
    ),
    time: [0, deadline],
  },
  {
    name: "lists without a word on pages",
    meet: (situation) => {
      const reply = situation.answer();
      return isList(situation) ? { json: { ...(reply.json as object), pagination: undefined } } : reply;
    },
    outcome: value,
    time: [0, 0],
  },
  {
    name: "a list whose next page is the same",
    meet: (situation) => {
      const reply = situation.answer();
      return isList(situation) ? { json: { ...(reply.json as object), pagination: { next: "0" } } } : reply;
    },
    outcome: ({ subject }) => (subject === "list databases" ? "bad-answer" : "value"),
    extra: 1,
    time: [0, 0],
  },
  {
    name: "a list of ever new pages",
    meet: (situation) => {
      const { n } = situation;
      if (!isList(situation)) return situation.answer();
      const databases = [{ Name: "a", DbId: "id-a", Hostname: "a.invalid" }];
      return { json: { databases, pagination: { next: String(n) } } };
    },
    outcome: ({ subject }) => (subject === "list databases" ? "bad-answer" : "value"),
    extra: 20,
    time: [0, 0],
  },
  {
    name: "a huge body, announced",
    meet: () => ({ text: "x".repeat(64), headers: { "content-length": String(2 ** 40) } }),
    outcome: by({ others: "bad-answer?" }),
    time: [0, 0],
  },
  {
    name: "a body without end",
    meet: () => ({ text: `"${"x".repeat(2 ** 20)}`, fault: "flood" }),
    outcome: by({ others: "bad-answer?" }),
    time: [0, 0],
  },
  {
    name: "a compressed bomb that nobody asked for",
    meet: () => ({ bytes: bomb, headers: { "content-encoding": "gzip", "content-type": "application/json" } }),
    outcome: always("bad-answer?"),
    extra: attempts.unreadable - 1,
    time: [0, deadline],
  },
];

const bomb = gzipSync(Buffer.alloc(2 ** 26, " "));
