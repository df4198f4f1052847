// Names from models as text that can steer neither a terminal nor a page. In: any string. Out: the same without control characters.
// Must not import anything.

/** Control characters, among them the C1 ones that JSON.stringify lets through, and what reorders or breaks lines. */
export const UNSAFE_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export function printable(name: string, length = 60): string {
  const clean = name.replace(UNSAFE_CHARACTERS, '?');
  return clean.length > length ? `${clean.slice(0, length - 3)}...` : clean;
}
