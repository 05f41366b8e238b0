import {
  type Document,
  LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
} from "yaml";
import { deepest, outOfBounds } from "./document-bounds";
import { type Place, type Problems, placeText } from "./problems";

type Path = readonly (string | number)[];

/** What a YAML or JSON text says, and where it says it. */
export interface ReadDocument {
  readonly value: unknown;
  /** The place of a property: of its key, or of the nearest thing around it that is there. */
  placeOf(path: Path): Place;
}

/** Values of one document, aliases resolved. A fleet of 20,000 tenants has about 200,000; a bomb ends here. */
const mostValues = 1_000_000;
const longest = 160;

/**
 * Reads YAML 1.2, of which JSON is a part. Keys are taken as they are written, so that `007:` is no 7. Repeated keys are
 * problems; undefined where the text is none of YAML.
 */
export function readDocument(file: string, text: string, problems: Problems): ReadDocument | undefined {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parse(text, lines, (offset, message) => problems.add(placeAt(offset), [], message));
  if (!document) return undefined;
  const reading = new Reading(placeAt, problems);
  const value = reading.read(document.contents, []);
  if (reading.gaveUp) return undefined;
  return { value, placeOf: (path) => placeAt(reading.offsetOf(path)) };
}

function parse(
  text: string,
  lineCounter: LineCounter,
  refuse: (offset: number, message: string) => void,
): Document.Parsed | undefined {
  const beyond = outOfBounds(text);
  if (beyond) {
    lineCounter.addNewLine(0);
    for (const match of text.slice(0, beyond.offset).matchAll(/\n/g)) lineCounter.addNewLine(match.index + 1);
    refuse(beyond.offset, beyond.message);
    return undefined;
  }
  let document: Document.Parsed;
  try {
    // Its own look for repeated keys compares each with each.
    document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(0, "it is nested too deeply.");
    return undefined;
  }
  const wrong = [...document.errors, ...document.warnings];
  for (const { message, pos } of wrong) refuse(pos[0], sentence(message));
  return wrong.length === 0 ? document : undefined;
}

/** The parser's words, which may repeat any length of the text. */
function sentence(text: string): string {
  if (/call stack/.test(text)) return "it is nested too deeply.";
  const line = text.length <= longest ? text : `${text.slice(0, longest)}...`;
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

const startOf = (node: Node | null | undefined): number => node?.range?.[0] ?? 0;

/** Turns nodes into plain values, and remembers of which node each map and each list came. */
class Reading {
  gaveUp = false;
  private values = 0;
  private readonly anchors = new Map<string, Node>();
  private readonly nodes = new WeakMap<object, YAMLMap | YAMLSeq>();
  private readonly indexes = new WeakMap<YAMLMap, Map<string, Pair>>();
  private root: unknown;

  constructor(
    private readonly placeAt: (offset: number) => Place,
    private readonly problems: Problems,
  ) {}

  private refuse(node: Node, path: Path, message: string): void {
    this.problems.add(this.placeAt(startOf(node)), path, message);
  }

  read(contents: ParsedNode | null, path: Path): unknown {
    return (this.root = this.valueOf(contents, path, 0));
  }

  private valueOf(node: unknown, path: Path, depth: number): unknown {
    if (this.gaveUp || !isNode(node)) return null;
    if (++this.values > mostValues) return this.giveUp(node, path, "its aliases make too much of it.");
    if (depth > deepest) return this.giveUp(node, path, "it is nested too deeply.");
    if (isAlias(node)) {
      const target = this.anchors.get(node.source);
      if (target) return this.valueOf(target, path, depth + 1);
      return this.giveUp(node, path, `there is no anchor "&${node.source}" before this.`);
    }
    if (node.anchor) this.anchors.set(node.anchor, node);
    if (isMap(node)) return this.mapOf(node, path, depth);
    if (isSeq(node)) return this.listOf(node, path, depth);
    return isScalar(node) ? node.value : null;
  }

  private giveUp(node: Node, path: Path, message: string): null {
    this.gaveUp = true;
    this.refuse(node, path.slice(0, 4), message);
    return null;
  }

  private listOf(node: YAMLSeq, path: Path, depth: number): unknown[] {
    const list = node.items.map((item, i) => this.valueOf(item, [...path, i], depth + 1));
    this.nodes.set(list, node);
    return list;
  }

  private mapOf(node: YAMLMap, path: Path, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    const index = new Map<string, Pair>();
    for (const pair of node.items) {
      const key = keyOf(pair.key);
      const keyNode = isNode(pair.key) ? pair.key : node;
      if (key === undefined || key === "__proto__") {
        this.refuse(keyNode, path, "it has a key that is no text.");
      } else if (index.has(key)) {
        const first = this.keyOffset(index.get(key)!, node);
        this.refuse(keyNode, [...path, key], `it is given twice; first in ${placeText(this.placeAt(first))}.`);
      } else {
        index.set(key, pair);
        map[key] = this.valueOf(pair.value, [...path, key], depth + 1);
      }
    }
    this.nodes.set(map, node);
    this.indexes.set(node, index);
    return map;
  }

  offsetOf(path: Path): number {
    let value: unknown = this.root;
    let offset = 0;
    for (const part of path) {
      const node = typeof value === "object" && value !== null ? this.nodes.get(value) : undefined;
      const next = node && this.within(node, part);
      if (next === undefined) break;
      offset = next;
      value = (value as Record<string | number, unknown>)[part];
    }
    return offset;
  }

  private keyOffset(pair: Pair, node: YAMLMap): number {
    return startOf(isNode(pair.key) ? pair.key : node);
  }

  private within(node: YAMLMap | YAMLSeq, part: string | number): number | undefined {
    if (isMap(node)) {
      const pair = this.indexes.get(node)?.get(String(part));
      return pair && this.keyOffset(pair, node);
    }
    const item = node.items[Number(part)];
    return isNode(item) ? startOf(item) : undefined;
  }
}

/** As it is written: a number or a `true` is a key like any other. */
function keyOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === "string") return key.value;
  return key.source && key.value !== null ? key.source : undefined;
}
