/** Where lines are drawn: how wide they may be, and whether they may be in colour. */
export interface Style {
  readonly width: number;
  readonly colours: boolean;
}

export interface Screen extends Style {
  /** A terminal: what was drawn can be drawn over. Elsewhere each line stays. */
  readonly live: boolean;
  readonly write: (text: string) => void;
}

/** Without a terminal the width is always the same, so that what a pipeline keeps can be compared. */
const widthOfAFile = 80;
const narrowest = 40;

/** `NO_COLOR` (with any value) and `TERM=dumb` are respected. */
export function screenOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Screen {
  const isTerminal = Boolean(stream.isTTY);
  const live = isTerminal && env["TERM"] !== "dumb";
  return {
    live,
    colours: live && !env["NO_COLOR"],
    width: isTerminal ? Math.max(narrowest, stream.columns || widthOfAFile) : widthOfAFile,
    write: (text) => void stream.write(text),
  };
}

const codes = { green: 32, yellow: 33, red: 31, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof codes;

export const paint = ({ colours }: Pick<Style, "colours">, colour: Colour, text: string): string =>
  colours && text ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;

/**
 * The text on as many lines as it takes: parted at spaces for a terminal, so that nothing is cut, and one elsewhere. After
 * `most` lines it is cut after all.
 */
export function fold(text: string, { live }: { readonly live: boolean }, width: number, most = 5): string[] {
  const line = text.replace(/\s+/g, " ").trim();
  if (!live) return [line];
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width && lines.length < most - 1) {
    const space = rest.lastIndexOf(" ", width);
    const end = space > width / 3 ? space : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, clip(rest, width)];
}

/** On one line, cut where it does not fit. */
export function clip(text: string, width: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 3)).trimEnd()}...`;
}
