// Pictures straight into a network's input on the GPU: the browser copies what it shows into a texture, a shader scales and normalises it
// as kinglet/image does (docs/images.md), but rounds once where that rounds after each pass: samples differ by at most one of 255.
// In: what a page can draw, how it becomes numbers. Out: commands that fill a buffer's range. Must not know networks.

import { KingletError } from '../error.ts';
import type { Region } from '../image/region.ts';
import type { Target } from '../image/resampler.ts';
import { linear, linearMain } from './dispatch.ts';
import type { BufferRange } from './gpu-program.ts';
import { bufferUsage } from './webgpu-constants.ts';

/** Whatever WebGPU copies into textures. */
export type GpuPicture = GPUCopyExternalImageSource;
/** The network's input and how samples become its numbers; `region` of the picture fills it, black where it reaches outside. */
export interface PictureRule extends Omit<Target, 'scale' | 'zeroPoint'> {
  readonly region: Region;
}

/** GPUTextureUsage by value: COPY_DST, TEXTURE_BINDING, RENDER_ATTACHMENT, which copyExternalImageToTexture asks for. */
const TEXTURE_USAGE = 2 | 4 | 16;
const PARAM_BYTES = 96;

const text = `
struct Params {
  origin: vec2f,
  step: vec2f,
  mean: vec4f,
  deviation: vec4f,
  size: vec2i,
  source: vec2i,
  channels: i32,
  pixel: i32,
  channel: i32,
  swap: i32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var picture: texture_2d<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
${linearMain}
  if (i >= p.size.x * p.size.y) { return; }
  let centre = p.origin + (vec2f(f32(i % p.size.x), f32(i / p.size.x)) + 0.5) * p.step;
  let reach = max(vec2f(1.0), p.step);
  let low = max(vec2i(0), vec2i(centre - reach + 0.5));
  let high = min(p.source, vec2i(centre + reach + 0.5));
  var total = vec3f();
  var weights = 0.0;
  if (all(centre >= vec2f(0.0)) && all(centre <= vec2f(p.source))) {
    for (var row = low.y; row < high.y; row++) {
      let down = max(0.0, 1.0 - abs(f32(row) + 0.5 - centre.y) / reach.y);
      for (var column = low.x; column < high.x; column++) {
        let weight = down * max(0.0, 1.0 - abs(f32(column) + 0.5 - centre.x) / reach.x);
        total += weight * textureLoad(picture, vec2i(column, row), 0).rgb;
        weights += weight;
      }
    }
  }
  var sample = floor(total * (255.0 / max(weights, 1e-20)) + 0.5);
  if (p.channels == 1) {
    // ITU-R BT.601, in 16-bit fixed point as Pillow has it.
    sample = vec3f(floor(dot(sample, vec3f(19595.0, 38470.0, 7471.0)) / 65536.0 + 0.5));
  }
  if (p.swap == 1) { sample = sample.bgr; }
  let value = (sample - p.mean.xyz) / p.deviation.xyz;
  for (var c = 0; c < p.channels; c++) { y[i * p.pixel + c * p.channel] = value[c]; }
}`;

/** One per network: its texture is kept while pictures stay of one size. */
export class PictureInput {
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #params: GPUBuffer;
  readonly #target: BufferRange;
  #texture: GPUTexture | null = null;
  #bindGroup: GPUBindGroup | null = null;

  static async create(device: GPUDevice, target: BufferRange): Promise<PictureInput> {
    const module = device.createShaderModule({ code: text, label: 'picture input' });
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' }, label: 'picture input' });
    return new PictureInput(device, pipeline, target);
  }

  private constructor(device: GPUDevice, pipeline: GPUComputePipeline, target: BufferRange) {
    this.#device = device;
    this.#pipeline = pipeline;
    this.#target = target;
    this.#params = device.createBuffer({ size: PARAM_BYTES, usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST, label: 'picture params' });
  }

  /** Throws ERR_IMAGE for a picture without pixels or larger than a texture. */
  async upload(picture: GpuPicture, rule: PictureRule): Promise<void> {
    const [width, height] = sizeOf(picture);
    const most = this.#device.limits.maxTextureDimension2D;
    if (!(width >= 1 && height >= 1 && width <= most && height <= most)) {
      throw new KingletError('ERR_IMAGE', `a picture of ${width}x${height} does not fit a texture (at most ${most} on each side)`);
    }
    const texture = this.#textureOf(width, height);
    this.#device.queue.writeBuffer(this.#params, 0, paramsOf(rule, width, height));
    const copy = (source: GpuPicture): void => { this.#device.queue.copyExternalImageToTexture({ source }, { texture }, [width, height]); };
    try {
      copy(picture);
    } catch {
      // A browser that decodes video in software may have no way from a frame to a texture; a bitmap always has one.
      try {
        const bitmap = await createImageBitmap(picture);
        copy(bitmap);
        bitmap.close();
      } catch (cause) {
        throw new KingletError('ERR_IMAGE', 'the picture is not ready, of another site, or no picture', { cause });
      }
    }
  }

  encode(pass: GPUComputePassEncoder, rule: PictureRule): void {
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    pass.dispatchWorkgroups(...linear(rule.width * rule.height));
  }

  #textureOf(width: number, height: number): GPUTexture {
    if (this.#texture?.width === width && this.#texture.height === height) return this.#texture;
    this.#texture?.destroy();
    const texture = this.#device.createTexture({ size: [width, height], format: 'rgba8unorm', usage: TEXTURE_USAGE, label: 'picture' });
    const entries = [{ buffer: this.#params }, texture.createView(), this.#target].map((resource, binding) => ({ binding, resource }));
    this.#bindGroup = this.#device.createBindGroup({ layout: this.#pipeline.getBindGroupLayout(0), entries });
    return this.#texture = texture;
  }

  destroy(): void {
    this.#texture?.destroy();
    this.#params.destroy();
  }
}

function sizeOf(picture: GpuPicture): [number, number] {
  if ('displayWidth' in picture) return [picture.displayWidth, picture.displayHeight];
  if ('videoWidth' in picture) return [picture.videoWidth, picture.videoHeight];
  if ('naturalWidth' in picture) return [picture.naturalWidth, picture.naturalHeight];
  return [picture.width, picture.height];
}

function paramsOf({ region, width, height, channels, layout, blueFirst, mean, std }: PictureRule, sourceWidth: number, sourceHeight: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(PARAM_BYTES));
  const floats = (at: number, values: readonly number[]): void => { values.forEach((value, i) => { view.setFloat32(at + 4 * i, value, true); }); };
  const planar = layout === 'NCHW';
  floats(0, [region.x, region.y, region.width / width, region.height / height]);
  floats(16, [0, 1, 2].map((c) => mean[c] ?? mean[0]));
  floats(32, [0, 1, 2].map((c) => std[c] ?? std[0]));
  [width, height, sourceWidth, sourceHeight, channels, planar ? 1 : channels, planar ? width * height : 1, Number(blueFirst)]
    .forEach((value, i) => { view.setInt32(48 + 4 * i, value, true); });
  return view.buffer;
}
