// Adapters that `auto` leaves alone, as data with their evidence. In: what an adapter says of itself. Out: why not, or null.
// An entry goes in with a report that others can read, and goes out when a later one says that it is repaired.

/** What of GPUAdapterInfo is looked at; browsers may leave any of it empty. */
export type AdapterWords = Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'> & { readonly isFallbackAdapter?: boolean };

interface Denied {
  readonly vendor: string;
  readonly architecture: RegExp;
  readonly why: string;
  readonly evidence: string;
}

const deniedDrivers: readonly Denied[] = [
  {
    vendor: 'qualcomm', architecture: /^adreno-8xx$/,
    why: 'its driver was seen to compute the first inference right and later ones wrong',
    evidence: 'https://github.com/google-ai-edge/LiteRT/issues/8065', // Galaxy Z Fold 7, Chrome 149, June 2026
  },
];

/** Rasterisers that compute on the processor and do not always say that they are a fallback: slower than wasm by far. */
const software = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Why `auto` does not use this adapter; null when it may. */
export function adapterRefusal(info: AdapterWords): string | null {
  const name = adapterName(info);
  if (info.isFallbackAdapter === true || software.test(`${info.architecture} ${info.device} ${info.description}`)) return `the adapter (${name}) is software`;
  const denied = deniedDrivers.find(({ vendor, architecture }) => vendor === info.vendor && architecture.test(info.architecture));
  return denied ? `the adapter (${name}) is not trusted: ${denied.why}, ${denied.evidence}` : null;
}

/** For people: at most 60 characters. */
export function adapterName({ vendor, architecture, device, description }: AdapterWords): string {
  return ([vendor, architecture].filter(Boolean).join(' ') || device || description || 'unnamed').slice(0, 60);
}
