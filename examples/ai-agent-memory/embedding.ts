/** Stands for a model: texts with words in common are near each other. Sixty-four numbers, of length one. */
export function bagOfWords(text: string): number[] {
  const counts = new Array<number>(64).fill(0);
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    let hash = 0;
    for (const character of word) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003;
    counts[hash % 64]! += 1;
  }
  const length = Math.hypot(...counts) || 1;
  return counts.map((count) => count / length);
}
