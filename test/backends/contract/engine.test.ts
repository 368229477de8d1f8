import { startToy } from '../../engine/model.ts';
import { openEngineBackend } from '../../../src/backends/engine.ts';
import { contractSuite } from './suite.ts';

contractSuite(
  'the engine',
  async () => {
    const engine = await startToy({ contextSize: 1536 });
    const { url, token } = engine;
    return {
      backend: openEngineBackend({ url, token }),
      reopen: ({ apiKey = token }) => openEngineBackend({ url, token: apiKey }),
      close: () => engine.close(),
    };
  },
  { exact: true, tolerance: 0, overLimit: 1, liveOverLimit: 1.1, locked: true, named: false },
);
