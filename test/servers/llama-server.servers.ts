import { openLlamaServer } from '../../src/backends/llama-server.ts';
import { chatSuite } from './chat.ts';
import { serverSuite } from './suite.ts';

serverSuite({ name: 'llama-server', open: openLlamaServer, tolerance: 5e-3, limit: null }, (subject) => {
  chatSuite(subject);
});
