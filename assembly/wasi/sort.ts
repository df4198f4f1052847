// Shell's sort with gaps of thirds. In: f64 numbers side by side. Out: the same, rising. Must not know what they are.

export function sort(numbers: usize, count: i32): void {
  let gap = 1;
  while (gap < count / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < count; i++) {
      const value = at(numbers, i);
      let k = i;
      for (; k >= gap && at(numbers, k - gap) > value; k -= gap) store<f64>(numbers + (<usize>k << 3), at(numbers, k - gap));
      store<f64>(numbers + (<usize>k << 3), value);
    }
  }
}
function at(numbers: usize, index: i32): f64 { return load<f64>(numbers + (<usize>index << 3)); }
