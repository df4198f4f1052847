// The camera. In: which side of the device. Out: a playing video and its frames, or a Refusal that says what to do.
// Must not know what is done with frames.

import { Refusal } from './worker-line.ts';

export type Facing = 'user' | 'environment';

/** Longest side of a frame that is looked at. */
const FRAME_SIDE = 640;

const explained: Readonly<Record<string, readonly [string, string]>> = {
  NotAllowedError: ['the camera may not be used', 'Allow it in the browser’s settings for this page, and in the system’s privacy settings. A photo works without.'],
  NotFoundError: ['no camera was found', 'Connect one, or open a photo instead.'],
  NotReadableError: ['the camera is in use', 'Close the other program that uses it, or open a photo instead.'],
  OverconstrainedError: ['there is no such camera', 'Use the other one, or open a photo instead.'],
};

function refusal(error: unknown): Refusal {
  const name = error instanceof DOMException ? error.name : '';
  const [sentence, hint] = explained[name] ?? ['the camera did not start', 'Open a photo instead.'];
  return new Refusal({ code: name, sentence, hint });
}

export class Camera {
  readonly #video: HTMLVideoElement;
  #stream: MediaStream | null = null;
  /** Counts starts and stops: an answer to an older one is void. */
  #turn = 0;
  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  get isOn(): boolean {
    return this.#stream !== null;
  }

  /** Resolves when the first frame is there; false when it was stopped meanwhile. Throws a Refusal. */
  async start(facing: Facing): Promise<boolean> {
    this.stop();
    const turn = this.#turn;
    if (!('mediaDevices' in navigator)) throw new Refusal({ code: '', sentence: 'this page may not use a camera', hint: 'Browsers give it to https pages and to localhost only.' });
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } } });
    } catch (error) {
      throw refusal(error);
    }
    if (turn !== this.#turn) {
      end(stream);
      return false;
    }
    this.#stream = stream;
    this.#video.srcObject = stream;
    await this.#video.play().catch(() => undefined); // a stop before the first frame interrupts it
    return turn === this.#turn;
  }

  stop(): void {
    this.#turn++;
    if (this.#stream) end(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** The next frame that the camera has not delivered before; null when it was stopped. */
  async frame(): Promise<ImageBitmap | null> {
    const turn = this.#turn, video = this.#video;
    await new Promise<void>((resolve) => {
      if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(() => { resolve(); });
      else requestAnimationFrame(() => { resolve(); });
      setTimeout(resolve, 1000); // a camera that was stopped delivers nothing
    });
    if (turn !== this.#turn || video.videoWidth === 0) return null;
    const scale = Math.min(1, FRAME_SIDE / Math.max(video.videoWidth, video.videoHeight));
    return createImageBitmap(video, { resizeWidth: Math.round(video.videoWidth * scale), resizeHeight: Math.round(video.videoHeight * scale), resizeQuality: 'low' });
  }
}

function end(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** More than one camera: worth a button. Labels and counts are known only after permission. */
export async function hasSeveralCameras(): Promise<boolean> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === 'videoinput').length > 1;
}
