enable f16;
struct Params {
  m: i32,
  n4: i32,
  k4: i32,
  x_pixel: i32,
  y_pixel: i32,
  low: f32,
  high: f32,
  x_at: i32,
  w_at: i32,
  y_at: i32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4h>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
fn row(m: i32) -> i32 {
  return p.x_at + m * p.x_pixel;
}
fn load(row: i32, m: i32, k: i32) -> vec4f {
  var v = x[row + k];
  return v;
}
fn store(m: i32, n: i32, sum: vec4f) {
  var v = clamp(sum, vec4f(p.low), vec4f(p.high));
  y[p.y_at + m * p.y_pixel + n] = v;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = i32(id.x);
  let m = i32(id.y) * 4;
  if (n >= p.n4 || m >= p.m) { return; }
  let bias = vec4f(w[p.w_at + n]);
  let m0 = min(m + 0, p.m - 1); let row0 = row(m0); var acc0 = bias;
  let m1 = min(m + 1, p.m - 1); let row1 = row(m1); var acc1 = bias;
  let m2 = min(m + 2, p.m - 1); let row2 = row(m2); var acc2 = bias;
  let m3 = min(m + 3, p.m - 1); let row3 = row(m3); var acc3 = bias;
  for (var k = 0; k < p.k4; k++) {
    let at = p.w_at + (4 * k + 1) * p.n4 + n;
    let w0 = vec4f(w[at]); let w1 = vec4f(w[at + p.n4]); let w2 = vec4f(w[at + 2 * p.n4]); let w3 = vec4f(w[at + 3 * p.n4]);
    let v0 = load(row0, m0, k); acc0 += v0.x * w0 + v0.y * w1 + v0.z * w2 + v0.w * w3;
    let v1 = load(row1, m1, k); acc1 += v1.x * w0 + v1.y * w1 + v1.z * w2 + v1.w * w3;
    let v2 = load(row2, m2, k); acc2 += v2.x * w0 + v2.y * w1 + v2.z * w2 + v2.w * w3;
    let v3 = load(row3, m3, k); acc3 += v3.x * w0 + v3.y * w1 + v3.z * w2 + v3.w * w3;
  }
  if (m + 0 < p.m) { store(m + 0, n, acc0); }
  if (m + 1 < p.m) { store(m + 1, n, acc1); }
  if (m + 2 < p.m) { store(m + 2, n, acc2); }
  if (m + 3 < p.m) { store(m + 3, n, acc3); }
}
