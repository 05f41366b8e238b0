/**
 * Runs `work` and, once it has lasted two seconds, writes a line every few seconds to standard error:
 * `label: 45 s (usually; detail)`. Standard output stays free for results.
 */
export function withProgress<T>(
  label: string,
  work: () => Promise<T>,
  options?: {
    /** How long it takes as a rule, such as "about 3 minutes". */
    usually?: string;
    /** What is happening now; asked at each line. */
    detail?: () => string;
    /** Default: standard error. */
    write?: (line: string) => void;
  },
): Promise<T>;
