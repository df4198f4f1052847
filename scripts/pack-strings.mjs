// Packs the texts of a program to about half: bytes from 128 on stand for pairs of bytes, which may be such bytes again.
// In: ASCII texts. Out: the texts packed, and the table of pairs, two bytes each. assembly/literal.ts unpacks.
//
// The most frequent pair of neighbours gets the next byte, until none is worth its two bytes in the table (Gage, "A New Algorithm for
// Data Compression", 1994).

const FIRST = 128;

export function packStrings(texts) {
  const pairs = [];
  let packed = texts.map((text) => [...text]);
  while (pairs.length < 256 - FIRST) {
    const [pair, count] = mostFrequent(packed);
    if (count < 3) break;
    packed = packed.map((text) => replaced(text, pair, FIRST + pairs.length));
    pairs.push(pair);
  }
  return { packed: packed.map((text) => Buffer.from(text)), pairs: Buffer.from(pairs.flat()) };
}

/** The first of the most frequent ones, so that every build packs alike. Three equal bytes are one pair, not two. */
function mostFrequent(texts) {
  const counts = new Map();
  let best = [[], 0];
  for (const text of texts) {
    for (let i = 0, last = -1; i + 1 < text.length; i++) {
      const key = text[i] * 256 + text[i + 1];
      if (key === last) { last = -1; continue; }
      last = key;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  for (const [key, count] of counts) if (count > best[1]) best = [[key >> 8, key & 255], count];
  return best;
}

function replaced(text, [first, second], byte) {
  const out = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === first && text[i + 1] === second) { out.push(byte); i++; } else out.push(text[i]);
  }
  return out;
}
