import { didYouMean } from "../../provider/platform/did-you-mean";
import { quoted } from "./problems";

/** Such as: there is no plan "proo"; did you mean "pro"? */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const guess = didYouMean(name, known);
  if (guess !== undefined) return `there is no ${what} ${quoted(name)}; did you mean ${quoted(guess)}?`;
  return `there is no ${what} ${quoted(name)}; ${known.length === 0 ? "none is declared" : `declared: ${someOf(known)}`}.`;
}

/** The first few. */
export const someOf = (names: readonly string[], most = 5): string =>
  names.length > most ? `${names.slice(0, most).join(", ")} and ${names.length - most} more` : names.join(", ");
