// The stage with its buttons: a photo (opened, dropped, pasted, the sample) or the camera goes in, what a network sees comes out.
// In: a place on the page and a way to look at a picture. Out: sights, with frames per second while the camera runs.
// Must not know which network looks.

import type { Sight } from './calls.ts';
import { Camera, hasSeveralCameras, type Facing } from './camera.ts';
import { find, showTrouble } from './elements.ts';
import { bitmapOf, samplePhoto } from './photo.ts';
import { Stage } from './stage.ts';
import { troubleOf } from './worker-line.ts';

export interface Eyes {
  /** Looks at a picture, which is given away; live ones must be quick. Null: there is nothing to look with yet. */
  readonly look: (picture: ImageBitmap, isLive: boolean) => Promise<Sight | null>;
  /** Null framesPerSecond: it was a photo. */
  readonly onSight: (sight: Sight, framesPerSecond: number | null) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Frames over which the rate is averaged. */
const RATE_FRAMES = 15;

export class Viewer {
  readonly #stage: Stage;
  readonly #camera: Camera;
  readonly #eyes: Eyes;
  readonly #cameraButton: HTMLButtonElement;
  readonly #flipButton: HTMLButtonElement;
  readonly #trouble: HTMLElement;
  #facing: Facing = 'user';
  #photo: ImageBitmap | null = null;
  /** Counts pictures chosen: a look at an older one is void. */
  #turn = 0;

  constructor(place: HTMLElement, eyes: Eyes) {
    place.append(find(document, '#viewer', HTMLTemplateElement).content.cloneNode(true));
    this.#eyes = eyes;
    this.#stage = new Stage(place);
    this.#camera = new Camera(this.#stage.video);
    this.#trouble = find(place, '[data-viewer-trouble]', HTMLElement);
    this.#cameraButton = find(place, '[data-camera]', HTMLButtonElement);
    this.#flipButton = find(place, '[data-flip]', HTMLButtonElement);
    const file = find(place, '[data-file]', HTMLInputElement);
    file.addEventListener('change', () => {
      const [chosen] = file.files ?? [];
      file.value = ''; // so that the same file can be chosen again
      if (chosen) void this.show(() => bitmapOf(chosen));
    });
    find(place, '[data-sample]', HTMLButtonElement).addEventListener('click', () => { void this.showSample(); });
    this.#cameraButton.addEventListener('click', () => { if (this.#camera.isOn) this.stopCamera(); else void this.#startCamera(); });
    this.#flipButton.addEventListener('click', () => {
      this.#facing = this.#facing === 'user' ? 'environment' : 'user';
      void this.#startCamera();
    });
  }

  get hasPhoto(): boolean {
    return this.#photo !== null;
  }

  showSample(): Promise<void> {
    return this.show(samplePhoto);
  }

  showFile(file: Blob): Promise<void> {
    return this.show(() => bitmapOf(file));
  }

  /** Shows a photo and looks at it. */
  async show(open: () => Promise<ImageBitmap>): Promise<void> {
    const turn = this.#begin();
    this.#setCamera(false);
    try {
      const photo = await open();
      if (turn !== this.#turn) return;
      this.#photo?.close();
      this.#photo = photo;
      this.#stage.showPhoto(photo);
      await this.lookAgain();
    } catch (error) {
      if (turn === this.#turn) showTrouble(this.#trouble, troubleOf(error));
    }
  }

  /** At the photo on the stage, for example with another network. */
  async lookAgain(): Promise<void> {
    if (!this.#photo || this.#camera.isOn) return;
    const turn = ++this.#turn;
    try {
      await this.#lookAt(await createImageBitmap(this.#photo), turn, null);
    } catch (error) {
      if (turn === this.#turn) this.#eyes.onTrouble(error);
    }
  }

  /** Forgets what the last network found. */
  clearBoxes(): void {
    if (this.#photo) this.#stage.showBoxes([], this.#photo);
  }

  stopCamera(): void {
    if (!this.#camera.isOn) return;
    this.#begin();
    this.#setCamera(false);
    if (this.#photo) {
      this.#stage.showPhoto(this.#photo);
      void this.lookAgain();
    } else {
      this.#stage.clear();
    }
  }

  async #startCamera(): Promise<void> {
    const turn = this.#begin();
    this.#cameraButton.disabled = true;
    try {
      if (!await this.#camera.start(this.#facing)) return;
      this.#setCamera(true);
      this.#stage.showVideo(this.#facing === 'user');
      this.#flipButton.hidden = !await hasSeveralCameras();
    } catch (error) {
      this.#setCamera(false);
      showTrouble(this.#trouble, troubleOf(error));
      return;
    } finally {
      this.#cameraButton.disabled = false;
    }
    await this.#watch(turn).catch((error: unknown) => {
      if (turn !== this.#turn) return;
      this.stopCamera();
      this.#eyes.onTrouble(error);
    });
  }

  async #watch(turn: number): Promise<void> {
    const ends: number[] = [];
    while (turn === this.#turn) {
      const frame = await this.#camera.frame();
      if (!frame) continue;
      const rate = ends.length > 1 ? (1000 * (ends.length - 1)) / (ends[ends.length - 1] - ends[0]) : null;
      await this.#lookAt(frame, turn, rate ?? 0);
      ends.push(performance.now());
      if (ends.length > RATE_FRAMES) ends.shift();
    }
  }

  async #lookAt(picture: ImageBitmap, turn: number, framesPerSecond: number | null): Promise<void> {
    const { width, height } = picture;
    const sight = await this.#eyes.look(picture, framesPerSecond !== null);
    if (turn !== this.#turn || !sight) return;
    this.#stage.showBoxes(sight.kind === 'boxes' ? sight.boxes : [], { width, height });
    this.#eyes.onSight(sight, framesPerSecond);
  }

  #begin(): number {
    showTrouble(this.#trouble, null);
    return ++this.#turn;
  }

  #setCamera(isOn: boolean): void {
    if (!isOn) this.#camera.stop();
    if (!isOn) this.#flipButton.hidden = true;
    this.#cameraButton.textContent = isOn ? 'Stop camera' : 'Camera';
  }
}
