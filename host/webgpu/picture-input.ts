// Pictures straight into a network's input on the GPU: a shader scales and normalises what the browser copied into a texture, or a frame of a
// video where it lies, as kinglet/image does (docs/images.md), but rounds once where that rounds after each pass: samples differ by at
// most one of 255. In: what a page can draw, how it becomes numbers. Out: commands that fill a buffer's range. Must not know networks.

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

/** How a shader reads a picture: a frame comes multiplied by its alpha, as a browser would draw it. */
const readers = {
  copied: { type: 'texture_2d<f32>', colour: 'return textureLoad(picture, at, 0).rgb;' },
  frame: { type: 'texture_external', colour: 'let c = textureLoad(picture, at); return c.rgb / max(c.a, 1e-3);' },
} as const;
type Kind = keyof typeof readers;

/** WGSL of the whole module. */
export function pictureText(kind: Kind): string {
  return `
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
@group(0) @binding(1) var picture: ${readers[kind].type};
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
fn colour(at: vec2i) -> vec3f { ${readers[kind].colour} }
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
        total += weight * colour(vec2i(column, row));
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
}

/** Puts the dispatch that fills the input into a pass. */
export type DrawPicture = (pass: GPUComputePassEncoder) => void;

/** One per network: its texture is kept while pictures stay of one size. */
export class PictureInput {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<Kind, GPUComputePipeline>();
  readonly #params: GPUBuffer;
  readonly #target: BufferRange;
  #texture: GPUTexture | null = null;
  #bindGroup: GPUBindGroup | null = null;

  constructor(device: GPUDevice, target: BufferRange) {
    this.#device = device;
    this.#target = target;
    this.#params = device.createBuffer({ size: PARAM_BYTES, usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST, label: 'picture params' });
  }

  /** What comes back draws this picture in the same task as its submit. Throws ERR_IMAGE for a picture without pixels or larger than a texture. */
  async take(picture: GpuPicture, rule: PictureRule): Promise<DrawPicture> {
    const [width, height] = sizeOf(picture);
    const most = this.#device.limits.maxTextureDimension2D;
    if (!(width >= 1 && height >= 1 && width <= most && height <= most)) {
      throw new KingletError('ERR_IMAGE', `a picture of ${width}x${height} does not fit a texture (at most ${most} on each side)`);
    }
    this.#device.queue.writeBuffer(this.#params, 0, paramsOf(rule, width, height));
    if (this.#imported(picture)) {
      const pipeline = await this.#pipelineOf('frame');
      // Once more: what was imported expires with the task. Its bind group is the one thing that is made for each frame.
      return (pass) => { this.#encode(pass, rule, pipeline, this.#bind(pipeline, this.#imported(picture) ?? notReady())); };
    }
    const pipeline = await this.#pipelineOf('copied');
    await this.#copy(picture, this.#textureOf(width, height, pipeline));
    return (pass) => { this.#encode(pass, rule, pipeline, this.#bindGroup); };
  }

  /** A frame where it lies; null for other pictures, and where the browser has no way from this one to a shader. */
  #imported(picture: GpuPicture): GPUExternalTexture | null {
    if (!('displayWidth' in picture || 'videoWidth' in picture)) return null;
    try {
      return this.#device.importExternalTexture({ source: picture });
    } catch {
      return null;
    }
  }

  async #copy(picture: GpuPicture, texture: GPUTexture): Promise<void> {
    const copy = (source: GpuPicture): void => { this.#device.queue.copyExternalImageToTexture({ source }, { texture }, [texture.width, texture.height]); };
    try {
      copy(picture);
    } catch {
      // A browser that decodes video in software may have no way from a frame to a texture; a bitmap always has one.
      try {
        const bitmap = await createImageBitmap(picture);
        copy(bitmap);
        bitmap.close();
      } catch (cause) {
        notReady(cause);
      }
    }
  }

  async #pipelineOf(kind: Kind): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(kind);
    if (known) return known;
    const module = this.#device.createShaderModule({ code: pictureText(kind), label: `picture ${kind}` });
    const pipeline = await this.#device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' }, label: `picture ${kind}` });
    this.#pipelines.set(kind, pipeline);
    return pipeline;
  }

  #textureOf(width: number, height: number, pipeline: GPUComputePipeline): GPUTexture {
    if (this.#texture?.width === width && this.#texture.height === height) return this.#texture;
    this.#texture?.destroy();
    this.#texture = this.#device.createTexture({ size: [width, height], format: 'rgba8unorm', usage: TEXTURE_USAGE, label: 'picture' });
    this.#bindGroup = this.#bind(pipeline, this.#texture.createView());
    return this.#texture;
  }

  #bind(pipeline: GPUComputePipeline, picture: GPUBindingResource): GPUBindGroup {
    const entries = [{ buffer: this.#params }, picture, this.#target].map((resource, binding) => ({ binding, resource }));
    return this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  #encode(pass: GPUComputePassEncoder, rule: PictureRule, pipeline: GPUComputePipeline, bindGroup: GPUBindGroup | null): void {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...linear(rule.width * rule.height));
  }

  destroy(): void {
    this.#texture?.destroy();
    this.#params.destroy();
  }
}

function notReady(cause?: unknown): never {
  throw new KingletError('ERR_IMAGE', 'the picture is not ready, of another site, or no picture', { cause });
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
