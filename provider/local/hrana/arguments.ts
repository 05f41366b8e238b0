import { StatementError } from "./fault";
import type { WireStatement } from "./protocol";
import { type EngineValue, toEngine } from "./value";

/**
 * The values to bind, one for each parameter of the statement. The engine's binding would silently bind NULL for what
 * is missing and ignore what is too many; a libSQL server refuses both.
 */
export function bindArguments(parameters: readonly (string | null)[], statement: WireStatement): EngineValue[] {
  const positional = statement.args ?? [];
  const named = statement.named_args ?? [];
  if (positional.length > 0 && named.length > 0) {
    throw new StatementError(
      "ARGS_BOTH_POSITIONAL_AND_NAMED",
      "Specifying both positional and named arguments is not supported",
    );
  }
  if (Math.max(positional.length, named.length) > parameters.length) {
    throw invalid(
      `too many parameters, expected ${parameters.length}, found ${Math.max(positional.length, named.length)}`,
    );
  }
  if (named.length === 0) {
    return parameters.map((name, index) => {
      const value = positional[index];
      if (value === undefined) throw invalid(`value for parameter ${name ?? index + 1} not found`);
      return toEngine(value);
    });
  }
  const byName = new Map(named.map(({ name, value }) => [name, value]));
  return parameters.map((name, index) => {
    // Clients send names with their prefix or without it.
    const value = name === null ? undefined : (byName.get(name) ?? byName.get(name.slice(1)));
    if (value === undefined) throw invalid(`value for parameter ${name ?? index + 1} not found`);
    return toEngine(value);
  });
}

function invalid(text: string): StatementError {
  return new StatementError("ARGS_INVALID", `Arguments do not match SQL parameters: ${text}`);
}
