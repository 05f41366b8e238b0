/**
 * The program of a process that runs SQL for the embedded platform. SQL is kept out of the platform's own process,
 * because the engine's binding blocks the thread that calls it, and ends the process on some results, such as a text
 * that is not UTF-8.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { StatementError } from "../hrana/fault";
import { checkFile } from "../hrana/open-file";
import { type Answer, createPipelines, type Target } from "../hrana/pipeline";
import type { Call, FromProcess, Part, ProcessOptions, ToProcess, Verb } from "./message";

// Long parts would hold up the channel for others, short ones cost a message each.
const partLength = 64 * 1024;
/** A reader that takes nothing for so long has gone: its transaction may keep others from writing. In ms. */
const readerPatience = 30_000;
/** How often what statements cost is told, ms. */
const usagePeriod = 200;

const options = JSON.parse(process.argv[2] ?? "{}") as ProcessOptions;
// Whoever does not listen any more has died, and so will this process.
const say = (message: FromProcess): void => void process.send?.(message, undefined, undefined, () => undefined);

let waiting = 0;
const wait = (more: 1 | -1): void => say({ type: "waiting", requests: (waiting += more) });

const pipelines = createPipelines({
  ...options,
  batonKey: Buffer.from(options.batonKey, "base64"),
  onWait: (waits) => wait(waits ? 1 : -1),
  onExpired: (databaseId) => say({ type: "streams", databaseId, open: pipelines.streams(databaseId) }),
  onUsage: () => setTimeout(() => say({ type: "usage", usage: pipelines.usage.take() }), usagePeriod).unref(),
});

/** Readers of long answers, waiting for the word to go on; false: nobody wants the rest. */
const readers = new Map<number, (goOn: boolean) => void>();

const verbs: Record<Verb, (target: Target, body: string) => Promise<Answer>> = {
  pipeline: pipelines.pipeline,
  cursor: pipelines.cursor,
  dump: pipelines.dump,
  check: async ({ file }) => ({ status: 200, contentType: "text/plain", body: checkFile(file) }),
};

async function serve(n: number, verb: Verb, { body, ...target }: Call): Promise<void> {
  const answer = await verbs[verb](target, body).catch(brokenAnswer);
  const part = (text: string, isLast: boolean): Part => ({
    status: answer.status,
    contentType: answer.contentType,
    body: text,
    isLast,
    streams: pipelines.streams(target.databaseId),
  });
  const send = (text: string, isLast: boolean): void => say({ type: "answer", n, answer: part(text, isLast) });
  if (typeof answer.body === "string") return send(answer.body, true);
  let text = "";
  let begun = false;
  try {
    for await (const line of answer.body) {
      text += line;
      if (text.length < partLength) continue;
      send(text, false);
      begun = true;
      text = "";
      // A reader that comes back after all must not take what it has for the whole.
      if (!(await read(n))) throw new Error("nobody read it");
    }
    send(text, true);
  } catch (error) {
    const { status, contentType, body } = brokenAnswer(error);
    const streams = pipelines.streams(target.databaseId);
    // What has begun with 200 can only be cut off.
    say({ type: "answer", n, answer: { status, contentType, body, isLast: true, isBroken: begun, streams } });
  }
}

/** What fails costs the one who met it an answer, and nobody else anything. */
function brokenAnswer(error: unknown): Answer & { body: string } {
  const [message, code] =
    error instanceof StatementError
      ? [error.message, error.code]
      : [`internal error: ${error instanceof Error ? error.message : String(error)}`, "INTERNAL_ERROR"];
  return { status: 500, contentType: "application/json", body: JSON.stringify({ message, code }) };
}

/** Waits until the reader has taken a part. */
async function read(n: number): Promise<boolean> {
  let late: NodeJS.Timeout | undefined;
  const taken = new Promise<boolean>((resolve) => {
    readers.set(n, resolve);
    late = setTimeout(() => resolve(false), readerPatience);
  });
  wait(1);
  const goOn = await taken;
  clearTimeout(late);
  readers.delete(n);
  wait(-1);
  return goOn;
}

process.on("message", (message: ToProcess) => {
  switch (message.type) {
    case "ask":
      void serve(message.n, message.verb, message.call);
      break;
    case "more":
    case "stop":
      readers.get(message.n)?.(message.type === "more");
      break;
    case "forget":
      pipelines.forget(message.databaseId);
      say({ type: "streams", databaseId: message.databaseId, open: pipelines.streams(message.databaseId) });
      say({ type: "forgotten", n: message.n });
  }
});

say({ type: "waiting", requests: 0 });

// Ctrl-C reaches every process of a terminal: requests under way are still to be answered.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.once("disconnect", () => process.exit());
// A statement that never ends would not let this thread notice that its platform is gone.
new Worker(join(__dirname, "orphan-watch.js"), {
  workerData: { parent: process.ppid },
  stdout: true,
  stderr: true,
}).unref();
