import { openSglang } from '../../src/backends/sglang.ts';
import { chatSuite } from './chat.ts';
import { serverSuite } from './suite.ts';

serverSuite({ name: 'sglang', open: openSglang, tolerance: 2e-3, limit: 1.01 }, (subject) => {
  chatSuite(subject);
});
