const said = new Set<string>();

/**
 * Whether a server that tests run on can be had. Where it cannot, they are left out, and that is said once; in a pipeline
 * it is a failure, or nobody would notice.
 */
export async function canHave(title: string, find: () => Promise<unknown>): Promise<boolean> {
  try {
    await find();
    return true;
  } catch (error) {
    if (process.env["CI"]) throw error;
    if (!said.has(title)) process.stderr.write(`\n    SKIPPED, not tested: ${title}. ${(error as Error).message}\n\n`);
    said.add(title);
    return false;
  }
}
