import { openVllm } from '../../src/backends/vllm.ts';
import { chatSuite } from './chat.ts';
import { detourSuite } from './detours.ts';
import { serverSuite } from './suite.ts';

serverSuite({ name: 'vllm', open: openVllm, tolerance: 2e-3, limit: 1.05 }, (subject) => {
  chatSuite(subject);
  detourSuite(openVllm, subject);
});
