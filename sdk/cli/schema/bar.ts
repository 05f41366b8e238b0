import { type Colour, type Style, paint } from "./screen";

/** A share of a whole as a bar of so many characters: something is never drawn as nothing, nor a part as the whole. */
export function bar(part: number, whole: number, width: number, style: Pick<Style, "colours">, colour: Colour): string {
  const exact = whole === 0 ? 0 : (part / whole) * width;
  const full = part === 0 ? 0 : part >= whole ? width : Math.min(width - 1, Math.max(1, Math.round(exact)));
  return `${paint(style, colour, "█".repeat(full))}${paint(style, "grey", "░".repeat(width - full))}`;
}

/** "41.7 %"; "100 %" and "0 %" only where it is exactly that. */
export function percent(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0 %";
  if (part >= whole) return "100 %";
  const share = (part / whole) * 100;
  if (share < 0.1) return "<0.1 %";
  return share > 99.9 ? ">99.9 %" : `${share.toFixed(1)} %`;
}
