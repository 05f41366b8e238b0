import { execFile } from "node:child_process";

/** A backend far away and a slow secrets provider fit in; a prompt that nobody sees does not. In ms. */
const patience = 60_000;

/** Why `pulumi` gave no answer, in a few words, for the middle of a sentence. */
export class NoAnswer extends Error {}

/** What `pulumi`, which must be on PATH, prints in the working folder. Fails with NoAnswer; asks nobody anything. */
export function askPulumi(args: readonly string[]): Promise<string> {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const whole = [...args, "--non-interactive", "--color", "never"];
  return new Promise((resolve, reject) => {
    execFile("pulumi", whole, { env, timeout: patience, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const missing = "code" in error && (error as NodeJS.ErrnoException).code === "ENOENT";
      const said = stderr
        .trim()
        .split("\n")
        .pop()
        ?.replace(/^error: /, "");
      reject(
        new NoAnswer(
          missing
            ? "pulumi is not on PATH"
            : error.killed
              ? `pulumi did not answer within ${patience / 1000} s`
              : said || "pulumi failed without a word",
        ),
      );
    });
  });
}
