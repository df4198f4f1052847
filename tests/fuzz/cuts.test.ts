// Every shared model cut at 64 random places: a KingletError (or, behind the last used byte, a result).

import { it } from 'node:test';
import { goldens, sharedBytes, skipWithoutShared } from '../shared.ts';
import { attack } from './attack.ts';
import { randomCuts } from './damages.ts';
import { assertHarmless } from './report.ts';

for (const [seed, { name, modelFile }] of goldens().entries()) {
  it(`${name} survives 64 cuts (seed ${seed})`, { skip: skipWithoutShared }, async (t) => {
    const bytes = sharedBytes(modelFile);
    const damages = randomCuts(seed, 64, bytes.length);
    assertHarmless(t, await attack(bytes, damages), damages);
  });
}
