import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  autoPlaceholder,
  bundledCalibration,
  BUNDLED_SCORER,
  rememberPlaceholder,
} from '../../src/app/auto-placeholder.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { startEngine } from '../../src/app/engine-process.ts';
import {
  AUTO_PLACEHOLDER,
  DEFAULT_PLACEHOLDER,
  NO_CALIBRATION,
  resolvePlaceholder,
} from '../../src/core/calibration.ts';
import { openJournal } from '../../src/store/journal.ts';
import { temporaryStore } from '../store/temporary-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-card-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const figures = { n: 60, uninformative_sd: 0.1, informative_mean: 1, auc: 1, fit: true };

test('with no check stored, auto on the bundled model is what its card found fittest; another scorer has the default', async () => {
  const fitness = {
    [DEFAULT_PLACEHOLDER]: { ...figures, uninformative_mean: 0.4 },
    'you decide': { ...figures, uninformative_mean: 0.01 },
  };
  writeFileSync(join(folder, 'toy.json'), JSON.stringify({ name: 'toy', fitness }));
  const bundled = await bundledCalibration(join(folder, 'toy.gguf'));
  const { memo } = openJournal(temporaryStore());
  const auto = (scorer: string, maskMode: 'natural' | 'length_matched' = 'length_matched') =>
    autoPlaceholder(memo, { scorer, maskMode, bundled });
  expect(auto(BUNDLED_SCORER)).toBe('you decide');
  expect(auto(BUNDLED_SCORER, 'natural')).toBe(DEFAULT_PLACEHOLDER);
  expect(auto('vllm:http://127.0.0.1:8000/v1:m')).toBe(DEFAULT_PLACEHOLDER);

  // A check was stored, or the scorer that was connected is another than the card beside this build says.
  const measured = [
    { ...figures, uninformative_mean: 0, placeholder: 'not sure', mask_mode: 'length_matched' as const },
  ];
  rememberPlaceholder(memo, BUNDLED_SCORER, { placebo: [], fitness: measured });
  expect(auto(BUNDLED_SCORER)).toBe('not sure');
});

test.each(['', '{', '{"fitness": 3}'])('a card that cannot be read (%j) says nothing', async (text) => {
  if (text !== '') writeFileSync(join(folder, 'bad.json'), text);
  expect(await bundledCalibration(join(folder, text === '' ? 'none.gguf' : 'bad.gguf'))).toEqual(NO_CALIBRATION);
});

test('the editor, which reads the card, and the command line, which asks the engine, agree about auto', async () => {
  const engine = await startEngine({});
  try {
    const { calibration } = await openEngineBackend(engine).facts();
    expect(calibration?.fitness.length).toBeGreaterThan(0);
    expect(await bundledCalibration()).toEqual(calibration);
    const options = { placeholder: AUTO_PLACEHOLDER, mask_mode: 'length_matched' } as const;
    const { memo } = openJournal(temporaryStore());
    const bundled = await bundledCalibration();
    expect(autoPlaceholder(memo, { scorer: BUNDLED_SCORER, maskMode: 'length_matched', bundled })).toBe(
      resolvePlaceholder(options, { calibration }),
    );
  } finally {
    await engine.close();
  }
});
