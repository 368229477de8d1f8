import { parentPort, workerData } from 'node:worker_threads';
import { writeDataset } from '../../src/app/dataset/dataset-folder.ts';
import { MANIFEST_SCHEMA } from '../../src/core/dataset/manifest.ts';
import { datasetRow } from '../../src/core/dataset/row.ts';
import { DATASET_SCHEMA, type DatasetRow } from '../../src/core/dataset/schema.ts';
import { sampleState } from './export-fixture.ts';

/** Runs in a worker with a small heap: writes 250 kB a row, each text its own, so that holding all rows would not fit. */
const { out, total, groupWeight } = workerData as {
  readonly out: string;
  readonly total: number;
  readonly groupWeight: number | undefined;
};

function* rows(): Generator<DatasetRow> {
  const consent = { scope: 'simulated', granted_at: null } as const;
  const about = { consent, person: null, weight: 1, split: 'train' } as const;
  for (let index = 0; index < total; index += 1) {
    const state = sampleState({ id: `e${String(index).padStart(6, '0')}`, questions: 1, passed: null });
    const row = datasetRow({ ...about, state, index }, null, null);
    const long = { role: 'user' as const, content: `${index} `.repeat(250_000 / `${index} `.length) };
    yield { ...row, messages: row.messages.with(0, long) };
  }
}

const manifest = await writeDataset(out, {
  manifest: {
    schema: MANIFEST_SCHEMA,
    row_schema: DATASET_SCHEMA,
    made_by: 'test',
    splits: [{ split: 'train', rows: total, turns: 2 * total, batch_id: null, batch_n: 0 }],
    unscored: total,
    refused: [],
    credit_options: null,
    score_options: null,
    scorer: null,
  },
  rows,
  redaction: {},
  groupWeight,
});
parentPort?.postMessage(manifest.files[0]?.rows);
