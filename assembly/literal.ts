// Literals of programs that own their memory: scripts/place-data.mjs stores a byte for the length and one per character.
// In: a literal of at most 255 ASCII characters. Out: its bytes. No other code may read a literal.

// @ts-ignore: decorator
@inline export function byteOf(literal: string, index: i32): u8 { return load<u8>(changetype<usize>(literal) + <usize>index); }
// @ts-ignore: decorator
@inline export function lengthOfLiteral(literal: string): i32 { return load<u8>(changetype<usize>(literal) - 1); }
