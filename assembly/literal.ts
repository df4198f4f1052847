// Literals of programs that own their memory, as bytes: scripts/pack-strings.mjs stores one byte per character.
// In: a literal of ASCII characters. Out: its bytes. No other code may read a literal's characters.

// @ts-ignore: decorator
@inline export function byteOf(literal: string, index: i32): u8 { return load<u8>(changetype<usize>(literal) + <usize>index); }
