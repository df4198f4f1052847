// The page without a network: registers the service worker, says when everything is kept, and offers a new version when one came.
// In: where to say it. Out: words, and a reload when the user asks for it.

import { say } from './elements.ts';

export async function startOffline(status: HTMLElement, update: HTMLButtonElement): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const workers = navigator.serviceWorker;
  try {
    const registration = await workers.register(new URL('./service-worker.js', import.meta.url), { type: 'classic' });
    const offer = (): void => { update.hidden = registration.waiting === null; };
    registration.addEventListener('updatefound', () => { registration.installing?.addEventListener('statechange', offer); });
    offer();
    update.addEventListener('click', () => {
      workers.addEventListener('controllerchange', () => { location.reload(); });
      registration.waiting?.postMessage('take over');
    });
    await workers.ready;
    say(status, 'Works offline from now on.');
  } catch {
    say(status, 'Not kept for offline use in this browser.');
  }
}
